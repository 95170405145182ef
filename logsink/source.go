package logsink

import (
	"context"
	"sync"
	"time"
)

// A container's lines wait in batches of at most this size, so that one which
// prints a lot fills its own batch and nobody else's.
const (
	batchRows  = 4096
	batchBytes = 256 << 10
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

// add appends a line to the batch being filled.
func (s *source) add(tick int64, kind lineKind, line []byte) {
	s.mu.Lock()
	b := s.cur
	b.ticks = append(b.ticks, tick)
	b.kinds = append(b.kinds, kind)
	b.data = append(b.data, line...)
	b.ends = append(b.ends, uint32(len(b.data)))
	s.mu.Unlock()
}

// move notes the position that the lines added so far lead to, and queues them
// if they are not.
func (s *source) move(pos position) {
	s.mu.Lock()
	s.cur.pos, s.cur.moved = pos, true
	push := !s.queued
	s.queued = true
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

// reader applies a container's entries to its source.
type reader struct {
	*source
	joiners [2]joiner
	emit    [2]emitter
	pos     position
}

func newReader(s *source, pos position, limit int) *reader {
	r := &reader{source: s, pos: pos}
	for i := range r.joiners {
		r.joiners[i] = newJoiner(limit, pos.streams[i])
		r.emit[i] = r.emitter(Stream(i))
	}
	return r
}

// entry takes the next entry of the stream.
func (r *reader) entry(e Entry) {
	t := e.Time.UnixNano()
	stream := e.Stream & 1
	taken := r.joiners[stream].add(t, e.Data, r.emit[stream])
	if taken {
		r.pos.last = t
		r.moved()
	}
}

// end takes the end of both streams.
func (r *reader) end() {
	for i := range r.joiners {
		r.joiners[i].end(r.emit[i])
	}
	r.moved()
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
		r.add(r.pos.tick, kind, line)
	}
}

// moved tells the source where the streams are now.
func (r *reader) moved() {
	pending := int64(0)
	for i := range r.joiners {
		r.pos.streams[i] = r.joiners[i].mark
		if t := r.joiners[i].pending(); t != 0 && (pending == 0 || t < pending) {
			pending = t
		}
	}
	r.pos.pending = pending
	r.move(r.pos)
}
