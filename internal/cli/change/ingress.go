package change

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/acalocal/acalocal/emulator/aca"
)

// IngressFields names the settings of an ingress that differ, sorted, as a
// definition spells them. Traffic and target port are told of by steps of
// their own.
func IngressFields(before, after *aca.Ingress) []string {
	was, is := ingressFields(before), ingressFields(after)
	var out []string
	for _, name := range fieldNames(was, is) {
		if name != "fqdn" && name != "traffic" && name != "targetPort" && !reflect.DeepEqual(was[name], is[name]) {
			out = append(out, name)
		}
	}
	return out
}

func fieldNames(a, b map[string]any) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func ingressFields(in *aca.Ingress) map[string]any {
	text, err := json.Marshal(in)
	if err != nil {
		panic(fmt.Sprintf("bug: an ingress that was read cannot be written: %v", err))
	}
	out := map[string]any{}
	if err := json.Unmarshal(text, &out); err != nil {
		panic(fmt.Sprintf("bug: an ingress that was written cannot be read: %v", err))
	}
	return out
}
