package change

import (
	"fmt"
	"maps"
	"strings"
)

// Tags returns the tags of an app with some added or changed, each written
// KEY=value or KEY. Others stay; an empty word changes nothing, as with az.
func Tags(current map[string]string, entries []string) (map[string]string, error) {
	out := maps.Clone(current)
	for _, entry := range entries {
		if entry == "" {
			continue
		}
		key, value, _ := strings.Cut(entry, "=")
		if key == "" {
			return nil, fmt.Errorf("%q is no tag: write KEY=value", entry)
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = value
	}
	return out, nil
}
