package kql

type extendOp struct{ exprListOp }

func parseExtend(p *parser, h opHead) operator { return &extendOp{parseExprList(p, h)} }

func (o *extendOp) bind(b *binder, in *rel) *rel {
	return in.with(b.extended(in, o.items).over(in.plan))
}

// extended binds items over in's rows: each sees the input's columns only,
// replaces the column of its name, or comes after the others.
func (b *binder) extended(in *rel, items []node) *projection {
	out := passThrough(in)
	given := map[string]bool{}
	unnamed := 0
	assign := func(n node, name string, x *bound, explicit bool) {
		if name == "" {
			for name = ""; name == "" || out.names[name]; {
				unnamed++
				name = "Column" + itoa(unnamed)
			}
		}
		if given[name] {
			b.diags.report(n.pos(), "KS171", "A column with the name '%s' is already declared.", name)
		}
		given[name] = true
		out.set(name, x)
	}
	b.in(in.rows(), func() {
		for _, n := range items {
			b.extendItem(n, assign)
		}
	})
	return out
}

func (b *binder) extendItem(n node, assign func(n node, name string, x *bound, explicit bool)) {
	named, ok := n.(*namedNode)
	if !ok {
		x := b.expr(n)
		if x.multiOf != nil && len(x.multi) > 1 {
			for i, c := range x.multi {
				assign(n, c.Name, x.multiOf(i), false)
			}
			return
		}
		assign(n, x.name, x, false)
		return
	}
	x := b.expr(named.x)
	for i, part := range b.namedParts(named, x) {
		assign(named.names[i], named.names[i].name, part, true)
	}
}

// namedParts is the results of x that (a, b, …) = x names.
func (b *binder) namedParts(n *namedNode, x *bound) []*bound {
	parts := []*bound{x}
	for i := 1; i < len(n.names); i++ {
		part := failed(n)
		if x.multiOf != nil && i < len(x.multi) {
			part = x.multiOf(i)
		}
		parts = append(parts, part)
	}
	b.checkNames(n, x, len(x.multi))
	return parts
}

// checkNames reports names that x has no results for.
func (b *binder) checkNames(n *namedNode, x *bound, results int) {
	switch {
	case len(n.names) < 2 || x.typ == NoType:
	case results < 2:
		last := n.names[len(n.names)-1]
		b.diags.report(span{n.pos().start, last.pos().end}, "KS149", "The expression does not have multiple named values.")
	default:
		for _, name := range n.names[min(results, len(n.names)):] {
			b.diags.report(name.pos(), "KS150", "The name does not have a corresponding expression.")
		}
	}
}
