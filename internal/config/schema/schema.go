// Package schema writes the JSON Schema of the files acalocal reads, for
// editors that complete and check while one types.
package schema

import (
	"reflect"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// draft is the dialect that editors understand best.
const draft = "http://json-schema.org/draft-07/schema#"

// ContainerApp is the schema of a container app file: a JSON document as plain
// values. Read-only fields are allowed, for files that were exported, and
// marked as such; keys that begin with x- may hold anything.
func ContainerApp() map[string]any {
	return document("Azure Container Apps container app", reflect.TypeFor[aca.ContainerApp]())
}

// Of is the schema of any struct whose fields carry the tags of package aca.
func Of(title string, t reflect.Type) map[string]any { return document(title, t) }

func document(title string, t reflect.Type) map[string]any {
	b := builder{definitions: map[string]any{}}
	schema := b.object(t)
	schema["$schema"] = draft
	schema["title"] = title
	schema["patternProperties"] = map[string]any{"^x-": true}
	schema["definitions"] = b.definitions
	return schema
}

// builder collects one definition per struct type.
type builder struct{ definitions map[string]any }

// ref makes sure the definition of a struct is there and points at it.
func (b *builder) ref(t reflect.Type) map[string]any {
	name := strings.TrimPrefix(t.Name(), "local")
	if _, ok := b.definitions[name]; !ok {
		b.definitions[name] = nil // holds the place while the type's fields are walked
		b.definitions[name] = b.object(t)
	}
	return map[string]any{"$ref": "#/definitions/" + name}
}

func (b *builder) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []any{}
	for _, f := range aca.Fields(t) {
		property := b.value(f.Type, f)
		if f.ReadOnly {
			property["readOnly"] = true
		}
		if text := description(t, f.Name); text != "" {
			property["description"] = text
		}
		properties[f.Name] = property
		if f.Required {
			required = append(required, f.Name)
		}
	}
	schema := map[string]any{"type": []any{"object", "null"}, "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

// value is the schema of one field. Azure reads numbers and booleans from text
// and takes null for "not given" everywhere, so the schema does, too.
func (b *builder) value(t reflect.Type, f aca.Field) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return b.value(t.Elem(), f)
	case reflect.Struct:
		return map[string]any{"allOf": []any{b.ref(t)}}
	case reflect.Slice:
		return map[string]any{"type": []any{"array", "null"}, "items": b.value(t.Elem(), f)}
	case reflect.Map:
		return map[string]any{"type": []any{"object", "null"}, "additionalProperties": b.value(t.Elem(), f)}
	case reflect.Bool:
		return map[string]any{"type": []any{"boolean", "null"}}
	case reflect.Int:
		return map[string]any{"type": []any{"integer", "string", "null"}, "pattern": `^-?\d+$`}
	case reflect.Float64:
		return map[string]any{"type": []any{"number", "string", "null"}, "pattern": `^\d*\.?\d+$`}
	case reflect.Interface:
		return map[string]any{}
	default:
		return text(f)
	}
}

func text(f aca.Field) map[string]any {
	if f.Enum != nil {
		return map[string]any{"type": []any{"string", "null"}, "enum": append(anyCase(f.Enum), "", nil)}
	}
	if f.Scalar {
		return map[string]any{"type": []any{"string", "number", "boolean", "null"}}
	}
	return map[string]any{"type": []any{"string", "null"}}
}

// anyCase lists enum values as the service answers with them and in lower
// case, as people write them; it reads any.
func anyCase(values []string) []any {
	var out []any
	seen := map[string]bool{}
	for _, v := range values {
		for _, spelling := range []string{v, strings.ToLower(v)} {
			if !seen[spelling] {
				seen[spelling] = true
				out = append(out, spelling)
			}
		}
	}
	return out
}

// description is what an editor shows for a key, "" when the name says it.
func description(t reflect.Type, key string) string { return descriptions[t.Name()+"."+key] }
