package kql

type summarizeOp struct {
	opHead
	aggs []node
	keys []node
	by   bool
}

func parseSummarize(p *parser, h opHead) operator {
	op := &summarizeOp{opHead: h}
	p.params()
	if !p.at("by") {
		op.aggs = p.exprList("by")
	}
	if op.by = p.accept("by"); op.by {
		op.keys = p.exprList()
	}
	p.done(&op.opHead)
	return op
}

func (o *summarizeOp) print(p *printer) {
	p.put("summarize ")
	list(p, o.aggs)
	if o.by {
		if len(o.aggs) > 0 {
			p.put(" ")
		}
		p.put("by ")
		list(p, o.keys)
	}
}

func (o *summarizeOp) bind(b *binder, in *rel) *rel {
	out, ap := b.summarized(in, o.aggs, o.keys, true)
	r := &rel{plan: out.over(ap), open: in.open}
	return r
}

// groupKeys binds what stands behind by.
func (b *binder) groupKeys(in *rel, keys []node) *projection {
	out := &projection{names: map[string]bool{}}
	b.in(in.rows(), func() {
		for _, n := range keys {
			before := len(out.exprs)
			b.projected(out, n)
			for _, x := range out.exprs[before:] {
				if x.typ == Dynamic && x.node != nil && !in.open && !isFailed(x) {
					b.diags.report(keyExpr(n).pos(), "KS116", "The value of type 'dynamic' is not allowed in this context.")
				}
			}
		}
	})
	return out
}

func isFailed(x *bound) bool { return x.static && x.val == nil && len(x.cols) == 0 && x.name == "" }

// keyExpr is the expression of a perhaps named item.
func keyExpr(n node) node {
	if named, ok := n.(*namedNode); ok {
		return named.x
	}
	return n
}

// summarized binds aggregates grouped by keys. It returns the projection that
// gives the final columns, over the plan that groups.
func (b *binder) summarized(in *rel, aggs, keys []node, always bool) (*projection, *aggPlan) {
	k := b.groupKeys(in, keys)
	scope := &aggScope{offset: len(k.exprs), keys: map[string]bool{}}
	for _, x := range k.exprs {
		if x.col >= 0 {
			scope.keys[in.cols()[x.col].Name] = true
		}
	}
	ap := &aggPlan{in: in.plan, keys: k.exprs, always: always}
	out := &projection{names: map[string]bool{}}
	for i, c := range k.cols {
		out.names[c.Name] = true
		out.exprs = append(out.exprs, columnRef(i, c, nil))
		out.cols = append(out.cols, c)
	}
	items := &projection{names: out.names, unnamed: k.unnamed, exprs: out.exprs, cols: out.cols}
	b.in(in.rows(), func() {
		b.aggs = scope
		for _, n := range aggs {
			b.aggItem(items, n)
		}
	})
	ap.sites = scope.sites
	ap.cols = append(ap.cols, k.cols...)
	for _, s := range scope.sites {
		ap.cols = append(ap.cols, s.cols...)
	}
	// Names may repeat inside: the projection goes by ordinal.
	return items, ap
}

// aggItem binds one aggregate expression and adds its columns.
func (b *binder) aggItem(out *projection, n node) {
	before := len(b.aggs.sites)
	named, isNamed := n.(*namedNode)
	x := b.expr(keyExpr(n))
	if x.typ != NoType && len(b.aggs.sites) == before && !x.static {
		b.diags.report(keyExpr(n).pos(), "KS236", "The name '%s' is not an aggregate or scalar function.", x.name)
	}
	multi := x.multi
	if x.multiOf != nil {
		multi = nil // several results of a scalar call: only the first here
	}
	if isNamed {
		b.checkNames(named, x, len(multi))
	}
	for i := range max(1, len(multi)) {
		part := x
		if len(multi) > 0 {
			part = columnRef(x.col+i, multi[i], n)
		}
		name, explicit, at := part.name, false, n
		if isNamed && i < len(named.names) {
			name, explicit, at = named.names[i].name, true, named.names[i]
		}
		out.addAgg(b, at, name, explicit, part)
	}
}

// addAgg is add for summarize, where only repeated explicit names are errors.
func (p *projection) addAgg(b *binder, at node, name string, explicit bool, x *bound) {
	if explicit && p.names[name] {
		b.diags.report(at.pos(), "KS171", "A column with the name '%s' is already declared.", name)
	}
	if name == "" {
		p.unnamed++
		name = "Column" + itoa(p.unnamed)
	}
	name = p.free(name)
	p.names[name] = true
	typ := x.typ
	if typ == NoType {
		typ, x = Dynamic, failedDynamic(x)
	}
	p.exprs = append(p.exprs, x)
	p.cols = append(p.cols, Column{name, typ})
}
