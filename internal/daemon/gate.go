package daemon

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
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

	wanted  chan wantedTable // the newest one; one slot
	asked   atomic.Uint64    // tables so far
	handled progress         // those of them whose urgent names have their gates, as far as these can be made
	kept    atomic.Bool      // the gates stay as they are
	settle  time.Duration    // how long names wait that can

	left chan struct{} // the last caller has left a retired gate; one slot

	open    []*openGate // used by run alone, as all that follows
	retired []*openGate
	names   []string // of the gates of the newest table
	former  []string // hosts without a gate, newest last
}

// wantedTable is a routing table and how many there were with it.
type wantedTable struct {
	ingress.Table
	number uint64
}

// gate is one set of names and the ports they answer on. Apps that have nothing
// but HTTP share one. Its names may be those of several open gates.
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
		wanted: make(chan wantedTable, 1), settle: settle, left: make(chan struct{}, 1)}
}

// keep leaves the gates as they are from now on: while everything is removed, one
// app after the other, those that drain still call each other.
func (g *gates) keep() {
	g.kept.Store(true)
	g.handled.end()
}

// set says which apps there are. It never blocks, and is called by one at a
// time.
func (g *gates) set(t ingress.Table) {
	if g.kept.Load() {
		return
	}
	select {
	case <-g.wanted: // an older table nobody has seen yet
	default:
	}
	g.wanted <- wantedTable{t, g.asked.Add(1)}
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

// settle is how long names wait for their gate by which nobody is likely to
// call at once: those of new revisions and labels, and all of an app that is
// alone. Making a gate takes as much of the machine as starting a replica, which
// is what goes on when such names come up.
const settle = 5 * time.Second

// again is how long a gate that could not be made waits for the next attempt.
const again = 5 * time.Second

// run keeps the wanted gates open: new ones before those they replace are
// retired, so no call falls between two.
func (g *gates) run(ctx context.Context) {
	var (
		table wantedTable
		apps  string // what of the open gates cannot wait
		due   <-chan time.Time
		swept <-chan time.Time // when a retired gate may be closed
	)
	defer g.closeAll()
	for {
		select {
		case table = <-g.wanted:
			g.remember(table.Table)
			now := urgent(table.Table)
			if now == apps && gatesOf(table.Table, nil) != nil {
				if due == nil {
					due = time.After(g.settle)
				}
				g.handled.reach(table.number)
				continue
			}
			apps = now
		case <-due:
		case <-g.left:
			swept = g.sweep()
			continue
		case <-swept:
			swept = g.sweep()
			continue
		case <-ctx.Done():
			return
		}
		due = nil
		if !g.change(ctx, table.Table) {
			due = time.After(again)
		}
		g.handled.reach(table.number)
		swept = g.sweep()
	}
}

// urgent tells apart the tables whose gates must not wait: they differ in what
// one app calls another by.
func urgent(t ingress.Table) string {
	if len(t.Apps)+len(t.Routes) < 2 {
		return ""
	}
	return fmt.Sprint(gatesOf(withoutRevisions(t), nil))
}

// withoutRevisions is the table with nothing but what apps call each other by.
func withoutRevisions(t ingress.Table) ingress.Table {
	t.Apps = slices.Clone(t.Apps)
	for i := range t.Apps {
		t.Apps[i].Revisions, t.Apps[i].Labels = nil, nil
	}
	return t
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

// change makes the open gates those of the table. New names get one more gate
// beside those that are open: to replace a gate would move calls by all of its
// names to another address, which some callers ask for only once. It reports
// whether every name has a gate now.
func (g *gates) change(ctx context.Context, t ingress.Table) (complete bool) {
	wanted := gatesOf(t, g.former)
	var lasting []string // names that do not come and go with revisions
	for _, w := range gatesOf(withoutRevisions(t), nil) {
		lasting = append(lasting, w.names...)
	}
	var replaced []*openGate
	g.open = slices.DeleteFunc(g.open, func(o *openGate) bool {
		misleads := o.misleads(wanted)
		if misleads {
			replaced = append(replaced, o)
		}
		return misleads
	})
	complete = true
	for _, w := range wanted {
		old, ok := g.complete(ctx, w, lasting)
		replaced = append(replaced, old...)
		complete = complete && ok
	}
	for _, o := range replaced {
		o.retire()
	}
	g.retired = append(g.retired, replaced...)
	for _, o := range g.retired {
		g.follow(ctx, o, wanted)
	}
	return complete
}

// complete opens a gate for the names of w that no open one has. It takes along
// those of a gate that has no lasting name, so that there is at most one such,
// and returns that gate. It is not ok when the gate cannot be made.
func (g *gates) complete(ctx context.Context, w gate, lasting []string) (replaced []*openGate, ok bool) {
	names, missing := w.names, w.names
	for _, o := range g.open {
		if o.app != w.app {
			continue
		}
		g.answer(ctx, o, w)
		missing = without(missing, o.names)
		if containsAny(o.names, lasting) {
			names = without(names, o.names)
		} else {
			replaced = append(replaced, o)
		}
	}
	if len(missing) == 0 || g.runtime == nil {
		return nil, true
	}
	w.names = names
	o := g.openOne(ctx, w)
	if o == nil {
		return nil, false
	}
	g.open = slices.DeleteFunc(g.open, func(o *openGate) bool { return slices.Contains(replaced, o) })
	g.open = append(g.open, o)
	return replaced, true
}

// answer changes the ports of an open gate to those of w.
func (g *gates) answer(ctx context.Context, o *openGate, w gate) {
	if slices.Equal(o.ports, w.ports) && slices.Equal(o.silent, w.silent) {
		return
	}
	for _, port := range w.ports {
		g.servePort(o, port, w)
	}
	o.ports, o.silent = w.ports, w.silent
	if err := o.listener.Answer(ctx, o.ports, o.silent); err != nil && ctx.Err() == nil {
		g.log.Error().Err(err).Strs("names", o.names).Msg("new ports of apps do not answer by name")
	}
}

// follow lets a retired gate answer on the ports that its names have by now:
// as long as it is there, the engine's DNS sends callers to it, too.
func (g *gates) follow(ctx context.Context, o *openGate, wanted []gate) {
	now := gate{ports: o.ports}
	for _, w := range wanted {
		if !containsAny(w.names, o.names) {
			continue
		}
		for _, port := range without(w.ports, now.ports) {
			g.servePort(o, port, w)
			now.ports = append(slices.Clip(now.ports), port)
		}
	}
	now.silent = without(o.silent, now.ports)
	g.answer(ctx, o, now)
}

// Bounds of a retired gate: quiet is how long nobody is connected through it
// before it goes, for those who have just asked for its address; drainTime is
// how long it stays at most, the time Envoy gives the connections of a listener
// that was removed (--drain-time-s), and goodbye what it takes to end those.
const (
	quiet     = time.Second
	drainTime = 10 * time.Minute
	goodbye   = time.Second
)

// sweep closes the retired gates that are due, and returns when the next one
// is unless somebody leaves before.
func (g *gates) sweep() <-chan time.Time {
	next := drainTime
	g.retired = slices.DeleteFunc(g.retired, func(o *openGate) bool {
		wait := o.due(time.Now())
		if wait <= 0 && o.sever() {
			wait = goodbye
		}
		if wait <= 0 {
			g.close(o)
			return true
		}
		next = min(next, wait)
		return false
	})
	if len(g.retired) == 0 {
		return nil
	}
	return time.After(next)
}

func (g *gates) closeAll() {
	for _, o := range slices.Concat(g.open, g.retired) {
		g.close(o)
	}
	g.open, g.retired = nil, nil
}

func (g *gates) close(o *openGate) {
	if err := o.listener.Close(); err != nil {
		g.log.Warn().Err(err).Strs("names", o.names).Msg("a gate stays behind: some calls by name are refused")
	}
}

func (g *gates) openOne(ctx context.Context, w gate) *openGate {
	// One that has retired with the same names has the same container.
	g.retired = slices.DeleteFunc(g.retired, func(o *openGate) bool {
		twin := o.app == w.app && slices.Equal(o.names, w.names)
		if twin {
			g.close(o)
		}
		return twin
	})
	l, err := g.runtime.OpenGate(ctx, container.GateSpec{Env: g.env, Names: w.names, Ports: w.ports, Silent: w.silent})
	if err != nil {
		if ctx.Err() == nil {
			g.log.Error().Err(err).Strs("names", w.names).Msg("apps cannot call each other by name")
		}
		return nil
	}
	o := newOpenGate(w, l, func() {
		select {
		case g.left <- struct{}{}:
		default: // somebody has said so already
		}
	})
	for _, port := range w.ports {
		g.servePort(o, port, w)
	}
	go o.accept()
	return o
}

// servePort makes the edge serve one port of a gate as w has it, if it does
// not serve that port yet.
func (g *gates) servePort(o *openGate, port int, w gate) {
	if part := o.port(port); part != nil {
		spec := w.spec(port)
		spec.Drain, spec.Sever = o.leaves, o.severed
		g.serve(part, spec)
	}
}

// containsAny reports whether one of the names is among others.
func containsAny(names, others []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(others, name) })
}

// without returns what of list is not in others.
func without[T comparable](list, others []T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(e T) bool { return slices.Contains(others, e) })
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
