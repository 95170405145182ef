package aca

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Answer makes a resource of this package, or what holds some, encode to JSON
// as the service answers with it. It is the usual encoding, except that
//
//   - fields tagged "answered" are there when they are unset, too: false and 0
//     for what always has a value, null for the rest. Clients find them so in
//     every recorded answer, and "az … --query" prints false rather than nothing.
//   - fields tagged "offset" are times in whole seconds with +00:00 for UTC, as
//     revisions have them while replicas have Z.
//
// The result holds v and may be encoded concurrently while nobody changes v.
func Answer(v any) json.Marshaler { return answer{v} }

type answer struct{ v any }

// MarshalJSON implements json.Marshaler.
func (a answer) MarshalJSON() ([]byte, error) {
	var e answerEncoder
	err := e.value(reflect.ValueOf(a.v))
	return e.b.Bytes(), err
}

type answerEncoder struct{ b bytes.Buffer }

var marshaler = reflect.TypeFor[json.Marshaler]()

func (e *answerEncoder) value(v reflect.Value) error {
	switch {
	case !v.IsValid():
		return e.plain(nil)
	case v.Type().Implements(marshaler):
		return e.plain(v.Interface())
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return e.value(v.Elem())
		}
	case reflect.Slice:
		if !v.IsNil() && v.Type().Elem().Kind() != reflect.Uint8 {
			return e.list(v)
		}
	case reflect.Struct:
		return e.object(v)
	}
	return e.plain(v.Interface())
}

// plain encodes as encoding/json does.
func (e *answerEncoder) plain(v any) error {
	enc := json.NewEncoder(&e.b)
	enc.SetEscapeHTML(false) // whoever encodes the whole decides
	if err := enc.Encode(v); err != nil {
		return err
	}
	e.b.Truncate(e.b.Len() - 1) // the line end
	return nil
}

func (e *answerEncoder) list(v reflect.Value) error {
	e.b.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			e.b.WriteByte(',')
		}
		if err := e.value(v.Index(i)); err != nil {
			return err
		}
	}
	e.b.WriteByte(']')
	return nil
}

func (e *answerEncoder) object(v reflect.Value) error {
	e.b.WriteByte('{')
	if err := e.members(v, e.b.Len()); err != nil {
		return err
	}
	e.b.WriteByte('}')
	return nil
}

// members writes the fields of a struct and of those embedded in it. The object
// begins at begin.
func (e *answerEncoder) members(v reflect.Value, begin int) error {
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if sf.Anonymous && name == "" {
			if err := e.members(v.Field(i), begin); err != nil {
				return err
			}
			continue
		}
		if !sf.IsExported() || name == "-" {
			continue
		}
		tags := strings.Split(sf.Tag.Get("aca"), ",")
		missing := unset(v.Field(i), options)
		if missing && !slices.Contains(tags, "answered") {
			continue
		}
		if e.b.Len() > begin {
			e.b.WriteByte(',')
		}
		if name == "" {
			name = sf.Name
		}
		if err := e.plain(name); err != nil {
			return err
		}
		e.b.WriteByte(':')
		if err := e.member(v.Field(i), missing, slices.Contains(tags, "offset")); err != nil {
			return err
		}
	}
	return nil
}

func (e *answerEncoder) member(v reflect.Value, missing, offset bool) error {
	switch {
	case missing && v.Kind() != reflect.Bool && !v.CanInt():
		return e.plain(nil)
	case offset:
		return e.plain(v.Interface().(time.Time).UTC().Format("2006-01-02T15:04:05-07:00"))
	}
	return e.value(v)
}

// unset says that encoding/json leaves the value out.
func unset(v reflect.Value, options string) bool {
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitzero":
			return v.IsZero()
		case "omitempty":
			switch v.Kind() {
			case reflect.Slice, reflect.Map, reflect.String:
				return v.Len() == 0
			case reflect.Struct, reflect.Array:
				return false
			}
			return v.IsZero()
		}
	}
	return false
}
