package api

import (
	"context"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/explain/event"
	"github.com/acalocal/acalocal/logsink"
)

// ColdStart is where the time went that a request waited for a revision at
// zero, in milliseconds: the parts of the replica's start, which follow each
// other. A request that came while the replica was starting waited for less.
type ColdStart struct {
	Schedule float64 `json:"scheduleMs"`
	Create   float64 `json:"createMs"`
	Boot     float64 `json:"bootMs"`
	Probes   float64 `json:"probesMs"`
}

// coldStarts finds the cold starts that requests waited for, in the system
// log: it outlives replicas. It remembers what it has found, by replica, and is
// not safe for concurrent use.
type coldStarts struct {
	s     *server
	known map[string]*ColdStart // nil is a replica that did not come up from zero
}

// lookBack is how many rows of a replica are read: its start is among the
// first, and one that lives long and unhappily is not asked about.
const lookBack = 200

// of is the cold start a request waited for, nil when it did not wait for one.
func (c *coldStarts) of(ctx context.Context, r ingress.Record) *ColdStart {
	if r.ReplicaWhy != ingress.WhyHeld {
		return nil
	}
	found, ok := c.known[r.Replica]
	if !ok {
		c.started(ctx, r)
		found = c.find(ctx, r)
		c.known[r.Replica] = found
	}
	return found
}

// started waits until the state says how long the replica took to start: its
// rows are stored by then. The first requests are answered a moment earlier.
func (c *coldStarts) started(ctx context.Context, r ingress.Record) {
	ctx, cancel := context.WithTimeout(ctx, time.Second) // those of an earlier daemon never say
	defer cancel()
	for snap := c.s.Emulator.Snapshot(); starting(snap, r); {
		var err error
		if snap, err = c.s.Emulator.Watch(ctx, snap.Generation); err != nil {
			return
		}
	}
}

func starting(s *emulator.Snapshot, r ingress.Record) bool {
	app := s.App(r.App)
	if app == nil || app.Revision(r.Revision) == nil {
		return false
	}
	for _, replica := range app.Revision(r.Revision).Replicas {
		if replica.Name == r.Replica {
			return replica.Local.Start == nil
		}
	}
	return false
}

func (c *coldStarts) find(ctx context.Context, r ingress.Record) *ColdStart {
	for row, err := range c.s.Logs.TailEvents(ctx, logsink.Filter{App: r.App, Revision: r.Revision, Replica: r.Replica}, lookBack, false) {
		if err != nil {
			return nil // the store is closed: the requests end here, too
		}
		if e := event.Parse(event.Row{Reason: row.Reason, Text: row.Msg}); e.Kind == event.ColdStart {
			return &ColdStart{milliseconds(e.Cold.Schedule), milliseconds(e.Cold.Create), milliseconds(e.Cold.Boot), milliseconds(e.Cold.Probes)}
		}
	}
	return nil
}
