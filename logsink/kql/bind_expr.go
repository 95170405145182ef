package kql

// evalFn computes an expression for every row of a block. The vector it
// returns has one value a row, or is marked as one value for all.
type evalFn func(x *run, b *Block) (*Vector, error)

// bound is an expression with its meaning.
type bound struct {
	typ  Type
	name string // the result's name when it gets none; "" for ColumnN
	// val is the value when it is known while binding.
	val     *Value
	literal bool
	static  bool  // the same for every row
	window  bool  // needs the whole input, in order: prev, row_number, …
	col     int   // ordinal of a bare column, else -1
	cols    []int // ordinals of the columns read
	eval    evalFn
	node    node
	// preds are tests of single columns that hold wherever this condition does;
	// when they are whole, it holds wherever they do.
	preds   []Predicate
	whole   bool
	rel     *rel     // a tabular expression
	fn      *userFn  // the name of a function
	multi   []Column // further results of one call: array_sort_asc(a, b)
	multiOf func(i int) *bound
}

// failed is an expression that could not be bound; its type fits everywhere.
func failed(n node) *bound {
	return &bound{col: -1, node: n, static: true, eval: func(*run, *Block) (*Vector, error) {
		return constVector(nullValue(Dynamic)), nil
	}}
}

func constant(v Value, n node) *bound {
	vec := constVector(v)
	return &bound{typ: v.Type, val: &v, static: true, col: -1, node: n,
		eval: func(*run, *Block) (*Vector, error) { return vec, nil }}
}

func columnRef(i int, c Column, n node) *bound {
	x := &bound{typ: c.Type, name: c.Name, col: i, node: n}
	if i < len(ordinals) {
		x.cols, x.eval = ordinals[i:i+1:i+1], columnEvals[i]
	} else {
		x.cols, x.eval = []int{i}, columnEval(i)
	}
	return x
}

func columnEval(i int) evalFn {
	return func(_ *run, b *Block) (*Vector, error) { return b.Columns[i], nil }
}

// ordinals and columnEvals are shared by all references to the first columns:
// each operator refers to every column of its input.
var (
	ordinals    [128]int
	columnEvals [len(ordinals)]evalFn
)

func init() {
	for i := range ordinals {
		ordinals[i], columnEvals[i] = i, columnEval(i)
	}
}

// derive makes an expression out of others: what they read and whether they
// change from row to row carries over.
func derive(typ Type, n node, eval evalFn, from ...*bound) *bound {
	x := &bound{typ: typ, static: true, col: -1, node: n, eval: eval}
	for _, f := range from {
		x.static = x.static && f.static
		x.window = x.window || f.window
		x.cols = append(x.cols, f.cols...)
	}
	return x
}

// fold computes x now when all that goes into it is constant.
func fold(x *bound, from ...*bound) *bound {
	for _, f := range from {
		if f.val == nil {
			return x
		}
	}
	if x.window || !x.static {
		return x
	}
	v, err := x.eval(foldRun, &Block{Rows: 1})
	if err != nil {
		return x
	}
	c := constant(v.Value(0), x.node)
	c.name = x.name
	return c
}

// foldRun is the run constants are folded in: it has no tables.
var foldRun = newRun(contextBackground, Options{MemoryBudget: 1 << 30})

// maxTerms bounds how deep an expression may nest once bound: a long chain of
// "or" nests to the left.
const maxTerms = 20_000

// expr binds a scalar expression.
func (b *binder) expr(n node) *bound {
	b.depth++
	defer func() { b.depth-- }()
	if b.depth > maxTerms {
		b.diags.report(n.pos(), "KQL004", "The query nests too deeply: more than %d levels.", maxNesting)
		return failed(n)
	}
	x := b.exprOf(n)
	if b.hover != nil {
		b.hover.see(n, x)
	}
	return x
}

func (b *binder) exprOf(n node) *bound {
	switch n := n.(type) {
	case *litNode:
		x := constant(n.val, n)
		x.literal = true
		return x
	case *nameNode:
		return b.nameExpr(n)
	case *parenNode:
		x := b.any(n.x)
		if x.rel != nil {
			return b.scalarOfTable(x.rel, n)
		}
		return b.paren(x, n)
	case *unaryNode:
		return b.unary(n)
	case *binaryNode:
		return b.binary(n)
	case *inNode:
		return b.in_(n)
	case *betweenNode:
		return b.between(n)
	case *callNode:
		return b.call(n)
	case *memberNode:
		return b.member(n)
	case *indexNode:
		return b.index(n)
	case *namedNode:
		x := b.expr(n.x)
		y := *x
		y.name = n.names[0].name
		return &y
	case *typeNode:
		b.diags.report(n.span, "KS142", "The name '%s' does not refer to any known column, table, variable or function.", "typeof")
	case *starNode:
		b.diags.report(n.span, "KS208", "The expression * is not allowed in this context.")
	case *pipeNode:
		return b.scalarOfTable(b.pipe(n), n)
	case *datatableNode:
		return b.scalarOfTable(b.datatable(n), n)
	case *wildNode:
		b.diags.report(n.span, "KS142", "The name '%s' does not refer to any known column, table, variable or function.", n.pattern)
	}
	return failed(n)
}

// paren keeps an expression's meaning and drops its name, as parentheses do.
func (b *binder) paren(x *bound, n *parenNode) *bound {
	y := *x
	y.node = n
	return &y
}

// scalarOfTable complains: a table is no scalar without toscalar.
func (b *binder) scalarOfTable(r *rel, n node) *bound {
	if r != nil && !r.open {
		b.diags.report(n.pos(), "KS107", "A scalar expression expected.")
	}
	return failed(n)
}

func (b *binder) nameExpr(n *nameNode) *bound {
	b.note(n.name, false)
	if b.row != nil {
		if i := b.row.cols.Index(n.name); i >= 0 {
			if b.aggs != nil && !b.aggs.scalars {
				b.diags.report(n.span, "KS236", "The name '%s' is not an aggregate or scalar function.", n.name)
				return failed(n)
			}
			return columnRef(i, b.row.cols[i], n)
		}
	}
	if v := b.scope.lookup(n.name); v != nil {
		switch {
		case v.scalar != nil:
			return b.variable(v, n)
		case v.rel != nil:
			return b.scalarOfTable(v.rel, n)
		case v.fn != nil && v.fn.required() == 0:
			return b.callUser(v.fn, &callNode{span: n.span, fn: n}, nil)
		}
	}
	if n.name == "null" {
		return constant(nullValue(Dynamic), n)
	}
	if b.row != nil && b.row.open {
		return failed(n)
	}
	if n.name != "" {
		b.diags.report(n.span, "KS142", "The name '%s' does not refer to any known column, table, variable or function.", n.name)
	}
	return failed(n)
}

// variable is a reference to a let scalar or a parameter.
func (b *binder) variable(v *binding, n *nameNode) *bound {
	x := *v.scalar
	x.node = n
	x.literal = false
	x.name = n.name
	if len(x.cols) > 0 && v.row != b.row {
		b.diags.report(n.span, "KQL010", "The argument '%s' depends on the row of an outer query and cannot be used inside of another one.", n.name)
		return failed(n)
	}
	return &x
}

// condition binds an expression that must be bool.
func (b *binder) condition(n node) *bound {
	x := b.expr(n)
	if _, named := n.(*namedNode); named && x.typ != NoType || x.typ != NoType && x.typ != Bool && x.typ != Dynamic {
		b.diags.report(n.pos(), "KS141", "The expression must have the type bool.")
		return failed(n)
	}
	return cast(x, Bool)
}

// integer binds an expression that must be an integer constant for a query:
// the N of take and top.
func (b *binder) integer(n node) *bound {
	var x *bound
	b.in(nil, func() { x = b.quietInteger(n) })
	return x
}

func (b *binder) quietInteger(n node) *bound {
	x := b.expr(n)
	if x.typ != NoType && !x.typ.isInteger() {
		b.diags.report(n.pos(), "KS134", "The expression value must be an integer.")
		return failed(n)
	}
	return cast(x, Long)
}

// rowFree binds a node that must be the same for all rows.
func (b *binder) rowFree(n node) *bound {
	var x *bound
	b.in(nil, func() { x = b.expr(n) })
	return x
}

// cast converts x to type t.
func cast(x *bound, t Type) *bound {
	if x.typ == t {
		return x
	}
	inner := x.eval
	y := *x
	y.typ, y.col, y.preds, y.whole = t, -1, nil, false
	y.eval = func(r *run, blk *Block) (*Vector, error) {
		v, err := inner(r, blk)
		if err != nil {
			return nil, err
		}
		return convertVector(v, t, blk.Rows), nil
	}
	if x.val != nil {
		c := constant(convert(*x.val, t), x.node)
		c.name, c.literal = x.name, x.literal
		return c
	}
	return &y
}

// value computes a row-free expression.
func (x *bound) value(r *run) (Value, error) {
	if x.val != nil {
		return *x.val, nil
	}
	v, err := x.eval(r, &Block{Rows: 1})
	if err != nil {
		return Value{}, err
	}
	return v.Value(0), nil
}

// evalAll computes several expressions, flat.
func evalAll(x *run, b *Block, exprs []*bound) ([]*Vector, error) {
	out := make([]*Vector, len(exprs))
	for i, e := range exprs {
		v, err := e.eval(x, b)
		if err != nil {
			return nil, err
		}
		out[i] = v.flat(b.Rows)
	}
	return out, nil
}
