package cli

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// seconds is a duration as progress shows it.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// sortedNames returns the keys of a map in order.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
