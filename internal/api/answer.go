package api

import (
	"bufio"
	"encoding/json"
	"net/http"

	"github.com/acalocal/acalocal/logsink/kql"
)

// answerWriter writes a result as JSON while it reads it: a large answer is
// never held as a whole beside the result.
type answerWriter struct {
	w    *bufio.Writer
	cell []byte
	size int64 // bytes of the rows of this table
}

// answerEnd is what follows the tables of an answer.
type answerEnd struct {
	Render     any `json:"render,omitempty"`
	Statistics any `json:"statistics,omitempty"`
	Error      any `json:"error,omitempty"`
}

// codePartial is the code of an answer that was cut.
const codePartial = "PartialError"

// writeAnswer answers 200 with a result. sizes are given to end: the bytes of
// the rows of each table.
func writeAnswer(w http.ResponseWriter, result *kql.Result, end func(sizes []int64) answerEnd) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	a := &answerWriter{w: bufio.NewWriterSize(w, 64<<10)}
	// Errors of writing stay in the bufio.Writer: the client has gone.
	sizes := make([]int64, len(result.Tables))
	a.text(`{"tables":[`)
	for i := range result.Tables {
		if i > 0 {
			a.text(",")
		}
		a.table(&result.Tables[i])
		sizes[i] = a.size
	}
	a.text("]")
	a.end(end(sizes))
	_ = a.w.Flush()
	return nil
}

func (a *answerWriter) text(s string) { _, _ = a.w.WriteString(s) }

func (a *answerWriter) json(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("bug: an answer does not encode: " + err.Error())
	}
	return b
}

func (a *answerWriter) table(t *kql.ResultTable) {
	a.text(`{"name":`)
	_, _ = a.w.Write(a.json(t.Name))
	a.text(`,"columns":`)
	_, _ = a.w.Write(a.json(columnsOf(t.Columns)))
	a.text(`,"rows":[`)
	a.size = 0
	for row := range t.Each {
		if !a.row(row) {
			break
		}
	}
	a.text("]}")
}

// row writes a row. It reports whether the client is there to read it.
func (a *answerWriter) row(row []kql.Value) bool {
	b := a.cell[:0]
	if a.size > 0 {
		b = append(b, ',')
	}
	b = appendRow(b, row)
	a.cell = b
	a.size += int64(len(b))
	_, err := a.w.Write(b)
	return err == nil
}

func (a *answerWriter) end(e answerEnd) {
	if b := a.json(e); len(b) > 2 {
		a.text(",")
		_, _ = a.w.Write(b[1:])
		a.text("\n")
		return
	}
	a.text("}\n")
}

func columnsOf(s kql.Schema) []QueryColumn {
	columns := make([]QueryColumn, len(s))
	for i, c := range s {
		columns[i] = QueryColumn{c.Name, c.Type.String()}
	}
	return columns
}

// appendRow encodes a row as an array.
func appendRow(b []byte, row []kql.Value) []byte {
	b = append(b, '[')
	for i, v := range row {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCell(b, v)
	}
	return append(b, ']')
}

// appendCell encodes a cell. Log Analytics sends dynamics as text that holds
// JSON, so that clients need not understand it.
func appendCell(b []byte, v kql.Value) []byte {
	if v.Type != kql.Dynamic || v.Null {
		return kql.AppendCell(b, v)
	}
	quoted, err := json.Marshal(string(kql.AppendCell(nil, v)))
	if err != nil {
		panic("bug: a string does not encode: " + err.Error())
	}
	return append(b, quoted...)
}
