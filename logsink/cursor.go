package logsink

import (
	"bytes"
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

// slack is how far before its newest entry a stream is asked for again. The
// engine stamps the two streams of a container in two goroutines, so an entry
// can follow one that is slightly younger, and some engines leave out every
// entry that is older than what was asked for.
const slack = 2 * time.Second

// mark is a place in the log of a container: behind an entry.
//
// Entries are told apart by their time and their order. Engines stamp with the
// wall clock, which can be set back, so older entries may carry later times
// than newer ones: back holds the times from which it went down and which no
// entry since has passed, oldest first. A log read again from before the mark
// repeats each of them.
type mark struct {
	time  int64 // unix nanoseconds of the entry
	count int   // how many entries there are at that time, since the last of back
	back  []int64
}

// advance moves the mark behind one more entry, stamped t.
func (m *mark) advance(t int64) {
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

// position is what has become of a container's log: all entries up to a mark
// have been seen, and are in rows but for the last few of each stream, which
// belong to a line whose end has not come.
type position struct {
	mark    mark
	oldest  int64 // time of the oldest entry that is not in rows whole; 0: none
	tick    int64 // time_t of the container's newest row
	seen    int64 // unix seconds of the last change, for forgetting old ones
	streams [2]pending
}

// pending is the end of a stream that is not in rows.
type pending struct {
	entries int // how many of its last entries
	skip    int // how many bytes of the first of them are in rows
}

func (p position) cursor() Cursor {
	if p.mark.count == 0 {
		return Cursor{}
	}
	since := p.mark.time
	if p.oldest != 0 {
		since = min(since, p.oldest)
	}
	return Cursor{Since: time.Unix(0, since).Add(-slack).UTC()}
}

// replay recognises, when a log is taken up again before a position, the
// entries that have been seen, and keeps those of them that are not in rows.
type replay struct {
	to   position
	back []int64 // of the mark: those still to come
	high int64   // no seen entry is later
	prev int64   // time of the entry before
	at   int     // entries met at exactly the mark's time
	done bool
	kept [2][]Entry
}

func newReplay(to position) *replay {
	return &replay{
		to: to, back: to.mark.back, done: to.mark.count == 0,
		high: slices.Max(append([]int64{to.mark.time}, to.mark.back...)),
	}
}

// seen reports whether e has been seen. Once it said no, or met the last entry
// that has been, it is done.
func (r *replay) seen(e Entry) bool {
	if r.done {
		return false
	}
	t := e.Time.UnixNano()
	if len(r.back) > 0 && t < r.prev && r.prev == r.back[0] {
		r.back = r.back[1:]
	}
	r.prev = t
	switch {
	case t > r.high, len(r.back) == 0 && t > r.to.mark.time:
		r.done = true // what was to come before is gone from the engine's log
		return false
	case len(r.back) == 0 && t == r.to.mark.time:
		r.at++
		r.done = r.at == r.to.mark.count
	}
	r.keep(e)
	return true
}

// keep remembers e if it may be one of its stream's last.
func (r *replay) keep(e Entry) {
	k := &r.kept[e.Stream&1]
	n := r.to.streams[e.Stream&1].entries
	if n == 0 {
		return
	}
	if len(*k) == n {
		*k = slices.Delete(*k, 0, 1)
	}
	e.Data = bytes.Clone(e.Data)
	*k = append(*k, e)
}

// pending returns the entries that were seen and are not in rows, without the
// bytes that are.
func (r *replay) pending() []Entry {
	var list []Entry
	for i, k := range r.kept {
		if len(k) > 0 && len(k) == r.to.streams[i].entries {
			k[0].Data = k[0].Data[min(r.to.streams[i].skip, len(k[0].Data)):]
		}
		list = append(list, k...)
	}
	return list
}
