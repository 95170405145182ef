package mux

import (
	"sync"
	"time"
)

// deadline is a point in time to wait for that can be moved while waiting.
// The zero value never passes.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer   // guarded by mu
	over  chan struct{} // guarded by mu; closed once the deadline has passed
}

// passed returns a channel that is closed when the deadline passes.
func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.overLocked()
}

func (d *deadline) overLocked() chan struct{} {
	if d.over == nil {
		d.over = make(chan struct{})
	}
	return d.over
}

// set moves the deadline to t; zero means never.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.disarmLocked()
	if t.IsZero() {
		return
	}
	over := d.overLocked()
	if wait := time.Until(t); wait > 0 {
		d.timer = time.AfterFunc(wait, func() { close(over) })
		return
	}
	close(over)
}

// disarmLocked stops the timer, and replaces the channel when it is closed or
// the timer is about to close it.
func (d *deadline) disarmLocked() {
	fired := d.timer != nil && !d.timer.Stop()
	d.timer = nil
	if fired || isClosed(d.over) {
		d.over = nil
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
