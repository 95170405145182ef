package kql

import "strings"

func joinComma(s []string) string { return strings.Join(s, ", ") }

// joinCol says which side's column an output column is.
type joinCol struct {
	left bool
	col  int
}

// joinPlan is a hash join: the right side is read first and kept, the left
// side streams past it.
type joinPlan struct {
	left, right       plan
	kind              string
	lk, rk            []*bound
	cols              Schema
	from              []joinCol
	useLeft, useRight bool
	needs
}

func (p *joinPlan) columns() Schema { return p.cols }

func (p *joinPlan) require(need colset) {
	if !p.want(need) {
		return
	}
	l, r := make(colset, len(p.left.columns())), make(colset, len(p.right.columns()))
	for i, f := range p.from {
		if p.set[i] && f.left {
			l[f.col] = true
		} else if p.set[i] {
			r[f.col] = true
		}
	}
	for i := range p.lk {
		l.add(p.lk[i].cols)
		r.add(p.rk[i].cols)
	}
	p.left.require(l)
	p.right.require(r)
}

// joinState is one iteration of a join.
type joinState struct {
	p     *joinPlan
	x     *run
	in    iter
	g     *grouper
	right *Block
	head  []int32 // first right row of a group, -1 for none
	next  []int32 // next right row of the same group
	hit   []bool  // right rows that matched
	seen  []bool  // groups a left row has used: innerunique

	block  *Block // current left block
	gids   []int32
	row    int   // left row being matched
	chain  int32 // next right row for it, -1 when done
	begun  bool  // row's chain has been entered
	lsel   []int32
	rsel   []int32
	tail   bool // unmatched right rows are being emitted
	tailAt int
}

func (p *joinPlan) open(x *run) (iter, error) {
	s := &joinState{p: p, x: x}
	return func() (*Block, error) {
		if s.g == nil {
			if err := s.build(); err != nil {
				return nil, err
			}
			in, err := p.left.open(x)
			if err != nil {
				return nil, err
			}
			s.in = in
		}
		return s.nextBlock()
	}, nil
}

// build reads the right side and chains its rows by key.
func (s *joinState) build() error {
	p := s.p
	in, err := p.right.open(s.x)
	if err != nil {
		return err
	}
	blocks, err := s.x.collect(in)
	if err != nil {
		return err
	}
	s.right = concat(blocks, p.right.columns())
	if len(blocks) == 0 {
		s.right = blockOf(p.right.columns(), nil)
	}
	types := make([]Type, len(p.rk))
	for i, k := range p.rk {
		types[i] = k.typ
	}
	s.g = newGrouper(types)
	n := s.right.Rows
	if err := s.x.grow(9 * int64(n)); err != nil {
		return err
	}
	s.next, s.hit = make([]int32, n), make([]bool, n)
	gids, err := s.groups(p.rk, s.right)
	if err != nil {
		return err
	}
	s.head = make([]int32, s.g.n)
	for i := range s.head {
		s.head[i] = -1
	}
	for i := n - 1; i >= 0; i-- {
		if g := gids[i]; g >= 0 {
			s.next[i] = s.head[g]
			s.head[g] = int32(i)
		}
	}
	return nil
}

// groups numbers the rows of b by key; a null key is -1: it joins nothing.
func (s *joinState) groups(keys []*bound, b *Block) ([]int32, error) {
	vs, err := evalAll(s.x, b, keys)
	if err != nil {
		return nil, err
	}
	ids := s.g.add(vs, b.Rows)
	out := make([]int32, b.Rows)
	for i, id := range ids {
		out[i] = int32(id)
		for _, v := range vs {
			if v.IsNull(i) {
				out[i] = -1
			}
		}
	}
	return out, s.x.check()
}

func (s *joinState) nextBlock() (*Block, error) {
	for {
		if err := s.x.check(); err != nil {
			return nil, err
		}
		if s.tail {
			return s.tailBlock(), nil
		}
		if s.block == nil {
			b, err := s.in()
			if err != nil {
				return nil, err
			}
			if b == nil {
				s.tail = true
				continue
			}
			if s.gids, err = s.groups(s.p.lk, b); err != nil {
				return nil, err
			}
			s.block, s.row, s.begun = b, 0, false
		}
		s.lsel, s.rsel = s.lsel[:0], s.rsel[:0]
		s.match()
		if len(s.lsel) > 0 {
			out := s.emit(s.block, s.lsel, s.rsel)
			s.advance()
			return out, nil
		}
		s.advance()
	}
}

// advance drops the left block when its rows are done.
func (s *joinState) advance() {
	if s.row >= s.block.Rows {
		s.block = nil
	}
}

func (s *joinState) first(g int32) int32 {
	if g < 0 || int(g) >= len(s.head) {
		return -1
	}
	return s.head[g]
}

// match fills lsel and rsel with up to a block of pairs.
func (s *joinState) match() {
	for s.row < s.block.Rows && len(s.lsel) < BlockRows {
		g := s.gids[s.row]
		switch s.p.kind {
		case "leftsemi", "leftanti":
			if (s.first(g) >= 0) == (s.p.kind == "leftsemi") {
				s.lsel, s.rsel = append(s.lsel, int32(s.row)), append(s.rsel, -1)
			}
			s.row++
			continue
		case "rightsemi", "rightanti":
			if j := s.first(g); j >= 0 && !s.hit[j] {
				for ; j >= 0; j = s.next[j] {
					s.hit[j] = true
				}
			}
			s.row++
			continue
		}
		s.matchRow(g)
	}
}

// matchRow pairs the current left row with the rows of its chain.
func (s *joinState) matchRow(g int32) {
	if !s.begun {
		s.begun = true
		s.chain = s.first(g)
		if s.p.kind == "innerunique" && s.chain >= 0 {
			s.seen = grown(s.seen, int(g)+1)
			if s.seen[g] {
				s.chain = -1
			}
			s.seen[g] = true
		}
		if s.chain < 0 {
			if s.p.kind == "leftouter" || s.p.kind == "fullouter" {
				s.lsel, s.rsel = append(s.lsel, int32(s.row)), append(s.rsel, -1)
			}
			s.row, s.begun = s.row+1, false
			return
		}
	}
	for s.chain >= 0 && len(s.lsel) < BlockRows {
		s.hit[s.chain] = true
		s.lsel, s.rsel = append(s.lsel, int32(s.row)), append(s.rsel, s.chain)
		s.chain = s.next[s.chain]
	}
	if s.chain < 0 {
		s.row, s.begun = s.row+1, false
	}
}

// tailBlock emits the right rows that a kind wants after all left rows.
func (s *joinState) tailBlock() *Block {
	var want bool
	switch s.p.kind {
	case "rightouter", "fullouter", "rightanti":
		want = false
	case "rightsemi":
		want = true
	default:
		return nil
	}
	s.lsel, s.rsel = s.lsel[:0], s.rsel[:0]
	for s.tailAt < s.right.Rows && len(s.rsel) < BlockRows {
		if s.hit[s.tailAt] == want {
			s.lsel, s.rsel = append(s.lsel, -1), append(s.rsel, int32(s.tailAt))
		}
		s.tailAt++
	}
	if len(s.rsel) == 0 {
		return nil
	}
	return s.emit(nil, s.lsel, s.rsel)
}

func (s *joinState) emit(left *Block, lsel, rsel []int32) *Block {
	out := &Block{Rows: len(lsel), Columns: make([]*Vector, len(s.p.cols))}
	for i, f := range s.p.from {
		switch {
		case !s.p.set[i]:
		case f.left && left == nil:
			out.Columns[i] = nullVector(s.p.cols[i].Type, len(lsel))
		case f.left:
			out.Columns[i] = left.Columns[f.col].gather(lsel)
		default:
			out.Columns[i] = gatherOrNull(s.right.Columns[f.col], rsel)
		}
	}
	return out
}

// gatherOrNull is gather in which row -1 is null.
func gatherOrNull(v *Vector, sel []int32) *Vector {
	missing := false
	for _, i := range sel {
		missing = missing || i < 0
	}
	if !missing {
		return v.gather(sel)
	}
	out := newVector(v.Type, len(sel))
	for i, j := range sel {
		if j < 0 {
			out.setNull(i, len(sel))
			continue
		}
		out.set(i, len(sel), v.Value(int(j)))
	}
	return out
}
