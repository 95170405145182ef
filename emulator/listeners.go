package emulator

import (
	"context"
	"slices"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/core"
)

// While a replica starts, its listening sockets are looked at this often: in
// the beginning, when a person waits for it, and later.
const (
	eagerLook   = 20 * time.Millisecond
	eagerFor    = 15 * time.Second
	patientLook = 500 * time.Millisecond
)

// watchListeners looks at the sockets of a starting replica until it is ready
// or gone. Each change is told to the core and brings the probes that wait
// forward, so a program is found ready when it is and not a period later. Loop
// only; one watch per replica.
func (e *Engine) watchListeners(ctx context.Context, o core.WatchListeners) {
	if end := e.watches[o.Replica]; end != nil {
		end()
	}
	ctx, end := context.WithCancel(ctx)
	e.watches[o.Replica] = end
	e.start(func() {
		defer end()
		e.lookUntilReady(ctx, o)
	})
}

// forgetWatches ends the watches of replicas that are ready or gone. Loop only.
func (e *Engine) forgetWatches(s *Snapshot) {
	starting := map[string]bool{}
	for i := range s.Apps {
		for _, rev := range s.Apps[i].Revisions {
			for _, r := range rev.Replicas {
				starting[r.Name] = !r.Ready && !r.Draining
			}
		}
	}
	for replica, end := range e.watches {
		if !starting[replica] {
			end()
			delete(e.watches, replica)
		}
	}
}

func (e *Engine) lookUntilReady(ctx context.Context, o core.WatchListeners) {
	begin := time.Now()
	look := time.NewTimer(0)
	defer look.Stop()
	var last []container.Listener
	for {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
		if now, err := e.listeners(ctx, o.Holder); err == nil && !slices.Equal(now, last) {
			last = now
			e.post(core.ListenersSeen{Replica: o.Replica, Listeners: now})
			e.prober.Nudge(o.Replica)
		}
		if time.Since(begin) < eagerFor {
			look.Reset(eagerLook)
		} else {
			look.Reset(patientLook)
		}
	}
}

// listeners asks the agent of a replica for its listening sockets.
func (e *Engine) listeners(ctx context.Context, holder container.ID) ([]container.Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	agent, err := e.o.Runtime.Agent(ctx, holder)
	if err != nil {
		return nil, err
	}
	return agent.Listeners(ctx)
}
