package kql

// userFn is a function a let statement declares. Each call binds its body
// again with the call's arguments: a plan has no calls left in it.
type userFn struct {
	name  string
	node  *lambdaNode
	scope *scope // what the body sees besides its parameters
	dflts []*bound
	busy  bool // being bound: a function cannot call itself
}

// maxCalls bounds how many calls of let functions a query expands to:
// functions that call others twice grow exponentially.
const maxCalls = 10_000

// declare checks a function's declaration and binds its body once, so that
// faults in it are reported where they are.
func (b *binder) declare(name string, n *lambdaNode) *userFn {
	f := &userFn{name: name, node: n, scope: b.scope, dflts: make([]*bound, len(n.params))}
	for i, p := range n.params {
		if p.dflt != nil {
			f.dflts[i] = b.rowFree(p.dflt)
		}
	}
	vars := map[string]*binding{}
	for _, p := range n.params {
		if _, dup := vars[p.name.name]; dup {
			b.diags.report(p.name.span, "KS201", "A variable with the name '%s' has already been declared.", p.name.name)
		}
		vars[p.name.name] = sampleArgument(p)
	}
	run := b.run
	b.run = nil // nothing runs for a sample argument
	b.body(f, vars)
	b.run = run
	return f
}

// sampleArgument stands for any argument of the declared type.
func sampleArgument(p paramDecl) *binding {
	if p.table != nil {
		r := &rel{plan: &blocksPlan{schema: declaredSchema(p.table.cols)}, open: p.table.star}
		return &binding{rel: r}
	}
	x := derive(p.typ, p.name, func(*run, *Block) (*Vector, error) { return constVector(nullValue(p.typ)), nil })
	if p.typ == NoType {
		x = failed(p.name)
	}
	return &binding{scalar: x}
}

func declaredSchema(cols []colDecl) Schema {
	out := make(Schema, len(cols))
	for i, c := range cols {
		out[i] = Column{c.name.name, c.typ}
	}
	return out
}

// body binds the function's body with its parameters bound to vars.
func (b *binder) body(f *userFn, vars map[string]*binding) *bound {
	outer := b.scope
	b.scope = &scope{parent: f.scope, vars: vars}
	f.busy = true
	defer func() { b.scope, f.busy = outer, false }()
	// Arguments may read the caller's row, so the body is evaluated over it;
	// names in the body do not see its columns.
	row, aggs := b.row, b.aggs
	b.row, b.aggs = nil, nil
	if row != nil {
		b.row = &rowScope{sorted: row.sorted}
		for _, v := range vars {
			v.row = b.row
		}
	}
	b.push()
	for _, s := range f.node.lets {
		b.bindLet(s)
	}
	if f.node.body == nil {
		b.row, b.aggs = row, aggs
		return failed(f.node)
	}
	x := b.any(f.node.body)
	b.row, b.aggs = row, aggs
	return x
}

// callUser binds a call; piped, when not nil, is invoke's input and the first
// argument.
func (b *binder) callUser(f *userFn, n *callNode, piped *rel) *bound {
	if f.busy {
		b.diags.report(n.fn.span, "KQL013", "The function '%s' calls itself; recursion is not allowed.", f.name)
		return failed(n)
	}
	if b.calls++; b.calls > maxCalls {
		b.diags.report(n.fn.span, "KQL019", "The query calls its functions more than %d times.", maxCalls)
		return failed(n)
	}
	vars, ok := b.arguments(f, n, piped)
	if !ok {
		return failed(n)
	}
	x := b.callBody(f, n, vars)
	y := *x
	y.node = n
	y.name = ""
	y.literal = false
	if y.rel != nil && y.rel.name == "" {
		r := *y.rel
		r.name = f.name
		y.rel = &r
	}
	return &y
}

// callBody binds the body for one call. What is wrong with the body itself
// has been reported at its declaration; what only this call's arguments make
// wrong is reported at the call.
func (b *binder) callBody(f *userFn, n *callNode, vars map[string]*binding) *bound {
	before := b.diags.muted
	b.diags.muted = nil
	b.diags.mute++
	x := b.body(f, vars)
	b.diags.mute--
	if m := b.diags.muted; m != nil && !b.diags.within(f.node.span) {
		b.diags.report(n.span, m.code, "%s", m.msg)
	}
	if b.diags.mute == 0 || before != nil {
		b.diags.muted = before
	}
	return x
}

// arguments pairs a call's arguments with the parameters: in order, or by name.
func (b *binder) arguments(f *userFn, n *callNode, piped *rel) (map[string]*binding, bool) {
	params := f.node.params
	given := make([]node, len(params))
	next, ok := 0, true
	if piped != nil {
		next = 1
	}
	for _, a := range n.args {
		i := next
		if named, isNamed := a.(*namedNode); isNamed {
			if j := paramIndex(params, named.names[0].name); j >= 0 {
				given[j] = named.x
				continue
			}
		}
		for i < len(given) && given[i] != nil {
			i++
		}
		if i >= len(params) {
			ok = false
			break
		}
		given[i] = a
		next = i + 1
	}
	vars := map[string]*binding{}
	for i, p := range params {
		switch {
		case i == 0 && piped != nil && p.table != nil:
			vars[p.name.name] = &binding{rel: piped}
		case given[i] != nil:
			vars[p.name.name] = b.argument(p, given[i])
		case f.dflts[i] != nil:
			vars[p.name.name] = &binding{scalar: cast(f.dflts[i], p.typ)}
		default:
			ok = false
		}
	}
	if !ok {
		b.wrongCount(f.name, n.fn.span, f.required(), len(params))
	}
	return vars, ok
}

func paramIndex(params []paramDecl, name string) int {
	for i, p := range params {
		if p.name.name == name {
			return i
		}
	}
	return -1
}

func (b *binder) argument(p paramDecl, n node) *binding {
	if p.table != nil {
		r := b.tabular(n)
		for _, c := range p.table.cols {
			if i := r.cols().Index(c.name.name); !r.open && (i < 0 || r.cols()[i].Type != c.typ) {
				b.diags.report(n.pos(), "KS217", "The table does not have the column '%s' of type %s.", c.name.name, c.typ)
			}
		}
		return &binding{rel: r}
	}
	x := b.expr(n)
	if x.typ == NoType {
		return &binding{scalar: x}
	}
	if p.typ == NoType { // reported where it is declared
		return &binding{scalar: x}
	}
	if (&paramSpec{words: []string{p.typ.String()}}).rank(x.typ) == noMatch {
		b.diags.report(n.pos(), "KS107", "A value of type %s expected.", p.typ)
		return &binding{scalar: failed(n)}
	}
	x = cast(x, p.typ)
	y := *x
	y.col = -1
	return &binding{scalar: &y, row: nil}
}

// required is how many arguments a call must give.
func (f *userFn) required() int {
	n := 0
	for _, d := range f.dflts {
		if d == nil {
			n++
		}
	}
	return n
}

// asTable is the table a function without parameters stands for when its
// name is used without a call.
func (f *userFn) asTable(b *binder, n *nameNode) *rel {
	if f.required() > 0 || f.busy {
		return nil
	}
	x := b.callUser(f, &callNode{span: n.span, fn: n}, nil)
	if x.rel == nil {
		return nil
	}
	r := *x.rel
	r.name = f.name
	return &r
}
