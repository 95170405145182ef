package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"strings"

	"github.com/acalocal/acalocal/internal/api"
)

// exportWriter writes rows in a format.
type exportWriter func(w io.Writer, columns []api.QueryColumn, rows iter.Seq2[[]json.RawMessage, error]) error

var exportWriters = map[string]exportWriter{
	"jsonl":   exportJSONLines,
	"csv":     exportCSV,
	"parquet": exportParquet,
}

// exportJSONLines writes an object a line. Dynamics are the JSON they hold.
func exportJSONLines(w io.Writer, columns []api.QueryColumn, rows iter.Seq2[[]json.RawMessage, error]) error {
	out := bufio.NewWriterSize(w, 64<<10)
	names := make([][]byte, len(columns))
	for i, c := range columns {
		names[i] = append(quoteJSON(c.Name), ':')
	}
	var line []byte
	for row, err := range rows {
		if err != nil {
			return err
		}
		line = append(line[:0], '{')
		for i, cell := range row {
			if i > 0 {
				line = append(line, ',')
			}
			line = append(line, names[i]...)
			if columns[i].Type == "dynamic" && !bytes.Equal(cell, []byte("null")) {
				cell = json.RawMessage(cellText(cell))
			}
			line = append(line, cell...)
		}
		if _, err := out.Write(append(line, '}', '\n')); err != nil {
			return err
		}
	}
	return out.Flush()
}

func exportCSV(w io.Writer, columns []api.QueryColumn, rows iter.Seq2[[]json.RawMessage, error]) error {
	out := newCSV(w)
	if err := out.row(columnNames(api.QueryTable{Columns: columns})); err != nil {
		return err
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		if err := out.row(textRow(row, strings.Clone)); err != nil {
			return err
		}
	}
	return out.end()
}
