package docker

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/acalocal/acalocal/internal/agent"
	"github.com/acalocal/acalocal/internal/container"
)

// road carries connections to an engine until it is cut.
type road struct {
	l     net.Listener
	to    string
	mu    sync.Mutex
	conns map[net.Conn]bool // guarded by mu
	wg    sync.WaitGroup
}

// newRoad leads to the engine at host, a unix socket.
func newRoad(t *testing.T, host string) *road {
	t.Helper()
	target, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		t.Skip("the engine is not at a socket of this machine")
	}
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "docker.sock"))
	if err != nil {
		t.Fatal(err)
	}
	r := &road{l: l, to: target, conns: map[net.Conn]bool{}}
	r.wg.Go(r.serve)
	t.Cleanup(func() { l.Close(); r.cut(); r.wg.Wait() })
	return r
}

func (r *road) serve() {
	for {
		a, err := r.l.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("unix", r.to)
		if err != nil {
			a.Close()
			continue
		}
		r.mu.Lock()
		r.conns[a], r.conns[b] = true, true
		r.mu.Unlock()
		r.wg.Go(func() { carry(a.(*net.UnixConn), b.(*net.UnixConn)) })
		r.wg.Go(func() { carry(b.(*net.UnixConn), a.(*net.UnixConn)) })
	}
}

func carry(to, from *net.UnixConn) {
	_, _ = io.Copy(to, from) // ends with either side
	_ = to.CloseWrite()
}

// cut breaks what is under way; new connections pass.
func (r *road) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.Close()
	}
	clear(r.conns)
}

func TestLostEngineIsFoundAgain(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	r.app("app", nil, `{"Listens":[8080]}`)
	road := newRoad(t, e.host)
	far := newEngine(t, func(o *Options) { o.Host = "unix://" + road.l.Addr().String() })
	hints, err := far.Events(t.Context(), r.env)
	if err != nil {
		t.Fatal(err)
	}
	a, err := far.Agent(t.Context(), r.holder)
	if err != nil {
		t.Fatal(err)
	}
	waitPort(t, a, 8080)
	for range 5 {
		conn, err := a.Dial(t.Context(), "127.0.0.1", 8080)
		if err != nil {
			t.Fatal(err)
		}
		broken := make(chan error, 1)
		go func() { // keeps frames under way in both directions
			_, err := io.Copy(conn, endless{})
			broken <- err
		}()
		time.AfterFunc(20*time.Millisecond, road.cut)
		if err := <-broken; err == nil {
			t.Fatal("an endless request has ended")
		}
		check(t, a)
	}
	for range hints { // ends, because the engine was lost
	}
}

// endless yields a request that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "GET / HTTP/1.1\r\nHost: web\r\n\r\n"[i%29]
	}
	return len(p) / 29 * 29, nil
}

func TestGateOutlivesALostEngine(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	road := newRoad(t, e.host)
	far := newEngine(t, func(o *Options) { o.Host = "unix://" + road.l.Addr().String() })
	l, err := far.OpenGate(t.Context(), container.GateSpec{Env: r.env, Names: []string{"backend"}, Ports: []int{80}})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(conn).ReadString('\n')
			_, _ = io.WriteString(conn, "hello\n") // the caller's output shows it
			conn.Close()
		}
	}()
	call := func() bool {
		out, st := r.ended("call"+time.Now().Format("150405.000000000"), "get", "backend:80", "x")
		return st.ExitCode == 0 && out == "hello\n"
	}
	if !call() {
		t.Fatal("the gate is not open")
	}
	road.cut()
	for !call() {
		if t.Context().Err() != nil {
			t.Fatal("the gate did not open again")
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestClosedEngineAttachesNoMore(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	other, err := New(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := other.Agent(t.Context(), r.holder)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Listeners(t.Context()); err == nil || errors.Is(err, agent.ErrLost) {
		t.Errorf("a closed engine answers %v", err)
	}
	if _, err := other.Agent(context.Background(), r.holder); err == nil {
		t.Error("a closed engine attaches")
	}
}
