package logsink

import (
	"fmt"
	"os"
	"slices"
	"time"
)

// retainEvery is how often old rows are looked for when nothing is sealed.
const retainEvery = time.Minute

// seal writes full blocks to segments and keeps the table within its bounds,
// until the channel of full blocks is closed.
func (t *table) seal() {
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	defer func() {
		if t.active != nil {
			t.active.complete()
		}
	}()
	var s sealer
	for {
		select {
		case v, ok := <-t.full:
			if !ok {
				return
			}
			if t.sealAll(&s, t.gather(v)) != nil {
				return // closed while the disk refused; the rows are in the log
			}
			s.busy = true
		case <-tick.C:
			if !s.busy {
				s = sealer{} // buffers are for busy times
			}
			s.busy = false
		}
		t.retain(time.Now())
	}
}

// gather returns v and the blocks that wait behind it.
func (t *table) gather(v *memView) []*memView {
	views := []*memView{v}
	for {
		select {
		case v, ok := <-t.full:
			if !ok {
				return views
			}
			views = append(views, v)
		default:
			return views
		}
	}
}

// sealer holds what the seal goroutine needs while it is busy.
type sealer struct {
	enc  *blockEncoder
	buf  []byte
	busy bool
}

// sealAll appends the blocks to the newest segment, durably, shows them to
// readers and frees the logs they were in.
func (t *table) sealAll(s *sealer, views []*memView) error {
	var blocks []*sealed
	err := t.retry("write segment", func() (err error) {
		blocks, err = t.writeBlocks(s, views)
		return err
	}, nil)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		t.active.max = max(t.active.max, b.max)
	}
	t.state.seal(t.active, blocks)
	last := blocks[len(blocks)-1]
	t.freeWALs(last.first + uint64(last.rows))
	return nil
}

func (t *table) writeBlocks(s *sealer, views []*memView) ([]*sealed, error) {
	if err := t.ensureSegment(views[0].first); err != nil {
		return nil, err
	}
	seg, start := t.active, t.active.size
	blocks, err := s.write(seg, views)
	if err == nil {
		err = seg.sync()
	}
	if err != nil {
		seg.size = start // nothing of it counts
		return nil, err
	}
	return blocks, nil
}

// ensureSegment makes sure that there is a segment with room.
func (t *table) ensureSegment(first uint64) error {
	if t.active != nil && t.active.size < t.segmentLimit() {
		return nil
	}
	seg, err := createSegment(t.dir, first, t.def, t.open)
	if err != nil {
		return err
	}
	if t.active != nil {
		t.active.complete()
	}
	t.active = seg
	return nil
}

func (s *sealer) write(seg *segment, views []*memView) ([]*sealed, error) {
	if s.enc == nil {
		c, err := newCompressor()
		if err != nil {
			return nil, err
		}
		s.enc = &blockEncoder{compressor: c}
	}
	blocks := make([]*sealed, 0, len(views))
	for _, v := range views {
		s.buf = s.enc.append(s.buf[:0], v)
		off, err := seg.write(s.buf)
		if err != nil {
			return nil, err
		}
		b, err := seg.readBlock(v.def, off, noIntern)
		if err != nil {
			return nil, fmt.Errorf("read back block: %w", err)
		}
		// Names are in memory already; share them.
		for i := range b.tuples {
			b.tuples[i].values = v.tuples[i].values
		}
		blocks = append(blocks, b)
	}
	return blocks, nil
}

func noIntern(s string) string { return s }

// freeWALs removes the logs whose rows are all before end and so in segments.
func (t *table) freeWALs(end uint64) {
	t.oldMu.Lock()
	n := slices.IndexFunc(t.old, func(w oldWAL) bool { return w.end > end })
	if n < 0 {
		n = len(t.old)
	}
	free := t.old[:n]
	t.old = slices.Clone(t.old[n:])
	t.oldMu.Unlock()
	for _, w := range free {
		if err := os.Remove(w.path); err != nil && !os.IsNotExist(err) {
			t.problems.add(Problem{What: "remove old log: " + err.Error(), File: w.path})
		}
	}
}

// retain removes the oldest segments until the table is within its bounds.
// The newest segment is never removed for its size.
func (t *table) retain(now time.Time) {
	oldest := toTicks(now.Add(-t.maxAge).UnixNano())
	t.state.mu.Lock()
	segments := t.state.segments
	t.state.mu.Unlock() // only this goroutine changes the list
	total := t.logBytes()
	for _, seg := range segments {
		total += seg.size
	}
	for i, seg := range segments {
		tooOld := seg.max < oldest
		tooMuch := total > t.maxBytes && i < len(segments)-1
		if !tooOld && !tooMuch {
			return
		}
		total -= seg.size
		if seg == t.active {
			t.active.complete()
			t.active = nil
		}
		if gone := t.state.retire(); gone != nil {
			dropSegments([]*segment{gone}, t.problems)
		}
	}
}

// logBytes returns the size of the table's logs.
func (t *table) logBytes() int64 {
	t.oldMu.Lock()
	defer t.oldMu.Unlock()
	total := t.walBytes.Load()
	for _, w := range t.old {
		total += w.size
	}
	return total
}
