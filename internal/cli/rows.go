package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/acalocal/acalocal/internal/api"
)

// rowFormats are the ways to print the answer to a query.
var rowFormats = map[string]func(io.Writer, []api.QueryTable) error{
	"table":    eachTable(writeRowsTable),
	"csv":      eachTable(writeRowsCSV),
	"tsv":      eachTable(writeRowsTSV),
	"markdown": eachTable(writeRowsMarkdown),
	"json":     writeRowsJSON,
}

// eachTable prints tables one after the other, named when there are several.
func eachTable(write func(io.Writer, api.QueryTable) error) func(io.Writer, []api.QueryTable) error {
	return func(w io.Writer, tables []api.QueryTable) error {
		for i, t := range tables {
			if len(tables) > 1 {
				if _, err := fmt.Fprintf(w, "%s%s:\n", strings.Repeat("\n", min(i, 1)), t.Name); err != nil {
					return err
				}
			}
			if err := write(w, t); err != nil {
				return err
			}
		}
		return nil
	}
}

func columnNames(t api.QueryTable) []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// textRow returns the cells of a row as text, edited by clean.
func textRow(row []json.RawMessage, clean func(string) string) []string {
	cells := make([]string, len(row))
	for i, c := range row {
		cells[i] = clean(cellText(c))
	}
	return cells
}

// cellText is a cell as people read it: strings without quotes, null as
// nothing.
func cellText(c json.RawMessage) string {
	if bytes.Equal(c, []byte("null")) {
		return ""
	}
	var s string
	if len(c) > 0 && c[0] == '"' && json.Unmarshal(c, &s) == nil {
		return s
	}
	return string(c)
}

// oneLine keeps a cell on its line.
var oneLine = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, "\x1b", `\x1b`).Replace

func writeRowsTable(w io.Writer, t api.QueryTable) error {
	out := newTable(columnNames(t)...)
	for _, row := range t.Rows {
		out.add(textRow(row, oneLine)...)
	}
	return out.write(w)
}

func writeRowsCSV(w io.Writer, t api.QueryTable) error {
	out := newCSV(w)
	if err := out.row(columnNames(t)); err != nil {
		return err
	}
	for _, row := range t.Rows {
		if err := out.row(textRow(row, strings.Clone)); err != nil {
			return err
		}
	}
	return out.end()
}

// csvWriter writes CSV. A row of one empty cell gets quotes: without them it is
// an empty line, which readers of CSV pass over.
type csvWriter struct {
	w    io.Writer
	rows *csv.Writer
}

func newCSV(w io.Writer) csvWriter { return csvWriter{w, csv.NewWriter(w)} }

func (c csvWriter) row(cells []string) error {
	if len(cells) != 1 || cells[0] != "" {
		return c.rows.Write(cells)
	}
	if err := c.end(); err != nil {
		return err
	}
	_, err := io.WriteString(c.w, "\"\"\n")
	return err
}

func (c csvWriter) end() error {
	c.rows.Flush()
	return c.rows.Error()
}

func writeRowsTSV(w io.Writer, t api.QueryTable) error {
	return writeJoined(w, t, "", "\t", "", oneLine, nil)
}

func writeRowsMarkdown(w io.Writer, t api.QueryTable) error {
	rule := make([]string, len(t.Columns))
	for i := range rule {
		rule[i] = "---"
	}
	clean := strings.NewReplacer("|", `\|`, "\n", "<br>", "\r", "").Replace
	return writeJoined(w, t, "| ", " | ", " |", clean, rule)
}

// writeJoined prints each row between left and right with sep between cells;
// rule, when given, is a row below the head.
func writeJoined(w io.Writer, t api.QueryTable, left, sep, right string, clean func(string) string, rule []string) error {
	var b strings.Builder
	line := func(cells []string) { b.WriteString(left + strings.Join(cells, sep) + right + "\n") }
	line(columnNames(t))
	if rule != nil {
		line(rule)
	}
	for _, row := range t.Rows {
		line(textRow(row, clean))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeRowsJSON prints all rows as one array of objects, columns in order.
// With several tables each row says which one it is of.
func writeRowsJSON(w io.Writer, tables []api.QueryTable) error {
	rows := []orderedRow{}
	for _, t := range tables {
		names := columnNames(t)
		for _, row := range t.Rows {
			if len(tables) > 1 {
				rows = append(rows, orderedRow{append([]string{"TableName"}, names...), append([]json.RawMessage{quoteJSON(t.Name)}, row...)})
				continue
			}
			rows = append(rows, orderedRow{names, row})
		}
	}
	return writeJSON(w, rows)
}

// azRows are the rows of all tables as "az monitor log-analytics query" has
// them: each names its table, and every value is as Python's str prints it.
func azRows(tables []api.QueryTable) []map[string]string {
	rows := []map[string]string{}
	for _, t := range tables {
		for _, cells := range t.Rows {
			row := map[string]string{"TableName": t.Name}
			for i, c := range t.Columns {
				row[c.Name] = pythonText(cells[i])
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func pythonText(c json.RawMessage) string {
	switch string(c) {
	case "null":
		return "None"
	case "true":
		return "True"
	case "false":
		return "False"
	}
	return cellText(c)
}

// orderedRow is a JSON object that keeps the order of its fields.
type orderedRow struct {
	names  []string
	values []json.RawMessage
}

// MarshalJSON implements json.Marshaler.
func (r orderedRow) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, name := range r.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, quoteJSON(name)...), ':')
		b = append(b, r.values[i]...)
	}
	return append(b, '}'), nil
}

func quoteJSON(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic("bug: a string does not encode: " + err.Error())
	}
	return b
}
