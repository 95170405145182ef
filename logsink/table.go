package logsink

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed is wrapped by the errors of calls on a store that is closed.
var ErrClosed = errors.New("log store is closed")

// feeder has rows for a table. Its methods are called by the ingest goroutine
// and must not block.
type feeder interface {
	// feed appends waiting rows to m, until it is full, and notes in pos the
	// positions they lead to. It reports whether rows are left.
	feed(m *memBlock, pos positions) (more bool)
	// stuck tells that the rows cannot be written for now, and why.
	stuck(err error)
	// fed tells that the rows of the last feed are durable, or, with an error,
	// that they never will be.
	fed(err error)
}

// table is one table of the store. Two goroutines belong to it: ingest, which
// owns the open block and the write-ahead log, and seal, which owns the newest
// segment.
type table struct {
	tableConfig
	state state
	edges edges

	queue queue
	full  chan *memView // from ingest to seal
	done  sync.WaitGroup

	// Of the ingest goroutine.
	mem   *memBlock
	known []int // tuples of mem that are in the log, for each column
	wal   *wal
	rec   []byte

	walBytes atomic.Int64 // of the newest log
	oldMu    sync.Mutex
	old      []oldWAL // guarded by oldMu
	active   *segment // of the seal goroutine
}

// tableConfig is what a table needs to know.
type tableConfig struct {
	def      *tableDef
	dir      string
	maxBytes int64
	maxAge   time.Duration
	interval time.Duration // between two commits
	open     opener
	problems *problems
	closing  chan struct{} // closed when the store is being closed
}

// oldWAL is a log that is written no more: it may go once all rows before end
// are in segments.
type oldWAL struct {
	path string
	end  uint64
	size int64
}

// maxWAL is where a log ends and a new one begins, budget permitting.
const maxWAL = 16 << 20

func (c *tableConfig) walLimit() int64     { return min(maxWAL, c.maxBytes/16) }
func (c *tableConfig) segmentLimit() int64 { return min(64<<20, max(64<<10, c.maxBytes/16)) }

// openTable recovers the table in cfg.dir and starts its goroutines. Closing
// cfg.closing and the queue ends them; wait tells when they have.
func openTable(cfg tableConfig) (*table, error) {
	if err := os.MkdirAll(cfg.dir, 0o700); err != nil {
		return nil, fmt.Errorf("open table %s: %w", cfg.def.name, err)
	}
	t := &table{tableConfig: cfg, full: make(chan *memView, 4)}
	t.queue.wake = make(chan struct{}, 1)
	t.state.changed = make(chan struct{})
	pending, err := t.recover()
	if err != nil {
		if t.active != nil {
			t.active.complete()
		}
		t.state.close()
		return nil, fmt.Errorf("open table %s: %w", cfg.def.name, err)
	}
	t.done.Go(func() { t.ingest(pending) })
	t.done.Go(t.seal)
	return t, nil
}

// ingest writes what feeders have until the queue is closed and empty.
func (t *table) ingest(pending []*memView) {
	defer close(t.full)
	defer func() { _ = t.wal.file.Close() }() // all that counts is synced
	for _, v := range pending {
		if !t.toSeal(v) {
			t.refuse(ErrClosed)
			return
		}
	}
	for {
		feeders, ok := t.queue.take()
		if !ok {
			return
		}
		began, size := time.Now(), t.wal.size
		if err := t.commitAll(feeders); err != nil {
			t.refuse(err)
			return
		}
		if t.wal.size-size < busyBytes {
			t.pause(t.interval - time.Since(began))
		}
	}
}

// refuse answers all feeders, those to come included, with err.
func (t *table) refuse(err error) {
	t.queue.close()
	for {
		feeders, ok := t.queue.take()
		if !ok {
			return
		}
		for _, f := range feeders {
			f.fed(err)
		}
	}
}

// pause lets rows gather, so that they share a commit.
func (t *table) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.closing:
	}
}

// busyBytes is from when on a commit is worth its sync without waiting for more
// rows to gather.
const busyBytes = 64 << 10

// commitBytes is how much a commit writes at most, or a block more.
const commitBytes = 4 << 20

// commitAll makes durable what the feeders have now. The error is that of a
// store closed while its disk refused to write.
func (t *table) commitAll(feeders []feeder) error {
	for len(feeders) > 0 {
		n, err := t.commit(feeders)
		if err != nil {
			n = len(feeders)
		}
		for _, f := range feeders[:n] {
			f.fed(err)
		}
		if err != nil {
			return err
		}
		feeders = feeders[n:]
	}
	return nil
}

// commit makes durable the rows of the first n feeders, with one sync.
func (t *table) commit(feeders []feeder) (n int, err error) {
	if t.walDue() {
		if err := t.rollWAL(); err != nil {
			return 0, err
		}
	}
	var c commit
	for n < len(feeders) && len(t.rec) < commitBytes && !t.walDue() {
		n += t.take(feeders[n:], &c)
	}
	defer t.resetRecord()
	if len(t.rec) == 0 {
		return n, nil
	}
	err = t.retry("write rows", func() error { return t.wal.commit(t.rec) }, feeders[:n])
	if err != nil {
		return n, err
	}
	t.walBytes.Store(t.wal.size)
	t.state.publish(c.full, t.mem.view(), c.moved)
	for _, v := range c.full {
		if !t.toSeal(v) {
			break // the store is being closed; the rows are in the log
		}
	}
	return n, nil
}

// commit is what a commit changes besides the open block.
type commit struct {
	full  []*memView
	moved positions
}

// take appends a record with rows of the first n feeders, as many as the open
// block has room for, and opens the next block if it is full.
func (t *table) take(feeders []feeder, c *commit) (n int) {
	from := t.mem.rows
	moved := positions{}
	for n < len(feeders) && !t.mem.full() {
		if more := feeders[n].feed(t.mem, moved); more {
			t.queue.again(feeders[n])
		}
		n++
	}
	if t.mem.rows == from && len(moved) == 0 {
		return n
	}
	t.rec = t.appendRecord(t.rec, from, moved)
	if c.moved == nil {
		c.moved = positions{}
	}
	maps.Copy(c.moved, moved)
	if t.mem.full() {
		v := t.mem.view()
		c.full = append(c.full, v)
		t.mem = newMemBlock(t.def, v.first+uint64(v.rows))
		clear(t.known)
	}
	return n
}

// appendRecord appends the log record of the rows from up to the open block's
// last.
func (t *table) appendRecord(b []byte, from int, moved positions) []byte {
	start := len(b)
	b = beginFrame(b)
	flags := byte(0)
	if from == 0 {
		flags = flagNewBlock
	}
	b = append(b, flags)
	b = t.mem.appendRows(b, from, t.known)
	b = appendPositions(b, moved)
	endFrame(b[start:])
	for i, col := range t.mem.tuples {
		t.known[i] = col.count()
	}
	return b
}

// resetRecord empties the buffer of records; a burst's memory is not kept.
func (t *table) resetRecord() {
	if t.rec = t.rec[:0]; cap(t.rec) > 256<<10 && t.queue.len() == 0 {
		t.rec = nil
	}
}

// toSeal hands a block to the seal goroutine. It waits when that is behind, as
// memory is all that is between them.
func (t *table) toSeal(v *memView) bool {
	select {
	case t.full <- v:
		return true
	case <-t.closing:
	}
	select {
	case t.full <- v: // room after all: one block less to read back
		return true
	default:
		return false // it is in the log
	}
}

// walDue reports whether a new log should begin now: this one is long enough,
// and no block is in both.
func (t *table) walDue() bool {
	return t.mem.rows == 0 && t.wal.size+int64(len(t.rec)) >= t.walLimit()
}

// rollWAL begins a new log.
func (t *table) rollWAL() error {
	var w *wal
	next := t.mem.first
	t.state.mu.Lock()
	t.state.positions.forget(time.Now())
	pos := t.state.positions
	t.state.mu.Unlock() // only this goroutine changes them
	err := t.retry("begin a new log", func() (err error) {
		w, err = createWAL(t.dir, t.wal.gen+1, t.def, next, pos, nil, t.open)
		return err
	}, nil)
	if err != nil {
		return err
	}
	_ = t.wal.file.Close() // all that counts is synced
	t.oldMu.Lock()
	t.old = append(t.old, oldWAL{t.wal.path, next, t.wal.size})
	t.oldMu.Unlock()
	t.wal = w
	t.walBytes.Store(w.size)
	return nil
}

// retry tries until it succeeds or the store is closed. It reports the first
// failure and the end of the trouble, and tells those who wait.
func (t *table) retry(what string, try func() error, waiting []feeder) error {
	for wait, failed := 100*time.Millisecond, false; ; wait = min(2*wait, 10*time.Second) {
		err := try()
		if err == nil {
			if failed {
				t.problems.add(Problem{What: fmt.Sprintf("%s: works again, nothing was lost", what), File: t.dir})
			}
			return nil
		}
		if !failed {
			failed = true
			t.problems.add(Problem{What: fmt.Sprintf("%s: %v; trying again until it works", what, err), File: t.dir})
			for _, f := range waiting {
				f.stuck(err)
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-t.closing:
			timer.Stop()
			return fmt.Errorf("%s: %w (%w)", what, err, ErrClosed)
		}
	}
}

// wait returns when the table's goroutines have.
func (t *table) wait() { t.done.Wait() }
