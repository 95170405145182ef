package daemon

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container"
)

// gates bring calls from app to app by name to the edge: "http://web",
// "https://web.internal.<domain>", "db:5432" lead here from every replica, and
// are answered as the helper proxy in a caller's replica on ACA answers them.
type gates struct {
	env     string
	runtime container.Gate // nil when the container engine has none
	serve   func(net.Listener, ingress.ListenSpec)
	log     zerolog.Logger

	wanted chan []gate // the newest set of gates; one slot
}

// gate is one set of names and the ports they answer on. A name is in one gate
// only: the engine's DNS would send callers to any of several. Apps that have
// nothing but HTTP share one.
type gate struct {
	app   string // whose raw TCP ports these are; "" for the shared one
	names []string
	ports []int
}

func newGates(o Options, serve func(net.Listener, ingress.ListenSpec)) *gates {
	runtime, _ := o.Runtime.(container.Gate)
	return &gates{env: o.Environment, runtime: runtime, serve: serve, log: o.Log, wanted: make(chan []gate, 1)}
}

// set says which apps there are. It never blocks.
func (g *gates) set(t ingress.Table) {
	select {
	case <-g.wanted: // an older set nobody has seen yet
	default:
	}
	g.wanted <- gatesOf(t)
}

// gatesOf are the gates of an environment. A single app has nobody to call but
// route configs.
func gatesOf(t ingress.Table) []gate {
	if len(t.Apps) < 2 && len(t.Routes) == 0 {
		return nil
	}
	web := gate{ports: []int{80, 443}}
	var out []gate
	for _, a := range t.Apps {
		switch raw := rawPorts(a); {
		case !a.Enabled:
		case a.Transport == ingress.TransportTCP:
			out = append(out, gate{app: a.Name, names: tcpNames(a, t.Domain), ports: raw})
		case len(raw) > 0:
			out = append(out, gate{app: a.Name, names: namesOf(a, t.Domain), ports: append([]int{80, 443}, raw...)})
		default:
			web.names = append(web.names, namesOf(a, t.Domain)...)
		}
	}
	for _, rc := range t.Routes {
		web.names = append(web.names, rc.Name+"."+t.Domain)
	}
	if len(web.names) > 0 {
		slices.Sort(web.names)
		out = append(out, web)
	}
	return out
}

// namesOf are the short name of an app and the hosts of it, its revisions and
// its labels.
func namesOf(a ingress.App, domain string) []string {
	names := []string{a.Name, a.Host(domain)}
	add := func(name string) {
		of := a
		of.Name = name
		names = append(names, of.Host(domain))
	}
	for _, rev := range a.Revisions {
		add(rev.Name)
	}
	for _, label := range a.Labels {
		add(a.Name + "---" + label.Name)
	}
	return names
}

// tcpNames are the names of an app with TCP transport. The host of an internal
// one does not work on Azure either: its callers use the short name
// (https://learn.microsoft.com/azure/container-apps/ingress-overview).
func tcpNames(a ingress.App, domain string) []string {
	if !a.External {
		return []string{a.Name}
	}
	return []string{a.Name, a.Host(domain)}
}

// rawPorts are the raw TCP ports of an app inside the environment.
func rawPorts(a ingress.App) []int {
	var ports []int
	if a.Transport == ingress.TransportTCP {
		ports = append(ports, cmp.Or(a.ExposedPort, a.TargetPort))
	}
	for _, m := range a.AdditionalPorts {
		ports = append(ports, cmp.Or(m.ExposedPort, m.TargetPort))
	}
	return ports
}

func (g gate) key() string { return fmt.Sprint(g.app, g.names, g.ports) }

// run keeps the wanted gates open: new ones before those they replace are
// closed, so no call falls between two.
func (g *gates) run(ctx context.Context) {
	open := map[string]net.Listener{}
	for {
		select {
		case wanted := <-g.wanted:
			g.change(ctx, open, wanted)
		case <-ctx.Done():
			g.change(ctx, open, nil)
			return
		}
	}
}

func (g *gates) change(ctx context.Context, open map[string]net.Listener, wanted []gate) {
	keep := map[string]bool{}
	for _, w := range wanted {
		keep[w.key()] = true
		if open[w.key()] == nil {
			if l := g.open(ctx, w); l != nil {
				open[w.key()] = l
			}
		}
	}
	for key, l := range open {
		if !keep[key] {
			_ = l.Close() // nobody may call there any more
			delete(open, key)
		}
	}
}

func (g *gates) open(ctx context.Context, w gate) net.Listener {
	if g.runtime == nil {
		return nil
	}
	l, err := g.runtime.OpenGate(ctx, container.GateSpec{Env: g.env, Names: w.names, Ports: w.ports})
	if err != nil {
		if ctx.Err() == nil {
			g.log.Error().Err(err).Strs("names", w.names).Msg("apps cannot call each other by name")
		}
		return nil
	}
	byPort := splitByPort(l, w.ports)
	for port, part := range byPort {
		g.serve(part, w.spec(port))
	}
	return l
}

// spec is how the edge serves one port of a gate.
func (g gate) spec(port int) ingress.ListenSpec {
	switch {
	case port == 80:
		return ingress.ListenSpec{Kind: ingress.HTTP, Inside: true, HTTPSPort: 443}
	case port == 443:
		return ingress.ListenSpec{Kind: ingress.HTTPS, Inside: true}
	}
	return ingress.ListenSpec{Kind: ingress.TCP, App: g.app, Port: port, Inside: true}
}

// splitByPort gives each port of a gate a listener of its own. They end with
// the gate.
func splitByPort(l net.Listener, ports []int) map[int]net.Listener {
	out := map[int]net.Listener{}
	parts := map[int]*portListener{}
	for _, port := range ports {
		parts[port] = &portListener{addr: l.Addr(), conns: make(chan net.Conn), closed: make(chan struct{})}
		out[port] = parts[port]
	}
	go func() { // ends when the gate is closed
		defer func() {
			for _, p := range parts {
				_ = p.Close() // never fails
			}
		}()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if p := parts[localPort(c)]; p == nil || !p.give(c) {
				_ = c.Close() // nobody serves that port
			}
		}
	}()
	return out
}

func localPort(c net.Conn) int {
	if addr, ok := c.LocalAddr().(*net.TCPAddr); ok {
		return addr.Port
	}
	return 0
}

// portListener is the part of a gate that belongs to one port.
type portListener struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *portListener) give(c net.Conn) bool {
	select {
	case p.conns <- c:
		return true
	case <-p.closed:
		return false
	}
}

// Accept waits for the next connection to the port.
func (p *portListener) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close ends this part alone; connections to its port are then closed.
func (p *portListener) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr is the address of the gate.
func (p *portListener) Addr() net.Addr { return p.addr }
