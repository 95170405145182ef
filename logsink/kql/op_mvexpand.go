package kql

type mvExpandOp struct {
	opHead
	params []param
	items  []mvItem
	limit  node
}

// mvItem is one column to expand.
type mvItem struct {
	x  node
	to *typeNode
}

func (it *mvItem) print(p *printer) {
	it.x.print(p)
	if it.to != nil {
		p.put(" to ")
		it.to.print(p)
	}
}

func parseMvExpand(p *parser, h opHead) operator {
	op := &mvExpandOp{opHead: h}
	op.params = p.params("kind", "bagexpansion", "with_itemindex")
	op.items = commaList(p, p.mvItem, "limit", "on")
	if p.accept("limit") {
		op.limit = p.expr()
	}
	p.done(&op.opHead)
	return op
}

func (p *parser) mvItem() mvItem {
	it := mvItem{x: p.namedExpr()}
	if p.at("to") && p.peek().is("typeof") {
		p.advance()
		start := p.advance().at.start
		it.to = p.typeof(start).(*typeNode)
	}
	return it
}

func (o *mvExpandOp) print(p *printer) {
	p.put("mv-expand")
	printParams(p, o.params)
	printMvItems(p, o.items)
	if o.limit != nil {
		p.put(" limit ")
		o.limit.print(p)
	}
}

func printMvItems(p *printer, items []mvItem) {
	for i := range items {
		if i > 0 {
			p.put(",")
		}
		p.put(" ")
		items[i].print(p)
	}
}

func (o *mvExpandOp) bind(b *binder, in *rel) *rel {
	p := b.expansion(in, o.params, o.items)
	if o.limit != nil {
		p.limit = b.integer(o.limit)
	}
	return in.with(p)
}

// expansion binds what mv-expand and mv-apply share.
func (b *binder) expansion(in *rel, params []param, items []mvItem) *expandPlan {
	p := &expandPlan{in: in.plan, index: -1}
	out := passThrough(in)
	index := ""
	for _, v := range params {
		switch v.name {
		case "kind", "bagexpansion":
			p.arrays = v.text() == "array"
		case "with_itemindex":
			index = v.text()
		}
	}
	b.in(in.rows(), func() {
		for i := range items {
			b.expandItem(p, out, &items[i])
		}
	})
	if index != "" {
		p.index = len(out.cols)
		out.cols = append(out.cols, Column{index, Long})
		out.exprs = append(out.exprs, nil)
	}
	p.cols, p.exprs = out.cols, out.exprs
	return p
}

func (b *binder) expandItem(p *expandPlan, out *projection, it *mvItem) {
	x := b.expr(keyExpr(it.x))
	if x.typ != Dynamic && x.typ != NoType {
		b.diags.report(keyExpr(it.x).pos(), "KS141", "The expression must have the type dynamic.")
		x = failed(it.x)
	}
	name := x.name
	if named, ok := it.x.(*namedNode); ok {
		name = named.names[0].name
	}
	if name == "" {
		out.unnamed++
		name = out.free("Column" + itoa(out.unnamed))
	}
	typ := Dynamic
	if it.to != nil && len(it.to.cols) > 0 {
		typ = it.to.cols[0].typ
	}
	out.set(name, cast(x, Dynamic))
	at := out.cols.Index(name)
	out.cols[at].Type = typ
	p.targets = append(p.targets, at)
}

// expandPlan gives each element of arrays and bags a row of its own.
type expandPlan struct {
	in      plan
	exprs   []*bound
	cols    Schema
	targets []int // ordinals of the expanded columns
	index   int   // ordinal of the item's index, or -1
	arrays  bool  // a bag's entries become [key, value]
	limit   *bound
	needs
}

func (p *expandPlan) columns() Schema { return p.cols }

func (p *expandPlan) require(need colset) {
	if !p.want(need) {
		return
	}
	for _, t := range p.targets {
		p.set[t] = true
	}
	below := make(colset, len(p.in.columns()))
	for i, e := range p.exprs {
		if p.set[i] && e != nil {
			below.add(e.cols)
		}
	}
	p.in.require(below)
}

func (p *expandPlan) open(x *run) (iter, error) {
	limit := int64(-1)
	if p.limit != nil {
		v, err := p.limit.value(x)
		if err != nil {
			return nil, err
		}
		limit = v.Int
	}
	in, err := p.in.open(x)
	if err != nil {
		return nil, err
	}
	e := &expander{p: p, x: x, in: in, limit: limit}
	return e.next, nil
}

// expander is one iteration: a block's rows, and how far into the current
// row's elements it has come.
type expander struct {
	p     *expandPlan
	x     *run
	in    iter
	limit int64
	cols  []*Vector
	rows  int
	row   int
	item  int
	lists [][]any
}

func (e *expander) next() (*Block, error) {
	for {
		if err := e.x.check(); err != nil {
			return nil, err
		}
		if e.cols == nil {
			b, err := e.in()
			if b == nil || err != nil {
				return nil, err
			}
			if err := e.load(b); err != nil {
				return nil, err
			}
		}
		out := e.emit()
		if e.row >= e.rows {
			e.cols = nil
		}
		if out != nil {
			return out, nil
		}
	}
}

func (e *expander) load(b *Block) error {
	e.cols = make([]*Vector, len(e.p.exprs))
	for i, ex := range e.p.exprs {
		if ex == nil || !e.p.set[i] {
			continue
		}
		v, err := ex.eval(e.x, b)
		if err != nil {
			return err
		}
		e.cols[i] = v.flat(b.Rows)
	}
	e.rows, e.row, e.item, e.lists = b.Rows, 0, 0, nil
	return nil
}

// emit makes a block of up to BlockRows expanded rows.
func (e *expander) emit() *Block {
	var sel []int32
	items := make([][]any, len(e.p.targets))
	var index []int64
	for e.row < e.rows && len(sel) < BlockRows {
		if e.lists == nil {
			e.lists = make([][]any, len(e.p.targets))
			for i, t := range e.p.targets {
				e.lists[i] = elementsOf(e.cols[t].Dynamics[e.row], e.p.arrays)
			}
		}
		n := e.length()
		for ; e.item < n && len(sel) < BlockRows; e.item++ {
			sel = append(sel, int32(e.row))
			index = append(index, int64(e.item))
			for i, l := range e.lists {
				var v any
				if e.item < len(l) {
					v = l[e.item]
				}
				items[i] = append(items[i], v)
			}
		}
		if e.item >= n {
			e.row, e.item, e.lists = e.row+1, 0, nil
		}
	}
	if len(sel) == 0 {
		return nil
	}
	return e.block(sel, items, index)
}

func (e *expander) length() int {
	n := 0
	for _, l := range e.lists {
		n = max(n, len(l))
	}
	if e.limit >= 0 {
		n = int(min(int64(n), e.limit))
	}
	return n
}

func (e *expander) block(sel []int32, items [][]any, index []int64) *Block {
	n := len(sel)
	out := &Block{Rows: n, Columns: make([]*Vector, len(e.p.cols))}
	for i, c := range e.cols {
		if c != nil {
			out.Columns[i] = c.gather(sel)
		}
	}
	for i, t := range e.p.targets {
		out.Columns[t] = castItems(items[i], e.p.cols[t].Type)
	}
	if e.p.index >= 0 {
		out.Columns[e.p.index] = &Vector{Type: Long, Ints: index}
	}
	return out
}

// castItems makes a vector of elements. to typeof(T) casts, it does not
// parse: the string "20" is no long.
func castItems(items []any, t Type) *Vector {
	out := newVector(t, len(items))
	for i, d := range items {
		v := fromDynamic(d)
		switch {
		case t == Dynamic:
			out.Dynamics[i] = d
			continue
		case t == String:
			v = stringValue(dynamicText(d))
		case v.Type == String && t != DateTime && t != TimeSpan && t != GUID:
			v = nullValue(t)
		default:
			v = convert(v, t)
		}
		out.set(i, len(items), v)
	}
	return out
}

// elementsOf lists what a dynamic expands to: null to one null, a primitive
// to itself.
func elementsOf(d any, arrays bool) []any {
	switch d := d.(type) {
	case []any:
		return d
	case *Bag:
		out := make([]any, d.Len())
		for i, k := range d.keys {
			if arrays {
				out[i] = []any{k, d.vals[i]}
				continue
			}
			one := &Bag{}
			one.Set(k, d.vals[i])
			out[i] = one
		}
		return out
	}
	return []any{d}
}
