package kql

type whereOp struct {
	opHead
	pred node
}

func parseWhere(p *parser, h opHead) operator {
	op := &whereOp{opHead: h}
	p.params()
	op.pred = p.namedExpr()
	p.done(&op.opHead)
	return op
}

func (o *whereOp) print(p *printer) { p.put("where "); o.pred.print(p) }

func (o *whereOp) bind(b *binder, in *rel) *rel {
	var pred *bound
	b.in(in.rows(), func() { pred = b.condition(o.pred) })
	return in.with(filtered(in.plan, pred))
}

// filtered keeps the rows of in for which pred is true. What a scan below
// can use of it is pushed down.
func filtered(in plan, pred *bound) plan {
	below := pushDown(in, pred.preds)
	if scan, ok := below.(*scanPlan); ok && pred.whole && scan.applies(pred.preds) {
		return scan
	}
	return &filterPlan{in: below, pred: pred}
}

type filterPlan struct {
	in   plan
	pred *bound
	needs
}

func (p *filterPlan) columns() Schema { return p.in.columns() }

func (p *filterPlan) require(need colset) {
	if !p.want(need) {
		return
	}
	below := append(colset(nil), p.set...)
	below.add(p.pred.cols)
	p.in.require(below)
}

func (p *filterPlan) open(x *run) (iter, error) {
	in, err := p.in.open(x)
	if err != nil {
		return nil, err
	}
	if p.pred.window {
		in = whole(x, in, p.columns())
	}
	var sel []int32
	return func() (*Block, error) {
		for {
			b, err := in()
			if b == nil || err != nil {
				return nil, err
			}
			if err := x.check(); err != nil {
				return nil, err
			}
			v, err := p.pred.eval(x, b)
			if err != nil {
				return nil, err
			}
			if v.one {
				if v.Bools[0] && !v.Nulls.Get(0) {
					return b, nil
				}
				continue
			}
			sel = selectTrue(sel[:0], v, b.Rows)
			switch len(sel) {
			case 0:
				continue
			case b.Rows:
				return b, nil
			}
			return p.keep(b, sel), nil
		}
	}, nil
}

// keep gathers the columns somebody above reads.
func (p *filterPlan) keep(b *Block, sel []int32) *Block {
	out := &Block{Rows: len(sel), Columns: make([]*Vector, len(b.Columns))}
	for i, c := range b.Columns {
		if p.set[i] {
			out.Columns[i] = c.gather(sel)
		}
	}
	return out
}

// selectTrue appends the rows that are true and not null.
func selectTrue(sel []int32, v *Vector, n int) []int32 {
	bools := v.Bools[:n]
	if v.Nulls == nil {
		for i, ok := range bools {
			if ok {
				sel = append(sel, int32(i))
			}
		}
		return sel
	}
	for i, ok := range bools {
		if ok && !v.Nulls.Get(i) {
			sel = append(sel, int32(i))
		}
	}
	return sel
}

// whole turns an input into one block, for expressions that look at other
// rows than their own.
func whole(x *run, in iter, schema Schema) iter {
	done := false
	return func() (*Block, error) {
		if done {
			return nil, nil
		}
		done = true
		blocks, err := x.collect(in)
		if err != nil || len(blocks) == 0 {
			return nil, err
		}
		return concat(blocks, schema), nil
	}
}
