package logsink

import (
	"slices"
	"sort"
	"sync"
)

// edge is the times of a block, by tuple of a column. A range of time that ends
// within the block is counted by halving, not by reading: queries for the last
// hour come again and again, and meet the same few blocks at its edge.
type edge struct {
	col   int      // noTuples: the times of all rows
	times []int64  // of the first tuple, of the second …, each in order
	ends  []uint32 // of each tuple's times
}

// newEdge makes the edge of a block's times and the codes of its n tuples.
func newEdge(col, n int, times []int64, codes []uint32) *edge {
	e := &edge{col: col, times: make([]int64, len(times)), ends: make([]uint32, n)}
	for _, code := range codes {
		e.ends[code]++
	}
	next := make([]uint32, n) // where each tuple's next time goes
	total := uint32(0)
	for code, rows := range e.ends {
		next[code] = total
		total += rows
		e.ends[code] = total
	}
	for i, t := range times {
		code := codes[i]
		e.times[next[code]] = t
		next[code]++
	}
	from := uint32(0)
	for _, end := range e.ends {
		if of := e.times[from:end]; !slices.IsSorted(of) { // they are when each is of one container
			slices.Sort(of)
		}
		from = end
	}
	return e
}

// within returns how many rows of each tuple are from lo to hi.
func (e *edge) within(lo, hi int64) []uint32 {
	counts := make([]uint32, len(e.ends))
	from := uint32(0)
	for code, end := range e.ends {
		of := e.times[from:end]
		first := sort.Search(len(of), func(i int) bool { return of[i] >= lo })
		behind := sort.Search(len(of), func(i int) bool { return of[i] > hi })
		counts[code] = uint32(max(behind-first, 0))
		from = end
	}
	return counts
}

// maxEdges is how many edges a table keeps: each is about 64 KiB.
const maxEdges = 64

// edges is the edges a table keeps, the last ones made.
type edges struct {
	mu   sync.Mutex
	kept [maxEdges]*sealed // guarded by mu
	next int               // guarded by mu
}

// keep makes e the edge of b, and forgets the oldest one.
func (k *edges) keep(b *sealed, e *edge) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if b.edge.Swap(e) != nil {
		return
	}
	if old := k.kept[k.next]; old != nil {
		old.edge.Store(nil)
	}
	k.kept[k.next] = b
	k.next = (k.next + 1) % maxEdges
}

// edge returns the block's edge by a column, if it is kept.
func (p *part) edge(col int) *edge {
	if p.block == nil {
		return nil
	}
	if e := p.block.edge.Load(); e != nil && e.col == col {
		return e
	}
	return nil
}

// readEdge makes the edge of the part that is read.
func (r *partReader) readEdge(col int) (*edge, error) {
	times, err := r.intsOf(0)
	if err != nil {
		return nil, err
	}
	times = times[:r.part.rows]
	if col == noTuples {
		return newEdge(col, 1, times, zeros(len(times))), nil
	}
	names, err := r.tuplesOf(col)
	if err != nil {
		return nil, err
	}
	return newEdge(col, names.count(), times, names.codes[:r.part.rows]), nil
}
