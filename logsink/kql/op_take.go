package kql

type takeOp struct {
	opHead
	n node
}

func parseTake(p *parser, h opHead) operator {
	op := &takeOp{opHead: h}
	op.n = p.expr()
	p.done(&op.opHead)
	return op
}

func (o *takeOp) print(p *printer) { p.put("take "); o.n.print(p) }

func (o *takeOp) bind(b *binder, in *rel) *rel {
	var n *bound
	b.in(in.rows(), func() { n = b.quietInteger(o.n) })
	if len(n.cols) > 0 {
		b.diags.report(o.n.pos(), "KS129", "The expression must be a constant.")
		n = constant(longValue(0), o.n)
	}
	return in.with(taken(in.plan, n))
}

// taken keeps the first n rows. A scan right below learns of the limit, and
// a sort keeps that many rows only.
func taken(in plan, n *bound) plan {
	switch p := in.(type) {
	case *sortPlan:
		if p.limit < 0 && p.n == nil {
			return newSortPlan(p.in, p.keys, n)
		}
	case *projectPlan:
		if !p.windowed() {
			return &projectPlan{in: taken(p.in, n), exprs: p.exprs, cols: p.cols}
		}
	}
	if scan, ok := in.(*scanPlan); ok && n.val != nil && n.val.Int > 0 {
		s := &scanPlan{table: scan.table, schema: scan.schema, req: scan.req}
		s.req.Limit = n.val.Int
		in = s
	}
	return &takePlan{in: in, n: n}
}

type takePlan struct {
	in plan
	n  *bound
}

func (p *takePlan) columns() Schema     { return p.in.columns() }
func (p *takePlan) require(need colset) { p.in.require(need) }

func (p *takePlan) open(x *run) (iter, error) {
	v, err := p.n.value(x)
	if err != nil {
		return nil, err
	}
	left := v.Int
	if v.Null {
		left = 0
	}
	in, err := p.in.open(x)
	if err != nil {
		return nil, err
	}
	return func() (*Block, error) {
		if left <= 0 {
			return nil, nil
		}
		b, err := in()
		if b == nil || err != nil {
			return nil, err
		}
		if int64(b.Rows) > left {
			b = b.slice(0, int(left))
		}
		left -= int64(b.Rows)
		return b, nil
	}, nil
}
