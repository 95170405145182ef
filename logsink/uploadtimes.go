package logsink

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/logsink/kql"
)

// UploadTimes returns cat, a catalog of a store, with TimeGenerated in the _CL
// tables as Log Analytics has it: when the collector has sent the row, 1 to
// 2.5 s after time_t, with one value for all rows of a batch; and _timestamp_d,
// when it has read them, up to 1.5 s after time_t. Batches are the rows of a
// second, of all containers.
//
// Values are computed from the stored time, so that a row has the same one in
// each query. They may lie in the future: a row whose upload is still to come
// would not be found on Azure, see [kql.Within].
func UploadTimes(cat kql.Catalog) kql.Catalog { return uploadCatalog{cat} }

// Times of uploads, in ticks: a batch is read up to 0.5 s after it has ended, and
// sent a second later.
const (
	uploadBatch  = 1e7
	uploadDelay  = 1e7
	uploadJitter = uploadBatch / 2 // less than uploadBatch: uploads keep their order
)

// uploadTime is when batch n is uploaded.
func uploadTime(n int64) int64 {
	h := uint64(n) * 0x9e3779b97f4a7c15 // https://prng.di.unimi.it/splitmix64.c
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	return (n+1)*uploadBatch + uploadDelay + int64((h^h>>27)%uploadJitter)
}

// collectedOf is when a row of time t is read, in seconds since 1970.
func collectedOf(t int64) float64 { return float64(uploadOf(t)-uploadDelay-ticksToUnix) / 1e7 }

// uploadOf is when a row of time t is uploaded.
func uploadOf(t int64) int64 { return uploadTime(t / uploadBatch) }

// uploadedFrom is the earliest time of a row that is uploaded at x or later.
func uploadedFrom(x int64) int64 {
	if x <= uploadTime(0) {
		return math.MinInt64
	}
	n := (x-uploadDelay)/uploadBatch - 1
	for uploadTime(n) < x {
		n++
	}
	return n * uploadBatch
}

type uploadCatalog struct{ kql.Catalog }

// Table implements kql.Catalog.
func (c uploadCatalog) Table(name string) (kql.Table, bool) {
	t, ok := c.Catalog.Table(name)
	if !ok || !strings.HasSuffix(name, "_CL") {
		return t, ok
	}
	s := t.Schema()
	return &uploadTable{t, s.TimeColumn(), s.Index("_timestamp_d")}, true
}

// uploadTable is a table whose times are those of the table below, moved.
type uploadTable struct {
	kql.Table
	time, collected int // ordinals of TimeGenerated, _timestamp_d
}

// IngestionTimeColumn implements kql.IngestionTimer.
func (t *uploadTable) IngestionTimeColumn() int { return t.time }

// Exact implements kql.ExactTable.
func (t *uploadTable) Exact(p kql.Predicate) bool {
	exact, ok := t.Table.(kql.ExactTable)
	preds, translated := t.below(p)
	return ok && translated && !slices.ContainsFunc(preds, func(p kql.Predicate) bool { return !exact.Exact(p) })
}

// Scan implements kql.Table.
func (t *uploadTable) Scan(ctx context.Context, req kql.ScanRequest) (kql.Scanner, error) {
	below := req
	if req.Time.From != 0 {
		below.Time.From = kql.Ticks(max(uploadedFrom(int64(req.Time.From)), 0))
	}
	if req.Time.To != 0 {
		below.Time.To = kql.Ticks(max(uploadedFrom(int64(req.Time.To)+1)-1, 1))
	}
	below.Predicates = nil
	for _, p := range req.Predicates {
		preds, ok := t.below(p)
		if !ok {
			below.Limit = 0 // it counts rows that pass all
		}
		below.Predicates = append(below.Predicates, preds...)
	}
	collected := slices.Contains(req.Columns, t.collected)
	if collected && !slices.Contains(req.Columns, t.time) {
		below.Columns = append(slices.Clone(req.Columns), t.time)
		slices.Sort(below.Columns)
	}
	s, err := t.Table.Scan(ctx, below)
	if err != nil {
		return nil, err
	}
	return &uploadScanner{s, t, collected}, nil
}

// below returns what a predicate means in the table below. It reports whether
// that is all it means.
func (t *uploadTable) below(p kql.Predicate) (preds []kql.Predicate, ok bool) {
	switch p.Column {
	case t.time:
	case t.collected:
		return nil, false
	default:
		return []kql.Predicate{p}, true
	}
	lo, hi, ok := bounds(p)
	if !ok {
		return nil, false
	}
	bound := func(op kql.PredicateOp, x int64) {
		preds = append(preds, kql.Predicate{Column: t.time, Op: op, Values: []kql.Value{{Type: kql.DateTime, Int: x}}})
	}
	if lo > math.MinInt64 {
		bound(kql.OpGreaterEqual, uploadedFrom(lo))
	}
	if hi < math.MaxInt64 {
		bound(kql.OpLess, uploadedFrom(hi+1))
	}
	return preds, true
}

// uploadScanner moves the times of blocks.
type uploadScanner struct {
	kql.Scanner
	table     *uploadTable
	collected bool // _timestamp_d is wanted
}

// RemainingTime implements kql.TimeBounder.
func (s *uploadScanner) RemainingTime() (newest kql.Ticks, ok bool) {
	b, ok := s.Scanner.(kql.TimeBounder)
	if !ok {
		return 0, false
	}
	newest, ok = b.RemainingTime()
	if newest <= 0 || newest > math.MaxInt64-4*uploadBatch {
		return newest, ok // no row is left, or any
	}
	return kql.Ticks(uploadOf(int64(newest))), ok
}

// Next implements kql.Scanner.
func (s *uploadScanner) Next(ctx context.Context) (*kql.Block, error) {
	b, err := s.Scanner.Next(ctx)
	if b == nil || err != nil || b.Columns[s.table.time] == nil {
		return b, err
	}
	written := b.Columns[s.table.time].Ints
	out := &kql.Block{Rows: b.Rows, Counts: b.Counts, Columns: slices.Clone(b.Columns)}
	uploads := make([]int64, b.Rows)
	for i, t := range written {
		uploads[i] = uploadOf(t)
	}
	out.Columns[s.table.time] = &kql.Vector{Type: kql.DateTime, Ints: uploads}
	if s.collected {
		reads := make([]float64, b.Rows)
		for i, t := range written {
			reads[i] = collectedOf(t)
		}
		out.Columns[s.table.collected] = &kql.Vector{Type: kql.Real, Reals: reads}
	}
	return out, nil
}
