package kql

import (
	"math"
	"math/bits"
)

var mathFns = []scalarFn{
	{name: "abs", sig: "int -> int; long -> long; real -> real; decimal -> decimal; timespan -> timespan", named: asArg, make: strict(absolute)},
	{name: "sign", sig: "number -> real", make: strict(func(a []Value) Value { return realValue(sign(a[0].float())) })},
	{name: "round", sig: "number, integer? -> real", named: asArg, make: strict(round)},
	{name: "ceiling", sig: "integer -> long; real -> real; decimal -> decimal", named: asArg, make: strict(ceiling)},
	{name: "sqrt", sig: "real -> real", named: asArg, make: realMapWithin(math.Sqrt, 0, math.Inf(1))},
	{name: "pow", sig: "real, real -> real", named: asArg, make: strict(func(a []Value) Value { return realValue(math.Pow(a[0].Real, a[1].Real)) })},
	{name: "exp", sig: "real -> real", named: asArg, make: realMap(math.Exp)},
	{name: "exp2", sig: "real -> real", named: asArg, make: realMap(math.Exp2)},
	{name: "exp10", sig: "real -> real", named: asArg, make: realMap(func(f float64) float64 { return math.Pow(10, f) })},
	{name: "log", sig: "real -> real", named: asArg, make: realMapWithin(math.Log, 0, math.Inf(1))},
	{name: "log2", sig: "real -> real", named: asArg, make: realMapWithin(math.Log2, 0, math.Inf(1))},
	{name: "log10", sig: "real -> real", named: asArg, make: realMapWithin(math.Log10, 0, math.Inf(1))},
	{name: "sin", sig: "real -> real", named: asArg, make: realMap(math.Sin)},
	{name: "cos", sig: "real -> real", named: asArg, make: realMap(math.Cos)},
	{name: "tan", sig: "real -> real", named: asArg, make: realMap(math.Tan)},
	{name: "cot", sig: "real -> real", named: asArg, make: realMap(func(f float64) float64 { return 1 / math.Tan(f) })},
	{name: "asin", sig: "real -> real", named: asArg, make: realMapWithin(math.Asin, -1, 1)},
	{name: "acos", sig: "real -> real", named: asArg, make: realMapWithin(math.Acos, -1, 1)},
	{name: "atan", sig: "real -> real", named: asArg, make: realMap(math.Atan)},
	{name: "atan2", sig: "real, real -> real", named: asArg, make: strict(func(a []Value) Value { return realValue(math.Atan2(a[0].Real, a[1].Real)) })},
	{name: "degrees", sig: "real -> real", named: asArg, make: realMap(func(f float64) float64 { return f * 180 / math.Pi })},
	{name: "radians", sig: "real -> real", named: asArg, make: realMap(func(f float64) float64 { return f * math.Pi / 180 })},
	{name: "gamma", sig: "real -> real", named: asArg, make: realMap(math.Gamma)},
	{name: "loggamma", sig: "real -> real", named: asArg, make: realMap(func(f float64) float64 { v, _ := math.Lgamma(f); return v })},
	{name: "erf", sig: "real -> real", named: asArg, make: realMap(math.Erf)},
	{name: "erfc", sig: "real -> real", named: asArg, make: realMap(math.Erfc)},
	{name: "beta_cdf", sig: "real, real, real -> real", make: strict(func(a []Value) Value { return realValue(betaCDF(a[0].Real, a[1].Real, a[2].Real)) })},
	{name: "beta_pdf", sig: "real, real, real -> real", make: strict(func(a []Value) Value { return realValue(betaPDF(a[0].Real, a[1].Real, a[2].Real)) })},
	{name: "beta_inv", sig: "real, real, real -> real", make: strict(func(a []Value) Value {
		if a[0].Real < 0 || a[0].Real > 1 {
			return nullValue(Real)
		}
		return realValue(betaInv(a[0].Real, a[1].Real, a[2].Real))
	})},
	{name: "pi", sig: " -> real", make: rows(func([]Value) Value { return realValue(math.Pi) })},
	{name: "rand", sig: "integer? -> real", named: asArg, make: random},
	{name: "binary_and", sig: "integer, integer -> long", named: asArg, make: bitOp(func(x, y int64) int64 { return x & y })},
	{name: "binary_or", sig: "integer, integer -> long", named: asArg, make: bitOp(func(x, y int64) int64 { return x | y })},
	{name: "binary_xor", sig: "integer, integer -> long", named: asArg, make: bitOp(func(x, y int64) int64 { return x ^ y })},
	{name: "binary_not", sig: "integer -> long", named: asArg, make: strict(func(a []Value) Value { return longValue(^a[0].Int) })},
	{name: "binary_shift_left", sig: "integer, integer -> long", named: asArg, make: bitOp(func(x, y int64) int64 { return x << (uint64(y) & 63) })},
	{name: "binary_shift_right", sig: "integer, integer -> long", named: asArg, make: bitOp(func(x, y int64) int64 { return x >> (uint64(y) & 63) })},
	{name: "bitset_count_ones", sig: "integer -> long", named: asArg, make: strict(func(a []Value) Value {
		return longValue(int64(bits.OnesCount64(uint64(a[0].Int))))
	})},
}

func absolute(a []Value) Value {
	v := a[0]
	switch {
	case v.Type == Real:
		v.Real = math.Abs(v.Real)
	case v.Type == Decimal:
		if v.dec().coef.Sign() < 0 {
			v.Any = v.dec().neg()
		}
	case v.Int < 0:
		v.Int = -v.Int
	}
	return v
}

func sign(f float64) float64 {
	switch {
	case f > 0:
		return 1
	case f < 0:
		return -1
	}
	return 0
}

// round rounds half away from zero, to a decimal place or, negative, to tens.
func round(a []Value) Value {
	places := int64(0)
	if len(a) > 1 {
		places = max(-300, min(a[1].Int, 300))
	}
	if a[0].Type == Decimal && places >= 0 {
		return realValue(a[0].dec().roundTo(int(places)).Float())
	}
	return realValue(roundPlaces(a[0].float(), int(places)))
}

func roundPlaces(f float64, places int) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return f
	}
	if places > 15 {
		return f
	}
	if d := decFromFloat(f); d != nil && places > 0 {
		return d.roundTo(places).Float()
	}
	p := math.Pow(10, float64(-places))
	if places == 0 {
		return math.Round(f)
	}
	return math.Round(f/p) * p
}

func ceiling(a []Value) Value {
	switch a[0].Type {
	case Real:
		return realValue(math.Ceil(a[0].Real))
	case Decimal:
		return decValue(a[0].dec().neg().floor().neg())
	}
	return a[0]
}

func bitOp(f func(x, y int64) int64) maker {
	return strict(func(a []Value) Value { return longValue(f(a[0].Int, a[1].Int)) })
}

// random gives [0, 1), or an integer below its argument.
func random(c *callSite) kernel {
	c.volatile = true
	return func(x *run, vs []*Vector, n int) *Vector {
		out := newVector(Real, n)
		for i := range n {
			out.Reals[i] = x.rand.Float64()
			if len(vs) > 0 && !vs[0].IsNull(i) {
				if m := vs[0].Value(i).Int; m > 1 {
					out.Reals[i] = float64(x.rand.Int64N(m))
				}
			}
		}
		return out
	}
}

func betaPDF(x, a, b float64) float64 {
	if x < 0 || x > 1 || a <= 0 || b <= 0 {
		return math.NaN()
	}
	return math.Exp((a-1)*math.Log(x) + (b-1)*math.Log(1-x) - logBeta(a, b))
}

func logBeta(a, b float64) float64 {
	x, _ := math.Lgamma(a)
	y, _ := math.Lgamma(b)
	z, _ := math.Lgamma(a + b)
	return x + y - z
}

// betaCDF is the regularised incomplete beta function, by its continued
// fraction.
func betaCDF(x, a, b float64) float64 {
	switch {
	case math.IsNaN(x) || !(a > 0 && b > 0) || math.IsInf(a+b, 0):
		return math.NaN()
	case x < 0 || x > 1:
		return math.NaN()
	case x == 0 || x == 1:
		return x
	case x > (a+1)/(a+b+2): // where the fraction converges faster from the other end
		return 1 - betaTail(1-x, b, a)
	}
	return betaTail(x, a, b)
}

func betaTail(x, a, b float64) float64 {
	return math.Exp(a*math.Log(x)+b*math.Log(1-x)-logBeta(a, b)) / a * betaFraction(x, a, b)
}

func betaFraction(x, a, b float64) float64 {
	const tiny = 1e-300
	c, d := 1.0, 1-(a+b)*x/(a+1)
	if math.Abs(d) < tiny {
		d = tiny
	}
	d = 1 / d
	f := d
	for m := 1.0; m < 300; m++ {
		for _, num := range [2]float64{
			m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m)),
			-(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1)),
		} {
			if d = 1 + num*d; math.Abs(d) < tiny {
				d = tiny
			}
			if c = 1 + num/c; math.Abs(c) < tiny {
				c = tiny
			}
			d = 1 / d
			f *= c * d
		}
		if math.Abs(c*d-1) < 1e-15 {
			break
		}
	}
	return f
}

// betaInv inverts betaCDF by bisection.
func betaInv(p, a, b float64) float64 {
	if !(p >= 0 && p <= 1 && a > 0 && b > 0) {
		return math.NaN()
	}
	lo, hi := 0.0, 1.0
	for range 200 {
		mid := (lo + hi) / 2
		if betaCDF(mid, a, b) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}
