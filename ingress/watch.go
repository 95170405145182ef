package ingress

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// watch holds the two time limits of a request: idle, which every byte in
// either direction starts anew, and total, which runs from the end of the
// request. One timer serves both; moving bytes only writes down the time.
type watch struct {
	idle   time.Duration
	cancel context.CancelCauseFunc

	began   time.Time
	moved   atomic.Int64 // when something moved last, since began
	request atomic.Int64 // one more than when the request ended, since began; 0: not yet
	tunnel  atomic.Bool  // upgraded: no total limit

	mu    sync.Mutex
	total time.Duration // guarded by mu
	timer *time.Timer   // guarded by mu; nil when stopped
}

// start begins to count. cancel is called with errIdle or errTotal.
func (w *watch) start(cancel context.CancelCauseFunc, idle, total time.Duration) {
	w.idle, w.cancel = idle, cancel
	w.began = time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.total = total
	w.timer = time.AfterFunc(min(idle, total), w.check)
}

// limitTotal sets another total limit.
func (w *watch) limitTotal(total time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.total = total
	if w.timer != nil {
		w.timer.Reset(min(w.idle, total))
	}
}

// limit returns the total limit.
func (w *watch) limit() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.total
}

// touch notes that something moved.
func (w *watch) touch() { w.moved.Store(int64(time.Since(w.began))) }

// requestEnded notes that the client has sent the whole request.
func (w *watch) requestEnded() { w.request.CompareAndSwap(0, int64(time.Since(w.began))+1) }

// unlimit takes the total limit away: an upgraded connection has none.
func (w *watch) unlimit() { w.tunnel.Store(true) }

// check runs when the timer fires: a limit is reached, or moved on meanwhile.
func (w *watch) check() {
	now := time.Since(w.began)
	next := time.Duration(w.moved.Load()) + w.idle
	if next <= now {
		w.cancel(errIdle)
		return
	}
	if ended := time.Duration(w.request.Load()); ended != 0 && !w.tunnel.Load() {
		limit := ended - 1 + w.limit()
		if limit <= now {
			w.cancel(errTotal)
			return
		}
		next = min(next, limit)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Reset(next - now)
	}
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}
