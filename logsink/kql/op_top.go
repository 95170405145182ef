package kql

type topOp struct {
	opHead
	n   node
	key sortKey
}

func parseTop(p *parser, h opHead) operator {
	op := &topOp{opHead: h}
	p.params()
	op.n = p.expr()
	p.expect("by")
	op.key = p.sortKey()
	p.done(&op.opHead)
	return op
}

func (o *topOp) print(p *printer) {
	p.put("top ")
	o.n.print(p)
	p.put(" by ")
	o.key.print(p)
}

func (o *topOp) bind(b *binder, in *rel) *rel {
	var n *bound
	b.in(in.rows(), func() { n = b.quietInteger(o.n) })
	if len(n.cols) > 0 {
		b.diags.report(o.n.pos(), "KS129", "The expression must be a constant.")
		n = constant(longValue(0), o.n)
	}
	out := in.with(newSortPlan(in.plan, b.sortKeys(in, []sortKey{o.key}), n))
	out.sorted = true
	return out
}
