package ingress

import (
	"sync/atomic"
	"time"
)

// activateEvery is how often, at most, Activate is called for one revision.
const activateEvery = 100 * time.Millisecond

// revision is an active revision for as long as tables name it: its ready
// endpoints, the requests waiting for one, and its load.
//
// Readiness changes far more often than configuration, so the endpoints have a
// pointer of their own.
type revision struct {
	app, name string
	set       atomic.Pointer[endpointSet]
	held      holdQueue
	activated atomic.Int64 // when Activate was last called, Unix nanoseconds

	inflight atomic.Int64  // sent or waiting
	finished atomic.Uint64 // since the ingress started
}

func newRevision(app, name string) *revision {
	r := &revision{app: app, name: name}
	r.set.Store(newEndpointSet(nil))
	return r
}

// acquire chooses a ready endpoint and counts a request in. It returns nil
// when there is none. A cookie leads to its replica while that one is ready.
func (r *revision) acquire(cookie string, avoid *replica) (*endpoint, Why) {
	return r.acquireFrom(func(s *endpointSet) *endpointSet { return s }, cookie, avoid)
}

// acquireHealthy is acquire without what a circuit breaker has taken out.
func (r *revision) acquireHealthy(cookie string, avoid *replica) (*endpoint, Why) {
	return r.acquireFrom(func(s *endpointSet) *endpointSet { return s.healthy(time.Now()) }, cookie, avoid)
}

func (r *revision) acquireFrom(choose func(*endpointSet) *endpointSet, cookie string, avoid *replica) (*endpoint, Why) {
	for {
		s := choose(r.set.Load())
		e, why := s.byCookie[cookie], WhySticky
		if e == nil || e.replica == avoid {
			e, why = s.pick(avoid), WhyLeastBusy
			if len(s.list) == 1 {
				why = WhyOnlyReady
			}
		}
		if e == nil {
			return nil, ""
		}
		// A replica that left just now is not in the set any more: look again.
		if e.acquire() {
			return e, why
		}
	}
}

// publish replaces the ready endpoints and places whoever waited for one.
func (r *revision) publish(s *endpointSet) {
	r.set.Store(s)
	r.held.wake(func() *endpoint {
		e, _ := r.acquire("", nil)
		return e
	})
}

// activate reports whether it is time to say that somebody waits.
func (r *revision) activate(now time.Time) bool {
	last := r.activated.Load()
	if now.UnixNano()-last < int64(activateEvery) {
		return false
	}
	return r.activated.CompareAndSwap(last, now.UnixNano())
}
