package logsink

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// uploaded is a store with a few lines of two containers in each of many
// seconds, in sealed blocks and in memory.
func uploaded(t *testing.T) kql.Catalog {
	t.Helper()
	s := mustOpen(t, Options{Dir: t.TempDir()})
	var list, other []Entry
	for i := range 3 * sealRows {
		list = append(list, line(i*370_000, Stdout, fmt.Sprintf("line %d\n", i)))
	}
	for i := range 200 {
		other = append(other, line(i*9_110_000, Stderr, "other\n"))
	}
	mustIngest(t, s, web, list...)
	mustIngest(t, s, Container{App: "other", Name: "app", ID: "o"}, other...)
	return UploadTimes(s.Catalog())
}

// rowsOf are the rows of an answer, of int64 and text.
func rowsOf(t *testing.T, cat kql.Catalog, query string) (rows [][]kql.Value) {
	t.Helper()
	res, err := kql.Query(t.Context(), cat, query, kql.Options{})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	for row := range res.Tables[0].Each {
		rows = append(rows, slices.Clone(row))
	}
	return rows
}

func TestBatchesShareTheTimeOfTheirUpload(t *testing.T) {
	cat := uploaded(t)
	rows := rowsOf(t, cat, "ContainerAppConsoleLogs_CL | project TimeGenerated, time_t, ingestion_time() | order by time_t asc")
	batches, shortest, longest := map[int64]int{}, time.Hour, time.Duration(0)
	for i, row := range rows {
		late := time.Duration(row[0].Int-row[1].Int) * 100
		shortest, longest = min(shortest, late), max(longest, late)
		batches[row[0].Int]++
		if i > 0 && row[0].Int < rows[i-1][0].Int {
			t.Fatalf("row %d is uploaded before the one written before it", i)
		}
		if row[2].Int != row[0].Int {
			t.Fatalf("row %d is ingested at %d, and generated at %d", i, row[2].Int, row[0].Int)
		}
	}
	if shortest < time.Second || shortest > 1100*time.Millisecond || longest > 2500*time.Millisecond || longest < 2400*time.Millisecond {
		t.Errorf("rows are uploaded %s to %s after they were written; on Azure 1 s to 2.5 s", shortest, longest)
	}
	if n := len(rows) / len(batches); n < 25 || n > 30 {
		t.Errorf("%d batches for %d rows", len(batches), len(rows))
	}
	read := rowsOf(t, cat, "ContainerAppConsoleLogs_CL | where _timestamp_d > 0 | extend t = unixtime_seconds_todatetime(_timestamp_d) "+
		"| summarize min(t - time_t), max(t - time_t), min(TimeGenerated - t), max(TimeGenerated - t), dcount(_timestamp_d)")
	for i, want := range []time.Duration{0, 1500 * time.Millisecond, time.Second, time.Second} {
		if got := time.Duration(read[0][i].Int) * 100; got < want-100*time.Millisecond || got > want+100*time.Millisecond {
			t.Errorf("time %d of reading is %s, want about %s", i, got, want)
		}
	}
	if n := read[0][4].Int; n != int64(len(batches)) {
		t.Errorf("%d times of reading for %d batches", n, len(batches))
	}
	if alone := rowsOf(t, cat, "ContainerAppConsoleLogs_CL | project _timestamp_d | summarize min(_timestamp_d)")[0][0].Real; alone < 1e9 {
		t.Errorf("the first batch is read at %f", alone)
	}
	for _, row := range rowsOf(t, cat, "let first = toscalar(ContainerAppConsoleLogs_CL | summarize min(_timestamp_d)); ContainerAppConsoleLogs_CL | where _timestamp_d == first | take 100000 | summarize dcount(TimeGenerated), count()") {
		if row[0].Int != 1 || row[1].Int < 2 {
			t.Errorf("a time of reading is shared by %d batches, %d rows", row[0].Int, row[1].Int)
		}
	}
	if plain := rowsOf(t, cat, "ContainerAppConsoleLogs | take 1"); plain[0][1].Int >= rows[0][0].Int {
		t.Errorf("TimeGenerated of the resource-specific table is moved, too")
	}
}

func TestFiltersOnUploadTimesFindWhatTheyShow(t *testing.T) {
	cat := uploaded(t)
	var times []int64
	for _, row := range rowsOf(t, cat, "ContainerAppConsoleLogs_CL | project TimeGenerated") {
		times = append(times, row[0].Int)
	}
	rand := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		at := times[rand.IntN(len(times))] + rand.Int64N(3) - 1 // that of a batch, or just beside it
		if rand.IntN(3) == 0 {
			at = times[0] - 5*uploadBatch + rand.Int64N(times[len(times)-1]-times[0]+10*uploadBatch)
		}
		text := kql.Value{Type: kql.DateTime, Int: at}.String()
		for op, holds := range map[string]func(x int64) bool{
			"<": func(x int64) bool { return x < at }, "<=": func(x int64) bool { return x <= at }, "==": func(x int64) bool { return x == at },
			">": func(x int64) bool { return x > at }, ">=": func(x int64) bool { return x >= at }, "!=": func(x int64) bool { return x != at },
		} {
			want := int64(0)
			for _, x := range times {
				if holds(x) {
					want++
				}
			}
			query := fmt.Sprintf("ContainerAppConsoleLogs_CL | where TimeGenerated %s datetime(%s) | count", op, text)
			if got := rowsOf(t, cat, query)[0][0].Int; got != want {
				t.Fatalf("%s gives %d, want %d", query, got, want)
			}
			counted := fmt.Sprintf("ContainerAppConsoleLogs_CL | where TimeGenerated %s datetime(%s) | summarize n = count() by TimeGenerated | summarize sum(n)", op, text)
			if got := rowsOf(t, cat, counted)[0][0].Int; got != want {
				t.Fatalf("%s gives %d, want %d", counted, got, want)
			}
		}
		from := 0
		for _, x := range times {
			if x >= at && x <= at+10*uploadBatch {
				from++
			}
		}
		within := kql.Within(cat, kql.TimeRange{From: kql.Ticks(at), To: kql.Ticks(at + 10*uploadBatch)})
		if got := rowsOf(t, within, "ContainerAppConsoleLogs_CL | count")[0][0].Int; got != int64(from) {
			t.Fatalf("ten seconds from %s on have %d rows, want %d", text, got, from)
		}
	}
}

func TestTheNewestUploadsAreFound(t *testing.T) {
	cat := uploaded(t)
	newest := "ContainerAppConsoleLogs_CL | summarize max(TimeGenerated)"
	want := rowsOf(t, cat, newest)[0][0].Int
	for _, query := range []string{
		"ContainerAppConsoleLogs_CL | top 1 by TimeGenerated desc | project TimeGenerated",
		"ContainerAppConsoleLogs_CL | order by TimeGenerated desc | take 5 | project TimeGenerated",
		"ContainerAppConsoleLogs_CL | where Log_s has 'line' | order by TimeGenerated desc, Log_s asc | take 3 | project TimeGenerated",
	} {
		if got := rowsOf(t, cat, query)[0][0].Int; got != want {
			t.Errorf("%s begins with %d, want %d", query, got, want)
		}
	}
	tied := rowsOf(t, cat, "ContainerAppConsoleLogs_CL | order by TimeGenerated desc, Log_s asc | take 40 | project TimeGenerated, Log_s")
	all := rowsOf(t, cat, "ContainerAppConsoleLogs_CL | extend t = TimeGenerated | order by t desc, Log_s asc | take 40 | project t, Log_s")
	for i := range all {
		if tied[i][0].Int != all[i][0].Int || tied[i][1].Str != all[i][1].Str {
			t.Fatalf("row %d of the newest is %v, want %v", i, tied[i], all[i])
		}
	}
}
