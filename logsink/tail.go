package logsink

import (
	"context"
	"iter"
	"slices"
)

// TailConsole yields the last n console rows that match f at the time of the
// call, oldest first, and then, if follow is set, rows that have become durable
// since, until ctx is done. Rows come in storage order: those of one container
// in the order they were written. n may be zero.
//
// The reader may take its time: rows wait in the store, not in a queue of
// their own, and no container is slowed. If retention removes rows that it has
// not come to, the next row says how many they were, matching or not.
//
// After an error, which is the last thing yielded, there is nothing more. A
// ctx that is done ends the rows without an error.
func (s *Store) TailConsole(ctx context.Context, f Filter, n int, follow bool) iter.Seq2[ConsoleLine, error] {
	want := []string{f.App, f.Revision, f.Replica, "", f.Container, f.ContainerID, ""}
	return tail(ctx, s.console, want, n, follow, readConsole)
}

// TailEvents does for system events what TailConsole does for console rows.
func (s *Store) TailEvents(ctx context.Context, f Filter, n int, follow bool) iter.Seq2[EventLine, error] {
	return tail(ctx, s.system, []string{f.App, f.Revision, f.Replica}, n, follow, readEvents)
}

// rowsReader makes the rows of a part that match says yes to. The first of
// them is to say that lost rows are missing before it.
type rowsReader[T any] func(p part, source tuples, rows []int, lost int64) ([]T, error)

// tail implements the tails. want is what the fields of the table's first
// tuple must be, "" meaning anything.
func tail[T any](ctx context.Context, t *table, want []string, n int, follow bool, read rowsReader[T]) iter.Seq2[T, error] {
	return walk(ctx, t, t.state.end(), want, n, follow, read)
}

// walk is tail from a sequence number on.
func walk[T any](ctx context.Context, t *table, at uint64, want []string, n int, follow bool, read rowsReader[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if isClosed(t.closing) {
			var zero T
			yield(zero, ErrClosed)
			return
		}
		tl := &tailer[T]{table: t, want: want, read: read, at: at}
		rows := tl.last(ctx, n)
		for {
			for _, row := range rows {
				if ctx.Err() != nil || !yield(row, nil) {
					return
				}
			}
			if !follow || ctx.Err() != nil {
				return
			}
			var err error
			if rows, err = tl.next(ctx); err != nil {
				var zero T
				yield(zero, err)
				return
			}
		}
	}
}

// tailer walks along a table. It holds on to nothing of the table between its
// steps, so that a reader may stop for as long as it likes.
type tailer[T any] struct {
	table *table
	want  []string
	read  rowsReader[T]
	at    uint64 // sequence number of the row to look at next
	lost  int64  // rows skipped and not yet told of
}

// last returns the last n matching rows before the place the tailer is at.
func (tl *tailer[T]) last(ctx context.Context, n int) []T {
	snap := tl.table.state.snapshot(tl.table.problems)
	defer snap.release()
	var found [][]T // newest first
	for i := snap.count() - 1; i >= 0 && n > 0 && ctx.Err() == nil; i-- {
		p := snap.part(i)
		if p.first >= tl.at {
			continue
		}
		p.rows = int(min(p.end(), tl.at) - p.first)
		rows, err := tl.rows(p, 0, n)
		if err != nil {
			snap.damaged(snap.blocks[i], err)
			continue
		}
		found = append(found, rows)
		n -= len(rows)
	}
	slices.Reverse(found)
	return slices.Concat(found...)
}

// next waits for rows to look at, and returns those of one part that match.
func (tl *tailer[T]) next(ctx context.Context) ([]T, error) {
	for {
		rows, wait := tl.step()
		if wait == nil {
			return rows, nil
		}
		if isClosed(tl.table.closing) {
			return nil, ErrClosed
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// step looks at the part the tailer is at. If there is none, it returns the
// channel that will be closed when there is.
func (tl *tailer[T]) step() (rows []T, wait <-chan struct{}) {
	snap := tl.table.state.snapshot(tl.table.problems)
	defer snap.release()
	i := snap.after(tl.at)
	if i == snap.count() {
		return nil, snap.changed
	}
	p := snap.part(i)
	if p.first > tl.at {
		tl.lost += int64(p.first - tl.at)
		tl.at = p.first
	}
	rows, err := tl.rows(p, int(tl.at-p.first), p.rows)
	if err != nil {
		snap.damaged(snap.blocks[i], err)
	}
	switch {
	case p.bad():
		tl.lost += int64(p.end() - tl.at)
	case len(rows) > 0:
		tl.lost = 0
	}
	tl.at = p.end()
	return rows, nil
}

// rows returns the last n matching rows of a part, among those from row from on.
func (tl *tailer[T]) rows(p part, from, n int) ([]T, error) {
	values, width := p.names(0)
	match := matching(values, width, tl.want)
	if p.bad() || !slices.Contains(match, true) {
		return nil, nil
	}
	source, err := p.tuples(0, nil)
	if err != nil {
		return nil, err
	}
	var rows []int
	for i := p.rows - 1; i >= from && len(rows) < n; i-- {
		if match[source.codes[i]] {
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return nil, nil
	}
	slices.Reverse(rows)
	return tl.read(p, source, rows, tl.lost)
}

// matching tells for each tuple whether all its fields are as wanted.
func matching(values []string, width int, want []string) []bool {
	match := make([]bool, len(values)/width)
	for i := range match {
		match[i] = true
		for j, w := range want {
			match[i] = match[i] && (w == "" || values[i*width+j] == w)
		}
	}
	return match
}

func readConsole(p part, source tuples, rows []int, lost int64) ([]ConsoleLine, error) {
	times, err := p.ints(0, nil)
	if err != nil {
		return nil, err
	}
	streams, err := p.tuples(consoleStream, nil)
	if err != nil {
		return nil, err
	}
	log, err := p.texts(0, nil)
	if err != nil {
		return nil, err
	}
	out := make([]ConsoleLine, len(rows))
	for k, i := range rows {
		out[k] = ConsoleLine{
			Time: fromTicks(times[i]), Container: toContainer(source.of(i)),
			Text: log.at(i), Seq: p.first + uint64(i),
		}
		kind := streams.of(i)
		if kind[0] == Stderr.String() {
			out[k].Stream = Stderr
		}
		out[k].Partial = kind[1] == tagPartial
	}
	out[0].Lost = lost
	return out, nil
}

func toContainer(v []string) Container {
	return Container{
		App: v[fieldApp], Revision: v[fieldRevision], Replica: v[fieldReplica], ReplicaID: v[fieldReplicaID],
		Name: v[fieldContainer], ID: v[fieldContainerID], Image: v[fieldImage],
	}
}

func readEvents(p part, source tuples, rows []int, lost int64) ([]EventLine, error) {
	times, err := p.ints(0, nil)
	if err != nil {
		return nil, err
	}
	counts, err := p.ints(systemCount, nil)
	if err != nil {
		return nil, err
	}
	kinds, err := p.tuples(systemKind, nil)
	if err != nil {
		return nil, err
	}
	msgs, err := p.texts(0, nil)
	if err != nil {
		return nil, err
	}
	out := make([]EventLine, len(rows))
	for k, i := range rows {
		from, kind := source.of(i), kinds.of(i)
		out[k] = EventLine{Seq: p.first + uint64(i), Event: Event{
			Time: fromTicks(times[i]), App: from[0], Revision: from[1], Replica: from[2],
			Reason: kind[1], Source: kind[2], Msg: msgs.at(i), Count: int(counts[i]),
		}}
		if kind[0] == Warning.String() {
			out[k].Type = Warning
		}
	}
	out[0].Lost = lost
	return out, nil
}
