// Package saved holds queries for everyday questions about Container Apps:
// what failed, why a revision is not ready, where requests went. Each is a
// file in queries/, whose first line says what it answers.
package saved

import (
	"embed"
	"strings"
)

//go:embed queries/*.kql
var files embed.FS

// Query is a question with a name.
type Query struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Text        string `json:"query"`
}

// All returns the queries, sorted by name.
func All() []Query {
	entries, err := files.ReadDir("queries")
	if err != nil {
		panic("bug: embedded queries: " + err.Error())
	}
	list := make([]Query, 0, len(entries))
	for _, e := range entries {
		text, err := files.ReadFile("queries/" + e.Name())
		if err != nil {
			panic("bug: embedded queries: " + err.Error())
		}
		first, rest, _ := strings.Cut(string(text), "\n")
		list = append(list, Query{
			Name: strings.TrimSuffix(e.Name(), ".kql"), Description: strings.TrimPrefix(first, "// "), Text: strings.TrimRight(rest, "\n"),
		})
	}
	return list
}

// Find returns the query called name.
func Find(name string) (Query, bool) {
	for _, q := range All() {
		if q.Name == name {
			return q, true
		}
	}
	return Query{}, false
}
