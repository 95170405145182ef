package kql

type scanOp struct {
	opHead
	matchID *nameNode
	declare []scanColumn
	order   []sortKey
	parts   []node
	steps   []scanStep
}

// scanColumn is a declared column with its value before any step sets it.
type scanColumn struct {
	colDecl
	dflt node
}

// scanStep is "step s [optional] [output=…]: condition => a = x, b = y".
type scanStep struct {
	name     *nameNode
	optional bool
	output   string // all, last, none
	cond     node
	assigns  []node
}

func parseScan(p *parser, h opHead) operator {
	op := &scanOp{opHead: h}
	for {
		switch {
		case p.at("with_match_id") && p.peek().is("="):
			p.advance()
			p.advance()
			op.matchID = p.declName()
			continue
		case p.at("order") && p.peek().is("by"):
			p.advance()
			p.advance()
			op.order = commaList(p, p.sortKey, "partition", "declare", "with")
			continue
		case p.at("partition") && p.peek().is("by"):
			p.advance()
			p.advance()
			op.parts = p.exprList("order", "declare", "with")
			continue
		}
		break
	}
	if p.accept("declare") {
		p.expect("(")
		op.declare = commaList(p, func() scanColumn {
			c := scanColumn{colDecl: p.colDecl()}
			if p.accept("=") {
				c.dflt = p.expr()
			}
			return c
		})
		p.expect(")")
	}
	p.expect("with")
	p.expect("(")
	for p.at("step") {
		op.steps = append(op.steps, p.scanStep())
	}
	p.expect(")")
	p.done(&op.opHead)
	return op
}

func (p *parser) scanStep() scanStep {
	p.advance()
	s := scanStep{name: p.declName(), output: "all"}
	s.optional = p.accept("optional")
	if p.accept("output") {
		p.expect("=")
		s.output = p.advance().text
	}
	p.expect(":")
	s.cond = p.expr()
	if p.accept("=>") {
		s.assigns = p.exprList()
	}
	p.accept(";")
	return s
}

func (o *scanOp) print(p *printer) {
	p.put("scan")
	if o.matchID != nil {
		p.put(" with_match_id=")
		o.matchID.print(p)
	}
	if o.parts != nil {
		p.put(" partition by ")
		list(p, o.parts)
	}
	if o.order != nil {
		p.put(" order by ")
		for i := range o.order {
			if i > 0 {
				p.put(", ")
			}
			o.order[i].print(p)
		}
	}
	o.printDeclare(p)
	p.put(" with (")
	for _, s := range o.steps {
		p.newline()
		s.print(p)
	}
	p.put(")")
}

func (o *scanOp) printDeclare(p *printer) {
	if o.declare == nil {
		return
	}
	p.put(" declare (")
	for i, c := range o.declare {
		if i > 0 {
			p.put(", ")
		}
		printDecls(p, []colDecl{c.colDecl})
		if c.dflt != nil {
			p.put(" = ")
			c.dflt.print(p)
		}
	}
	p.put(")")
}

func (s *scanStep) print(p *printer) {
	p.put("step ")
	s.name.print(p)
	if s.optional {
		p.put(" optional")
	}
	if s.output != "all" {
		p.put(" output=", s.output)
	}
	p.put(": ")
	s.cond.print(p)
	if s.assigns != nil {
		p.put(" => ")
		list(p, s.assigns)
	}
	p.put(";")
}

// bind lays out the row a step's expressions see: the input's columns, the
// declared ones, then a copy of both for each step's state.
func (o *scanOp) bind(b *binder, in *rel) *rel {
	p := &scanStepsPlan{in: in.plan}
	p.base = append(p.base, in.cols()...)
	p.inputs = len(p.base)
	for _, c := range o.declare {
		p.base = append(p.base, Column{c.name.name, c.typ})
		x := constant(nullValue(c.typ), c.name)
		if c.dflt != nil {
			x = cast(b.rowFree(c.dflt), c.typ)
		}
		p.dflts = append(p.dflts, x)
	}
	row := &rowScope{cols: append(Schema(nil), p.base...), open: in.open, sorted: true,
		states: map[string]Schema{}, stateCols: map[string]int{}}
	for _, s := range o.steps {
		row.states[s.name.name] = p.base
		for _, c := range p.base {
			row.stateCols[s.name.name+"."+c.Name] = len(row.cols)
			row.cols = append(row.cols, Column{s.name.name + "." + c.Name, c.Type})
		}
	}
	p.full = row.cols
	b.in(row, func() {
		for i := range o.steps {
			p.steps = append(p.steps, b.scanStep(p, &o.steps[i]))
		}
	})
	p.cols = append(Schema(nil), p.base...)
	if o.matchID != nil {
		p.matchID = true
		p.cols = append(p.cols, Column{o.matchID.name, Long})
	}
	src := in
	if o.order != nil {
		src = in.with(&sortPlan{in: in.plan, keys: b.sortKeys(in, o.order), limit: -1})
		p.in = src.plan
	}
	if o.parts != nil {
		p.parts = b.groupKeys(src, o.parts).exprs
	}
	return &rel{plan: p, sorted: true, open: in.open}
}

type boundStep struct {
	cond    *bound
	targets []int
	vals    []*bound
	output  string
	skip    bool // optional
}

func (b *binder) scanStep(p *scanStepsPlan, s *scanStep) boundStep {
	out := boundStep{cond: b.condition(s.cond), output: s.output, skip: s.optional}
	for _, a := range s.assigns {
		named, ok := a.(*namedNode)
		if !ok {
			b.diags.report(a.pos(), "KS005", "Expected: =")
			continue
		}
		i := p.base.Index(named.names[0].name)
		if i < p.inputs {
			b.diags.report(named.names[0].span, "KS109", "Column name expected.")
			continue
		}
		out.targets = append(out.targets, i)
		out.vals = append(out.vals, cast(b.expr(named.x), p.base[i].Type))
	}
	return out
}

// scanStepsPlan matches sequences of rows. Each step has one state: the last
// row of the sequence that has come that far, or none.
// https://learn.microsoft.com/kusto/query/scan-operator
type scanStepsPlan struct {
	in      plan
	base    Schema // input and declared columns
	full    Schema // base and every step's state
	inputs  int
	dflts   []*bound
	steps   []boundStep
	parts   []*bound
	cols    Schema
	matchID bool
	onceAsked
}

func (p *scanStepsPlan) columns() Schema { return p.cols }

func (p *scanStepsPlan) require(colset) {
	if p.first() {
		p.in.require(allCols(len(p.in.columns())))
	}
}

func (p *scanStepsPlan) open(x *run) (iter, error) {
	in, err := p.in.open(x)
	if err != nil {
		return nil, err
	}
	var out iter
	return func() (*Block, error) {
		if out == nil {
			rows, err := p.scan(x, in)
			if err != nil {
				return nil, err
			}
			out = chunked(blockOf(p.cols, rows))
		}
		return out()
	}, nil
}

// scanState is the matching of one partition: for each step the sequence
// that has come that far, as the last row of each of its steps, or nil.
type scanState struct {
	seqs   [][][]Value
	ids    []int64 // the sequences' numbers
	nextID *int64
	// last is the newest row of a step with output=last, until the sequence
	// leaves the step; ended are those whose sequence has left.
	last, ended [][]Value
}

// leave ends the matches of step k.
func (s *scanState) leave(k int) {
	if s.last[k] != nil {
		s.ended, s.last[k] = append(s.ended, s.last[k]), nil
	}
}

func (p *scanStepsPlan) scan(x *run, in iter) ([][]Value, error) {
	blocks, err := x.collect(in)
	if err != nil {
		return nil, err
	}
	dflts := make([]Value, len(p.dflts))
	for i, d := range p.dflts {
		if dflts[i], err = d.value(x); err != nil {
			return nil, err
		}
	}
	types := make([]Type, len(p.parts))
	for i, k := range p.parts {
		types[i] = k.typ
	}
	g := newGrouper(types)
	var states []*scanState // by partition
	var id int64
	var out [][]Value
	for _, b := range blocks {
		keys, err := evalAll(x, b, p.parts)
		if err != nil {
			return nil, err
		}
		gids := append([]uint32(nil), g.add(keys, b.Rows)...)
		for i := range b.Rows {
			if err := x.check(); err != nil {
				return nil, err
			}
			if int(gids[i]) == len(states) { // the partition's first row
				states = append(states, &scanState{seqs: make([][][]Value, len(p.steps)), ids: make([]int64, len(p.steps)), last: make([][]Value, len(p.steps)), nextID: &id})
			}
			s := states[gids[i]]
			row := make([]Value, 0, len(p.base))
			for c := range p.inputs {
				row = append(row, b.Columns[c].Value(i))
			}
			if out, err = p.step(x, s, append(row, dflts...), out); err != nil {
				return nil, err
			}
			if err := x.grow(32 * int64(len(p.cols))); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range states {
		for k := range p.steps {
			s.leave(k)
		}
		out = append(out, s.ended...)
	}
	return out, nil
}

// step offers one row to every step, the last first, so that a row advances
// a sequence by one step at most: into step k from step k-1, or within k.
func (p *scanStepsPlan) step(x *run, s *scanState, row []Value, out [][]Value) ([][]Value, error) {
	for k := len(p.steps) - 1; k >= 0; k-- {
		took, next, err := p.offer(x, s, k, row)
		if err != nil {
			return nil, err
		}
		if !took {
			continue
		}
		out = append(out, s.ended...)
		s.ended = nil
		if p.steps[k].output == "none" {
			continue
		}
		o := append([]Value(nil), next...)
		if p.matchID {
			o = append(o, longValue(s.ids[k]))
		}
		if p.steps[k].output == "last" {
			s.last[k] = o
		} else {
			out = append(out, o)
		}
	}
	return out, nil
}

// offer tries to take row in step k. A sequence that moves on from the step
// before leaves it; one in step k may take one more row there.
func (p *scanStepsPlan) offer(x *run, s *scanState, k int, row []Value) (bool, []Value, error) {
	for from := k - 1; from >= 0; from-- {
		if seq := s.seqs[from]; seq != nil {
			ok, next, err := p.try(x, k, row, seq)
			if err != nil {
				return false, nil, err
			}
			if ok {
				s.leave(from)
				s.leave(k) // the sequence that has been there is over
				s.seqs[k], s.ids[k], s.seqs[from] = extendSeq(seq, k, next), s.ids[from], nil
				return true, next, nil
			}
		}
		if !p.steps[from].skip {
			break
		}
	}
	if seq := s.seqs[k]; seq != nil {
		ok, next, err := p.try(x, k, row, seq)
		if ok {
			s.seqs[k] = extendSeq(seq, k, next)
		}
		return ok, next, err
	}
	if k > 0 {
		return false, nil, nil
	}
	ok, next, err := p.try(x, 0, row, nil)
	if ok {
		s.seqs[0], s.ids[0] = extendSeq(nil, 0, next), *s.nextID
		*s.nextID++
	}
	return ok, next, err
}

// extendSeq returns seq with row as the last of step k.
func extendSeq(seq [][]Value, k int, row []Value) [][]Value {
	out := make([][]Value, k+1)
	copy(out, seq)
	out[k] = row
	return out
}

// try evaluates step k's condition on row with a sequence's state, and the
// step's assignments when it holds.
func (p *scanStepsPlan) try(x *run, k int, row []Value, seq [][]Value) (bool, []Value, error) {
	full := append([]Value(nil), row...)
	for j := range p.steps {
		for c := range p.base {
			if j < len(seq) && seq[j] != nil {
				full = append(full, seq[j][c])
			} else if c >= p.inputs {
				full = append(full, row[c]) // declared columns begin with their defaults
			} else {
				full = append(full, nullValue(p.base[c].Type))
			}
		}
	}
	b := blockOf(p.full, [][]Value{full})
	st := &p.steps[k]
	v, err := st.cond.eval(x, b)
	if err != nil || !v.Value(0).isTrue() {
		return false, nil, err
	}
	next := append([]Value(nil), row...)
	for i, t := range st.targets {
		v, err := st.vals[i].eval(x, b)
		if err != nil {
			return false, nil, err
		}
		next[t] = v.Value(0)
	}
	return true, next, nil
}
