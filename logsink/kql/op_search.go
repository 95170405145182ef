package kql

import "strings"

type searchOp struct {
	opHead
	params []param
	in     []node
	pred   node
}

func parseSearch(p *parser, h opHead) operator {
	op := &searchOp{opHead: h}
	op.params = p.params("kind")
	if p.at("in") && p.peek().is("(") {
		p.advance()
		p.advance()
		op.in = commaList(p, p.tableArg)
		p.expect(")")
	}
	op.pred = p.expr()
	p.done(&op.opHead)
	return op
}

func (o *searchOp) print(p *printer) {
	p.put("search")
	printParams(p, o.params)
	if o.in != nil {
		p.put(" in (")
		list(p, o.in)
		p.put(")")
	}
	p.put(" ")
	o.pred.print(p)
}

func (o *searchOp) bind(b *binder, in *rel) *rel {
	cs := false
	for _, v := range o.params {
		if v.name == "kind" {
			b.oneOf(&v, []string{"default", "case_insensitive", "case_sensitive"})
			cs = v.text() == "case_sensitive"
		}
	}
	src := in
	if src == nil {
		src = b.searched(o.in)
	} else {
		src = unionOf([]*rel{in}, "$table", false)
	}
	var pred *bound
	b.in(src.rows(), func() { pred = b.searchPred(o.pred, cs) })
	if pred.typ != Bool && pred.typ != Dynamic && pred.typ != NoType {
		b.diags.report(o.pred.pos(), "KS141", "The expression must have the type bool.")
		pred = failed(o.pred)
	}
	return src.with(filtered(src.plan, cast(pred, Bool)))
}

// searched is the union of the tables to search: those listed, or all.
func (b *binder) searched(list []node) *rel {
	var parts []*rel
	if list == nil {
		list = []node{&wildNode{pattern: "*"}}
	}
	for _, n := range list {
		if w, ok := n.(*wildNode); ok {
			parts = append(parts, b.wildRels(w)...)
			continue
		}
		if r := b.tabular(n); r != nil {
			parts = append(parts, r)
		}
	}
	if len(parts) == 0 {
		return openRel()
	}
	return unionOf(parts, "$table", false)
}

// searchPred binds a search predicate: strings alone are terms looked for in
// every string column.
func (b *binder) searchPred(n node, cs bool) *bound {
	switch n := n.(type) {
	case *litNode:
		if n.val.Type == String {
			return b.searchTerm(n, b.stringColumns(), n.val.Str, cs)
		}
	case *parenNode:
		return b.searchPred(n.x, cs)
	case *binaryNode:
		switch n.op {
		case "and", "or":
			l, r := b.searchPred(n.l, cs), b.searchPred(n.r, cs)
			if l.typ == NoType || r.typ == NoType {
				return failed(n)
			}
			l, r = cast(l, Bool), cast(r, Bool)
			return derive(Bool, n, logicEval(n.op, l, r), l, r)
		case ":":
			return b.searchColumn(n, cs)
		}
	case *callNode:
		if n.fn.name == "not" && len(n.args) == 1 {
			x := b.searchPred(n.args[0], cs)
			if x.typ == NoType {
				return failed(n)
			}
			return derive(Bool, n, notEval(cast(x, Bool)), x)
		}
	}
	return b.expr(n)
}

func (b *binder) stringColumns() []*bound {
	var out []*bound
	for i, c := range b.row.cols {
		if (c.Type == String || c.Type == Dynamic) && c.Name != "$table" {
			out = append(out, columnRef(i, c, nil))
		}
	}
	return out
}

func (b *binder) searchColumn(n *binaryNode, cs bool) *bound {
	x := b.expr(n.l)
	r := b.expr(n.r)
	if x.typ == NoType || r.typ == NoType || r.val == nil {
		return failed(n)
	}
	return b.searchTerm(n, []*bound{x}, r.val.String(), cs)
}

// searchTerm tests columns for a term; stars at its ends widen it to prefix,
// suffix or any place.
func (b *binder) searchTerm(n node, cols []*bound, term string, cs bool) *bound {
	t := textTest{cs: cs, base: "has"}
	starts, ends := strings.HasPrefix(term, "*"), strings.HasSuffix(term, "*")
	word := strings.Trim(term, "*")
	switch {
	case word == "":
		return constant(boolValue(true), n)
	case starts && ends:
		t.base = "contains"
	case starts:
		t.base = "hassuffix"
	case ends:
		t.base = "hasprefix"
	}
	r := constant(stringValue(word), n)
	var out *bound
	for _, c := range cols {
		text := cast(c, String)
		test := derive(Bool, n, textEval(t, text, r), text)
		if out == nil {
			out = test
			continue
		}
		out = derive(Bool, n, logicEval("or", out, test), out, test)
	}
	if out == nil {
		return constant(boolValue(false), n)
	}
	return out
}
