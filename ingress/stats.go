package ingress

import (
	"cmp"
	"slices"
)

// RevisionLoad is the load of one revision, for scale rules.
type RevisionLoad struct {
	App, Revision string
	// InFlight counts requests and raw connections sent to the revision or
	// waiting for it, now; Held those that wait.
	InFlight, Held int
	// Finished counts those that have ended since the ingress started. The
	// difference of two readings is the rate.
	Finished uint64
	// Replicas is the requests in flight per ready replica.
	Replicas []ReplicaLoad
}

// ReplicaLoad is what is in flight towards one ready replica.
type ReplicaLoad struct {
	Replica  string
	InFlight int
}

// Stats returns the load of every revision of the current table, sorted by app
// and revision.
func (g *Ingress) Stats() []RevisionLoad {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]RevisionLoad, 0, len(g.memory.revisions))
	for _, rev := range g.memory.revisions {
		out = append(out, rev.load())
	}
	slices.SortFunc(out, func(a, b RevisionLoad) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Revision, b.Revision))
	})
	return out
}

func (r *revision) load() RevisionLoad {
	l := RevisionLoad{
		App: r.app, Revision: r.name,
		InFlight: int(r.inflight.Load()), Held: r.held.len(), Finished: r.finished.Load(),
	}
	for _, e := range r.set.Load().list {
		l.Replicas = append(l.Replicas, ReplicaLoad{e.name, int(e.inflight.Load())})
	}
	return l
}
