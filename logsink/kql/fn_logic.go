package kql

var logicFns = []scalarFn{
	{name: "not", sig: "bool -> bool", make: func(*callSite) kernel {
		return func(x *run, vs []*Vector, n int) *Vector {
			out := &Vector{Type: Bool, Bools: make([]bool, n), Nulls: vs[0].Nulls}
			for i := range n {
				out.Bools[i] = !vs[0].Bools[i]
			}
			return out
		}
	}},
	{name: "isnull", sig: "any -> bool", make: nullTest(true, false)},
	{name: "isnotnull", sig: "any -> bool", make: nullTest(false, false)},
	{name: "notnull", sig: "any -> bool", make: nullTest(false, false)},
	{name: "isempty", sig: "any -> bool", make: nullTest(true, true)},
	{name: "isnotempty", sig: "any -> bool", make: nullTest(false, true)},
	{name: "notempty", sig: "any -> bool", make: nullTest(false, true)},
	{name: "isnan", sig: "real -> bool", make: realTest(func(f float64) bool { return f != f })},
	{name: "isinf", sig: "real -> bool", make: realTest(func(f float64) bool { return f-f != 0 && f == f })},
	{name: "isfinite", sig: "real -> bool", make: realTest(func(f float64) bool { return f-f == 0 })},
	{name: "iff", sig: "bool, T, T -> T", make: choose},
	{name: "iif", sig: "bool, T, T -> T", make: choose},
	{name: "coalesce", sig: "T, T... -> T", make: rows(coalesce)},
	{name: "max_of", sig: "T, T... -> T", make: rows(func(a []Value) Value { return extremeOf(a, 1) })},
	{name: "min_of", sig: "T, T... -> T", make: rows(func(a []Value) Value { return extremeOf(a, -1) })},
	{name: "estimate_data_size", sig: "any... -> long", make: rows(func(a []Value) Value {
		n := int64(0)
		for _, v := range a {
			n += dataSize(v)
		}
		return longValue(n)
	})},
}

// nullTest tests for null, and for the empty string when empty is set. A
// string itself is never null.
func nullTest(want, empty bool) maker {
	return func(*callSite) kernel {
		return func(_ *run, vs []*Vector, n int) *Vector {
			v := vs[0]
			out := newVector(Bool, n)
			if empty && v.Type == String {
				for i := range n {
					out.Bools[i] = (v.Str(i) == "") == want
				}
				return out
			}
			for i := range n {
				null := v.IsNull(i)
				if empty && v.Type == Dynamic && !null {
					null = v.Dynamics[v.at(i)] == ""
				}
				out.Bools[i] = null == want
			}
			return out
		}
	}
}

func realTest(f func(float64) bool) maker {
	return func(*callSite) kernel {
		return func(_ *run, vs []*Vector, n int) *Vector {
			out := newVector(Bool, n)
			for i := range n {
				out.Bools[i] = !vs[0].Nulls.Get(i) && f(vs[0].Reals[i])
			}
			return out
		}
	}
}

// choose is iff: null chooses the second.
func choose(c *callSite) kernel {
	ret := c.ret
	return func(_ *run, vs []*Vector, n int) *Vector {
		cond := vs[0]
		out := newVector(ret, n)
		for i := range n {
			from := vs[2]
			if j := cond.at(i); cond.Bools[j] && !cond.Nulls.Get(j) {
				from = vs[1]
			}
			copyCell(out, i, n, from)
		}
		return out
	}
}

// copyCell copies row i of from, which has out's type.
func copyCell(out *Vector, i, n int, from *Vector) {
	j := from.at(i)
	switch {
	case out.Type == String:
		out.Strs[i] = from.Str(i)
	case from.IsNull(i):
		out.setNull(i, n)
	case out.Type.usesInts():
		out.Ints[i] = from.Ints[j]
	case out.Type == Real:
		out.Reals[i] = from.Reals[j]
	default:
		out.set(i, n, from.Value(i))
	}
}

func coalesce(a []Value) Value {
	for _, v := range a {
		if !v.Null && (v.Type != String || v.Str != "") {
			return v
		}
	}
	return a[len(a)-1]
}

func extremeOf(a []Value, sign int) Value {
	best := a[0]
	for _, v := range a[1:] {
		if best.Null || !v.Null && compareValues(v, best)*sign > 0 {
			best = v
		}
	}
	return best
}

// dataSize is how many bytes a value has: the width of its type, or the
// length of its text.
func dataSize(v Value) int64 {
	switch v.Type {
	case Bool:
		return 1
	case Int:
		return 4
	case Decimal, GUID:
		return 16
	case String, Dynamic:
		return int64(len(v.String()))
	}
	return 8
}
