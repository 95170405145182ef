package kqlcmd

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/acalocal/acalocal/logsink/kql"
)

// Formats are the ways Write can write a result.
var Formats = []string{"table", "json", "csv", "tsv", "markdown"}

// Write writes every table of a result in one of Formats.
func Write(w io.Writer, res *kql.Result, format string) error {
	bw := bufio.NewWriter(w)
	for i := range res.Tables {
		if i > 0 && format != "json" {
			fmt.Fprintln(bw)
		}
		if err := writeTable(bw, &res.Tables[i], format); err != nil {
			return err
		}
	}
	return bw.Flush()
}

func writeTable(w *bufio.Writer, t *kql.ResultTable, format string) error {
	switch format {
	case "table", "":
		return writeText(w, t)
	case "json":
		return writeJSON(w, t)
	case "csv":
		return writeCSV(w, t, ',')
	case "tsv":
		return writeCSV(w, t, '\t')
	case "markdown":
		return writeMarkdown(w, t)
	}
	return fmt.Errorf("unknown format %q: want one of %s", format, strings.Join(Formats, ", "))
}

// writeJSON writes one object a line, its keys in column order.
func writeJSON(w *bufio.Writer, t *kql.ResultTable) error {
	keys := make([][]byte, len(t.Columns))
	for i, c := range t.Columns {
		k, err := json.Marshal(c.Name)
		if err != nil {
			return err
		}
		keys[i] = append(k, ':')
	}
	var b []byte
	for row := range t.Each {
		b = append(b[:0], '{')
		for i, v := range row {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, keys[i]...)
			b = kql.AppendCell(b, v)
		}
		if _, err := w.Write(append(b, '}', '\n')); err != nil {
			return err
		}
	}
	return nil
}

// writeCSV writes a head and the rows. A row of one empty cell gets quotes:
// without them it is an empty line, which readers of CSV pass over.
func writeCSV(w *bufio.Writer, t *kql.ResultTable, comma rune) error {
	cw := csv.NewWriter(w)
	cw.Comma = comma
	rec := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		rec[i] = c.Name
	}
	if err := cw.Write(rec); err != nil {
		return err
	}
	for row := range t.Each {
		for i, v := range row {
			rec[i] = v.String()
		}
		if len(rec) == 1 && rec[0] == "" {
			cw.Flush()
			if _, err := w.WriteString("\"\"\n"); err != nil {
				return err
			}
			continue
		}
		if err := cw.Write(rec); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}

func writeMarkdown(w *bufio.Writer, t *kql.ResultTable) error {
	escape := strings.NewReplacer("|", `\|`, "\n", " ", "\r", "")
	w.WriteString("|")
	for _, c := range t.Columns {
		fmt.Fprintf(w, " %s |", escape.Replace(c.Name))
	}
	w.WriteString("\n|")
	for _, c := range t.Columns {
		if rightAligned(c.Type) {
			w.WriteString(" ---: |")
		} else {
			w.WriteString(" --- |")
		}
	}
	for row := range t.Each {
		w.WriteString("\n|")
		for _, v := range row {
			fmt.Fprintf(w, " %s |", escape.Replace(v.String()))
		}
	}
	_, err := w.WriteString("\n")
	return err
}

func rightAligned(t kql.Type) bool {
	return t == kql.Int || t == kql.Long || t == kql.Real || t == kql.Decimal
}

// maxCell is how many characters of a cell the text table shows.
const maxCell = 200

// writeText writes aligned columns for people; long cells are cut.
func writeText(w *bufio.Writer, t *kql.ResultTable) error {
	width := make([]int, len(t.Columns))
	var rows [][]string
	for i, c := range t.Columns {
		width[i] = utf8.RuneCountInString(c.Name)
	}
	for row := range t.Each {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = shown(v)
			width[i] = max(width[i], utf8.RuneCountInString(cells[i]))
		}
		rows = append(rows, cells)
	}
	header := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		header[i] = c.Name
	}
	for _, cells := range append([][]string{header}, rows...) {
		var line strings.Builder
		for i, s := range cells {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(s))
			if i > 0 {
				line.WriteString("  ")
			}
			if rightAligned(t.Columns[i].Type) {
				line.WriteString(pad + s)
			} else {
				line.WriteString(s + pad)
			}
		}
		if _, err := w.WriteString(strings.TrimRight(line.String(), " ") + "\n"); err != nil {
			return err
		}
	}
	return nil
}

func shown(v kql.Value) string {
	s := strings.NewReplacer("\n", "⏎", "\r", "", "\t", " ").Replace(v.String())
	if utf8.RuneCountInString(s) > maxCell {
		r := []rune(s)
		return string(r[:maxCell-1]) + "…"
	}
	return s
}

// WriteDiagnostics shows each finding below its line, with carets.
func WriteDiagnostics(w io.Writer, text string, ds kql.Diagnostics) {
	units := utf16Offsets(text)
	for _, d := range ds {
		start := byteOffset(units, d.Start, len(text))
		end := byteOffset(units, d.Start+d.Length, len(text))
		lineStart := strings.LastIndexByte(text[:start], '\n') + 1
		lineEnd := len(text)
		if n := strings.IndexByte(text[start:], '\n'); n >= 0 {
			lineEnd = start + n
		}
		line := strings.Count(text[:start], "\n") + 1
		col := utf8.RuneCountInString(text[lineStart:start]) + 1
		fmt.Fprintf(w, "%d:%d: %s %s: %s\n", line, col, d.Severity, d.Code, d.Message)
		marks := max(1, utf8.RuneCountInString(text[start:min(end, lineEnd)]))
		fmt.Fprintf(w, "    %s\n    %s%s\n", strings.ReplaceAll(text[lineStart:lineEnd], "\t", " "),
			strings.Repeat(" ", col-1), strings.Repeat("^", marks))
	}
}

// utf16Offsets maps each UTF-16 unit to its byte.
func utf16Offsets(text string) []int {
	var out []int
	for i, r := range text {
		out = append(out, i)
		if r > 0xffff {
			out = append(out, i)
		}
	}
	return out
}

func byteOffset(units []int, i, end int) int {
	if i < len(units) {
		return units[i]
	}
	return end
}
