package kql

type unionOp struct {
	opHead
	params []param
	parts  []node
}

func parseUnion(p *parser, h opHead) operator {
	op := &unionOp{opHead: h}
	op.params = p.params("kind", "withsource", "isfuzzy", "with_source")
	op.parts = commaList(p, p.tableArg)
	p.done(&op.opHead)
	return op
}

func (o *unionOp) print(p *printer) {
	p.put("union")
	printParams(p, o.params)
	p.put(" ")
	list(p, o.parts)
}

func (o *unionOp) bind(b *binder, in *rel) *rel {
	source, inner, fuzzy := "", false, false
	for _, v := range o.params {
		switch v.name {
		case "kind":
			b.oneOf(&v, []string{"inner", "outer"})
			inner = v.text() == "inner"
		case "withsource", "with_source":
			source = v.text()
		case "isfuzzy":
			fuzzy = v.text() == "true"
		}
	}
	var parts []*rel
	if in != nil {
		parts = append(parts, in)
	}
	if fuzzy {
		b.fuzzy++
		defer func() { b.fuzzy-- }()
	}
	for _, n := range o.parts {
		if w, ok := n.(*wildNode); ok {
			parts = append(parts, b.wildRels(w)...)
			continue
		}
		if r := b.tabular(n); r != nil {
			parts = append(parts, r)
		}
	}
	if len(parts) == 0 {
		b.diags.report(o.span, "KS006", "Missing expression")
		return openRel()
	}
	return unionOf(parts, source, inner)
}

// wildRels are the tables a pattern matches, each by itself. A view of rows
// that another of them has is empty: a pattern finds each row once.
func (b *binder) wildRels(n *wildNode) []*rel {
	var out []*rel
	for _, name := range b.visibleTables() {
		if !matchWild(n.pattern, name) {
			continue
		}
		r := b.tableName(&nameNode{span: n.span, name: name})
		if r == nil {
			continue
		}
		if of := b.viewOf(name); of != "" && matchWild(n.pattern, of) {
			r = tableRel(name, &MemTable{Cols: r.cols()})
		}
		out = append(out, r)
	}
	if len(out) == 0 && b.fuzzy == 0 {
		b.diags.report(n.span, "KS204", "The name '%s' does not refer to any known table, tabular variable or function.", n.pattern)
		out = append(out, openRel())
	}
	return out
}

// viewOf is the table whose rows a table of the catalog shows, "" when they are
// its own or that one is not in sight.
func (b *binder) viewOf(name string) string {
	if b.scope.lookup(name) != nil {
		return ""
	}
	t, _ := b.cat.Table(name)
	v, ok := t.(ViewTable)
	if !ok {
		return ""
	}
	of := v.ViewOf()
	if _, there := b.cat.Table(of); !there || b.scope.lookup(of) != nil {
		return ""
	}
	return of
}

// unionOf is the rows of every part. Columns are those of all parts (of inner:
// those all have); a name with several types becomes a column a type.
func unionOf(parts []*rel, source string, inner bool) *rel {
	p := &unionPlan{}
	types := map[string]map[Type]bool{}
	count := map[Column]int{}
	open := false
	for _, r := range parts {
		open = open || r.open
		for _, c := range r.cols() {
			if types[c.Name] == nil {
				types[c.Name] = map[Type]bool{}
			}
			types[c.Name][c.Type] = true
			count[c]++
		}
	}
	at := map[Column]int{}
	names := &projection{names: map[string]bool{}}
	for name, ts := range types {
		if len(ts) == 1 {
			names.names[name] = true
		}
	}
	if source != "" {
		p.cols = Schema{{source, String}}
	}
	for _, r := range parts {
		for _, c := range r.cols() {
			if _, done := at[c]; done || inner && count[c] < len(parts) {
				continue
			}
			at[c] = len(p.cols)
			out := c
			if len(types[c.Name]) > 1 && !inner {
				out.Name = names.free(c.Name + "_" + c.Type.String())
				names.names[out.Name] = true
			}
			p.cols = append(p.cols, out)
		}
	}
	for i, r := range parts {
		part := unionPart{plan: r.plan, name: r.name}
		if part.name == "" {
			part.name = "union_arg" + itoa(i)
		}
		part.at = make([]int, len(p.cols))
		for j := range part.at {
			part.at[j] = -1
		}
		for j, c := range r.cols() {
			if k, ok := at[c]; ok {
				part.at[k] = j
			}
		}
		p.parts = append(p.parts, part)
	}
	p.source = source != ""
	out := &rel{plan: p, open: open}
	if len(parts) > 0 {
		out.arrival = parts[0].arrival
	}
	return out
}

type unionPart struct {
	plan plan
	name string
	at   []int // the part's column for each output column, or -1
}

// unionPlan reads its parts one after the other.
type unionPlan struct {
	parts  []unionPart
	cols   Schema
	source bool // column 0 is the part's name
	needs
}

func (p *unionPlan) columns() Schema { return p.cols }

func (p *unionPlan) require(need colset) {
	if !p.want(need) {
		return
	}
	for _, part := range p.parts {
		below := make(colset, len(part.plan.columns()))
		for i, j := range part.at {
			if p.set[i] && j >= 0 {
				below[j] = true
			}
		}
		part.plan.require(below)
	}
}

func (p *unionPlan) open(x *run) (iter, error) {
	var cur iter
	i := -1
	return func() (*Block, error) {
		for {
			if err := x.check(); err != nil {
				return nil, err
			}
			if cur == nil {
				if i++; i >= len(p.parts) {
					return nil, nil
				}
				var err error
				if cur, err = p.parts[i].plan.open(x); err != nil {
					return nil, err
				}
			}
			b, err := cur()
			if err != nil {
				return nil, err
			}
			if b != nil {
				return p.shape(&p.parts[i], b), nil
			}
			cur = nil
		}
	}, nil
}

func (p *unionPlan) shape(part *unionPart, b *Block) *Block {
	out := &Block{Rows: b.Rows, Columns: make([]*Vector, len(p.cols))}
	for i, j := range part.at {
		switch {
		case !p.set[i]:
		case p.source && i == 0:
			out.Columns[i] = constVector(stringValue(part.name)).flat(b.Rows)
		case j >= 0:
			out.Columns[i] = b.Columns[j]
		default:
			out.Columns[i] = nullVector(p.cols[i].Type, b.Rows)
		}
	}
	return out
}
