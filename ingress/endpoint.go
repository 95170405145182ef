package ingress

import (
	"hash/maphash"
	"strconv"
	"sync"
	"sync/atomic"
)

// replica is what the edge knows of one replica for as long as it knows it:
// the requests in flight towards it. Tables come and go, a replica stays the
// same object, so nothing in flight is forgotten by a swap.
type replica struct {
	name     string
	cookie   string // value of the affinity cookie that leads here
	inflight atomic.Int64
	gone     atomic.Bool // left the table
	breaker  breaker

	mu      sync.Mutex
	drains  []chan struct{}      // guarded by mu; closed when gone and idle
	tunnels map[*tunnel]struct{} // guarded by mu; upgraded and raw connections
}

// acquire counts a request in, unless the replica has left the table.
//
// Counting comes before looking: retire looks at the count after it has set
// gone, so one of the two always sees the other, and a drain can not end
// between a pick and its request.
func (r *replica) acquire() bool {
	r.inflight.Add(1)
	if r.gone.Load() {
		r.release()
		return false
	}
	return true
}

// release counts a request out.
func (r *replica) release() {
	if r.inflight.Add(-1) == 0 && r.gone.Load() {
		r.settle()
	}
}

// retire says that the table does not name the replica any more.
func (r *replica) retire() {
	r.gone.Store(true)
	r.settle()
}

// settle ends the waiting for a replica that has left and is idle.
func (r *replica) settle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.idleLocked() {
		return
	}
	for _, done := range r.drains {
		close(done)
	}
	r.drains = nil
}

// drained returns a channel that is closed once the replica has left the table
// and nothing is in flight towards it.
func (r *replica) drained() <-chan struct{} {
	done := make(chan struct{})
	r.mu.Lock()
	r.drains = append(r.drains, done)
	r.mu.Unlock()
	r.settle()
	return done
}

func (r *replica) idle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.idleLocked()
}

func (r *replica) idleLocked() bool { return r.gone.Load() && r.inflight.Load() == 0 }

// affinity returns the value of the cookie that leads to the named replica: 16
// hexadecimal digits, as captured on Azure.
func affinity(seed maphash.Seed, name string) string {
	s := strconv.FormatUint(maphash.String(seed, name), 16)
	return "0000000000000000"[len(s):] + s
}

// endpoint is a replica at one port, with one protocol. It is immutable; a
// table that changes port or protocol gets a new endpoint of the same replica.
type endpoint struct {
	*replica
	spec    Endpoint
	address string // spec.address()
	up      upstream
}

// endpointSet is the ready endpoints of a revision at one moment. It is
// immutable but for the turn.
type endpointSet struct {
	list     []*endpoint
	byCookie map[string]*endpoint
	turn     atomic.Uint32
}

func newEndpointSet(list []*endpoint) *endpointSet {
	s := &endpointSet{list: list, byCookie: make(map[string]*endpoint, len(list))}
	for _, e := range list {
		s.byCookie[e.cookie] = e
	}
	return s
}

// pick chooses the less busy of two candidates, or of all but avoid when there
// is another. It returns nil for an empty set.
func (s *endpointSet) pick(avoid *replica) *endpoint {
	n := uint32(len(s.list))
	switch n {
	case 0:
		return nil
	case 1:
		return s.list[0]
	}
	turn := s.turn.Add(1)
	first := s.list[turn%n]
	second := s.list[(turn+1+(turn/n)%(n-1))%n]
	if first.replica == avoid {
		return second
	}
	if second.replica != avoid && second.inflight.Load() < first.inflight.Load() {
		return second
	}
	return first
}
