package daemon

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container"
)

// gateYard is a container engine that has gates and nothing else. What is
// served is kept, and taken by nobody.
type gateYard struct {
	container.Gate

	mu   sync.Mutex
	open []*yardGate // guarded by mu
}

type yardGate struct {
	*fakeGate
	yard          *gateYard
	names         []string
	ports, silent []int
}

func (y *gateYard) OpenGate(_ context.Context, s container.GateSpec) (container.GateListener, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	g := &yardGate{&fakeGate{conns: make(chan net.Conn), done: make(chan struct{})}, y, s.Names, s.Ports, s.Silent}
	y.open = append(y.open, g)
	return g, nil
}

func (g *yardGate) Answer(_ context.Context, ports, silent []int) error {
	g.yard.mu.Lock()
	defer g.yard.mu.Unlock()
	g.ports, g.silent = ports, silent
	return nil
}

func (g *yardGate) Close() error {
	g.yard.mu.Lock()
	defer g.yard.mu.Unlock()
	g.yard.open = slices.DeleteFunc(g.yard.open, func(o *yardGate) bool { return o == g })
	return g.fakeGate.Close()
}

// String has the short names, revisions and ports of each open gate.
func (y *gateYard) String() string {
	y.mu.Lock()
	defer y.mu.Unlock()
	var gates []string
	for _, g := range y.open {
		var names []string
		for _, name := range g.names {
			if short, _, host := strings.Cut(name, "."); !host || strings.Contains(short, "--") {
				names = append(names, short)
			}
		}
		gates = append(gates, fmt.Sprint(strings.Join(names, ","), " ", g.ports))
	}
	return strings.Join(gates, "; ")
}

// gateRun is gates at work in a bubble of time.
type gateRun struct {
	*testing.T
	yard   *gateYard
	gates  *gates
	served map[int][]served // by port
}

type served struct {
	net.Listener
	spec ingress.ListenSpec
}

// withGates runs f with gates that begin without names and end with f.
func withGates(t *testing.T, f func(r *gateRun)) {
	synctest.Test(t, func(t *testing.T) {
		r := &gateRun{T: t, yard: &gateYard{}, served: map[int][]served{}}
		r.gates = newGates(Options{}, func(l net.Listener, spec ingress.ListenSpec) {
			port := spec.Port
			switch spec.Kind {
			case ingress.HTTP:
				port = 80
			case ingress.HTTPS:
				port = 443
			}
			r.served[port] = append(r.served[port], served{l, spec})
		})
		r.gates.runtime = r.yard
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { r.gates.run(ctx); close(done) }()
		f(r)
		cancel()
		<-done
		if open := r.yard.String(); open != "" {
			t.Errorf("left behind: %s", open)
		}
	})
}

// table publishes apps and waits until names that can wait have their gate.
func (r *gateRun) table(apps ...ingress.App) {
	r.gates.set(ingress.Table{Domain: "x", Apps: apps})
	time.Sleep(r.gates.settle)
	synctest.Wait()
}

func (r *gateRun) open(when, want string) {
	r.Helper()
	synctest.Wait()
	if got := r.yard.String(); got != want {
		r.Errorf("%s: open are %q, want %q", when, got, want)
	}
}

// connect calls a port of the i-th gate and returns the edge's end.
func (r *gateRun) connect(i, port int) net.Conn {
	r.Helper()
	r.yard.mu.Lock()
	g := r.yard.open[i]
	r.yard.mu.Unlock()
	client, server := net.Pipe()
	r.Cleanup(func() { client.Close() })
	g.conns <- portConn{server, port}
	for _, s := range r.served[port] {
		select {
		case c := <-s.Listener.(*portListener).conns:
			return c
		case <-time.After(time.Millisecond):
		}
	}
	r.Fatalf("nobody serves port %d of %v", port, g.names)
	return nil
}

func swapped(name string, revisions ...string) ingress.App {
	a := ingress.App{Name: name, Enabled: true}
	for _, rev := range revisions {
		a.Revisions = append(a.Revisions, ingress.Revision{Name: name + "--" + rev})
	}
	return a
}

func TestSwapsLeaveTheGatesOfOthersAlone(t *testing.T) {
	withGates(t, func(r *gateRun) {
		back := swapped("back", "r1")
		r.table(swapped("web", "r1"), back)
		r.open("at first", "back,back--r1,web,web--r1 [80 443]")
		call := r.connect(0, 80)
		r.table(swapped("web", "r2"), back)
		r.open("after a swap", "back,back--r1,web,web--r1 [80 443]; web--r2 [80 443]")
		byHost := r.connect(1, 443)
		r.table(swapped("web", "r3"), back)
		r.open("after another", "back,back--r1,web,web--r1 [80 443]; web--r2 [80 443]; web--r2,web--r3 [80 443]")
		byHost.Close()
		time.Sleep(quiet)
		r.open("when nobody is connected to what was replaced", "back,back--r1,web,web--r1 [80 443]; web--r2,web--r3 [80 443]")
		r.table(swapped("web", "r3"), back, swapped("late", "r1"))
		r.open("with another app", "back,back--r1,web,web--r1 [80 443]; late,late--r1,web--r2,web--r3 [80 443]")
		call.Close()
		time.Sleep(time.Hour)
		r.open("an hour later", "back,back--r1,web,web--r1 [80 443]; late,late--r1,web--r2,web--r3 [80 443]")
	})
}

func TestAGateWithAFormerNameServesUntilItsCallersHaveLeft(t *testing.T) {
	const both, one = "back,back--r1,web,web--r1 [80 443]", "back,back--r1,web--r1 [80 443]"
	withGates(t, func(r *gateRun) {
		back := swapped("back", "r1")
		r.table(swapped("web", "r1"), back)
		if drains(r.served[80][0]) {
			t.Error("callers are told to go without a reason")
		}
		call := r.connect(0, 80)
		r.table(back)
		r.open("without web", both+"; "+one)
		if !drains(r.served[80][0]) || drains(r.served[80][1]) {
			t.Error("callers of the former gate, and of that alone, are not told to go")
		}
		time.Sleep(time.Minute)
		next := r.connect(0, 443) // the engine's DNS still has it
		call.Close()
		time.Sleep(time.Minute)
		r.open("while somebody is connected", both+"; "+one)
		next.Close()
		time.Sleep(quiet)
		r.open("then", one)
	})
	withGates(t, func(r *gateRun) {
		back := swapped("back", "r1")
		r.table(swapped("web", "r1"), back)
		r.connect(0, 80)
		r.table(back)
		time.Sleep(drainTime - r.gates.settle - time.Second)
		r.open("just before Envoy would close", both+"; "+one)
		time.Sleep(time.Second)
		<-r.served[80][0].spec.Sever
		r.open("while it says goodbye", both+"; "+one)
		time.Sleep(goodbye)
		r.open("after that", one)
		r.connect(0, 80)
		r.table()
		r.open("without apps", one)
	}) // whose end does not wait
}

func drains(s served) bool {
	select {
	case <-s.spec.Drain:
		return true
	default:
		return false
	}
}

func TestGatesThatShareANameAnswerAlike(t *testing.T) {
	withGates(t, func(r *gateRun) {
		back := swapped("back", "r1")
		db := ingress.App{Name: "db", Enabled: true, TargetPort: 5432}
		r.table(db, back)
		r.open("at first", "back,back--r1,db [80 443]")
		r.connect(0, 80)
		db.Transport = ingress.TransportTCP
		r.table(db, back)
		r.open("when db has become one of TCP", "back,back--r1,db [80 443 5432]; db [5432]; back,back--r1 [80 443]")
		if spec := r.served[5432][1].spec; spec.App != "db" || spec.Kind != ingress.TCP || !drains(r.served[5432][1]) {
			t.Errorf("the former gate serves the port as %+v", spec)
		}
		r.connect(0, 5432)
		db.ExposedPort = 5433
		r.table(db, back)
		r.open("another port needs no other gate", "back,back--r1,db [80 443 5432 5433]; db [5433]; back,back--r1 [80 443]")
		r.connect(1, 5433)
	})
}

func TestAnAppThatComesBackHasItsGateAtOnce(t *testing.T) {
	withGates(t, func(r *gateRun) {
		back := swapped("back", "r1")
		db := ingress.App{Name: "db", Enabled: true, TargetPort: 5432, Transport: ingress.TransportTCP}
		r.table(db, back)
		r.connect(0, 5432)
		r.table(back)
		r.open("without db", "db [5432]; back,back--r1 [80 443]")
		r.table(db, back)
		r.open("with db", "back,back--r1 [80 443]; db [5432]")
		r.connect(1, 5432)
	})
}
