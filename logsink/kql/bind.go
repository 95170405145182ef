package kql

import (
	"strings"
)

// binder gives names their meaning and expressions their types.
type binder struct {
	cat   Catalog
	opts  Options
	diags *diagSink
	scope *scope
	row   *rowScope // what expressions see; nil outside of operators
	aggs  *aggScope // non-nil where aggregates are allowed
	// run executes what must be known while binding; nil when only checking.
	run *run
	// inRows, while positive, says that a sub-query is bound that runs once a
	// row: it has no rows to look at yet.
	inRows int
	err    error // what went wrong in run
	depth  int
	calls  int               // of let functions: their bodies are bound again and again
	set    map[string]*bound // set options
	// fuzzy, while positive, lets unknown tables pass: union isfuzzy=true.
	fuzzy  int
	hover  *hoverSink
	cursor *cursor
}

// scope holds the names let statements and parameters declare.
type scope struct {
	parent *scope
	vars   map[string]*binding
}

// binding is what a declared name stands for: one of its fields is set.
type binding struct {
	scalar *bound
	rel    *rel
	fn     *userFn
	row    *rowScope // the row scope a scalar parameter's argument reads
}

func (s *scope) lookup(name string) *binding {
	for ; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v
		}
	}
	return nil
}

// rowScope is the columns an expression can name.
type rowScope struct {
	cols   Schema
	open   bool
	sorted bool
	// arrival is the column ingestion_time() reads, "" if there is none.
	arrival string
	// states are the steps a scan condition can name: step.column.
	states map[string]Schema
	// stateCols maps "step.column" to a column of cols.
	stateCols map[string]int
}

func (r *rel) rows() *rowScope {
	return &rowScope{cols: r.cols(), open: r.open, sorted: r.sorted, arrival: r.arrival}
}

func (b *binder) push() { b.scope = &scope{parent: b.scope, vars: map[string]*binding{}} }
func (b *binder) pop()  { b.scope = b.scope.parent }

// in binds with r's columns in sight.
func (b *binder) in(r *rowScope, f func()) {
	row, aggs := b.row, b.aggs
	b.row, b.aggs = r, nil
	f()
	b.row, b.aggs = row, aggs
}

// program is a bound query.
type program struct {
	result *rel // nil: the query only declares
	scalar *bound
	limits Limits
}

// bindQuery binds every statement and returns the last one's result.
func (b *binder) bindQuery(q *query) *program {
	b.push()
	defer b.pop()
	out := &program{limits: b.opts.Limits}
	for _, s := range q.statements {
		switch {
		case s.let != nil:
			b.bindLet(s)
		case s.set != "":
			if s.x != nil {
				b.set[s.set] = b.expr(s.x)
			}
			b.setLimit(s, &out.limits)
		default:
			out.result, out.scalar = nil, nil
			b.bindStatement(s.x, out)
		}
	}
	return out
}

func (b *binder) bindStatement(n node, out *program) {
	x := b.any(n)
	if x.rel != nil {
		out.result = x.rel
		return
	}
	out.scalar = x
}

func (b *binder) bindLet(s *statement) {
	name := s.let.name
	if _, dup := b.scope.vars[name]; dup {
		b.diags.report(s.let.span, "KS201", "A variable with the name '%s' has already been declared.", name)
	}
	v := &binding{}
	if s.decl != nil {
		v.fn = b.declare(name, s.decl)
	} else {
		x := b.any(s.x)
		if x.rel != nil {
			r := *x.rel
			r.name = name
			v.rel = &r
		} else {
			v.scalar, v.fn, v.row = x, x.fn, b.row
		}
	}
	b.scope.vars[name] = v
}

// any binds an expression that may be scalar or tabular.
func (b *binder) any(n node) *bound {
	switch n := n.(type) {
	case *pipeNode:
		return &bound{rel: b.pipe(n), node: n}
	case *parenNode:
		x := b.any(n.x)
		if x.rel == nil {
			return b.paren(x, n)
		}
		return x
	case *nameNode:
		if b.row == nil || b.row.cols.Index(n.name) < 0 {
			if v := b.scope.lookup(n.name); v != nil {
				if v.rel != nil {
					return &bound{rel: v.rel, node: n}
				}
				if v.fn != nil {
					if r := v.fn.asTable(b, n); r != nil {
						return &bound{rel: r, node: n}
					}
					return &bound{fn: v.fn, node: n}
				}
			} else if t, ok := b.cat.Table(n.name); ok && (b.row == nil || !b.row.open) {
				return &bound{rel: tableRel(n.name, t), node: n}
			}
		}
	case *datatableNode:
		return &bound{rel: b.datatable(n), node: n}
	case *callNode:
		if r := b.tabularCall(n); r != nil {
			return r
		}
	}
	return b.expr(n)
}

func tableRel(name string, t Table) *rel {
	schema := t.Schema()
	r := &rel{plan: &scanPlan{table: t, schema: schema}, name: name}
	if timer, ok := t.(IngestionTimer); ok {
		if i := timer.IngestionTimeColumn(); i >= 0 && i < len(schema) && schema[i].Type == DateTime {
			r.arrival = schema[i].Name
		}
	}
	return r
}

// tabular binds an expression that must be tabular.
func (b *binder) tabular(n node) *rel {
	switch n := n.(type) {
	case *missingNode:
		return openRel()
	case *parenNode:
		return b.tabular(n.x)
	case *nameNode:
		return b.tableName(n)
	case *wildNode:
		return b.wildTables(n)
	}
	x := b.any(n)
	if x.rel == nil {
		if x.typ != NoType {
			b.diags.report(n.pos(), "KS110", "A tabular expression expected.")
		}
		return openRel()
	}
	return x.rel
}

func (b *binder) tableName(n *nameNode) *rel {
	b.note(n.name, true)
	if v := b.scope.lookup(n.name); v != nil {
		switch {
		case v.rel != nil:
			return v.rel
		case v.fn != nil:
			if r := v.fn.asTable(b, n); r != nil {
				return r
			}
		}
	} else if t, ok := b.cat.Table(n.name); ok {
		return tableRel(n.name, t)
	}
	if b.fuzzy > 0 {
		return nil
	}
	b.unknownTable(n)
	return openRel()
}

func (b *binder) unknownTable(n *nameNode) {
	if n.name != "" {
		b.diags.report(n.span, "KS204", "The name '%s' does not refer to any known table, tabular variable or function.", n.name)
	}
}

// wildTables is the union of the tables a pattern matches.
func (b *binder) wildTables(n *wildNode) *rel {
	parts := b.wildRels(n)
	if len(parts) == 0 { // unknown under isfuzzy
		return nil
	}
	return unionOf(parts, "", false)
}

// visibleTables are the catalog's tables and the tabular let names.
func (b *binder) visibleTables() []string {
	names := b.cat.Tables()
	for s := b.scope; s != nil; s = s.parent {
		for name, v := range s.vars {
			if v.rel != nil || v.fn != nil && v.fn.node.view {
				names = append(names, name)
			}
		}
	}
	return sortedUnique(names)
}

// pipe binds a source and the operators behind it.
func (b *binder) pipe(n *pipeNode) *rel {
	b.depth++
	defer func() { b.depth-- }()
	if b.depth > maxNesting {
		b.diags.report(n.span, "KQL004", "The query nests too deeply: more than %d levels.", maxNesting)
		return openRel()
	}
	var r *rel
	row, aggs := b.row, b.aggs
	b.row, b.aggs = nil, nil
	defer func() { b.row, b.aggs = row, aggs }()
	ops := n.ops
	if n.src != nil {
		if r = b.tabular(n.src); r == nil { // unknown under isfuzzy
			return nil
		}
	}
	for i, op := range ops {
		if i == 0 && r == nil && !operatorTable[op.keyword()].generates {
			at := op.(interface{ keywordPos() span }).keywordPos()
			b.diags.report(at, "KS174", "The operator cannot be the first operator in a query.")
			r = openRel()
		}
		if r != nil && r.render != nil {
			r = r.with(r.plan)
		}
		next := op.bind(b, r)
		if next == nil {
			return nil
		}
		if r != nil {
			next.extra = append(next.extra, extraOf(r, next)...)
		}
		r = next
	}
	return r
}

// extraOf keeps the results of a fork or facet that stood before next.
func extraOf(r, next *rel) []namedRel {
	if len(next.extra) > 0 {
		return nil
	}
	return r.extra
}

func (h *opHead) keywordPos() span { return h.keywordAt }

// materialize runs r to its end while binding, for the operators whose
// columns depend on rows. It reports false when nothing may run.
func (b *binder) materialize(r *rel, n *callNode) ([]*Block, bool) {
	if b.inRows > 0 {
		b.diags.report(n.fn.span, "KQL020", "The plug-in '%s' is not supported inside of mv-apply and partition: its columns depend on rows.", n.fn.name)
	}
	if b.run == nil || b.err != nil || len(b.diags.list) > 0 || r.open {
		return nil, false
	}
	r.plan.require(allCols(len(r.cols())))
	in, err := r.plan.open(b.run)
	if err != nil {
		b.err = err
		return nil, false
	}
	blocks, err := b.run.collect(in)
	if err != nil {
		b.err = err
		return nil, false
	}
	return blocks, true
}

// matchWild reports whether a column name matches a pattern with stars.
func matchWild(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return strings.HasSuffix(name, parts[len(parts)-1])
}
