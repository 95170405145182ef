package logsink

import (
	"context"
	"sync"
	"time"
)

// A container's lines wait in batches of at most this size, so that one which
// prints a lot fills its own batch and nobody else's.
const (
	batchRows  = sealRows
	batchBytes = 1 << 20
)

// lineKind is a line's Stream, and in bit 1 whether it is only a part.
type lineKind uint8

// names returns the tuple consoleStream.
func (k lineKind) names() []string {
	if k>>1 == 1 {
		return []string{Stream(k & 1).String(), tagPartial}
	}
	return []string{Stream(k & 1).String(), tagFull}
}

// lineBatch is lines of one container on their way to the ingest goroutine.
type lineBatch struct {
	ticks []int64
	kinds []lineKind
	data  []byte
	ends  []uint32
	pos   position
	moved bool // pos is newer than what the table knows
}

func (b *lineBatch) add(tick int64, kind lineKind, line []byte) {
	b.ticks = append(b.ticks, tick)
	b.kinds = append(b.kinds, kind)
	b.data = append(b.data, line...)
	b.ends = append(b.ends, uint32(len(b.data)))
}

func (b *lineBatch) full() bool { return len(b.ticks) >= batchRows || len(b.data) >= batchBytes }

// reset empties b; a burst's memory is not kept.
func (b *lineBatch) reset() {
	if cap(b.data) > 16<<10 && len(b.data) < cap(b.data)/4 {
		*b = lineBatch{}
		return
	}
	*b = lineBatch{ticks: b.ticks[:0], kinds: b.kinds[:0], data: b.data[:0], ends: b.ends[:0]}
}

// source is the reading of one container's stream: the caller of Ingest fills
// a batch while the ingest goroutine empties the other.
type source struct {
	table  *table
	names  [7]string     // the tuple of its rows
	signal chan struct{} // holds a token when something below has changed
	gone   chan struct{} // closed when nothing of it is on its way any more

	mu       sync.Mutex
	cur      *lineBatch // guarded by mu, as all below
	spare    *lineBatch
	queued   bool  // in the table's queue
	inFlight bool  // fed, not yet told that it is durable
	leaving  bool  // Ingest has returned
	err      error // the store will not take more
}

func newSource(t *table, c Container) *source {
	return &source{
		table:  t,
		names:  [7]string{c.App, c.Revision, c.Replica, c.ReplicaID, c.Name, c.ID, c.Image},
		signal: make(chan struct{}, 1), gone: make(chan struct{}),
		cur: &lineBatch{}, spare: &lineBatch{},
	}
}

// update lets change add lines to the batch being filled and move its
// position, in one step, and queues the source if it is not.
func (s *source) update(change func(b *lineBatch)) {
	s.mu.Lock()
	change(s.cur)
	push := s.cur.moved && !s.queued
	s.queued = s.queued || push
	s.mu.Unlock()
	if push && !s.table.queue.push(s) {
		s.fed(ErrClosed)
	}
}

// waitRoom waits until the batch being filled has room.
func (s *source) waitRoom(ctx context.Context) error {
	return s.wait(ctx, func() bool { return !s.cur.full() })
}

// waitDurable waits until all that was added is durable.
func (s *source) waitDurable(ctx context.Context) error {
	return s.wait(ctx, func() bool { return !s.cur.moved && !s.inFlight })
}

func (s *source) wait(ctx context.Context, done func() bool) error {
	for {
		s.mu.Lock()
		ok, err := done(), s.err
		s.mu.Unlock()
		if err != nil || ok {
			return err
		}
		select {
		case <-s.signal:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// leave drops what has not been taken by the ingest goroutine. What it has
// taken may still become durable; until that is settled, gone stays open.
func (s *source) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving = true
	s.cur.reset()
	if !s.inFlight {
		close(s.gone)
	}
}

// feed implements feeder.
func (s *source) feed(m *memBlock, pos positions) (more bool) {
	s.mu.Lock()
	b := s.cur
	s.cur, s.spare = s.spare, b
	s.queued = false
	s.inFlight = b.moved
	s.mu.Unlock()
	if !b.moved {
		return false
	}
	s.notify()
	b.appendTo(m, s.names[:])
	b.pos.seen = time.Now().Unix()
	pos[s.names[fieldContainerID]] = b.pos
	b.reset()
	return false
}

func (b *lineBatch) appendTo(m *memBlock, names []string) {
	if len(b.ticks) == 0 {
		return
	}
	code := m.code(consoleSource, names...)
	var known [4]uint32 // code of each kind plus one
	for i, kind := range b.kinds {
		m.addTime(b.ticks[i])
		m.addCode(consoleSource, code)
		if known[kind] == 0 {
			known[kind] = 1 + m.code(consoleStream, kind.names()...)
		}
		m.addCode(consoleStream, known[kind]-1)
	}
	m.addTexts(0, b.data, b.ends)
}

// stuck implements feeder. The rows are kept and written when the disk takes
// them; meanwhile the batch fills and Ingest stops reading.
func (s *source) stuck(error) {}

// fed implements feeder.
func (s *source) fed(err error) {
	s.mu.Lock()
	s.inFlight = false
	if err != nil {
		s.err = err
	}
	if s.leaving && !isClosed(s.gone) {
		close(s.gone)
	}
	s.mu.Unlock()
	s.notify()
}

func (s *source) notify() {
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// reader turns a container's entries into lines of its source.
type reader struct {
	*source
	replay  *replay // nil when it is over
	joiners [2]joiner
	pos     position
	batch   *lineBatch // being filled, during update
	entry   Entry      // being taken, during update
	emit    [2]emitter
	taking  func(b *lineBatch)
}

func newReader(s *source, pos position, limit int) *reader {
	r := &reader{source: s, pos: pos, replay: newReplay(pos)}
	r.taking = r.takeEntry
	for i := range r.joiners {
		r.joiners[i].limit = limit
		r.emit[i] = r.emitter(Stream(i))
	}
	return r
}

// take takes the next entry of the log.
func (r *reader) take(e Entry) {
	if r.replay != nil {
		seen := r.replay.seen(e)
		if r.replay.done {
			r.resume()
		}
		if seen {
			return
		}
	}
	r.entry = e
	r.update(r.taking)
}

func (r *reader) takeEntry(b *lineBatch) {
	t := r.entry.Time.UnixNano()
	r.add(b, t, r.entry)
	r.pos.mark.advance(t)
	r.settle(b)
}

// resume puts back in place what was pending.
func (r *reader) resume() {
	r.update(func(b *lineBatch) {
		for _, e := range r.replay.pending() {
			r.add(b, e.Time.UnixNano(), e)
		}
		for i := range r.joiners {
			if j := &r.joiners[i]; len(j.pieces) == r.pos.streams[i].entries {
				j.skip = r.pos.streams[i].skip
			}
		}
		if len(b.ticks) > 0 { // the longest line allowed is shorter now
			r.settle(b)
		}
	})
	r.replay = nil
}

// end takes the end of both streams.
func (r *reader) end() {
	if r.replay != nil {
		r.resume()
	}
	r.update(func(b *lineBatch) {
		r.batch = b
		for i := range r.joiners {
			r.joiners[i].end(r.emit[i])
		}
		r.settle(b)
	})
}

func (r *reader) add(b *lineBatch, t int64, e Entry) {
	r.batch = b
	r.joiners[e.Stream&1].add(t, e.Data, r.emit[e.Stream&1])
}

// emitter adds a stream's lines as rows. A row's time is that of its entry, or
// just after the row before: time_t tells the order of a container's rows.
func (r *reader) emitter(stream Stream) emitter {
	return func(t int64, line []byte, partial bool) {
		kind := lineKind(stream)
		if partial {
			kind |= 2
		}
		r.pos.tick = max(toTicks(t), r.pos.tick+1)
		r.batch.add(r.pos.tick, kind, line)
	}
}

// settle notes in the batch where the log is now.
func (r *reader) settle(b *lineBatch) {
	r.pos.oldest = 0
	for i := range r.joiners {
		p, oldest := r.joiners[i].pending()
		r.pos.streams[i] = p
		if oldest != 0 && (r.pos.oldest == 0 || oldest < r.pos.oldest) {
			r.pos.oldest = oldest
		}
	}
	b.pos, b.moved = r.pos, true
}
