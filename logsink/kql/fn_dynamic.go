package kql

import "strings"

var dynamicFns = []scalarFn{
	{name: "array_length", sig: "dynamic -> long", make: rows(arrayLength)},
	{name: "arraylength", sig: "dynamic -> long", make: rows(arrayLength)},
	{name: "pack_array", sig: "any... -> dynamic", make: rows(packArray)},
	{name: "bag_pack", sig: "any... -> dynamic", make: rows(bagPack)},
	{name: "pack", sig: "any... -> dynamic", make: rows(bagPack)},
	{name: "pack_dictionary", sig: "any... -> dynamic", make: rows(bagPack)},
	{name: "range", sig: "integer, integer, integer? -> dynamic; number, number, number? -> dynamic; datetime, datetime, timespan? -> dynamic; timespan, timespan, timespan? -> dynamic", make: rows(rangeArray)},
	{name: "zip", sig: "dynamic, dynamic... -> dynamic", make: rows(zip)},
	{name: "treepath", sig: "dynamic -> dynamic", make: rows(func(a []Value) Value { return dynamicValue(treePaths(a[0].Any)) })},
	{name: "hll_merge", sig: "dynamic, dynamic... -> dynamic", make: rows(mergeSketches("hll"))},
	{name: "tdigest_merge", sig: "dynamic, dynamic... -> dynamic", make: rows(mergeSketches("tdigest"))},
	{name: "merge_tdigest", sig: "dynamic, dynamic... -> dynamic", make: rows(mergeSketches("tdigest"))},
	{name: "jaccard_index", sig: "dynamic, dynamic -> real", make: rows(jaccard)},
	{name: "dynamic_path_exists", sig: "string, dynamic -> bool", make: rows(func(a []Value) Value {
		_, ok := jsonPath(a[1].Any, a[0].Str)
		return boolValue(ok)
	})},
	{name: "extractjson", sig: "string, any -> string", make: rows(extractJSON)},
	{name: "extract_json", sig: "string, any -> string", make: rows(extractJSON)},
}

func arrayLength(a []Value) Value {
	list, ok := a[0].Any.([]any)
	if !ok {
		return nullValue(Long)
	}
	return longValue(int64(len(list)))
}

func packArray(a []Value) Value {
	out := make([]any, len(a))
	for i, v := range a {
		out[i] = v.dynamic()
	}
	return dynamicValue(out)
}

func bagPack(a []Value) Value {
	out := &Bag{}
	for i := 0; i+1 < len(a); i += 2 {
		out.Set(a[i].String(), a[i+1].dynamic())
	}
	return dynamicValue(out)
}

// rangeArray is the array from a up to b by a step of one unit of its kind.
func rangeArray(a []Value) Value {
	step := longValue(1)
	if a[0].Type == DateTime || a[0].Type == TimeSpan {
		step = timeSpanValue(spanHour)
	}
	if len(a) > 2 {
		step = a[2]
	}
	if a[0].Null || a[1].Null || step.Null {
		return nullValue(Dynamic)
	}
	out := []any{}
	if a[0].Type.usesInts() && a[1].Type.usesInts() && step.Type.usesInts() {
		for x := a[0].Int; step.Int != 0 && (step.Int > 0 && x <= a[1].Int || step.Int < 0 && x >= a[1].Int) && len(out) < maxArray; x += step.Int {
			v := a[0]
			v.Int = x
			out = append(out, v.dynamic())
		}
		return dynamicValue(out)
	}
	lo, hi, d := a[0].float(), a[1].float(), step.float()
	for i := 0; len(out) < maxArray; i++ {
		x := lo + float64(i)*d
		if d == 0 || d > 0 && x > hi || d < 0 && x < hi || x != x {
			break
		}
		out = append(out, x)
	}
	return dynamicValue(out)
}

func zip(a []Value) Value {
	n := 0
	for _, v := range a {
		list, ok := v.Any.([]any)
		if !ok && v.Any != nil {
			return nullValue(Dynamic)
		}
		n = max(n, len(list))
	}
	out := make([]any, n)
	for i := range out {
		row := make([]any, len(a))
		for j, v := range a {
			if list, _ := v.Any.([]any); i < len(list) {
				row[j] = list[i]
			}
		}
		out[i] = row
	}
	return dynamicValue(out)
}

// treePaths lists the paths of every leaf and node: ['a'], ['a']['b'], …
func treePaths(d any) []any {
	out := []any{}
	var walk func(d any, prefix string)
	walk = func(d any, prefix string) {
		switch d := d.(type) {
		case *Bag:
			for i, k := range d.keys {
				p := prefix + "['" + k + "']"
				out = append(out, p)
				walk(d.vals[i], p)
			}
		case []any:
			p := prefix + "[0]"
			if len(d) > 0 {
				out = append(out, p)
				walk(d[0], p)
			}
		}
	}
	walk(d, "")
	return out
}

func jaccard(a []Value) Value {
	x, ok1 := a[0].Any.([]any)
	y, ok2 := a[1].Any.([]any)
	if !ok1 || !ok2 {
		return nullValue(Real)
	}
	both, all := len(setIntersect([][]any{x, y})), len(setUnion([][]any{x, y}))
	return realValue(float64(both) / float64(all))
}

// jsonPath follows a path such as $.a.b[0] or $['a'].
func jsonPath(d any, path string) (any, bool) {
	path = strings.TrimPrefix(strings.TrimSpace(path), "$")
	for path != "" {
		var key string
		index := false
		switch {
		case strings.HasPrefix(path, "['"), strings.HasPrefix(path, `["`):
			end := strings.Index(path[2:], path[1:2]+"]")
			if end < 0 {
				return nil, false
			}
			key, path = path[2:2+end], path[2+end+2:]
		case path[0] == '[':
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return nil, false
			}
			key, path, index = path[1:end], path[end+1:], true
		default:
			path = strings.TrimPrefix(path, ".")
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			if end == 0 {
				return nil, false
			}
			key, path = path[:end], path[end:]
		}
		var ok bool
		if d, ok = child(d, key, index); !ok {
			return nil, false
		}
	}
	return d, true
}

func child(d any, key string, index bool) (any, bool) {
	switch d := d.(type) {
	case *Bag:
		return d.Get(key)
	case []any:
		n, ok := parseLong(key)
		if !index || !ok {
			return nil, false
		}
		if n < 0 {
			n += int64(len(d))
		}
		if n >= 0 && n < int64(len(d)) {
			return d[n], true
		}
	}
	return nil, false
}

func extractJSON(a []Value) Value {
	d := a[1].Any
	if a[1].Type == String {
		d, _ = ParseDynamic(a[1].Str)
	}
	v, ok := jsonPath(d, a[0].Str)
	if !ok {
		return stringValue("")
	}
	return stringValue(dynamicText(v))
}

// extractJSONForm binds extractjson(path, text [, typeof(T)]).
func extractJSONForm(b *binder, n *callNode) *bound {
	ret := String
	sub := *n
	if len(n.args) == 3 {
		if t, ok := n.args[2].(*typeNode); ok && len(t.cols) == 1 {
			ret = t.cols[0].typ
			sub.args = n.args[:2]
		}
	}
	x := b.callFunction(functions()[n.fn.name], &sub, b.args(&sub))
	if x.typ == NoType {
		return x
	}
	return cast(x, ret)
}
