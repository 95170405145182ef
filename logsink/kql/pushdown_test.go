package kql_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/logsink/kql"
)

// spyTable records the requests of its scans. Its blocks, one row each, go
// back in time; its scanner knows how old the rest is.
type spyTable struct {
	cols     kql.Schema
	rows     int
	requests []kql.ScanRequest
	read     int
}

func (t *spyTable) Schema() kql.Schema { return t.cols }

func (t *spyTable) Scan(_ context.Context, req kql.ScanRequest) (kql.Scanner, error) {
	t.requests = append(t.requests, req)
	return &spyScanner{t: t}, nil
}

type spyScanner struct {
	t  *spyTable
	at int
}

const spyStart = 638995680000000000 // 2025-11-24

func (s *spyScanner) time(i int) int64 { return spyStart - int64(i)*10_000_000 }

func (s *spyScanner) Next(context.Context) (*kql.Block, error) {
	if s.at >= s.t.rows {
		return nil, nil
	}
	s.t.read++
	b := &kql.Block{Rows: 1, Columns: []*kql.Vector{
		{Type: kql.DateTime, Ints: []int64{s.time(s.at)}},
		{Type: kql.String, Strs: []string{[]string{"web", "api"}[s.at%2]}},
		{Type: kql.Long, Ints: []int64{int64(s.at)}},
	}}
	s.at++
	return b, nil
}

func (s *spyScanner) RemainingTime() (kql.Ticks, bool) { return kql.Ticks(s.time(s.at)), true }
func (s *spyScanner) Close() error                     { return nil }

func newSpy() *spyTable {
	return &spyTable{rows: 100, cols: kql.Schema{{Name: "TimeGenerated", Type: kql.DateTime}, {Name: "App", Type: kql.String}, {Name: "N", Type: kql.Long}}}
}

// requestText writes a request in one line.
func requestText(r kql.ScanRequest, s kql.Schema) string {
	var cols, preds []string
	for _, c := range r.Columns {
		cols = append(cols, s[c].Name)
	}
	for _, p := range r.Predicates {
		var vals []string
		for _, v := range p.Values {
			vals = append(vals, v.String())
		}
		preds = append(preds, fmt.Sprintf("%s op%d %s fold=%v", s[p.Column].Name, p.Op, strings.Join(vals, "|"), p.IgnoreCase))
	}
	out := "cols=" + strings.Join(cols, ",") + " preds=[" + strings.Join(preds, "; ") + "]"
	if r.Time.From != 0 {
		out += " from=" + r.Time.From.String()[:19]
	}
	if r.Time.To != 0 {
		out += " to=" + r.Time.To.String()[:19]
	}
	if r.Limit > 0 {
		out += fmt.Sprintf(" limit=%d", r.Limit)
	}
	if r.Newest {
		out += " newest"
	}
	return out
}

func TestScansAreAskedForWhatTheQueryNeeds(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{`T | count`, "cols= preds=[]"},
		{`T | project N`, "cols=N preds=[]"},
		{`T | take 5`, "cols=TimeGenerated,App,N preds=[] limit=5"},
		{`T | where App == "web" | count`, "cols=App preds=[App op0 web fold=false]"},
		{`T | where App =~ "WEB" and N > 5 | project App`, "cols=App,N preds=[App op0 WEB fold=true; N op7 5 fold=false]"},
		{`T | where App has "w" or N > 5 | project App`, "cols=App,N preds=[]"},
		{`let a = "web"; T | where App in (a, "api") | project N`, "cols=App,N preds=[App op0 web|api fold=false]"},
		{`T | where App has_any ("x", "y") | project N`, "cols=App,N preds=[App op1 x|y fold=true]"},
		{`T | extend B = App | where B contains_cs "eb" | project N`, "cols=App,N preds=[App op4 eb fold=false]"},
		{`T | where App matches regex "e(b|x)+ one"`, "cols=TimeGenerated,App,N preds=[App op4  one fold=false]"},
		{`T | where 5 < N | count`, "cols=N preds=[N op7 5 fold=false]"},
		{`T | where TimeGenerated >= datetime(2025-11-01) and TimeGenerated < datetime(2025-12-01) | count`,
			"cols=TimeGenerated preds=[TimeGenerated op8 2025-11-01T00:00:00.0000000Z fold=false; TimeGenerated op9 2025-12-01T00:00:00.0000000Z fold=false] from=2025-11-01T00:00:00 to=2025-11-30T23:59:59"},
		{`T | where TimeGenerated between (datetime(2025-11-01) .. 1d) | count`,
			"cols=TimeGenerated preds=[TimeGenerated op8 2025-11-01T00:00:00.0000000Z fold=false; TimeGenerated op10 2025-11-02T00:00:00.0000000Z fold=false] from=2025-11-01T00:00:00 to=2025-11-02T00:00:00"},
		{`T | order by TimeGenerated desc | project N | take 3`, "cols=TimeGenerated,N preds=[] limit=3 newest"},
		{`T | where App == "web" | top 2 by TimeGenerated | project N`, "cols=TimeGenerated,App,N preds=[App op0 web fold=false] newest"},
		{`T | order by TimeGenerated asc | take 3 | project N`, "cols=TimeGenerated,N preds=[]"},
	} {
		spy := newSpy()
		if _, err := kql.Query(context.Background(), kql.Tables{"T": spy}, c.query, kql.Options{}); err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if got := requestText(spy.requests[0], spy.cols); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	}
}

func TestALetTableIsScannedWithoutTheConditionOfOneOfItsUses(t *testing.T) {
	spy := newSpy()
	res, err := kql.Query(context.Background(), kql.Tables{"T": spy}, `let L = T; union (L | where App == "web" | count), (L | count)`, kql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(resultLines(&res.Tables[0]), " "); got != "50| 100|" {
		t.Errorf("got %s", got)
	}
	if len(spy.requests) != 2 || len(spy.requests[0].Predicates) != 1 || len(spy.requests[1].Predicates) != 0 {
		t.Errorf("requests %v", spy.requests)
	}
}

func TestTheNewestRowsAreFoundWithoutReadingTheRest(t *testing.T) {
	spy := newSpy()
	res, err := kql.Query(context.Background(), kql.Tables{"T": spy}, `T | where App == "api" | sort by TimeGenerated desc | take 3 | project N`, kql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(resultLines(&res.Tables[0]), " "); got != "1| 3| 5|" {
		t.Errorf("got %s", got)
	}
	if spy.read > 8 {
		t.Errorf("read %d blocks of %d", spy.read, spy.rows)
	}
}
