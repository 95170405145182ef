package logsink

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// A block is sealed when it has one of these; a batch may overshoot.
const (
	sealRows  = 8192
	sealBytes = 2 << 20
)

// memBlock is the open block of a table: rows that are in the WAL but not in a
// segment. Only the ingest goroutine changes it, and only by appending, so
// that views taken before stay valid.
type memBlock struct {
	memView
	index []map[string]uint32 // for each tuple column, tuple → code
	key   []byte              // scratch
	bytes int                 // of texts
}

// memView is a block of rows in memory that does not change.
type memView struct {
	def      *tableDef
	first    uint64 // sequence number of row 0
	rows     int
	min, max int64 // of the times
	ints     [][]int64
	tuples   []tuples
	texts    []texts
}

// tuples is a column of names: row i has the width values of tuple codes[i].
type tuples struct {
	width  int
	values []string // width values for each code
	codes  []uint32
}

// texts is a column of texts, one behind the other in data.
type texts struct {
	data []byte
	ends []uint32 // where each row's text ends
	base uint32   // where data begins, if it is not all
}

func (t tuples) count() int { return len(t.values) / t.width }

// of returns the values of row i's tuple.
func (t tuples) of(i int) []string {
	c := int(t.codes[i]) * t.width
	return t.values[c : c+t.width]
}

// at returns the text of row i. It shares memory with the column, which is
// never changed once it can be read.
func (t texts) at(i int) string {
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return asString(t.data[from-t.base : t.ends[i]-t.base])
}

// asString returns b as a string without copying. b must never change.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func newMemBlock(def *tableDef, first uint64) *memBlock {
	m := &memBlock{
		memView: memView{
			def: def, first: first, min: math.MaxInt64, max: math.MinInt64,
			ints:   make([][]int64, len(def.ints)),
			tuples: make([]tuples, len(def.tuples)),
			texts:  make([]texts, len(def.texts)),
		},
		index: make([]map[string]uint32, len(def.tuples)),
	}
	for i, fields := range def.tuples {
		m.tuples[i].width = len(fields)
		m.index[i] = map[string]uint32{}
	}
	return m
}

// addTime begins a row: the other columns' values must follow.
func (m *memBlock) addTime(ticks int64) {
	m.rows++
	m.min, m.max = min(m.min, ticks), max(m.max, ticks)
	m.addInt(0, ticks)
}

func (m *memBlock) addInt(col int, v int64) { m.ints[col] = append(m.ints[col], v) }

func (m *memBlock) addTuple(col int, values ...string) { m.addCode(col, m.code(col, values...)) }

func (m *memBlock) addCode(col int, code uint32) {
	m.tuples[col].codes = append(m.tuples[col].codes, code)
}

// code returns the code of a tuple in this block.
func (m *memBlock) code(col int, values ...string) uint32 {
	m.key = m.key[:0]
	for _, v := range values {
		m.key = appendString(m.key, v)
	}
	t := &m.tuples[col]
	code, ok := m.index[col][string(m.key)]
	if !ok {
		code = uint32(t.count())
		t.values = append(t.values, values...)
		m.index[col][string(m.key)] = code
	}
	return code
}

func (m *memBlock) addText(col int, s []byte) {
	t := &m.texts[col]
	t.data = append(t.data, s...)
	t.ends = append(t.ends, uint32(len(t.data)))
	m.bytes += len(s)
}

// addTexts adds many texts at once: those of data, which end at ends.
func (m *memBlock) addTexts(col int, data []byte, ends []uint32) {
	t := &m.texts[col]
	base := uint32(len(t.data))
	t.data = append(t.data, data...)
	for _, end := range ends {
		t.ends = append(t.ends, base+end)
	}
	m.bytes += len(data)
}

func (m *memBlock) full() bool { return m.rows >= sealRows || m.bytes >= sealBytes }

// view returns the rows so far.
func (m *memBlock) view() *memView {
	v := m.memView
	v.ints = append([][]int64(nil), v.ints...)
	v.tuples = append([]tuples(nil), v.tuples...)
	v.texts = append([]texts(nil), v.texts...)
	return &v
}

// appendRows appends rows from up to the last in the form of a WAL record's
// body; known says for each tuple column how many of its tuples were in
// earlier records of this block.
func (m *memBlock) appendRows(b []byte, from int, known []int) []byte {
	b = binary.AppendUvarint(b, m.first+uint64(from))
	b = binary.AppendUvarint(b, uint64(m.rows-from))
	for _, col := range m.ints {
		b = appendInts(b, col[from:])
	}
	for i, col := range m.tuples {
		fresh := col.values[known[i]*col.width:]
		b = binary.AppendUvarint(b, uint64(known[i]))
		b = binary.AppendUvarint(b, uint64(len(fresh)/col.width))
		for _, v := range fresh {
			b = appendString(b, v)
		}
		b = appendUints(b, col.codes[from:])
	}
	for _, col := range m.texts {
		start := uint32(0)
		if from > 0 {
			start = col.ends[from-1]
		}
		b = appendLengths(b, col.ends[from:], start)
		b = append(b, col.data[start:]...)
	}
	return b
}

// maxRows bounds the rows of a block and a record, so that damaged counts
// cannot ask for absurd amounts of memory.
const maxRows = 1 << 20

// readHead reads the first two numbers that appendRows wrote.
func readHead(d *decoder) (first uint64, rows int) {
	first = d.uvarint()
	n := d.uvarint()
	if n > maxRows {
		d.fail()
		return 0, 0
	}
	return first, int(n)
}

// readRows appends to m the n rows that follow the head. After an error m is
// in an undefined state.
func (m *memBlock) readRows(d *decoder, n int) {
	for i := range m.ints {
		m.ints[i] = d.ints(m.ints[i], n)
	}
	for i := range m.tuples {
		m.readTuples(d, i, n)
	}
	for i := range m.texts {
		m.readTexts(d, i, n)
	}
	if d.err != nil {
		return
	}
	for _, t := range m.ints[0][m.rows:] {
		m.min, m.max = min(m.min, t), max(m.max, t)
	}
	m.rows += n
}

// truncate removes the rows from rows on, also those half read.
func (m *memBlock) truncate(rows int) {
	m.rows = rows
	for i := range m.ints {
		m.ints[i] = m.ints[i][:min(rows, len(m.ints[i]))]
	}
	for i := range m.tuples {
		m.tuples[i].codes = m.tuples[i].codes[:min(rows, len(m.tuples[i].codes))]
	}
	m.bytes = 0
	for i := range m.texts {
		t := &m.texts[i]
		t.ends = t.ends[:min(rows, len(t.ends))]
		size := 0
		if n := len(t.ends); n > 0 {
			size = int(t.ends[n-1])
		}
		t.data = t.data[:size]
		m.bytes += size
	}
}

func (m *memBlock) readTuples(d *decoder, col, n int) {
	t := &m.tuples[col]
	if d.uvarint() != uint64(t.count()) {
		d.fail()
	}
	values := make([]string, t.width)
	for range d.count(t.width) {
		for i := range values {
			values[i] = d.string()
		}
		m.code(col, values...)
	}
	t.codes = d.uints(t.codes, n, uint64(t.count()))
}

func (m *memBlock) readTexts(d *decoder, col, n int) {
	t := &m.texts[col]
	base := len(t.data)
	t.ends = d.ends(t.ends, n, uint64(base), uint64(base+len(d.b)))
	if d.err != nil || n == 0 {
		return
	}
	size := int(t.ends[len(t.ends)-1]) - base
	t.data = append(t.data, d.bytes(size)...)
	m.bytes += size
}
