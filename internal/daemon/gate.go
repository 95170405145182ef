package daemon

import (
	"context"
	"net"
	"slices"

	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container"
)

// gates brings calls from app to app by name to the edge: "http://web",
// "http://web.internal.<domain>" and "http://web.<domain>" lead here from
// every replica, and are answered as the helper proxy in a caller's replica on
// ACA answers them.
type gates struct {
	env     string
	runtime container.Gate // nil when the container engine has none
	serve   func(net.Listener, ingress.ListenSpec)
	log     zerolog.Logger

	wanted chan []string // the newest set of names; one slot
}

func newGates(o Options, serve func(net.Listener, ingress.ListenSpec)) *gates {
	runtime, _ := o.Runtime.(container.Gate)
	return &gates{env: o.Environment, runtime: runtime, serve: serve, log: o.Log, wanted: make(chan []string, 1)}
}

// set says which apps there are. It never blocks.
func (g *gates) set(t ingress.Table) {
	names := namesOf(t)
	select {
	case <-g.wanted: // an older set nobody has seen yet
	default:
	}
	g.wanted <- names
}

// namesOf are the names apps call each other by, sorted: the short names and
// the hosts of apps and revisions. A single app has nobody to call.
func namesOf(t ingress.Table) []string {
	if len(t.Apps) < 2 {
		return nil
	}
	var names []string
	for _, a := range t.Apps {
		if !a.Enabled || a.Transport == ingress.TransportTCP {
			continue
		}
		names = append(names, a.Name, a.Host(t.Domain))
		for _, rev := range a.Revisions {
			of := a
			of.Name = rev.Name
			names = append(names, of.Host(t.Domain))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// run opens a gate for each new set of names before it closes the one before,
// so no call falls between two.
func (g *gates) run(ctx context.Context) {
	var open net.Listener
	var names []string
	for {
		select {
		case next := <-g.wanted:
			if slices.Equal(next, names) {
				continue
			}
			l := g.open(ctx, next)
			closeGate(open)
			open, names = l, next
		case <-ctx.Done():
			closeGate(open)
			return
		}
	}
}

func (g *gates) open(ctx context.Context, names []string) net.Listener {
	if g.runtime == nil || len(names) == 0 {
		return nil
	}
	l, err := g.runtime.OpenGate(ctx, container.GateSpec{Env: g.env, Names: names, Ports: []int{80}})
	if err != nil {
		if ctx.Err() == nil {
			g.log.Error().Err(err).Msg("apps cannot call each other by name")
		}
		return nil
	}
	g.serve(l, ingress.ListenSpec{Kind: ingress.HTTP, Inside: true})
	return l
}

func closeGate(l net.Listener) {
	if l != nil {
		_ = l.Close() // nobody may call there any more
	}
}
