package kql

// exprListOp is an operator with a list of named expressions.
type exprListOp struct {
	opHead
	items []node
}

func (o *exprListOp) print(p *printer) {
	p.put(o.word, " ")
	list(p, o.items)
}

func parseExprList(p *parser, h opHead) exprListOp {
	o := exprListOp{opHead: h}
	o.items = p.exprList()
	p.done(&o.opHead)
	return o
}

type projectOp struct{ exprListOp }

func parseProject(p *parser, h opHead) operator { return &projectOp{parseExprList(p, h)} }

func (o *projectOp) bind(b *binder, in *rel) *rel {
	out := &projection{}
	b.in(in.rows(), func() {
		for _, n := range o.items {
			b.projected(out, n)
		}
	})
	return in.with(out.over(in.plan))
}

// projection collects the columns of an operator's output.
type projection struct {
	exprs   []*bound
	cols    Schema
	names   map[string]bool // names in use
	unnamed int
}

// over returns the plan that computes the projection.
func (p *projection) over(in plan) plan {
	return &projectPlan{in: in, exprs: p.exprs, cols: p.cols}
}

// projected binds one item of project and what is like it and adds its
// column, or columns where a call has several results.
func (b *binder) projected(out *projection, n node) {
	if w, ok := n.(*wildNode); ok {
		for i, c := range b.row.cols {
			if matchWild(w.pattern, c.Name) {
				out.add(b, w, c.Name, false, columnRef(i, c, n))
			}
		}
		return
	}
	if _, ok := n.(*starNode); ok {
		for i, c := range b.row.cols {
			out.add(b, n, c.Name, false, columnRef(i, c, n))
		}
		return
	}
	named, isNamed := n.(*namedNode)
	if !isNamed {
		x := b.expr(n)
		if x.multiOf != nil && len(x.multi) > 1 {
			for i, c := range x.multi {
				out.add(b, n, c.Name, false, x.multiOf(i))
			}
			return
		}
		out.add(b, n, x.name, false, x)
		return
	}
	x := b.expr(named.x)
	if !named.tuple {
		out.add(b, named.names[0], named.names[0].name, true, x)
		return
	}
	// Results without a name have their own, other than in extend and print.
	for i, part := range b.namedParts(named, x) {
		out.add(b, named.names[i], named.names[i].name, true, part)
	}
	for i := len(named.names); i < len(x.multi) && x.multiOf != nil; i++ {
		out.add(b, n, x.multi[i].Name, false, x.multiOf(i))
	}
}

// add appends a column. An explicit name must be new; a derived one gets a
// number when it is taken, a missing one becomes ColumnN.
func (p *projection) add(b *binder, n node, name string, explicit bool, x *bound) {
	if p.names == nil {
		p.names = map[string]bool{}
	}
	if p.names[name] && name != "" {
		_, bare := n.(*nameNode)
		if explicit || bare {
			b.diags.report(n.pos(), "KS171", "A column with the name '%s' is already declared.", name)
		}
	}
	if name == "" {
		p.unnamed++
		name = p.free("Column" + itoa(p.unnamed))
	} else {
		name = p.free(name)
	}
	p.names[name] = true
	typ := x.typ
	if typ == NoType {
		typ, x = Dynamic, failedDynamic(x)
	}
	p.exprs = append(p.exprs, x)
	p.cols = append(p.cols, Column{name, typ})
}

// free returns name, or name with the first number that makes it new.
func (p *projection) free(name string) string {
	if !p.names[name] {
		return name
	}
	for i := 1; ; i++ {
		if s := name + itoa(i); !p.names[s] {
			return s
		}
	}
}

// projectPlan computes expressions over its input's rows.
type projectPlan struct {
	in    plan
	exprs []*bound
	cols  Schema
	needs
}

func (p *projectPlan) columns() Schema { return p.cols }

func (p *projectPlan) require(need colset) {
	if !p.want(need) {
		return
	}
	below := make(colset, len(p.in.columns()))
	for i, e := range p.exprs {
		if p.set[i] {
			below.add(e.cols)
		}
	}
	p.in.require(below)
}

// windowed reports whether an expression looks at other rows.
func (p *projectPlan) windowed() bool {
	for _, e := range p.exprs {
		if e.window {
			return true
		}
	}
	return false
}

func (p *projectPlan) open(x *run) (iter, error) {
	in, err := p.in.open(x)
	if err != nil {
		return nil, err
	}
	for i, e := range p.exprs {
		if e.window && p.set[i] {
			in = whole(x, in, p.in.columns())
			break
		}
	}
	return func() (*Block, error) {
		b, err := in()
		if b == nil || err != nil {
			return nil, err
		}
		return p.compute(x, b)
	}, nil
}

func (p *projectPlan) compute(x *run, b *Block) (*Block, error) {
	out := &Block{Rows: b.Rows, Columns: make([]*Vector, len(p.exprs))}
	for i, e := range p.exprs {
		if !p.set[i] {
			continue
		}
		if err := x.check(); err != nil {
			return nil, err
		}
		v, err := e.eval(x, b)
		if err != nil {
			return nil, err
		}
		out.Columns[i] = v.flat(b.Rows)
	}
	return out, nil
}

// passThrough starts a projection with every column of in.
func passThrough(in *rel) *projection {
	cols := in.cols()
	p := &projection{
		exprs: make([]*bound, len(cols), len(cols)+4), cols: append(make(Schema, 0, len(cols)+4), cols...),
		names: make(map[string]bool, len(cols)+4),
	}
	for i, c := range cols {
		p.exprs[i] = columnRef(i, c, nil)
		p.names[c.Name] = true
	}
	return p
}

// set replaces the column called name in place, or appends it.
func (p *projection) set(name string, x *bound) {
	typ := x.typ
	if typ == NoType {
		typ, x = Dynamic, failedDynamic(x)
	}
	if i := p.cols.Index(name); i >= 0 {
		p.exprs[i], p.cols[i] = x, Column{name, typ}
		return
	}
	p.names[name] = true
	p.exprs = append(p.exprs, x)
	p.cols = append(p.cols, Column{name, typ})
}
