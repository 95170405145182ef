package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/logsink/kql"
)

// kqlHint says what a name in a query was probably meant to be, or which
// tables there are; "" when nothing better is known.
func kqlHint(cat kql.Catalog, text string, d kql.Diagnostic) string {
	name := marked(text, d.Start, d.Length)
	switch d.Code {
	case "KS142": // unknown name
		return nameHint(cat, text, name, d.Start)
	case "KS176": // query operator expected
		if near, ok := aca.Nearest(name, kqlOperators(cat)); ok {
			return "did you mean " + near + "?"
		}
	case "KS204": // unknown table
		tables := cat.Tables()
		if slices.Contains(tables, name) { // there it was not known
			return "with --strict-tables it exists from the first row on that can be found"
		}
		if near, ok := aca.Nearest(name, tables); ok {
			return "did you mean " + near + "?"
		}
		if len(tables) > 0 {
			return "the tables are " + strings.Join(tables, ", ")
		}
	}
	return ""
}

// nameHint says what a name that stands at a place was probably meant to be: an
// aggregate without its parentheses, a column that is there, a function.
func nameHint(cat kql.Catalog, text, name string, at int) string {
	c, err := kql.Complete(cat, text, at)
	if err != nil {
		return "" // a hint is not worth an error
	}
	var columns []string
	calls := map[kql.CompletionKind]bool{}
	for _, it := range c.Items {
		if it.Kind == kql.CompleteColumn {
			columns = append(columns, it.Text)
		}
		calls[it.Kind] = calls[it.Kind] || it.Text == name
	}
	near, ok := aca.Nearest(name, columns)
	switch {
	case ok && !calls[kql.CompleteAggregate]:
		return "did you mean " + near + "?"
	case calls[kql.CompleteAggregate], calls[kql.CompleteFunction]:
		return "did you mean " + name + "()?"
	}
	return ""
}

// kqlOperators are the operators that may follow a pipe.
func kqlOperators(cat kql.Catalog) []string {
	const query = "print x = 1 | "
	c, err := kql.Complete(cat, query, len(query))
	if err != nil {
		return nil // a hint is not worth an error
	}
	var out []string
	for _, it := range c.Items {
		if it.Kind == kql.CompleteOperator {
			out = append(out, strings.TrimSpace(it.Text))
		}
	}
	return out
}

// writeKQLHints prints a hint for the first finding that has one: what follows
// a mistyped word is often only its consequence.
func writeKQLHints(w io.Writer, cat kql.Catalog, text string, ds kql.Diagnostics) {
	for _, d := range ds {
		if hint := kqlHint(cat, text, d); hint != "" {
			fmt.Fprintf(w, "hint: %s\n", hint)
			return
		}
	}
}

// marked is the text of a span of UTF-16 units.
func marked(text string, start, length int) string {
	var out []rune
	at := 0
	for _, r := range text {
		if at >= start && at < start+length {
			out = append(out, r)
		}
		at += utf16Units(r)
	}
	return string(out)
}
