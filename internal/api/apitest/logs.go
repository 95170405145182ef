package apitest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/incident"
	"github.com/acalocal/acalocal/logsink/kql"
)

// Logs is a log store in memory. Its methods may be called concurrently.
type Logs struct {
	mu      sync.Mutex
	console []logsink.ConsoleLine // guarded by mu
	events  []logsink.EventLine   // guarded by mu
	changed chan struct{}         // guarded by mu; closed when a row is added
	// Result and Err are what Query answers; set them before use.
	Result *kql.Result
	// Imported is what Import was given last.
	Imported *incident.Rows
	// Tables are what Catalog returns; set them before use.
	Tables kql.Tables
	Err    error
	asked  []string // guarded by mu
}

// NewLogs returns an empty store.
func NewLogs() *Logs { return &Logs{changed: make(chan struct{})} }

// Print adds a console line.
func (l *Logs) Print(line logsink.ConsoleLine) {
	l.add(func() {
		line.Seq = uint64(len(l.console))
		l.console = append(l.console, line)
	})
}

// Say adds an event.
func (l *Logs) Say(event logsink.Event) {
	l.add(func() { l.events = append(l.events, logsink.EventLine{Event: event, Seq: uint64(len(l.events))}) })
}

func (l *Logs) add(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.changed)
	l.changed = make(chan struct{})
}

// Catalog implements api.Logs.
func (l *Logs) Catalog() kql.Catalog { return l.Tables }

// Import implements api.Logs: it keeps the last rows it was given.
func (l *Logs) Import(_ context.Context, rows *incident.Rows) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Imported = rows
	return l.Err
}

// Query implements api.Logs: it answers with Result and Err, an empty result
// when neither is set.
func (l *Logs) Query(_ context.Context, text string, from, to time.Time, limits kql.Limits) (*kql.Result, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := fmt.Sprintf("%s [%s, %s]", text, formatBound(from), formatBound(to))
	if limits != (kql.Limits{}) {
		asked += fmt.Sprintf(" %d rows, %d bytes", limits.MaxRows, limits.MaxBytes)
	}
	l.asked = append(l.asked, asked)
	if l.Result == nil && l.Err == nil {
		return &kql.Result{}, nil
	}
	return l.Result, l.Err
}

func formatBound(t time.Time) string {
	if t.IsZero() {
		return "…"
	}
	return t.UTC().Format(time.RFC3339)
}

// Asked returns the queries so far, each as "text [from, to]", and behind it the
// limits where there are any.
func (l *Logs) Asked() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.asked)
}

// Ask implements api.Logs, as Query does.
func (l *Logs) Ask(ctx context.Context, text string, from, to time.Time) (*kql.Result, error) {
	return l.Query(ctx, "ask: "+text, from, to, kql.Limits{})
}

// TailConsole implements api.Logs.
func (l *Logs) TailConsole(ctx context.Context, f logsink.Filter, n int, follow bool) iter.Seq2[logsink.ConsoleLine, error] {
	return tail(ctx, l, n, follow, func() []logsink.ConsoleLine { return l.console }, func(c logsink.ConsoleLine) bool {
		return matches(f.App, c.Container.App) && matches(f.Revision, c.Container.Revision) &&
			matches(f.Replica, c.Container.Replica) && matches(f.Container, c.Container.Name)
	})
}

// TailEvents implements api.Logs.
func (l *Logs) TailEvents(ctx context.Context, f logsink.Filter, n int, follow bool) iter.Seq2[logsink.EventLine, error] {
	return tail(ctx, l, n, follow, func() []logsink.EventLine { return l.events }, func(e logsink.EventLine) bool {
		return matches(f.App, e.App) && matches(f.Revision, e.Revision) && matches(f.Replica, e.Replica)
	})
}

func matches(want, got string) bool { return want == "" || want == got }

// tail yields the last n matching rows, then with follow the new ones. Its
// position is taken when it is called, not when it is first read.
func tail[T any](ctx context.Context, l *Logs, n int, follow bool, rows func() []T, match func(T) bool) iter.Seq2[T, error] {
	l.mu.Lock()
	defer l.mu.Unlock()
	var past []T
	for _, r := range rows() {
		if match(r) {
			past = append(past, r)
		}
	}
	past, at := past[max(len(past)-n, 0):], len(rows())
	return func(yield func(T, error) bool) {
		for {
			for _, r := range past {
				if !yield(r, nil) {
					return
				}
			}
			if !follow || !l.wait(ctx, func() int { return len(rows()) }, at) {
				return
			}
			past, at = after(l, rows, match, at)
		}
	}
}

// wait blocks until there are more than at rows, or ctx is done.
func (l *Logs) wait(ctx context.Context, count func() int, at int) bool {
	for {
		l.mu.Lock()
		more, changed := count() > at, l.changed
		l.mu.Unlock()
		if more {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// after returns the matching rows behind position at, and the new position.
func after[T any](l *Logs, rows func() []T, match func(T) bool, at int) ([]T, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []T
	for _, r := range rows()[at:] {
		if match(r) {
			out = append(out, r)
		}
	}
	return out, len(rows())
}
