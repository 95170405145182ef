package arm

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

var listFunctions = map[string]function{
	"concat":          {0, -1, true, concat},
	"createarray":     {0, -1, true, func(_ *scope, a []any) (any, error) { return slices.Clone(a), nil }},
	"array":           {1, 1, true, toArray},
	"length":          {1, 1, false, length},
	"first":           {1, 1, false, func(_ *scope, a []any) (any, error) { return edge(a[0], true) }},
	"last":            {1, 1, false, func(_ *scope, a []any) (any, error) { return edge(a[0], false) }},
	"indexfromend":    {2, 2, false, func(_ *scope, a []any) (any, error) { return fromEnd(a, false) }},
	"tryindexfromend": {2, 2, false, func(_ *scope, a []any) (any, error) { return fromEnd(a, true) }},
	"take":            {2, 2, false, func(_ *scope, a []any) (any, error) { return cut(a, func(n, _ int) (int, int) { return 0, n }) }},
	"skip":            {2, 2, false, func(_ *scope, a []any) (any, error) { return cut(a, func(n, size int) (int, int) { return n, size }) }},
	"join":            {2, 2, false, join},
	"contains":        {2, 2, false, contains},
	"empty":           {1, 1, true, empty},
	"union":           {2, -1, false, union},
	"intersection":    {2, -1, false, intersection},
	"range":           {2, 2, false, numbers},
	"flatten":         {1, 1, false, flatten},
	"coalesce":        {1, -1, true, coalesce},
}

func concat(_ *scope, a []any) (any, error) {
	if len(a) > 0 {
		if _, ok := a[0].([]any); ok {
			return concatLists(a)
		}
	}
	var b strings.Builder
	for _, v := range a {
		b.WriteString(textOf(v))
		if b.Len() > maxText {
			return nil, errors.New("the result is too long")
		}
	}
	return b.String(), nil
}

func concatLists(a []any) (any, error) {
	var out []any
	for _, v := range a {
		list, err := asList(v)
		if err != nil {
			return nil, err
		}
		if out = append(out, list...); len(out) > maxElements {
			return nil, errors.New("the result is too long")
		}
	}
	return out, nil
}

func toArray(_ *scope, a []any) (any, error) {
	if list, ok := a[0].([]any); ok {
		return list, nil
	}
	return []any{a[0]}, nil
}

func length(_ *scope, a []any) (any, error) {
	switch v := a[0].(type) {
	case string:
		return fromInt(int64(len([]rune(v)))), nil
	case []any:
		return fromInt(int64(len(v))), nil
	case map[string]any:
		return fromInt(int64(len(v))), nil
	}
	return nil, fmt.Errorf("%s has no length", kindName(a[0]))
}

func edge(v any, first bool) (any, error) {
	switch v := v.(type) {
	case string:
		runes := []rune(v)
		switch {
		case len(runes) == 0:
			return "", nil
		case first:
			return string(runes[0]), nil
		}
		return string(runes[len(runes)-1]), nil
	case []any:
		switch {
		case len(v) == 0:
			return nil, nil
		case first:
			return v[0], nil
		}
		return v[len(v)-1], nil
	}
	return nil, fmt.Errorf("expected text or a list, found %s", kindName(v))
}

// cut takes a part of a text or list; bounds outside of it are moved inside.
func cut(a []any, bounds func(n, size int) (from, to int)) (any, error) {
	n, err := asInt(a[1])
	if err != nil {
		return nil, err
	}
	within := func(size int) (int, int) {
		from, to := bounds(min(max(n, 0), size), size)
		return from, to
	}
	switch v := a[0].(type) {
	case string:
		runes := []rune(v)
		from, to := within(len(runes))
		return string(runes[from:to]), nil
	case []any:
		from, to := within(len(v))
		return slices.Clone(v[from:to]), nil
	}
	return nil, fmt.Errorf("expected text or a list, found %s", kindName(a[0]))
}

func join(_ *scope, a []any) (any, error) {
	list, err := asList(a[0])
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteString(textOf(a[1]))
		}
		b.WriteString(textOf(v))
		if b.Len() > maxText {
			return nil, errors.New("the result is too long")
		}
	}
	return b.String(), nil
}

func contains(_ *scope, a []any) (any, error) {
	switch v := a[0].(type) {
	case string:
		return strings.Contains(v, textOf(a[1])), nil
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return equal(item, a[1]) }), nil
	case map[string]any:
		_, ok := lookup(v, textOf(a[1]))
		return ok, nil
	}
	return nil, fmt.Errorf("expected text, a list or an object, found %s", kindName(a[0]))
}

func empty(_ *scope, a []any) (any, error) {
	switch v := a[0].(type) {
	case nil:
		return true, nil
	case string:
		return v == "", nil
	case []any:
		return len(v) == 0, nil
	case map[string]any:
		return len(v) == 0, nil
	}
	return false, nil
}

// union merges objects, deeply, or lists without repeats.
func union(_ *scope, a []any) (any, error) {
	if _, ok := a[0].(map[string]any); ok {
		out := map[string]any{}
		for _, v := range a {
			object, ok := v.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("expected an object, found %s", kindName(v))
			}
			mergeObjects(out, object)
		}
		return out, nil
	}
	all, err := concatLists(a)
	if err != nil {
		return nil, err
	}
	list, err := asList(all)
	if err != nil {
		return []any{}, nil //nolint:nilerr // nothing but empty lists
	}
	out := []any{}
	for _, v := range list {
		if len(out) > 2000 {
			return nil, errors.New("the lists are too long")
		}
		if !slices.ContainsFunc(out, func(item any) bool { return equal(item, v) }) {
			out = append(out, v)
		}
	}
	return out, nil
}

func mergeObjects(into, from map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(from)) {
		value := from[key]
		for existing, old := range into {
			if !strings.EqualFold(existing, key) {
				continue
			}
			key = existing
			a, okA := old.(map[string]any)
			b, okB := value.(map[string]any)
			if okA && okB {
				merged := maps.Clone(a)
				mergeObjects(merged, b)
				value = merged
			}
		}
		into[key] = value
	}
}

func intersection(_ *scope, a []any) (any, error) {
	list, err := asList(a[0])
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, v := range list {
		everywhere := true
		for _, other := range a[1:] {
			l, err := asList(other)
			if err != nil {
				return nil, err
			}
			everywhere = everywhere && slices.ContainsFunc(l, func(item any) bool { return equal(item, v) })
		}
		if everywhere {
			out = append(out, v)
		}
	}
	return out, nil
}

func numbers(_ *scope, a []any) (any, error) {
	from, err := asInt(a[0])
	if err != nil {
		return nil, err
	}
	n, err := asInt(a[1])
	if err != nil {
		return nil, err
	}
	if n < 0 || n > 10000 {
		return nil, errors.New("a range has 0 to 10000 numbers")
	}
	out := make([]any, n)
	for i := range out {
		out[i] = fromInt(int64(from + i))
	}
	return out, nil
}

func flatten(_ *scope, a []any) (any, error) {
	list, err := asList(a[0])
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, item := range list {
		inner, err := asList(item)
		if err != nil {
			return nil, err
		}
		if out = append(out, inner...); len(out) > maxElements {
			return nil, errors.New("the result is too long")
		}
	}
	return out, nil
}

func coalesce(_ *scope, a []any) (any, error) {
	for _, v := range a {
		if v != nil {
			return v, nil
		}
	}
	return nil, nil
}

var objectFunctions = map[string]function{
	"createobject": {0, -1, true, createObject},
	"objectkeys": {1, 1, false, func(_ *scope, a []any) (any, error) {
		object, ok := a[0].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("expected an object, found %s", kindName(a[0]))
		}
		out := []any{}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			out = append(out, key)
		}
		return out, nil
	}},
	"items": {1, 1, false, func(_ *scope, a []any) (any, error) {
		object, ok := a[0].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("expected an object, found %s", kindName(a[0]))
		}
		out := []any{}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			out = append(out, map[string]any{"key": key, "value": object[key]})
		}
		return out, nil
	}},
	"shallowmerge": {1, 1, false, func(_ *scope, a []any) (any, error) {
		list, err := asList(a[0])
		if err != nil {
			return nil, err
		}
		out := map[string]any{}
		for _, item := range list {
			object, ok := item.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("expected objects, found %s", kindName(item))
			}
			maps.Copy(out, object)
		}
		return out, nil
	}},
	"tryget": {2, -1, true, func(s *scope, a []any) (any, error) {
		v := a[0]
		for _, key := range a[1:] {
			var err error
			if name, ok := key.(string); ok {
				v, err = s.member(v, name, 0, true)
			} else if list, ok := v.([]any); ok {
				i, isNumber := integer(key)
				if v = nil; isNumber && 0 <= i && i < len(list) {
					v = list[i]
				}
			} else if !isUnknown(v) {
				v = nil
			}
			if err != nil || v == nil {
				return nil, err
			}
		}
		return v, nil
	}},
}

func createObject(_ *scope, a []any) (any, error) {
	if len(a)%2 != 0 {
		return nil, errors.New("keys and values come in pairs")
	}
	out := make(map[string]any, len(a)/2)
	for i := 0; i < len(a); i += 2 {
		key, err := asText(a[i])
		if err != nil {
			return nil, err
		}
		out[key] = a[i+1]
	}
	return out, nil
}

var numberFunctions = map[string]function{
	"add": arithmetic(func(a, b int64) (int64, error) { return a + b, nil }),
	"sub": arithmetic(func(a, b int64) (int64, error) { return a - b, nil }),
	"mul": arithmetic(func(a, b int64) (int64, error) { return a * b, nil }),
	"div": arithmetic(func(a, b int64) (int64, error) {
		if b == 0 {
			return 0, errors.New("division by zero")
		}
		return a / b, nil
	}),
	"mod": arithmetic(func(a, b int64) (int64, error) {
		if b == 0 {
			return 0, errors.New("division by zero")
		}
		return a % b, nil
	}),
	"int":   {1, 1, false, toInt},
	"float": {1, 1, false, toFloat},
	"min":   {1, -1, false, func(_ *scope, a []any) (any, error) { return extreme(a, func(x, y int) bool { return x < y }) }},
	"max":   {1, -1, false, func(_ *scope, a []any) (any, error) { return extreme(a, func(x, y int) bool { return x > y }) }},
}

// arithmetic computes with the 32 bits that integer lets through, so that
// nothing overflows.
func arithmetic(f func(a, b int64) (int64, error)) function {
	return function{2, 2, false, func(_ *scope, args []any) (any, error) {
		a, err := asInt(args[0])
		if err != nil {
			return nil, err
		}
		b, err := asInt(args[1])
		if err != nil {
			return nil, err
		}
		n, err := f(int64(a), int64(b))
		return fromInt(n), err
	}}
}

func toInt(_ *scope, a []any) (any, error) {
	n, err := asInt(a[0])
	return fromInt(int64(n)), err
}

func toFloat(_ *scope, a []any) (any, error) {
	f, err := strconv.ParseFloat(textOf(a[0]), 64)
	if err != nil || f != f || f > 1e300 || f < -1e300 {
		return nil, fmt.Errorf("expected a number, found %s", kindName(a[0]))
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), nil
}

func extreme(a []any, better func(x, y int) bool) (any, error) {
	if list, ok := a[0].([]any); ok && len(a) == 1 {
		a = list
	}
	if len(a) == 0 {
		return nil, errors.New("there is no number")
	}
	best, err := asInt(a[0])
	for _, v := range a {
		n, e := asInt(v)
		if e != nil {
			err = e
		}
		if better(n, best) {
			best = n
		}
	}
	return fromInt(int64(best)), err
}

var logicFunctions = map[string]function{
	"equals":          {2, 2, false, func(_ *scope, a []any) (any, error) { return equal(a[0], a[1]), nil }},
	"not":             {1, 1, false, func(_ *scope, a []any) (any, error) { b, err := asBool(a[0]); return !b, err }},
	"bool":            {1, 1, false, func(_ *scope, a []any) (any, error) { return asBool(a[0]) }},
	"true":            {0, 0, false, func(*scope, []any) (any, error) { return true, nil }},
	"false":           {0, 0, false, func(*scope, []any) (any, error) { return false, nil }},
	"null":            {0, 0, false, func(*scope, []any) (any, error) { return nil, nil }},
	"less":            compare(func(c int) bool { return c < 0 }),
	"lessorequals":    compare(func(c int) bool { return c <= 0 }),
	"greater":         compare(func(c int) bool { return c > 0 }),
	"greaterorequals": compare(func(c int) bool { return c >= 0 }),
}

func compare(ok func(c int) bool) function {
	return function{2, 2, false, func(_ *scope, a []any) (any, error) {
		x, isNumber := integer(a[0])
		y, both := integer(a[1])
		if isNumber && both {
			return ok(x - y), nil
		}
		s, err := asText(a[0])
		if err != nil {
			return nil, err
		}
		t, err := asText(a[1])
		return ok(strings.Compare(s, t)), err
	}}
}

func asBool(v any) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		if strings.EqualFold(v, "true") || strings.EqualFold(v, "false") {
			return strings.EqualFold(v, "true"), nil
		}
	case json.Number:
		return v.String() != "0", nil
	}
	return false, fmt.Errorf("expected true or false, found %s", kindName(v))
}

// fromEnd is the n-th item of a list counted from its end, from 1; outside of
// the list it is null when one may try.
func fromEnd(a []any, try bool) (any, error) {
	list, err := asList(a[0])
	if err != nil {
		return nil, err
	}
	n, err := asInt(a[1])
	switch {
	case err != nil:
		return nil, err
	case n >= 1 && n <= len(list):
		return list[len(list)-n], nil
	case try:
		return nil, nil
	}
	return nil, fmt.Errorf("the list has %d items; there is none %d from its end", len(list), n)
}
