package logsink

import (
	"encoding/binary"
	"slices"
)

// A sealed block in a segment is
//
//	0  4  "\xffBLK"
//	4  4  length of the meta data
//	8  8  length of the block, a multiple of 8
//	16 4  CRC-32C of the meta data
//	20 4  CRC-32C of bytes 0 to 19
//	24 …  meta data, sections, zeros
//
// All numbers of fixed size are little endian.
const (
	blockMagic  = "\xffBLK"
	blockHeader = 24
	maxMeta     = 1 << 26
)

// blockMeta is all of a sealed block but its sections.
type blockMeta struct {
	first    uint64
	rows     int
	min, max int64
	ints     []intMeta
	tuples   []tupleMeta
	texts    []textMeta
	length   int64 // of the whole block
}

type intMeta struct {
	min, max int64
	values   section
}

type tupleMeta struct {
	width  int
	values []string
	codes  section // empty when there is one tuple
}

type textMeta struct {
	ascii   bool // no byte above 0x7f
	lengths section
	data    section
	terms   section // Bloom filter
}

// blockEncoder turns blocks in memory into sealed ones. Its buffers live as
// long as there is work.
type blockEncoder struct {
	*compressor
	terms    termSet
	scratch  []byte
	sections []byte
	meta     []byte
}

// append appends m, sealed, to b.
func (e *blockEncoder) append(b []byte, m *memView) []byte {
	e.sections, e.meta = e.sections[:0], e.meta[:0]
	e.meta = binary.AppendUvarint(e.meta, m.first)
	e.meta = binary.AppendUvarint(e.meta, uint64(m.rows))
	e.meta = binary.AppendVarint(e.meta, m.min)
	e.meta = binary.AppendVarint(e.meta, m.max)
	for _, col := range m.ints {
		e.addInts(col)
	}
	for _, col := range m.tuples {
		e.addTuples(col)
	}
	for _, col := range m.texts {
		e.addTexts(col)
	}
	return e.frame(b)
}

func (e *blockEncoder) frame(b []byte) []byte {
	start := len(b)
	length := blockHeader + len(e.meta) + len(e.sections)
	padded := (length + 7) &^ 7
	b = append(b, blockMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(e.meta)))
	b = binary.LittleEndian.AppendUint64(b, uint64(padded))
	b = binary.LittleEndian.AppendUint32(b, checksum(e.meta))
	b = binary.LittleEndian.AppendUint32(b, checksum(b[start:]))
	b = append(b, e.meta...)
	b = append(b, e.sections...)
	return append(b, make([]byte, padded-length)...)
}

func (e *blockEncoder) add(raw []byte, worth int) {
	var s section
	e.sections, s = e.compressor.append(e.sections, raw, worth)
	e.meta = appendSection(e.meta, s)
}

func (e *blockEncoder) addInts(col []int64) {
	lo, hi := col[0], col[0]
	for _, v := range col {
		lo, hi = min(lo, v), max(hi, v)
	}
	e.meta = binary.AppendVarint(e.meta, lo)
	e.meta = binary.AppendVarint(e.meta, hi)
	e.scratch = appendInts(e.scratch[:0], col)
	e.add(e.scratch, worthSpace)
}

func (e *blockEncoder) addTuples(col tuples) {
	e.meta = binary.AppendUvarint(e.meta, uint64(col.count()))
	for _, v := range col.values {
		e.meta = appendString(e.meta, v)
	}
	e.scratch = e.scratch[:0]
	if col.count() > 1 {
		e.scratch = appendUints(e.scratch, col.codes)
	}
	e.add(e.scratch, worthTime)
}

func (e *blockEncoder) addTexts(col texts) {
	flags := byte(0)
	if isASCII(col.data) {
		flags = 1
	}
	e.meta = append(e.meta, flags)
	e.scratch = appendLengths(e.scratch[:0], col.ends, 0)
	e.add(e.scratch, worthSpace)
	e.add(col.data, worthSpace)
	e.addTerms(col)
}

func (e *blockEncoder) addTerms(col texts) {
	e.terms.reset()
	from := uint32(0)
	for _, end := range col.ends {
		eachTerm(col.data[from:end], func(h uint64, _, _ int) { e.terms.add(h) })
		from = end
	}
	var s section
	e.sections, s = e.appendRaw(e.sections, e.terms.filter())
	e.meta = appendSection(e.meta, s)
}

func isASCII(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// blockLengths checks a block's header and returns the lengths of its meta
// data and of the whole.
func blockLengths(h []byte) (meta int, length int64, err error) {
	if len(h) < blockHeader || string(h[:4]) != blockMagic ||
		binary.LittleEndian.Uint32(h[20:]) != checksum(h[:20]) {
		return 0, 0, errCorrupt
	}
	meta = int(binary.LittleEndian.Uint32(h[4:]))
	n := binary.LittleEndian.Uint64(h[8:])
	if meta > maxMeta || n < uint64(blockHeader+meta) || n > 1<<40 || n%8 != 0 {
		return 0, 0, errCorrupt
	}
	return meta, int64(n), nil
}

// readMeta decodes the meta data of a block whose header is h.
func readMeta(def *tableDef, h, meta []byte, intern func(string) string) (*blockMeta, error) {
	n, length, err := blockLengths(h)
	if err != nil || n != len(meta) || checksum(meta) != binary.LittleEndian.Uint32(h[16:]) {
		return nil, errCorrupt
	}
	d := &decoder{b: meta}
	m := &blockMeta{length: length}
	m.first, m.rows = readHead(d)
	m.min, m.max = d.varint(), d.varint()
	off := int64(blockHeader + len(meta))
	for range def.ints {
		m.ints = append(m.ints, intMeta{d.varint(), d.varint(), readSection(d, &off)})
	}
	for _, fields := range def.tuples {
		m.tuples = append(m.tuples, readTupleMeta(d, len(fields), &off, intern))
	}
	for range def.texts {
		m.texts = append(m.texts, textMeta{d.byte()&1 != 0, readSection(d, &off), readSection(d, &off), readSection(d, &off)})
	}
	if d.err != nil || m.rows == 0 || off > length {
		return nil, errCorrupt
	}
	return m, nil
}

func readTupleMeta(d *decoder, width int, off *int64, intern func(string) string) tupleMeta {
	t := tupleMeta{width: width}
	n := d.count(width)
	if n == 0 {
		d.fail()
		return t
	}
	t.values = make([]string, n*width)
	for i := range t.values {
		t.values[i] = intern(d.string())
	}
	t.codes = readSection(d, off)
	return t
}

// decodeInts decodes a column of numbers, into buf if that is large enough.
func (m *blockMeta) decodeInts(raw []byte, buf []int64) ([]int64, error) {
	d := &decoder{b: raw}
	v := d.ints(slices.Grow(buf[:0], m.rows), m.rows)
	if d.err != nil || len(d.b) != 0 {
		return nil, errCorrupt
	}
	return v, nil
}

// decodeTuples decodes the codes of a column of tuples, into buf if that is
// large enough.
func (m *blockMeta) decodeTuples(t *tupleMeta, raw []byte, buf []uint32) (tuples, error) {
	out := tuples{width: t.width, values: t.values}
	n := len(t.values) / t.width
	if n == 1 && len(raw) == 0 {
		out.codes = zeros(m.rows)
		return out, nil
	}
	d := &decoder{b: raw}
	out.codes = d.uints(slices.Grow(buf[:0], m.rows), m.rows, uint64(n))
	if d.err != nil || len(d.b) != 0 {
		return out, errCorrupt
	}
	return out, nil
}

// decodeEnds decodes the ends of texts that are size bytes in all, into buf if
// that is large enough.
func (m *blockMeta) decodeEnds(lengths []byte, buf []uint32, size int) (texts, error) {
	d := &decoder{b: lengths}
	ends := d.ends(slices.Grow(buf[:0], m.rows), m.rows, 0, uint64(size))
	if d.err != nil || len(d.b) != 0 || int(ends[m.rows-1]) != size {
		return texts{}, errCorrupt
	}
	return texts{ends: ends}, nil
}
