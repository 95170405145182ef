package kql

type topNestedOp struct {
	opHead
	levels []nestedLevel
}

// nestedLevel is one "top-nested [N] of x [with others = v] by agg".
type nestedLevel struct {
	n      node
	of     node
	others node
	by     node
	order  string
}

func parseTopNested(p *parser, h opHead) operator {
	op := &topNestedOp{opHead: h}
	op.levels = append(op.levels, p.nestedLevel())
	for p.accept(",") {
		p.expect("top-nested")
		op.levels = append(op.levels, p.nestedLevel())
	}
	p.done(&op.opHead)
	return op
}

func (p *parser) nestedLevel() nestedLevel {
	var l nestedLevel
	if !p.at("of") {
		l.n = p.expr()
	}
	p.expect("of")
	l.of = p.namedExpr()
	if p.accept("with") {
		p.expect("others")
		p.expect("=")
		l.others = p.expr()
	}
	p.expect("by")
	l.by = p.namedExpr()
	if p.at("asc", "desc") {
		l.order = p.advance().text
	}
	return l
}

func (o *topNestedOp) print(p *printer) {
	for i, l := range o.levels {
		if i > 0 {
			p.put(", ")
		}
		p.put("top-nested ")
		if l.n != nil {
			l.n.print(p)
			p.put(" ")
		}
		p.put("of ")
		l.of.print(p)
		if l.others != nil {
			p.put(" with others = ")
			l.others.print(p)
		}
		p.put(" by ")
		l.by.print(p)
		if l.order != "" {
			p.put(" ", l.order)
		}
	}
}

// bind builds the levels one by one: each groups the rows that survived the
// levels above by one more key, keeps the best of every parent, and passes
// the survivors on.
func (o *topNestedOp) bind(b *binder, in *rel) *rel {
	p := &nestedPlan{in: in.plan}
	names := &projection{names: map[string]bool{}}
	for i := range o.levels {
		l := &o.levels[i]
		var lv nestedBound
		k := b.groupKeys(in, []node{l.of})
		lv.key = k.exprs[0]
		items, ap := b.summarized(in, []node{l.by}, nil, true)
		lv.site = ap.sites
		lv.value = items.exprs[0]
		if l.n != nil {
			lv.n = b.integer(l.n)
		}
		if l.others != nil {
			x := b.rowFree(l.others)
			lv.others = cast(x, lv.key.typ)
		}
		lv.desc = l.order != "asc"
		keyName := names.free(k.cols[0].Name)
		names.names[keyName] = true
		aggName := "aggregated_" + k.cols[0].Name
		if named, ok := l.by.(*namedNode); ok {
			aggName = named.names[0].name
		}
		aggName = names.free(aggName)
		names.names[aggName] = true
		p.cols = append(p.cols, Column{keyName, lv.key.typ}, Column{aggName, items.cols[0].Type})
		p.levels = append(p.levels, lv)
	}
	return &rel{plan: p, open: in.open}
}

type nestedBound struct {
	key    *bound
	site   []*aggSite
	value  *bound // over the aggregates' results
	n      *bound
	others *bound
	desc   bool
}

// nestedPlan computes top-nested over its collected input.
type nestedPlan struct {
	in     plan
	cols   Schema
	levels []nestedBound
	onceAsked
}

func (p *nestedPlan) columns() Schema { return p.cols }

func (p *nestedPlan) require(colset) {
	if p.first() {
		p.in.require(allCols(len(p.in.columns())))
	}
}

func (p *nestedPlan) open(x *run) (iter, error) {
	in, err := p.in.open(x)
	if err != nil {
		return nil, err
	}
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
		out := &rowBuilder{schema: p.cols}
		if err := p.descend(x, concat(blocks, p.in.columns()), 0, nil, out); err != nil {
			return nil, err
		}
		return out.block(), nil
	}, nil
}

// descend emits the rows below one parent.
func (p *nestedPlan) descend(x *run, b *Block, level int, prefix []Value, out *rowBuilder) error {
	if err := x.check(); err != nil {
		return err
	}
	if level == len(p.levels) {
		out.add(append([]Value(nil), prefix...)...)
		return x.grow(64 * int64(len(prefix)))
	}
	lv := &p.levels[level]
	groups, vals, sels, err := lv.group(x, b)
	if err != nil {
		return err
	}
	order := make([]int32, groups.Rows)
	for i := range order {
		order[i] = int32(i)
	}
	sortRows(x, order, []orderKey{{desc: lv.desc}}, []*Vector{vals})
	keep := len(order)
	if lv.n != nil {
		n, err := lv.n.value(x)
		if err != nil {
			return err
		}
		keep = min(keep, int(max(n.Int, 0)))
	}
	for _, g := range order[:keep] {
		row := append(append([]Value(nil), prefix...), groups.Columns[0].Value(int(g)), vals.Value(int(g)))
		if err := p.descend(x, b.gather(sels[g]), level+1, row, out); err != nil {
			return err
		}
	}
	if lv.others == nil || keep == len(order) {
		return nil
	}
	return p.rest(x, b, level, prefix, order[keep:], sels, out)
}

// rest emits the row of "with others": the aggregate over all left out.
func (p *nestedPlan) rest(x *run, b *Block, level int, prefix []Value, left []int32, sels [][]int32, out *rowBuilder) error {
	lv := &p.levels[level]
	var sel []int32
	for _, g := range left {
		sel = append(sel, sels[g]...)
	}
	v, err := lv.fold(x, b.gather(sel), nil, 1)
	if err != nil {
		return err
	}
	label, err := lv.others.value(x)
	if err != nil {
		return err
	}
	row := append(append([]Value(nil), prefix...), label, v.Value(0))
	for i := len(row); i < len(p.cols); i++ {
		row = append(row, nullValue(p.cols[i].Type))
	}
	out.add(row...)
	return nil
}

// group splits b by the level's key and folds each group.
func (lv *nestedBound) group(x *run, b *Block) (keys *Block, vals *Vector, sels [][]int32, err error) {
	k, err := lv.key.eval(x, b)
	if err != nil {
		return nil, nil, nil, err
	}
	g := newGrouper([]Type{lv.key.typ})
	ids := append([]uint32(nil), g.add([]*Vector{k}, b.Rows)...)
	sels = make([][]int32, g.n)
	for i, id := range ids {
		sels[id] = append(sels[id], int32(i))
	}
	vals, err = lv.fold(x, b, ids, g.n)
	return &Block{Rows: g.n, Columns: []*Vector{g.column(0)}}, vals, sels, err
}

// fold aggregates b's rows into groups; nil ids mean one group.
func (lv *nestedBound) fold(x *run, b *Block, ids []uint32, groups int) (*Vector, error) {
	if ids == nil {
		ids = make([]uint32, b.Rows)
	}
	res := &Block{Rows: groups}
	for _, s := range lv.site {
		args := make([]*Vector, len(s.args))
		for i, a := range s.args {
			v, err := a.eval(x, b)
			if err != nil {
				return nil, err
			}
			args[i] = v
		}
		agg := s.fn.make(s)
		agg.add(ids, groups, args, b.Rows)
		res.Columns = append(res.Columns, agg.results(groups)...)
	}
	v, err := lv.value.eval(x, res)
	if err != nil {
		return nil, err
	}
	return v.flat(groups), nil
}

type topHittersOp struct {
	opHead
	n, of, by node
}

func parseTopHitters(p *parser, h opHead) operator {
	op := &topHittersOp{opHead: h}
	op.n = p.expr()
	p.expect("of")
	op.of = p.namedExpr()
	if p.accept("by") {
		op.by = p.expr()
	}
	p.done(&op.opHead)
	return op
}

func (o *topHittersOp) print(p *printer) {
	p.put("top-hitters ")
	o.n.print(p)
	p.put(" of ")
	o.of.print(p)
	if o.by != nil {
		p.put(" by ")
		o.by.print(p)
	}
}

// bind counts exactly, where the service approximates.
func (o *topHittersOp) bind(b *binder, in *rel) *rel {
	k := b.groupKeys(in, []node{o.of})
	fn, name, args := "count", "approximate_count_"+k.cols[0].Name, []*bound(nil)
	typ := Long
	if o.by != nil {
		var x *bound
		b.in(in.rows(), func() { x = b.summable(o.by) })
		fn, name, args, typ = "sum", "approximate_sum_"+x.name, []*bound{x}, sumType(x.typ)
	}
	site := &aggSite{fn: aggregates()[fn], args: args, ret: typ, cols: []Column{{name, typ}}, first: 1}
	ap := &aggPlan{in: in.plan, keys: k.exprs, sites: []*aggSite{site}, cols: append(append(Schema(nil), k.cols...), site.cols...)}
	key := orderKey{x: columnRef(1, ap.cols[1], o), desc: true}
	return &rel{plan: &sortPlan{in: ap, keys: []orderKey{key}, n: b.integer(o.n)}, open: in.open, sorted: true}
}
