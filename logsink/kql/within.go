package kql

import (
	"context"
	"slices"
)

// Within returns cat with its tables limited to rows whose time column (see
// Schema.TimeColumn) lies in span, both ends included: what the timespan of a
// Log Analytics request does beside the query's own filters. Tables without a
// time column stay as they are.
func Within(cat Catalog, span TimeRange) Catalog {
	if span == (TimeRange{}) {
		return cat
	}
	return spanCatalog{cat, span}
}

type spanCatalog struct {
	Catalog
	span TimeRange
}

func (c spanCatalog) Table(name string) (Table, bool) {
	t, ok := c.Catalog.Table(name)
	if !ok || t.Schema().TimeColumn() < 0 {
		return t, ok
	}
	return spanTable{t, c.span}, true
}

type spanTable struct {
	Table
	span TimeRange
}

// IngestionTimeColumn is that of the table below, or none.
func (t spanTable) IngestionTimeColumn() int {
	if timer, ok := t.Table.(IngestionTimer); ok {
		return timer.IngestionTimeColumn()
	}
	return -1
}

// ViewOf implements ViewTable as the table below does.
func (t spanTable) ViewOf() string {
	if v, ok := t.Table.(ViewTable); ok {
		return v.ViewOf()
	}
	return ""
}

// Exact implements ExactTable as far as the table below does.
func (t spanTable) Exact(p Predicate) bool {
	exact, ok := t.Table.(ExactTable)
	return ok && exact.Exact(p)
}

// Scan narrows the request when the table below is exact about times. Else it
// narrows the advice and filters what comes, because advice may be ignored;
// a limit is dropped then: it counts rows before the filter.
func (t spanTable) Scan(ctx context.Context, req ScanRequest) (Scanner, error) {
	column := t.Schema().TimeColumn()
	req.Time = req.Time.intersect(t.span)
	if preds := t.span.predicates(column); t.exact(preds) {
		req.Predicates = append(preds, req.Predicates...)
		return t.Table.Scan(ctx, req)
	}
	req.Columns = withColumn(req.Columns, column)
	req.Limit, req.Counted = 0, false
	s, err := t.Table.Scan(ctx, req)
	if err != nil {
		return nil, err
	}
	return &spanScanner{s, t.span, column}, nil
}

func (t spanTable) exact(preds []Predicate) bool {
	return !slices.ContainsFunc(preds, func(p Predicate) bool { return !t.Exact(p) })
}

// predicates returns the tests of a time column that r stands for.
func (r TimeRange) predicates(column int) (preds []Predicate) {
	bound := func(op PredicateOp, t Ticks) {
		if t != 0 {
			preds = append(preds, Predicate{Column: column, Op: op, Values: []Value{{Type: DateTime, Int: int64(t)}}})
		}
	}
	bound(OpGreaterEqual, r.From)
	bound(OpLessEqual, r.To)
	return preds
}

func (r TimeRange) intersect(o TimeRange) TimeRange {
	if o.From != 0 && (r.From == 0 || r.From < o.From) {
		r.From = o.From
	}
	if o.To != 0 && (r.To == 0 || r.To > o.To) {
		r.To = o.To
	}
	return r
}

func (r TimeRange) contains(t Ticks) bool {
	return (r.From == 0 || t >= r.From) && (r.To == 0 || t <= r.To)
}

// withColumn inserts a column into an ascending list that lacks it.
func withColumn(columns []int, column int) []int {
	out := make([]int, 0, len(columns)+1)
	for _, c := range columns {
		if column >= 0 && c >= column {
			if c > column {
				out = append(out, column)
			}
			column = -1
		}
		out = append(out, c)
	}
	if column >= 0 {
		out = append(out, column)
	}
	return out
}

type spanScanner struct {
	Scanner
	span   TimeRange
	column int
}

func (s *spanScanner) Next(ctx context.Context) (*Block, error) {
	for {
		b, err := s.Scanner.Next(ctx)
		if b == nil || err != nil {
			return b, err
		}
		times := b.Columns[s.column]
		var keep []int32
		for i := range b.Rows {
			if v := times.Value(i); !v.Null && s.span.contains(Ticks(v.Int)) {
				keep = append(keep, int32(i))
			}
		}
		switch len(keep) {
		case b.Rows:
			return b, nil
		case 0:
			continue
		}
		return b.gather(keep), nil
	}
}
