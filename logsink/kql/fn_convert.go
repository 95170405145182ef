package kql

import (
	"fmt"
	"strings"
)

var convertFns = []scalarFn{
	{name: "tostring", sig: "any -> string", named: asArg, make: converter(String)},
	{name: "toint", sig: "any -> int", named: asArg, make: converter(Int)},
	{name: "tolong", sig: "any -> long", named: asArg, make: converter(Long)},
	{name: "toreal", sig: "any -> real", named: asArg, make: converter(Real)},
	{name: "todouble", sig: "any -> real", named: asArg, make: converter(Real)},
	{name: "todecimal", sig: "any -> decimal", named: asArg, make: converter(Decimal)},
	{name: "tobool", sig: "any -> bool", named: asArg, make: converter(Bool)},
	{name: "toboolean", sig: "any -> bool", named: asArg, make: converter(Bool)},
	{name: "todatetime", sig: "any -> datetime", named: asArg, make: converter(DateTime)},
	{name: "totimespan", sig: "any -> timespan", named: asArg, make: converter(TimeSpan)},
	{name: "toguid", sig: "any -> guid", named: asArg, make: converter(GUID)},
	{name: "todynamic", sig: "any -> dynamic", named: asArg, make: rows(parseJSON)},
	{name: "toobject", sig: "any -> dynamic", named: asArg, make: rows(parseJSON)},
	{name: "parse_json", sig: "any -> dynamic", named: asArg, make: rows(parseJSON)},
	{name: "parsejson", sig: "any -> dynamic", named: asArg, make: rows(parseJSON)},
	{name: "tohex", sig: "integer, integer? -> string", named: asArg, make: strict(toHex)},
	{name: "gettype", sig: "any -> string", named: prefixed("type_"), make: rows(getType)},
	{name: "dynamic_to_json", sig: "any -> string", make: rows(func(a []Value) Value {
		if a[0].Null {
			return stringValue("")
		}
		return stringValue(string(AppendJSON(nil, sortedBags(a[0].dynamic()))))
	})},
}

func converter(t Type) maker {
	return func(*callSite) kernel {
		return func(_ *run, vs []*Vector, n int) *Vector {
			v := *vs[0]
			one := v.one
			v.one = false
			out := convertVector(&v, t, n)
			if one && out == &v {
				out.one = true
			}
			return out
		}
	}
}

// parseJSON gives the value of a JSON text; a text that is none is itself.
func parseJSON(a []Value) Value {
	if a[0].Type != String {
		return dynamicValue(a[0].dynamic())
	}
	s := strings.TrimSpace(a[0].Str)
	if s == "" {
		return nullValue(Dynamic)
	}
	if d, ok := ParseDynamic(s); ok {
		return dynamicValue(d)
	}
	return dynamicValue(a[0].Str)
}

func toHex(a []Value) Value {
	var s string
	if a[0].Type == Int {
		s = fmt.Sprintf("%x", uint32(a[0].Int))
	} else {
		s = fmt.Sprintf("%x", uint64(a[0].Int))
	}
	if len(a) > 1 && a[1].Int <= 64 {
		for int64(len(s)) < a[1].Int {
			s = "0" + s
		}
	}
	return stringValue(s)
}

func getType(a []Value) Value {
	t := a[0]
	if t.Type == Dynamic {
		switch t.Any.(type) {
		case nil:
			return stringValue("null")
		case []any:
			return stringValue("array")
		case *Bag:
			return stringValue("dictionary")
		}
		t = fromDynamic(t.Any)
	}
	if t.Null {
		return stringValue("null")
	}
	return stringValue(t.Type.String())
}

// sortedBags returns d with the keys of every bag in order.
func sortedBags(d any) any {
	switch d := d.(type) {
	case []any:
		out := make([]any, len(d))
		for i, e := range d {
			out[i] = sortedBags(e)
		}
		return out
	case *Bag:
		out := &Bag{}
		for _, k := range sortedUnique(append([]string(nil), d.keys...)) {
			v, _ := d.Get(k)
			out.Set(k, sortedBags(v))
		}
		return out
	}
	return d
}
