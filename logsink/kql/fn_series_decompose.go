package kql

import (
	"math"
	"slices"
)

var seriesSeasonalFns = []scalarFn{
	{name: "series_seasonal", sig: "dynamic, integer?, integer? -> dynamic", make: rows(func(a []Value) Value {
		x, ok := series(a[0])
		if !ok {
			return nullValue(Dynamic)
		}
		learned := len(x) - testPoints(a, 2, len(x))
		length := 0
		if p := intOr(a, 1, -1); p > 0 {
			length = int(min(p, int64(len(x))))
		} else if p == -1 {
			length = bestPeriod(x[:learned], 0.7)
		}
		return seriesValue(seasonal(x, learned, length))
	})},
}

var seriesDecomposeFns = []severalFn{
	{name: "series_decompose", sig: "dynamic, integer?, string?, integer?, number?", parts: decomposeParts,
		eval: func(a []Value) []Value {
			x, ok := series(a[0])
			if !ok {
				return nil
			}
			d, ok := decompose(x, testPoints(a, 3, len(x)), intOr(a, 1, -1), textOr(a, 2, "avg"), realOr(a, 4, 0.6))
			if !ok {
				return nil
			}
			return d.values()
		}},
	{name: "series_decompose_forecast", sig: "dynamic, integer, integer?, string?, number?", parts: decomposeParts,
		eval: func(a []Value) []Value {
			x, ok := series(a[0])
			if !ok || a[1].Null {
				return nil
			}
			d, ok := decompose(x, testPoints(a, 1, len(x)), intOr(a, 2, -1), textOr(a, 3, "linefit"), realOr(a, 4, 0.6))
			if !ok {
				return nil
			}
			return d.values()
		}},
	{name: "series_decompose_anomalies", sig: "dynamic, number?, integer?, string?, integer?, string?, number?",
		parts: []Column{{"ad_flag", Dynamic}, {"ad_score", Dynamic}, {"baseline", Dynamic}}, eval: decomposeAnomalies},
}

var decomposeParts = []Column{{"baseline", Dynamic}, {"seasonal", Dynamic}, {"trend", Dynamic}, {"residual", Dynamic}}

// intOr is argument i, or a default when it is left out or null.
func intOr(a []Value, i int, other int64) int64 {
	if i < len(a) && !a[i].Null {
		return a[i].Int
	}
	return other
}

func textOr(a []Value, i int, other string) string {
	if i < len(a) && a[i].Str != "" {
		return a[i].Str
	}
	return other
}

func realOr(a []Value, i int, other float64) float64 {
	if i < len(a) && !a[i].Null {
		return a[i].float()
	}
	return other
}

// testPoints is how many points at the end of n argument i keeps from the
// learning.
func testPoints(a []Value, i, n int) int {
	return int(min(max(intOr(a, i, 0), 0), int64(n)))
}

// decomposition is a series taken apart: seasonal and trend make the
// baseline, and baseline and residual the series.
type decomposition struct {
	baseline, seasonal, trend, residual []float64
}

func (d decomposition) values() []Value {
	return []Value{seriesValue(d.baseline), seriesValue(d.seasonal), seriesValue(d.trend), seriesValue(d.residual)}
}

// decompose takes a series apart in the order the documentation of
// series_decompose gives. The last test points are not learned from. A
// seasonality of -1 is found, one of 0 is left out, any other one is a period
// in points.
func decompose(x []float64, test int, seasonality int64, trend string, threshold float64) (d decomposition, ok bool) {
	learned := len(x) - test
	length := 0
	switch {
	case seasonality > 0:
		length = int(min(seasonality, int64(len(x))))
	case seasonality == -1:
		length = bestPeriod(x[:learned], threshold)
	case seasonality != 0:
		return d, false
	}
	d.seasonal = seasonal(x, learned, length)
	rest := make([]float64, len(x))
	for i, v := range x {
		rest[i] = v - d.seasonal[i]
	}
	switch trend {
	case "none":
		d.trend = make([]float64, len(x))
	case "avg":
		d.trend = level(rest[:learned], len(x))
	case "linefit":
		d.trend = level(rest[:learned], len(x))
		if f, ok := lineThrough(rest[:learned]); ok {
			for i := range d.trend {
				d.trend[i] = f.interception + f.slope*float64(i)
			}
		}
	default:
		return d, false
	}
	d.baseline, d.residual = make([]float64, len(x)), make([]float64, len(x))
	for i, v := range x {
		d.baseline[i] = d.seasonal[i] + d.trend[i]
		if d.residual[i] = v - d.baseline[i]; math.Abs(d.residual[i]) <= rounding*(math.Abs(v)+math.Abs(d.seasonal[i])+math.Abs(d.trend[i])) {
			d.residual[i] = 0
		}
	}
	return d, true
}

// level is n times the average of a series, or 0 when there is nothing in it.
func level(x []float64, n int) []float64 {
	count, mean := 0.0, 0.0
	for _, v := range x {
		if v == v {
			count++
			mean += (v - mean) / count
		}
	}
	return slices.Repeat([]float64{mean}, n)
}

// seasonal repeats the median of the learned points at each place of a
// period; no period is all zeros. A place without points has the median of
// all.
func seasonal(x []float64, learned, length int) []float64 {
	out := make([]float64, len(x))
	if length == 0 {
		return out
	}
	all := medianOfPhase(x[:learned], 0, 1)
	if all != all {
		all = 0
	}
	for at := range min(length, len(x)) {
		m := medianOfPhase(x[:learned], at, length)
		if m != m {
			m = all
		}
		for i := at; i < len(x); i += length {
			out[i] = m
		}
	}
	return out
}

// medianOfPhase is the median of every step-th point from start on, NaN when none is there.
func medianOfPhase(x []float64, start, step int) float64 {
	var s []float64
	for i := start; i < len(x); i += step {
		if x[i] == x[i] {
			s = append(s, x[i])
		}
	}
	if len(s) == 0 {
		return math.NaN()
	}
	slices.Sort(s)
	return s[(len(s)-1)/2]/2 + s[len(s)/2]/2
}

// decomposeAnomalies scores what a decomposition leaves by Tukey's fences.
func decomposeAnomalies(a []Value) []Value {
	x, ok := series(a[0])
	if !ok {
		return nil
	}
	test := testPoints(a, 4, len(x))
	d, ok := decompose(x, test, intOr(a, 2, -1), textOr(a, 3, "avg"), realOr(a, 6, 0.6))
	f, known := fencesOf(textOr(a, 5, "ctukey"), 10, 90)
	if !ok || !known {
		return nil
	}
	threshold := realOr(a, 1, 1.5)
	scores := f.scores(d.residual, len(x)-test)
	flags, marks := make([]any, len(x)), make([]any, len(x))
	for i, s := range scores {
		flags[i], marks[i] = int64(0), s
		switch {
		case s > threshold:
			flags[i] = int64(1)
		case s < -threshold:
			flags[i] = int64(-1)
		}
	}
	return []Value{dynamicValue(flags), dynamicValue(marks), seriesValue(d.baseline)}
}
