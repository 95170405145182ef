package ingress

import (
	"strconv"
	"strings"
	"time"
)

// place chooses an endpoint, waiting for one if none is ready. avoid is a
// replica that has just failed the request.
func (x *exchange) place(avoid *replica) *answer {
	for {
		x.enter(x.target.rev)
		ep, why := x.acquire(avoid)
		if ep == nil && x.broken() {
			return answerUnhealthy.because("the circuit breaker has taken out every replica of revision " + x.target.rev.name)
		}
		if ep == nil {
			var a *answer
			if ep, why, a = x.hold(); a != nil {
				return a
			}
		}
		if ep != nil {
			x.ep, x.rec.Replica, x.rec.ReplicaWhy, x.rec.Upstream = ep, ep.name, why, ep.address
			return nil
		}
		x.table = x.g.table.Load()
		if a := x.findTarget(); a != nil {
			return a
		}
	}
}

func (x *exchange) acquire(avoid *replica) (*endpoint, Why) {
	if r := x.target.app.resiliency; r != nil && r.CircuitBreaker != nil {
		return x.target.rev.acquireHealthy(x.cookie(), avoid)
	}
	return x.target.rev.acquire(x.cookie(), avoid)
}

// enter counts the request in at a revision.
func (x *exchange) enter(rev *revision) {
	if x.counted == rev {
		return
	}
	x.leave()
	x.counted = rev
	rev.inflight.Add(1)
}

func (x *exchange) leave() {
	if x.counted != nil {
		x.counted.inflight.Add(-1)
		x.counted = nil
	}
}

// hold waits until a replica of the target is ready. It returns nothing at all
// when the request has to find its way again.
func (x *exchange) hold() (*endpoint, Why, *answer) {
	rev := x.target.rev
	byWeight := x.target.why == WhyWeight || x.target.why == WhyOnlyRevision
	w, err := rev.held.join(byWeight, x.g.opts.HeldRequests)
	if err != nil {
		return nil, "", answerHoldFull.because(strconv.Itoa(x.g.opts.HeldRequests) + " requests wait for revision " + rev.name + " already")
	}
	began := time.Now()
	defer func() { x.rec.Hold += time.Since(began) }()
	// Whatever happened between looking and joining woke others, not this one.
	if ep, why := rev.acquire("", nil); ep != nil {
		rev.held.leave(w)
		return ep, why, nil
	}
	if x.g.table.Load() != x.table {
		rev.held.leave(w)
		return nil, "", nil
	}
	x.askFor(rev, began)
	if x.body != nil && x.r.Header.Get("Expect") == "" {
		x.senders.Go(x.body.prefetch)
	}
	select {
	case p := <-w.placed:
		return p.ep, WhyHeld, nil
	case <-x.g.closing:
		rev.held.leave(w)
		return nil, "", answerShutdown.because("the edge is shut down")
	case <-x.ctx.Done():
		rev.held.leave(w)
		return nil, "", x.ended("waiting for a ready replica of revision " + rev.name)
	}
}

func (x *exchange) askFor(rev *revision, now time.Time) {
	if rev.activate(now) {
		x.g.opts.Activate(rev.app, rev.name)
	}
}

// cookie returns the value of the affinity cookie, if it counts here.
func (x *exchange) cookie() string {
	if !x.target.app.sticky {
		return ""
	}
	for _, line := range x.r.Header["Cookie"] {
		for part := range strings.SplitSeq(line, ";") {
			if v, ok := strings.CutPrefix(strings.Trim(part, " \t"), affinityCookie+"="); ok {
				return strings.Trim(v, `"`)
			}
		}
	}
	return ""
}
