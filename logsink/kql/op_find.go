package kql

type findOp struct {
	opHead
	params []param
	in     []node
	pred   node
	cols   []findColumn
	given  bool // project was written
	smart  bool
}

type findColumn struct {
	name *nameNode
	typ  Type
}

func parseFind(p *parser, h opHead) operator {
	op := &findOp{opHead: h}
	op.params = p.params("withsource", "datascope")
	if p.at("in") && p.peek().is("(") {
		p.advance()
		p.advance()
		op.in = commaList(p, p.tableArg)
		p.expect(")")
	}
	if p.accept("where") || op.in == nil {
		op.pred = p.expr()
	} else if p.startsExpr() && !p.at("project", "project-smart") {
		op.pred = p.expr()
	}
	switch {
	case p.accept("project-smart"):
		op.smart = true
	case p.accept("project"):
		op.given = true
		op.cols = commaList(p, func() findColumn {
			c := findColumn{name: p.declName()}
			if p.accept(":") {
				c.typ, _ = p.typeName()
			}
			return c
		})
	}
	p.done(&op.opHead)
	return op
}

func (o *findOp) print(p *printer) {
	p.put("find")
	printParams(p, o.params)
	if o.in != nil {
		p.put(" in (")
		list(p, o.in)
		p.put(")")
	}
	if o.pred != nil {
		p.put(" where ")
		o.pred.print(p)
	}
	if o.smart {
		p.put(" project-smart")
	}
	if o.given {
		p.put(" project ")
		for i, c := range o.cols {
			if i > 0 {
				p.put(", ")
			}
			c.name.print(p)
			if c.typ != NoType {
				p.put(": ", c.typ.String())
			}
		}
	}
}

// bind looks through the tables listed, or all: the source's name, the
// columns asked for (without project: those the predicate names), and the
// rest packed in pack_.
func (o *findOp) bind(b *binder, in *rel) *rel {
	source := "source_"
	for _, v := range o.params {
		if v.name == "withsource" {
			source = v.text()
		}
	}
	var all *rel
	if in != nil {
		all = unionOf([]*rel{in}, source, false)
	} else {
		all = b.searchedAs(o.in, source)
	}
	pred := constant(boolValue(true), o)
	if o.pred != nil {
		b.in(all.rows(), func() { pred = cast(b.searchPred(o.pred, false), Bool) })
	}
	rows := all.with(filtered(all.plan, pred))
	if o.given {
		return o.project(b, rows, source)
	}
	return packRest(rows, pred, o)
}

func (b *binder) searchedAs(list []node, source string) *rel {
	r := b.searched(list)
	if p, ok := r.plan.(*unionPlan); ok && p.source {
		cols := append(Schema(nil), p.cols...)
		cols[0].Name = source
		p.cols = cols
	}
	return r
}

func (o *findOp) project(b *binder, rows *rel, source string) *rel {
	out := &projection{}
	cols := rows.cols()
	out.add(b, o, source, false, columnRef(0, cols[0], nil))
	for _, c := range o.cols {
		i := cols.Index(c.name.name)
		switch {
		case i >= 0:
			out.add(b, c.name, c.name.name, true, columnRef(i, cols[i], c.name))
		case c.typ != NoType:
			out.add(b, c.name, c.name.name, true, constant(nullValue(c.typ), c.name))
		case !rows.open:
			b.diags.report(c.name.span, "KS142", "The name '%s' does not refer to any known column, table, variable or function.", c.name.name)
		}
	}
	return rows.with(out.over(rows.plan))
}

// packRest keeps the source and the predicate's columns and packs the others.
func packRest(rows *rel, pred *bound, n node) *rel {
	used := map[int]bool{0: true}
	for _, c := range pred.cols {
		used[c] = true
	}
	out := &projection{names: map[string]bool{}}
	var rest []*bound
	var names []string
	for i, c := range rows.cols() {
		ref := columnRef(i, c, n)
		if used[i] && c.Type != Dynamic {
			out.exprs, out.cols = append(out.exprs, ref), append(out.cols, c)
			continue
		}
		if i > 0 {
			rest, names = append(rest, ref), append(names, c.Name)
		}
	}
	pack := derive(Dynamic, n, packEval(names, rest, true), rest...)
	out.exprs, out.cols = append(out.exprs, pack), append(out.cols, Column{"pack_", Dynamic})
	return rows.with(out.over(rows.plan))
}
