package api

import (
	"bufio"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// ExportHead is the first line of an export.
type ExportHead struct {
	Columns []QueryColumn `json:"columns"`
}

// ExportEnd is its last line: without it the export was cut off.
type ExportEnd struct {
	Rows  int64        `json:"rows"`
	Error *ErrorDetail `json:"error,omitempty"`
}

// export writes all rows of a query as lines: an ExportHead, an array of cells
// for each row, an ExportEnd. No limit of rows or bytes applies. A query that is
// the name of a table is read block by block, and is never held as a whole.
func (s *server) export(w http.ResponseWriter, r *http.Request) error {
	var b QueryBody
	if err := decodeJSON(r.Body, &b); err != nil {
		return err
	}
	span, err := parseTimespan(b.Timespan, time.Now())
	if err != nil {
		return badContent("timespan", "The timespan is not valid: %v.", err)
	}
	columns, blocks, err := s.rowsOf(r.Context(), b.Query, span)
	if err != nil {
		return queryError(err)
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := bufio.NewWriterSize(w, 64<<10) // keeps its first error: the client has gone
	writeLine(out, ExportHead{columnsOf(columns)})
	var end ExportEnd
	var line []byte
	for block, err := range blocks {
		if err != nil {
			end.Error = &ErrorDetail{Code: codeInternal, Message: err.Error()}
			break
		}
		part := kql.ResultTable{Columns: columns, Blocks: []*kql.Block{block}}
		for row := range part.Each {
			line = append(appendRow(line[:0], row), '\n')
			if _, err := out.Write(line); err != nil {
				return nil // the client has gone
			}
			end.Rows++
		}
	}
	writeLine(out, end)
	_ = out.Flush() // see above
	return nil
}

// rowsOf reads a table, or the answer to a query.
func (s *server) rowsOf(ctx context.Context, text string, span timespan) (kql.Schema, iter.Seq2[*kql.Block, error], error) {
	var within kql.TimeRange
	if !span.from.IsZero() {
		within.From = kql.TicksOf(span.from)
	}
	if !span.to.IsZero() {
		within.To = kql.TicksOf(span.to)
	}
	cat := kql.Within(s.Logs.Catalog(), within)
	if t, ok := cat.Table(strings.TrimSpace(text)); ok {
		return t.Schema(), scan(ctx, t), nil
	}
	result, err := kql.Query(ctx, cat, text, kql.Options{Limits: kql.NoLimits})
	if err != nil {
		return nil, nil, err
	}
	if len(result.Tables) == 0 {
		return nil, func(func(*kql.Block, error) bool) {}, nil
	}
	t := result.Tables[0]
	return t.Columns, func(yield func(*kql.Block, error) bool) {
		for _, b := range t.Blocks {
			if !yield(b, nil) {
				return
			}
		}
	}, nil
}

// scan yields the blocks of a table.
func scan(ctx context.Context, t kql.Table) iter.Seq2[*kql.Block, error] {
	return func(yield func(*kql.Block, error) bool) {
		all := make([]int, len(t.Schema()))
		for i := range all {
			all[i] = i
		}
		in, err := t.Scan(ctx, kql.ScanRequest{Columns: all})
		if err != nil {
			yield(nil, err)
			return
		}
		defer in.Close() // the rows that were read are whole
		for {
			b, err := in.Next(ctx)
			if err == nil && b == nil || !yield(b, err) || err != nil {
				return
			}
		}
	}
}

func writeLine(w *bufio.Writer, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("bug: a line does not encode: " + err.Error())
	}
	_, _ = w.Write(append(b, '\n')) // the writer keeps the error
}
