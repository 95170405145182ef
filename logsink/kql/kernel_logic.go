package kql

import (
	"cmp"
	"strings"
)

// logicEval computes and, or in three-valued logic: false and null is false,
// true or null is true.
func logicEval(op string, l, r *bound) evalFn {
	and := op == "and"
	return eval2(l, r, func(_ *run, a, b *Vector, n int) *Vector {
		out := &Vector{Type: Bool, Bools: make([]bool, n)}
		am, bm := a.mask(), b.mask()
		if a.Nulls == nil && b.Nulls == nil {
			if and {
				for i := range out.Bools {
					out.Bools[i] = a.Bools[i&am] && b.Bools[i&bm]
				}
			} else {
				for i := range out.Bools {
					out.Bools[i] = a.Bools[i&am] || b.Bools[i&bm]
				}
			}
			return out
		}
		for i := range n {
			an, bn := a.Nulls.Get(i&am), b.Nulls.Get(i&bm)
			av, bv := a.Bools[i&am], b.Bools[i&bm]
			switch {
			case !an && av != and, !bn && bv != and: // decided by one side
				out.Bools[i] = !and
			case an || bn:
				out.setNull(i, n)
			default:
				out.Bools[i] = and
			}
		}
		return out
	})
}

func notEval(e *bound) evalFn {
	return eval1(e, func(_ *run, a *Vector, n int) *Vector {
		out := &Vector{Type: Bool, Bools: make([]bool, n), Nulls: a.Nulls}
		for i := range out.Bools {
			out.Bools[i] = !a.Bools[i]
		}
		return out
	})
}

// orderEval compares two values of one ordered type; null gives null.
func orderEval(op string, l, r *bound) evalFn {
	return eval2(l, r, func(_ *run, a, b *Vector, n int) *Vector {
		out := &Vector{Type: Bool, Bools: make([]bool, n), Nulls: mergeNulls(n, a, b)}
		switch {
		case a.Type.usesInts():
			orderLoop(op, out.Bools, a.Ints, a.mask(), b.Ints, b.mask())
		case a.Type == Real:
			orderLoop(op, out.Bools, a.Reals, a.mask(), b.Reals, b.mask())
		default:
			orderValues(op, out, a, b, n)
		}
		return out
	})
}

func orderLoop[T cmp.Ordered](op string, o []bool, x []T, xm int, y []T, ym int) {
	switch op {
	case "<":
		for i := range o {
			o[i] = x[i&xm] < y[i&ym]
		}
	case "<=":
		for i := range o {
			o[i] = x[i&xm] <= y[i&ym]
		}
	case ">":
		for i := range o {
			o[i] = x[i&xm] > y[i&ym]
		}
	default:
		for i := range o {
			o[i] = x[i&xm] >= y[i&ym]
		}
	}
}

func orderValues(op string, out, a, b *Vector, n int) {
	for i := range n {
		if out.Nulls.Get(i) {
			continue
		}
		x, y := a.Value(i), b.Value(i)
		if a.Type == Dynamic {
			x, y = fromDynamic(x.Any), fromDynamic(y.Any)
			if x.Type != y.Type && !(x.Type.isNumeric() && y.Type.isNumeric()) || x.Type == Dynamic {
				out.setNull(i, n)
				continue
			}
		}
		out.Bools[i] = orderHolds(op, compareValues(x, y))
	}
}

func orderHolds(op string, c int) bool {
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// equalEval compares two values of one type. A null differs from every
// value; two nulls give null.
func equalEval(l, r *bound, negate bool) evalFn {
	return eval2(l, r, func(_ *run, a, b *Vector, n int) *Vector {
		out := &Vector{Type: Bool, Bools: make([]bool, n)}
		switch {
		case a.Type == String:
			equalStrings(out.Bools, a, b, negate)
			return out
		case a.Type.usesInts():
			equalLoop(out.Bools, a.Ints, a.mask(), b.Ints, b.mask(), negate)
		case a.Type == Real:
			equalLoop(out.Bools, a.Reals, a.mask(), b.Reals, b.mask(), negate)
		case a.Type == Bool:
			equalLoop(out.Bools, a.Bools, a.mask(), b.Bools, b.mask(), negate)
		case a.Type == GUID:
			equalLoop(out.Bools, a.UUIDs, a.mask(), b.UUIDs, b.mask(), negate)
		default:
			for i := range n {
				x, y := a.Value(i), b.Value(i)
				out.Bools[i] = !x.Null && !y.Null && compareValues(x, y) == 0 != negate
			}
		}
		equalNulls(out, a, b, n, negate)
		return out
	})
}

func equalNulls(out, a, b *Vector, n int, negate bool) {
	if a.Nulls == nil && b.Nulls == nil {
		return
	}
	for i := range n {
		an, bn := a.IsNull(i), b.IsNull(i)
		switch {
		case an && bn:
			out.setNull(i, n)
		case an || bn:
			out.Bools[i] = negate
		}
	}
}

func equalLoop[T comparable](o []bool, x []T, xm int, y []T, ym int, negate bool) {
	if negate {
		for i := range o {
			o[i] = x[i&xm] != y[i&ym]
		}
		return
	}
	for i := range o {
		o[i] = x[i&xm] == y[i&ym]
	}
}

// equalStrings compares strings; a dictionary against one value is decided
// once an entry.
func equalStrings(o []bool, a, b *Vector, negate bool) {
	if a.one {
		a, b = b, a
	}
	if b.one && !a.one {
		want := b.Str(0)
		matchStrings(o, a, func(s string) bool { return (s == want) != negate })
		return
	}
	for i := range o {
		o[i] = (a.Str(i) == b.Str(i)) != negate
	}
}

// matchStrings tests every row of a string vector, each dictionary entry once.
func matchStrings(o []bool, a *Vector, f func(string) bool) {
	switch {
	case a.Codes != nil && len(a.Dict) <= len(o):
		hits := make([]bool, len(a.Dict))
		for i, s := range a.Dict {
			hits[i] = f(s)
		}
		for i, c := range a.Codes[:len(o)] {
			o[i] = hits[c]
		}
	case a.Codes != nil:
		for i, c := range a.Codes[:len(o)] {
			o[i] = f(a.Dict[c])
		}
	default:
		for i, s := range a.Strs[:len(o)] {
			o[i] = f(s)
		}
	}
}

// dynamicEqualEval compares values of types known at run time only.
func dynamicEqualEval(l, r *bound, negate bool) evalFn {
	return eval2(l, r, func(_ *run, a, b *Vector, n int) *Vector {
		out := &Vector{Type: Bool, Bools: make([]bool, n)}
		for i := range n {
			x, y := a.Value(i), b.Value(i)
			switch {
			case x.Null && y.Null:
				out.setNull(i, n)
			case x.Null || y.Null:
				out.Bools[i] = negate
			default:
				out.Bools[i] = looseEqual(x, y) != negate
			}
		}
		return out
	})
}

// looseEqual compares a dynamic with a value of another type: the dynamic's
// primitive is read as that type.
func looseEqual(x, y Value) bool {
	if x.Type == Dynamic && y.Type == Dynamic {
		return dynamicEqual(x.Any, y.Any)
	}
	if y.Type == Dynamic {
		x, y = y, x
	}
	if x.Type != Dynamic { // a string and a number never are equal
		return false
	}
	d := fromDynamic(x.Any)
	switch {
	case d.Type == y.Type || d.Type.isNumeric() && y.Type.isNumeric():
		return compareValues(d, y) == 0
	case d.Type == Dynamic:
		return y.Type == String && dynamicText(x.Any) == y.Str
	case d.Type == String && y.Type != String || y.Type == String:
		if y.Type == String {
			return strings.Compare(d.String(), y.Str) == 0
		}
		c := convert(d, y.Type)
		return !c.Null && compareValues(c, y) == 0
	}
	return false
}
