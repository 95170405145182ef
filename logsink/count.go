package logsink

import (
	"github.com/acalocal/acalocal/logsink/kql"
)

// Queries that count rows by names need no rows: how often each tuple occurs in
// a block says it all, and is remembered once it has been read.

// noTuples says that a count needs no column of tuples.
const noTuples = -1

// countable reports whether the part's rows may be counted by one column of
// tuples at most, and by which.
func (r *partReader) countable() (col int, ok bool) {
	q, p := &r.part, r.plan
	if q.end() > p.end || len(p.texts) > 0 {
		return 0, false
	}
	for _, t := range p.numbers {
		if q.block == nil || q.block.ints[t.col].min < t.min || q.block.ints[t.col].max > t.max {
			return 0, false
		}
	}
	col = noTuples
	need := func(c int) bool {
		ok := col == noTuples || col == c
		col = c
		return ok
	}
	for i := range p.names {
		if _, all := p.names[i].allowed(*q); !all && !need(p.names[i].col) {
			return 0, false
		}
	}
	for _, c := range p.columns {
		switch c := p.view.columns[c]; c.origin {
		case fromConstant:
		case fromTuple:
			if !need(c.col) {
				return 0, false
			}
		default:
			return 0, false
		}
	}
	return col, true
}

// known makes the block of a part that can be counted without reading anything;
// ok says that it can. The block is nil when no row passes.
func (r *partReader) known(plan *scanPlan, q part) (b *kql.Block, ok bool) {
	r.plan, r.part = plan, q
	col, ok := r.countable()
	if !ok || !r.counted(col) {
		return nil, false
	}
	b, err := r.count(col)
	return b, err == nil
}

// counted reports whether the counts by a column are remembered.
func (r *partReader) counted(col int) bool {
	q := &r.part
	switch {
	case q.min < r.plan.min || q.max > r.plan.max:
		return q.edge(col) != nil
	case col == noTuples:
		return true
	}
	return q.block != nil && q.block.counts[col].Load() != nil
}

// count makes a block with a row for each tuple of a column that passes.
func (r *partReader) count(col int) (*kql.Block, error) {
	counts, err := r.counts(col)
	if err != nil {
		return nil, err
	}
	var values []string
	width := 1
	passes := []bool{true}
	if col != noTuples {
		values, width = r.part.names(col)
		passes = r.passing(col, len(counts))
	}
	b := &kql.Block{Columns: make([]*kql.Vector, len(r.plan.view.columns))}
	codes := make([]int, 0, len(counts))
	for code, rows := range counts {
		if rows > 0 && passes[code] {
			codes, b.Counts = append(codes, code), append(b.Counts, int64(rows))
		}
	}
	if b.Rows = len(codes); b.Rows == 0 {
		return nil, nil
	}
	for _, c := range r.plan.columns {
		b.Columns[c] = countedColumn(r.plan.view.columns[c], codes, values, width)
	}
	return b, nil
}

// countedColumn has a constant, or a field of some tuples.
func countedColumn(c viewColumn, codes []int, values []string, width int) *kql.Vector {
	if c.origin == fromConstant && c.Type == kql.Real {
		return &kql.Vector{Type: kql.Real, Reals: make([]float64, len(codes))}
	}
	v := &kql.Vector{Type: kql.String, Dict: make([]string, len(codes)), Codes: make([]uint32, len(codes))}
	for i, code := range codes {
		v.Codes[i], v.Dict[i] = uint32(i), c.text
		if c.origin == fromTuple {
			v.Dict[i] = values[code*width+c.field]
		}
	}
	return v
}

// counts returns how often each tuple of a column occurs in the time asked for;
// of no column, there is one.
func (r *partReader) counts(col int) ([]uint32, error) {
	q := &r.part
	whole := q.min >= r.plan.min && q.max <= r.plan.max
	switch {
	case whole && col == noTuples:
		return []uint32{uint32(q.rows)}, nil
	case whole:
		return r.countsOf(col)
	}
	if e := q.edge(col); e != nil {
		return e.within(r.plan.min, r.plan.max), nil
	}
	e, err := r.readEdge(col)
	if err != nil {
		return nil, err
	}
	if q.block != nil && len(e.ends) <= maxKeptCounts {
		r.edges.keep(q.block, e)
	}
	return e.within(r.plan.min, r.plan.max), nil
}

// passing tells which of a column's tuples pass all tests of names.
func (r *partReader) passing(col, n int) []bool {
	passes := make([]bool, n)
	for i := range passes {
		passes[i] = true
	}
	for i := range r.plan.names {
		t := &r.plan.names[i]
		if t.col != col {
			continue
		}
		allowed, _ := t.allowed(r.part)
		for code := range passes {
			passes[code] = passes[code] && code < len(allowed) && allowed[code]
		}
	}
	return passes
}

// maxKeptCounts is how many tuples a column may have for its counts to be
// remembered: they are four bytes each, and there are many blocks.
const maxKeptCounts = 256

// countsOf returns how often each tuple of a column occurs in the part.
func (r *partReader) countsOf(col int) ([]uint32, error) {
	if b := r.part.block; b != nil {
		if c := b.counts[col].Load(); c != nil {
			return *c, nil
		}
	}
	column, err := r.tuplesOf(col)
	if err != nil {
		return nil, err
	}
	c := countCodes(column, r.part.rows)
	if b := r.part.block; b != nil && len(c) <= maxKeptCounts {
		b.counts[col].Store(&c)
	}
	return c, nil
}

func countCodes(t tuples, rows int) []uint32 {
	c := make([]uint32, t.count())
	for _, code := range t.codes[:rows] {
		c[code]++
	}
	return c
}
