package aca

import "reflect"

// DropReadOnly clears the read-only fields of a resource of this package, at
// any depth: what the service answers, and ignores in what it is sent
// (https://learn.microsoft.com/cli/azure/containerapp#az-containerapp-create).
// Fields of free form are left alone.
func DropReadOnly[T any](resource *T) { dropReadOnly(reflect.ValueOf(resource).Elem()) }

func dropReadOnly(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			dropReadOnly(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			dropReadOnly(v.Index(i))
		}
	case reflect.Struct:
		for _, f := range Fields(v.Type()) {
			if f.ReadOnly {
				v.Field(f.index).SetZero()
				continue
			}
			dropReadOnly(v.Field(f.index))
		}
	}
}
