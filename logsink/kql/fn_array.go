package kql

import "sort"

var arrayFns = []scalarFn{
	{name: "array_concat", sig: "dynamic... -> dynamic", make: rows(arrayConcat)},
	{name: "array_slice", sig: "dynamic, integer, integer -> dynamic", make: rows(arraySlice)},
	{name: "array_reverse", sig: "dynamic -> dynamic", make: arrayMap(func(x []any, _ []Value) any {
		out := make([]any, len(x))
		for i, e := range x {
			out[len(x)-1-i] = e
		}
		return out
	})},
	{name: "array_sum", sig: "dynamic -> real", make: rows(arraySum)},
	{name: "array_index_of", sig: "dynamic, any, integer?, integer?, integer? -> long", make: rows(arrayIndexOf)},
	{name: "array_iff", sig: "dynamic, any, any -> dynamic", make: rows(arrayIff)},
	{name: "array_iif", sig: "dynamic, any, any -> dynamic", make: rows(arrayIff)},
	{name: "array_rotate_left", sig: "dynamic, integer -> dynamic", make: arrayMap(func(x []any, a []Value) any { return rotate(x, a[0].Int) })},
	{name: "array_rotate_right", sig: "dynamic, integer -> dynamic", make: arrayMap(func(x []any, a []Value) any { return rotate(x, -a[0].Int) })},
	{name: "array_shift_left", sig: "dynamic, integer, any? -> dynamic", make: arrayMap(func(x []any, a []Value) any { return shift(x, a[0].Int, a[1:]) })},
	{name: "array_shift_right", sig: "dynamic, integer, any? -> dynamic", make: arrayMap(func(x []any, a []Value) any { return shift(x, -a[0].Int, a[1:]) })},
	{name: "array_split", sig: "dynamic, integer|dynamic -> dynamic", make: arrayMap(arraySplit)},
}

// arrayMap makes a kernel of a function of an array and further arguments;
// what is no array gives null.
func arrayMap(f func(x []any, rest []Value) any) maker {
	return rows(func(a []Value) Value {
		x, ok := a[0].Any.([]any)
		if !ok {
			return nullValue(Dynamic)
		}
		return dynamicValue(f(x, a[1:]))
	})
}

func arrayConcat(a []Value) Value {
	out := []any{}
	for _, v := range a {
		switch x := v.Any.(type) {
		case []any:
			out = append(out, x...)
		case nil:
		default:
			out = append(out, x)
		}
	}
	return dynamicValue(out)
}

// arraySlice cuts from start to end, both included, negative from the end.
func arraySlice(a []Value) Value {
	x, ok := a[0].Any.([]any)
	if !ok || a[1].Null || a[2].Null {
		return nullValue(Dynamic)
	}
	n := int64(len(x))
	lo, hi := a[1].Int, a[2].Int
	if lo < 0 {
		lo = max(lo+n, 0)
	}
	if hi < 0 {
		hi += n
	}
	hi = min(hi+1, n)
	if lo >= hi {
		return dynamicValue([]any{})
	}
	return dynamicValue(x[lo:hi:hi])
}

func arraySum(a []Value) Value {
	x, ok := a[0].Any.([]any)
	if !ok {
		return nullValue(Real)
	}
	sum := 0.0
	for _, e := range x {
		v := fromDynamic(e)
		if v.Null {
			continue
		}
		if !v.Type.isNumeric() {
			return nullValue(Real)
		}
		sum += v.float()
	}
	return realValue(sum)
}

// arrayIndexOf finds a value from a start, within a length, at its n-th
// occurrence.
func arrayIndexOf(a []Value) Value {
	x, ok := a[0].Any.([]any)
	if !ok {
		return nullValue(Long)
	}
	start, end, occurrence := 0, len(x), 1
	if len(a) > 2 {
		start = int(a[2].Int)
		if start < 0 {
			start = max(start+len(x), 0)
		}
	}
	if len(a) > 3 && a[3].Int >= 0 {
		end = min(end, start+int(a[3].Int))
	}
	if len(a) > 4 {
		if occurrence = int(a[4].Int); occurrence <= 0 {
			return nullValue(Long)
		}
	}
	want := a[1].dynamic()
	for i := start; i < end; i++ {
		if dynamicEqual(x[i], want) {
			if occurrence--; occurrence == 0 {
				return longValue(int64(i))
			}
		}
	}
	return longValue(-1)
}

func arrayIff(a []Value) Value {
	conds, ok := a[0].Any.([]any)
	if !ok {
		if a[0].Null {
			return nullValue(Dynamic)
		}
		conds = []any{a[0].Any}
	}
	pick := func(v Value, i int) any {
		if list, ok := v.Any.([]any); ok && v.Type == Dynamic {
			if i < len(list) {
				return list[i]
			}
			return nil
		}
		return v.dynamic()
	}
	out := make([]any, len(conds))
	for i, c := range conds {
		switch b := convert(dynamicValue(c), Bool); {
		case b.Null:
		case b.bool():
			out[i] = pick(a[1], i)
		default:
			out[i] = pick(a[2], i)
		}
	}
	return dynamicValue(out)
}

func rotate(x []any, n int64) []any {
	out := make([]any, len(x))
	for i := range x {
		_, j := floorDiv(int64(i)+n, int64(len(x)))
		out[i] = x[j]
	}
	return out
}

// shift moves elements left by n and fills the gap.
func shift(x []any, n int64, fill []Value) []any {
	var dflt any
	if len(fill) > 0 {
		dflt = fill[0].dynamic()
	}
	out := make([]any, len(x))
	for i := range x {
		out[i] = dflt
		if j := int64(i) + n; j >= 0 && j < int64(len(x)) {
			out[i] = x[j]
		}
	}
	return out
}

func arraySplit(x []any, a []Value) any {
	out := []any{}
	prev := int64(0)
	for _, v := range flatten(nil, a[0]) {
		i := convert(v, Long).Int
		if i < 0 {
			i = max(i+int64(len(x)), 0)
		}
		i = max(prev, min(i, int64(len(x))))
		out = append(out, append([]any{}, x[prev:i]...))
		prev = i
	}
	return append(out, append([]any{}, x[prev:]...))
}

// arraySortForm binds array_sort_asc(a, b, …) and array_sort_desc: the first
// array's order is applied to all; each is a result of its own.
func arraySortForm(b *binder, n *callNode) *bound {
	desc := n.fn.name == "array_sort_desc"
	if len(n.args) == 0 {
		b.wrongCount(n.fn.name, n.fn.span, 1, maxVariadic)
		return failed(n)
	}
	args := b.args(n)
	var arrays []*bound
	var nullsLast *bound
	for _, a := range args {
		switch {
		case a.typ == Bool:
			nullsLast = a
		case a.typ == Dynamic || a.typ == NoType:
			arrays = append(arrays, a)
		default:
			b.diags.report(a.node.pos(), "KS107", "A value of type dynamic expected.")
			return failed(n)
		}
	}
	if len(arrays) == 0 {
		return failed(n)
	}
	part := func(i int) *bound {
		from := []*bound{arrays[0], cast(arrays[i], Dynamic)}
		if nullsLast != nil {
			from = append(from, nullsLast)
		}
		k := rowKernel(Dynamic, func(a []Value) Value {
			return dynamicValue(sortLike(a[0].Any, a[1].Any, desc, len(a) < 3 || a[2].isTrue()))
		})
		return fold(derive(Dynamic, n, kernelEval(k, from), from...), from...)
	}
	x := *part(0)
	x.multiOf = part
	for i, a := range arrays {
		name := ""
		if a.name != "" {
			name = a.name + "_sorted"
		}
		if i == 0 {
			x.name = name
		}
		x.multi = append(x.multi, Column{name, Dynamic})
	}
	if len(arrays) == 1 {
		// One result is used like any other value: array_sort_asc(a)[0].
		x.name = sortedName(arrays[0].name)
		x.multi = nil
		return &x
	}
	return b.sortResults(n, arrays, &x)
}

func sortedName(name string) string {
	if name == "" {
		return ""
	}
	return name + "_sorted"
}

// sortResults gives several sorted arrays as one array where an element is
// taken, and as columns where they are projected.
func (b *binder) sortResults(n *callNode, arrays []*bound, x *bound) *bound {
	parts := make([]*bound, len(arrays))
	for i := range arrays {
		parts[i] = x.multiOf(i)
	}
	all := derive(Dynamic, n, kernelEval(rowKernel(Dynamic, packArray), parts), parts...)
	all = fold(all, parts...)
	y := *all
	y.name, y.multi, y.multiOf = x.name, x.multi, x.multiOf
	return &y
}

// sortLike orders other by the order of keys.
func sortLike(keys, other any, desc, nullsLast bool) any {
	k, ok := keys.([]any)
	o, ok2 := other.([]any)
	if !ok || !ok2 || len(o) != len(k) {
		return nil
	}
	idx := make([]int, len(k))
	for i := range idx {
		idx[i] = i
	}
	sort.SliceStable(idx, func(i, j int) bool {
		a, b := fromDynamic(k[idx[i]]), fromDynamic(k[idx[j]])
		if a.Null || b.Null {
			return !a.Null && b.Null == nullsLast && b.Null || a.Null && !b.Null && !nullsLast
		}
		c := compareMixed(a, b)
		if desc {
			return c > 0
		}
		return c < 0
	})
	out := make([]any, len(o))
	for i, j := range idx {
		out[i] = o[j]
	}
	return out
}

// compareMixed orders values of any types: numbers before strings before the rest.
func compareMixed(a, b Value) int {
	ra, rb := mixedRank(a), mixedRank(b)
	if ra != rb {
		return ra - rb
	}
	if a.Type != b.Type && !a.Type.isNumeric() {
		return 0
	}
	return compareValues(a, b)
}

func mixedRank(v Value) int {
	switch {
	case v.Type.isNumeric():
		return 0
	case v.Type == DateTime:
		return 1
	case v.Type == TimeSpan:
		return 2
	case v.Type == String:
		return 3
	}
	return 4
}
