package aca

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
)

// codeInvalidSchema is what ARM answers to a body of the wrong shape.
const codeInvalidSchema = "ContainerAppInvalidSchema"

// Decode reads a resource from a tree of map[string]any, []any, string, bool,
// json.Number and nil, as leniently as Azure does: keys and enum values in any
// case, numbers written as strings, explicit nulls, read-only fields that came
// from a GET. What it cannot read it reports, with the path of the field, and
// goes on; the value holds the rest. Read-only fields are kept as they were
// written and never reported: one of the wrong shape is left out. It keeps no
// reference to tree, except below fields of free form.
func Decode[T any](tree any) (T, []Problem) {
	var v T
	var d decoder
	d.value(reflect.ValueOf(&v).Elem(), Field{}, tree, "")
	return v, d.problems
}

// DecodeJSON is Decode for JSON text. Text that is not one JSON value is one
// Problem with the path "".
func DecodeJSON[T any](data []byte) (T, []Problem) {
	tree, err := parseJSON(data)
	if err != nil {
		var zero T
		return zero, []Problem{{Code: "InvalidRequestContent", Message: "The request content was invalid and could not be deserialized: '" + err.Error() + "'."}}
	}
	return Decode[T](tree)
}

func parseJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the end of the JSON value")
	}
	return tree, nil
}

type decoder struct{ problems }

// value reads tree into v; f says what is known of the key it stands under.
func (d *decoder) value(v reflect.Value, f Field, tree any, path Path) {
	if tree == nil {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		elem := reflect.New(v.Type().Elem())
		before := len(d.problems)
		d.value(elem.Elem(), f, tree, path)
		if len(Errors(d.problems[before:])) == 0 || elem.Elem().Kind() == reflect.Struct {
			v.Set(elem)
		}
	case reflect.Struct:
		d.object(v, tree, path)
	case reflect.Slice:
		d.list(v, f, tree, path)
	case reflect.Map:
		d.dictionary(v, f, tree, path)
	case reflect.Interface:
		v.Set(reflect.ValueOf(tree))
	default:
		d.scalar(v, f, tree, path)
	}
}

func (d *decoder) object(v reflect.Value, tree any, path Path) {
	object, ok := tree.(map[string]any)
	if !ok {
		d.wrongType(path, "an object", tree)
		return
	}
	fields := Fields(v.Type())
	for _, key := range slices.Sorted(maps.Keys(object)) {
		f, ok := fieldNamed(fields, key)
		if !ok && object[key] == nil && isOurs(v.Type()) {
			continue // a GET of a later API version writes what is not set as null
		}
		if !ok && slices.Contains(answeredHere[v.Type()], key) {
			continue
		}
		if !ok {
			d.unknownKey(path.Field(key), key, v.Type())
			continue
		}
		if f.Name != key {
			if _, both := object[f.Name]; both {
				d.errorf(path.Field(key), codeInvalidSchema, "%q and %q are the same key", key, f.Name).OnKey = true
				continue
			}
		}
		if f.ReadOnly {
			readOnly(v.Field(f.index), f, object[key])
			continue
		}
		d.value(v.Field(f.index), f, object[key], path.Field(key))
	}
}

// answeredHere are the keys that answers of this machine have beside ARM's. One
// that comes back is no mistake.
var answeredHere = map[reflect.Type][]string{
	reflect.TypeFor[ContainerApp]():    {"local", "revisions"},
	reflect.TypeFor[HTTPRouteConfig](): {"local"},
}

// readOnly keeps what a GET has answered. The service ignores it when it is
// written, so it can be no mistake.
func readOnly(v reflect.Value, f Field, tree any) {
	var d decoder
	if d.value(v, f, tree, ""); len(d.problems) > 0 {
		v.SetZero()
	}
}

func (d *decoder) list(v reflect.Value, f Field, tree any, path Path) {
	items, ok := tree.([]any)
	if !ok {
		d.wrongList(path, v.Type().Elem(), tree)
		return
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		if item == nil && v.Type().Elem().Kind() == reflect.Struct {
			d.errorf(path.Index(i), codeInvalidSchema, "the list item is empty")
			continue
		}
		d.value(out.Index(i), f, item, path.Index(i))
	}
	v.Set(out)
}

func (d *decoder) dictionary(v reflect.Value, f Field, tree any, path Path) {
	object, ok := tree.(map[string]any)
	if !ok {
		d.wrongType(path, "an object", tree)
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(object))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		elem := reflect.New(v.Type().Elem()).Elem()
		d.value(elem, f, object[key], path.Field(key))
		out.SetMapIndex(reflect.ValueOf(key), elem)
	}
	v.Set(out)
}

func (d *decoder) wrongType(path Path, want string, tree any) *Problem {
	return d.errorf(path, codeInvalidSchema, "expected %s, found %s", want, describe(tree))
}

func (d *decoder) wrongList(path Path, elem reflect.Type, tree any) {
	p := d.wrongType(path, "a list", tree)
	switch tree := tree.(type) {
	case map[string]any:
		p.Hint = `begin each item of the list with "- "`
	case string:
		if elem.Kind() == reflect.String {
			p.Hint = "write one item per word: " + quoteList(splitWords(tree)) + "; no shell splits it"
		}
	}
}

// describe names a value in the user's words.
func describe(tree any) string {
	switch v := tree.(type) {
	case nil:
		return "nothing"
	case bool:
		return fmt.Sprintf("the boolean %t", v)
	case json.Number:
		return "the number " + v.String()
	case string:
		return fmt.Sprintf("the string %q", clip(v))
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	default:
		return fmt.Sprint(v)
	}
}

// clip keeps messages readable when a value is not.
func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
