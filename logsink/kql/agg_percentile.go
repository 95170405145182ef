package kql

import (
	"math"
	"sort"
	"strings"
)

var percentileAggs = []aggregateFn{
	{name: "percentile", sig: "number|timespan|datetime, !number -> 1", make: newPercentile, expand: expandPercentile},
	{name: "percentileif", sig: "number|timespan|datetime, !number, bool -> 1", make: newPercentile, expand: expandPercentile},
	{name: "percentiles", sig: "number|timespan|datetime, !number|dynamic... -> 1", make: newPercentile, expand: expandPercentile},
	{name: "percentiles_array", sig: "number|timespan|datetime, !number|dynamic... -> dynamic", make: newPercentile, expand: expandPercentile},
	{name: "percentilew", sig: "number|timespan|datetime, integer, !number -> 1", make: newPercentile, expand: expandPercentile},
	{name: "percentilesw", sig: "number|timespan|datetime, integer, !number|dynamic... -> 1", make: newPercentile, expand: expandPercentile},
	{name: "percentilesw_array", sig: "number|timespan|datetime, integer, !number|dynamic... -> dynamic", make: newPercentile, expand: expandPercentile},
	{name: "median", sig: "number|timespan|datetime -> 1", make: newPercentile, expand: expandPercentile},
}

// percentileSpec is what a call asks for.
type percentileSpec struct {
	weighted, array, cond bool
	from                  int // first percentile's argument
}

func (c *aggSite) percentileSpec() percentileSpec {
	name := c.fn.name
	s := percentileSpec{
		weighted: strings.HasPrefix(name, "percentilew") || strings.HasPrefix(name, "percentilesw"),
		array:    strings.HasSuffix(name, "_array"), cond: name == "percentileif", from: 1,
	}
	if s.weighted {
		s.from = 2
	}
	return s
}

// wanted returns the percentiles asked for, as far as they are known.
func (c *aggSite) wanted() []*bound {
	s := c.percentileSpec()
	args := c.args[min(s.from, len(c.args)):]
	if s.cond {
		return args[:1]
	}
	return args
}

// expandPercentile names the results percentile_a_95, percentile_a_99_9.
func expandPercentile(_ *binder, c *aggSite) []Column {
	s := c.percentileSpec()
	base := c.args[0].name
	if s.array {
		return []Column{{strings.TrimSuffix(c.fn.name, "_array") + "_" + base, Dynamic}}
	}
	if c.fn.name == "median" {
		return []Column{{"median_" + base, c.args[0].typ}}
	}
	var cols []Column
	for _, p := range c.wanted() {
		vals := []Value{stringValue("")}
		if p.val != nil {
			vals = flatten(nil, *p.val)
		}
		for _, v := range vals {
			suffix := strings.NewReplacer(".", "_", "-", "_").Replace(v.String())
			if suffix != "" {
				suffix = "_" + suffix
			}
			cols = append(cols, Column{"percentile_" + base + suffix, c.args[0].typ})
		}
	}
	if len(cols) == 0 {
		cols = []Column{{"percentile_" + base, c.args[0].typ}}
	}
	return cols
}

// percentileAgg keeps every value and picks the nearest rank: exact.
type percentileAgg struct {
	spec  percentileSpec
	t     Type
	ranks []*bound
	cols  int // results the call has
	ints  [][]weighted[int64]
	reals [][]weighted[float64]
	n     int64
}

type weighted[T any] struct {
	v T
	w int64
}

func newPercentile(c *aggSite) aggregator {
	a := &percentileAgg{spec: c.percentileSpec(), t: c.args[0].typ, ranks: c.wanted(), cols: len(c.cols)}
	if c.fn.name == "median" {
		a.ranks = []*bound{constant(longValue(50), c.node)}
	}
	if a.spec.cond {
		return conditional(a)
	}
	return a
}

func (a *percentileAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	v := args[0]
	if a.t == Decimal || a.t == Dynamic {
		v = convertVector(v, Real, n)
	}
	a.ints, a.reals = grown(a.ints, groups), grown(a.reals, groups)
	for i, g := range gids[:n] {
		if v.IsNull(i) {
			continue
		}
		w := int64(1)
		if a.spec.weighted {
			if args[1].IsNull(i) || args[1].Ints[args[1].at(i)] <= 0 {
				continue
			}
			w = args[1].Ints[args[1].at(i)]
		}
		a.n++
		if v.Type == Real {
			a.reals[g] = append(a.reals[g], weighted[float64]{v.Reals[v.at(i)], w})
		} else {
			a.ints[g] = append(a.ints[g], weighted[int64]{v.Ints[v.at(i)], w})
		}
	}
}

// percents evaluates what was asked for; arrays are flattened.
func (a *percentileAgg) percents() []float64 {
	var out []float64
	for _, r := range a.ranks {
		v, err := r.value(foldRun)
		if err != nil {
			continue
		}
		for _, e := range flatten(nil, v) {
			if e.Null || !e.Type.isNumeric() {
				out = append(out, math.NaN()) // no percentile: null
				continue
			}
			out = append(out, e.float())
		}
	}
	return out
}

func (a *percentileAgg) results(groups int) []*Vector {
	ps := a.percents()
	for !a.spec.array && len(ps) < a.cols {
		ps = append(ps, math.NaN())
	}
	ints, reals := grown(a.ints, groups), grown(a.reals, groups)
	vals := make([][]Value, groups)
	for g := range groups {
		if len(reals[g]) > 0 {
			for _, f := range nearestRanks(reals[g], ps) {
				vals[g] = append(vals[g], convert(realValue(f), a.t))
			}
			continue
		}
		for _, x := range nearestRanks(ints[g], ps) {
			vals[g] = append(vals[g], Value{Type: a.t, Int: x})
		}
	}
	if a.spec.array {
		return []*Vector{percentileArrays(vals)}
	}
	out := make([]*Vector, a.cols)
	for j := range out {
		out[j] = newVector(a.t, groups)
		for g := range groups {
			if vals[g] == nil || ps[j] != ps[j] {
				out[j].setNull(g, groups)
			} else {
				out[j].set(g, groups, vals[g][j])
			}
		}
	}
	return out
}

func percentileArrays(vals [][]Value) *Vector {
	out := newVector(Dynamic, len(vals))
	for g, vs := range vals {
		list := []any{}
		for _, v := range vs {
			list = append(list, v.dynamic())
		}
		if vs != nil {
			out.Dynamics[g] = list
		}
	}
	return out
}

// nearestRanks returns the values at the given percentiles.
func nearestRanks[T int64 | float64](vals []weighted[T], ps []float64) []T {
	if len(vals) == 0 {
		return nil
	}
	sort.Slice(vals, func(i, j int) bool { return vals[i].v < vals[j].v })
	var total int64
	for _, v := range vals {
		total += v.w
	}
	out := make([]T, len(ps))
	for k, p := range ps {
		rank := int64(math.Ceil(p / 100 * float64(total)))
		rank = max(1, min(rank, total)) // also what NaN gives
		var sum int64
		for _, v := range vals {
			if sum += v.w; sum >= rank {
				out[k] = v.v
				break
			}
		}
	}
	return out
}

func (a *percentileAgg) size() int64 { return 16 * a.n }
