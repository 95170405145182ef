package ingress

import (
	"cmp"
	"net/netip"
	"sync/atomic"
	"time"
)

// routing is a Table in the form requests need it. It is immutable.
type routing struct {
	generation  uint64
	domain      string
	hosts       map[string]*host // by host name, lower case, without port
	apps        map[string]*host // by app name: the app's own host
	unbound     map[string]bool  // custom domains without a certificate
	ports       map[portKey]*tcpPort
	revisions   map[string]target // by app and revision name
	idle        time.Duration     // zero: as configured
	headerLimit int
}

// host is what a host name stands for.
type host struct {
	internal bool // answers callers inside the environment only
	target   target
	rules    []routeRule // of a route config
}

// app is the policies of an app, compiled.
type app struct {
	name          string
	http2         bool
	allowInsecure bool
	sticky        bool
	certificate   CertificateMode
	cors          *corsPolicy
	resiliency    *Resiliency
	allow, deny   []netip.Prefix
}

// memory is what outlives tables. It is guarded by Ingress.mu.
type memory struct {
	revisions map[string]*revision
	replicas  map[string]*replica
	sequences map[string]*atomic.Uint64 // of splits, by app or rule
}

// compiler turns one Table into a routing, reusing what outlives it.
type compiler struct {
	g     *Ingress
	table Table
	out   *routing
	sets  map[*revision]*endpointSet
	drawn map[*revision]bool // has a share of its app's traffic
	named map[string]bool    // replicas of this table

	policies map[string]*app // by app name
}

func (g *Ingress) compile(t Table) *compiler {
	c := &compiler{
		g: g, table: t,
		out: &routing{
			generation: t.Generation, domain: t.Domain,
			hosts: map[string]*host{}, apps: map[string]*host{}, unbound: map[string]bool{}, ports: map[portKey]*tcpPort{},
			revisions: map[string]target{},
			idle:      g.opts.scale(t.IdleTimeout), headerLimit: cmp.Or(t.HeaderCountLimit, defaultHeaderCount),
		},
		sets: map[*revision]*endpointSet{}, drawn: map[*revision]bool{}, named: map[string]bool{},
		policies: map[string]*app{},
	}
	for _, a := range t.Apps {
		c.app(a)
	}
	for _, rc := range t.Routes {
		c.routeConfig(rc)
	}
	return c
}

func (c *compiler) app(a App) {
	own := &host{internal: !a.External}
	c.out.apps[a.Name] = own
	c.policies[a.Name] = compileApp(a)
	own.target = c.appTarget(a)
	c.out.hosts[a.Host(c.table.Domain)] = own
	c.customDomains(a.CustomDomains, own)
	for _, r := range a.Revisions {
		t := c.revisionTarget(a, r.Name, WhyRevision)
		c.out.revisions[a.Name+"/"+r.Name] = t
		c.subHost(own, a, r.Name, t)
	}
	for _, l := range a.Labels {
		c.subHost(own, a, a.Name+"---"+l.Name, c.labelTarget(a, l))
	}
	c.ports(a)
}

// customDomains adds further hosts of an app or a route config.
func (c *compiler) customDomains(domains []CustomDomain, own *host) {
	for _, d := range domains {
		c.out.hosts[d.Name] = own
		if d.Disabled {
			c.out.unbound[d.Name] = true
		}
	}
}

// subHost adds the host of a revision or label of an app.
func (c *compiler) subHost(own *host, a App, name string, t target) {
	if !a.serves() {
		t = own.target
	}
	sub := App{Name: name, External: a.External}
	c.out.hosts[sub.Host(c.table.Domain)] = &host{internal: own.internal, target: t}
}

func (c *compiler) appTarget(a App) target {
	for _, r := range a.Revisions {
		c.endpoints(a, r)
	}
	pol := c.policies[a.Name]
	switch {
	case !a.Enabled:
		return target{app: pol, missing: "app " + a.Name + " has no ingress"}
	case a.Stopped:
		return target{app: pol, missing: "app " + a.Name + " is stopped"}
	case len(a.Split) == 0:
		return target{app: pol, missing: "app " + a.Name + " has no active revision"}
	}
	s := newSplit(c.g.sequence(a.Name))
	for _, w := range a.Split {
		t := c.revisionTarget(a, w.Revision, WhyWeight)
		if w.Weight == 100 {
			t.why = WhyOnlyRevision
		}
		s.add(w.Weight, t)
		if t.rev != nil && w.Weight > 0 {
			c.drawn[t.rev] = true
		}
	}
	return target{app: pol, split: s}
}

func (c *compiler) labelTarget(a App, l Label) target {
	return c.revisionTarget(a, l.Revision, WhyLabel)
}

func (c *compiler) revisionTarget(a App, name string, why Why) target {
	for _, r := range a.Revisions {
		if r.Name == name {
			return target{app: c.policies[a.Name], rev: c.g.memory.revision(a.Name, name), why: why}
		}
	}
	return target{app: c.policies[a.Name], missing: "revision " + name + " is not active"}
}

// endpoints compiles the ready endpoints of a revision, keeping those that
// have not changed with their connections.
func (c *compiler) endpoints(a App, r Revision) {
	rev := c.g.memory.revision(a.Name, r.Name)
	old := map[string]*endpoint{}
	for _, e := range rev.set.Load().list {
		old[e.name] = e
	}
	kind := upstreamKind{http2: a.transport() == TransportHTTP2, tls: a.UpstreamTLS}
	var list []*endpoint
	for _, spec := range r.Endpoints {
		c.named[spec.Replica] = true
		e := old[spec.Replica]
		if e == nil || e.spec != spec || e.up.kind() != kind || e.gone.Load() {
			e = &endpoint{replica: c.g.replica(spec.Replica), spec: spec, address: spec.address(), up: c.g.newUpstream(kind, spec)}
		}
		list = append(list, e)
	}
	c.sets[rev] = newEndpointSet(list)
}

func compileApp(a App) *app {
	out := &app{
		name:          a.Name,
		http2:         a.transport() == TransportHTTP2,
		allowInsecure: a.AllowInsecure,
		sticky:        a.Sticky,
		certificate:   a.certificateMode(),
		cors:          compileCORS(a.CORS),
		resiliency:    a.Resiliency,
	}
	for _, r := range a.IPRules {
		p, err := parseRange(r.Range)
		if err != nil {
			panic("bug: table was not validated: " + err.Error())
		}
		if r.Action == IPAllow {
			out.allow = append(out.allow, p)
		} else {
			out.deny = append(out.deny, p)
		}
	}
	return out
}

// serves reports whether the app answers at all.
func (a App) serves() bool { return a.Enabled && !a.Stopped }

// revision returns the long-lived object of a revision, making it if needed.
func (m *memory) revision(app, name string) *revision {
	key := app + "/" + name
	r := m.revisions[key]
	if r == nil {
		r = newRevision(app, name)
		m.revisions[key] = r
	}
	return r
}

// sequence returns the draw sequence of a split, starting anywhere.
func (g *Ingress) sequence(key string) *atomic.Uint64 {
	s := g.memory.sequences[key]
	if s == nil {
		s = new(atomic.Uint64)
		start, _ := g.random()
		s.Store(start)
		g.memory.sequences[key] = s
	}
	return s
}

// replica returns the long-lived object of a replica, ready to be named by a
// table again.
func (g *Ingress) replica(name string) *replica {
	r := g.memory.replicas[name]
	if r == nil {
		r = &replica{name: name, cookie: affinity(g.seed, name), tunnels: map[*tunnel]struct{}{}}
		g.memory.replicas[name] = r
	}
	r.gone.Store(false)
	return r
}
