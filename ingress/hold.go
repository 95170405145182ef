package ingress

import (
	"container/list"
	"errors"
	"sync"
)

// errHoldFull says that too many requests already wait for a revision.
var errHoldFull = errors.New("too many requests are waiting")

// holdQueue is the requests that wait for a revision without a ready replica,
// in order of arrival. Azure holds such requests too instead of answering them
// with an error: a client sees a late 200, or 504 "stream timeout".
type holdQueue struct {
	mu      sync.Mutex
	waiters list.List // of *waiter; guarded by mu
}

// waiter is one waiting request.
type waiter struct {
	byWeight bool           // the revision was drawn, so another one may serve as well
	placed   chan placement // capacity 1: waking never blocks
	elem     *list.Element
}

// placement ends a wait: an endpoint that is already counted in, or nil, which
// asks the request to find its way again in the current table.
type placement struct{ ep *endpoint }

// join appends a waiter unless limit waiters are there already.
func (q *holdQueue) join(byWeight bool, limit int) (*waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiters.Len() >= limit {
		return nil, errHoldFull
	}
	w := &waiter{byWeight: byWeight, placed: make(chan placement, 1)}
	w.elem = q.waiters.PushBack(w)
	return w, nil
}

// leave removes a waiter that gives up. A placement that came at the same
// moment is handed back.
func (q *holdQueue) leave(w *waiter) {
	q.mu.Lock()
	if w.elem != nil {
		q.removeLocked(w)
		q.mu.Unlock()
		return
	}
	q.mu.Unlock()
	if p := <-w.placed; p.ep != nil {
		p.ep.release()
	}
}

// wake places waiters in order of arrival until place returns nil.
func (q *holdQueue) wake(place func() *endpoint) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for e := q.waiters.Front(); e != nil; e = q.waiters.Front() {
		ep := place()
		if ep == nil {
			return
		}
		q.endLocked(e.Value.(*waiter), placement{ep})
	}
}

// reroute sends waiters back to the table: those that were drawn by weight, or
// all of them.
func (q *holdQueue) reroute(all bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for e := q.waiters.Front(); e != nil; {
		w := e.Value.(*waiter)
		e = e.Next()
		if all || w.byWeight {
			q.endLocked(w, placement{})
		}
	}
}

func (q *holdQueue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiters.Len()
}

func (q *holdQueue) endLocked(w *waiter, p placement) {
	q.removeLocked(w)
	w.placed <- p
}

func (q *holdQueue) removeLocked(w *waiter) {
	q.waiters.Remove(w.elem)
	w.elem = nil
}
