package aca

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Field is what one key of a resource may hold. Fields are derived from the
// struct tags of the types of this package; callers must not change them.
type Field struct {
	Name     string       // ARM's spelling
	Type     reflect.Type // of the Go field
	Enum     []string     // the values, nil when any will do
	ReadOnly bool         // ignored when written
	Required bool
	Scalar   bool // numbers and booleans are read as their text

	index int
}

// Fields lists the keys of a struct type of this package in their order of
// declaration. It is safe for concurrent use.
func Fields(t reflect.Type) []Field {
	if cached, ok := fieldCache.Load(t); ok {
		return cached.([]Field)
	}
	fields := make([]Field, 0, t.NumField())
	for i := range t.NumField() {
		if f, ok := fieldOf(t.Field(i), i); ok {
			fields = append(fields, f)
		}
	}
	cached, _ := fieldCache.LoadOrStore(t, fields)
	return cached.([]Field)
}

var fieldCache sync.Map // reflect.Type → []Field

func fieldOf(sf reflect.StructField, index int) (Field, bool) {
	name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
	if name == "" || name == "-" {
		return Field{}, false
	}
	f := Field{Name: name, Type: sf.Type, index: index}
	if enum := sf.Tag.Get("enum"); enum != "" {
		f.Enum = strings.Split(enum, "|")
	}
	options := strings.Split(sf.Tag.Get("aca"), ",")
	f.ReadOnly = slices.Contains(options, "readonly")
	f.Required = slices.Contains(options, "required")
	f.Scalar = slices.Contains(options, "scalar")
	return f, true
}

// fieldNamed finds a key as ARM does, without regard to case.
func fieldNamed(fields []Field, key string) (Field, bool) {
	for _, f := range fields {
		if f.Name == key {
			return f, true
		}
	}
	for _, f := range fields {
		if strings.EqualFold(f.Name, key) {
			return f, true
		}
	}
	return Field{}, false
}
