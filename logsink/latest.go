package logsink

import "math"

// A block is of several containers, so that the newest of its rows says little
// about those of one app. Once the times and the names of a block have been
// read together, the newest time of each tuple is remembered: who asks for an
// app's newest rows again does not meet blocks that cannot have them.

// latest returns a time that no row of q which may pass is later than.
func (p *scanPlan) latest(q part) int64 {
	latest := q.max
	if q.block == nil {
		return latest
	}
	for i := range p.names {
		t := &p.names[i]
		times := q.block.latest[t.col].Load()
		if times == nil {
			continue
		}
		of := int64(math.MinInt64)
		values, width := q.names(t.col)
		for code, newest := range *times {
			if newest > of && passesName(values[code*width+t.field], t.pred) {
				of = newest
			}
		}
		latest = min(latest, of)
	}
	return latest
}

// keepLatest remembers the newest time of each tuple of a column.
func (b *sealed) keepLatest(col int, codes []uint32, times []int64) {
	t := &b.tuples[col]
	n := len(t.values) / t.width
	if n > maxKeptCounts || b.latest[col].Load() != nil {
		return
	}
	newest := make([]int64, n)
	for i := range newest {
		newest[i] = math.MinInt64
	}
	for i, code := range codes {
		newest[code] = max(newest[code], times[i])
	}
	b.latest[col].Store(&newest)
}
