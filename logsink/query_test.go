package logsink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/logsink/kql"
)

// answer runs a query and returns its first table as text, a row a line.
func answer(t testing.TB, cat kql.Catalog, text string) []string {
	t.Helper()
	res, err := kql.Query(context.Background(), cat, text, kql.Options{Now: epoch.Add(time.Hour)})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var rows []string
	res.Tables[0].Each(func(row []kql.Value) bool {
		var cells []string
		for _, v := range row {
			cells = append(cells, v.String())
		}
		rows = append(rows, strings.Join(cells, " | "))
		return true
	})
	return rows
}

// shopLogs is a store with three blocks of console lines of three apps, and
// some events.
func shopLogs(t testing.TB) *Store {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	rnd := rand.New(rand.NewPCG(5, 5))
	for app, name := range []string{"shop", "cart", "mail"} {
		c := Container{App: name, Revision: name + "--000000" + fmt.Sprint(app+1), Name: "main", ID: name}
		var list []Entry
		for i := range 9000 {
			text := fmt.Sprintf("GET /orders/%d took %d ms", i, rnd.IntN(500))
			switch {
			case i%1000 == 999:
				text = fmt.Sprintf("ERROR order %d: connection reset by peer", i)
			case i%500 == 77:
				text = fmt.Sprintf(`{"level":"Error","order":%d}`, i)
			}
			e := line(0, Stream(i%1000/999), text+"\n")
			e.Time = epoch.Add(time.Duration(i) * 100 * time.Millisecond)
			list = append(list, e)
		}
		mustIngest(t, s, c, list...)
		for i := range 3 {
			e := Event{Time: epoch.Add(time.Duration(i) * time.Minute), Type: EventType(i & 1), App: name, Reason: "ProbeFailed", Source: "ContainerAppController", Msg: "Probe of StartUp failed", Count: i}
			if err := s.AppendEvent(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

// A row is in one table of a workspace, so what looks through many tables finds
// it once, in whichever of its views a pattern matches.
func TestPatternsFindEachRowOnce(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	e := line(0, Stdout, "needle in a log\n")
	e.Time = epoch
	mustIngest(t, s, Container{App: "shop", Name: "main", ID: "shop"}, e)
	if err := s.AppendEvent(Event{Time: epoch, App: "shop", Msg: "needle in an event"}); err != nil {
		t.Fatal(err)
	}
	var sent []Telemetry
	for _, k := range []TelemetryKind{TelemetryRequest, TelemetryDependency, TelemetryTrace, TelemetryEvent, TelemetryException} {
		sent = append(sent, Telemetry{Kind: k, Time: epoch, Name: "needle", Message: "needle"})
	}
	if err := s.AppendTelemetry(sent); err != nil {
		t.Fatal(err)
	}
	all := []string{"AppDependencies", "AppEvents", "AppExceptions", "AppRequests", "AppTraces", "ContainerAppConsoleLogs_CL", "ContainerAppSystemLogs_CL"}
	for query, want := range map[string][]string{
		`search "needle" | project $table | order by $table asc`:                                                                               all,
		`search in (*) "needle" | project $table | order by $table asc`:                                                                        all,
		`union withsource=T * | project T | order by T asc`:                                                                                    all,
		`find withsource=T in (*) where TimeGenerated > datetime(2020-01-01) or timestamp > datetime(2020-01-01) | project T | order by T asc`: all,
		`union withsource=T Container* | project T | order by T asc`:                                                                           {"ContainerAppConsoleLogs_CL", "ContainerAppSystemLogs_CL"},
		`union withsource=T ContainerAppConsoleLogs, ContainerAppConsoleLogs_CL | project T | order by T asc`:                                  {"ContainerAppConsoleLogs", "ContainerAppConsoleLogs_CL"},
		`search in (ContainerAppConsoleLogs, traces) "needle" | project $table | order by $table asc`:                                          {"ContainerAppConsoleLogs", "traces"},
		`union withsource=T *Logs | project T | order by T asc`:                                                                                {"ContainerAppConsoleLogs", "ContainerAppSystemLogs"},
		`union req*, traces | count`:                                                           {"2"},
		`union * | where Log has "needle" or message has "needle" | count`:                     {"0"},
		`let AppTraces = traces; union withsource=T AppT*, trac* | project T | order by T asc`: {"AppTraces", "traces"},
		`let AppTraces = print x = 1; union withsource=T *races | project T | order by T asc`:  {"AppTraces", "traces"},
	} {
		if diff := cmp.Diff(want, answer(t, kql.Within(s.Catalog(), kql.TimeRange{From: kql.TicksOf(epoch.Add(-time.Hour))}), query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

func TestQueriesPeopleRun(t *testing.T) {
	s := shopLogs(t)
	tests := []struct {
		query string
		want  []string
	}{
		{`ContainerAppConsoleLogs_CL | count`, []string{"27000"}},
		{`ContainerAppConsoleLogs_CL | where ContainerAppName_s == "shop" and Log_s has "reset" | project time_t, Log_s | order by time_t asc | take 2`, []string{
			"2026-06-26T08:20:46.9000000Z | ERROR order 999: connection reset by peer",
			"2026-06-26T08:22:26.9000000Z | ERROR order 1999: connection reset by peer",
		}},
		{`ContainerAppConsoleLogs_CL | where Log_s has_any ("error","exception") or Stream_s == "stderr" | summarize n=count() by ContainerAppName_s | order by ContainerAppName_s asc`, []string{"cart | 27", "mail | 27", "shop | 27"}},
		{`ContainerAppConsoleLogs_CL | extend j = parse_json(Log_s) | where tostring(j.level) == "Error" | summarize n=count() by bin(time_t, 5m) | order by time_t asc`, []string{
			"2026-06-26T08:15:00.0000000Z | 3", "2026-06-26T08:20:00.0000000Z | 18",
			"2026-06-26T08:25:00.0000000Z | 18", "2026-06-26T08:30:00.0000000Z | 15",
		}},
		{`ContainerAppConsoleLogs | where RevisionName =~ "CART--0000002" and Log contains "/ORDERS/8998" | project ContainerAppName, Stream`, []string{"cart | stdout"}},
		{`ContainerAppSystemLogs_CL | where TimeGenerated > ago(59m) | summarize EventCount=count() by Reason_s, Type_s, RevisionName_s | order by EventCount desc`, []string{
			"ProbeFailed | Normal |  | 3",
		}},
		{`ContainerAppSystemLogs | where Type == "Warning" | summarize sum(Count) by ContainerAppName | order by ContainerAppName asc`, []string{"cart | 1", "mail | 1", "shop | 1"}},
		{`ContainerAppConsoleLogs_CL | summarize dcount(ContainerAppName_s), min(time_t), max(time_t)`, []string{"3 | 2026-06-26T08:19:07.0000000Z | 2026-06-26T08:34:06.9000000Z"}},
		{`ContainerAppHTTPLogs | where StatusCode >= 500 | count`, []string{"0"}},
		{`search in (ContainerAppConsoleLogs_CL) "order 1999" | count`, []string{"3"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, answer(t, s.Catalog(), tt.query)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.query, diff)
		}
	}
}

// deafCatalog hides the advice of a scan, so that nothing is ruled out early.
type deafCatalog struct{ kql.Catalog }

type deafTable struct{ kql.Table }

func (c deafCatalog) Table(name string) (kql.Table, bool) {
	t, ok := c.Catalog.Table(name)
	return deafTable{t}, ok
}

func (t deafTable) Scan(ctx context.Context, req kql.ScanRequest) (kql.Scanner, error) {
	return t.Table.Scan(ctx, kql.ScanRequest{Columns: req.Columns})
}

// What the store rules out early must never change an answer.
func TestAnswersDoNotDependOnAdvice(t *testing.T) {
	cat := shopLogs(t).Catalog()
	rnd := rand.New(rand.NewPCG(9, 9))
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	needle := func() string {
		return pick("order", "ORDER", "rder", "reset by", "8998", "/orders/12", "ms", "12 ms", "error", "Error", "", "peer", "took 4", "{", `k 1`)
	}
	for range 400 {
		var terms []string
		for range 1 + rnd.IntN(3) {
			terms = append(terms, pick(
				fmt.Sprintf("Log_s %s %q", pick("has", "!has", "has_cs", "contains", "contains_cs", "!contains", "startswith", "endswith", "hasprefix", "hassuffix", "==", "=~", "!="), needle()),
				fmt.Sprintf("Log_s %s (%q, %q)", pick("has_any", "has_all", "in", "in~", "!in"), needle(), needle()),
				fmt.Sprintf("Log_s matches regex %q", pick("order.*reset", `took (\d+) ms`, "(?i)ERROR", "[a-z]+ by peer", "k 1|k 2")),
				fmt.Sprintf("ContainerAppName_s %s %q", pick("==", "=~", "!=", "contains", "has", "startswith"), pick("shop", "SHOP", "art", "nope")),
				fmt.Sprintf("Stream_s == %q", pick("stdout", "stderr", "Stderr")),
				fmt.Sprintf("time_t %s datetime(2026-06-26 08:%d:%02d)", pick("<", "<=", ">", ">=", "=="), 19+rnd.IntN(16), rnd.IntN(60)),
				fmt.Sprintf("TimeGenerated between (datetime(2026-06-26 08:%d:00) .. %dm)", 18+rnd.IntN(16), rnd.IntN(4)),
				fmt.Sprintf("TimeGenerated > ago(%dm)", 40+rnd.IntN(25)),
				fmt.Sprintf("not(Log_s has %q)", needle()),
				fmt.Sprintf("_seq_d > %d", rnd.IntN(27000)),
			))
		}
		query := "ContainerAppConsoleLogs_CL | where " + strings.Join(terms, pick(" and ", " and ", " or ")) +
			pick(" | summarize n=count(), a=min(_seq_d), b=max(_seq_d) by Stream_s", " | project _seq_d, Log_s | take 100", " | count", " | top 7 by TimeGenerated desc | project TimeGenerated", " | order by TimeGenerated desc | take 9000 | summarize count(), min(time_t)", " | where ContainerAppName_s != 'cart' | summarize count() by bin(TimeGenerated, 3m)",
				" | where ContainerAppName_s == 'mail' | top 9 by TimeGenerated desc | project Log_s", " | summarize count() by ContainerAppName_s, Stream_s, RevisionName_s",
				" | summarize n=count() by ContainerAppName_s, RevisionName_s", " | distinct ContainerAppName_s", " | distinct Stream_s, Type", " | summarize count() by Type",
				" | where Stream_s == 'stderr' | count", " | where ContainerAppName_s in ('shop', 'mail') | summarize count(), n=count() by ContainerAppName_s",
				" | where ContainerAppName_s == 'shop' | top 40 by TimeGenerated | project time_t, Log_s, strlen(Log_s)")
		span := kql.TimeRange{}
		if rnd.IntN(2) == 0 {
			at := func(from, n int) kql.Ticks {
				return kql.TicksOf(epoch.Add(time.Duration(from+rnd.IntN(n)) * time.Second))
			}
			span = kql.TimeRange{From: at(0, 400), To: at(400, 600)}
		}
		want, got := answer(t, kql.Within(deafCatalog{cat}, span), query), answer(t, kql.Within(cat, span), query)
		if !strings.Contains(query, "take") {
			sort.Strings(want)
			sort.Strings(got)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-without advice +with advice)\n%s", query, diff)
		}
	}
}

// Times need not rise, and several rows may have the same.
func TestNewestRowsWhereTimesAreInDisorder(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	rnd := rand.New(rand.NewPCG(7, 7))
	var events []Event
	for i := range 3000 {
		events = append(events, Event{Time: epoch.Add(time.Duration(rnd.IntN(500)) * time.Second), App: []string{"shop", "cart"}[i%2], Reason: "R", Source: "S", Msg: fmt.Sprint("event ", i)})
	}
	if err := s.AppendEvents(events); err != nil {
		t.Fatal(err)
	}
	cat := s.Catalog()
	for _, where := range []string{"", "| where ContainerAppName_s == 'cart'", "| where ContainerAppName_s =~ 'cart'", "| where TimeGenerated < datetime(2026-06-26 08:22:00)"} {
		for _, n := range []int{1, 2, 7, 100, 1499, 1500, 2999, 3000, 4000} {
			query := fmt.Sprintf("ContainerAppSystemLogs_CL %s | top %d by TimeGenerated desc | project TimeGenerated, Log_s", where, n)
			if diff := cmp.Diff(answer(t, deafCatalog{cat}, query), answer(t, cat, query)); diff != "" {
				t.Errorf("%s (-without advice +with advice)\n%s", query, diff)
			}
		}
	}
}

// The engine neither reads nor tests again what the store is exact about.
func TestColumnsOfExactConditionsAreNotRead(t *testing.T) {
	cat := &askedCatalog{Catalog: shopLogs(t).Catalog()}
	for query, want := range map[string]string{
		`ContainerAppConsoleLogs_CL | where ContainerAppName_s == "shop" and TimeGenerated > ago(1d) | count`:               "[] limit 0",
		`ContainerAppConsoleLogs_CL | where ContainerAppName_s in ("shop", "cart") | take 3 | project Stream_s`:             "[Stream_s] limit 3",
		`ContainerAppConsoleLogs_CL | where ContainerAppName_s == "shop" | top 5 by TimeGenerated desc | project Log_s`:     "[TimeGenerated Log_s] limit 5",
		`ContainerAppConsoleLogs_CL | where ContainerAppName_s =~ "SHOP" | top 5 by TimeGenerated desc | project Log_s`:     "[TimeGenerated ContainerAppName_s Log_s] limit 0",
		`ContainerAppConsoleLogs_CL | where ContainerAppName_s == "shop" or Stream_s == "stderr" | project Log_s | take 5`:  "[ContainerAppName_s Stream_s Log_s] limit 0",
		`ContainerAppConsoleLogs_CL | where ContainerAppName_s == "shop" and Log_s has "reset" | project Stream_s | take 5`: "[ContainerAppName_s Stream_s Log_s] limit 0",
		`ContainerAppConsoleLogs_CL | where not(ContainerAppName_s == "shop") | count`:                                      "[ContainerAppName_s] limit 0",
		`ContainerAppHTTPLogs | where StatusCode >= 500 | order by TimeGenerated desc, Path asc | take 5 | project Path`:    "[TimeGenerated Path] limit 0",
	} {
		answer(t, cat, query)
		if cat.asked != want {
			t.Errorf("%s\n got %s\nwant %s", query, cat.asked, want)
		}
	}
}

// askedCatalog notes what the last scan was asked for.
type askedCatalog struct {
	kql.Catalog
	asked string
}

func (c *askedCatalog) Table(name string) (kql.Table, bool) {
	t, ok := c.Catalog.Table(name)
	return &askedTable{t, t.(kql.ExactTable), c}, ok
}

type askedTable struct {
	kql.Table
	kql.ExactTable
	catalog *askedCatalog
}

func (t *askedTable) Scan(ctx context.Context, req kql.ScanRequest) (kql.Scanner, error) {
	names := []string{}
	for _, c := range req.Columns {
		names = append(names, t.Schema()[c].Name)
	}
	t.catalog.asked = fmt.Sprint(names, " limit ", req.Limit)
	return t.Table.Scan(ctx, req)
}

func TestAQueryEndsWhenCancelledAndTheStoreGoesOn(t *testing.T) {
	s := mustOpen(t, Options{Dir: filled(t, 6*sealRows)})
	for _, query := range []string{
		`ContainerAppConsoleLogs_CL | order by Log_s asc`, `ContainerAppConsoleLogs_CL | extend n=extract("[0-9]+", 0, Log_s) | summarize count() by n`,
		`ContainerAppConsoleLogs_CL | join kind=inner (ContainerAppConsoleLogs_CL) on Stream_s | count`,
	} {
		ctx, cancel := context.WithCancel(context.Background())
		began := make(chan struct{})
		ended := make(chan error, 1)
		go func() {
			close(began)
			_, err := s.Query(ctx, query, kql.Options{})
			ended <- err
		}()
		<-began
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want context.Canceled", query, err)
		}
	}
	if got := answer(t, s.Catalog(), "ContainerAppConsoleLogs_CL | count"); got[0] != fmt.Sprint(6*sealRows) {
		t.Errorf("%s rows afterwards, want %d", got[0], 6*sealRows)
	}
}
