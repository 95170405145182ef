package kql

import (
	"cmp"
	"math"
	"slices"
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
	cols  int               // results the call has
	ints  []ranked[int64]   // by group
	reals []ranked[float64] // by group
	n     int64
}

// ranked is the values of a group.
type ranked[T int64 | float64] struct {
	vals    []T
	weights []int64 // nil: each counts once
}

// add adds a value; it makes room by doubling, as there may be many.
func (r *ranked[T]) add(v T) {
	if len(r.vals) == cap(r.vals) {
		r.vals = slices.Grow(r.vals, max(len(r.vals), 8))
	}
	r.vals = append(r.vals, v)
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
		weights := &a.ints[g].weights
		if v.Type == Real {
			weights = &a.reals[g].weights
		}
		if a.spec.weighted {
			if args[1].IsNull(i) || args[1].Ints[args[1].at(i)] <= 0 {
				continue
			}
			*weights = append(*weights, args[1].Ints[args[1].at(i)])
		}
		a.n++
		if v.Type == Real {
			a.reals[g].add(v.Reals[v.at(i)])
		} else {
			a.ints[g].add(v.Ints[v.at(i)])
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
		if len(reals[g].vals) > 0 {
			for _, f := range reals[g].nearest(ps) {
				vals[g] = append(vals[g], convert(realValue(f), a.t))
			}
			continue
		}
		for _, x := range ints[g].nearest(ps) {
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

// nearest returns the values at the given percentiles, which it may bring into
// another order.
func (r *ranked[T]) nearest(ps []float64) []T {
	if len(r.vals) == 0 {
		return nil
	}
	at := r.selected
	switch {
	case r.weights != nil:
		at = r.byWeight()
	case len(ps) > 1:
		slices.Sort(r.vals)
		at = func(rank int64) T { return r.vals[rank-1] }
	}
	total := r.total()
	out := make([]T, len(ps))
	for k, p := range ps {
		rank := int64(math.Ceil(p / 100 * float64(total)))
		out[k] = at(max(1, min(rank, total))) // the first is also what NaN gives
	}
	return out
}

func (r *ranked[T]) total() (n int64) {
	if r.weights == nil {
		return int64(len(r.vals))
	}
	for _, w := range r.weights {
		n += w
	}
	return n
}

// byWeight returns a function that tells the value at a rank.
func (r *ranked[T]) byWeight() func(rank int64) T {
	order := make([]int, len(r.vals))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(r.vals[a], r.vals[b]) })
	return func(rank int64) (v T) {
		for _, i := range order {
			if v = r.vals[i]; rank <= r.weights[i] {
				break
			}
			rank -= r.weights[i]
		}
		return v
	}
}

// selected returns the value at a rank. It parts the values around one of them,
// again and again, and goes on where the rank is (Hoare's selection).
func (r *ranked[T]) selected(rank int64) T {
	v, k := r.vals, int(rank-1)
	for rounds := 0; len(v) > 1; rounds++ {
		if rounds == 64 { // far more than it takes but for the worst of luck
			slices.Sort(v)
			break
		}
		pivot := median(v[0], v[len(v)/2], v[len(v)-1])
		i, j := 0, len(v)-1
		for i <= j {
			for cmp.Less(v[i], pivot) {
				i++
			}
			for cmp.Less(pivot, v[j]) {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case k <= j:
			v = v[:j+1]
		case k >= i:
			v, k = v[i:], k-i
		default:
			return v[k]
		}
	}
	return v[k]
}

func median[T cmp.Ordered](a, b, c T) T {
	if cmp.Less(b, a) {
		a, b = b, a
	}
	if cmp.Less(c, a) {
		return a
	}
	if cmp.Less(c, b) {
		return c
	}
	return b
}

func (a *percentileAgg) size() int64 {
	if a.spec.weighted {
		return 16 * a.n
	}
	return 8 * a.n
}
