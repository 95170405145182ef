package cli

import (
	"fmt"
	"io"

	"github.com/acalocal/acalocal/logsink/saved"
)

func savedNames() []string {
	var names []string
	for _, q := range saved.All() {
		names = append(names, q.Name)
	}
	return names
}

// savedText returns the text of a saved query.
func savedText(name string) (string, error) {
	if q, ok := saved.Find(name); ok {
		return q.Text, nil
	}
	return "", misuse(fmt.Errorf("no saved query is named %q", name), `see "acalocal logs query --list"`)
}

// listSaved prints the names of the saved queries and what they answer.
func listSaved(w io.Writer, format string, asJSON bool) error {
	if asJSON || format == "json" {
		return writeJSON(w, saved.All())
	}
	t := newTable("NAME", "ANSWERS")
	for _, q := range saved.All() {
		t.add(q.Name, q.Description)
	}
	return t.write(w)
}
