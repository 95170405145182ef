package logsink

// columns is memory that columns of sealed blocks are decoded into, block after
// block, until somebody else refers to it. Where a function takes nil instead,
// each column gets memory of its own.
type columns struct {
	raw   []byte // a section, until it is decoded
	ints  [][]int64
	codes [][]uint32
	ends  [][]uint32 // of texts
	texts [][]byte
}

// or returns m, or new memory for nil.
func (m *columns) or() *columns {
	if m == nil {
		return new(columns)
	}
	return m
}

// slot returns the place of column i in a list that has as many as needed.
func slot[T any](list *[]T, i int) *T {
	for len(*list) <= i {
		*list = append(*list, *new(T))
	}
	return &(*list)[i]
}

// readInts decodes a column of numbers.
func (b *sealed) readInts(col int, m *columns) (values []int64, err error) {
	m = m.or()
	if m.raw, err = b.read(b.ints[col].values, m.raw); err != nil {
		return nil, err
	}
	buf := slot(&m.ints, col)
	if values, err = b.decodeInts(m.raw, *buf); err == nil {
		*buf = values
	}
	return values, err
}

// readTuples decodes a column of tuples.
func (b *sealed) readTuples(col int, m *columns) (out tuples, err error) {
	m = m.or()
	t := &b.tuples[col]
	if m.raw, err = b.read(t.codes, m.raw); err != nil {
		return tuples{}, err
	}
	buf := slot(&m.codes, col)
	out, err = b.decodeTuples(t, m.raw, *buf)
	if err == nil && len(m.raw) > 0 { // of one tuple, the codes are zeros that all share
		*buf = out.codes
	}
	return out, err
}

// readTexts decodes a column of texts.
func (b *sealed) readTexts(col int, m *columns) (texts, error) {
	m = m.or()
	t := &b.texts[col]
	out, err := b.readEnds(col, m)
	if err != nil {
		return texts{}, err
	}
	buf := slot(&m.texts, col)
	if out.data, err = b.read(t.data, *buf); err != nil {
		return texts{}, err
	}
	*buf = out.data
	return out, nil
}

// readTextRows decodes what rows first to last of a column of texts need; the
// texts of others may be missing.
func (b *sealed) readTextRows(col, first, last int, m *columns) (texts, error) {
	m = m.or()
	t := &b.texts[col]
	out, err := b.readEnds(col, m)
	if err != nil {
		return texts{}, err
	}
	from := 0
	if first > 0 {
		from = int(out.ends[first-1])
	}
	buf := slot(&m.texts, col)
	err = guard(func() error {
		stored, err := b.seg.view.at(b.off+t.data.off, t.data.size)
		if err != nil {
			return err
		}
		data, base, err := t.data.openRange(stored, *buf, from, int(out.ends[last]))
		out.data, out.base = data, uint32(base)
		return err
	})
	if err != nil {
		return texts{}, err
	}
	*buf = out.data
	return out, nil
}

// readEnds decodes where the texts of a column end.
func (b *sealed) readEnds(col int, m *columns) (out texts, err error) {
	t := &b.texts[col]
	if m.raw, err = b.read(t.lengths, m.raw); err != nil {
		return texts{}, err
	}
	buf := slot(&m.ends, col)
	if out, err = b.decodeEnds(m.raw, *buf, t.data.raw); err == nil {
		*buf = out.ends
	}
	return out, err
}
