package kql

type sampleOp struct {
	opHead
	n node
}

func parseSample(p *parser, h opHead) operator {
	op := &sampleOp{opHead: h}
	op.n = p.expr()
	p.done(&op.opHead)
	return op
}

func (o *sampleOp) print(p *printer) { p.put("sample "); o.n.print(p) }

func (o *sampleOp) bind(b *binder, in *rel) *rel {
	return in.with(&samplePlan{in: in.plan, n: b.integer(o.n)})
}

// samplePlan draws rows uniformly, by reservoir.
type samplePlan struct {
	in plan
	n  *bound
}

func (p *samplePlan) columns() Schema     { return p.in.columns() }
func (p *samplePlan) require(need colset) { p.in.require(need) }

func (p *samplePlan) open(x *run) (iter, error) {
	v, err := p.n.value(x)
	if err != nil {
		return nil, err
	}
	in, err := p.in.open(x)
	if err != nil {
		return nil, err
	}
	var out iter
	return func() (*Block, error) {
		if out != nil {
			return out()
		}
		blocks, err := x.collect(in)
		if err != nil || len(blocks) == 0 || v.Int <= 0 || v.Null {
			out = fromBlocks(nil)
			return nil, err
		}
		all := concat(blocks, p.columns())
		sel := make([]int32, 0, min(int64(all.Rows), v.Int))
		for i := range all.Rows {
			if int64(len(sel)) < v.Int {
				sel = append(sel, int32(i))
			} else if j := x.rand.Int64N(int64(i) + 1); j < v.Int {
				sel[j] = int32(i)
			}
		}
		out = chunked(all.gather(sel))
		return out()
	}, nil
}

type sampleDistinctOp struct {
	opHead
	n, of node
}

func parseSampleDistinct(p *parser, h opHead) operator {
	op := &sampleDistinctOp{opHead: h}
	op.n = p.expr()
	p.expect("of")
	op.of = p.namedExpr()
	p.done(&op.opHead)
	return op
}

func (o *sampleDistinctOp) print(p *printer) {
	p.put("sample-distinct ")
	o.n.print(p)
	p.put(" of ")
	o.of.print(p)
}

func (o *sampleDistinctOp) bind(b *binder, in *rel) *rel {
	k := b.groupKeys(in, []node{o.of})
	return &rel{plan: taken(&aggPlan{in: in.plan, keys: k.exprs, cols: k.cols}, b.integer(o.n)), open: in.open}
}
