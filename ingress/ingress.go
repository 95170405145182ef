package ingress

import (
	"context"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Ingress is the edge of one environment. Its methods may be called
// concurrently.
type Ingress struct {
	opts    Options
	seed    maphash.Seed
	table   atomic.Pointer[routing]
	records *ring

	captures captures

	connections atomic.Uint64 // accepted so far
	parkAfter   time.Duration // parkAfter, but for tests

	ready      chan struct{} // closed by the first Apply
	firstTable sync.Once
	closing    chan struct{} // closed by Shutdown

	randMu sync.Mutex
	rand   *rand.Rand // guarded by randMu

	mu        sync.Mutex
	memory    memory                 // guarded by mu
	listeners map[*listener]struct{} // guarded by mu
	tunnels   map[*tunnel]struct{}   // guarded by mu
	quiet     chan struct{}          // guarded by mu; closed by the last tunnel, if not nil
	closed    bool                   // guarded by mu
	serving   sync.WaitGroup         // of listeners and tunnels
}

// New returns an Ingress that knows no app yet: until the first Apply, requests
// are held as for an app with no ready replica.
func New(o Options) (*Ingress, error) {
	o = o.withDefaults()
	if o.TimeScale < 0 {
		return nil, fmt.Errorf("time scale %v is negative", o.TimeScale)
	}
	return &Ingress{
		opts:     o,
		seed:     maphash.MakeSeed(),
		records:  newRing(o.Records),
		captures: captures{limit: o.Capture, byID: map[uint64]*Captured{}},
		rand:     o.Rand,

		parkAfter: parkAfter,
		ready:     make(chan struct{}),
		closing:   make(chan struct{}),
		memory: memory{
			revisions: map[string]*revision{},
			replicas:  map[string]*replica{},
			sequences: map[string]*atomic.Uint64{},
		},
		listeners: map[*listener]struct{}{},
		tunnels:   map[*tunnel]struct{}{},
	}, nil
}

// Apply publishes a table and returns its generation. New requests use it at
// once; requests that wait for a replica are placed, or find their way again
// when their revision has lost its traffic. A table that does not pass
// Validate is refused, and the old one stays.
func (g *Ingress) Apply(t Table) (uint64, error) {
	if err := t.Validate(); err != nil {
		return 0, fmt.Errorf("apply table %d: %w", t.Generation, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.compile(t)
	g.table.Store(c.out)
	g.publishLocked(c)
	return t.Generation, nil
}

// publishLocked moves the long-lived objects over to a compiled table. The
// order matters: sets first, so that no new request meets a replica that has
// left, then the leaving are told.
func (g *Ingress) publishLocked(c *compiler) {
	var dropped []*endpoint
	for key, rev := range g.memory.revisions {
		set, active := c.sets[rev]
		if !active {
			delete(g.memory.revisions, key)
			set = newEndpointSet(nil)
		}
		dropped = append(dropped, missing(rev.set.Load(), set)...)
		rev.publish(set)
		if !active || !c.drawn[rev] {
			rev.held.reroute(!active)
		}
	}
	for name, r := range g.memory.replicas {
		if !c.named[name] {
			r.retire()
			if r.idle() {
				delete(g.memory.replicas, name)
			}
		}
	}
	for _, e := range dropped {
		e.up.close()
	}
	g.firstTable.Do(func() { close(g.ready) })
}

// missing returns the endpoints of old that are not in the new set.
func missing(old, now *endpointSet) []*endpoint {
	kept := map[*endpoint]bool{}
	for _, e := range now.list {
		kept[e] = true
	}
	var out []*endpoint
	for _, e := range old.list {
		if !kept[e] {
			out = append(out, e)
		}
	}
	return out
}

// Drain returns a channel that is closed once the named replica has left the
// table and no request or connection is in flight towards it. For a replica
// the ingress does not know, it is closed already.
func (g *Ingress) Drain(name string) <-chan struct{} {
	g.mu.Lock()
	r := g.memory.replicas[name]
	g.mu.Unlock()
	if r == nil {
		done := make(chan struct{})
		close(done)
		return done
	}
	return r.drained()
}

// Sever ends the upgraded and raw connections to a replica, whose end a drain
// would otherwise wait for as long as their clients like. Both sides of a
// WebSocket get a Close frame, 1001 "going away", between two frames of their
// own, and have half a second to answer it; a raw connection is closed. Sever
// does not wait for that. Requests and streams in flight end with the app.
func (g *Ingress) Sever(name string) {
	g.mu.Lock()
	r := g.memory.replicas[name]
	g.mu.Unlock()
	if r != nil {
		r.sever()
	}
}

// Shutdown stops listening, answers requests that wait for a replica with 503,
// lets those in flight end, and returns when all have; when ctx is done first, it closes what is left and returns the error
// of ctx.
func (g *Ingress) Shutdown(ctx context.Context) error {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.closing) // who waits for a replica waits in vain
	}
	open := make([]*listener, 0, len(g.listeners))
	for l := range g.listeners {
		open = append(open, l)
	}
	g.mu.Unlock()
	errs := make(chan error, len(open))
	for _, l := range open {
		go func() { errs <- l.shutdown(ctx) }()
	}
	var first error
	for range open {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	if err := g.awaitTunnels(ctx); err != nil && first == nil {
		first = err
	}
	g.serving.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, rev := range g.memory.revisions {
		for _, e := range rev.set.Load().list {
			e.up.close()
		}
	}
	return first
}

// random returns two random numbers.
func (g *Ingress) random() (hi, lo uint64) {
	g.randMu.Lock()
	defer g.randMu.Unlock()
	return g.rand.Uint64(), g.rand.Uint64()
}
