package kql

import "strings"

// in_ binds in, !in, in~, !in~, has_any and has_all.
func (b *binder) in_(n *inNode) *bound {
	if _, star := n.x.(*starNode); star {
		return b.anyColumnIn(n)
	}
	x := b.expr(n.x)
	set := b.inSet(n.list)
	if x.typ == NoType || set == nil {
		y := failed(n)
		y.typ = Bool
		y.eval = func(*run, *Block) (*Vector, error) { return constVector(nullValue(Bool)), nil }
		return y
	}
	if strings.Contains(n.op, "has_") {
		return b.hasAny(n, x, set)
	}
	return b.membership(n, x, set)
}

// inList is the right side of in: expressions, arrays flattened, or the first
// column of a table.
type inList struct {
	items []*bound
	rel   *rel
}

func (b *binder) inSet(list []node) *inList {
	if len(list) == 1 {
		if r := b.maybeTable(list[0]); r != nil {
			if len(r.cols()) == 0 && !r.open {
				return nil
			}
			return &inList{rel: r}
		}
	}
	s := &inList{}
	for _, n := range list {
		if r := b.maybeTable(n); r != nil {
			b.diags.report(n.pos(), "KS107", "A scalar expression expected.")
			return nil
		}
		if m, ok := n.(*missingNode); ok && m != nil {
			return nil
		}
		x := b.expr(n)
		if x.typ == NoType {
			return nil
		}
		s.items = append(s.items, x)
	}
	return s
}

// maybeTable binds n when it is tabular, else returns nil without complaint.
func (b *binder) maybeTable(n node) *rel {
	switch n := n.(type) {
	case *parenNode:
		return b.maybeTable(n.x)
	case *pipeNode:
		return b.pipe(n)
	case *datatableNode:
		return b.datatable(n)
	case *nameNode:
		if b.row != nil && b.row.cols.Index(n.name) >= 0 {
			return nil
		}
		if v := b.scope.lookup(n.name); v != nil {
			if v.fn != nil {
				return v.fn.asTable(b, n)
			}
			return v.rel
		}
		if t, ok := b.cat.Table(n.name); ok {
			return tableRel(n.name, t)
		}
	case *callNode:
		if x := b.tabularCall(n); x != nil {
			return x.rel
		}
	}
	return nil
}

// values computes the set, arrays flattened into their elements.
func (s *inList) values(x *run, key any) ([]Value, error) {
	if s.rel != nil {
		blocks, err := x.cachedTable(key, s.rel)
		if err != nil {
			return nil, err
		}
		var out []Value
		for _, b := range blocks {
			for i := range b.Rows {
				out = flatten(out, b.Columns[0].Value(i))
			}
		}
		return out, nil
	}
	var out []Value
	for _, e := range s.items {
		v, err := e.value(x)
		if err != nil {
			return nil, err
		}
		out = flatten(out, v)
	}
	return out, nil
}

func flatten(out []Value, v Value) []Value {
	if v.Type == Dynamic {
		if a, ok := v.Any.([]any); ok {
			for _, e := range a {
				out = append(out, fromDynamic(e))
			}
			return out
		}
		return append(out, fromDynamic(v.Any))
	}
	return append(out, v)
}

// cachedTable runs r once and keeps its rows for this run.
func (x *run) cachedTable(key any, r *rel) ([]*Block, error) {
	if blocks, ok := x.tables[key]; ok {
		return blocks, nil
	}
	in, err := r.plan.open(x)
	if err != nil {
		return nil, err
	}
	blocks, err := x.collect(in)
	if err != nil {
		return nil, err
	}
	x.tables[key] = blocks
	return blocks, nil
}

func (s *inList) static() bool {
	for _, e := range s.items {
		if !e.static {
			return false
		}
	}
	return true
}

// membership binds in: values of other types never match, null matches nothing.
func (b *binder) membership(n *inNode, x *bound, set *inList) *bound {
	ignoreCase, negate := strings.HasSuffix(n.op, "~"), n.op[0] == '!'
	if s := set.mismatch(x, ignoreCase); s != NoType {
		b.diags.report(n.opAt, "KS106", "The operator '%s' is not defined for the operand types %s.", n.op, typeList([]Type{x.typ, s}))
		return failed(n)
	}
	if !set.static() {
		return b.rowMembership(n, x, set, ignoreCase, negate)
	}
	if set.rel != nil {
		set.rel.plan.require(firstCol(set.rel))
	}
	y := derive(Bool, n, memberEval(n, x, set, ignoreCase, negate), append([]*bound{x}, set.items...)...)
	y.preds = inPreds(n.op, x, set)
	y.whole = len(y.preds) > 0
	if set.rel != nil {
		return y
	}
	return fold(y, append([]*bound{x}, set.items...)...)
}

// mismatch returns a type among the items that x cannot be compared with.
func (s *inList) mismatch(x *bound, fold bool) Type {
	for _, e := range s.items {
		if e.typ == Dynamic || x.typ == Dynamic {
			continue
		}
		if fold && (x.typ != String || e.typ != String) || equalType(x, e) == NoType {
			return e.typ
		}
	}
	return NoType
}

func firstCol(r *rel) colset {
	need := make(colset, len(r.cols()))
	if len(need) > 0 {
		need[0] = true
	}
	return need
}

// memberSet is a set of values that answers membership quickly.
type memberSet struct {
	strs    map[string]bool
	ints    map[int64]bool
	rest    []Value
	fold    bool
	hasNull bool
}

func newMemberSet(vals []Value, fold bool) *memberSet {
	m := &memberSet{strs: map[string]bool{}, ints: map[int64]bool{}, fold: fold}
	for _, v := range vals {
		switch {
		case v.Null:
			m.hasNull = true
		case v.Type == String && fold:
			m.strs[strings.ToLower(v.Str)] = true
		case v.Type == String:
			m.strs[v.Str] = true
		case v.Type.isInteger():
			m.ints[v.Int] = true
		default:
			m.rest = append(m.rest, v)
		}
	}
	return m
}

func (m *memberSet) hasString(s string) bool {
	if m.fold {
		s = strings.ToLower(s)
	}
	return m.strs[s]
}

func (m *memberSet) has(v Value) bool {
	if v.Type == Dynamic {
		v = fromDynamic(v.Any)
	}
	if v.Null {
		return false
	}
	switch {
	case v.Type == String:
		if m.hasString(v.Str) {
			return true
		}
	case v.Type.isInteger():
		if m.ints[v.Int] {
			return true
		}
	case v.Type.isNumeric():
		f := v.float()
		if n, ok := truncate(f); ok && float64(n) == f && m.ints[n] {
			return true
		}
	case len(m.strs) > 0:
		if m.hasString(v.String()) {
			return true
		}
	}
	for _, e := range m.rest {
		if e.Type == v.Type || e.Type.isNumeric() && v.Type.isNumeric() {
			if compareValues(e, v) == 0 {
				return true
			}
		}
	}
	return false
}

func memberEval(n *inNode, x *bound, set *inList, fold, negate bool) evalFn {
	var fixed *memberSet
	if set.rel == nil && set.constant() {
		vals, _ := set.values(foldRun, nil) // constants do not fail
		fixed = newMemberSet(vals, fold)
	}
	type cached struct {
		r *run
		m *memberSet
	}
	var last cached
	return func(r *run, blk *Block) (*Vector, error) {
		m := fixed
		if m == nil {
			if last.r != r {
				vals, err := set.values(r, n)
				if err != nil {
					return nil, err
				}
				last = cached{r, newMemberSet(vals, fold)}
			}
			m = last.m
		}
		return eval1(x, func(_ *run, a *Vector, rows int) *Vector { return m.test(a, rows, negate) })(r, blk)
	}
}

func (s *inList) constant() bool {
	for _, e := range s.items {
		if e.val == nil {
			return false
		}
	}
	return true
}

func (m *memberSet) test(a *Vector, n int, negate bool) *Vector {
	out := &Vector{Type: Bool, Bools: make([]bool, n)}
	switch {
	case a.Type == String:
		matchStrings(out.Bools, a, func(s string) bool { return m.hasString(s) != negate })
	case a.Type.isInteger() && len(m.rest) == 0:
		for i, x := range a.Ints[:n] {
			out.Bools[i] = (m.ints[x] && !a.Nulls.Get(i)) != negate
		}
	default:
		for i := range n {
			out.Bools[i] = m.has(a.Value(i)) != negate
		}
	}
	return out
}

// rowMembership tests against a list that changes from row to row.
func (b *binder) rowMembership(n *inNode, x *bound, set *inList, fold, negate bool) *bound {
	from := append([]*bound{x}, set.items...)
	return derive(Bool, n, func(r *run, blk *Block) (*Vector, error) {
		vs, err := evalAll(r, blk, from)
		if err != nil {
			return nil, err
		}
		out := &Vector{Type: Bool, Bools: make([]bool, blk.Rows)}
		for i := range blk.Rows {
			var vals []Value
			for _, v := range vs[1:] {
				vals = flatten(vals, v.Value(i))
			}
			out.Bools[i] = newMemberSet(vals, fold).has(vs[0].Value(i)) != negate
		}
		return out, nil
	}, from...)
}

// hasAny binds has_any and has_all.
func (b *binder) hasAny(n *inNode, x *bound, set *inList) *bound {
	if x.typ != String && x.typ != Dynamic {
		t := String
		if len(set.items) > 0 {
			t = set.items[0].typ
		}
		b.diags.report(n.opAt, "KS106", "The operator '%s' is not defined for the operand types %s.", n.op, typeList([]Type{x.typ, t}))
		return failed(n)
	}
	preds := inPreds(n.op, x, set)
	x = cast(x, String)
	if set.rel != nil {
		set.rel.plan.require(firstCol(set.rel))
	}
	negate := n.op[0] == '!'
	if !set.static() {
		return b.rowHasAny(n, x, set, negate)
	}
	all := strings.HasSuffix(n.op, "all")
	from := append([]*bound{x}, set.items...)
	var lastRun *run
	var match func(string) bool
	y := derive(Bool, n, func(r *run, blk *Block) (*Vector, error) {
		if lastRun != r {
			vals, err := set.values(r, n)
			if err != nil {
				return nil, err
			}
			lastRun, match = r, hasMatcher(vals, all, negate)
		}
		return eval1(x, func(_ *run, a *Vector, rows int) *Vector {
			out := &Vector{Type: Bool, Bools: make([]bool, rows)}
			matchStrings(out.Bools, a, match)
			return out
		})(r, blk)
	}, from...)
	y.preds = preds
	if set.rel != nil {
		return y
	}
	return fold(y, from...)
}

// rowHasAny is has_any and has_all with a list that changes from row to row.
func (b *binder) rowHasAny(n *inNode, x *bound, set *inList, negate bool) *bound {
	all := strings.HasSuffix(n.op, "all")
	from := append([]*bound{x}, set.items...)
	return derive(Bool, n, func(r *run, blk *Block) (*Vector, error) {
		vs, err := evalAll(r, blk, from)
		if err != nil {
			return nil, err
		}
		out := &Vector{Type: Bool, Bools: make([]bool, blk.Rows)}
		for i := range blk.Rows {
			var vals []Value
			for _, v := range vs[1:] {
				vals = flatten(vals, v.Value(i))
			}
			out.Bools[i] = hasMatcher(vals, all, negate)(vs[0].Str(i))
		}
		return out, nil
	}, from...)
}

func hasMatcher(vals []Value, all, negate bool) func(string) bool {
	var tests []func(string) bool
	for _, v := range vals {
		tests = append(tests, termMatcher(v.String(), false, true, true))
	}
	return func(s string) bool {
		for _, t := range tests {
			if t(s) != all {
				return !all != negate
			}
		}
		return all != negate
	}
}

// anyColumn binds "* has x": some column's text passes.
func (b *binder) anyColumn(n *binaryNode) *bound {
	var out *bound
	if b.row == nil {
		b.diags.report(n.l.pos(), "KS208", "The expression * is not allowed in this context.")
		return failed(n)
	}
	r := b.expr(n.r)
	if r.typ == NoType {
		return failed(n)
	}
	for i, c := range b.row.cols {
		col := columnRef(i, c, n)
		var test *bound
		if _, text := textTests[n.op]; text {
			test = b.textOp(n, cast(col, String), cast(r, String))
		} else if test = b.binaryOf(n, col, r); test == nil || test.typ != Bool {
			continue // a column that cannot be compared so
		}
		if out == nil {
			out = test
			continue
		}
		out = derive(Bool, n, logicEval("or", out, test), out, test)
	}
	if out == nil {
		return cast(constant(boolValue(false), n), Bool)
	}
	return out
}

func (b *binder) anyColumnIn(n *inNode) *bound {
	var out *bound
	if b.row == nil {
		return failed(n)
	}
	for _, c := range b.row.cols {
		m := *n
		m.x = &nameNode{span: n.x.pos(), name: c.Name}
		test := b.in_(&m)
		if test.typ != Bool {
			return test
		}
		if out == nil {
			out = test
		} else {
			out = derive(Bool, n, logicEval("or", out, test), out, test)
		}
	}
	if out == nil {
		return constant(boolValue(false), n)
	}
	return out
}
