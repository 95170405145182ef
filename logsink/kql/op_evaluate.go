package kql

import "sort"

type evaluateOp struct {
	opHead
	params []param
	call   node
	schema *typeNode
}

func parseEvaluate(p *parser, h opHead) operator {
	op := &evaluateOp{opHead: h}
	op.params = p.params()
	op.call = p.primary()
	if p.accept(":") {
		op.schema = p.columnDecls()
	}
	p.done(&op.opHead)
	return op
}

func (o *evaluateOp) print(p *printer) {
	p.put("evaluate")
	printParams(p, o.params)
	p.put(" ")
	o.call.print(p)
	if o.schema != nil {
		p.put(" : (")
		o.schema.printCols(p)
		p.put(")")
	}
}

// plugins are the plug-ins of evaluate.
var plugins map[string]func(b *binder, in *rel, n *callNode) *rel

func init() {
	plugins = map[string]func(b *binder, in *rel, n *callNode) *rel{
		"bag_unpack":       bagUnpack,
		"rows_near":        rowsNear,
		"dcount_intersect": dcountIntersect,
		"pivot":            pivot,
		"narrow":           narrow,
		"ipv4_lookup":      ipLookup(parseIP4Net),
		"ipv6_lookup":      ipLookup(parseIP6Net),
	}
}

// unsupportedPlugins are plug-ins that are named but missing.
var unsupportedPlugins = map[string]bool{
	"autocluster": true, "basket": true, "diffpatterns": true, "diffpatterns_text": true,
	"active_users_count": true, "activity_counts_metrics": true, "activity_engagement": true, "activity_metrics": true,
	"funnel_sequence": true, "funnel_sequence_completion": true, "new_activity_metrics": true, "rolling_percentile": true,
	"sequence_detect": true, "session_count": true, "sliding_window_counts": true, "preview": true,
	"python": true, "r": true, "http_request": true, "http_request_post": true, "sql_request": true, "schema_merge": true,
	"infer_storage_schema": true, "ai_embed_text": true, "cosmosdb_sql_request": true, "mysql_request": true, "postgresql_request": true,
}

func (o *evaluateOp) bind(b *binder, in *rel) *rel {
	n, ok := o.call.(*callNode)
	if !ok {
		if _, missing := o.call.(*missingNode); !missing {
			b.diags.report(o.call.pos(), "KS124", "The plug-in function '%s' is not defined.", nodeText(o.call))
		}
		return openRel()
	}
	plugin, ok := plugins[n.fn.name]
	if !ok {
		if unsupportedPlugins[n.fn.name] {
			b.diags.report(n.fn.span, "KQL015", "The plug-in '%s' is not supported yet.", n.fn.name)
		} else {
			b.diags.report(n.fn.span, "KS124", "The plug-in function '%s' is not defined.", n.fn.name)
		}
		return openRel()
	}
	if in == nil {
		b.diags.report(o.keywordAt, "KS174", "The operator cannot be the first operator in a query.")
		return openRel()
	}
	out := plugin(b, in, n)
	if o.schema == nil {
		return out
	}
	return o.declared(in, out)
}

// declared gives a plug-in's result the columns the query declares for it;
// a star stands for those of the input that are not among them.
func (o *evaluateOp) declared(in, out *rel) *rel {
	p := &projection{names: map[string]bool{}}
	take := func(name string, t Type) {
		x := constant(nullValue(t), o)
		if i := out.cols().Index(name); i >= 0 {
			x = cast(columnRef(i, out.cols()[i], o), t)
		}
		p.exprs, p.cols = append(p.exprs, x), append(p.cols, Column{name, t})
	}
	declared := declaredSchema(o.schema.cols)
	if o.schema.star {
		for _, c := range in.cols() {
			if declared.Index(c.Name) < 0 && (out.open || out.cols().Index(c.Name) >= 0) {
				take(c.Name, c.Type)
			}
		}
	}
	for _, c := range declared {
		take(c.Name, c.Type)
	}
	r := out.with(p.over(out.plan))
	r.open = false
	return r
}

func nodeText(n node) string {
	p := &printer{}
	n.print(p)
	return p.String()
}

// splitArgs separates positional from named arguments.
func splitArgs(n *callNode) (args []node, named map[string]node) {
	named = map[string]node{}
	for _, a := range n.args {
		if x, ok := a.(*namedNode); ok {
			named[x.names[0].name] = x.x
			continue
		}
		args = append(args, a)
	}
	return args, named
}

// textArg is the constant text of an argument.
func (b *binder) textArg(n node) string {
	if n == nil {
		return ""
	}
	x := b.rowFree(n)
	if x.val == nil {
		return ""
	}
	return x.val.String()
}

// columnArg binds an argument that must be a column.
func (b *binder) columnArg(in *rel, n node) *bound {
	var x *bound
	b.in(in.rows(), func() { x = b.expr(n) })
	if x.typ != NoType && x.col < 0 {
		b.diags.report(n.pos(), "KS109", "Column name expected.")
		return failed(n)
	}
	return x
}

// bagUnpack binds bag_unpack(d [, prefix] [, columnsConflict=…]): its columns
// are the keys found in the data, so the input is run while binding.
func bagUnpack(b *binder, in *rel, n *callNode) *rel {
	args, named := splitArgs(n)
	if len(args) == 0 {
		b.wrongCount("bag_unpack", n.fn.span, 1, 4)
		return openRel()
	}
	x := b.columnArg(in, args[0])
	if x.typ == NoType {
		return openRel()
	}
	if x.typ != Dynamic {
		b.diags.report(args[0].pos(), "KS141", "The expression must have the type dynamic.")
		return openRel()
	}
	prefix := b.textArg(named["OutputColumnPrefix"])
	if len(args) > 1 {
		prefix = b.textArg(args[1])
	}
	conflict := b.textArg(named["columnsConflict"])
	if len(args) > 2 {
		conflict = b.textArg(args[2])
	}
	ignored := map[string]bool{}
	for _, m := range []node{named["ignoredProperties"]} {
		if m != nil {
			if v := b.rowFree(m); v.val != nil {
				for _, e := range flatten(nil, *v.val) {
					ignored[e.String()] = true
				}
			}
		}
	}
	blocks, ok := b.materialize(in, n)
	if !ok {
		return openRel()
	}
	all := concat(blocks, in.cols())
	if len(blocks) == 0 {
		all = blockOf(in.cols(), nil)
	}
	u := unpacker{in: in, col: x.col, prefix: prefix, conflict: conflict, ignored: ignored}
	return u.unpack(b, n, all)
}

type unpacker struct {
	in               *rel
	col              int
	prefix, conflict string
	ignored          map[string]bool
}

func (u *unpacker) unpack(b *binder, n *callNode, all *Block) *rel {
	types := map[string]Type{}
	for _, d := range all.Columns[u.col].Dynamics[:all.Rows] {
		bag, ok := d.(*Bag)
		if !ok {
			continue
		}
		for i, k := range bag.keys {
			if v := bag.vals[i]; !u.ignored[k] {
				types[k] = mergeType(types[k], v)
			}
		}
	}
	keys := make([]string, 0, len(types))
	for k := range types {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	out := &Block{Rows: all.Rows}
	schema := Schema{}
	replaced := map[string]bool{}
	for _, k := range keys {
		if i := u.in.cols().Index(u.prefix + k); i >= 0 && i != u.col {
			switch u.conflict {
			case "replace_source":
				replaced[u.prefix+k] = true
			case "keep_source":
			default:
				b.diags.report(n.span, "KQL016", "bag_unpack: the column '%s' exists already; use columnsConflict='replace_source' or 'keep_source'.", u.prefix+k)
				return openRel()
			}
		}
	}
	for i, c := range u.in.cols() {
		if i == u.col {
			continue
		}
		v := all.Columns[i]
		if replaced[c.Name] {
			k := c.Name[len(u.prefix):]
			c.Type = resolved(types[k])
			v = u.column(all, k, c.Type)
		}
		schema, out.Columns = append(schema, c), append(out.Columns, v)
	}
	for _, k := range keys {
		if u.in.cols().Index(u.prefix+k) >= 0 && u.prefix+k != u.in.cols()[u.col].Name {
			continue
		}
		t := resolved(types[k])
		schema = append(schema, Column{u.prefix + k, t})
		out.Columns = append(out.Columns, u.column(all, k, t))
	}
	return &rel{plan: &blocksPlan{schema: schema, blocks: []*Block{out}}, name: u.in.name, sorted: u.in.sorted}
}

func (u *unpacker) column(all *Block, key string, t Type) *Vector {
	items := make([]any, all.Rows)
	for i, d := range all.Columns[u.col].Dynamics[:all.Rows] {
		if bag, ok := d.(*Bag); ok {
			items[i], _ = bag.Get(key)
		}
	}
	out := newVector(t, len(items))
	for i, d := range items {
		if t == Dynamic {
			out.Dynamics[i] = d
			continue
		}
		out.set(i, len(items), convert(dynamicValue(d), t))
	}
	return out
}

// mixed marks a key whose values have several types.
const mixed = Type(255)

// mergeType widens a key's type by one more value; nulls say nothing.
func mergeType(t Type, d any) Type {
	if d == nil {
		return t
	}
	v := fromDynamic(d).Type
	switch {
	case t == NoType || t == v:
		return v
	case t == mixed:
		return mixed
	case t.isNumeric() && v.isNumeric():
		return promote(t, v)
	}
	return mixed
}

func resolved(t Type) Type {
	if t == mixed || t == NoType {
		return Dynamic
	}
	return t
}

// pivot binds pivot(col [, aggregate] [, group columns…]): one column for each
// value of col.
func pivot(b *binder, in *rel, n *callNode) *rel {
	args, _ := splitArgs(n)
	if len(args) == 0 {
		b.wrongCount("pivot", n.fn.span, 1, maxVariadic)
		return openRel()
	}
	x := b.columnArg(in, args[0])
	if x.typ == NoType {
		return openRel()
	}
	agg := node(&callNode{span: n.span, fn: &nameNode{span: n.fn.span, name: "count"}})
	groups := args[1:]
	if len(args) > 1 {
		if c, ok := args[1].(*callNode); ok && aggregates()[c.fn.name] != nil {
			agg, groups = c, args[2:]
		}
	}
	skip := map[string]bool{x.name: true}
	if len(groups) == 0 {
		for _, name := range namesIn(agg) {
			skip[name] = true
		}
		for _, c := range in.cols() {
			if !skip[c.Name] && c.Type != Dynamic {
				groups = append(groups, &nameNode{span: n.span, name: c.Name, bracketed: true})
			}
		}
	}
	items, ap := b.summarized(in, []node{agg}, append(append([]node(nil), groups...), args[0]), false)
	r := &rel{plan: items.over(ap), open: in.open}
	blocks, ok := b.materialize(r, n)
	if !ok {
		return openRel()
	}
	return pivoted(r.cols(), blocks, len(groups))
}

// namesIn lists the names an expression mentions.
func namesIn(n node) []string {
	switch n := n.(type) {
	case *nameNode:
		return []string{n.name}
	case *callNode:
		var out []string
		for _, a := range n.args {
			out = append(out, namesIn(a)...)
		}
		return out
	case *binaryNode:
		return append(namesIn(n.l), namesIn(n.r)...)
	case *parenNode:
		return namesIn(n.x)
	case *memberNode:
		return namesIn(n.x)
	}
	return nil
}

// pivoted turns rows of groups, pivot value and cell into a table. A cell
// without rows is 0 for counts and sums, null otherwise.
func pivoted(cols Schema, blocks []*Block, groups int) *rel {
	all := blockOf(cols, nil)
	if len(blocks) > 0 {
		all = concat(blocks, cols)
	}
	types := make([]Type, groups)
	for i := range types {
		types[i] = cols[i].Type
	}
	g := newGrouper(types)
	ids := g.add(all.Columns[:groups], all.Rows)
	cells := map[string]map[uint32]Value{}
	for i := range all.Rows {
		k := all.Columns[groups].Value(i).String()
		if cells[k] == nil {
			cells[k] = map[uint32]Value{}
		}
		cells[k][ids[i]] = all.Columns[groups+1].Value(i)
	}
	names := make([]string, 0, len(cells))
	for k := range cells {
		names = append(names, k)
	}
	sort.Strings(names)
	out := &Block{Rows: g.n}
	schema := append(Schema(nil), cols[:groups]...)
	for i := range groups {
		out.Columns = append(out.Columns, g.column(i))
	}
	t := cols[groups+1].Type
	for _, k := range names {
		v := newVector(t, g.n)
		for id := range g.n {
			x, ok := cells[k][uint32(id)]
			switch {
			case ok:
				v.set(id, g.n, x)
			case t != Long:
				v.setNull(id, g.n)
			}
		}
		schema, out.Columns = append(schema, Column{k, t}), append(out.Columns, v)
	}
	return &rel{plan: &blocksPlan{schema: schema, blocks: []*Block{out}}}
}

// narrow turns each cell into a row: its row number, column and text.
func narrow(b *binder, in *rel, n *callNode) *rel {
	schema := Schema{{"Row", Long}, {"Column", String}, {"Value", String}}
	blocks, ok := b.materialize(in, n)
	if !ok {
		return &rel{plan: &blocksPlan{schema: schema}}
	}
	var rows [][]Value
	row := int64(0)
	for _, blk := range blocks {
		for i := range blk.Rows {
			for c, col := range in.cols() {
				rows = append(rows, []Value{longValue(row), stringValue(col.Name), stringValue(blk.Columns[c].Value(i).String())})
			}
			row++
		}
	}
	return &rel{plan: &blocksPlan{schema: schema, blocks: []*Block{blockOf(schema, rows)}}}
}
