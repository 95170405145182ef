package daemon

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/core"
	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/incident"
)

// follower moves output from the container engine into the log store.
type follower struct {
	store   *logsink.Store
	runtime container.Runtime
}

// Follow stores a container's output to its end. An engine may end a stream
// before what was written last: moby's reader of a log that is being closed does,
// most often to a line without line end (seen with 20.10). The log that does not
// grow any more is whole, so it is read again until it has nothing new.
func (f follower) Follow(ctx context.Context, source emulator.LogSource) error {
	for first := true; ; first = false {
		from := f.store.Cursor(string(source.ID))
		if err := f.read(ctx, source, from.Since); err != nil {
			return err
		}
		if !first && f.store.Cursor(string(source.ID)) == from {
			return nil
		}
	}
}

// read stores what a container has printed since a time, until the stream ends.
// The engine repeats what was printed at that moment; the store recognises it.
func (f follower) read(ctx context.Context, source emulator.LogSource, since time.Time) error {
	reader, err := f.runtime.Logs(ctx, source.ID, since)
	if err != nil {
		return err
	}
	defer reader.Close()
	from := logsink.Container{
		App: source.Key.App, Revision: source.Key.Revision, Replica: source.Key.Replica, ReplicaID: guid(source.Key.Replica),
		Name: source.Key.Container, ID: string(source.ID), Image: source.Image,
	}
	return f.store.Ingest(ctx, from, func() (logsink.Entry, error) {
		e, err := reader.Next()
		entry := logsink.Entry{Time: e.Time, Data: e.Data}
		if e.Stderr {
			entry.Stream = logsink.Stderr
		}
		return entry, err
	})
}

// Append stores rows of the platform.
func (f follower) Append(rows []core.SystemLog) error {
	events := make([]logsink.Event, len(rows))
	for i, r := range rows {
		events[i] = logsink.Event{
			Time: r.Time, App: r.App, Revision: r.Revision, Replica: r.Replica,
			Reason: r.Reason, Source: r.Source, Msg: r.Msg, Count: r.Count,
		}
		if r.Warning {
			events[i].Type = logsink.Warning
		}
	}
	return f.store.AppendEvents(events)
}

// Import stores rows that came from elsewhere.
func (q queries) Import(ctx context.Context, rows *incident.Rows) error {
	return rows.Store(ctx, q.Store)
}

// guid is a stable identifier in the form ACA gives replicas.
func guid(name string) string {
	h := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

func workspaceID(env string) string { return guid("workspace " + env) }

// dial opens a connection to a replica for the edge: directly where its
// address can be reached, else through the agent inside it.
func (d *Daemon) dial(ctx context.Context, e ingress.Endpoint) (net.Conn, error) {
	if e.Addr != "" {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "tcp", net.JoinHostPort(e.Addr, fmt.Sprint(e.Port)))
	}
	return d.Engine.Dial(ctx, e.Replica, e.Port)
}
