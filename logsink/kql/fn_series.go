package kql

import (
	"math"
	"slices"
)

var seriesFns = []scalarFn{
	{name: "series_abs", sig: "dynamic -> dynamic", make: seriesMap(math.Abs, true)},
	{name: "series_sign", sig: "dynamic -> dynamic", make: seriesMap(sign, true)},
	{name: "series_ceiling", sig: "dynamic -> dynamic", make: seriesMap(math.Ceil, false)},
	{name: "series_floor", sig: "dynamic -> dynamic", make: seriesMap(math.Floor, false)},
	{name: "series_exp", sig: "dynamic -> dynamic", make: seriesMap(math.Exp, false)},
	{name: "series_log", sig: "dynamic -> dynamic", make: seriesMap(math.Log, false)},
	{name: "series_sin", sig: "dynamic -> dynamic", make: seriesMap(math.Sin, false)},
	{name: "series_cos", sig: "dynamic -> dynamic", make: seriesMap(math.Cos, false)},
	{name: "series_tan", sig: "dynamic -> dynamic", make: seriesMap(math.Tan, false)},
	{name: "series_asin", sig: "dynamic -> dynamic", make: seriesMap(math.Asin, false)},
	{name: "series_acos", sig: "dynamic -> dynamic", make: seriesMap(math.Acos, false)},
	{name: "series_atan", sig: "dynamic -> dynamic", make: seriesMap(math.Atan, false)},
	{name: "series_add", sig: "any, any -> dynamic", make: seriesPair("+")},
	{name: "series_subtract", sig: "any, any -> dynamic", make: seriesPair("-")},
	{name: "series_multiply", sig: "any, any -> dynamic", make: seriesPair("*")},
	{name: "series_divide", sig: "any, any -> dynamic", make: seriesPair("/")},
	{name: "series_pow", sig: "any, any -> dynamic", make: seriesPair("pow")},
	{name: "series_equals", sig: "any, any -> dynamic", make: seriesCompare(func(c int) bool { return c == 0 })},
	{name: "series_not_equals", sig: "any, any -> dynamic", make: seriesCompare(func(c int) bool { return c != 0 })},
	{name: "series_greater", sig: "any, any -> dynamic", make: seriesCompare(func(c int) bool { return c > 0 })},
	{name: "series_greater_equals", sig: "any, any -> dynamic", make: seriesCompare(func(c int) bool { return c >= 0 })},
	{name: "series_less", sig: "any, any -> dynamic", make: seriesCompare(func(c int) bool { return c < 0 })},
	{name: "series_less_equals", sig: "any, any -> dynamic", make: seriesCompare(func(c int) bool { return c <= 0 })},
	{name: "series_sum", sig: "dynamic -> real", make: seriesFold(func(x []float64) float64 { return fold0(x, func(s, v float64) float64 { return s + v }) })},
	{name: "series_product", sig: "dynamic -> real", make: seriesFold(func(x []float64) float64 {
		p := 1.0
		for _, v := range x {
			p *= v
		}
		return p
	})},
	{name: "series_magnitude", sig: "dynamic -> real", make: seriesFold(func(x []float64) float64 { return math.Sqrt(dot(x, x)) })},
	{name: "series_dot_product", sig: "any, any -> real", make: rows(func(a []Value) Value {
		x, y, ok := twoSeries(a)
		if !ok {
			return nullValue(Real)
		}
		return realValue(dot(x, y))
	})},
	{name: "series_cosine_similarity", sig: "dynamic, dynamic, real?, real? -> real", make: rows(func(a []Value) Value {
		x, y, ok := twoSeries(a)
		if !ok {
			return nullValue(Real)
		}
		return realValue(dot(x, y) / math.Sqrt(dot(x, x)*dot(y, y)))
	})},
	{name: "series_pearson_correlation", sig: "dynamic, dynamic -> real", make: rows(func(a []Value) Value {
		x, y, ok := twoSeries(a)
		if !ok {
			return nullValue(Real)
		}
		return realValue(pearson(x, y))
	})},
	{name: "series_stats_dynamic", sig: "dynamic, bool? -> dynamic", make: rows(seriesStatsBag)},
	{name: "series_fill_const", sig: "dynamic, any, any? -> dynamic", named: asArg, make: rows(fillConst)},
	{name: "series_fill_forward", sig: "dynamic, any? -> dynamic", named: asArg, make: rows(func(a []Value) Value { return fillEdge(a, false) })},
	{name: "series_fill_backward", sig: "dynamic, any? -> dynamic", named: asArg, make: rows(func(a []Value) Value { return fillEdge(a, true) })},
	{name: "series_fill_linear", sig: "dynamic, any?, bool?, any? -> dynamic", named: asArg, make: rows(fillLinear)},
	{name: "series_fir", sig: "dynamic, dynamic, bool?, bool? -> dynamic", named: asArg, make: rows(seriesFIR)},
	{name: "series_iir", sig: "dynamic, dynamic, dynamic -> dynamic", named: asArg, make: rows(seriesIIR)},
	{name: "series_outliers", sig: "dynamic, string?, number?, number?, number?, integer? -> dynamic", named: asArg, make: rows(seriesOutliers)},
}

// series returns the numbers of an array; what is no number is NaN. A single
// number is a series that goes on forever.
func series(v Value) ([]float64, bool) {
	if v.Type != Dynamic {
		if !v.Type.isNumeric() || v.Null {
			return nil, false
		}
		return []float64{v.float()}, true
	}
	list, ok := v.Any.([]any)
	if !ok {
		return nil, false
	}
	out := make([]float64, len(list))
	for i, e := range list {
		out[i] = math.NaN()
		if x := fromDynamic(e); !x.Null && x.Type.isNumeric() {
			out[i] = x.float()
		}
	}
	return out, true
}

func twoSeries(a []Value) (x, y []float64, ok bool) {
	x, ok1 := series(a[0])
	y, ok2 := series(a[1])
	if !ok1 || !ok2 {
		return nil, nil, false
	}
	if a[0].Type != Dynamic {
		x = stretched(x, len(y))
	}
	if a[1].Type != Dynamic {
		y = stretched(y, len(x))
	}
	n := min(len(x), len(y))
	return x[:n], y[:n], true
}

func stretched(x []float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = x[0]
	}
	return out
}

func fold0(x []float64, f func(s, v float64) float64) float64 {
	s := 0.0
	for _, v := range x {
		s = f(s, v)
	}
	return s
}

func dot(x, y []float64) float64 {
	s := 0.0
	for i := range x {
		s += x[i] * y[i]
	}
	return s
}

func pearson(x, y []float64) float64 {
	n := float64(len(x))
	mx := fold0(x, func(s, v float64) float64 { return s + v/n })
	my := fold0(y, func(s, v float64) float64 { return s + v/n })
	var sxy, sxx, syy float64
	for i := range x {
		sxy += (x[i] - mx) * (y[i] - my)
		sxx += (x[i] - mx) * (x[i] - mx)
		syy += (y[i] - my) * (y[i] - my)
	}
	return sxy / math.Sqrt(sxx*syy)
}

// seriesMap maps every number; integers stay integers where keep is set.
func seriesMap(f func(float64) float64, keep bool) maker {
	return arrayMap(func(x []any, _ []Value) any {
		out := make([]any, len(x))
		for i, e := range x {
			v := fromDynamic(e)
			if v.Null || !v.Type.isNumeric() {
				continue
			}
			r := f(v.float())
			if _, isInt := e.(int64); isInt && keep {
				out[i] = int64(r)
			} else {
				out[i] = r
			}
		}
		return out
	})
}

func seriesFold(f func([]float64) float64) maker {
	return rows(func(a []Value) Value {
		x, ok := series(a[0])
		if !ok {
			return nullValue(Real)
		}
		kept := x[:0]
		for _, v := range x {
			if v == v {
				kept = append(kept, v)
			}
		}
		return realValue(f(kept))
	})
}

// elements pairs the elements of two series; the longer one's rest is null.
func elements(a []Value) ([][2]any, bool) {
	x, okX := seriesItems(a[0])
	y, okY := seriesItems(a[1])
	if !okX || !okY {
		return nil, false
	}
	n := max(len(x), len(y))
	if a[0].Type != Dynamic {
		n = len(y)
	} else if a[1].Type != Dynamic {
		n = len(x)
	}
	out := make([][2]any, n)
	for i := range out {
		out[i] = [2]any{itemAt(x, i, a[0].Type != Dynamic), itemAt(y, i, a[1].Type != Dynamic)}
	}
	return out, true
}

func seriesItems(v Value) ([]any, bool) {
	if v.Type != Dynamic {
		return []any{v.dynamic()}, !v.Null
	}
	switch x := v.Any.(type) {
	case []any:
		return x, true
	}
	return nil, false
}

func itemAt(x []any, i int, single bool) any {
	if single {
		return x[0]
	}
	if i < len(x) {
		return x[i]
	}
	return nil
}

func seriesPair(op string) maker {
	return rows(func(a []Value) Value {
		pairs, ok := elements(a)
		if !ok {
			return nullValue(Dynamic)
		}
		out := make([]any, len(pairs))
		for i, p := range pairs {
			x, y := fromDynamic(p[0]), fromDynamic(p[1])
			if x.Null || y.Null || !x.Type.isNumeric() || !y.Type.isNumeric() {
				continue
			}
			switch op {
			case "pow":
				out[i] = math.Pow(x.float(), y.float())
			case "/":
				out[i] = x.float() / y.float()
			default:
				out[i] = dynamicArith(op, x, y)
			}
		}
		return dynamicValue(out)
	})
}

func seriesCompare(hit func(int) bool) maker {
	return rows(func(a []Value) Value {
		pairs, ok := elements(a)
		if !ok {
			return nullValue(Dynamic)
		}
		out := make([]any, len(pairs))
		for i, p := range pairs {
			x, y := fromDynamic(p[0]), fromDynamic(p[1])
			if !x.Null && !y.Null && x.Type.isNumeric() && y.Type.isNumeric() {
				out[i] = hit(compareValues(x, y))
			}
		}
		return dynamicValue(out)
	})
}

// seriesSummary is what series_stats tells.
type seriesSummary struct {
	min, max, avg, stdev, variance, sum float64
	minIdx, maxIdx, n                   int64
}

func summarizeSeries(x []float64) (s seriesSummary, ok bool) {
	for i, v := range x {
		if v != v {
			continue
		}
		if s.n == 0 || v < s.min {
			s.min, s.minIdx = v, int64(i)
		}
		if s.n == 0 || v > s.max {
			s.max, s.maxIdx = v, int64(i)
		}
		s.n++
		s.sum += v
	}
	if s.n == 0 {
		return s, false
	}
	s.avg = s.sum / float64(s.n)
	for _, v := range x {
		if v == v {
			s.variance += (v - s.avg) * (v - s.avg)
		}
	}
	if s.n > 1 {
		s.variance /= float64(s.n - 1)
	}
	s.stdev = math.Sqrt(s.variance)
	return s, true
}

func seriesStatsBag(a []Value) Value {
	x, ok := series(a[0])
	if !ok {
		return nullValue(Dynamic)
	}
	s, ok := summarizeSeries(x)
	if !ok {
		return nullValue(Dynamic)
	}
	out := &Bag{}
	out.Set("min", s.min)
	out.Set("min_idx", s.minIdx)
	out.Set("max", s.max)
	out.Set("max_idx", s.maxIdx)
	out.Set("avg", s.avg)
	out.Set("stdev", s.stdev)
	out.Set("variance", s.variance)
	out.Set("sum", s.sum)
	out.Set("len", int64(len(x)))
	return dynamicValue(out)
}

var seriesStatsFns = []severalFn{{
	name: "series_stats", sig: "dynamic, bool?",
	parts: []Column{{"min", Real}, {"min_idx", Long}, {"max", Real}, {"max_idx", Long}, {"avg", Real}, {"stdev", Real}, {"variance", Real}},
	eval: func(a []Value) []Value {
		x, _ := series(a[0])
		s, ok := summarizeSeries(x)
		if !ok {
			return nil
		}
		return []Value{realValue(s.min), longValue(s.minIdx), realValue(s.max), longValue(s.maxIdx), realValue(s.avg), realValue(s.stdev), realValue(s.variance)}
	},
}}

// isMissing reports whether an element is the missing value: null, or equal
// to the placeholder.
func isMissing(e any, placeholder []Value) bool {
	if e == nil {
		return true
	}
	if len(placeholder) == 0 || placeholder[0].Null {
		return false
	}
	return dynamicEqual(e, placeholder[0].dynamic())
}

func fillConst(a []Value) Value {
	x, ok := a[0].Any.([]any)
	if !ok {
		return nullValue(Dynamic)
	}
	out := append([]any{}, x...)
	for i, e := range out {
		if isMissing(e, a[2:]) {
			out[i] = a[1].dynamic()
		}
	}
	return dynamicValue(out)
}

// fillEdge fills forward, or backward, from the nearest value.
func fillEdge(a []Value, back bool) Value {
	x, ok := a[0].Any.([]any)
	if !ok {
		return nullValue(Dynamic)
	}
	out := append([]any{}, x...)
	var last any
	for k := range out {
		i := k
		if back {
			i = len(out) - 1 - k
		}
		if !isMissing(out[i], a[1:]) {
			last = out[i]
		} else if last != nil {
			out[i] = last
		}
	}
	return dynamicValue(out)
}

// fillLinear interpolates between the values around a gap. Integer arrays
// stay integer. Edges take the nearest value unless told not to; a series
// without any value takes the constant.
func fillLinear(a []Value) Value {
	x, ok := a[0].Any.([]any)
	if !ok {
		return nullValue(Dynamic)
	}
	edges := len(a) < 3 || a[2].Null || a[2].bool()
	var placeholder []Value
	if len(a) > 1 {
		placeholder = a[1:2]
	}
	ints := true
	var known []int
	for i, e := range x {
		if isMissing(e, placeholder) {
			continue
		}
		known = append(known, i)
		if _, isInt := e.(int64); !isInt {
			ints = false
		}
	}
	out := append([]any{}, x...)
	if len(known) == 0 {
		for i := range out {
			out[i] = nil
			if len(a) > 3 {
				out[i] = a[3].dynamic()
			} else {
				out[i] = int64(0)
			}
		}
		return dynamicValue(out)
	}
	for i := range out {
		if !isMissing(x[i], placeholder) {
			continue
		}
		out[i] = interpolate(x, known, i, ints, edges)
	}
	return dynamicValue(out)
}

func interpolate(x []any, known []int, i int, ints, edges bool) any {
	lo, hi := -1, -1
	for _, k := range known {
		if k < i {
			lo = k
		} else if hi < 0 {
			hi = k
		}
	}
	switch {
	case lo < 0 && edges:
		return x[hi]
	case hi < 0 && edges:
		return x[lo]
	case lo < 0 || hi < 0:
		return nil
	}
	a, b := fromDynamic(x[lo]).float(), fromDynamic(x[hi]).float()
	v := a + (b-a)*float64(i-lo)/float64(hi-lo)
	if ints {
		return int64(v)
	}
	return v
}

// seriesFIR applies a finite impulse response filter.
func seriesFIR(a []Value) Value {
	x, ok1 := series(a[0])
	f, ok2 := series(a[1])
	if !ok1 || !ok2 || len(f) == 0 {
		return nullValue(Dynamic)
	}
	normalize := len(a) < 3 || a[2].isTrue()
	center := len(a) > 3 && a[3].isTrue()
	sum := 1.0
	if normalize {
		if sum = fold0(f, func(s, v float64) float64 { return s + v }); sum == 0 {
			sum = 1
		}
	}
	shift := 0
	if center {
		shift = len(f) / 2
	}
	out := make([]any, len(x))
	for i := range x {
		s := 0.0
		for j, c := range f {
			if k := i - j + shift; k >= 0 && k < len(x) {
				s += c * x[k]
			}
		}
		out[i] = s / sum
	}
	return dynamicValue(out)
}

// seriesIIR applies an infinite impulse response filter.
func seriesIIR(a []Value) Value {
	x, ok1 := series(a[0])
	num, ok2 := series(a[1])
	den, ok3 := series(a[2])
	if !ok1 || !ok2 || !ok3 || len(den) == 0 || den[0] == 0 {
		return nullValue(Dynamic)
	}
	y := make([]float64, len(x))
	out := make([]any, len(x))
	for i := range x {
		s := 0.0
		for j, c := range num {
			if i >= j {
				s += c * x[i-j]
			}
		}
		for j := 1; j < len(den); j++ {
			if i >= j {
				s -= den[j] * y[i-j]
			}
		}
		y[i] = s / den[0]
		out[i] = y[i]
	}
	return dynamicValue(out)
}

// seriesOutliers is series_outliers(x, kind, ignored, lowest percentile,
// highest percentile, points at the end not learned from).
func seriesOutliers(a []Value) Value {
	x, ok := series(a[0])
	f, known := fencesOf(textOr(a, 1, "ctukey"), realOr(a, 3, 10), realOr(a, 4, 90))
	if !ok || !known || len(x) == 0 {
		return nullValue(Dynamic)
	}
	if ignored := realOr(a, 2, math.NaN()); ignored == ignored {
		for i, v := range x {
			if v == ignored {
				x[i] = math.NaN()
			}
		}
	}
	scores := f.scores(x, len(x)-testPoints(a, 5, len(x)))
	out := make([]any, len(x))
	for i, s := range scores {
		out[i] = s
	}
	return dynamicValue(out)
}

// fences are Tukey's: how far points lie outside of the quartiles, counted in
// ranges between the quartiles. For low points the quartiles are those of the
// points without the lowest ones, for high points without the highest: the
// outliers themselves do not widen the range.
type fences struct{ lowest, highest float64 } // fractions of the points

// fencesOf knows "tukey", which leaves out none, and "ctukey".
func fencesOf(kind string, lowest, highest float64) (fences, bool) {
	switch {
	case kind == "tukey":
		return fences{0, 1}, true
	case kind != "ctukey" || !(lowest >= 2 && lowest < highest && highest <= 98):
		return fences{}, false
	}
	return fences{lowest / 100, highest / 100}, true
}

// scores tells of each point how far outside it lies, by the first learned
// ones; 0 for those between the quartiles of all and those missing. Where most
// points are equal there is no range between quartiles, and the standard
// deviation stands in for it.
func (f fences) scores(x []float64, learned int) []float64 {
	out := make([]float64, len(x))
	var s []float64
	for _, v := range x[:learned] {
		if v == v {
			s = append(s, v)
		}
	}
	if len(s) == 0 {
		return out
	}
	slices.Sort(s)
	n := float64(len(s))
	box, low, high := quartilesOf(s), quartilesOf(s[int(n*f.lowest):]), quartilesOf(s[:max(1, int(n*f.highest))])
	sum, _ := summarizeSeries(s)
	for i, v := range x {
		switch {
		case v < box.from:
			out[i] = (v - low.from) / low.unit(sum.stdev)
		case v > box.to:
			out[i] = (v - high.to) / high.unit(sum.stdev)
		}
	}
	return out
}

type quartiles struct{ from, to float64 }

func quartilesOf(sorted []float64) quartiles {
	return quartiles{quantile(sorted, 0.25), quantile(sorted, 0.75)}
}

// unit is the range between the quartiles, or else something above 0.
func (q quartiles) unit(other float64) float64 {
	switch {
	case q.to > q.from:
		return q.to - q.from
	case other > 0:
		return other
	}
	return math.SmallestNonzeroFloat64
}

// quantile interpolates linearly between order statistics.
func quantile(sorted []float64, q float64) float64 {
	pos := q * float64(len(sorted)-1)
	i := int(pos)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (pos-float64(i))*(sorted[i+1]-sorted[i])
}
