package logsink

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
)

// state is what readers of a table see: sealed blocks, then blocks being
// sealed, then the open one, in the order of their rows' sequence numbers.
// The ingest goroutine and the seal goroutine change it.
type state struct {
	mu        sync.Mutex
	segments  []*segment
	blocks    []*sealed
	sealing   []*memView
	open      *memView
	positions positions
	changed   chan struct{} // closed when rows are added
	closed    bool
}

// snapshot is a table's rows at one instant. Release must be called.
type snapshot struct {
	state    *state
	segments []*segment
	blocks   []*sealed
	views    []*memView
	changed  <-chan struct{}
	problems *problems
}

// snapshot returns the rows there are now; after close, those in memory.
func (s *state) snapshot(p *problems) *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return &snapshot{state: s, problems: p, views: append(slices.Clone(s.sealing), s.open), changed: s.changed}
	}
	for _, seg := range s.segments {
		seg.refs++
	}
	return &snapshot{
		state: s, problems: p,
		segments: slices.Clip(s.segments), blocks: slices.Clip(s.blocks),
		views:   append(slices.Clone(s.sealing), s.open),
		changed: s.changed,
	}
}

// release ends the use of the snapshot. Texts and numbers already read from
// its blocks stay valid.
func (s *snapshot) release() {
	var gone []*segment
	s.state.mu.Lock()
	for _, seg := range s.segments {
		if seg.refs--; seg.refs == 0 && (seg.retired || s.state.closed) {
			gone = append(gone, seg)
		}
	}
	s.state.mu.Unlock()
	dropSegments(gone, s.problems)
}

// damaged takes a block out of service, once.
func (s *snapshot) damaged(b *sealed, err error) {
	if b.bad.Swap(true) {
		return
	}
	s.problems.add(Problem{
		What: fmt.Sprintf("block at %d is damaged (%v): its rows are no longer served", b.off, err),
		File: b.seg.path, Lost: int64(b.rows),
	})
}

// publish shows what a commit has made durable: blocks that became full, the
// open block and positions.
func (s *state) publish(full []*memView, open *memView, moved positions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealing = append(slices.Clip(s.sealing), full...)
	s.open = open
	maps.Copy(s.positions, moved)
	close(s.changed)
	s.changed = make(chan struct{})
}

// seal replaces the oldest blocks being sealed by what they have become.
func (s *state) seal(seg *segment, blocks []*sealed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.segments) == 0 || s.segments[len(s.segments)-1] != seg {
		s.segments = append(slices.Clip(s.segments), seg)
	}
	s.blocks = append(s.blocks, blocks...) // snapshots see only their own length
	s.sealing = s.sealing[len(blocks):]
}

// retire takes the oldest segment out of view and returns it if nobody reads it.
func (s *state) retire() (gone *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg := s.segments[0]
	s.segments = slices.Clone(s.segments[1:])
	n := slices.IndexFunc(s.blocks, func(b *sealed) bool { return b.seg != seg })
	if n < 0 {
		n = len(s.blocks)
	}
	s.blocks = slices.Clone(s.blocks[n:])
	seg.retired = true
	if seg.refs > 0 {
		return nil
	}
	return seg
}

// position returns how far the container's streams are stored.
func (s *state) position(id string) position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.positions[id]
}

// dropSegments closes segments nobody reads and deletes those that are retired.
func dropSegments(segs []*segment, p *problems) {
	for _, seg := range segs {
		_ = seg.view.close() // only reading is over
		if !seg.retired {
			continue
		}
		if err := os.Remove(seg.path); err != nil && !os.IsNotExist(err) {
			p.add(Problem{What: "remove old rows: " + err.Error(), File: seg.path})
		}
	}
}

// close wakes those who wait for rows, and closes the segments nobody reads.
func (s *state) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	close(s.changed)
	s.changed = make(chan struct{})
	for _, seg := range s.segments {
		if seg.refs == 0 {
			_ = seg.view.close() // only reading is over
		}
	}
}
