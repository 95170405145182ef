package probes

import (
	"context"
	"sync"
)

// gate keeps the readiness and liveness workers of one generation of a
// container waiting until its startup probe has passed.
type gate struct {
	opened chan struct{}
	once   sync.Once
}

func newGate() *gate { return &gate{opened: make(chan struct{})} }

// open lets the workers through, now and from now on.
func (g *gate) open() { g.once.Do(func() { close(g.opened) }) }

// wait returns true when the gate is open, false when ctx ended first.
func (g *gate) wait(ctx context.Context) bool {
	select {
	case <-g.opened:
		return true
	case <-ctx.Done():
		return false
	}
}
