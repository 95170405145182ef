package kql

import "math"

// mask is what a row number is and-ed with to find its value: all ones, or
// zero for a vector that holds one value for all rows.
func (v *Vector) mask() int {
	if v.one {
		return 0
	}
	return -1
}

// mergeNulls returns the rows in which any of vs is null.
func mergeNulls(n int, vs ...*Vector) Bitmap {
	var out Bitmap
	for _, v := range vs {
		switch {
		case v.Type == Dynamic:
			for i := range n {
				if v.Dynamics[v.at(i)] == nil {
					if out == nil {
						out = NewBitmap(n)
					}
					out.Set(i)
				}
			}
		case v.Nulls == nil:
		case v.one:
			if v.Nulls.Get(0) {
				out = NewBitmap(n)
				for i := range out {
					out[i] = ^uint64(0)
				}
				return out
			}
		case out == nil:
			out = append(Bitmap(nil), v.Nulls...)
		default:
			for i := range min(len(out), len(v.Nulls)) {
				out[i] |= v.Nulls[i]
			}
		}
	}
	return out
}

// eval2 computes both operands and hands them to f with the number of rows
// to compute: one when both are the same for all rows.
func eval2(l, r *bound, f func(x *run, a, b *Vector, n int) *Vector) evalFn {
	return func(x *run, blk *Block) (*Vector, error) {
		a, err := l.eval(x, blk)
		if err != nil {
			return nil, err
		}
		b, err := r.eval(x, blk)
		if err != nil {
			return nil, err
		}
		if a.one && b.one {
			v := f(x, a, b, 1)
			v.one = true
			return v, nil
		}
		return f(x, a, b, blk.Rows), nil
	}
}

func eval1(e *bound, f func(x *run, a *Vector, n int) *Vector) evalFn {
	return func(x *run, blk *Block) (*Vector, error) {
		a, err := e.eval(x, blk)
		if err != nil {
			return nil, err
		}
		if a.one {
			v := f(x, a, 1)
			v.one = true
			return v, nil
		}
		return f(x, a, blk.Rows), nil
	}
}

// arithEval computes two numbers of type t.
func arithEval(op string, t Type, l, r *bound) evalFn {
	switch t {
	case Long:
		return eval2(l, r, func(_ *run, a, b *Vector, n int) *Vector { return arithLong(op, a, b, n) })
	case Real:
		return eval2(l, r, func(_ *run, a, b *Vector, n int) *Vector { return arithReal(op, a, b, n) })
	}
	return eval2(l, r, func(_ *run, a, b *Vector, n int) *Vector { return arithDecimal(op, a, b, n) })
}

// loop2 applies f to n pairs.
func loop2[A, B, R any](out []R, a []A, am int, b []B, bm int, f func(A, B) R) {
	for i := range out {
		out[i] = f(a[i&am], b[i&bm])
	}
}

func arithLong(op string, a, b *Vector, n int) *Vector {
	out := &Vector{Type: Long, Ints: make([]int64, n), Nulls: mergeNulls(n, a, b)}
	x, xm, y, ym := a.Ints, a.mask(), b.Ints, b.mask()
	o := out.Ints
	switch op {
	case "+":
		for i := range o {
			o[i] = x[i&xm] + y[i&ym]
		}
	case "-":
		for i := range o {
			o[i] = x[i&xm] - y[i&ym]
		}
	case "*":
		for i := range o {
			o[i] = x[i&xm] * y[i&ym]
		}
	default:
		divLong(op, out, x, xm, y, ym)
	}
	return out
}

// divLong divides; a division by zero is null.
func divLong(op string, out *Vector, x []int64, xm int, y []int64, ym int) {
	n := len(out.Ints)
	for i := range n {
		d := y[i&ym]
		switch {
		case d == 0:
			out.setNull(i, n)
		case op == "/" && d == -1:
			out.Ints[i] = -x[i&xm]
		case op == "/":
			out.Ints[i] = x[i&xm] / d
		case d == -1:
		default:
			m := x[i&xm] % d
			if m < 0 {
				m += max(d, -d)
			}
			out.Ints[i] = m
		}
	}
}

func arithReal(op string, a, b *Vector, n int) *Vector {
	out := &Vector{Type: Real, Reals: make([]float64, n), Nulls: mergeNulls(n, a, b)}
	x, xm, y, ym := a.Reals, a.mask(), b.Reals, b.mask()
	o := out.Reals
	switch op {
	case "+":
		for i := range o {
			o[i] = x[i&xm] + y[i&ym]
		}
	case "-":
		for i := range o {
			o[i] = x[i&xm] - y[i&ym]
		}
	case "*":
		for i := range o {
			o[i] = x[i&xm] * y[i&ym]
		}
	case "/":
		for i := range o {
			o[i] = x[i&xm] / y[i&ym]
		}
	default:
		loop2(o, x, xm, y, ym, modReal)
	}
	return out
}

func modReal(x, y float64) float64 {
	m := math.Mod(x, y)
	if m < 0 {
		m += math.Abs(y)
	}
	return m
}

func arithDecimal(op string, a, b *Vector, n int) *Vector {
	out := newVector(Decimal, n)
	for i := range n {
		if a.IsNull(i) || b.IsNull(i) {
			out.setNull(i, n)
			continue
		}
		d := decimalOp(op, a.Decimals[a.at(i)], b.Decimals[b.at(i)])
		if d == nil {
			out.setNull(i, n)
			continue
		}
		out.Decimals[i] = d
	}
	return out
}

func decimalOp(op string, x, y *Dec) *Dec {
	switch op {
	case "+":
		return x.add(y)
	case "-":
		return x.add(y.neg())
	case "*":
		return x.mul(y)
	case "/":
		return x.div(y)
	}
	return x.mod(y)
}

// tickEval adds, subtracts and divides datetimes and timespans.
func tickEval(op string, t Type, l, r *bound) evalFn {
	return eval2(l, r, func(_ *run, a, b *Vector, n int) *Vector {
		if op == "/" {
			out := &Vector{Type: Real, Reals: make([]float64, n), Nulls: mergeNulls(n, a, b)}
			loop2(out.Reals, a.Ints, a.mask(), b.Ints, b.mask(), func(x, y int64) float64 { return float64(x) / float64(y) })
			return out
		}
		if op == "%" {
			out := arithLong("%", a, b, n)
			out.Type = t
			return out
		}
		out := arithLong(op, a, b, n)
		out.Type = t
		if t == DateTime {
			for i, x := range out.Ints {
				if !Ticks(x).valid() {
					out.setNull(i, n)
				}
			}
		}
		return out
	})
}

// spanScaleEval multiplies or divides a timespan by a number.
func spanScaleEval(op string, ts, num *bound) evalFn {
	return eval2(ts, num, func(_ *run, a, b *Vector, n int) *Vector {
		if b.Type == Long {
			out := arithLong(op, a, b, n)
			out.Type = TimeSpan
			return out
		}
		out := &Vector{Type: TimeSpan, Ints: make([]int64, n), Nulls: mergeNulls(n, a, b)}
		for i := range n {
			f := b.Reals[b.at(i)]
			if op == "/" {
				f = 1 / f
			}
			v, ok := truncate(math.Round(float64(a.Ints[a.at(i)]) * f))
			if !ok {
				out.setNull(i, n)
			}
			out.Ints[i] = v
		}
		return out
	})
}

func negateEval(e *bound) evalFn {
	return eval1(e, func(_ *run, a *Vector, n int) *Vector {
		out := newVector(a.Type, n)
		out.Nulls = a.Nulls
		switch a.Type {
		case Real:
			for i := range n {
				out.Reals[i] = -a.Reals[i]
			}
		case Decimal:
			for i := range n {
				if !a.IsNull(i) {
					out.Decimals[i] = a.Decimals[i].neg()
				}
			}
		default:
			for i := range n {
				out.Ints[i] = -a.Ints[i]
			}
		}
		return out
	})
}

// dynamicArithEval computes two dynamics by what they hold.
func dynamicArithEval(op string, l, r *bound) evalFn {
	return eval2(l, r, func(_ *run, a, b *Vector, n int) *Vector {
		out := newVector(Dynamic, n)
		for i := range n {
			out.Dynamics[i] = dynamicArith(op, fromDynamic(a.Dynamics[a.at(i)]), fromDynamic(b.Dynamics[b.at(i)]))
		}
		return out
	})
}

func dynamicArith(op string, x, y Value) any {
	if x.Null || y.Null || !x.Type.isNumeric() || !y.Type.isNumeric() {
		return nil
	}
	t := promote(x.Type, y.Type)
	a, b := constVector(convert(x, t)), constVector(convert(y, t))
	var v *Vector
	switch t {
	case Long:
		v = arithLong(op, a, b, 1)
	case Real:
		v = arithReal(op, a, b, 1)
	default:
		v = arithDecimal(op, a, b, 1)
	}
	return v.Value(0).dynamic()
}
