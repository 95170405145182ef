package probes

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkThousandContainers runs the liveness probes of a thousand containers
// at a period of one second, in real time, for some seconds a round, and
// reports the share of one core that this process used:
//
//	make bench-probes
//
// "prober" is the cost of the prober itself, the attempts being made elsewhere;
// "tcp" and "http" also make them, from this process against another one.
func BenchmarkThousandContainers(b *testing.B) {
	b.Run("prober", func(b *testing.B) {
		benchmarkThousand(b, checkerFunc(func(context.Context, Target) Result { return Result{Outcome: Success} }), Check{}, mostOfCore)
	})
	b.Run("tcp", func(b *testing.B) {
		benchmarkThousand(b, NetChecker{}, Check{TCP: &TCPCheck{Host: "127.0.0.1", Port: startApp(b)}}, noBound)
	})
	b.Run("http", func(b *testing.B) {
		benchmarkThousand(b, NetChecker{}, Check{HTTP: &HTTPCheck{Host: "127.0.0.1", Port: startApp(b)}}, noBound)
	})
}

type checkerFunc func(context.Context, Target) Result

func (f checkerFunc) Check(ctx context.Context, t Target) Result { return f(ctx, t) }

// mostOfCore is what the prober of a thousand containers may take, in percent of
// one core. Attempts over sockets also cost what the kernel takes for a new
// connection each, which is measured and not bounded.
const mostOfCore = 5

// noBound is more than all cores.
const noBound = 1e6

func benchmarkThousand(b *testing.B, c Checker, check Check, most float64) {
	const seconds = 5
	var asked, failed atomic.Int64
	counted := checkerFunc(func(ctx context.Context, t Target) Result {
		asked.Add(1)
		return c.Check(ctx, t)
	})
	for b.Loop() {
		p := New(counted, func(r Report) {
			if r.Result.Outcome != Success {
				failed.Add(1)
			}
		})
		p.Set(thousandTargets(check))
		ctx, cancel := context.WithCancel(b.Context())
		before, begin := cpuTime(b), time.Now()
		time.AfterFunc(seconds*time.Second, cancel)
		if err := p.Run(ctx); err != nil {
			b.Fatal(err)
		}
		share := 100 * float64(cpuTime(b)-before) / float64(time.Since(begin))
		b.ReportMetric(share, "%core")
		if share > most {
			b.Errorf("a thousand probes take %.1f %% of a core, more than %g", share, most)
		}
	}
	if n := asked.Load(); n < int64(b.N)*seconds*1000*9/10 {
		b.Errorf("%d attempts, want about %d", n, b.N*seconds*1000)
	}
	if n := failed.Load(); n > 0 {
		b.Errorf("%d attempts failed", n)
	}
}

// thousandTargets are liveness probes whose starts are spread over a second.
func thousandTargets(check Check) []Target {
	now := time.Now()
	targets := make([]Target, 1000)
	for i := range targets {
		targets[i] = Target{
			Key:        Key{fmt.Sprint("replica-", i), "app", Liveness},
			Generation: 1, StartedAt: now.Add(time.Duration(-i) * time.Millisecond),
			Check: check, Period: time.Second, Timeout: time.Second, Success: 1, Failure: 3,
		}
	}
	return targets
}

// appEnv makes this test binary an app to be probed instead of a test.
const appEnv = "ACALOCAL_PROBES_TEST_APP"

func TestMain(m *testing.M) {
	if os.Getenv(appEnv) == "" {
		os.Exit(m.Run())
	}
	if err := serveApp(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveApp answers on a port of loopback, which it prints, until in ends.
func serveApp(in io.Reader, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, in) // ends when the benchmark does, whatever the reason
		l.Close()
	}()
	fmt.Fprintln(out, l.Addr().(*net.TCPAddr).Port)
	for {
		c, err := l.Accept()
		if err != nil {
			return nil // closed: the benchmark is over
		}
		go answer(c)
	}
}

func answer(c net.Conn) {
	defer c.Close()
	if _, err := c.Read(make([]byte, 4096)); err != nil {
		return // a TCP probe hangs up without a word
	}
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
}

// startApp runs serveApp in a process of its own and returns its port.
func startApp(b *testing.B) int {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), appEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Errorf("app: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	port, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		b.Fatal(err)
	}
	return port
}
