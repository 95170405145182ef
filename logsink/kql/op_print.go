package kql

type printOp struct{ exprListOp }

func parsePrint(p *parser, h opHead) operator { return &printOp{parseExprList(p, h)} }

func (o *printOp) bind(b *binder, in *rel) *rel {
	out := &projection{names: map[string]bool{}}
	names := map[string]bool{}
	for _, n := range o.items {
		if named, ok := n.(*namedNode); ok {
			for _, name := range named.names {
				names[name.name] = true
			}
		}
	}
	b.in(nil, func() {
		for i, n := range o.items {
			b.printed(out, n, i)
		}
	})
	return &rel{plan: out.over(oneRow), sorted: true}
}

// oneRow is a table without columns and with one row.
var oneRow plan = &blocksPlan{blocks: []*Block{{Rows: 1}}}

// printed adds one item; an unnamed one is print_ and its position.
func (b *binder) printed(out *projection, n node, i int) {
	if named, ok := n.(*namedNode); ok {
		for j, part := range b.namedParts(named, b.expr(named.x)) {
			out.add(b, named.names[j], named.names[j].name, true, part)
		}
		return
	}
	x := b.expr(n)
	if x.multiOf != nil && len(x.multi) > 1 {
		for j, c := range x.multi {
			out.add(b, n, c.Name, false, x.multiOf(j))
		}
		return
	}
	out.add(b, &litNode{span: n.pos()}, "print_"+itoa(i), false, x)
}
