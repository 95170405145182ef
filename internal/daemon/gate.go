package daemon

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

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

	wanted chan ingress.Table // the newest one; one slot
	kept   atomic.Bool        // the gates stay as they are
	settle time.Duration      // how long names wait that can

	open   map[string]net.Listener // used by run alone, by key
	names  []string                // used by run alone: of the gates of the newest table
	former []string                // used by run alone: hosts without a gate, newest last
}

// gate is one set of names and the ports they answer on. A name is in one gate
// only: the engine's DNS would send callers to any of several. Apps that have
// nothing but HTTP share one.
type gate struct {
	app   string // whose raw TCP ports these are; "" for the shared one
	names []string
	ports []int
	// silent are target ports. Azure exposes none of them by itself, and a
	// call of a port that is not exposed times out there.
	silent []int
}

func newGates(o Options, serve func(net.Listener, ingress.ListenSpec)) *gates {
	runtime, _ := o.Runtime.(container.Gate)
	return &gates{env: o.Environment, runtime: runtime, serve: serve, log: o.Log,
		wanted: make(chan ingress.Table, 1), settle: settle, open: map[string]net.Listener{}}
}

// keep leaves the gates as they are from now on: while everything is removed, one
// app after the other, those that drain still call each other.
func (g *gates) keep() { g.kept.Store(true) }

// set says which apps there are. It never blocks.
func (g *gates) set(t ingress.Table) {
	if g.kept.Load() {
		return
	}
	select {
	case <-g.wanted: // an older table nobody has seen yet
	default:
	}
	g.wanted <- t
}

// gatesOf are the gates of an environment where somebody can be called. The
// engine's DNS has no wildcards, as Azure's has for the domain; so the shared
// gate has, beside what answers, the hosts callers are likely to try: those of
// apps without ingress or with the other kind of it, and former ones. The edge
// answers them with the 404 page.
func gatesOf(t ingress.Table, former []string) []gate {
	if len(t.Routes) == 0 && !slices.ContainsFunc(t.Apps, func(a ingress.App) bool { return a.Enabled }) {
		return nil
	}
	web := gate{names: slices.Clone(former), ports: []int{80, 443}}
	var out []gate
	for _, a := range t.Apps {
		web.names = append(web.names, bothHosts(a, t.Domain)...)
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
	for _, own := range out {
		web.names = slices.DeleteFunc(web.names, func(n string) bool { return slices.Contains(own.names, n) })
	}
	slices.Sort(web.names)
	web.names = slices.Compact(web.names)
	out = append(out, web)
	silent := targetPorts(t)
	for i := range out {
		out[i].silent = slices.DeleteFunc(slices.Clone(silent), func(p int) bool { return slices.Contains(out[i].ports, p) })
	}
	return out
}

// targetPorts are the ports that containers listen on, as far as the
// definitions say, and those of the edge, which a TCP app does not have. One
// gate has many apps, so they are those of all.
func targetPorts(t ingress.Table) []int {
	ports := []int{80, 443}
	for _, a := range t.Apps {
		ports = append(ports, a.TargetPort)
		for _, m := range a.AdditionalPorts {
			ports = append(ports, m.TargetPort)
		}
	}
	slices.Sort(ports)
	ports = slices.Compact(ports)
	return slices.DeleteFunc(ports, func(p int) bool { return p == 0 })
}

// bothHosts are the hosts an app has with external ingress and with internal
// one.
func bothHosts(a ingress.App, domain string) []string {
	external, internal := a, a
	external.External, internal.External = true, false
	return []string{external.Host(domain), internal.Host(domain)}
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

func (g gate) key() string { return fmt.Sprint(g.app, g.names, g.ports, g.silent) }

// settle is how long names wait for their gate by which nobody is likely to
// call at once: those of new revisions and labels, and all of an app that is
// alone. Making a gate takes as much of the machine as starting a replica, which
// is what goes on when such names come up.
const settle = 5 * time.Second

// run keeps the wanted gates open: new ones before those they replace are
// closed, so no call falls between two.
func (g *gates) run(ctx context.Context) {
	var (
		table ingress.Table
		apps  string // what of the open gates cannot wait
		due   <-chan time.Time
	)
	for {
		select {
		case table = <-g.wanted:
			g.remember(table)
			now := urgent(table)
			if now == apps && gatesOf(table, nil) != nil {
				if due == nil {
					due = time.After(g.settle)
				}
				continue
			}
			apps = now
		case <-due:
		case <-ctx.Done():
			g.change(ctx, nil)
			return
		}
		due = nil
		g.change(ctx, gatesOf(table, g.former))
	}
}

// urgent tells apart the tables whose gates must not wait: they differ in what
// one app calls another by.
func urgent(t ingress.Table) string {
	if len(t.Apps)+len(t.Routes) < 2 {
		return ""
	}
	t.Apps = slices.Clone(t.Apps)
	for i := range t.Apps {
		t.Apps[i].Revisions, t.Apps[i].Labels = nil, nil
	}
	return fmt.Sprint(gatesOf(t, nil))
}

// maxFormer is how many former hosts still lead to the edge: as many as an app
// keeps inactive revisions.
const maxFormer = 100

// remember keeps the hosts that the table has no more: of revisions, labels and
// apps that are gone. Short names go with their app, as on Azure.
func (g *gates) remember(t ingress.Table) {
	var names []string
	for _, w := range gatesOf(t, nil) {
		names = append(names, w.names...)
	}
	has := func(name string) bool { return slices.Contains(names, name) }
	g.former = slices.DeleteFunc(g.former, has)
	for _, name := range g.names {
		if strings.HasSuffix(name, "."+t.Domain) && !has(name) {
			g.former = append(g.former, name)
		}
	}
	g.former = g.former[max(0, len(g.former)-maxFormer):]
	g.names = names
}

func (g *gates) change(ctx context.Context, wanted []gate) {
	keep := map[string]bool{}
	for _, w := range wanted {
		keep[w.key()] = true
		if g.open[w.key()] == nil {
			if l := g.openOne(ctx, w); l != nil {
				g.open[w.key()] = l
			}
		}
	}
	for key, l := range g.open {
		if !keep[key] {
			_ = l.Close() // nobody may call there any more
			delete(g.open, key)
		}
	}
}

func (g *gates) openOne(ctx context.Context, w gate) net.Listener {
	if g.runtime == nil {
		return nil
	}
	l, err := g.runtime.OpenGate(ctx, container.GateSpec{Env: g.env, Names: w.names, Ports: w.ports, Silent: w.silent})
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
