package kql

import "fmt"

type makeSeriesOp struct {
	opHead
	params         []param
	aggs           []seriesAgg
	axis           node
	from, to, step node
	legacy         bool
	keys           []node
	by             bool
}

// seriesAgg is an aggregate with the value of empty bins.
type seriesAgg struct {
	x    node
	dflt node
}

func parseMakeSeries(p *parser, h opHead) operator {
	op := &makeSeriesOp{opHead: h}
	op.params = p.params("kind")
	op.aggs = commaList(p, p.seriesAgg, "on")
	p.expect("on")
	op.axis = p.axis()
	switch {
	case p.at("from", "to", "step"):
		op.parseSteps(p)
	default:
		op.legacy = true
		p.expect("in")
		p.expect("range")
		p.expect("(")
		if p.startsExpr() {
			op.from = p.expr()
			p.expect(",")
			op.to = p.expr()
			p.expect(",")
			op.step = p.expr()
		}
		p.expect(")")
	}
	if op.by = p.accept("by"); op.by {
		op.keys = p.exprList()
	}
	p.done(&op.opHead)
	return op
}

// axis parses [name =] expression, up to an "in" that starts the range.
func (p *parser) axis() node {
	if p.tok().kind == tokName && p.peek().is("=") || p.at("[") {
		return p.namedExpr()
	}
	return p.binary(precRelational)
}

func (o *makeSeriesOp) parseSteps(p *parser) {
	if p.accept("from") {
		o.from = p.expr()
	}
	if p.accept("to") {
		o.to = p.expr()
	}
	p.expect("step")
	o.step = p.expr()
}

func (p *parser) seriesAgg() seriesAgg {
	a := seriesAgg{x: p.namedExpr()}
	if p.accept("default") {
		p.expect("=")
		a.dflt = p.expr()
	}
	return a
}

func (o *makeSeriesOp) print(p *printer) {
	p.put("make-series")
	printParams(p, o.params)
	for i, a := range o.aggs {
		if i > 0 {
			p.put(",")
		}
		p.put(" ")
		a.x.print(p)
		if a.dflt != nil {
			p.put(" default=")
			a.dflt.print(p)
		}
	}
	p.put(" on ")
	o.axis.print(p)
	for _, part := range []struct {
		word string
		x    node
	}{{" from ", o.from}, {" to ", o.to}, {" step ", o.step}} {
		if part.x != nil {
			p.put(part.word)
			part.x.print(p)
		}
	}
	if o.by {
		p.put(" by ")
		list(p, o.keys)
	}
}

func (o *makeSeriesOp) bind(b *binder, in *rel) *rel {
	p := &seriesPlan{}
	for _, v := range o.params {
		p.nonEmpty = v.text() == "nonempty"
	}
	var axis *bound
	b.in(in.rows(), func() { axis = b.summable(keyExpr(o.axis)) })
	axisName := axis.name
	if named, ok := o.axis.(*namedNode); ok {
		axisName = named.names[0].name
	}
	if axisName == "" {
		axisName = "Column1"
	}
	stepType := axis.typ
	if axis.typ == DateTime {
		stepType = TimeSpan
	}
	p.axisType = axis.typ
	p.from = b.seriesBound(o.from, axis.typ)
	p.to = b.seriesBound(o.to, axis.typ)
	p.step = b.seriesBound(o.step, stepType)
	p.inclusive = o.legacy
	if axis.typ == NoType || p.step == nil {
		return openRel()
	}
	aggs := make([]node, len(o.aggs))
	for i, a := range o.aggs {
		aggs[i] = a.x
		p.dflts = append(p.dflts, b.seriesDefault(a.dflt))
	}
	// The axis' bin is one more group column, behind the written ones.
	items, ap := b.summarized(in, aggs, o.keys, false)
	p.keys = len(ap.keys)
	bin := derive(Long, o.axis, p.binEval(axis), axis)
	ap.keys = append(ap.keys, bin)
	ap.cols = append(append(append(Schema(nil), ap.cols[:p.keys]...), Column{"", Long}), ap.cols[p.keys:]...)
	for i, e := range items.exprs[p.keys:] {
		items.exprs[p.keys+i] = shiftColumns(e, p.keys)
	}
	inner := &projection{exprs: append(append(append([]*bound(nil), items.exprs[:p.keys]...),
		columnRef(p.keys, Column{"", Long}, nil)), items.exprs[p.keys:]...)}
	inner.cols = append(append(append(Schema(nil), items.cols[:p.keys]...), Column{"", Long}), items.cols[p.keys:]...)
	p.in = inner.over(ap)
	p.cols = append(p.cols, items.cols[:p.keys]...)
	for i, c := range items.cols[p.keys:] {
		p.cols = append(p.cols, Column{c.Name, Dynamic})
		if c.Type == Real && i < len(p.dflts) && p.dflts[i].typ.isNumeric() {
			p.dflts[i] = cast(p.dflts[i], Real)
		}
	}
	p.cols = append(p.cols, Column{(&projection{names: nameSet(p.cols)}).free(axisName), Dynamic})
	return &rel{plan: p, open: in.open}
}

func nameSet(cols Schema) map[string]bool {
	m := map[string]bool{}
	for _, c := range cols {
		m[c.Name] = true
	}
	return m
}

// shiftColumns makes an expression over aggregate results read one column
// further right, from ordinal at on.
func shiftColumns(x *bound, at int) *bound {
	y := *x
	y.cols = nil
	for _, c := range x.cols {
		if c >= at {
			c++
		}
		y.cols = append(y.cols, c)
	}
	eval := x.eval
	y.eval = func(r *run, b *Block) (*Vector, error) {
		cut := &Block{Rows: b.Rows, Columns: append(append([]*Vector(nil), b.Columns[:at]...), b.Columns[at+1:]...)}
		return eval(r, cut)
	}
	return &y
}

func (b *binder) seriesBound(n node, t Type) *bound {
	if n == nil {
		return nil
	}
	var x *bound
	b.in(nil, func() { x = b.summable(n) })
	if x.typ == NoType {
		return x
	}
	return cast(x, t)
}

func (b *binder) seriesDefault(n node) *bound {
	if n == nil {
		return constant(longValue(0), nil)
	}
	return b.rowFree(n)
}

// maxSeries is how many points a series has at most.
const maxSeries = 1048576

// seriesPlan spreads the bins of each group over arrays.
type seriesPlan struct {
	in             plan
	cols           Schema
	keys           int
	axisType       Type
	from, to, step *bound
	dflts          []*bound
	nonEmpty       bool
	inclusive      bool // in range(a, b, s) includes b
	onceAsked
}

func (p *seriesPlan) columns() Schema { return p.cols }

func (p *seriesPlan) require(colset) {
	if p.first() {
		p.in.require(allCols(len(p.in.columns())))
	}
}

// binEval numbers the bins from the start of the series; rows outside have
// no number.
func (p *seriesPlan) binEval(axis *bound) evalFn {
	return func(x *run, b *Block) (*Vector, error) {
		v, err := axis.eval(x, b)
		if err != nil {
			return nil, err
		}
		g, err := p.grid(x)
		if err != nil {
			return nil, err
		}
		out := newVector(Long, b.Rows)
		for i := range b.Rows {
			n, ok := g.bin(v.Value(i))
			if !ok {
				out.setNull(i, b.Rows)
			}
			out.Ints[i] = n
		}
		return out, nil
	}
}

// seriesGrid is the start, step and number of bins; n is -1 when open.
type seriesGrid struct {
	from, step Value
	n          int64
}

func (p *seriesPlan) grid(x *run) (*seriesGrid, error) {
	step, err := p.step.value(x)
	if err != nil {
		return nil, err
	}
	g := &seriesGrid{step: step, n: -1, from: Value{Type: p.axisType}}
	if step.Null || step.float() <= 0 {
		return nil, fmt.Errorf("make-series: the step must be positive")
	}
	if p.from != nil {
		if g.from, err = p.from.value(x); err != nil {
			return nil, err
		}
		if p.inclusive && !g.from.Null { // the old form starts at a bin of its own
			g.from = binValue(g.from, step)
		}
	}
	if p.to == nil {
		return g, nil
	}
	to, err := p.to.value(x)
	if err != nil {
		return nil, err
	}
	if to.Null || g.from.Null {
		g.n = 0
		return g, nil
	}
	g.n = g.count(to, p.inclusive)
	if p.from != nil && g.n > maxSeries {
		return nil, fmt.Errorf("make-series: %d points are more than the limit of %d; use a larger step", g.n, maxSeries)
	}
	return g, nil
}

// count is how many bins start before to.
func (g *seriesGrid) count(to Value, inclusive bool) int64 {
	if g.from.Type == Real {
		q := (to.Real - g.from.Real) / g.step.Real
		n := int64(q)
		if float64(n) < q || inclusive {
			n++
		}
		return max(n, 0)
	}
	q, r := floorDiv(to.Int-g.from.Int, g.step.Int)
	if r > 0 || inclusive {
		q++
	}
	return max(q, 0)
}

func (g *seriesGrid) bin(v Value) (int64, bool) {
	if v.Null {
		return 0, false
	}
	var n int64
	if v.Type == Real {
		f := (v.Real - g.from.Real) / g.step.Real
		n = int64(f)
		if f < 0 && float64(n) != f {
			n--
		}
	} else {
		n, _ = floorDiv(v.Int-g.from.Int, g.step.Int)
	}
	return n, g.n < 0 || n < g.n
}

// at is the start of bin n.
func (g *seriesGrid) at(n int64) Value {
	v := g.from
	if v.Type == Real {
		v.Real += float64(n) * g.step.Real
	} else {
		v.Int += n * g.step.Int
	}
	return v
}

func (p *seriesPlan) open(x *run) (iter, error) {
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
		if err != nil {
			return nil, err
		}
		return p.build(x, blocks)
	}, nil
}

func (p *seriesPlan) build(x *run, blocks []*Block) (*Block, error) {
	g, err := p.grid(x)
	if err != nil {
		return nil, err
	}
	b := concat(blocks, p.in.columns())
	if len(blocks) == 0 {
		b = blockOf(p.in.columns(), nil)
	}
	b = p.inRange(b)
	lo, n := p.extent(g, b)
	if n > maxSeries {
		return nil, fmt.Errorf("make-series: %d points are more than the limit of %d; use a larger step", n, maxSeries)
	}
	dflts := make([]any, len(p.dflts))
	for i, d := range p.dflts {
		v, err := d.value(x)
		if err != nil {
			return nil, err
		}
		dflts[i] = v.dynamic()
	}
	types := make([]Type, p.keys)
	for i := range types {
		types[i] = p.cols[i].Type
	}
	groups := newGrouper(types)
	ids := append([]uint32(nil), groups.add(b.Columns[:p.keys], b.Rows)...)
	if groups.n == 0 && p.keys == 0 && p.nonEmpty {
		groups.n = 1
	}
	if err := x.grow(16 * n * int64(groups.n) * int64(len(dflts))); err != nil {
		return nil, err
	}
	out := &Block{Rows: groups.n}
	for i := range p.keys {
		out.Columns = append(out.Columns, groups.column(i))
	}
	for i, d := range dflts {
		if err := x.check(); err != nil {
			return nil, err
		}
		out.Columns = append(out.Columns, p.spread(b, ids, b.Columns[p.keys+1+i], d, groups.n, lo, n))
	}
	axis := make([]any, n)
	for i := range axis {
		axis[i] = g.at(lo + int64(i)).dynamic()
	}
	out.Columns = append(out.Columns, constVector(dynamicValue(axis)).flat(groups.n))
	if groups.n == 0 {
		return nil, nil
	}
	return out, nil
}

// inRange drops the rows outside of the series, so that a group with no
// other rows does not appear.
func (p *seriesPlan) inRange(b *Block) *Block {
	var sel []int32
	for i := range b.Rows {
		if v := b.Columns[p.keys].Value(i); !v.Null && (p.from == nil || v.Int >= 0) {
			sel = append(sel, int32(i))
		}
	}
	return b.gather(sel)
}

// extent is the first bin and the number of bins of every series.
func (p *seriesPlan) extent(g *seriesGrid, b *Block) (lo, n int64) {
	if p.from != nil && g.n >= 0 {
		return 0, g.n
	}
	hi, any := int64(0), false
	for i := range b.Rows {
		v := b.Columns[p.keys].Value(i)
		if v.Null || p.from != nil && v.Int < 0 {
			continue
		}
		if !any || v.Int < lo {
			lo = v.Int
		}
		if !any || v.Int > hi {
			hi = v.Int
		}
		any = true
	}
	if !any {
		return 0, 0
	}
	if p.from != nil {
		lo = 0
	}
	if g.n >= 0 {
		hi = g.n - 1
	}
	return lo, hi - lo + 1
}

func (p *seriesPlan) spread(b *Block, ids []uint32, v *Vector, dflt any, groups int, lo, n int64) *Vector {
	out := newVector(Dynamic, groups)
	lists := make([][]any, groups)
	for g := range lists {
		lists[g] = make([]any, n)
		for i := range lists[g] {
			lists[g][i] = dflt
		}
		out.Dynamics[g] = lists[g]
	}
	for i, g := range ids {
		bin := b.Columns[p.keys].Value(i)
		if k := bin.Int - lo; !bin.Null && k >= 0 && k < n {
			lists[g][k] = v.Value(i).dynamic()
		}
	}
	return out
}
