package api

import (
	"context"
	"iter"
	"net/http"
	"sync"
	"time"

	"github.com/acalocal/acalocal/logsink"
)

// Entry is one line of the merged live stream: what a container printed, or
// what the platform says.
type Entry struct {
	Time     time.Time `json:"time"`
	Kind     EntryKind `json:"kind"`
	App      string    `json:"app,omitempty"`
	Revision string    `json:"revision,omitempty"`
	Replica  string    `json:"replica,omitempty"`
	Text     string    `json:"text"`

	Container string `json:"container,omitempty"` // of console entries
	Stream    string `json:"stream,omitempty"`    // "stdout" or "stderr", of console entries

	Type   string `json:"type,omitempty"`   // "Normal" or "Warning", of events
	Reason string `json:"reason,omitempty"` // of events
	Count  int    `json:"count,omitempty"`  // of events

	// Lost is how many entries of this kind were skipped just before, because
	// the reader was too slow.
	Lost int64 `json:"lost,omitempty"`
}

// EntryKind says where an Entry is from.
type EntryKind string

// The kinds of entries.
const (
	ConsoleEntry EntryKind = "console"
	EventEntry   EntryKind = "event"
)

// stream merges the console lines and events of all apps, or of ?app=, as they
// come. The last tailLines (default 0) of each come first.
func (s *server) stream(w http.ResponseWriter, r *http.Request) error {
	tail, err := intParam(r, "tailLines", 0, 0, maxTail)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	f := logsink.Filter{App: r.URL.Query().Get("app")}
	entries := merge(ctx,
		entriesOf(s.Logs.TailConsole(ctx, f, tail, true), consoleEntry),
		entriesOf(s.Logs.TailEvents(ctx, f, tail, true), eventEntry))
	out := newLines(w)
	if err := out.begin(); err != nil {
		return nil // the client has gone
	}
	for e := range entries {
		if out.write(e) != nil {
			cancel() // the client has gone; what still comes is read and dropped
		}
	}
	return nil
}

// entriesOf turns the rows of a tail into Entries. A tail that fails ends:
// its rows stay in the store, where a query finds them.
func entriesOf[T any](rows iter.Seq2[T, error], toEntry func(T) Entry) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for row, err := range rows {
			if err != nil || !yield(toEntry(row)) {
				return
			}
		}
	}
}

// merge reads several sequences at once into one channel, which is closed when
// all have ended. The reader drains the channel or cancels ctx and drains it.
func merge(ctx context.Context, sources ...iter.Seq[Entry]) <-chan Entry {
	out := make(chan Entry)
	var reading sync.WaitGroup
	for _, source := range sources {
		reading.Go(func() {
			for e := range source {
				select {
				case out <- e:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() {
		reading.Wait()
		close(out)
	}()
	return out
}

func consoleEntry(l logsink.ConsoleLine) Entry {
	return Entry{
		Time: l.Time, Kind: ConsoleEntry, App: l.Container.App, Revision: l.Container.Revision, Replica: l.Container.Replica,
		Text: l.Text, Container: l.Container.Name, Stream: l.Stream.String(), Lost: l.Lost,
	}
}

func eventEntry(l logsink.EventLine) Entry {
	return Entry{
		Time: l.Time, Kind: EventEntry, App: l.App, Revision: l.Revision, Replica: l.Replica,
		Text: l.Msg, Type: l.Type.String(), Reason: l.Reason, Count: l.Count, Lost: l.Lost,
	}
}
