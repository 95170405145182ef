package schema

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/google/go-cmp/cmp"
)

func TestSchemaOfAProbe(t *testing.T) {
	text, err := json.Marshal(Of("HTTP header", reflect.TypeFor[aca.HTTPHeader]()))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"$schema":"http://json-schema.org/draft-07/schema#","additionalProperties":false,"definitions":{},"patternProperties":{"^x-":true},` +
		`"properties":{"name":{"type":["string","null"]},"value":{"type":["string","number","boolean","null"]}},"required":["name","value"],` +
		`"title":"HTTP header","type":["object","null"]}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
}

// TestEveryReferenceHasADefinition also holds every description against the
// fields that exist, so that a renamed field does not keep a stale one.
func TestEveryReferenceHasADefinition(t *testing.T) {
	schema := ContainerApp()
	definitions := schema["definitions"].(map[string]any)
	refs := 0
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				refs++
				if definitions[strings.TrimPrefix(ref, "#/definitions/")] == nil {
					t.Errorf("%s has no definition", ref)
				}
			}
			for _, below := range v {
				walk(below)
			}
		case []any:
			for _, below := range v {
				walk(below)
			}
		}
	}
	walk(schema)
	if refs < 20 {
		t.Errorf("only %d references", refs)
	}
	for key := range descriptions {
		owner, name, _ := strings.Cut(key, ".")
		object, ok := definitions[owner].(map[string]any)
		if owner == "ContainerApp" {
			object, ok = schema, true
		}
		if !ok || object["properties"].(map[string]any)[name] == nil {
			t.Errorf("the description of %s has no field", key)
		}
	}
}
