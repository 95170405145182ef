package docker

import (
	"context"
	"crypto/rand"
	"sync"

	apicontainer "github.com/moby/moby/api/types/container"

	"github.com/acalocal/acalocal/internal/container"
)

// reachability remembers which networks this process reaches directly. It is
// found out once per network, by a connection that carries a token: an address
// of a bridge may exist on the wrong machine, too.
type reachability struct {
	mu      sync.Mutex
	network map[string]*verdict // guarded by mu
}

// verdict is the answer for one network.
type verdict struct {
	turn   chan struct{} // one question at a time; held while the rest is used
	known  bool
	direct bool
}

func (r *reachability) of(network string) *verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.network[network]
	if v == nil {
		v = &verdict{turn: make(chan struct{}, 1)}
		if r.network == nil {
			r.network = map[string]*verdict{}
		}
		r.network[network] = v
	}
	return v
}

// directAddress returns the address of a running holder, or "" when it cannot
// be reached without the agent.
func (e *Engine) directAddress(ctx context.Context, c apicontainer.InspectResponse) string {
	addr, network := holderAddr(c)
	if network == "" {
		return ""
	}
	v := e.reach.of(network)
	select {
	case v.turn <- struct{}{}:
		defer func() { <-v.turn }()
	case <-ctx.Done():
		return ""
	}
	if !v.known {
		direct, err := e.proveReach(ctx, container.ID(c.ID), addr.String())
		if err != nil { // ask again at the next listing
			e.log.Debug().Err(err).Str("network", network).Msg("reachability unknown")
			return ""
		}
		v.known, v.direct = true, direct
		e.log.Debug().Bool("direct", direct).Str("network", network).Msg("reachability found")
	}
	if !v.direct {
		return ""
	}
	return addr.String()
}

func (e *Engine) proveReach(ctx context.Context, id container.ID, addr string) (bool, error) {
	l, err := e.agents.link(e, id)
	if err != nil {
		return false, err
	}
	c, err := l.session(ctx)
	if err != nil {
		return false, err
	}
	return c.Reachable(ctx, addr, rand.Text())
}
