package api

import (
	"context"
	"iter"
	"net/http"
	"slices"
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
// come. The last tailLines (default 0) of each come first, in the order of
// their times.
func (s *server) stream(w http.ResponseWriter, r *http.Request) error {
	tail, err := intParam(r, "tailLines", 0, 0, maxTail)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	f := logsink.Filter{App: r.URL.Query().Get("app")}
	// What follows begins here; the past, which is looked at afterwards, may have
	// its first rows, too.
	console, events := s.Logs.TailConsole(ctx, f, 0, true), s.Logs.TailEvents(ctx, f, 0, true)
	lines, said := rowsOf(s.Logs.TailConsole(ctx, f, tail, false)), rowsOf(s.Logs.TailEvents(ctx, f, tail, false))
	var past []Entry
	for _, l := range lines {
		past = append(past, consoleEntry(l))
	}
	for _, e := range said {
		past = append(past, eventEntry(e))
	}
	slices.SortStableFunc(past, func(a, b Entry) int { return a.Time.Compare(b.Time) })
	consoleSeq, eventSeq := func(l logsink.ConsoleLine) uint64 { return l.Seq }, func(l logsink.EventLine) uint64 { return l.Seq }
	entries := merge(ctx,
		entriesOf(behind(console, lines, consoleSeq), consoleEntry),
		entriesOf(behind(events, said, eventSeq), eventEntry))
	out := newLines(w)
	if err := out.begin(); err != nil {
		return nil // the client has gone
	}
	for _, e := range past {
		if out.write(e) != nil {
			return nil // the client has gone
		}
	}
	for e := range entries {
		if out.write(e) != nil {
			cancel() // the client has gone; what still comes is read and dropped
		}
	}
	return nil
}

// rowsOf returns the rows of a tail that does not follow. As of one that does,
// rows behind an error stay in the store.
func rowsOf[T any](rows iter.Seq2[T, error]) (list []T) {
	for row, err := range rows {
		if err != nil {
			return list
		}
		list = append(list, row)
	}
	return list
}

// behind leaves out the rows of a tail up to the last that is known.
func behind[T any](rows iter.Seq2[T, error], known []T, seq func(T) uint64) iter.Seq2[T, error] {
	if len(known) == 0 {
		return rows
	}
	last := seq(known[len(known)-1])
	return func(yield func(T, error) bool) {
		for row, err := range rows {
			if (err != nil || seq(row) > last) && !yield(row, err) {
				return
			}
		}
	}
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
