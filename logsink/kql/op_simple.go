package kql

// count

type countOp struct {
	opHead
	as *nameNode
}

func parseCount(p *parser, h opHead) operator {
	op := &countOp{opHead: h}
	if p.accept("as") {
		op.as = p.declName()
	}
	p.done(&op.opHead)
	return op
}

func (o *countOp) print(p *printer) {
	p.put("count")
	if o.as != nil {
		p.put(" as ")
		o.as.print(p)
	}
}

func (o *countOp) bind(b *binder, in *rel) *rel {
	name := "Count"
	if o.as != nil {
		name = o.as.name
	}
	site := &aggSite{fn: aggregates()["count"], cols: []Column{{name, Long}}}
	return &rel{plan: &aggPlan{in: in.plan, sites: []*aggSite{site}, cols: site.cols, always: true}}
}

// distinct

type distinctOp struct{ exprListOp }

func parseDistinct(p *parser, h opHead) operator { return &distinctOp{parseExprList(p, h)} }

func (o *distinctOp) bind(b *binder, in *rel) *rel {
	k := b.groupKeys(in, o.items)
	return &rel{plan: &aggPlan{in: in.plan, keys: k.exprs, cols: k.cols}, name: in.name, open: in.open}
}

// as

type asOp struct {
	opHead
	name *nameNode
}

func parseAs(p *parser, h opHead) operator {
	op := &asOp{opHead: h}
	p.params()
	op.name = p.declName()
	p.done(&op.opHead)
	return op
}

func (o *asOp) print(p *printer) { p.put("as "); o.name.print(p) }

// bind names the rows, also for the operators behind: a later union or join
// may use the name, and gets the rows computed once.
func (o *asOp) bind(b *binder, in *rel) *rel {
	out := in.with(cached(in.plan))
	out.name = o.name.name
	b.scope.vars[o.name.name] = &binding{rel: out}
	return out
}

// cachePlan keeps the rows of the first iteration for those that follow.
type cachePlan struct{ in plan }

func cached(in plan) plan {
	if c, ok := in.(*cachePlan); ok {
		return c
	}
	return &cachePlan{in}
}

func (p *cachePlan) columns() Schema     { return p.in.columns() }
func (p *cachePlan) require(need colset) { p.in.require(need) }

func (p *cachePlan) open(x *run) (iter, error) {
	var out iter
	return func() (*Block, error) {
		if out == nil {
			blocks, err := x.cachedTable(p, &rel{plan: p.in})
			if err != nil {
				return nil, err
			}
			out = fromBlocks(blocks)
		}
		return out()
	}, nil
}

// consume reads everything and returns nothing.

type consumeOp struct {
	opHead
	opts []param
}

func parseConsume(p *parser, h opHead) operator {
	op := &consumeOp{opHead: h, opts: p.params("decodeblocks")}
	p.done(&op.opHead)
	return op
}

func (o *consumeOp) print(p *printer) { p.put("consume"); printParams(p, o.opts) }

func (o *consumeOp) bind(b *binder, in *rel) *rel {
	zero := constant(boolValue(false), nil)
	return &rel{plan: filtered(in.plan, zero), open: in.open}
}

// serialize

type serializeOp struct{ exprListOp }

func parseSerialize(p *parser, h opHead) operator {
	o := &serializeOp{exprListOp{opHead: h}}
	if p.startsExpr() {
		o.items = p.exprList()
	}
	p.done(&o.opHead)
	return o
}

func (o *serializeOp) print(p *printer) {
	p.put("serialize")
	if len(o.items) > 0 {
		p.put(" ")
		list(p, o.items)
	}
}

func (o *serializeOp) bind(b *binder, in *rel) *rel {
	in = in.with(in.plan)
	in.sorted = true
	if len(o.items) == 0 {
		return in
	}
	return in.with(b.extended(in, o.items).over(in.plan))
}

// getschema

type getSchemaOp struct{ opHead }

func parseGetSchema(p *parser, h opHead) operator {
	op := &getSchemaOp{h}
	p.done(&op.opHead)
	return op
}

func (o *getSchemaOp) print(p *printer) { p.put("getschema") }

func (o *getSchemaOp) bind(b *binder, in *rel) *rel {
	p := &blocksPlan{schema: Schema{{"ColumnName", String}, {"ColumnOrdinal", Long}, {"DataType", String}, {"ColumnType", String}}}
	var rows [][]Value
	for i, c := range in.cols() {
		rows = append(rows, []Value{stringValue(c.Name), longValue(int64(i)), stringValue(systemNames[c.Type]), stringValue(c.Type.String())})
	}
	p.blocks = []*Block{blockOf(p.schema, rows)}
	return &rel{plan: p, open: in.open}
}

// invoke

type invokeOp struct {
	opHead
	call node
}

func parseInvoke(p *parser, h opHead) operator {
	op := &invokeOp{opHead: h}
	op.call = p.primary()
	p.done(&op.opHead)
	return op
}

func (o *invokeOp) print(p *printer) { p.put("invoke "); o.call.print(p) }

func (o *invokeOp) bind(b *binder, in *rel) *rel {
	call, ok := o.call.(*callNode)
	if !ok {
		if name, isName := o.call.(*nameNode); isName {
			call, ok = &callNode{span: name.span, fn: name}, true
		}
	}
	if !ok {
		return openRel()
	}
	v := b.scope.lookup(call.fn.name)
	if v == nil || v.fn == nil {
		b.diags.report(call.fn.span, "KS211", "The name '%s' does not refer to any known function.", call.fn.name)
		return openRel()
	}
	x := b.callUser(v.fn, call, in)
	if x.rel == nil {
		if x.typ != NoType {
			b.diags.report(o.call.pos(), "KS110", "A tabular expression expected.")
		}
		return openRel()
	}
	return x.rel
}
