package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/containertest"
)

func TestGatesAreForTheNamesAppsCallEachOtherBy(t *testing.T) {
	web := ingress.App{Name: "web", External: true, Enabled: true, Revisions: []ingress.Revision{{Name: "web--r1"}}}
	back := ingress.App{Name: "back", Enabled: true, AdditionalPorts: []ingress.PortMapping{{TargetPort: 9000, ExposedPort: 9001}, {TargetPort: 7000}}}
	db := ingress.App{Name: "db", Enabled: true, Transport: ingress.TransportTCP, TargetPort: 5432}
	mq := ingress.App{Name: "mq", External: true, Enabled: true, Transport: ingress.TransportTCP, TargetPort: 5672}
	blue := ingress.App{Name: "blue", Enabled: true, Labels: []ingress.Label{{Name: "next", Revision: "blue--r1"}}}
	job := ingress.App{Name: "job"}
	for _, c := range []struct {
		name string
		apps []ingress.App
		want []gate
	}{
		{"a single app calls itself, and the host it would have as an internal one is the 404 page", []ingress.App{web}, []gate{
			{"", []string{"web", "web--r1.x.localhost", "web.internal.x.localhost", "web.x.localhost"}, []int{80, 443}, []int{}},
		}},
		{"an app without ingress has hosts, and no short name", []ingress.App{job, web}, []gate{
			{"", []string{"job.internal.x.localhost", "job.x.localhost", "web", "web--r1.x.localhost", "web.internal.x.localhost", "web.x.localhost"}, []int{80, 443}, []int{}},
		}},
		{"a TCP app has a gate of its own for its short name", []ingress.App{db}, []gate{
			{"db", []string{"db"}, []int{5432}, []int{80, 443}},
			{"", []string{"db.internal.x.localhost", "db.x.localhost"}, []int{80, 443}, []int{5432}},
		}},
		{"an external TCP app has its host, too", []ingress.App{mq}, []gate{
			{"mq", []string{"mq", "mq.x.localhost"}, []int{5672}, []int{80, 443}},
			{"", []string{"mq.internal.x.localhost"}, []int{80, 443}, []int{5672}},
		}},
		{"labels have hosts", []ingress.App{blue}, []gate{
			{"", []string{"blue", "blue---next.internal.x.localhost", "blue.internal.x.localhost", "blue.x.localhost"}, []int{80, 443}, []int{}},
		}},
		{"additional ports are with the other ports of the app", []ingress.App{back}, []gate{
			{"back", []string{"back", "back.internal.x.localhost"}, []int{80, 443, 9001, 7000}, []int{9000}},
			{"", []string{"back.x.localhost"}, []int{80, 443}, []int{7000, 9000}},
		}},
		{"nobody to call without ingress", []ingress.App{job, job}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := gatesOf(ingress.Table{Domain: "x.localhost", Apps: c.apps}, nil)
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(gate{})); diff != "" {
				t.Errorf("gates (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFormerHostsStillLeadToTheEdge(t *testing.T) {
	g := newGates(Options{}, nil)
	table := func(apps ...ingress.App) []gate {
		next := ingress.Table{Domain: "x.localhost", Apps: apps}
		g.remember(next)
		return gatesOf(next, g.former)
	}
	web := func(revision string) ingress.App {
		return ingress.App{Name: "web", External: true, Enabled: true, Revisions: []ingress.Revision{{Name: "web--" + revision}}}
	}
	mq := ingress.App{Name: "mq", External: true, Enabled: true, Transport: ingress.TransportTCP, TargetPort: 5672}
	hosts := []string{"web", "web.internal.x.localhost", "web.x.localhost"}
	shared := func(silent []int, names ...string) gate {
		names = append(names, hosts...)
		slices.Sort(names)
		return gate{"", names, []int{80, 443}, silent}
	}
	none := []int{}
	for i, c := range []struct{ got, want []gate }{
		{table(web("r1")), []gate{shared(none, "web--r1.x.localhost")}},
		{table(web("r2")), []gate{shared(none, "web--r1.x.localhost", "web--r2.x.localhost")}},
		{table(web("r1")), []gate{shared(none, "web--r1.x.localhost", "web--r2.x.localhost")}},
		{table(mq, web("r1")), []gate{
			{"mq", []string{"mq", "mq.x.localhost"}, []int{5672}, []int{80, 443}},
			shared([]int{5672}, "mq.internal.x.localhost", "web--r1.x.localhost", "web--r2.x.localhost"),
		}},
		{table(web("r1")), []gate{shared(none, "mq.internal.x.localhost", "mq.x.localhost", "web--r1.x.localhost", "web--r2.x.localhost")}},
	} {
		if diff := cmp.Diff(c.want, c.got, cmp.AllowUnexported(gate{})); diff != "" {
			t.Errorf("table %d (-want +got):\n%s", i, diff)
		}
	}
	for i := range 2 * maxFormer {
		table(web(fmt.Sprint("n", i)))
	}
	if len(g.former) != maxFormer || g.former[maxFormer-1] != fmt.Sprintf("web--n%d.x.localhost", 2*maxFormer-2) {
		t.Errorf("%d former hosts are kept, the last is %s", len(g.former), g.former[len(g.former)-1])
	}
}

// TestGatesLeaveTheMachineToWhatStarts: a gate is made at once for the names
// by which apps call each other, and after the settling time for the rest.
func TestGatesLeaveTheMachineToWhatStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		opened := &openedGates{begin: time.Now()}
		g := newGates(Options{}, func(net.Listener, ingress.ListenSpec) {})
		g.runtime = opened
		done := make(chan struct{})
		go func() { g.run(ctx); close(done) }()
		app := func(name string, revisions ...string) ingress.App {
			a := ingress.App{Name: name, Enabled: true}
			for _, r := range revisions {
				a.Revisions = append(a.Revisions, ingress.Revision{Name: name + "--" + r})
			}
			return a
		}
		at := func(second int, what string, want string, apps ...ingress.App) {
			t.Helper()
			time.Sleep(time.Until(opened.begin.Add(time.Duration(second) * time.Second)))
			g.set(ingress.Table{Domain: "x", Apps: apps})
			synctest.Wait()
			if got := opened.String(); got != want {
				t.Errorf("%s: gates are opened at %s, want %s", what, got, want)
			}
		}
		at(0, "nothing to call", "")
		at(1, "an app that is alone", "", app("web", "r1"))
		at(3, "and its swap", "", app("web", "r1", "r2"))
		at(7, "together", "6s", app("web", "r1", "r2"))
		at(20, "another app", "6s 20s", app("web", "r2"), app("back", "r1"))
		at(30, "a swap of two apps", "6s 20s", app("web", "r3"), app("back", "r1"))
		at(31, "a third app takes its names along", "6s 20s 31s", app("web", "r3"), app("back", "r1"), app("db", "r1"))
		at(40, "nothing is left to do", "6s 20s 31s", app("web", "r3"), app("back", "r1"), app("db", "r1"))
		at(41, "all are gone", "6s 20s 31s")
		if len(g.open) != 0 {
			t.Errorf("gates are open without an app: %v", g.open)
		}
		cancel()
		<-done
	})
}

// TestHostsThatWentBeforeTheirGateWasMadeAreRemembered: swaps may follow each
// other faster than gates do.
func TestHostsThatWentBeforeTheirGateWasMadeAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		opened := &openedGates{begin: time.Now()}
		g := newGates(Options{}, func(net.Listener, ingress.ListenSpec) {})
		g.runtime = opened
		done := make(chan struct{})
		go func() { g.run(ctx); close(done) }()
		for _, revision := range []string{"r1", "r2", "r3"} {
			g.set(ingress.Table{Domain: "x", Apps: []ingress.App{{Name: "web", Enabled: true, Revisions: []ingress.Revision{{Name: "web--" + revision}}}}})
			time.Sleep(time.Second)
		}
		time.Sleep(settle)
		cancel()
		<-done
		want := []string{"web", "web--r1.internal.x", "web--r2.internal.x", "web--r3.internal.x", "web.internal.x", "web.x"}
		if !slices.Equal(opened.names, want) {
			t.Errorf("the gate has %q, want %q", opened.names, want)
		}
	})
}

// TestGatesThatCannotBeMadeAreTriedAgain: the engine may be gone for a while.
func TestGatesThatCannotBeMadeAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		opened := &openedGates{begin: time.Now(), fails: 2}
		g := newGates(Options{}, func(net.Listener, ingress.ListenSpec) {})
		g.runtime = opened
		done := make(chan struct{})
		go func() { g.run(ctx); close(done) }()
		g.set(ingress.Table{Domain: "x", Apps: []ingress.App{{Name: "web", Enabled: true}, {Name: "back", Enabled: true}}})
		time.Sleep(time.Minute)
		cancel()
		<-done
		if got := opened.String(); got != "10s" {
			t.Errorf("gates are opened at %q, want 10s", got)
		}
	})
}

// openedGates is a container engine that remembers when it opened gates.
type openedGates struct {
	container.Gate
	begin time.Time

	mu    sync.Mutex
	at    []string // guarded by mu
	fails int      // so often, before; guarded by mu
	// names are those of the last gate; guarded by mu.
	names []string
}

func (o *openedGates) OpenGate(_ context.Context, s container.GateSpec) (container.GateListener, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fails > 0 {
		o.fails--
		return nil, errors.New("no engine")
	}
	o.names = s.Names
	o.at = append(o.at, time.Since(o.begin).String())
	return &fakeGate{conns: make(chan net.Conn), done: make(chan struct{})}, nil
}

func (o *openedGates) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.at, " ")
}

// slowGate is an engine in memory whose gate of a name is open only when nobody
// wants it any more; others it does not open.
type slowGate struct {
	*containertest.Runtime
	container.Gate
	name    string
	opening chan struct{}
	happens chan string
}

func (r *slowGate) OpenGate(ctx context.Context, s container.GateSpec) (container.GateListener, error) {
	if !slices.Contains(s.Names, r.name) {
		return nil, errors.New("another gate")
	}
	r.opening <- struct{}{}
	<-ctx.Done()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	r.happens <- "opened"
	return &gateThatSaysSo{l, r.happens}, err
}

func (r *slowGate) RemoveEnvironment(ctx context.Context, env string) error {
	r.happens <- "environment removed"
	return r.Runtime.RemoveEnvironment(ctx, env)
}

type gateThatSaysSo struct {
	net.Listener
	happens chan string
}

func (g *gateThatSaysSo) Answer(context.Context, []int, []int) error { return nil }

func (g *gateThatSaysSo) Close() error {
	g.happens <- "closed"
	return g.Listener.Close()
}

func TestGatesAreClosedBeforeTheEnvironmentIsRemoved(t *testing.T) {
	for name, apply := range map[string]func(*machine){
		"web": func(m *machine) { m.apply("web:1") },
		aca.OpenTelemetryAgentHost: func(m *machine) {
			applyWeb(m.T, m.daemon, aca.EnvironmentTelemetry{Agent: true, Traces: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			gate := &slowGate{m.runtime, nil, name, make(chan struct{}, 1), make(chan string, 10)}
			m.boot(func(o *Options) { o.Runtime = gate })
			m.daemon.edge.gates.settle = 0 // nobody looks at it before the first app
			apply(m)
			received(t, "the gate to be wanted", gate.opening)
			m.daemon.Shutdown(true)
			for _, want := range []string{"opened", "closed", "environment removed"} {
				if got := received(t, want, gate.happens); got != want {
					t.Fatalf("%s, want %s", got, want)
				}
			}
			if err := received(t, "the end", m.ended); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestGatesStayAsTheyAreWhileEverythingIsRemoved(t *testing.T) {
	g := newGates(Options{}, nil)
	g.keep()
	g.set(ingress.Table{Domain: "x.localhost"})
	if len(g.wanted) != 0 {
		t.Error("the gates follow the table")
	}
}

func TestConnectionsOfAGateGoToTheirPort(t *testing.T) {
	l := &fakeGate{conns: make(chan net.Conn), done: make(chan struct{})}
	o := newOpenGate(gate{}, l, func() {})
	parts := map[int]net.Listener{80: o.port(80), 443: o.port(443)}
	go o.accept()
	for _, port := range []int{443, 80} {
		go func() {
			client, server := net.Pipe()
			l.conns <- portConn{server, port}
			fmt.Fprint(client, port)
			client.Close()
		}()
		c, err := parts[port].Accept()
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := io.ReadAll(c); string(text) != fmt.Sprint(port) {
			t.Errorf("the listener of port %d got a connection to %s", port, text)
		}
	}
	l.Close()
	if _, err := parts[80].Accept(); err == nil {
		t.Error("a part of a closed gate still accepts")
	}
}

type fakeGate struct {
	conns chan net.Conn
	done  chan struct{}
}

func (g *fakeGate) Accept() (net.Conn, error) {
	select {
	case c := <-g.conns:
		return c, nil
	case <-g.done:
		return nil, net.ErrClosed
	}
}
func (g *fakeGate) Close() error                               { close(g.done); return nil }
func (g *fakeGate) Answer(context.Context, []int, []int) error { return nil }
func (g *fakeGate) Addr() net.Addr                             { return &net.TCPAddr{} }

type portConn struct {
	net.Conn
	port int
}

func (c portConn) LocalAddr() net.Addr { return &net.TCPAddr{Port: c.port} }
