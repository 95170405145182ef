package core

import "time"

// progressDeadline is when a revision that is not ready becomes Degraded. It is
// not documented; captures say 261 to 277 s.
const progressDeadline = 270 * time.Second

func (TimerFired) apply(*State) {}

// publishTimer asks to be woken at the next moment something is due.
func (s *State) publishTimer() {
	next := time.Time{}
	due := func(t time.Time) {
		if t.After(s.now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, a := range s.apps {
		for _, rev := range a.revisions {
			if rev.active {
				due(rev.since.Add(s.scaled(progressDeadline)))
			}
			for _, r := range rev.replicas {
				r.deadlines(due)
			}
		}
	}
	for _, o := range s.orphans {
		due(o.retryAt)
	}
	if !next.Equal(s.timer) {
		s.timer = next
		s.emit(SetTimer{next})
	}
}

func (r *replica) deadlines(due func(time.Time)) {
	if r.leave == draining {
		due(r.drainBy)
	}
	due(r.nextScan)
	for _, m := range r.all() {
		due(m.retryAt)
		due(m.lookAt)
	}
}
