package kqlcmd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/acalocal/acalocal/logsink/kql"
)

// request is one line of a batch.
type request struct {
	Name  string `json:"name"`
	Query string `json:"query"`
}

type columnSpec struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// diagnostic is how a batch reports a finding: without the severity.
type diagnostic struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Start   int    `json:"start"`
	Length  int    `json:"length"`
}

// Batch runs the queries of r, lines of {"name","query"}, in order and writes
// for each a line of {"name","columns","rows"} or {"name","diagnostics"}. A
// query that fails does not end the batch; only reading, writing and ctx do.
func Batch(ctx context.Context, cat kql.Catalog, r io.Reader, w io.Writer, opts kql.Options) error {
	bw := bufio.NewWriter(w)
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxLine)
	for n := 1; sc.Scan(); n++ {
		if len(sc.Bytes()) == 0 {
			continue
		}
		var req request
		if err := json.Unmarshal(sc.Bytes(), &req); err != nil {
			return fmt.Errorf("batch line %d: %w", n, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		line, err := answer(ctx, cat, req, opts)
		if err != nil {
			return fmt.Errorf("batch line %d: %w", n, err)
		}
		if _, err := bw.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	if err := sc.Err(); err != nil {
		return err
	}
	return bw.Flush()
}

func answer(ctx context.Context, cat kql.Catalog, req request, opts kql.Options) ([]byte, error) {
	res, err := kql.Query(ctx, cat, req.Query, opts)
	if err == nil && len(res.Tables) > 0 {
		return result(req.Name, &res.Tables[0])
	}
	if err == nil {
		return result(req.Name, &kql.ResultTable{})
	}
	return json.Marshal(struct {
		Name        string       `json:"name"`
		Diagnostics []diagnostic `json:"diagnostics"`
	}{req.Name, findings(err)})
}

// findings turns any error of a query into diagnostics.
func findings(err error) []diagnostic {
	var ds kql.Diagnostics
	if !errors.As(err, &ds) {
		return []diagnostic{{Code: "KQL900", Message: err.Error()}}
	}
	out := make([]diagnostic, len(ds))
	for i, d := range ds {
		out[i] = diagnostic{d.Code, d.Message, d.Start, d.Length}
	}
	return out
}

func result(name string, t *kql.ResultTable) ([]byte, error) {
	cols := make([]columnSpec, len(t.Columns))
	for i, c := range t.Columns {
		cols[i] = columnSpec{c.Name, c.Type.String()}
	}
	head, err := json.Marshal(struct {
		Name    string       `json:"name"`
		Columns []columnSpec `json:"columns"`
	}{name, cols})
	if err != nil {
		return nil, err
	}
	b := append(head[:len(head)-1], `,"rows":[`...)
	first := true
	for row := range t.Each {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '[')
		for i, v := range row {
			if i > 0 {
				b = append(b, ',')
			}
			b = kql.AppendCell(b, v)
		}
		b = append(b, ']')
	}
	return append(b, "]}"...), nil
}
