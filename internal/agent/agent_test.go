package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/internal/agent/holder"
	"github.com/acalocal/acalocal/internal/container"
)

// connect returns a client of an agent that works in this process's namespace.
func connect(t *testing.T, accept Accept) *Client {
	t.Helper()
	daemon, replica := net.Pipe()
	var wg sync.WaitGroup
	wg.Go(func() { _ = holder.Serve(replica, replica) }) // ends with the pipe
	c, err := Connect(t.Context(), daemon, daemon, daemon, accept)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		wg.Wait()
	})
	return c
}

// closedPort returns a port of loopback nobody listens on.
func closedPort(t *testing.T) int {
	t.Helper()
	l := listen(t)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// answers lets f answer each connection to a listener.
func answers(t *testing.T, f func(*net.TCPConn)) (port int) {
	t.Helper()
	l := listen(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer conn.Close(); f(conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().(*net.TCPAddr).Port
}

func dial(t *testing.T, c *Client, port int) net.Conn {
	t.Helper()
	conn, err := c.Dial(t.Context(), "127.0.0.1", port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestDialCarriesAConversation(t *testing.T) {
	c := connect(t, nil)
	port := answers(t, func(conn *net.TCPConn) {
		b, err := io.ReadAll(conn) // needs the half-close to pass through
		if err == nil {
			_, _ = fmt.Fprintf(conn, "%d bytes", len(b))
		}
	})
	conn := dial(t, c, port)
	if got := conn.RemoteAddr().String(); got != "127.0.0.1:"+strconv.Itoa(port) {
		t.Errorf("remote address %s", got)
	}
	if _, err := conn.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if string(got) != "1048576 bytes" || err != nil {
		t.Errorf("answer %q, %v", got, err)
	}
}

func TestDialPassesAResetOn(t *testing.T) {
	c := connect(t, nil)
	port := answers(t, func(conn *net.TCPConn) {
		_, _ = io.ReadFull(conn, make([]byte, 4))
		_ = conn.SetLinger(0) // the close is a reset
	})
	conn := dial(t, c, port)
	if _, err := io.WriteString(conn, "half"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v, want connection reset", err)
	}
}

func TestDialFailuresKeepTheirKind(t *testing.T) {
	c := connect(t, nil)
	_, err := c.Dial(t.Context(), "127.0.0.1", closedPort(t))
	if !errors.Is(err, syscall.ECONNREFUSED) || !strings.HasSuffix(err.Error(), "connection refused") {
		t.Errorf("closed port: %v", err)
	}
	if _, err := c.Dial(t.Context(), "127.0.0.1", 0); err == nil {
		t.Error("port 0 was dialled")
	}
	c.Close()
	if _, err := c.Dial(t.Context(), "127.0.0.1", 1); !errors.Is(err, ErrLost) {
		t.Errorf("closed client: %v", err)
	}
}

func TestConnectEndsWithItsContext(t *testing.T) {
	daemon, replica := net.Pipe()
	defer replica.Close()
	go io.Copy(io.Discard, replica) // reads, and never greets
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Connect(ctx, daemon, daemon, daemon, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestChecksSayWhatCameBack(t *testing.T) {
	c := connect(t, nil)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, err := strconv.Atoi(r.URL.Query().Get("status"))
		if err != nil {
			t.Errorf("%s: %v", r.URL, err)
		}
		if r.UserAgent() != "curl/8.11.1" || r.Header.Get("X-Test") != "yes" {
			t.Errorf("headers %v", r.Header)
		}
		w.Header().Set("Location", "http://elsewhere.invalid/")
		w.WriteHeader(status)
	}))
	defer web.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer secure.Close()
	silent := answers(t, func(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) })
	closed := closedPort(t)
	headers := []container.Header{{Name: "X-Test", Value: "yes"}}
	for _, tt := range []struct {
		name  string
		check container.Check
		want  container.CheckResult
	}{
		{"tcp", container.Check{Port: silent}, container.CheckResult{OK: true}},
		{"tcp refused", container.Check{Port: closed}, container.CheckResult{Status: "1", Detail: "connect: connection refused"}},
		{"http", container.Check{Scheme: "HTTP", Port: portOf(web), Path: "/x?status=204", Headers: headers}, container.CheckResult{OK: true, Status: "204"}},
		{"http redirect", container.Check{Scheme: "HTTP", Port: portOf(web), Path: "/x?status=307", Headers: headers}, container.CheckResult{OK: true, Status: "307"}},
		{"http error", container.Check{Scheme: "HTTP", Port: portOf(web), Path: "/x?status=503", Headers: headers}, container.CheckResult{Status: "503", Detail: "statuscode: 503"}},
		{"http refused", container.Check{Scheme: "HTTP", Port: closed}, container.CheckResult{Detail: "connection refused"}},
		{"http silence", container.Check{Scheme: "HTTP", Port: silent, Timeout: 50 * time.Millisecond}, container.CheckResult{Timeout: true, Detail: "Client.Timeout exceeded"}},
		{"https", container.Check{Scheme: "HTTPS", Port: portOf(secure)}, container.CheckResult{OK: true, Status: "200"}},
		{"https of http", container.Check{Scheme: "HTTPS", Port: portOf(web)}, container.CheckResult{Detail: "server gave HTTP response to HTTPS client"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.check.Timeout == 0 {
				tt.check.Timeout = 10 * time.Second
			}
			got, err := c.Check(t.Context(), tt.check)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got.Detail, tt.want.Detail) || got.Duration <= 0 {
				t.Errorf("detail %q lacks %q, or no time has passed: %v", got.Detail, tt.want.Detail, got.Duration)
			}
			got.Detail, got.Duration = tt.want.Detail, 0
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func portOf(s *httptest.Server) int { return s.Listener.Addr().(*net.TCPAddr).Port }

func TestCheckTellsALostAgentFromAFailure(t *testing.T) {
	c := connect(t, nil)
	port := answers(t, func(conn *net.TCPConn) {
		go c.Close() // in the middle of the attempt
		_, _ = io.Copy(io.Discard, conn)
	})
	r, err := c.Check(t.Context(), container.Check{Scheme: "HTTP", Port: port, Timeout: time.Minute})
	if !errors.Is(err, ErrLost) {
		t.Errorf("check returned %+v, %v", r, err)
	}
}

func TestListenHandsConnectionsOver(t *testing.T) {
	accepted := make(chan net.Conn, 1)
	c := connect(t, func(conn net.Conn, _ <-chan struct{}) { accepted <- conn })
	port := closedPort(t)
	l, err := c.Listen(t.Context(), []int{port})
	if err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + strconv.Itoa(port)
	caller, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	conn := <-accepted
	if conn.LocalAddr().String() != address || conn.RemoteAddr().String() != caller.LocalAddr().String() {
		t.Errorf("accepted at %s from %s, the caller is %s", conn.LocalAddr(), conn.RemoteAddr(), caller.LocalAddr())
	}
	if _, err := io.WriteString(caller, "ping\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "ping\n" || err != nil {
		t.Errorf("read %q, %v", line, err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if _, err := caller.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the caller read %v after the end", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	waitFor(t, "the port is closed", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
}

// waitFor polls for what another goroutine brings about.
func waitFor(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain until " + what)
		}
	}
}

func TestSilentPortsNeitherAnswerNorRefuse(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("agents run on Linux, and its kernel is what is silent")
	}
	c := connect(t, nil)
	ports := []int{closedPort(t), closedPort(t)}
	s, err := c.Silence(t.Context(), ports)
	if err != nil {
		t.Fatal(err)
	}
	call := func(port int) error {
		conn, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(port), 100*time.Millisecond)
		if err == nil {
			conn.Close()
		}
		return err
	}
	for range 3 {
		for _, port := range ports {
			var e net.Error
			if err := call(port); !errors.As(err, &e) || !e.Timeout() {
				t.Errorf("a call of port %d: %v", port, err)
			}
		}
	}
	if _, err := c.Silence(t.Context(), ports[:1]); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a port that is taken: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	waitFor(t, "the ports refuse again", func() bool { return errors.Is(call(ports[1]), syscall.ECONNREFUSED) })
}

func TestListenOnATakenPortFails(t *testing.T) {
	c := connect(t, nil)
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = c.Listen(t.Context(), []int{l.Addr().(*net.TCPAddr).Port})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("listen: %v", err)
	}
}

func TestReachableWantsItsToken(t *testing.T) {
	c := connect(t, nil)
	direct, err := c.Reachable(t.Context(), "127.0.0.1", "token")
	if err != nil || !direct {
		t.Errorf("loopback is reachable: %v %v", direct, err)
	}
	if readsToken(t.Context(), "127.0.0.1:"+strconv.Itoa(closedPort(t)), "token") {
		t.Error("a closed port gave the token")
	}
	imposter := answers(t, func(conn *net.TCPConn) { _, _ = io.WriteString(conn, "tokem") })
	if readsToken(t.Context(), "127.0.0.1:"+strconv.Itoa(imposter), "token") {
		t.Error("another machine gave the token")
	}
}

func TestParseListenersMergesSocketsOfAPort(t *testing.T) {
	got, err := parseListeners("127.0.0.1:80\n[::1]:80\n0.0.0.0:90\n127.0.0.1:90\n[::ffff:127.0.0.1]:70\n127.0.0.11:40000\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []container.Listener{{Port: 70, Loopback: true}, {Port: 80, Loopback: true}, {Port: 90}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("listeners (-want +got):\n%s", diff)
	}
	if _, err := parseListeners("nonsense\n"); err == nil {
		t.Error("nonsense was taken for an address")
	}
}

func TestCarriedExecutablesAreOfTheseSources(t *testing.T) {
	if _, err := carriedBinary("z80"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("carried for z80: %v", err)
	}
	names := sourceFiles()
	for _, want := range []string{"cmd/agent/main.go", "holder/serve.go", "mux/session.go"} {
		if !strings.Contains(strings.Join(names, " "), want) {
			t.Errorf("sources lack %s", want)
		}
	}
	for _, n := range names {
		if strings.HasSuffix(n, "_test.go") {
			t.Errorf("sources hold %s", n)
		}
	}
}

// TestBinaryIsBuiltOnceAndKept builds with the toolchain that runs the test.
func TestBinaryIsBuiltOnceAndKept(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the compiler")
	}
	dir := t.TempDir()
	first, err := buildInto(t.Context(), dir+"/agent", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	if string(first[:4]) != "\x7fELF" {
		t.Errorf("starts with %x", first[:4])
	}
	kept, err := os.ReadFile(dir + "/agent")
	if err != nil || string(kept) != string(first) {
		t.Errorf("kept %d bytes of %d: %v", len(kept), len(first), err)
	}
	again, err := buildInto(t.Context(), dir+"/agent", "amd64")
	if err != nil || string(again) != string(first) {
		t.Errorf("a second build gives other bytes: %v", err)
	}
}

func TestNoToolchainIsSaid(t *testing.T) {
	t.Setenv("PATH", "")
	err := Build(t.Context(), t.TempDir(), "agent", "arm64")
	want := "no agent for linux/arm64 in this build, and no Go toolchain to make it"
	if !errors.Is(err, ErrNoBinary) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// stalling is a connection whose bytes stop at will.
type stalling struct {
	net.Conn
	mu sync.RWMutex // held while nothing passes
}

func (s *stalling) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return n, err
}

// connected are the two ends of a connection over loopback.
func connected(t *testing.T) (a, b net.Conn) {
	t.Helper()
	l := listen(t)
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// TestProbeOfSilentAgentIsNoVerdict: an engine that hangs lets nothing through
// to the agent and back. That says nothing about the container.
func TestProbeOfSilentAgentIsNoVerdict(t *testing.T) {
	port := answers(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }) // accepts, and never answers
	daemon, replica := connected(t)                                            // with buffers, as between processes
	way := &stalling{Conn: replica}
	var wg sync.WaitGroup
	wg.Go(func() { _ = holder.Serve(way, replica) }) // ends with the pipe
	c, err := Connect(t.Context(), daemon, daemon, daemon, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		wg.Wait()
	})
	for _, spec := range []container.Check{{Port: port, Timeout: 100 * time.Millisecond}, {Scheme: "HTTP", Port: port, Path: "/", Timeout: 100 * time.Millisecond}} {
		way.mu.Lock()
		if got, err := c.Check(t.Context(), spec); !errors.Is(err, errNoAttempt) {
			t.Errorf("while nothing passes, %s on port %d is %+v, %v", spec.Scheme, port, got, err)
		}
		way.mu.Unlock()
	}
	got, err := c.Check(t.Context(), container.Check{Scheme: "HTTP", Port: port, Path: "/", Timeout: 100 * time.Millisecond})
	if err != nil || !got.Timeout || got.OK {
		t.Errorf("a program that does not answer is %+v, %v", got, err)
	}
}
