package kql

import "strings"

var bagFns = []scalarFn{
	{name: "bag_keys", sig: "dynamic -> dynamic", make: rows(func(a []Value) Value {
		bag, ok := a[0].Any.(*Bag)
		if !ok {
			return nullValue(Dynamic)
		}
		out := make([]any, len(bag.keys))
		for i, k := range bag.keys {
			out[i] = k
		}
		return dynamicValue(out)
	})},
	{name: "bag_values", sig: "dynamic -> dynamic", make: rows(func(a []Value) Value {
		bag, ok := a[0].Any.(*Bag)
		if !ok {
			return nullValue(Dynamic)
		}
		return dynamicValue(append([]any{}, bag.vals...))
	})},
	{name: "bag_has_key", sig: "dynamic, string -> bool", make: rows(bagHasKey)},
	{name: "bag_merge", sig: "dynamic... -> dynamic", make: rows(bagMerge)},
	{name: "bag_remove_keys", sig: "dynamic, dynamic -> dynamic", make: rows(bagRemoveKeys)},
	{name: "bag_set_key", sig: "dynamic, string, any -> dynamic", make: rows(bagSetKey)},
	{name: "bag_zip", sig: "dynamic, dynamic -> dynamic", make: rows(bagZip)},
}

func bagHasKey(a []Value) Value {
	bag, ok := a[0].Any.(*Bag)
	if !ok {
		return nullValue(Bool)
	}
	if strings.HasPrefix(a[1].Str, "$") {
		_, ok := jsonPath(bag, a[1].Str)
		return boolValue(ok)
	}
	_, has := bag.Get(a[1].Str)
	return boolValue(has)
}

func bagMerge(a []Value) Value {
	var out *Bag
	for _, v := range a {
		bag, ok := v.Any.(*Bag)
		if !ok {
			continue
		}
		if out == nil {
			out = &Bag{}
		}
		for i, k := range bag.keys {
			if _, has := out.Get(k); !has {
				out.Set(k, bag.vals[i])
			}
		}
	}
	if out == nil {
		return nullValue(Dynamic)
	}
	return dynamicValue(out)
}

func bagRemoveKeys(a []Value) Value {
	bag, ok := a[0].Any.(*Bag)
	if !ok {
		return nullValue(Dynamic)
	}
	for _, k := range flatten(nil, a[1]) {
		key := k.String()
		if strings.HasPrefix(key, "$.") {
			bag = removePath(bag, strings.Split(key[2:], "."))
			continue
		}
		bag = bag.without(key)
	}
	return dynamicValue(bag)
}

// removePath returns bag without the property at path.
func removePath(bag *Bag, path []string) *Bag {
	if len(path) == 1 {
		return bag.without(path[0])
	}
	v, _ := bag.Get(path[0])
	inner, ok := v.(*Bag)
	if !ok {
		return bag
	}
	out := bag.clone()
	out.Set(path[0], removePath(inner, path[1:]))
	return out
}

func bagSetKey(a []Value) Value {
	bag, ok := a[0].Any.(*Bag)
	if !ok {
		return nullValue(Dynamic)
	}
	path := []string{a[1].Str}
	if strings.HasPrefix(a[1].Str, "$.") {
		path = strings.Split(a[1].Str[2:], ".")
	}
	return dynamicValue(setPath(bag, path, a[2].dynamic()))
}

func setPath(bag *Bag, path []string, v any) *Bag {
	out := bag.clone()
	if len(path) == 1 {
		out.Set(path[0], v)
		return out
	}
	old, _ := bag.Get(path[0])
	inner, ok := old.(*Bag)
	if !ok {
		inner = &Bag{}
	}
	out.Set(path[0], setPath(inner, path[1:], v))
	return out
}

// bagZip pairs keys with values; keys that are no strings are passed over.
func bagZip(a []Value) Value {
	keys, ok1 := a[0].Any.([]any)
	vals, _ := a[1].Any.([]any) // what is no array has no values
	if !ok1 {
		return nullValue(Dynamic)
	}
	out := &Bag{}
	for i, k := range keys {
		key, ok := k.(string)
		if !ok {
			continue
		}
		if i < len(vals) {
			out.Set(key, vals[i])
		} else {
			out.Set(key, nil)
		}
	}
	return dynamicValue(out)
}
