package kql

import (
	"math"
	"slices"
)

var seriesFitFns = []scalarFn{
	{name: "series_fit_line_dynamic", sig: "dynamic -> dynamic", make: rows(func(a []Value) Value {
		f, ok := fitLine(a[0])
		if !ok {
			return nullValue(Dynamic)
		}
		return dynamicValue(bagOf(fitLineParts, f.values()))
	})},
	{name: "series_fit_2lines_dynamic", sig: "dynamic -> dynamic", make: rows(func(a []Value) Value {
		f, ok := fitTwoLines(a[0])
		if !ok {
			return nullValue(Dynamic)
		}
		out := bagOf(fitTwoLinesParts, f.values())
		out.Set("right", bagOf(sideParts, f.right.side()))
		out.Set("left", bagOf(sideParts, f.left.side()))
		return dynamicValue(out)
	})},
}

// seriesFitSeveral are fits whose results are columns.
var seriesFitSeveral = []severalFn{
	{name: "series_fit_line", sig: "dynamic", parts: fitLineParts, eval: func(a []Value) []Value {
		f, ok := fitLine(a[0])
		if !ok {
			return nil
		}
		return f.values()
	}},
	{name: "series_fit_2lines", sig: "dynamic", parts: slices.Concat(fitTwoLinesParts, withPrefix("right_", sideParts), withPrefix("left_", sideParts)),
		eval: func(a []Value) []Value {
			f, ok := fitTwoLines(a[0])
			if !ok {
				return nil
			}
			return slices.Concat(f.values(), f.right.side(), f.left.side())
		}},
	{name: "series_fit_poly", sig: "dynamic, dynamic?, integer?",
		parts: []Column{{"rsquare", Real}, {"coefficients", Dynamic}, {"variance", Real}, {"rvariance", Real}, {"poly_fit", Dynamic}}, eval: fitPoly},
}

var (
	fitLineParts     = []Column{{"rsquare", Real}, {"slope", Real}, {"variance", Real}, {"rvariance", Real}, {"interception", Real}, {"line_fit", Dynamic}}
	fitTwoLinesParts = []Column{{"rsquare", Real}, {"split_idx", Long}, {"variance", Real}, {"rvariance", Real}, {"line_fit", Dynamic}}
	sideParts        = []Column{{"rsquare", Real}, {"slope", Real}, {"interception", Real}, {"variance", Real}, {"rvariance", Real}}
)

func withPrefix(prefix string, parts []Column) []Column {
	out := slices.Clone(parts)
	for i := range out {
		out[i].Name = prefix + out[i].Name
	}
	return out
}

func bagOf(parts []Column, vals []Value) *Bag {
	out := &Bag{}
	for i, p := range parts {
		out.Set(p.Name, vals[i].dynamic())
	}
	return out
}

// fitQuality says how well values are met by those fitted to them.
type fitQuality struct{ rsquare, variance, rvariance float64 }

// qualityOf compares the points of a series with a fit. Those missing from
// either do not count.
func qualityOf(y, fit []float64) fitQuality {
	var n, mean, total, rest float64
	for i, v := range y {
		if d := v - fit[i]; d == d {
			n++
			before := v - mean
			mean += before / n
			total += before * (v - mean)
			rest += d * d
		}
	}
	q := fitQuality{1 - rest/total, total / (n - 1), rest / (n - 1)}
	if total == 0 {
		q.rsquare = 1
	}
	return q
}

// lineFit is a straight line through a series.
type lineFit struct {
	fitQuality
	slope, interception float64
	line                []float64
}

func (f lineFit) values() []Value {
	return []Value{realValue(f.rsquare), realValue(f.slope), realValue(f.variance), realValue(f.rvariance), realValue(f.interception), seriesValue(f.line)}
}

// side is what series_fit_2lines tells of one of its lines.
func (f lineFit) side() []Value {
	return []Value{realValue(f.rsquare), realValue(f.slope), realValue(f.interception), realValue(f.variance), realValue(f.rvariance)}
}

// seriesValue is a series as an array; what is missing is null.
func seriesValue(x []float64) Value {
	out := make([]any, len(x))
	for i, v := range x {
		if v == v {
			out[i] = v
		}
	}
	return dynamicValue(out)
}

func fitLine(v Value) (lineFit, bool) {
	y, ok := series(v)
	if !ok {
		return lineFit{}, false
	}
	return lineThrough(y)
}

// lineThrough fits by least squares over the positions 0, 1, 2, … of the
// points that are there; it needs two.
func lineThrough(y []float64) (lineFit, bool) {
	var l lineSums
	for i, v := range y {
		l.add(float64(i), v)
	}
	if l.n < 2 {
		return lineFit{}, false
	}
	f := lineFit{slope: l.sxy / l.sxx, line: make([]float64, len(y))}
	f.interception = l.my - f.slope*l.mx
	for i := range y {
		f.line[i] = f.interception + f.slope*float64(i)
	}
	f.fitQuality = qualityOf(y, f.line)
	return f, true
}

// lineSums gathers points one by one: their means, and the sums of products
// of the distances from them.
type lineSums struct{ n, mx, my, sxx, sxy, syy float64 }

func (l *lineSums) add(x, y float64) {
	if y != y {
		return
	}
	l.n++
	dx, dy := x-l.mx, y-l.my
	l.mx += dx / l.n
	l.my += dy / l.n
	l.sxx += dx * (x - l.mx)
	l.sxy += dx * (y - l.my)
	l.syy += dy * (y - l.my)
}

// rest is the sum of squares the best line leaves.
func (l *lineSums) rest() float64 {
	if l.n < 2 {
		return 0
	}
	return max(0, l.syy-l.sxy*l.sxy/l.sxx)
}

// twoLinesFit is a line through the points before split and another one
// through the rest. Each counts its own positions from 0, as series_fit_line
// does for it.
type twoLinesFit struct {
	fitQuality
	split       int
	line        []float64
	left, right lineFit
}

func (f twoLinesFit) values() []Value {
	return []Value{realValue(f.rsquare), longValue(int64(f.split)), realValue(f.variance), realValue(f.rvariance), seriesValue(f.line)}
}

// fitTwoLines finds the split whose lines leave the least; the first of equal
// ones. Either side has two points at least.
func fitTwoLines(v Value) (twoLinesFit, bool) {
	y, ok := series(v)
	if !ok {
		return twoLinesFit{}, false
	}
	// behind[i] is what a line through the points from i on leaves.
	behind, points := make([]float64, len(y)), make([]float64, len(y))
	var right, left lineSums
	for i := len(y) - 1; i >= 0; i-- {
		right.add(float64(i), y[i])
		behind[i], points[i] = right.rest(), right.n
	}
	best, split := math.Inf(1), -1
	small := 1e-12 * right.syy // less is but rounding
	for i, v := range y {
		if left.n >= 2 && points[i] >= 2 {
			if rest := left.rest() + behind[i]; rest < best-small {
				best, split = rest, i
			}
		}
		left.add(float64(i), v)
	}
	if split < 0 {
		return twoLinesFit{}, false
	}
	f := twoLinesFit{split: split}
	f.left, _ = lineThrough(y[:split])
	f.right, _ = lineThrough(y[split:])
	f.line = slices.Concat(f.left.line, f.right.line)
	f.fitQuality = qualityOf(y, f.line)
	return f, true
}

// fitPoly binds the results of series_fit_poly(y [, x [, degree]]). Without x
// the points are at 1, 2, 3, …
func fitPoly(a []Value) []Value {
	y, ok := series(a[0])
	if !ok {
		return nil
	}
	x := make([]float64, len(y))
	for i := range x {
		x[i] = float64(i + 1)
	}
	if len(a) > 1 {
		if x, ok = series(a[1]); !ok || len(x) != len(y) {
			return nil
		}
	}
	degree := int64(1)
	if len(a) > 2 {
		if a[2].Null {
			return nil
		}
		degree = a[2].Int
	}
	coefs, fit := polyThrough(x, y, degree)
	if coefs == nil {
		return nil
	}
	q := qualityOf(y, fit)
	slices.Reverse(coefs)
	return []Value{realValue(q.rsquare), seriesValue(coefs), realValue(q.variance), realValue(q.rvariance), seriesValue(fit)}
}

// polyThrough fits a polynomial by least squares; its coefficients come from
// the lowest power up. There is none when the points lie at no more places
// than it has powers.
//
// The basis are polynomials that are orthogonal over the points (Forsythe
// 1957) on an axis from -1 to 1: the powers themselves lose all digits at
// about degree 8.
func polyThrough(x, y []float64, degree int64) (coefs, fit []float64) {
	var tx, ty, places []float64
	for i := range x {
		if x[i] == x[i] && y[i] == y[i] {
			tx, ty = append(tx, x[i]), append(ty, y[i])
		}
	}
	places = slices.Clone(tx)
	slices.Sort(places)
	places = slices.Compact(places)
	if degree < 0 || int64(len(places)) <= degree || len(tx) < 2 {
		return nil, nil
	}
	center := places[0]/2 + places[len(places)-1]/2
	scale := places[len(places)-1] - center
	if scale == 0 {
		scale = 1
	}
	for i := range tx {
		tx[i] = (tx[i] - center) / scale
	}
	basis := orthogonal{points: tx, rest: ty}
	for range degree + 1 {
		basis.next()
	}
	// From the scaled axis back to x, by Horner's rule on polynomials.
	coefs = []float64{0}
	for _, c := range slices.Backward(basis.sum) {
		coefs = append(coefs, 0)
		for k := len(coefs) - 1; k >= 0; k-- {
			coefs[k] *= -center / scale
			if k > 0 {
				coefs[k] += coefs[k-1] / scale
			}
		}
		coefs[0] += c
	}
	fit = make([]float64, len(x))
	for i, v := range x {
		if fit[i] = math.NaN(); v == v {
			fit[i] = valueAt(basis.sum, (v-center)/scale)
		}
	}
	return coefs[:degree+1], fit
}

// orthogonal builds a fit from polynomials p₀, p₁, … each orthogonal to all
// before it over the points.
type orthogonal struct {
	points, rest   []float64 // rest is what the fit leaves so far
	sum            []float64 // the fit: coefficients from the lowest power up
	p, before      []float64 // the newest two, as coefficients
	at, beforeAt   []float64 // and their values at the points
	norm, lastNorm float64
}

// next adds the next polynomial to the fit.
func (o *orthogonal) next() {
	if o.p == nil {
		o.p, o.at = []float64{1}, make([]float64, len(o.points))
		for i := range o.at {
			o.at[i] = 1
		}
		o.beforeAt = make([]float64, len(o.points))
	} else {
		o.step()
	}
	o.lastNorm, o.norm = o.norm, dot(o.at, o.at)
	c := dot(o.rest, o.at) / o.norm
	for i, v := range o.at {
		o.rest[i] -= c * v
	}
	o.sum = append(o.sum, 0)
	for k, v := range o.p {
		o.sum[k] += c * v
	}
}

// step makes pₖ₊₁ = (t-α)pₖ - βpₖ₋₁.
func (o *orthogonal) step() {
	alpha, beta := 0.0, 0.0
	for i, v := range o.at {
		alpha += o.points[i] * v * v / o.norm
	}
	if o.lastNorm > 0 {
		beta = o.norm / o.lastNorm
	}
	p, at := make([]float64, len(o.p)+1), make([]float64, len(o.at))
	for k, v := range o.p {
		p[k+1] += v
		p[k] -= alpha * v
	}
	for k, v := range o.before {
		p[k] -= beta * v
	}
	for i, v := range o.at {
		at[i] = (o.points[i]-alpha)*v - beta*o.beforeAt[i]
	}
	o.before, o.beforeAt, o.p, o.at = o.p, o.at, p, at
}

func valueAt(coefs []float64, x float64) float64 {
	s := 0.0
	for _, c := range slices.Backward(coefs) {
		s = s*x + c
	}
	return s
}
