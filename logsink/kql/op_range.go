package kql

type rangeOp struct {
	opHead
	name           *nameNode
	from, to, step node
}

func parseRange(p *parser, h opHead) operator {
	op := &rangeOp{opHead: h}
	op.name = p.declName()
	p.expect("from")
	op.from = p.expr()
	p.expect("to")
	op.to = p.expr()
	p.expect("step")
	op.step = p.expr()
	p.done(&op.opHead)
	return op
}

func (o *rangeOp) print(p *printer) {
	p.put("range ")
	o.name.print(p)
	p.put(" from ")
	o.from.print(p)
	p.put(" to ")
	o.to.print(p)
	p.put(" step ")
	o.step.print(p)
}

func (o *rangeOp) bind(b *binder, in *rel) *rel {
	var from, to, step *bound
	b.in(nil, func() { from, to, step = b.summable(o.from), b.summable(o.to), b.summable(o.step) })
	t := from.typ
	switch {
	case t == DateTime || t == TimeSpan:
	case from.typ.isNumeric() && step.typ.isNumeric() && to.typ.isNumeric():
		t = commonType([]Type{from.typ, to.typ, step.typ})
	case t == NoType:
		t = Long
	}
	stepType := t
	if t == DateTime {
		stepType = TimeSpan
	}
	p := &rangePlan{cols: Schema{{o.name.name, t}}, from: cast(from, t), to: cast(to, t), step: cast(step, stepType)}
	return &rel{plan: p, sorted: true}
}

// summable binds an expression that must be a number, timespan or datetime.
func (b *binder) summable(n node) *bound {
	x := b.expr(n)
	if x.typ != NoType && x.typ != Dynamic && !x.typ.isSummable() {
		b.diags.report(n.pos(), "KS138", "The argument value must be summable: a number, timespan or datetime.")
		return failed(n)
	}
	return x
}

// rangePlan counts from one value to another, a block at a time.
type rangePlan struct {
	cols           Schema
	from, to, step *bound
}

func (p *rangePlan) columns() Schema { return p.cols }
func (p *rangePlan) require(colset)  {}

func (p *rangePlan) open(x *run) (iter, error) {
	var v [3]Value
	for i, e := range []*bound{p.from, p.to, p.step} {
		var err error
		if v[i], err = e.value(x); err != nil {
			return nil, err
		}
	}
	if v[0].Null || v[1].Null || v[2].Null {
		return fromBlocks(nil), nil
	}
	switch t := p.cols[0].Type; t {
	case Real:
		return rangeReals(x, v[0].Real, v[1].Real, v[2].Real), nil
	case Decimal:
		return rangeReals(x, v[0].float(), v[1].float(), v[2].float()), nil
	default:
		return rangeInts(x, t, v[0].Int, v[1].Int, v[2].Int), nil
	}
}

func rangeInts(x *run, t Type, from, to, step int64) iter {
	done := step == 0
	return func() (*Block, error) {
		if err := x.check(); err != nil {
			return nil, err
		}
		var out []int64
		for !done && len(out) < BlockRows && (step > 0 && from <= to || step < 0 && from >= to) {
			out = append(out, from)
			next := from + step
			done = (next > from) != (step > 0) // overflow
			from = next
		}
		if len(out) == 0 {
			return nil, nil
		}
		return &Block{Rows: len(out), Columns: []*Vector{{Type: t, Ints: out}}}, nil
	}
}

func rangeReals(x *run, from, to, step float64) iter {
	i := 0
	return func() (*Block, error) {
		if err := x.check(); err != nil {
			return nil, err
		}
		var out []float64
		for len(out) < BlockRows {
			v := from + float64(i)*step
			if step == 0 || step != step || step > 0 && v > to || step < 0 && v < to || v != v {
				break
			}
			out = append(out, v)
			i++
		}
		if len(out) == 0 {
			return nil, nil
		}
		return &Block{Rows: len(out), Columns: []*Vector{{Type: Real, Reals: out}}}, nil
	}
}
