package logsink

import (
	"slices"
	"time"
)

// Cursor says where to take up a container's stream again.
type Cursor struct {
	// Since is what to ask the engine's `since` for: no later than the first
	// entry that is not stored. The zero time means from the beginning.
	//
	// The engine will repeat entries that are stored. Ingest recognises them,
	// so callers hand over everything the engine gives.
	Since time.Time
}

// slack is how far before its last entry a stream is asked for again. The
// engine stamps the two streams of a container in two goroutines, so an entry
// can follow one that is slightly younger.
const slack = 2 * time.Second

// mark is the position in one stream of a container up to which it is stored.
//
// Entries are told apart by their time and their order. As engines stamp with
// the wall clock, which can be set back, older entries may carry later times
// than newer ones: then back holds, for each time the clock was set back, the
// highest time reached before, as long as a replay from time would repeat it.
type mark struct {
	time  int64   // unix nanoseconds of the last stored entry
	count int     // how many entries at exactly that time are stored
	skip  int     // how many bytes of the entry after them are stored
	back  []int64 // see above; oldest first
}

// advance notes that one more entry, stamped t, is stored whole.
func (m *mark) advance(t int64) {
	m.skip = 0
	switch {
	case m.count > 0 && t == m.time:
		m.count++
		return
	case m.count > 0 && t < m.time:
		m.back = append(slices.Clip(m.back), m.time)
	}
	if len(m.back) > 0 { // copies of m may share it: never change it in place
		m.back = slices.DeleteFunc(slices.Clone(m.back), func(b int64) bool { return b < t })
	}
	m.time, m.count = t, 1
}

// position is how far a container's two streams are stored.
type position struct {
	last    int64 // unix nanoseconds of the entry stored last, of either stream
	pending int64 // time of the oldest entry seen but not stored whole; 0: none
	tick    int64 // time_t of the container's newest row
	seen    int64 // unix seconds of the last change, for forgetting old ones
	streams [2]mark
}

func (p position) cursor() Cursor {
	if p.last == 0 {
		return Cursor{}
	}
	since := p.last
	if p.pending != 0 {
		since = min(since, p.pending)
	}
	return Cursor{Since: time.Unix(0, since).Add(-slack).UTC()}
}

// replay recognises, at the beginning of a stream that was taken up again, the
// entries that are stored.
type replay struct {
	to   mark
	back int   // how often the clock must still be seen set back
	prev int64 // time of the entry before
	at   int   // entries met at exactly to.time
	done bool
}

func newReplay(to mark) replay {
	return replay{to: to, back: len(to.back), done: to.count == 0}
}

// stored reports whether the entry stamped t is stored; if it is not, skip is
// how many of its first bytes are. Once it said no, it says no for ever.
func (r *replay) stored(t int64) (yes bool, skip int) {
	if r.done {
		return false, 0
	}
	if r.back > 0 && t < r.prev {
		r.back--
	}
	r.prev = t
	switch {
	case r.back > 0, t < r.to.time:
		return true, 0
	case t == r.to.time && r.at < r.to.count:
		r.at++
		return true, 0
	}
	r.done = true
	return false, r.to.skip
}
