package kql

var setFns = []scalarFn{
	{name: "set_union", sig: "dynamic... -> dynamic", make: setOp(setUnion)},
	{name: "set_intersect", sig: "dynamic... -> dynamic", make: setOp(setIntersect)},
	{name: "set_difference", sig: "dynamic... -> dynamic", make: setOp(setDifference)},
	{name: "set_has_element", sig: "dynamic, any -> bool", make: rows(func(a []Value) Value {
		list, ok := a[0].Any.([]any)
		if !ok {
			return nullValue(Bool)
		}
		want := a[1].dynamic()
		for _, e := range list {
			if dynamicEqual(e, want) {
				return boolValue(true)
			}
		}
		return boolValue(false)
	})},
	{name: "set_equals", sig: "dynamic, dynamic -> bool", make: rows(func(a []Value) Value {
		x, ok1 := a[0].Any.([]any)
		y, ok2 := a[1].Any.([]any)
		if !ok1 || !ok2 {
			return nullValue(Bool)
		}
		return boolValue(len(setDifference([][]any{x, y})) == 0 && len(setDifference([][]any{y, x})) == 0)
	})},
}

func setOp(f func([][]any) []any) maker {
	return rows(func(a []Value) Value {
		lists := make([][]any, 0, len(a))
		for _, v := range a {
			list, ok := v.Any.([]any)
			if !ok {
				return nullValue(Dynamic)
			}
			lists = append(lists, list)
		}
		return dynamicValue(f(lists))
	})
}

func keySet(list []any) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, e := range list {
		m[dynamicKey(e)] = true
	}
	return m
}

func setUnion(lists [][]any) []any {
	out, seen := []any{}, map[string]bool{}
	for _, list := range lists {
		for _, e := range list {
			if k := dynamicKey(e); !seen[k] {
				seen[k] = true
				out = append(out, e)
			}
		}
	}
	return out
}

func setIntersect(lists [][]any) []any {
	out := setUnion(lists[:1])
	for _, list := range lists[1:] {
		in := keySet(list)
		kept := []any{}
		for _, e := range out {
			if in[dynamicKey(e)] {
				kept = append(kept, e)
			}
		}
		out = kept
	}
	return out
}

func setDifference(lists [][]any) []any {
	out := setUnion(lists[:1])
	for _, list := range lists[1:] {
		in := keySet(list)
		kept := []any{}
		for _, e := range out {
			if !in[dynamicKey(e)] {
				kept = append(kept, e)
			}
		}
		out = kept
	}
	return out
}
