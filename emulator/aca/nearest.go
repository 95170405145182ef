package aca

import (
	"slices"
	"strconv"
	"strings"
)

// Nearest returns the candidate that s was most likely meant to be, without
// regard to case, dashes and underscores; ok is false when none is near.
func Nearest(s string, candidates []string) (nearest string, ok bool) {
	if len(s) > 64 {
		return "", false
	}
	folded := foldKey(s)
	best := 1 + max(1, len(folded)/3)
	for _, c := range candidates {
		if d := distance(folded, foldKey(c), best); d < best {
			nearest, best, ok = c, d, true
		}
	}
	return nearest, ok
}

func foldKey(s string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(s))
}

// distance counts the edits (insert, delete, replace, swap of neighbours) from
// a to b; at or above limit any number may come back that is not below it.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		cur[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			cur[j+1] = min(prev[j]+cost, prev[j+1]+1, cur[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				cur[j+1] = min(cur[j+1], before[j-1]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}

// didYouMean is the hint for a word that is none of the allowed ones.
func didYouMean(s string, allowed []string) string {
	if near, ok := Nearest(s, allowed); ok {
		return "did you mean " + strconv.Quote(near) + "?"
	}
	if len(allowed) == 0 {
		return ""
	}
	return "use one of " + strings.Join(allowed, ", ")
}

func quoteList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func splitWords(s string) []string {
	words := strings.Fields(s)
	return words[:min(len(words), 12):len(words)]
}

func sortedUnique(words []string) []string {
	words = slices.Clone(words)
	slices.Sort(words)
	return slices.Compact(words)
}
