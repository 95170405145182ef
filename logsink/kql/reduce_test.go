package kql_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// logLines are n lines as a web app behind Gunicorn writes them.
func logLines(n int) *kql.MemTable {
	rng := rand.New(rand.NewPCG(1, 2))
	lines := make([]string, 0, n)
	for at := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC); len(lines) < n; at = at.Add(time.Duration(rng.IntN(4000)) * time.Millisecond) {
		switch k := rng.IntN(20); {
		case k < 14:
			lines = append(lines, fmt.Sprintf(`10.0.%d.%d - - [%s] "GET /api/orders/%d HTTP/1.1" %d %d "-" "kube-probe/1.29"`,
				rng.IntN(255), rng.IntN(255), at.Format("02/Jan/2006:15:04:05 -0700"), rng.IntN(5000), []int{200, 404}[rng.IntN(10)/9], rng.IntN(90000)))
		case k < 19:
			lines = append(lines, fmt.Sprintf("%s INFO orders order %x accepted in %dms", at.Format(time.RFC3339), rng.Uint64(), rng.IntN(900)))
		default:
			lines = append(lines, "Traceback (most recent call last):", fmt.Sprintf(`  File "/app/app.py", line %d, in get`, rng.IntN(400)),
				"    return self.session.execute(query)", "psycopg2.OperationalError: could not connect to server")
		}
	}
	m := &kql.MemTable{Cols: kql.Schema{{Name: "Log_s", Type: kql.String}}}
	for n > 0 {
		size := min(n, kql.BlockRows)
		m.Blocks = append(m.Blocks, &kql.Block{Rows: size, Columns: []*kql.Vector{{Type: kql.String, Strs: lines[:size]}}})
		lines, n = lines[size:], n-size
	}
	return m
}

func TestReduceFindsThePatternsOfALog(t *testing.T) {
	res, err := kql.Query(context.Background(), kql.Tables{"L": logLines(20_000)}, `L | reduce by Log_s with threshold=0.02 | project Pattern`, kql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`10.0.* - - [04/May/2026:* +0000] "GET /api/orders/* HTTP/1.1" 200 * "-" "kube-probe/1.29"|`,
		`2026-05-* INFO orders order * accepted in *|`,
		`10.0.* - - [04/May/2026:* +0000] "GET /api/orders/* HTTP/1.1" 404 * "-" "kube-probe/1.29"|`,
		`Traceback (most recent call last):|`,
		`  File "/app/app.py", line *, in get|`,
		`    return self.session.execute(query)|`,
		`psycopg2.OperationalError: could not connect to server|`,
	}, "\n")
	if got := strings.Join(resultLines(&res.Tables[0]), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Columns of few values come from the store as codes, and a constant is one text
// for all rows.
func TestReduceReadsTextsInEveryForm(t *testing.T) {
	codes := make([]uint32, 12)
	for i := range codes {
		codes[i] = uint32(i % 3)
	}
	cat := kql.Tables{"L": &kql.MemTable{Cols: kql.Schema{{Name: "s", Type: kql.String}}, Blocks: []*kql.Block{
		{Rows: 12, Columns: []*kql.Vector{{Type: kql.String, Codes: codes, Dict: []string{"web", "api", "worker"}}}},
	}}}
	for query, want := range map[string]string{
		"L | reduce by s":          "web|4|web| api|4|api| worker|4|worker|",
		"L | reduce by toupper(s)": "WEB|4|WEB| API|4|API| WORKER|4|WORKER|",
		"L | reduce kind=source by s | summarize count() by Pattern": "web|4| api|4| worker|4|",
		`L | reduce by "none"`:                                "none|12|none|",
		`L | reduce kind=source by "none" | distinct Pattern`: "none|",
	} {
		res, err := kql.Query(context.Background(), cat, query, kql.Options{})
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if got := strings.Join(resultLines(&res.Tables[0]), " "); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

// Whatever the threshold, every row is in one group, and the counts are those
// that the rows with their patterns have.
func TestReduceCountsEveryRowOnce(t *testing.T) {
	cat := kql.Tables{"L": logLines(5_000)}
	for _, threshold := range []string{"0", "0.0005", "0.01", "0.1", "0.5", "1"} {
		with := " with threshold=" + threshold
		counted, err := kql.Query(context.Background(), cat, "L | reduce by Log_s"+with+" | summarize c=sum(Count) by Pattern | sort by Pattern asc", kql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := kql.Query(context.Background(), cat, "L | reduce kind=source by Log_s"+with+" | summarize c=count() by Pattern | sort by Pattern asc", kql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		a, b := strings.Join(resultLines(&counted.Tables[0]), "\n"), strings.Join(resultLines(&rows.Tables[0]), "\n")
		if a != b {
			t.Errorf("threshold %s: counts\n%s\nrows\n%s", threshold, a, b)
		}
		sum, err := kql.Query(context.Background(), cat, "L | reduce by Log_s"+with+" | summarize sum(Count)", kql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := resultLines(&sum.Tables[0]); strings.TrimSpace(got[0]) != "5000|" {
			t.Errorf("threshold %s counts %v rows", threshold, got)
		}
	}
}

func TestReduceKeepsToTheBudgetAndTheContext(t *testing.T) {
	cat := kql.Tables{"L": logLines(20_000)}
	_, err := kql.Query(context.Background(), cat, "L | reduce by Log_s with threshold=0.00001", kql.Options{MemoryBudget: 4 << 20})
	if !errors.Is(err, kql.ErrMemory) {
		t.Errorf("4 MB: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := kql.Query(ctx, cat, "L | reduce by Log_s", kql.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestReduceIsCheckedBeforeItRuns(t *testing.T) {
	for text, want := range map[string]string{
		`print a="x" | reduce by b`:                                "24 KS142",
		`print a="x" | reduce by a with threshold=2`:               "41 KQL022",
		`print a="x" | reduce by a with threshold="x"`:             "41 KQL022",
		`print a="x" | reduce by a with characters=7`:              "42 KS107",
		`print a="x" | reduce by a with width=7`:                   "31 KS005",
		`print a="x" | reduce by a with`:                           "30 KS005",
		`print a="x" | reduce kind=other by a`:                     "26 KS005",
		`print a="x" | reduce by`:                                  "23 KS006",
		`print a="x" | reduce a`:                                   "21 KS005",
		`print a="x" | reduce by a | project Log`:                  "36 KS142",
		`print a="x" | reduce kind=source by a | project a, Count`: "51 KS142",
		`let c = "X"; let t = 0.2; print a="x" | reduce by n=a with threshold=t, characters=c | project Pattern, Count, Representative`: "",
		`print a=dynamic({"b":"x"}) | reduce by tostring(a.b)`:                                                                          "",
		`print Pattern="x" | reduce kind=source by Pattern | project Pattern1`:                                                          "",
	} {
		ds, err := kql.Check(kql.Tables{}, text, kql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(ds) > 0 {
			got = fmt.Sprint(ds[0].Start, " ", ds[0].Code)
		}
		if got != want || len(ds) > 1 {
			t.Errorf("%s: %v, want %s", text, ds, want)
		}
	}
}

func TestReduceIsCompleted(t *testing.T) {
	const text = "print a='x' | red"
	c, err := kql.Complete(kql.Tables{}, text, len(text))
	if err != nil || len(c.Items) != 1 || c.Items[0].Text != "reduce" {
		t.Errorf("got %v, %v", c, err)
	}
	const by = "print first='x' | reduce by fir"
	if c, err = kql.Complete(kql.Tables{}, by, len(by)); err != nil || len(c.Items) == 0 || c.Items[0].Text != "first" {
		t.Errorf("got %v, %v", c, err)
	}
	h, ok, err := kql.HoverAt(kql.Tables{}, by+"st", len(by))
	if err != nil || !ok || h.Text != "first: string" {
		t.Errorf("got %v, %v, %v", h, ok, err)
	}
}
