package kql

import (
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
	"sort"
)

var moreAggs = []aggregateFn{
	{name: "hll", sig: "any, !integer? -> dynamic", prefix: "hll_", make: newSketch},
	{name: "hll_if", sig: "any, bool, !integer? -> dynamic", prefix: "hll_if_", make: newSketchIf},
	{name: "hll_merge", sig: "dynamic -> dynamic", prefix: "hll_merge_", make: newSketchMerge},
	{name: "tdigest", sig: "number|timespan|datetime, integer? -> dynamic", prefix: "tdigest_", make: newDigest},
	{name: "tdigest_merge", sig: "dynamic -> dynamic", prefix: "merge_tdigests_", make: newDigestMerge},
	{name: "merge_tdigest", sig: "dynamic -> dynamic", prefix: "merge_tdigests_", make: newDigestMerge},
}

// Sketches are kept exact: hll is the set of hashes seen, as a bag
// {"hll": [hash, …]}, tdigest the values with their weights. They answer as
// the real ones do, without their error, at the price of size; the memory
// budget bounds them.

type sketchAgg struct {
	seen  []map[string]bool
	merge bool
	n     int64
}

func newSketch(*aggSite) aggregator      { return &cutArgs{&sketchAgg{}, 1} }
func newSketchIf(*aggSite) aggregator    { return &cutArgs{conditional(&sketchAgg{}), 2} }
func newSketchMerge(*aggSite) aggregator { return &sketchAgg{merge: true} }

var sketchSeed = hashSeed

func (a *sketchAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	a.seen = grown(a.seen, groups)
	v := args[0]
	for i, g := range gids[:n] {
		if v.IsNull(i) {
			continue
		}
		if a.seen[g] == nil {
			a.seen[g] = map[string]bool{}
		}
		if !a.merge {
			a.insert(g, sketchHash(v.Value(i)))
			continue
		}
		for _, h := range sketchItems(v.Dynamics[v.at(i)], "hll") {
			if s, ok := h.(string); ok {
				a.insert(g, s)
			}
		}
	}
}

func (a *sketchAgg) insert(g uint32, h string) {
	if !a.seen[g][h] {
		a.seen[g][h] = true
		a.n++
	}
}

func sketchHash(v Value) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], maphash.String(sketchSeed, v.Type.String()+v.String()))
	return hex.EncodeToString(b[:])
}

// sketchItems returns the items of a sketch made here.
func sketchItems(d any, kind string) []any {
	bag, ok := d.(*Bag)
	if !ok {
		return nil
	}
	items, _ := bag.Get(kind)
	list, _ := items.([]any)
	return list
}

func (a *sketchAgg) results(groups int) []*Vector {
	out := newVector(Dynamic, groups)
	for g, seen := range grown(a.seen, groups)[:groups] {
		if seen == nil {
			continue // no value: null
		}
		keys := make([]string, 0, len(seen))
		for k := range seen {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		items := make([]any, len(keys))
		for i, k := range keys {
			items[i] = k
		}
		bag := &Bag{}
		bag.Set("hll", items)
		out.Dynamics[g] = bag
	}
	return []*Vector{out}
}

func (a *sketchAgg) size() int64 { return 64 * a.n }

// digestAgg keeps values with weights.
type digestAgg struct {
	items [][]any // value, weight, value, weight, …
	merge bool
	n     int64
}

func newDigest(*aggSite) aggregator      { return &digestAgg{} }
func newDigestMerge(*aggSite) aggregator { return &digestAgg{merge: true} }

func (a *digestAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	a.items = grown(a.items, groups)
	for i, g := range gids[:n] {
		if args[0].IsNull(i) {
			continue
		}
		if a.merge {
			a.items[g] = append(a.items[g], sketchItems(args[0].Dynamics[args[0].at(i)], "tdigest")...)
			a.n++
			continue
		}
		w := int64(1)
		if len(args) > 1 {
			w = args[1].Value(i).Int
		}
		a.items[g] = append(a.items[g], args[0].Value(i).dynamic(), w)
		a.n++
	}
}

func (a *digestAgg) results(groups int) []*Vector {
	out := newVector(Dynamic, groups)
	for g, items := range grown(a.items, groups)[:groups] {
		if items == nil {
			continue // no value: null
		}
		bag := &Bag{}
		bag.Set("tdigest", items)
		out.Dynamics[g] = bag
	}
	return []*Vector{out}
}

func (a *digestAgg) size() int64 { return 48 * a.n }

// mergeSketches makes one sketch of several.
func mergeSketches(kind string) func(a []Value) Value {
	return func(a []Value) Value {
		var items []any
		for _, v := range a {
			items = append(items, sketchItems(v.Any, kind)...)
		}
		if kind == "hll" {
			items = setUnion([][]any{items})
		}
		bag := &Bag{}
		bag.Set(kind, items)
		return dynamicValue(bag)
	}
}
