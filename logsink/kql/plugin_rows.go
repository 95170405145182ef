package kql

// rowsNear binds rows_near(condition, n [, after]): the rows for which the
// condition is true, with n rows before and n, or after, rows behind each.
// https://learn.microsoft.com/kusto/query/rows-near-plugin
func rowsNear(b *binder, in *rel, n *callNode) *rel {
	args, _ := splitArgs(n)
	if len(args) < 2 || len(args) > 3 {
		b.wrongCount("rows_near", n.fn.span, 2, 3)
		return openRel()
	}
	p := &nearPlan{in: in.plan}
	b.in(in.rows(), func() { p.cond = b.condition(args[0]) })
	p.before = b.integer(args[1])
	p.after = p.before
	if len(args) == 3 {
		p.after = b.integer(args[2])
	}
	out := in.with(p)
	out.sorted = in.sorted
	return out
}

// nearPlan keeps the rows around those a condition holds for.
type nearPlan struct {
	in            plan
	cond          *bound
	before, after *bound
	needs
}

func (p *nearPlan) columns() Schema { return p.in.columns() }

func (p *nearPlan) require(need colset) {
	if !p.want(need) {
		return
	}
	below := append(colset(nil), p.set...)
	below.add(p.cond.cols)
	p.in.require(below)
}

func (p *nearPlan) open(x *run) (iter, error) {
	before, err := p.before.value(x)
	if err != nil {
		return nil, err
	}
	after, err := p.after.value(x)
	if err != nil {
		return nil, err
	}
	in, err := p.in.open(x)
	if err != nil {
		return nil, err
	}
	var out iter
	return func() (*Block, error) {
		if out == nil {
			b, err := whole(x, in, p.columns())()
			if err != nil {
				return nil, err
			}
			if b == nil {
				return nil, nil
			}
			if b, err = p.near(x, b, max(before.Int, 0), max(after.Int, 0)); err != nil {
				return nil, err
			}
			out = chunked(b)
		}
		return out()
	}, nil
}

func (p *nearPlan) near(x *run, b *Block, before, after int64) (*Block, error) {
	v, err := p.cond.eval(x, b)
	if err != nil {
		return nil, err
	}
	v = v.flat(b.Rows)
	var sel []int32
	next := int64(0) // first row not decided yet
	for i := range b.Rows {
		x.poll(i)
		if !v.Bools[i] || v.Nulls.Get(i) {
			continue
		}
		from := max(next, int64(i)-min(before, int64(i)))
		to := min(int64(b.Rows), int64(i)+1+min(after, int64(b.Rows)))
		for j := from; j < to; j++ {
			sel = append(sel, int32(j))
		}
		next = max(next, to)
	}
	return b.gather(sel), nil
}

// dcountIntersect binds dcount_intersect(hll1, hll2, …): s0 counts the values
// of the first sketch, s1 those also in the second, and so on.
// https://learn.microsoft.com/kusto/query/dcount-intersect-plugin
func dcountIntersect(b *binder, in *rel, n *callNode) *rel {
	args, _ := splitArgs(n)
	if len(args) < 2 {
		b.wrongCount("dcount_intersect", n.fn.span, 2, maxVariadic)
		return openRel()
	}
	out := passThrough(in)
	var sketches []*bound
	for i, a := range args {
		x := b.columnArg(in, a)
		if x.typ != NoType && x.typ != Dynamic {
			b.diags.report(a.pos(), "KS141", "The expression must have the type dynamic.")
			return openRel()
		}
		sketches = append(sketches, cast(x, Dynamic))
		from := append([]*bound(nil), sketches...)
		out.set("s"+itoa(i), derive(Long, n, kernelEval(rowKernel(Long, commonItems), from), from...))
	}
	return in.with(out.over(in.plan))
}

// commonItems counts what all sketches have seen.
func commonItems(a []Value) Value {
	lists := make([][]any, len(a))
	for i, v := range a {
		lists[i] = sketchItems(v.Any, "hll")
	}
	return longValue(int64(len(setIntersect(lists))))
}
