package logsink

import "sort"

// part is a block of a snapshot, in memory or sealed.
type part struct {
	first    uint64
	rows     int
	min, max int64 // of the times
	view     *memView
	block    *sealed
}

// count returns the number of parts.
func (s *snapshot) count() int { return len(s.blocks) + len(s.views) }

// part returns part i, in the order of sequence numbers.
func (s *snapshot) part(i int) part {
	if i < len(s.blocks) {
		b := s.blocks[i]
		return part{first: b.first, rows: b.rows, min: b.min, max: b.max, block: b}
	}
	v := s.views[i-len(s.blocks)]
	return part{first: v.first, rows: v.rows, min: v.min, max: v.max, view: v}
}

// after returns the index of the first part with a row from seq on.
func (s *snapshot) after(seq uint64) int {
	return sort.Search(s.count(), func(i int) bool {
		p := s.part(i)
		return p.end() > seq
	})
}

// end returns the sequence number after the part's last row.
func (p *part) end() uint64 { return p.first + uint64(p.rows) }

// bad reports whether the part is known to be damaged.
func (p *part) bad() bool { return p.block != nil && p.block.bad.Load() }

// names returns the distinct tuples of a column, one behind the other.
func (p *part) names(col int) (values []string, width int) {
	if p.view != nil {
		return p.view.tuples[col].values, p.view.tuples[col].width
	}
	return p.block.tuples[col].values, p.block.tuples[col].width
}

// ints reads a column of numbers. What is read of a sealed part is in m.
func (p *part) ints(col int, m *columns) ([]int64, error) {
	if p.view != nil {
		return p.view.ints[col], nil
	}
	return p.block.readInts(col, m)
}

func (p *part) tuples(col int, m *columns) (tuples, error) {
	if p.view != nil {
		return p.view.tuples[col], nil
	}
	return p.block.readTuples(col, m)
}

func (p *part) texts(col int, m *columns) (texts, error) {
	if p.view != nil {
		return p.view.texts[col], nil
	}
	return p.block.readTexts(col, m)
}

// textRows returns at least rows first to last of a column of texts.
func (p *part) textRows(col, first, last int, m *columns) (texts, error) {
	if p.view != nil {
		return p.view.texts[col], nil
	}
	return p.block.readTextRows(col, first, last, m)
}
