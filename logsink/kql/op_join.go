package kql

// joinKinds are the kinds of join under every name they have, in the order
// the language service lists them.
var joinKinds = []string{"inner", "fullouter", "innerunique", "leftanti", "leftantisemi", "anti", "leftouter", "leftsemi",
	"rightanti", "rightantisemi", "rightouter", "rightsemi"}

type joinOp struct {
	opHead
	params []param
	right  node
	conds  []node
	on     bool
}

func parseJoin(p *parser, h opHead) operator {
	op := &joinOp{opHead: h}
	op.params = p.params("kind", "withsource", "isfuzzy")
	op.right = p.tableArg()
	if op.on = p.accept("on"); op.on {
		op.conds = p.exprList()
	} else if p.at("where") {
		p.expected("on")
	}
	p.done(&op.opHead)
	return op
}

// tableArg parses an operator's table: a name, a call, a literal, or a query
// in parentheses.
func (p *parser) tableArg() node {
	if p.tok().kind == tokName && !p.peek().is("(") {
		if s := p.tok(); !p.startsExpr() || s.text == "on" {
			return p.missing("expression")
		}
		start := p.tok().at.start
		s := p.wildcard()
		if containsStar(s) {
			return &wildNode{p.from(start), s}
		}
		return &nameNode{p.from(start), s, false}
	}
	if p.at("*") {
		t := p.tok()
		return &wildNode{t.at, p.wildcard()}
	}
	return p.primary()
}

func (o *joinOp) print(p *printer) {
	p.put(o.word)
	printParams(p, o.params)
	p.put(" ")
	o.right.print(p)
	if o.on {
		p.put(" on ")
		list(p, o.conds)
	}
}

func (o *joinOp) bind(b *binder, in *rel) *rel {
	kind := "innerunique"
	for _, v := range o.params {
		if v.name == "kind" {
			kind = v.text()
			b.oneOf(&v, joinKinds)
		}
	}
	right := b.tabular(o.right)
	if right == nil {
		right = openRel()
	}
	if !o.on {
		b.diags.report(o.span, "KS006", "Missing join on condition clause")
		return openRel()
	}
	lk, rk := b.joinKeys(in, right, o.conds)
	return joined(in, right, normalKind(kind), lk, rk)
}

// oneOf reports a parameter's value that is not among those allowed.
func (b *binder) oneOf(v *param, allowed []string) {
	if !contains(allowed, v.text()) {
		b.diags.report(v.valAt, "KS005", "Expected one of: %s", joinComma(allowed))
	}
}

func normalKind(kind string) string {
	switch kind {
	case "anti", "leftantisemi":
		return "leftanti"
	case "rightantisemi":
		return "rightanti"
	}
	return kind
}

// joinKeys binds the conditions: common names, or $left.a == $right.b.
func (b *binder) joinKeys(left, right *rel, conds []node) (lk, rk []*bound) {
	for _, n := range conds {
		b.joinCondition(left, right, n, &lk, &rk)
	}
	return lk, rk
}

func (b *binder) joinCondition(left, right *rel, n node, lk, rk *[]*bound) {
	var l, r *bound
	switch c := n.(type) {
	case *missingNode:
		return
	case *parenNode:
		b.joinCondition(left, right, c.x, lk, rk)
		return
	case *nameNode:
		l, r = b.sideOf(left, c), b.sideOf(right, c)
	case *binaryNode:
		if c.op == "and" {
			b.joinCondition(left, right, c.l, lk, rk)
			b.joinCondition(left, right, c.r, lk, rk)
			return
		}
		sideL, nameL := joinSide(c.l)
		sideR, nameR := joinSide(c.r)
		switch {
		case c.op != "==" || nameL == nil || nameR == nil:
		case sideL == sideR:
			b.diags.report(n.pos(), "KS183", "The join condition must compare a column of $left with a column of $right.")
			return
		case sideL == "$left":
			l, r = b.sideOf(left, nameL), b.sideOf(right, nameR)
		default:
			l, r = b.sideOf(left, nameR), b.sideOf(right, nameL)
		}
		if nameL != nil && nameR != nil && (l == nil || r == nil) {
			return
		}
	}
	if l == nil && r == nil {
		if _, isName := n.(*nameNode); !isName {
			b.diags.report(n.pos(), "KS182", "The join condition must be either the name of a column common to both tables or in the form $left.<column> == $right.<column>.")
		}
		return
	}
	if l == nil || r == nil {
		return
	}
	if l.typ != r.typ && !(l.typ.isNumeric() && r.typ.isNumeric()) {
		b.diags.report(span{}, "KS242", "Inconsistent data types for join keys: (%s, %s)", l.typ, r.typ)
		return
	}
	t := l.typ
	if l.typ != r.typ {
		t = promote(l.typ, r.typ)
	}
	*lk, *rk = append(*lk, cast(l, t)), append(*rk, cast(r, t))
}

func joinSide(n node) (string, *nameNode) {
	if p, ok := n.(*parenNode); ok {
		return joinSide(p.x)
	}
	m, ok := n.(*memberNode)
	if !ok {
		if i, isIndex := n.(*indexNode); isIndex {
			side, ok1 := i.x.(*nameNode)
			lit, ok2 := i.index.(*litNode)
			if ok1 && ok2 && (side.name == "$left" || side.name == "$right") {
				return side.name, &nameNode{span: i.span, name: lit.val.String()}
			}
		}
		return "", nil
	}
	side, ok := m.x.(*nameNode)
	if !ok || side.name != "$left" && side.name != "$right" {
		return "", nil
	}
	return side.name, m.name
}

// sideOf returns a column of one side, nil with a report if there is none.
func (b *binder) sideOf(r *rel, n *nameNode) *bound {
	b.in(r.rows(), func() { b.note(n.name, false) })
	i := r.cols().Index(n.name)
	if i < 0 {
		if !r.open {
			b.diags.report(n.span, "KS142", "The name '%s' does not refer to any known column, table, variable or function.", n.name)
		}
		return nil
	}
	return columnRef(i, r.cols()[i], n)
}

// joined builds the join of two tables: all left columns, then all right
// ones, renamed where they clash.
func joined(left, right *rel, kind string, lk, rk []*bound) *rel {
	p := &joinPlan{left: left.plan, right: right.plan, kind: kind, lk: lk, rk: rk}
	names := &projection{names: map[string]bool{}}
	p.useLeft = kind != "rightsemi" && kind != "rightanti"
	p.useRight = kind != "leftsemi" && kind != "leftanti"
	if p.useLeft {
		for i, c := range left.cols() {
			p.cols = append(p.cols, c)
			p.from = append(p.from, joinCol{true, i})
			names.names[c.Name] = true
		}
	}
	if p.useRight {
		for i, c := range right.cols() {
			c.Name = names.free(c.Name)
			names.names[c.Name] = true
			p.cols = append(p.cols, c)
			p.from = append(p.from, joinCol{false, i})
		}
	}
	return &rel{plan: p, name: left.name, open: left.open || right.open}
}

type lookupOp struct{ joinOp }

func parseLookup(p *parser, h opHead) operator {
	op := parseJoin(p, h).(*joinOp)
	return &lookupOp{*op}
}

func (o *lookupOp) bind(b *binder, in *rel) *rel {
	kind := "leftouter"
	for _, v := range o.params {
		if v.name == "kind" {
			kind = v.text()
			b.oneOf(&v, []string{"leftouter", "inner"})
		}
	}
	right := b.tabular(o.right)
	if right == nil {
		right = openRel()
	}
	if !o.on {
		b.diags.report(o.span, "KS006", "Missing join on condition clause")
		return openRel()
	}
	lk, rk := b.joinKeys(in, right, o.conds)
	r := joined(in, right, kind, lk, rk)
	drop := map[int]bool{}
	for _, k := range rk {
		if n, ok := k.node.(*nameNode); ok {
			drop[right.cols().Index(n.name)] = true
		}
	}
	// Without the keys' columns, fewer names clash.
	p := r.plan.(*joinPlan)
	names := &projection{names: map[string]bool{}}
	var ordinals []int
	for i, f := range p.from {
		if !f.left && drop[f.col] {
			continue
		}
		c := p.cols[i].Name
		if !f.left {
			c = names.free(right.cols()[f.col].Name)
		}
		names.names[c] = true
		p.cols[i].Name = c
		ordinals = append(ordinals, i)
	}
	return pick(r, ordinals)
}
