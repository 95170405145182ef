package kql

type forkOp struct {
	opHead
	branches []forkBranch
}

type forkBranch struct {
	name *nameNode
	sub  *subquery
}

func parseFork(p *parser, h opHead) operator {
	op := &forkOp{opHead: h}
	for {
		var br forkBranch
		if p.tok().kind == tokName && p.peek().is("=") {
			br.name = p.declName()
			p.advance()
		}
		if !p.at("(") {
			if len(op.branches) == 0 {
				p.expected("(")
			}
			break
		}
		br.sub = p.subquery()
		op.branches = append(op.branches, br)
	}
	p.done(&op.opHead)
	return op
}

func (o *forkOp) print(p *printer) {
	p.put("fork")
	for _, br := range o.branches {
		p.put(" ")
		if br.name != nil {
			br.name.print(p)
			p.put("=")
		}
		br.sub.print(p)
	}
}

// bind runs every branch over the same rows; each is a result of its own.
func (o *forkOp) bind(b *binder, in *rel) *rel {
	src := in.with(cached(in.plan))
	src.sorted = in.sorted
	var out []namedRel
	for i, br := range o.branches {
		name := "Branch_" + itoa(i+1)
		if br.name != nil {
			name = br.name.name
		}
		out = append(out, namedRel{name, br.sub.bind(b, src)})
	}
	if len(out) == 0 {
		return openRel()
	}
	first := *out[0].rel
	first.name = out[0].name
	first.extra = out[1:]
	return &first
}

type facetOp struct {
	opHead
	cols []node
	sub  *subquery
}

func parseFacet(p *parser, h opHead) operator {
	op := &facetOp{opHead: h}
	p.expect("by")
	op.cols = p.exprList("with")
	if p.accept("with") {
		op.sub = p.subquery()
	}
	p.done(&op.opHead)
	return op
}

func (o *facetOp) print(p *printer) {
	p.put("facet by ")
	list(p, o.cols)
	if o.sub != nil {
		p.put(" with ")
		o.sub.print(p)
	}
}

// bind counts the values of each column, a result a column.
func (o *facetOp) bind(b *binder, in *rel) *rel {
	src := in.with(cached(in.plan))
	var out []namedRel
	for _, c := range o.cols {
		k := b.groupKeys(src, []node{c})
		site := &aggSite{fn: aggregates()["count"], cols: []Column{{"count_" + k.cols[0].Name, Long}}, first: 1}
		p := &aggPlan{in: src.plan, keys: k.exprs, sites: []*aggSite{site}, cols: append(append(Schema(nil), k.cols...), site.cols...)}
		out = append(out, namedRel{"facet_" + k.cols[0].Name, &rel{plan: p}})
	}
	if o.sub != nil {
		out = append(out, namedRel{"facet_with", o.sub.bind(b, src)})
	}
	first := *out[0].rel
	first.name = out[0].name
	first.extra = out[1:]
	return &first
}
