package kql

import "math"

const binSig = "integer, integer -> long; real, real -> real; decimal, decimal -> decimal; timespan, timespan -> timespan; datetime, timespan -> datetime"

var binFns = []scalarFn{
	{name: "bin", sig: binSig, named: asArg, make: binKernel},
	{name: "floor", sig: "integer, integer -> long; real -> real; real, real -> real; decimal, decimal -> decimal; timespan, timespan -> timespan; datetime, timespan -> datetime", named: asArg, make: binKernel},
	{name: "bin_at", sig: "real, real, real -> real; integer, integer, integer -> long; timespan, timespan, timespan -> timespan; datetime, timespan, datetime -> datetime", named: asArg, make: strict(func(a []Value) Value {
		return binAt(a[0], a[1], a[2])
	})},
}

// binKernel rounds down to a multiple of a size; a size that is null or not
// positive gives null.
func binKernel(c *callSite) kernel {
	ret := c.ret
	size, ok := c.constant(1)
	if ok && ret.usesInts() && !size.Null && size.Int > 0 {
		step := size.Int
		return func(_ *run, vs []*Vector, n int) *Vector { return binInts(ret, vs[0], step, n) }
	}
	return rowKernel(ret, func(a []Value) Value {
		if a[0].Null || len(a) > 1 && a[1].Null {
			return nullValue(ret)
		}
		if len(a) == 1 {
			return realValue(math.Floor(a[0].Real))
		}
		return binValue(a[0], a[1])
	})
}

// binInts bins integers, datetimes and timespans by one size. Neighbouring
// rows mostly fall into one bin, so the last one is tried first.
func binInts(ret Type, v *Vector, step int64, n int) *Vector {
	out := &Vector{Type: ret, Ints: make([]int64, n), Nulls: v.Nulls}
	lo, hi := int64(1), int64(0) // no bin yet
	for i, x := range v.Ints[:n] {
		if x < lo || x >= hi {
			r := x % step
			if r < 0 {
				r += step
			}
			lo = x - r
			hi = lo + step
		}
		out.Ints[i] = lo
	}
	return out
}

func binValue(v, size Value) Value {
	switch v.Type {
	case Real:
		if size.Real <= 0 || math.IsNaN(size.Real) {
			return nullValue(Real)
		}
		return realValue(math.Floor(v.Real/size.Real) * size.Real)
	case Decimal:
		if size.dec().coef.Sign() <= 0 {
			return nullValue(Decimal)
		}
		return decValue(v.dec().div(size.dec()).floor().mul(size.dec()))
	}
	if size.Int <= 0 {
		return nullValue(v.Type)
	}
	_, r := floorDiv(v.Int, size.Int)
	v.Int -= r
	return v
}

// binAt bins around a fixed point.
func binAt(v, size, fixed Value) Value {
	if v.Type == Real {
		if size.Real <= 0 {
			return nullValue(Real)
		}
		return realValue(fixed.Real + math.Floor((v.Real-fixed.Real)/size.Real)*size.Real)
	}
	if size.Int <= 0 {
		return nullValue(v.Type)
	}
	q, _ := floorDiv(v.Int-fixed.Int, size.Int)
	v.Int = fixed.Int + q*size.Int
	return v
}

// binAutoForm is bin_auto(x): its size comes from a set statement.
func binAutoForm(b *binder, n *callNode) *bound {
	size, ok := b.set["query_bin_auto_size"]
	if !ok || len(n.args) != 1 {
		b.diags.report(n.fn.span, "KQL014", "bin_auto needs 'set query_bin_auto_size = …' before the query.")
		return failed(n)
	}
	x := b.expr(n.args[0])
	args := []*bound{x, size}
	f := functions()["bin"]
	if at, ok := b.set["query_bin_auto_at"]; ok {
		f, args = functions()["bin_at"], append(args, at)
	}
	y := *b.callFunction(f, n, args)
	y.name = x.name
	return &y
}
