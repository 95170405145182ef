// Package kqlrows reads the rows of a query's answer into structs.
package kqlrows

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/acalocal/acalocal/internal/api"
)

// Read stores the rows of a table in rows, a pointer to a slice of structs or of
// map[string]any. A column is stored in the field of its name, whatever the
// case, or the one tagged `kql:"Column"`; every exported field needs a column.
// Values are decoded as JSON; null leaves a field as it is.
func Read(t api.QueryTable, rows any) error {
	p := reflect.ValueOf(rows)
	if p.Kind() != reflect.Pointer || p.Elem().Kind() != reflect.Slice {
		return fmt.Errorf("rows are stored in a pointer to a slice, not in %T", rows)
	}
	slice := p.Elem()
	element := slice.Type().Elem()
	store, err := storerFor(t, element)
	if err != nil {
		return err
	}
	slice.SetLen(0)
	for n, row := range t.Rows {
		v := reflect.New(element).Elem()
		for i, cell := range row {
			if err := store(v, i, cell); err != nil {
				return fmt.Errorf("row %d, column %s: %w", n+1, t.Columns[i].Name, err)
			}
		}
		slice.Set(reflect.Append(slice, v))
	}
	return nil
}

// storer stores a cell in its place in a row.
type storer func(row reflect.Value, column int, cell json.RawMessage) error

func storerFor(t api.QueryTable, element reflect.Type) (storer, error) {
	switch {
	case element == reflect.TypeFor[map[string]any]():
		return func(row reflect.Value, column int, cell json.RawMessage) error {
			if row.IsNil() {
				row.Set(reflect.MakeMap(element))
			}
			var v any
			if err := json.Unmarshal(cell, &v); err != nil {
				return err
			}
			value := reflect.ValueOf(&v).Elem()
			row.SetMapIndex(reflect.ValueOf(t.Columns[column].Name), value)
			return nil
		}, nil
	case element.Kind() == reflect.Struct:
		fields, err := fieldsOf(t, element)
		return func(row reflect.Value, column int, cell json.RawMessage) error {
			field, ok := fields[column]
			if !ok {
				return nil
			}
			return decode(cell, row.Field(field))
		}, err
	}
	return nil, fmt.Errorf("a row is a struct or a map[string]any, not a %s", element)
}

// fieldsOf are the fields by the index of their columns.
func fieldsOf(t api.QueryTable, element reflect.Type) (map[int]int, error) {
	fields := map[int]int{}
	for i := range element.NumField() {
		f := element.Field(i)
		if !f.IsExported() {
			continue
		}
		name, tagged := f.Tag.Lookup("kql")
		if !tagged {
			name = f.Name
		}
		column := columnOf(t, name, tagged)
		if column < 0 {
			return nil, fmt.Errorf("the answer has no column for the field %s; it has %s", f.Name, columnNames(t))
		}
		fields[column] = i
	}
	return fields, nil
}

func columnOf(t api.QueryTable, name string, exact bool) int {
	for i, c := range t.Columns {
		if c.Name == name || !exact && strings.EqualFold(c.Name, name) {
			return i
		}
	}
	return -1
}

func columnNames(t api.QueryTable) string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// decode stores a cell. A string takes any value as it is written, and a
// dynamic, which comes as text that holds JSON, may go into anything.
func decode(cell json.RawMessage, field reflect.Value) error {
	err := json.Unmarshal(cell, field.Addr().Interface())
	if err == nil {
		return nil
	}
	var text string
	isText := json.Unmarshal(cell, &text) == nil
	switch {
	case field.Kind() == reflect.String && !isText:
		field.SetString(string(cell))
		return nil
	case isText && json.Unmarshal([]byte(text), field.Addr().Interface()) == nil:
		return nil
	}
	return err
}
