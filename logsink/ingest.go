package logsink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Cursor returns where to take up the stream of a container again.
func (s *Store) Cursor(containerID string) Cursor {
	return s.console.state.position(containerID).cursor()
}

// Ingest reads the entries of a container's log stream from next until it
// returns an error, and stores their lines. It returns when all of them are
// durable: with nil after io.EOF, which means that the container has written
// its last, else with the error of next or ctx. It has done with an entry's Data
// when it calls next again; a next that blocks must heed ctx itself.
//
// Entries without line end are joined to the following of the same stream; a
// line longer than Options.SplitAt becomes several rows, and an unfinished one
// becomes a row only at io.EOF. Bytes that are not UTF-8 are kept as they are.
// Rows of a container are in the order of its entries, and their times
// strictly increase.
//
// A stream that broke, or that another process was reading, is taken up again
// by asking the engine from Cursor and passing Ingest all it gives: entries
// stored before are recognised, so every line is stored exactly once. That
// holds as long as the engine keeps the order and times of its entries.
//
// When the disk refuses to write, Ingest stops calling next until it works
// again or ctx is done. If the same container is being read already, Ingest
// first waits for that to end.
func (s *Store) Ingest(ctx context.Context, c Container, next func() (Entry, error)) error {
	if c.ID == "" {
		return fmt.Errorf("ingest logs of %s: the container has no id", c.Name)
	}
	src, err := s.enter(ctx, c)
	if err != nil {
		return fmt.Errorf("ingest logs of %s: %w", c.Name, err)
	}
	defer s.leave(c.ID, src)
	if err := src.readAll(ctx, s.console.state.position(c.ID), s.opts.SplitAt, next); err != nil {
		return fmt.Errorf("ingest logs of %s: %w", c.Name, err)
	}
	return nil
}

// enter registers the reading of a container, once any earlier is settled.
func (s *Store) enter(ctx context.Context, c Container) (*source, error) {
	for {
		s.mu.Lock()
		before := s.sources[c.ID]
		if before == nil {
			src := newSource(s.console, c)
			s.sources[c.ID] = src
			s.mu.Unlock()
			return src, nil
		}
		s.mu.Unlock()
		select {
		case <-before.gone:
			s.forget(c.ID, before)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Store) leave(id string, src *source) {
	src.leave()
	if isClosed(src.gone) {
		s.forget(id, src)
	}
}

func (s *Store) forget(id string, src *source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sources[id] == src {
		delete(s.sources, id)
	}
}

// readAll reads entries until next or ctx ends.
func (s *source) readAll(ctx context.Context, pos position, limit int, next func() (Entry, error)) error {
	r := newReader(s, pos, limit)
	for {
		e, err := next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				r.end()
				err = nil
			}
			return errors.Join(err, s.flush(ctx))
		}
		r.take(e)
		if err := s.waitRoom(ctx); err != nil {
			return err
		}
	}
}

// flushGrace is how long a reading whose ctx is done waits for its last lines.
const flushGrace = 2 * time.Second

// flush waits until all lines are durable.
func (s *source) flush(ctx context.Context) error {
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), flushGrace)
		defer cancel()
	}
	return s.waitDurable(ctx)
}

// AppendEvent is AppendEvents of one row.
func (s *Store) AppendEvent(e Event) error { return s.AppendEvents([]Event{e}) }

// AppendEvents adds rows to the system log, in order, and returns when they are
// durable: many cost one wait for the disk.
//
// When the disk refuses to write, AppendEvents does not wait for it: it returns
// an error and the rows are written once the disk works again, unless the store
// is closed before.
func (s *Store) AppendEvents(es []Event) error {
	if len(es) == 0 {
		return nil
	}
	rows := slices.Clone(es)
	for i := range rows {
		if rows[i].Time.IsZero() {
			rows[i].Time = time.Now()
		}
	}
	if err := s.system.append(&events{rows: rows}); err != nil {
		return fmt.Errorf("log %d events: %w", len(rows), err)
	}
	return nil
}

// AppendRequests adds rows to the table of requests and returns when they are
// durable. Errors are as those of AppendEvent.
func (s *Store) AppendRequests(rs []Request) error {
	if len(rs) == 0 {
		return nil
	}
	if err := s.request.append(&requests{rows: rs}); err != nil {
		return fmt.Errorf("log %d requests: %w", len(rs), err)
	}
	return nil
}

// maxWaiting bounds the calls that a table keeps when the disk refuses.
const maxWaiting = 1000

// rowFeed appends what is left of some rows to a block, until it is full.
type rowFeed interface {
	appendTo(m *memBlock) (more bool)
}

// append queues rows and waits for them to be durable.
func (t *table) append(rows rowFeed) error {
	if t.queue.len() >= maxWaiting {
		return fmt.Errorf("the disk does not take what is waiting already; see the store's problems")
	}
	c := &call{rows: rows, answer: make(chan error, 1)}
	if !t.queue.push(c) {
		return ErrClosed
	}
	return <-c.answer
}

// call is a feeder somebody waits for.
type call struct {
	rows   rowFeed
	more   bool
	answer chan error
}

func (c *call) feed(m *memBlock, _ positions) (more bool) {
	c.more = c.rows.appendTo(m)
	return c.more
}

func (c *call) stuck(err error) { c.reply(fmt.Errorf("not durable yet: %w", err)) }

func (c *call) fed(err error) {
	if !c.more || err != nil {
		c.reply(err)
	}
}

// reply answers the caller, once.
func (c *call) reply(err error) {
	select {
	case c.answer <- err:
	default:
	}
}
