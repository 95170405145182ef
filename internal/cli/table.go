package cli

import (
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"
)

// table is text in columns, for people. Columns may change; --json may not.
type table struct {
	rows [][]string
}

// newTable starts a table with its head.
func newTable(head ...string) *table { return &table{rows: [][]string{head}} }

// add appends a row. An empty cell shows as "-", so that columns can be told
// apart and cut by tools that split on spaces.
func (t *table) add(cells ...string) {
	for i := range cells {
		if cells[i] == "" {
			cells[i] = "-"
		}
	}
	t.rows = append(t.rows, cells)
}

// write prints the table, columns two spaces apart, nothing after the last.
func (t *table) write(w io.Writer) error {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeJSON prints v for programs: indented, and <, > and & as they are.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
