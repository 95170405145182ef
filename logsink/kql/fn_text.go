package kql

// textFns test text for terms and needles.
var textFns = []scalarFn{
	{name: "has_any_index", sig: "string, dynamic -> long", make: rows(hasAnyIndex)},
	{name: "hasany_index", sig: "string, dynamic -> long", make: rows(hasAnyIndex)},
}

func hasAnyIndex(a []Value) Value {
	list, ok := a[1].Any.([]any)
	if !ok {
		return longValue(-1)
	}
	for i, e := range list {
		if s := dynamicText(e); s != "" && termMatcher(s, false, true, true)(a[0].Str) {
			return longValue(int64(i))
		}
	}
	return longValue(-1)
}
