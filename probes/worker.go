package probes

import (
	"context"
	"fmt"
	"time"
)

const (
	// tries is how often an attempt that could not be made is made again
	// within its tick, kubelet's maxProbeRetries.
	tries = 3
	// patience is how long after the timeout a Checker may still answer; it
	// covers the way into the replica and back.
	patience = 2 * time.Second
)

// worker runs one probe of one generation of a container. It owns its tracker
// and rhythm; nothing else touches them.
//
//	gate shut ──startup passed──▶ due ──▶ attempt ──▶ report? ──▶ next tick ─┐
//	                               ▲                     │                   │
//	                               └─────────────────────┼───────────────────┘
//	                                                     └─ startup decided, liveness failed: done
type worker struct {
	target  Target
	checker Checker
	report  func(Report)
	observe func(Report) // of every attempt, or nil
	gate    *gate
	tracker *Tracker
	attempt int
	nudge   chan struct{} // holds one token while an early attempt is wanted

	cancel  context.CancelFunc
	done    chan struct{} // closed when the worker has returned
	stopped bool          // owned by the worker set
}

// stop tells the worker to end; it does not wait.
func (w *worker) stop() {
	w.stopped = true
	w.cancel()
}

// returned says whether the worker has ended, by itself or because it was told.
func (w *worker) returned() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// run probes until ctx ends or there is no more to learn. before is closed when
// the worker it takes over from has returned: attempts of a Key never overlap.
func (w *worker) run(ctx context.Context, before <-chan struct{}) {
	defer close(w.done)
	if before != nil {
		<-before
	}
	if w.target.Kind != Startup && !w.gate.wait(ctx) {
		return
	}
	r := newRhythm(w.target, time.Now())
	due := r.first(time.Now())
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	for {
		begin, early := due, false
		select {
		case <-ctx.Done():
			return
		case <-w.nudge:
			begin = time.Now()
			early = begin.Before(due) // else it is the tick that is due, and counts
			if early && !w.wantsEarly(r, begin) {
				continue
			}
		case <-timer.C:
		}
		end, settled := w.tick(ctx, begin, early)
		if settled {
			return
		}
		due = r.next(begin, end)
		timer.Reset(time.Until(due))
	}
}

// wantsEarly says whether an attempt before its tick could tell anything: the
// container is old enough, and the probe waits for a success.
func (w *worker) wantsEarly(r rhythm, now time.Time) bool {
	if w.target.Kind == Liveness || w.tracker.State() == Passed {
		return false
	}
	return w.target.Eager || !now.Before(r.anchor.Add(r.delay))
}

// tick makes an attempt and says when it ended and whether the probe has
// nothing more to learn from this generation. An early attempt counts only when
// it succeeds: failures are those of the rhythm, so that their number and times
// are the platform's.
func (w *worker) tick(ctx context.Context, due time.Time, early bool) (end time.Time, settled bool) {
	res := w.try(ctx)
	if ctx.Err() != nil {
		return time.Time{}, true // the answer to a question no longer asked
	}
	if early && res.Outcome != Success {
		return time.Now(), false
	}
	w.attempt++
	run, edge := w.tracker.Observe(res.Outcome)
	r := Report{
		Target: w.target, At: time.Now(), Result: res,
		Run: run, Edge: edge, Attempt: w.attempt,
	}
	if w.observe != nil {
		w.observe(r)
	}
	if res.Outcome != Success || edge != None {
		w.report(r)
	}
	if w.target.Kind == Startup && edge == Passed {
		w.gate.open() // after the report, so that it is the first word of this container
	}
	return w.endOf(res, due, time.Now()), w.holds(edge)
}

// endOf returns when the attempt counts as ended. A timeout is over when its
// time is, not when we hear of it: with timeout equal to period the rows are
// one period apart. When we hear very late it is now, or ticks would be caught
// up.
func (w *worker) endOf(res Result, due, now time.Time) time.Time {
	if over := due.Add(w.target.Timeout); res.Timeout && now.Sub(over) < w.target.Period {
		return over
	}
	return now
}

// holds says whether the probe stops until the next generation after edge:
// startup once it is decided, liveness once it has failed.
func (w *worker) holds(edge Edge) bool {
	switch w.target.Kind {
	case Startup:
		return edge != None
	case Liveness:
		return edge == Failed
	}
	return false
}

// try makes the attempt, again at once when it could not be made.
func (w *worker) try(ctx context.Context) Result {
	var res Result
	for range tries {
		res = w.ask(ctx)
		if res.Outcome != Error || ctx.Err() != nil {
			break
		}
	}
	return res
}

// ask calls the checker. A checker that panics has not asked the container.
func (w *worker) ask(ctx context.Context) (res Result) {
	ctx, cancel := context.WithTimeout(ctx, w.target.Timeout+patience)
	defer cancel()
	begin := time.Now()
	defer func() {
		if p := recover(); p != nil {
			res = Result{Outcome: Error, Detail: fmt.Sprintf("bug: checker panicked: %v", p), Duration: time.Since(begin)}
		}
	}()
	return w.checker.Check(ctx, w.target)
}
