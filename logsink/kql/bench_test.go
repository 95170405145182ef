package kql_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// benchTable is a table of log-like rows in dictionary form: rows in time
// order, apps and revisions from dictionaries, a level every few rows.
func benchTable(blocks int) *kql.MemTable {
	apps := make([]string, 20)
	revs := make([]string, 8)
	for i := range apps {
		apps[i] = fmt.Sprintf("app-%02d", i)
	}
	for i := range revs {
		revs[i] = fmt.Sprintf("app--r%d", i)
	}
	t := &kql.MemTable{Cols: kql.Schema{{Name: "t", Type: kql.DateTime}, {Name: "x", Type: kql.String},
		{Name: "k", Type: kql.String}, {Name: "n", Type: kql.Long}, {Name: "msg", Type: kql.String}}}
	start, _ := kql.ParseDateTime("2025-11-24T10:00:00Z")
	now := int64(start)
	for b := range blocks {
		blk := &kql.Block{Rows: kql.BlockRows}
		ts, ns := make([]int64, kql.BlockRows), make([]int64, kql.BlockRows)
		xs, ks := make([]uint32, kql.BlockRows), make([]uint32, kql.BlockRows)
		msgs := make([]string, kql.BlockRows)
		for i := range kql.BlockRows {
			now += 12345 // 1.2 ms
			r := uint32(b*kql.BlockRows+i) * 2654435761
			ts[i], ns[i] = now, int64(r%1000)
			xs[i], ks[i] = r>>8%20, r>>16%8
			msgs[i] = "GET /api/orders/42 200 12ms user=alice request=7c9e6679"
			if r%50 == 0 {
				msgs[i] = "ERROR upstream: connection reset by peer after 3 retries"
			}
		}
		blk.Columns = []*kql.Vector{
			{Type: kql.DateTime, Ints: ts}, {Type: kql.String, Codes: xs, Dict: apps},
			{Type: kql.String, Codes: ks, Dict: revs}, {Type: kql.Long, Ints: ns}, {Type: kql.String, Strs: msgs},
		}
		t.Blocks = append(t.Blocks, blk)
	}
	return t
}

func BenchmarkQuery(b *testing.B) {
	const blocks = 128 // 1,048,576 rows
	cat := kql.Tables{"L": benchTable(blocks)}
	for _, q := range []struct{ name, text string }{
		{"ScanFilterSummarize", `L | where x == "app-07" | summarize count() by bin(t, 5m), k`},
		{"SummarizeAll", `L | summarize count() by bin(t, 5m), k`},
		{"Sum", `L | where n > 500 | summarize sum(n), max(n) by x`},
		{"Has", `L | where msg has "error" | count`},
		{"Contains", `L | where msg contains "peer after" | count`},
		{"Extract", `L | where x == "app-07" | extend ms = toint(extract(@"(\d+)ms", 1, msg)) | summarize percentile(ms, 95)`},
		{"Top", `L | top 10 by n`},
		{"Distinct", `L | distinct x, k`},
	} {
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				res, err := kql.Query(context.Background(), cat, q.text, kql.Options{})
				if err != nil {
					b.Fatal(err)
				}
				if len(res.Tables) != 1 {
					b.Fatal("no table")
				}
			}
			rows := float64(blocks * kql.BlockRows)
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

const twentyLines = `let AppName = "my-container-app";
let Window = 6h;
let Startup = ContainerAppConsoleLogs_CL
| where ContainerAppName_s == AppName and TimeGenerated > ago(Window)
| where Log_s has_any ("Starting", "Booting", "Launching")
| summarize arg_min(TimeGenerated, *) by RevisionName_s, ContainerGroupName_s;
ContainerAppConsoleLogs_CL
| where ContainerAppName_s == AppName and TimeGenerated > ago(Window)
| where Log_s contains "status=" or Stream_s == "stderr"
| extend Status = toint(extract(@"status=(\d+)", 1, Log_s))
| extend Parsed = parse_json(Log_s)
| extend Level = tostring(Parsed.level), Ms = todouble(Parsed.duration)
| extend Bucket = case(Status < 300, "2xx", Status < 500, "4xx", "5xx")
| summarize P50 = percentile(Ms, 50), P95 = percentile(Ms, 95), Count = count(),
    Errors = countif(Status >= 500) by bin(TimeGenerated, 5m), Bucket, RevisionName_s
| extend ErrorRate = round(100.0 * Errors / Count, 2)
| join kind=leftouter (Startup | project RevisionName_s, StartedAt = TimeGenerated) on RevisionName_s
| where ErrorRate > 1.0
| project TimeGenerated, RevisionName_s, Bucket, P50, P95, Count, ErrorRate, StartedAt
| order by TimeGenerated desc`

func BenchmarkParseAndBind(b *testing.B) {
	cat := workspaceTables()
	b.ReportAllocs()
	for b.Loop() {
		diags, err := kql.Check(cat, twentyLines, kql.Options{})
		if err != nil || len(diags) > 0 {
			b.Fatal(err, diags)
		}
	}
}

// BenchmarkCancel measures how long a query goes on after its context has
// ended, for every endless query; the worst is what counts.
func BenchmarkCancel(b *testing.B) {
	for name, text := range endless {
		b.Run(name, func(b *testing.B) {
			var worst time.Duration
			for b.Loop() {
				ctx, cancel := context.WithCancel(context.Background())
				done := make(chan error, 1)
				go func() {
					_, err := kql.Query(ctx, kql.Tables{}, text, kql.Options{})
					done <- err
				}()
				select {
				case err := <-done:
					b.Fatalf("ended by itself: %v", err)
				case <-time.After(30 * time.Millisecond):
				}
				start := time.Now()
				cancel()
				<-done
				worst = max(worst, time.Since(start))
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
		})
	}
}
