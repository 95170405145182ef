package kql

// specialForms are the functions whose arguments are bound in a way of their
// own.
var specialForms map[string]func(b *binder, n *callNode) *bound

// tabularForms are the functions that give a table.
var tabularForms map[string]func(b *binder, n *callNode) *rel

func init() {
	specialForms = map[string]func(b *binder, n *callNode) *bound{
		"array_sort_asc":            arraySortForm,
		"array_sort_desc":           arraySortForm,
		"assert":                    assertForm,
		"bag_pack_columns":          packColumnsForm,
		"bin_auto":                  binAutoForm,
		"case":                      caseForm,
		"column_ifexists":           columnIfExistsForm,
		"columnifexists":            columnIfExistsForm,
		"column_names_of":           columnNamesForm,
		"dcount_hll":                sketchForm("hll"),
		"extract":                   extractForm,
		"extract_json":              extractJSONForm,
		"extractjson":               extractJSONForm,
		"ingestion_time":            ingestionTimeForm,
		"new_guid":                  newGUIDForm,
		"next":                      neighbourForm(1),
		"now":                       nowForm,
		"ago":                       agoForm,
		"pack_all":                  packAllForm,
		"percentile_tdigest":        sketchForm("tdigest"),
		"percentiles_array_tdigest": sketchForm("array"),
		"percentrank_tdigest":       sketchForm("rank"),
		"prev":                      neighbourForm(-1),
		"row_cumsum":                rowCumsumForm,
		"row_number":                rowNumberForm,
		"row_rank_dense":            rowRankForm,
		"row_rank_min":              rowRankForm,
		"row_window_session":        rowSessionForm,
		"rank_tdigest":              sketchForm("order"),
		"toscalar":                  toScalarForm,
	}
	for _, f := range severalFns() {
		specialForms[f.name] = f.bind
	}
	tabularForms = map[string]func(b *binder, n *callNode) *rel{
		"materialize": materializeForm,
		"table":       tableForm,
	}
}

// tabularCall binds a call that gives a table, or of a let function; nil for
// any other call.
func (b *binder) tabularCall(n *callNode) *bound {
	if v := b.scope.lookup(n.fn.name); v != nil && v.fn != nil {
		return b.callUser(v.fn, n, nil)
	}
	if form, ok := tabularForms[n.fn.name]; ok {
		r := form(b, n)
		if r == nil {
			return failed(n)
		}
		return &bound{rel: r, node: n, col: -1}
	}
	return nil
}

// count checks a form's number of arguments.
func (b *binder) count(n *callNode, lo, hi int) bool {
	if len(n.args) >= lo && len(n.args) <= hi {
		return true
	}
	b.wrongCount(n.fn.name, n.fn.span, lo, hi)
	return false
}

// materializeForm computes a table once for all its uses.
func materializeForm(b *binder, n *callNode) *rel {
	if !b.count(n, 1, 1) {
		return openRel()
	}
	r := b.tabular(n.args[0])
	if r == nil {
		return openRel()
	}
	out := r.with(cached(r.plan))
	out.sorted = r.sorted
	return out
}

func tableForm(b *binder, n *callNode) *rel {
	if !b.count(n, 1, 2) {
		return openRel()
	}
	x := b.rowFree(n.args[0])
	if x.val == nil {
		if x.typ != NoType && !x.static {
			b.diags.report(n.args[0].pos(), "KS129", "The expression must be a constant.")
		}
		return openRel() // a parameter: known at the call
	}
	return b.tableName(&nameNode{span: n.args[0].pos(), name: x.val.String()})
}

// toScalarForm is the first cell of a table, computed once a query.
func toScalarForm(b *binder, n *callNode) *bound {
	if !b.count(n, 1, 1) {
		return failed(n)
	}
	row := b.row
	x := b.any(n.args[0])
	b.row = row
	if x.rel == nil {
		return b.once(x)
	}
	r := x.rel
	if r.open || len(r.cols()) == 0 {
		return failed(n)
	}
	r.plan.require(firstCol(r))
	t := r.cols()[0].Type
	y := &bound{typ: t, static: true, col: -1, node: n}
	y.eval = func(x *run, _ *Block) (*Vector, error) {
		v, ok := x.scalars[y]
		if !ok {
			var err error
			if v, err = firstCell(x, r, t); err != nil {
				return nil, err
			}
			x.scalars[y] = v
		}
		return constVector(v), nil
	}
	return y
}

// once is x computed a single time in a query: toscalar(rand()).
func (b *binder) once(x *bound) *bound {
	if x.static || len(x.cols) > 0 {
		return x
	}
	y := *x
	y.static = true
	y.eval = func(r *run, _ *Block) (*Vector, error) {
		v, ok := r.scalars[&y]
		if !ok {
			c, err := x.eval(r, &Block{Rows: 1})
			if err != nil {
				return nil, err
			}
			v = c.Value(0)
			r.scalars[&y] = v
		}
		return constVector(v), nil
	}
	return &y
}

func firstCell(x *run, r *rel, t Type) (Value, error) {
	in, err := r.plan.open(x)
	if err != nil {
		return Value{}, err
	}
	for {
		b, err := in()
		if err != nil {
			return Value{}, err
		}
		if b == nil {
			return nullValue(t), nil
		}
		if b.Rows > 0 {
			return b.Columns[0].Value(0), nil
		}
	}
}

// caseForm is case(p1, v1, p2, v2, …, else).
func caseForm(b *binder, n *callNode) *bound {
	if len(n.args) < 3 || len(n.args)%2 == 0 {
		for _, a := range n.args {
			b.expr(a)
		}
		b.diags.report(n.fn.span, "KS120", "The function 'case' expects between 3 and 65535 arguments.")
		return failed(n)
	}
	args := make([]*bound, len(n.args))
	var types []Type
	for i, a := range n.args {
		last := i == len(n.args)-1
		args[i] = b.expr(a)
		if i%2 == 0 && !last {
			if t := args[i].typ; t != Bool && t != Dynamic && t != NoType {
				b.diags.report(a.pos(), "KS107", "A value of type bool expected.")
				args[i] = failed(a)
			}
			args[i] = cast(args[i], Bool)
			continue
		}
		types = append(types, args[i].typ)
	}
	ret := commonType(types)
	for i := range args {
		if i%2 == 1 || i == len(args)-1 {
			args[i] = cast(args[i], ret)
		}
	}
	k := func(_ *run, vs []*Vector, rows int) *Vector {
		out := newVector(ret, rows)
		for i := range rows {
			from := vs[len(vs)-1]
			for j := 0; j+1 < len(vs); j += 2 {
				if at := vs[j].at(i); vs[j].Bools[at] && !vs[j].Nulls.Get(at) {
					from = vs[j+1]
					break
				}
			}
			copyCell(out, i, rows, from)
		}
		return out
	}
	return fold(derive(ret, n, kernelEval(k, args), args...), args...)
}

// columnIfExistsForm is a column if there is one of that name, else a value.
func columnIfExistsForm(b *binder, n *callNode) *bound {
	if !b.count(n, 2, 2) {
		return failed(n)
	}
	name := b.expr(n.args[0])
	if name.val == nil {
		if name.typ != NoType {
			b.diags.report(n.args[0].pos(), "KS131", "The expression must be a literal.")
		}
		return failed(n)
	}
	if b.row != nil {
		if i := b.row.cols.Index(name.val.String()); i >= 0 {
			return columnRef(i, b.row.cols[i], n)
		}
	}
	x := *b.expr(n.args[1])
	x.name, x.node = name.val.String(), n
	return &x
}

// columnNamesForm is the array of a table's column names.
func columnNamesForm(b *binder, n *callNode) *bound {
	if !b.count(n, 1, 1) {
		return failed(n)
	}
	r := b.tabular(n.args[0])
	names := []any{}
	for _, c := range r.cols() {
		names = append(names, c.Name)
	}
	return constant(dynamicValue(names), n)
}

func nowForm(b *binder, n *callNode) *bound {
	if !b.count(n, 0, 1) {
		return failed(n)
	}
	now := constant(dateTimeValue(TicksOf(b.opts.Now)), n)
	if len(n.args) == 0 {
		return now
	}
	return b.offset(n, "+", now, b.expr(n.args[0]))
}

func agoForm(b *binder, n *callNode) *bound {
	if !b.count(n, 1, 1) {
		return failed(n)
	}
	return b.offset(n, "-", constant(dateTimeValue(TicksOf(b.opts.Now)), n), b.expr(n.args[0]))
}

func (b *binder) offset(n *callNode, op string, now, d *bound) *bound {
	if d.typ != TimeSpan && d.typ != Dynamic && d.typ != NoType {
		b.diags.report(d.node.pos(), "KS107", "A value of type timespan expected.")
		return failed(n)
	}
	d = cast(d, TimeSpan)
	return fold(derive(DateTime, n, tickEval(op, DateTime, now, d), now, d), now, d)
}

// packAllForm packs every column into a bag; pack_all(true) leaves out what
// is null or empty.
func packAllForm(b *binder, n *callNode) *bound {
	if !b.count(n, 0, 1) {
		return failed(n)
	}
	skip := false
	if len(n.args) == 1 {
		if x := b.expr(n.args[0]); x.val != nil {
			skip = x.val.isTrue()
		}
	}
	if b.row == nil {
		return constant(dynamicValue(&Bag{}), n)
	}
	var names []string
	var refs []*bound
	for i, c := range b.row.cols {
		names, refs = append(names, c.Name), append(refs, columnRef(i, c, n))
	}
	return derive(Dynamic, n, packEval(names, refs, skip), refs...)
}

// packColumnsForm packs the columns named.
func packColumnsForm(b *binder, n *callNode) *bound {
	var names []string
	args := b.args(n)
	for _, a := range args {
		names = append(names, a.name)
	}
	return derive(Dynamic, n, packEval(names, args, false), args...)
}

func packEval(names []string, refs []*bound, skip bool) evalFn {
	return func(x *run, blk *Block) (*Vector, error) {
		vs, err := evalAll(x, blk, refs)
		if err != nil {
			return nil, err
		}
		out := newVector(Dynamic, blk.Rows)
		for i := range blk.Rows {
			bag := &Bag{}
			for j, v := range vs {
				d := v.Value(i).dynamic()
				if skip && (d == nil || d == "") {
					continue
				}
				bag.Set(names[j], d)
			}
			out.Dynamics[i] = bag
		}
		return out, nil
	}
}

// assertForm fails the query with a message when its condition, a constant,
// does not hold.
func assertForm(b *binder, n *callNode) *bound {
	if !b.count(n, 2, 2) {
		return failed(n)
	}
	cond, msg := b.expr(n.args[0]), b.expr(n.args[1])
	if cond.typ == NoType || msg.typ == NoType {
		return failed(n)
	}
	if cond.typ != Bool {
		b.diags.report(n.args[0].pos(), "KS107", "A value of type bool expected.")
		return failed(n)
	}
	msg = cast(msg, String)
	return derive(Bool, n, func(x *run, blk *Block) (*Vector, error) {
		v, err := cond.eval(x, blk)
		if err != nil {
			return nil, err
		}
		m, err := msg.eval(x, blk)
		if err != nil {
			return nil, err
		}
		for i := range blk.Rows {
			if !v.Value(i).isTrue() {
				return nil, &AssertError{m.Str(i)}
			}
		}
		return constVector(boolValue(true)), nil
	}, cond, msg)
}

// AssertError is the error of a query whose assert() did not hold.
type AssertError struct{ Message string }

// Error returns the query's message.
func (e *AssertError) Error() string { return "assertion failed: " + e.Message }

// ingestionTimeForm is when a row arrived, null where the table does not know.
func ingestionTimeForm(b *binder, n *callNode) *bound {
	if !b.count(n, 0, 0) {
		return failed(n)
	}
	if b.row != nil && b.row.arrival != "" {
		if i := b.row.cols.Index(b.row.arrival); i >= 0 {
			x := *columnRef(i, b.row.cols[i], n)
			x.name, x.col = "", -1
			return &x
		}
	}
	x := derive(DateTime, n, func(*run, *Block) (*Vector, error) { return constVector(nullValue(DateTime)), nil })
	return x
}

func newGUIDForm(b *binder, n *callNode) *bound {
	if !b.count(n, 0, 0) {
		return failed(n)
	}
	x := derive(GUID, n, func(x *run, blk *Block) (*Vector, error) {
		out := newVector(GUID, blk.Rows)
		for i := range out.UUIDs {
			u := &out.UUIDs[i]
			for j := range u {
				u[j] = byte(x.rand.Uint32())
			}
			u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
		}
		return out, nil
	})
	x.static = false
	return x
}

// sketchForm reads a sketch: dcount_hll, percentile_tdigest,
// percentiles_array_tdigest and percentrank_tdigest. typeof(T) as the last
// argument names the result's type.
func sketchForm(kind string) func(b *binder, n *callNode) *bound {
	return func(b *binder, n *callNode) *bound {
		sub := *n
		want := NoType
		if k := len(n.args); k > 0 {
			if t, ok := n.args[k-1].(*typeNode); ok && len(t.cols) == 1 {
				want, sub.args = t.cols[0].typ, n.args[:k-1]
			}
		}
		args := b.args(&sub)
		lo, hi := 2, 2
		switch kind {
		case "hll":
			lo, hi = 1, 1
		case "array":
			hi = maxVariadic
		}
		if !b.count(&sub, lo, hi) {
			return failed(n)
		}
		for _, a := range args {
			if a.typ == NoType {
				return failed(n)
			}
		}
		name := ""
		if args[0].name != "" {
			name = map[string]string{"hll": "dcount_hll_", "tdigest": "percentile_tdigest_", "array": "percentile_tdigest_"}[kind]
			if name != "" {
				name += args[0].name
			}
		}
		ret, f := sketchReader(kind)
		args[0] = cast(args[0], Dynamic)
		x := derive(ret, n, kernelEval(rowKernel(ret, f), args), args...)
		if want != NoType && kind != "array" {
			x = cast(x, want)
		}
		x.name = name
		return x
	}
}

// digestValues are the values of a tdigest with their weights.
func digestValues(d any) *ranked[float64] {
	r := &ranked[float64]{}
	for items := sketchItems(d, "tdigest"); len(items) > 1; items = items[2:] {
		r.add(convert(fromDynamic(items[0]), Real).Real)
		r.weights = append(r.weights, convert(fromDynamic(items[1]), Long).Int)
	}
	return r
}

// digestArray is the array of the percentiles asked for.
func digestArray(a []Value) Value {
	var ps []float64
	for _, v := range a[1:] {
		for _, e := range flatten(nil, v) {
			if !e.Null && e.Type.isNumeric() {
				ps = append(ps, e.float())
			}
		}
	}
	out := []any{}
	for _, r := range digestValues(a[0].Any).nearest(ps) {
		out = append(out, r)
	}
	return dynamicValue(out)
}

func sketchReader(kind string) (Type, func(a []Value) Value) {
	switch kind {
	case "array":
		return Dynamic, digestArray
	case "hll":
		return Long, func(a []Value) Value { return longValue(int64(len(sketchItems(a[0].Any, "hll")))) }
	case "tdigest":
		return Real, func(a []Value) Value {
			if a[1].Null || !a[1].Type.isNumeric() {
				return nullValue(Real)
			}
			r := digestValues(a[0].Any).nearest([]float64{a[1].float()})
			if len(r) == 0 {
				return nullValue(Real)
			}
			return realValue(r[0])
		}
	}
	if kind == "order" {
		return Long, func(a []Value) Value {
			if a[1].Null || !a[1].Type.isNumeric() {
				return nullValue(Long)
			}
			var rank int64
			values := digestValues(a[0].Any)
			for i, v := range values.vals {
				if v <= a[1].float() {
					rank += values.weights[i]
				}
			}
			return longValue(rank)
		}
	}
	return Real, func(a []Value) Value {
		if a[1].Null || !a[1].Type.isNumeric() {
			return nullValue(Real)
		}
		var below, total float64
		for items := sketchItems(a[0].Any, "tdigest"); len(items) > 1; items = items[2:] {
			w := convert(fromDynamic(items[1]), Real).Real
			total += w
			if convert(fromDynamic(items[0]), Real).Real <= a[1].float() {
				below += w
			}
		}
		return realValue(100 * below / total)
	}
}
