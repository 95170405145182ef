package kql

import "math"

var basicAggs = []aggregateFn{
	{name: "count", sig: "bool? -> long", prefix: "count_", make: newCount},
	{name: "countif", sig: "bool -> long", prefix: "countif_", make: newCount},
	{name: "sum", sig: "summable -> sum", prefix: "sum_", make: newSum},
	{name: "sumif", sig: "summable, bool -> sum", prefix: "sumif_", make: newSum},
	{name: "avg", sig: "integer|real -> real; decimal -> decimal; timespan -> timespan; datetime -> datetime", prefix: "avg_", make: newAvg},
	{name: "avgif", sig: "integer|real, bool -> real; decimal, bool -> decimal; timespan, bool -> timespan; datetime, bool -> datetime", prefix: "avgif_", make: newAvg},
	{name: "min", sig: "orderable -> 1", prefix: "min_", make: newMin},
	{name: "max", sig: "orderable -> 1", prefix: "max_", make: newMax},
	{name: "minif", sig: "orderable, bool -> 1", prefix: "minif_", make: newMin},
	{name: "maxif", sig: "orderable, bool -> 1", prefix: "maxif_", make: newMax},
	{name: "stdev", sig: "number -> real", prefix: "stdev_", make: newSpread(true, true)},
	{name: "stdevif", sig: "number, bool -> real", prefix: "stdevif_", make: newSpread(true, true)},
	{name: "stdevp", sig: "number -> real", prefix: "stdevp_", make: newSpread(false, true)},
	{name: "variance", sig: "number -> real", prefix: "variance_", make: newSpread(true, false)},
	{name: "varianceif", sig: "number, bool -> real", prefix: "varianceif_", make: newSpread(true, false)},
	{name: "variancep", sig: "number -> real", prefix: "variancep_", make: newSpread(false, false)},
	{name: "stdevpif", sig: "number, bool -> real", prefix: "stdevpif_", make: newSpread(false, true)},
	{name: "variancepif", sig: "number, bool -> real", prefix: "variancepif_", make: newSpread(false, false)},
	{name: "covariance", sig: "number, number -> real", make: newCovariance(true), expand: expandPair},
	{name: "covarianceif", sig: "number, number, bool -> real", make: newCovariance(true), expand: expandPair},
	{name: "covariancep", sig: "number, number -> real", make: newCovariance(false), expand: expandPair},
	{name: "covariancepif", sig: "number, number, bool -> real", make: newCovariance(false), expand: expandPair},
	{name: "binary_all_and", sig: "integer -> long", prefix: "binary_all_and_", make: newBits(-1, func(a, b int64) int64 { return a & b })},
	{name: "binary_all_or", sig: "integer -> long", prefix: "binary_all_or_", make: newBits(0, func(a, b int64) int64 { return a | b })},
	{name: "binary_all_xor", sig: "integer -> long", prefix: "binary_all_xor_", make: newBits(0, func(a, b int64) int64 { return a ^ b })},
}

// hasCondition reports whether c is the _if form: one argument more, a bool.
func (c *aggSite) hasCondition(plain int) bool { return len(c.args) > plain }

// countAgg counts rows, or the rows whose condition is true.
type countAgg struct{ n []int64 }

func newCount(c *aggSite) aggregator { return &countAgg{} }

func (a *countAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	a.n = grown(a.n, groups)
	if len(args) == 0 {
		for _, g := range gids[:n] {
			a.n[g]++
		}
		return
	}
	v := args[0]
	for i, g := range gids[:n] {
		if j := v.at(i); v.Bools[j] && !v.Nulls.Get(j) {
			a.n[g]++
		}
	}
}

// addRows implements rowCounter.
func (a *countAgg) addRows(gid uint32, groups, n int) {
	a.n = grown(a.n, groups)
	a.n[gid] += int64(n)
}

// addCounts counts rows that stand for several.
func (a *countAgg) addCounts(gids []uint32, groups int, counts []int64) {
	a.n = grown(a.n, groups)
	for i, g := range gids {
		a.n[g] += counts[i]
	}
}

func (a *countAgg) results(groups int) []*Vector {
	return []*Vector{{Type: Long, Ints: grown(a.n, groups)[:groups]}}
}

func (a *countAgg) size() int64 { return 8 * int64(len(a.n)) }

// sumAgg adds up; a group without values sums to 0.
type sumAgg struct {
	t     Type
	ints  []int64
	reals []float64
	decs  []*Dec
}

func newSum(c *aggSite) aggregator {
	a := &sumAgg{t: c.ret}
	if c.hasCondition(1) {
		return conditional(a)
	}
	return a
}

func (a *sumAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	v := args[0]
	m := v.mask()
	switch {
	case v.Type == Real:
		a.reals = grown(a.reals, groups)
		for i, g := range gids[:n] {
			if !v.Nulls.Get(i & m) {
				a.reals[g] += v.Reals[i&m]
			}
		}
	case v.Type == Decimal:
		a.decs = grown(a.decs, groups)
		for i, g := range gids[:n] {
			if v.IsNull(i) {
				continue
			}
			if a.decs[g] == nil {
				a.decs[g] = &Dec{}
			}
			a.decs[g] = a.decs[g].add(v.Decimals[i&m])
		}
	default:
		a.ints = grown(a.ints, groups)
		for i, g := range gids[:n] {
			if !v.Nulls.Get(i & m) {
				a.ints[g] += v.Ints[i&m]
			}
		}
	}
}

func (a *sumAgg) results(groups int) []*Vector {
	out := &Vector{Type: a.t}
	switch a.t {
	case Real:
		out.Reals = grown(a.reals, groups)[:groups]
	case Decimal:
		out.Decimals = grown(a.decs, groups)[:groups]
		for i, d := range out.Decimals {
			if d == nil {
				out.Decimals[i] = &Dec{}
			}
		}
	default:
		out.Ints = grown(a.ints, groups)[:groups]
	}
	return []*Vector{out}
}

func (a *sumAgg) size() int64 { return 8*int64(len(a.ints)+len(a.reals)) + 64*int64(len(a.decs)) }

// avgAgg averages. Numbers without a value give NaN, times null.
type avgAgg struct {
	t    Type
	sums []float64
	decs []*Dec
	n    []int64
}

func newAvg(c *aggSite) aggregator {
	a := &avgAgg{t: c.ret}
	if c.hasCondition(1) {
		return conditional(a)
	}
	return a
}

func (a *avgAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	v := args[0]
	a.n = grown(a.n, groups)
	a.sums = grown(a.sums, groups)
	if v.Type == Decimal {
		a.decs = grown(a.decs, groups)
	}
	for i, g := range gids[:n] {
		j := v.at(i)
		if v.IsNull(i) {
			continue
		}
		a.n[g]++
		switch {
		case v.Type == Real:
			a.sums[g] += v.Reals[j]
		case v.Type == Decimal:
			if a.decs[g] == nil {
				a.decs[g] = &Dec{}
			}
			a.decs[g] = a.decs[g].add(v.Decimals[j])
		case v.Type == Dynamic:
			a.sums[g] += convert(v.Value(i), Real).Real
		default:
			a.sums[g] += float64(v.Ints[j])
		}
	}
}

func (a *avgAgg) results(groups int) []*Vector {
	out := newVector(a.t, groups)
	counts, sums := grown(a.n, groups), grown(a.sums, groups)
	for g := range groups {
		switch {
		case a.t == Real:
			out.Reals[g] = sums[g] / float64(counts[g])
		case counts[g] == 0:
			out.setNull(g, groups)
		case a.t == Decimal:
			out.Decimals[g] = a.decs[g].div(decFromInt(counts[g]))
		default:
			out.Ints[g] = int64(sums[g] / float64(counts[g]))
		}
	}
	return []*Vector{out}
}

func (a *avgAgg) size() int64 { return 16*int64(len(a.n)) + 64*int64(len(a.decs)) }

// extremeAgg keeps the smallest or largest value.
type extremeAgg struct {
	t    Type
	sign int // 1: largest
	vals []Value
	has  []bool
	ints []int64
	real []float64
}

func newMin(c *aggSite) aggregator { return newExtreme(c, -1) }
func newMax(c *aggSite) aggregator { return newExtreme(c, 1) }

func newExtreme(c *aggSite, sign int) aggregator {
	a := &extremeAgg{t: c.ret, sign: sign}
	if c.hasCondition(1) {
		return conditional(a)
	}
	return a
}

func (a *extremeAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	v := args[0]
	a.has = grown(a.has, groups)
	switch {
	case v.Type.usesInts():
		a.ints = grown(a.ints, groups)
		keepExtreme(a.ints, a.has, gids[:n], v, v.Ints, a.sign)
	case v.Type == Real:
		a.real = grown(a.real, groups)
		keepExtreme(a.real, a.has, gids[:n], v, v.Reals, a.sign)
	default:
		a.vals = grown(a.vals, groups)
		for i, g := range gids[:n] {
			x := v.Value(i)
			if x.Null || a.has[g] && compareValues(x, a.vals[g])*a.sign <= 0 {
				continue
			}
			a.vals[g], a.has[g] = x, true
		}
	}
}

func keepExtreme[T int64 | float64](best []T, has []bool, gids []uint32, v *Vector, vals []T, sign int) {
	m := v.mask()
	for i, g := range gids {
		if v.Nulls.Get(i & m) {
			continue
		}
		x := vals[i&m]
		if !has[g] || sign > 0 && (x > best[g] || best[g] != best[g]) || sign < 0 && (x < best[g] || best[g] != best[g]) {
			best[g], has[g] = x, true
		}
	}
}

func (a *extremeAgg) results(groups int) []*Vector {
	out := newVector(a.t, groups)
	has := grown(a.has, groups)
	for g := range groups {
		switch {
		case !has[g]:
			out.setNull(g, groups)
		case a.t.usesInts():
			out.Ints[g] = a.ints[g]
		case a.t == Real:
			out.Reals[g] = a.real[g]
		default:
			out.set(g, groups, a.vals[g])
		}
	}
	return []*Vector{out}
}

func (a *extremeAgg) size() int64 {
	return 9*int64(len(a.has)) + 64*int64(len(a.vals))
}

// spreadAgg is variance and standard deviation, by Welford's method.
type spreadAgg struct {
	sample, root bool
	n            []int64
	mean, m2     []float64
}

func newSpread(sample, root bool) func(*aggSite) aggregator {
	return func(c *aggSite) aggregator {
		a := &spreadAgg{sample: sample, root: root}
		if c.hasCondition(1) {
			return conditional(a)
		}
		return a
	}
}

func (a *spreadAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	a.n, a.mean, a.m2 = grown(a.n, groups), grown(a.mean, groups), grown(a.m2, groups)
	v := convertVector(args[0], Real, n)
	for i, g := range gids[:n] {
		if v.IsNull(i) {
			continue
		}
		x := v.Reals[v.at(i)]
		a.n[g]++
		d := x - a.mean[g]
		a.mean[g] += d / float64(a.n[g])
		a.m2[g] += d * (x - a.mean[g])
	}
}

func (a *spreadAgg) results(groups int) []*Vector {
	out := newVector(Real, groups)
	n, m2 := grown(a.n, groups), grown(a.m2, groups)
	for g := range groups {
		d := float64(n[g])
		if a.sample {
			d--
		}
		switch {
		case d <= 0: // one value or none
			out.Reals[g] = 0
		default:
			out.Reals[g] = m2[g] / d
		}
		if a.root {
			out.Reals[g] = math.Sqrt(out.Reals[g])
		}
	}
	return []*Vector{out}
}

func (a *spreadAgg) size() int64 { return 24 * int64(len(a.n)) }

// bitsAgg folds integers with a bit operation.
type bitsAgg struct {
	unit int64
	op   func(a, b int64) int64
	vals []int64
}

func newBits(unit int64, op func(a, b int64) int64) func(*aggSite) aggregator {
	return func(*aggSite) aggregator { return &bitsAgg{unit: unit, op: op} }
}

func (a *bitsAgg) grow(groups int) {
	for len(a.vals) < groups {
		a.vals = append(a.vals, a.unit)
	}
}

func (a *bitsAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	a.grow(groups)
	v := args[0]
	for i, g := range gids[:n] {
		if !v.IsNull(i) {
			a.vals[g] = a.op(a.vals[g], v.Ints[v.at(i)])
		}
	}
}

func (a *bitsAgg) results(groups int) []*Vector {
	a.grow(groups)
	return []*Vector{{Type: Long, Ints: a.vals[:groups]}}
}

func (a *bitsAgg) size() int64 { return 8 * int64(len(a.vals)) }
