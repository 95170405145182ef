package kql

// datatable binds an inline table.
func (b *binder) datatable(n *datatableNode) *rel {
	schema := declaredSchema(n.cols)
	p := &blocksPlan{schema: schema}
	seen := map[string]bool{}
	for i, c := range schema {
		if seen[c.Name] {
			b.diags.report(n.cols[i].name.span, "KS171", "A column with the name '%s' is already declared.", c.Name)
		}
		seen[c.Name] = true
		if c.Type == NoType {
			schema[i].Type = Dynamic
		}
	}
	if len(schema) == 0 {
		return &rel{plan: p, open: true}
	}
	if len(n.vals)%len(schema) != 0 {
		b.diags.report(n.vals[len(n.vals)-1].pos(), "KS173", "Incorrect number of data values. The values should appear in multiples of %d.", len(schema))
	}
	var rows [][]Value
	row := make([]Value, 0, len(schema))
	b.in(nil, func() {
		for _, v := range n.vals {
			row = append(row, b.cell(v, schema[len(row)].Type))
			if len(row) == len(schema) {
				rows = append(rows, row)
				row = make([]Value, 0, len(schema))
			}
		}
	})
	p.blocks = []*Block{blockOf(schema, rows)}
	return &rel{plan: p, sorted: true}
}

// cell is a datatable's value, converted to its column's type.
func (b *binder) cell(n node, t Type) Value {
	x := b.expr(n)
	if x.val == nil {
		if x.typ != NoType {
			b.diags.report(n.pos(), "KS131", "The expression must be a literal.")
		}
		return nullValue(t)
	}
	return convert(*x.val, t)
}
