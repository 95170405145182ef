package ingress

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs the real edge in a bubble of fake time: the client and the app
// are at the ends of pipes.
type bubble struct {
	g      *Ingress
	client net.Conn
	r      *bufio.Reader
}

// pipeListener hands out the connections it is given.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// inBubble runs f with an edge whose only replica is app; a nil app is a
// revision without replicas.
func inBubble(t *testing.T, o Options, app func(net.Conn), f func(*testing.T, *bubble)) {
	inBubbleWith(t, o, nil, app, f)
}

// inBubbleWith is inBubble for an app with a resiliency policy.
func inBubbleWith(t *testing.T, o Options, policy *Resiliency, app func(net.Conn), f func(*testing.T, *bubble)) {
	synctest.Test(t, func(t *testing.T) {
		var apps sync.WaitGroup
		defer apps.Wait()
		o.Dial = func(context.Context, Endpoint) (net.Conn, error) {
			ours, theirs := net.Pipe()
			apps.Go(func() { defer theirs.Close(); app(theirs) })
			return ours, nil
		}
		g, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		table := oneApp()
		if app != nil {
			table = oneApp(Endpoint{Replica: "web--a-1", Port: 80})
		}
		table.Apps[0].Resiliency = policy
		mustApply(t, g, table)
		l := &pipeListener{make(chan net.Conn), make(chan struct{})}
		go g.Serve(l, ListenSpec{Kind: HTTP})
		ours, theirs := net.Pipe()
		l.conns <- theirs
		f(t, &bubble{g: g, client: ours, r: bufio.NewReader(ours)})
		ours.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := g.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
}

// request sends a request and returns the answer and how long it took.
func (b *bubble) request(t *testing.T, raw string) (status int, body string, took time.Duration) {
	t.Helper()
	began := time.Now()
	go io.WriteString(b.client, raw)
	res, err := http.ReadResponse(b.r, nil)
	if err != nil {
		t.Fatalf("after %v: %v", time.Since(began), err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		body = "cut: "
	}
	return res.StatusCode, body + string(text), time.Since(began)
}

const plainGet = "GET / HTTP/1.1\r\nHost: web.local.localhost\r\n\r\n"

func TestTimeLimits(t *testing.T) {
	silent := func(c net.Conn) { readHead(c); io.Copy(io.Discard, c) }
	trickle := func(c net.Conn) {
		readHead(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for {
			time.Sleep(210 * time.Second)
			if _, err := io.WriteString(c, "1\r\nx\r\n"); err != nil {
				return
			}
		}
	}
	stops := func(c net.Conn) {
		readHead(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
		io.Copy(io.Discard, c)
	}
	busy := func(c net.Conn) { readHead(c); io.Copy(io.Discard, c) }
	tests := []struct {
		name   string
		o      Options
		app    func(net.Conn)
		send   string
		status int
		body   string
		took   time.Duration
		flag   string
	}{
		{"silent app", Options{}, silent, plainGet, 504, "stream timeout", 240 * time.Second, "SI"},
		{"scaled", Options{TimeScale: 60}, silent, plainGet, 504, "stream timeout", 4 * time.Second, "SI"},
		{"no ready replica", Options{}, nil, plainGet, 504, "stream timeout", 240 * time.Second, "SI"},
		{"half a request", Options{}, silent, "POST / HTTP/1.1\r\nHost: web.local.localhost\r\nContent-Length: 100000\r\n\r\nhalf", 408, "stream timeout", 240 * time.Second, "SI"},
		{"half a small request", Options{}, silent, "POST / HTTP/1.1\r\nHost: web.local.localhost\r\nContent-Length: 10\r\n\r\nhalf", 408, "stream timeout", 240 * time.Second, "SI"},
		{"whole request", Options{Timeouts: Timeouts{Idle: time.Hour}}, busy, plainGet, 504, "upstream request timeout", 30 * time.Minute, "UT"},
		{"stops in the middle", Options{}, stops, plainGet, 200, "cut: half", 240 * time.Second, "SI"},
		{"sends for half an hour", Options{}, trickle, plainGet, 200, "cut: xxxxxxxx", 30 * time.Minute, "UT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, tt.o, tt.app, func(t *testing.T, b *bubble) {
				status, body, took := b.request(t, tt.send)
				if status != tt.status || body != tt.body || took != tt.took {
					t.Errorf("got %d %q after %v, want %d %q after %v", status, body, took, tt.status, tt.body, tt.took)
				}
				synctest.Wait()
				for rec := range b.g.Records(0) {
					if rec.Flag != tt.flag {
						t.Errorf("flag %q, want %q (%s)", rec.Flag, tt.flag, rec.Reason)
					}
				}
			})
		})
	}
}

func TestTunnelEndsWhenIdleButNotAfterHalfAnHour(t *testing.T) {
	inBubble(t, Options{}, wsEcho, func(t *testing.T, b *bubble) {
		go io.WriteString(b.client, wsRequest)
		if got := statusLine(t, b.r); got != "HTTP/1.1 101 Switching Protocols" {
			t.Fatal(got)
		}
		buf := make([]byte, 4)
		for range 20 { // an hour
			time.Sleep(3 * time.Minute)
			io.WriteString(b.client, "ping")
			if _, err := io.ReadFull(b.r, buf); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		if _, err := b.r.ReadByte(); err == nil {
			t.Error("got a byte out of nothing")
		}
		if took := time.Since(began); took != 240*time.Second {
			t.Errorf("ended after %v of silence", took)
		}
	})
}

func TestRetriesTakeAQuarterToHalfASecond(t *testing.T) {
	inBubble(t, Options{}, func(c net.Conn) { readHead(c) }, func(t *testing.T, b *bubble) {
		status, body, took := b.request(t, plainGet)
		if status != 503 || !strings.Contains(body, "retried and the latest") || took > 900*time.Millisecond {
			t.Errorf("got %d %q after %v", status, body, took)
		}
		for rec := range b.g.Records(0) {
			if rec.Tries != 6 || rec.Replays != 5 {
				t.Errorf("tries %d, replays %d", rec.Tries, rec.Replays)
			}
		}
	})
}

func TestIdleConnectionsAreClosedAfterFourSeconds(t *testing.T) {
	var closed atomic.Int64
	app := func(c net.Conn) {
		readHead(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		began := time.Now()
		io.Copy(io.Discard, c)
		closed.Store(int64(time.Since(began)))
	}
	inBubble(t, Options{}, app, func(t *testing.T, b *bubble) {
		if status, _, _ := b.request(t, plainGet); status != 200 {
			t.Fatalf("got %d", status)
		}
		time.Sleep(time.Minute)
		if after := time.Duration(closed.Load()); after != upstreamIdle {
			t.Errorf("closed after %v, want %v", after, upstreamIdle)
		}
	})
}

func TestActivationIsCoalesced(t *testing.T) {
	var at []time.Duration
	began := time.Now()
	rev := newRevision("web", "web--a")
	synctest.Test(t, func(t *testing.T) {
		began = time.Now()
		for range 30 {
			if rev.activate(time.Now()) {
				at = append(at, time.Since(began))
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	if len(at) != 3 || at[1] != 100*time.Millisecond {
		t.Errorf("activated at %v", at)
	}
}
