package logsink

import (
	"container/heap"
	"math/bits"
	"slices"
	"sync"

	"github.com/acalocal/acalocal/logsink/kql"
)

// partReader turns parts into the blocks a plan asks for. It is used by one
// goroutine.
type partReader struct {
	edges *edges
	mem   columns
	kept  []int64 // scratch
	lower []byte  // scratch

	plan *scanPlan
	part part
	sel  []int32 // rows to keep, nil for all
	rows int

	ints   map[int][]int64
	tuples map[int]tuples
	texts  map[int]texts
}

func newPartReader() *partReader {
	return &partReader{ints: map[int][]int64{}, tuples: map[int]tuples{}, texts: map[int]texts{}}
}

// partReaders keeps readers and their memory from one scan to the next.
var partReaders = sync.Pool{New: func() any { return newPartReader() }}

// borrowPartReader returns a reader for parts of a table with these edges.
func borrowPartReader(e *edges) *partReader {
	r := partReaders.Get().(*partReader)
	r.edges = e
	return r
}

// giveBack ends the use of r.
func (r *partReader) giveBack() {
	r.edges, r.plan, r.part = nil, nil, part{}
	clear(r.ints)
	clear(r.tuples)
	clear(r.texts)
	partReaders.Put(r)
}

// read returns the rows of q that may pass, nil if there are none.
func (r *partReader) read(plan *scanPlan, q part) (*kql.Block, error) {
	r.plan, r.part, r.sel, r.rows = plan, q, nil, q.rows
	clear(r.ints)
	clear(r.tuples)
	clear(r.texts)
	if plan.counted {
		if col, ok := r.countable(); ok {
			return r.count(col)
		}
	}
	if err := r.choose(); err != nil || r.rows == 0 {
		return nil, err
	}
	return r.block()
}

// block makes the block of the rows kept.
func (r *partReader) block() (*kql.Block, error) {
	b := &kql.Block{Rows: r.rows, Columns: make([]*kql.Vector, len(r.plan.view.columns))}
	for _, c := range r.plan.columns {
		v, err := r.vector(r.plan.view.columns[c])
		if err != nil {
			return nil, err
		}
		b.Columns[c] = v
	}
	return b, nil
}

// choose finds the rows to keep, cheap tests first.
func (r *partReader) choose() error {
	sel := fullBitmap(r.rows)
	if n := r.plan.end - r.part.first; n < uint64(r.rows) {
		clearFrom(sel, int(n))
	}
	if err := r.byNames(sel); err != nil {
		return err
	}
	if err := r.byNumbers(sel); err != nil {
		return err
	}
	if err := r.byTexts(sel); err != nil {
		return err
	}
	if err := r.byAge(sel); err != nil {
		return err
	}
	r.keep(sel)
	if n := r.plan.limit; r.plan.newest && 0 < n && n < int64(r.rows) {
		return r.keepNewest(int(n))
	}
	return nil
}

// keepNewest keeps the n rows with the latest times, of equal ones the first.
// It goes backwards, as times mostly rise: then most rows cost one comparison.
func (r *partReader) keepNewest(n int) error {
	times, err := r.intsOf(0)
	if err != nil {
		return err
	}
	row := func(k int) int32 {
		if r.sel == nil {
			return int32(k)
		}
		return r.sel[k]
	}
	kept := make(newestRows, 0, n) // its root is the oldest
	for k := r.rows - 1; k >= 0; k-- {
		e := timedRow{times[row(k)], row(k)}
		switch {
		case len(kept) < n:
			if kept = append(kept, e); len(kept) == n {
				heap.Init(&kept)
			}
		case !e.before(kept[0]):
			kept[0] = e
			heap.Fix(&kept, 0)
		}
	}
	r.sel, r.rows = make([]int32, n), n
	for i, e := range kept {
		r.sel[i] = e.row
	}
	slices.Sort(r.sel)
	return nil
}

// timedRow is a row and its time.
type timedRow struct {
	time int64
	row  int32
}

// before reports whether e is older than o, or as old and behind it.
func (e timedRow) before(o timedRow) bool {
	return e.time < o.time || e.time == o.time && e.row > o.row
}

// newestRows implements heap.Interface: the oldest comes first.
type newestRows []timedRow

func (h newestRows) Len() int           { return len(h) }
func (h newestRows) Less(i, j int) bool { return h[i].before(h[j]) }
func (h newestRows) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *newestRows) Push(x any)        { *h = append(*h, x.(timedRow)) }
func (h *newestRows) Pop() any          { panic("bug: nothing is taken from the newest rows") }

func (r *partReader) byNames(sel kql.Bitmap) error {
	for i := range r.plan.names {
		t := &r.plan.names[i]
		allowed, all := t.allowed(r.part)
		if all {
			continue
		}
		col, err := r.tuplesOf(t.col)
		if err != nil {
			return err
		}
		for i, code := range col.codes[:r.part.rows] {
			if !allowed[code] {
				sel[i>>6] &^= 1 << (i & 63)
			}
		}
	}
	return nil
}

func (r *partReader) byNumbers(sel kql.Bitmap) error {
	tests := r.plan.numbers
	if r.part.min < r.plan.min || r.part.max > r.plan.max {
		tests = append([]numberTest{{0, r.plan.min, r.plan.max}}, tests...)
	}
	for _, t := range tests {
		values, err := r.intsOf(t.col)
		if err != nil {
			return err
		}
		for i, v := range values {
			if v < t.min || v > t.max {
				sel[i>>6] &^= 1 << (i & 63)
			}
		}
	}
	return nil
}

func (r *partReader) byTexts(sel kql.Bitmap) error {
	var scratch textScratch
	last := -1
	for i := range r.plan.texts {
		t := &r.plan.texts[i]
		if isZero(sel) {
			return nil
		}
		col, err := r.textsOf(t.col)
		if err != nil {
			return err
		}
		if t.col != last {
			scratch, last = textScratch{lower: r.lower}, t.col
		}
		ascii := r.part.block != nil && r.part.block.texts[t.col].ascii || isASCII(col.data)
		t.rows(&scratch, col, ascii, sel)
		r.lower = scratch.lower
	}
	return nil
}

// keep turns the bits left into row numbers.
func (r *partReader) keep(sel kql.Bitmap) {
	n := 0
	for _, w := range sel {
		n += bits.OnesCount64(w)
	}
	if n == r.rows {
		return
	}
	rows := make([]int32, 0, n)
	for i, w := range sel {
		for ; w != 0; w &= w - 1 {
			rows = append(rows, int32(i*64+bits.TrailingZeros64(w)))
		}
	}
	r.sel, r.rows = rows, n
}

func (r *partReader) intsOf(col int) ([]int64, error) {
	if v, ok := r.ints[col]; ok {
		return v, nil
	}
	v, err := r.part.ints(col, &r.mem)
	r.ints[col] = v
	return v, err
}

func (r *partReader) tuplesOf(col int) (tuples, error) {
	if v, ok := r.tuples[col]; ok {
		return v, nil
	}
	v, err := r.part.tuples(col, &r.mem)
	r.tuples[col] = v
	return v, err
}

func (r *partReader) textsOf(col int) (texts, error) {
	if v, ok := r.texts[col]; ok {
		return v, nil
	}
	v, err := r.part.texts(col, &r.mem)
	r.texts[col] = v
	return v, err
}

// vector makes the values of a view's column for the rows kept.
func (r *partReader) vector(c viewColumn) (*kql.Vector, error) {
	switch c.origin {
	case fromTuple:
		return r.names(c)
	case fromText:
		return r.strings(c)
	case fromTime, fromUnix, fromEvent:
		times, err := r.intsKept(0)
		if err != nil {
			return nil, err
		}
		return ofTime(c, times), nil
	case fromInt:
		values, err := r.intsKept(c.col)
		if err != nil {
			return nil, err
		}
		return ofInts(c, values), nil
	case fromBool, fromReal, fromSeverity, fromBucket:
		values, err := r.intsKept(c.col)
		if err != nil {
			return nil, err
		}
		return ofNumbers(c, values), nil
	case fromJSON:
		text, err := r.strings(c)
		if err != nil {
			return nil, err
		}
		return ofJSON(text), nil
	case fromSeq:
		return r.seqs(), nil
	}
	if c.Type == kql.Real {
		return &kql.Vector{Type: kql.Real, Reals: make([]float64, r.rows)}, nil
	}
	return &kql.Vector{Type: kql.String, Codes: zeros(r.rows), Dict: []string{c.text}}, nil
}

// someZeros is shared by columns with one value; nobody changes it.
var someZeros [2 * sealRows]uint32

func zeros(n int) []uint32 {
	if n <= len(someZeros) {
		return someZeros[:n:n]
	}
	return make([]uint32, n)
}

// names makes a vector in dictionary form. Tuples that differ in other fields
// only become one entry.
func (r *partReader) names(c viewColumn) (*kql.Vector, error) {
	if values, width := r.part.names(c.col); len(values) == width {
		return &kql.Vector{Type: kql.String, Codes: zeros(r.rows), Dict: values[c.field : c.field+1 : c.field+1]}, nil
	}
	col, err := r.tuplesOf(c.col)
	if err != nil {
		return nil, err
	}
	v := &kql.Vector{Type: kql.String, Codes: pick(col.codes[:r.part.rows], r.sel)}
	if r.sel == nil {
		*slot(&r.mem.codes, c.col) = nil // the block refers to it
	}
	index := map[string]uint32{}
	mapped := make([]uint32, col.count())
	for i := range mapped {
		s := col.values[i*col.width+c.field]
		code, ok := index[s]
		if !ok {
			code = uint32(len(v.Dict))
			index[s] = code
			v.Dict = append(v.Dict, s)
		}
		mapped[i] = code
	}
	if len(v.Dict) == len(mapped) {
		return v, nil
	}
	codes := make([]uint32, len(v.Codes))
	for i, code := range v.Codes {
		codes[i] = mapped[code]
	}
	v.Codes = codes
	return v, nil
}

// intsKept returns a column's numbers of the rows kept, for a block.
func (r *partReader) intsKept(col int) ([]int64, error) {
	values, err := r.intsOf(col)
	if r.sel == nil {
		*slot(&r.mem.ints, col) = nil // the block refers to it
	}
	return pick(values, r.sel), err
}

// textsKept returns a column's texts of at least the rows kept.
func (r *partReader) textsKept(col int) (texts, error) {
	if _, read := r.texts[col]; read || r.sel == nil {
		return r.textsOf(col)
	}
	return r.part.textRows(col, int(r.sel[0]), int(r.sel[len(r.sel)-1]), &r.mem)
}

func (r *partReader) strings(c viewColumn) (*kql.Vector, error) {
	col, err := r.textsKept(c.col)
	if err != nil {
		return nil, err
	}
	v := &kql.Vector{Type: kql.String, Strs: make([]string, r.rows)}
	switch {
	case r.sel == nil:
		from := uint32(0)
		all := asString(col.data)
		for i, end := range col.ends[:r.rows] {
			v.Strs[i] = all[from:end]
			from = end
		}
	case len(r.sel) < r.part.rows/8:
		copyTexts(v.Strs, col, r.sel)
		return v, nil
	default:
		for k, i := range r.sel {
			v.Strs[k] = col.at(int(i))
		}
	}
	*slot(&r.mem.texts, c.col) = nil // the block refers to it
	return v, nil
}

// copyTexts fills strs with copies of the rows, so that a few of them do not
// hold on to all.
func copyTexts(strs []string, col texts, rows []int32) {
	size := 0
	for _, i := range rows {
		size += len(col.at(int(i)))
	}
	buf := make([]byte, 0, size)
	for k, i := range rows {
		from := len(buf)
		buf = append(buf, col.at(int(i))...)
		strs[k] = asString(buf[from:])
	}
}

func (r *partReader) seqs() *kql.Vector {
	v := &kql.Vector{Type: kql.Real, Reals: make([]float64, r.rows)}
	for k := range v.Reals {
		i := k
		if r.sel != nil {
			i = int(r.sel[k])
		}
		v.Reals[k] = float64(r.part.first + uint64(i))
	}
	return v
}

// ofTime makes a column from the rows' times.
func ofTime(c viewColumn, times []int64) *kql.Vector {
	v := &kql.Vector{Type: c.Type}
	switch c.origin {
	case fromUnix:
		v.Reals = make([]float64, len(times))
		for i, t := range times {
			v.Reals[i] = float64(t-ticksToUnix) / 1e7
		}
	case fromEvent:
		v.Strs = make([]string, len(times))
		for i, t := range times {
			v.Strs[i] = fromTicks(t).Format(layoutEvent)
		}
	default:
		v.Ints = times
	}
	return v
}

// ofInts makes a column from stored numbers.
func ofInts(c viewColumn, values []int64) *kql.Vector {
	v := &kql.Vector{Type: c.Type}
	if c.Type == kql.Real {
		v.Reals = make([]float64, len(values))
		for i, n := range values {
			v.Reals[i] = float64(n / c.scale)
		}
		return v
	}
	if c.scale == 1 {
		v.Ints = values
		return v
	}
	v.Ints = make([]int64, len(values))
	for i, n := range values {
		v.Ints[i] = n / c.scale
	}
	return v
}

// pick returns the chosen values, all of them if sel is nil.
func pick[T any](values []T, sel []int32) []T {
	if sel == nil {
		return values
	}
	out := make([]T, len(sel))
	for i, j := range sel {
		out[i] = values[j]
	}
	return out
}

func fullBitmap(n int) kql.Bitmap {
	b := kql.NewBitmap(n)
	for i := range b {
		b[i] = ^uint64(0)
	}
	clearFrom(b, n)
	return b
}

// clearFrom clears the bits from n on.
func clearFrom(b kql.Bitmap, n int) {
	for w := range b {
		switch {
		case n <= w*64:
			b[w] = 0
		case n < w*64+64:
			b[w] &= 1<<(n&63) - 1
		}
	}
}

func isZero(b kql.Bitmap) bool {
	for _, w := range b {
		if w != 0 {
			return false
		}
	}
	return true
}
