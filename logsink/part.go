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

// partMax returns the greatest time in part i.
func (s *snapshot) partMax(i int) int64 {
	if i < len(s.blocks) {
		return s.blocks[i].max
	}
	return s.views[i-len(s.blocks)].max
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

func (p *part) ints(col int) ([]int64, error) {
	if p.view != nil {
		return p.view.ints[col], nil
	}
	return p.block.readInts(col)
}

func (p *part) tuples(col int) (tuples, error) {
	if p.view != nil {
		return p.view.tuples[col], nil
	}
	return p.block.readTuples(col)
}

// texts reads a column of texts. Of a sealed part it is in buf, if that is
// large enough.
func (p *part) texts(col int, buf []byte) (texts, error) {
	if p.view != nil {
		return p.view.texts[col], nil
	}
	return p.block.readTexts(col, buf)
}

// textRows returns at least rows first to last of a column of texts.
func (p *part) textRows(col, first, last int) (texts, error) {
	if p.view != nil {
		return p.view.texts[col], nil
	}
	return p.block.readTextRows(col, first, last)
}
