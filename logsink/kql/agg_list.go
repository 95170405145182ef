package kql

import "hash/maphash"

var listAggs = []aggregateFn{
	{name: "make_list", sig: "any, !integer? -> dynamic", prefix: "list_", make: newList(false, 1)},
	{name: "make_list_if", sig: "any, bool, !integer? -> dynamic", prefix: "list_", make: newList(false, 2)},
	{name: "make_list_with_nulls", sig: "any, !integer? -> dynamic", prefix: "list_", make: newList(true, 1)},
	{name: "makelist", sig: "any, !integer? -> dynamic", prefix: "list_", make: newList(false, 1)},
	{name: "make_set", sig: "any, !integer? -> dynamic", prefix: "set_", make: newSet(1)},
	{name: "make_set_if", sig: "any, bool, !integer? -> dynamic", prefix: "set_", make: newSet(2)},
	{name: "makeset", sig: "any, !integer? -> dynamic", prefix: "set_", make: newSet(1)},
	{name: "make_bag", sig: "bag, !integer? -> dynamic", prefix: "bag_", make: newBagAgg(1)},
	{name: "make_bag_if", sig: "bag, bool, !integer? -> dynamic", prefix: "bag_", make: newBagAgg(2)},
	{name: "make_dictionary", sig: "bag, !integer? -> dynamic", prefix: "dictionary_", make: newBagAgg(1)},
	{name: "buildschema", sig: "dynamic -> dynamic", prefix: "schema_", make: newSchemaAgg},
	{name: "dcount", sig: "any, !integer? -> long", prefix: "dcount_", make: newDistinct(1)},
	{name: "dcountif", sig: "any, bool, !integer? -> long", prefix: "dcountif_", make: newDistinct(2)},
	{name: "count_distinct", sig: "any -> long", prefix: "count_distinct_", make: newDistinct(1)},
	{name: "count_distinctif", sig: "any, bool -> long", prefix: "count_distinctif_", make: newDistinct(2)},
}

// maxListItems is how many items a list or set keeps unless told otherwise.
const maxListItems = 1048576

// limit returns the constant argument i of a call, or the default.
func (c *aggSite) limit(i int) int {
	if i < len(c.args) {
		if v := c.args[i].val; v != nil && !v.Null && v.Int >= 0 && v.Int < maxListItems {
			return int(v.Int)
		}
	}
	return maxListItems
}

// withCondition arranges the arguments: values first, then the condition.
// used is how many arguments matter: one, or two with a condition.
func withCondition(inner aggregator, used int) aggregator {
	if used == 2 {
		return &cutArgs{conditional(inner), 2}
	}
	return &cutArgs{inner, 1}
}

// cutArgs hides the constant arguments an aggregator has already looked at.
type cutArgs struct {
	inner aggregator
	used  int
}

func (a *cutArgs) add(gids []uint32, groups int, args []*Vector, n int) {
	a.inner.add(gids, groups, args[:a.used], n)
}
func (a *cutArgs) results(groups int) []*Vector { return a.inner.results(groups) }
func (a *cutArgs) size() int64                  { return a.inner.size() }

// listAgg collects values in input order.
type listAgg struct {
	nulls bool
	max   int
	lists [][]any
	bytes int64
}

func newList(nulls bool, used int) func(*aggSite) aggregator {
	return func(c *aggSite) aggregator {
		return withCondition(&listAgg{nulls: nulls, max: c.limit(used)}, used)
	}
}

func (a *listAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	a.lists = grown(a.lists, groups)
	v := args[0]
	for i, g := range gids[:n] {
		if len(a.lists[g]) >= a.max || v.IsNull(i) && !a.nulls {
			continue
		}
		d := v.Value(i).dynamic()
		a.bytes += 16 + dynamicSize(d)
		a.lists[g] = append(a.lists[g], d)
	}
}

func (a *listAgg) results(groups int) []*Vector {
	out := newVector(Dynamic, groups)
	lists := grown(a.lists, groups)
	for g := range groups {
		if lists[g] == nil {
			lists[g] = []any{}
		}
		out.Dynamics[g] = lists[g]
	}
	return []*Vector{out}
}

func (a *listAgg) size() int64 { return a.bytes + 24*int64(len(a.lists)) }

// setAgg collects distinct values in the order they are first seen.
type setAgg struct {
	max   int
	seen  []map[string]bool
	lists [][]any
	bytes int64
}

func newSet(used int) func(*aggSite) aggregator {
	return func(c *aggSite) aggregator {
		return withCondition(&setAgg{max: c.limit(used)}, used)
	}
}

// dynamicKey tells values apart: type and text.
func dynamicKey(d any) string {
	switch d := d.(type) {
	case string:
		return "s" + d
	case int64, float64, bool:
		return "n" + dynamicText(d)
	}
	return "j" + string(AppendJSON(nil, d))
}

func (a *setAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	a.lists, a.seen = grown(a.lists, groups), grown(a.seen, groups)
	v := args[0]
	for i, g := range gids[:n] {
		if len(a.lists[g]) >= a.max || v.IsNull(i) {
			continue
		}
		d := v.Value(i).dynamic()
		items := []any{d}
		if list, ok := d.([]any); ok && v.Type == Dynamic {
			items = list // make_set of arrays is the set of their elements
		}
		for _, e := range items {
			a.addItem(int(g), e)
		}
	}
}

func (a *setAgg) addItem(g int, e any) {
	if e == nil || len(a.lists[g]) >= a.max {
		return
	}
	if a.seen[g] == nil {
		a.seen[g] = map[string]bool{}
	}
	if k := dynamicKey(e); !a.seen[g][k] {
		a.seen[g][k] = true
		a.bytes += 80 + 2*dynamicSize(e)
		a.lists[g] = append(a.lists[g], e)
	}
}

func (a *setAgg) results(groups int) []*Vector {
	return (&listAgg{lists: a.lists}).results(groups)
}

func (a *setAgg) size() int64 { return a.bytes }

// bagAgg merges bags; the first value of a key stays.
type bagAgg struct {
	max   int
	bags  []*Bag
	bytes int64
}

func newBagAgg(used int) func(*aggSite) aggregator {
	return func(c *aggSite) aggregator {
		return withCondition(&bagAgg{max: c.limit(used)}, used)
	}
}

func (a *bagAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	a.bags = grown(a.bags, groups)
	v := args[0]
	for i, g := range gids[:n] {
		d, ok := v.Dynamics[v.at(i)].(*Bag)
		if !ok {
			continue
		}
		if a.bags[g] == nil {
			a.bags[g] = &Bag{}
		}
		for j, k := range d.keys {
			if _, has := a.bags[g].Get(k); !has && a.bags[g].Len() < a.max {
				a.bags[g].Set(k, d.vals[j])
				a.bytes += 64 + int64(len(k)) + dynamicSize(d.vals[j])
			}
		}
	}
}

func (a *bagAgg) results(groups int) []*Vector {
	out := newVector(Dynamic, groups)
	for g, b := range grown(a.bags, groups)[:groups] {
		if b == nil {
			b = &Bag{}
		}
		out.Dynamics[g] = b
	}
	return []*Vector{out}
}

func (a *bagAgg) size() int64 { return a.bytes }

// distinctAgg counts distinct values exactly, up to collisions of 64-bit
// hashes: one in a billion at a hundred thousand values.
type distinctAgg struct {
	seen map[distinctKey]struct{}
	n    []int64
}

type distinctKey struct {
	group uint32
	hash  uint64
}

func newDistinct(used int) func(*aggSite) aggregator {
	return func(*aggSite) aggregator {
		return withCondition(&distinctAgg{seen: map[distinctKey]struct{}{}}, used)
	}
}

var hashSeed = maphash.MakeSeed()

func (a *distinctAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	a.n = grown(a.n, groups)
	v := args[0]
	var dict []uint64
	if v.Codes != nil && len(v.Dict) <= 4*n {
		dict = make([]uint64, len(v.Dict))
		for i, s := range v.Dict {
			dict[i] = maphash.String(hashSeed, s)
		}
	}
	for i, g := range gids[:n] {
		if v.IsNull(i) {
			continue
		}
		k := distinctKey{group: g}
		switch {
		case dict != nil:
			k.hash = dict[v.Codes[v.at(i)]]
		case v.Type == String:
			k.hash = maphash.String(hashSeed, v.Str(i))
		case v.Type.usesInts():
			k.hash = uint64(v.Ints[v.at(i)])
		case v.Type == Real:
			k.hash = realWord(v.Reals[v.at(i)])
		default:
			k.hash = maphash.String(hashSeed, v.Value(i).String())
		}
		before := len(a.seen)
		a.seen[k] = struct{}{}
		a.n[g] += int64(len(a.seen) - before)
	}
}

func (a *distinctAgg) results(groups int) []*Vector {
	return []*Vector{{Type: Long, Ints: grown(a.n, groups)[:groups]}}
}

func (a *distinctAgg) size() int64 { return 24*int64(len(a.seen)) + 8*int64(len(a.n)) }
