package kql

// undefined reports an operator that does not take its operands' types.
func (b *binder) undefined(op string, at span, n node, operands ...*bound) *bound {
	types := make([]Type, len(operands))
	for i, x := range operands {
		if x.typ == NoType {
			return failed(n)
		}
		types[i] = x.typ
	}
	b.diags.report(at, "KS106", "The operator '%s' is not defined for the operand types %s.", op, typeList(types))
	return failed(n)
}

func (b *binder) unary(n *unaryNode) *bound {
	x := b.expr(n.x)
	if x.typ == NoType {
		return failed(n)
	}
	if x.typ == Dynamic {
		x = cast(x, Real)
	}
	if !x.typ.isNumeric() && x.typ != TimeSpan {
		return b.undefined(n.op, span{n.start, n.start + 1}, n, x)
	}
	if n.op == "+" {
		return x
	}
	y := fold(derive(x.typ, n, negateEval(x), x), x)
	y.literal = x.literal
	return y
}

func (b *binder) binary(n *binaryNode) *bound {
	if _, star := n.l.(*starNode); star {
		return b.anyColumn(n)
	}
	l, r := b.expr(n.l), b.expr(n.r)
	if l.typ == NoType || r.typ == NoType {
		y := failed(n)
		if !isArithmetic(n.op) { // what it compares is unknown, its type is not
			y.typ = Bool
			y.eval = func(*run, *Block) (*Vector, error) { return constVector(nullValue(Bool)), nil }
		}
		return y
	}
	y := b.binaryOf(n, l, r)
	if y == nil {
		return b.undefined(n.op, n.opAt, n, l, r)
	}
	y.preds, y.whole = binaryPreds(n.op, l, r)
	return fold(y, l, r)
}

func isArithmetic(op string) bool {
	switch op {
	case "+", "-", "*", "/", "%":
		return true
	}
	return false
}

// binaryOf returns the operation on two typed operands, nil when there is none.
func (b *binder) binaryOf(n *binaryNode, l, r *bound) *bound {
	switch n.op {
	case "and", "or":
		if !boolish(l.typ) || !boolish(r.typ) {
			return nil
		}
		l, r = cast(l, Bool), cast(r, Bool)
		return derive(Bool, n, logicEval(n.op, l, r), l, r)
	case "+", "-", "*", "/", "%":
		return b.arithmetic(n, l, r)
	case "==", "!=", "<>":
		return equality(n, l, r, n.op != "==")
	case "<", "<=", ">", ">=":
		t, ok := orderType(l.typ, r.typ)
		if !ok {
			return nil
		}
		l, r = cast(l, t), cast(r, t)
		return derive(Bool, n, orderEval(n.op, l, r), l, r)
	}
	return b.textOp(n, l, r)
}

func boolish(t Type) bool { return t == Bool || t == Dynamic }

// promote returns the type numbers of two types are computed in.
func promote(a, b Type) Type {
	switch {
	case a == Decimal || b == Decimal:
		return Decimal
	case a == Real || b == Real:
		return Real
	case a == Dynamic && b == Dynamic:
		return Dynamic
	}
	return Long
}

// arithmetic types an operation as the language service does: int and long
// give long, a real makes it real, a decimal decimal; a dynamic takes the
// other operand's type.
func (b *binder) arithmetic(n *binaryNode, l, r *bound) *bound {
	lt, rt := l.typ, r.typ
	if lt == Dynamic && rt == Dynamic {
		return derive(Dynamic, n, dynamicArithEval(n.op, l, r), l, r)
	}
	if lt == Dynamic {
		if lt = dynamicSide(n.op, rt); lt == NoType {
			return nil
		}
	}
	if rt == Dynamic {
		if rt = dynamicSide(n.op, lt); rt == NoType {
			return nil
		}
	}
	switch {
	case lt.isNumeric() && rt.isNumeric():
		t := promote(lt, rt)
		l, r = cast(l, t), cast(r, t)
		return derive(t, n, arithEval(n.op, t, l, r), l, r)
	case n.op == "*" && lt == TimeSpan && rt.isNumeric() || n.op == "/" && lt == TimeSpan && rt.isNumeric():
		return b.scaleSpan(n, cast(l, TimeSpan), cast(r, scaleType(rt)))
	case n.op == "*" && (lt == DateTime && rt.isNumeric() || rt == DateTime && lt.isNumeric()):
		// Accepted by the language service, of no use, and never a datetime.
		return derive(DateTime, n, func(*run, *Block) (*Vector, error) { return constVector(nullValue(DateTime)), nil }, l, r)
	case n.op == "*" && rt == TimeSpan && lt.isNumeric():
		return b.scaleSpan(n, cast(r, TimeSpan), cast(l, scaleType(lt)))
	}
	return b.timeArithmetic(n, cast(l, lt), cast(r, rt))
}

// dynamicSide is the type a dynamic operand is read as beside other.
func dynamicSide(op string, other Type) Type {
	switch {
	case other == Int || other == Bool:
		return Long
	case other == DateTime && op == "+":
		return TimeSpan
	case other.isNumeric(), other == DateTime, other == TimeSpan:
		return other
	}
	return NoType
}

func scaleType(t Type) Type {
	if t.isInteger() {
		return Long
	}
	return Real
}

func (b *binder) scaleSpan(n *binaryNode, ts, num *bound) *bound {
	return derive(TimeSpan, n, spanScaleEval(n.op, ts, num), ts, num)
}

func (b *binder) timeArithmetic(n *binaryNode, l, r *bound) *bound {
	type pair struct {
		op   string
		l, r Type
	}
	result := map[pair]Type{
		{"+", DateTime, TimeSpan}: DateTime, {"+", TimeSpan, DateTime}: DateTime, {"+", TimeSpan, TimeSpan}: TimeSpan,
		{"+", DateTime, DateTime}: DateTime,
		{"-", DateTime, DateTime}: TimeSpan, {"-", DateTime, TimeSpan}: DateTime, {"-", TimeSpan, TimeSpan}: TimeSpan,
		{"/", TimeSpan, TimeSpan}: Real, {"/", DateTime, TimeSpan}: Real, {"%", TimeSpan, TimeSpan}: TimeSpan, {"%", DateTime, TimeSpan}: TimeSpan,
	}
	t, ok := result[pair{n.op, l.typ, r.typ}]
	if !ok {
		return nil
	}
	return derive(t, n, tickEval(n.op, t, l, r), l, r)
}

// orderType returns the type two values are ordered in. Strings have none:
// Kusto wants strcmp.
func orderType(a, b Type) (Type, bool) {
	switch {
	case a == Dynamic && b == Dynamic:
		return Dynamic, true
	case a == Dynamic:
		return orderType(b, b)
	case b == Dynamic:
		return orderType(a, a)
	case a.isNumeric() && b.isNumeric():
		return promote(a, b), true
	case a == b && (a == DateTime || a == TimeSpan || a == Bool):
		return a, true
	}
	return NoType, false
}

// equality binds == and !=.
func equality(n node, l, r *bound, negate bool) *bound {
	t := equalType(l, r)
	switch t {
	case NoType:
		return nil
	case Dynamic:
		return derive(Bool, n, dynamicEqualEval(l, r, negate), l, r)
	}
	l, r = cast(l, t), cast(r, t)
	return derive(Bool, n, equalEval(l, r, negate), l, r)
}

// equalType returns the type two values are compared in; Dynamic compares
// them as they are, so that a string never equals a number.
func equalType(l, r *bound) Type {
	a, b := l.typ, r.typ
	switch {
	case a == b:
		return a
	case a.isNumeric() && b.isNumeric():
		return promote(a, b)
	case a == Dynamic || b == Dynamic:
		return Dynamic
	case a == String && b.isNumeric(), b == String && a.isNumeric():
		return Dynamic
	case a == Bool && b.isNumeric(), b == Bool && a.isNumeric():
		return Long
	case a == GUID && b == String, a == String && b == GUID:
		return GUID
	}
	return NoType
}

func (b *binder) between(n *betweenNode) *bound {
	x, lo, hi := b.expr(n.x), b.expr(n.lo), b.expr(n.hi)
	if x.typ == NoType || lo.typ == NoType || hi.typ == NoType {
		y := failed(n)
		y.typ = Bool
		y.eval = func(*run, *Block) (*Vector, error) { return constVector(nullValue(Bool)), nil }
		return y
	}
	if lo.typ == DateTime && hi.typ == TimeSpan { // between (start .. length)
		hi = fold(derive(DateTime, n.hi, tickEval("+", DateTime, lo, hi), lo, hi), lo, hi)
	}
	t1, ok1 := orderType(x.typ, lo.typ)
	t2, ok2 := orderType(x.typ, hi.typ)
	if !ok1 || !ok2 {
		return b.undefined(n.op, n.opAt, n, x, lo, hi)
	}
	ge := derive(Bool, n, orderEval(">=", cast(x, t1), cast(lo, t1)), x, lo)
	le := derive(Bool, n, orderEval("<=", cast(x, t2), cast(hi, t2)), x, hi)
	y := derive(Bool, n, logicEval("and", ge, le), x, lo, hi)
	y.preds, y.whole = betweenPreds(x, lo, hi)
	if n.op == "!between" {
		y = derive(Bool, n, notEval(y), x, lo, hi)
	}
	return fold(y, x, lo, hi)
}
