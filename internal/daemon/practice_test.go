package daemon

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/kql"
)

// practised is a store with an event that is an hour old and, with recent, one
// of now.
func practised(t *testing.T, recent bool) *logsink.Store {
	t.Helper()
	store, err := logsink.Open(logsink.Options{Dir: t.TempDir(), Environment: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	events := []logsink.Event{{Time: time.Now().Add(-time.Hour), Reason: "Old", Msg: "m"}}
	if recent {
		events = append(events, logsink.Event{Time: time.Now(), Reason: "New", Msg: "m"})
	}
	if err := store.AppendEvents(events); err != nil {
		t.Fatal(err)
	}
	return store
}

// cells are the values of an answer's rows, or the error.
func cells(res *kql.Result, err error) string {
	if err != nil {
		return err.Error()
	}
	var rows []string
	for row := range res.Tables[0].Each {
		var line []byte
		for _, v := range row {
			line = kql.AppendCell(line, v)
		}
		rows = append(rows, string(line))
	}
	return strings.Join(rows, " ")
}

func TestQueriesFindRowsAfterTheDelay(t *testing.T) {
	store := practised(t, true)
	const reasons, count = "ContainerAppSystemLogs_CL | order by time_t asc | project Reason_s", "ContainerAppSystemLogs | count"
	for _, c := range []struct {
		delay         time.Duration
		query         string
		from          time.Time
		want, wantAsk string
	}{
		{0, reasons, time.Time{}, `"Old" "New"`, `"Old" "New"`},
		{10 * time.Minute, reasons, time.Time{}, `"Old"`, `"Old" "New"`},
		{2 * time.Hour, reasons, time.Time{}, ``, `"Old" "New"`},
		{10 * time.Minute, count, time.Time{}, `1`, `2`},
		{10 * time.Minute, "union withsource=T ContainerAppSystemLogs, ContainerAppSystemLogs_CL | summarize by T | count", time.Time{}, `2`, `2`},
		{10 * time.Minute, count, time.Now().Add(-30 * time.Minute), `0`, `1`},
		{10 * time.Minute, "ContainerAppSystemLogs_CL | top 1 by TimeGenerated desc | project Reason_s", time.Time{}, `"Old"`, `"New"`},
	} {
		q := queries{Store: store, delay: c.delay}
		if got := cells(q.Query(t.Context(), c.query, c.from, time.Time{}, kql.Limits{})); got != c.want {
			t.Errorf("after %s, %s gives %s, want %s", c.delay, c.query, got, c.want)
		}
		if got := cells(q.Ask(t.Context(), c.query, c.from, time.Time{})); got != c.wantAsk {
			t.Errorf("after %s, we get %s from %s, want %s", c.delay, got, c.query, c.wantAsk)
		}
	}
}

func TestQueriesFindRowsFromTheirUploadOn(t *testing.T) {
	store := practised(t, true)
	q := queries{Store: store, uploads: true}
	const late = "ContainerAppSystemLogs_CL | where TimeGenerated between (time_t + 1s .. time_t + 2500ms) | project Reason_s"
	if got := cells(q.Query(t.Context(), late, time.Time{}, time.Time{}, kql.Limits{})); got != `"Old"` {
		t.Errorf("as long as the new row is on its way: %s", got)
	}
	if got := cells(q.Ask(t.Context(), "ContainerAppSystemLogs_CL | where TimeGenerated == time_t | count", time.Time{}, time.Time{})); got != "2" {
		t.Errorf("we get %s", got)
	}
	written := cells(q.Query(t.Context(), "ContainerAppSystemLogs_CL | project TimeGenerated > ago(1h), ago(1h) > time_t", time.Now().Add(-time.Hour), time.Time{}, kql.Limits{}))
	if written != "truetrue" {
		t.Errorf("a row that was written before the time span and uploaded in it: %s", written)
	}
	if got := strings.Join(q.Catalog().Tables(), " "); got != strings.Join(store.Catalog().Tables(), " ") {
		t.Errorf("tables are %s", got)
	}
	q.strict = true
	if got := cells(q.Query(t.Context(), "ContainerAppConsoleLogs_CL | count", time.Time{}, time.Time{}, kql.Limits{})); !strings.Contains(got, unknownConsole) {
		t.Errorf("with strict tables: %s", got)
	}
}

func TestWaysToSeeTablesGoTogether(t *testing.T) {
	store := practised(t, false)
	at, n := time.Now().Add(-time.Hour).Truncate(time.Second), 0
	err := store.Ingest(t.Context(), logsink.Container{App: "web", Name: "app", ID: "c"}, func() (logsink.Entry, error) {
		if n++; n > 30 {
			return logsink.Entry{}, io.EOF
		}
		return logsink.Entry{Time: at.Add(time.Duration(n) * 100 * time.Millisecond), Data: fmt.Appendf(nil, `{"n":%d}`+"\n", n)}, nil
	})
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	q := queries{Store: store, uploads: true, strict: true, delay: time.Minute, json: logsink.NewJSONColumns(store), limits: kql.Limits{MaxRows: 12}}
	for query, want := range map[string]string{
		// Lines 1 to 9, 10 to 19, 20 to 29 and 30 are batches.
		"ContainerAppConsoleLogs_CL | summarize min(Log_n_d), max(Log_n_d), count() by TimeGenerated | order by TimeGenerated asc | project strcat(toint(min_Log_n_d), '-', toint(max_Log_n_d))": `"1-9" "10-19" "20-29" "30-30"`,
		"let last = toscalar(ContainerAppConsoleLogs_CL | summarize max(TimeGenerated)); ContainerAppConsoleLogs_CL | where TimeGenerated == last | project Log_n_d":                             `30.0`,
		"let last = toscalar(ContainerAppConsoleLogs_CL | summarize max(TimeGenerated)); ContainerAppConsoleLogs_CL | where TimeGenerated < last and Log_n_d > 27 | project Log_n_d":             `28.0 29.0`,
		"ContainerAppConsoleLogs_CL | top 1 by TimeGenerated desc | project Log_n_d":                                                                                                             `30.0`,
		"ContainerAppConsoleLogs_CL | project 1": `1 1 1 1 1 1 1 1 1 1 1 1`,
	} {
		if got := cells(q.Query(t.Context(), query, time.Time{}, time.Time{}, kql.Limits{})); got != want {
			t.Errorf("%s\ngives %s\nwant  %s", query, got, want)
		}
	}
}

func TestStreamsKnowNoDelay(t *testing.T) {
	q := queries{Store: practised(t, true), delay: 10 * time.Minute, strict: true}
	var seen []string
	for e, err := range q.TailEvents(t.Context(), logsink.Filter{}, 10, false) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, e.Reason)
	}
	if got := strings.Join(seen, " "); got != "Old New" {
		t.Errorf("the stream has %q", got)
	}
}

const unknownConsole = "The name 'ContainerAppConsoleLogs_CL' does not refer to any known table, tabular variable or function."

func TestStrictTablesExistFromTheirFirstRow(t *testing.T) {
	q := queries{Store: practised(t, false), strict: true}
	for query, want := range map[string]string{
		"ContainerAppConsoleLogs_CL | count": unknownConsole,
		"ContainerAppSystemLogs_CL | count":  "1",
		"ContainerAppConsoleLogs | count":    "0", // of diagnostic settings: always there
		"union ContainerApp*_CL | count":     "1",
	} {
		if got := cells(q.Query(t.Context(), query, time.Time{}, time.Time{}, kql.Limits{})); !strings.Contains(got, want) {
			t.Errorf("%s gives %s, want %s", query, got, want)
		}
	}
	if got := cells(q.Ask(t.Context(), "ContainerAppConsoleLogs_CL | count", time.Time{}, time.Time{})); got != "0" {
		t.Errorf("we get %s", got)
	}
	names := strings.Join(q.Catalog().Tables(), " ") + " "
	if strings.Contains(names, "ContainerAppConsoleLogs_CL ") || !strings.Contains(names, "ContainerAppSystemLogs_CL ") {
		t.Errorf("tables are %s", names)
	}
	printed := false
	err := q.Ingest(t.Context(), logsink.Container{App: "web", Name: "app", ID: "c"}, func() (logsink.Entry, error) {
		if printed {
			return logsink.Entry{}, io.EOF
		}
		printed = true
		return logsink.Entry{Time: time.Now(), Data: []byte("hello\n")}, nil
	})
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if got := cells(q.Query(t.Context(), "ContainerAppConsoleLogs_CL | project Log_s", time.Time{}, time.Time{}, kql.Limits{})); got != `"hello"` {
		t.Errorf("after the first row: %s", got)
	}
	q.delay = time.Minute
	if got := cells(q.Query(t.Context(), "ContainerAppConsoleLogs_CL | count", time.Time{}, time.Time{}, kql.Limits{})); !strings.Contains(got, unknownConsole) {
		t.Errorf("before the first row can be found: %s", got)
	}
}

func TestADaemonShowsTablesAsLateAsItIsTold(t *testing.T) {
	m := newMachine(t)
	m.boot(func(o *Options) { o.IngestionDelay, o.UploadTimes, o.StrictTables = time.Hour, true, true })
	defer m.stop()
	m.apply("web:1")
	m.waitFor("the app is ready", webReady)
	m.waitLine("hello")
	c := client.New(m.daemon.files)
	info, err := c.Info(t.Context())
	if err != nil || info.IngestionDelay != time.Hour || !info.UploadTimes || !info.StrictTables {
		t.Errorf("info %+v, %v", info, err)
	}
	const query = "ContainerAppConsoleLogs_CL | count"
	if _, err := c.Query(t.Context(), api.QueryBody{Query: query}); err == nil || !strings.Contains(err.Error(), unknownConsole) {
		t.Errorf("a query of a user: %v", err)
	}
	answer, err := c.Ask(t.Context(), query)
	if err != nil || string(answer.Tables[0].Rows[0][0]) == "0" {
		t.Errorf("a query of ours: %v, %v", answer, err)
	}
}
