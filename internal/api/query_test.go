package api_test

import (
	"strings"
	"testing"

	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/google/go-cmp/cmp"
)

// answer is a result with a column of every kind of encoding.
func answer() *kql.Result {
	return &kql.Result{
		Tables: []kql.ResultTable{{
			Name:    "PrimaryResult",
			Columns: kql.Schema{{Name: "s", Type: kql.String}, {Name: "n", Type: kql.Long}},
			Blocks: []*kql.Block{{Rows: 2, Columns: []*kql.Vector{
				{Type: kql.String, Strs: []string{"a", `"b"`}},
				{Type: kql.Long, Ints: []int64{1, -2}},
			}}},
		}},
		Render: &kql.Visualization{Kind: "barchart", Properties: map[string]string{"title": "T"}},
	}
}

func TestQueryAnswersAsLogAnalyticsDoes(t *testing.T) {
	s := newServer(nil)
	s.logs.Result = answer()
	status, body := s.do("POST", "/acalocal/v1/query", `{"query":"T","timespan":"2026-01-01/PT1H"}`)
	want := `{"tables":[{"name":"PrimaryResult","columns":[{"name":"s","type":"string"},{"name":"n","type":"long"}],"rows":[["a",1],["\"b\"",-2]]}],"render":{"title":"T","visualization":"barchart"}}`
	if diff := cmp.Diff(want, strings.TrimSpace(body)); status != 200 || diff != "" {
		t.Errorf("status %d; body (-want +got):\n%s", status, diff)
	}
	if diff := cmp.Diff([]string{"T [2026-01-01T00:00:00Z, 2026-01-01T01:00:00Z]"}, s.logs.Asked()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestAQueryMayAskForRowsThatUsersFindLater(t *testing.T) {
	s := newServer(nil)
	s.do("POST", "/acalocal/v1/query", `{"query":"T","now":true}`)
	if diff := cmp.Diff([]string{"ask: T […, …]"}, s.logs.Asked()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestQuerySaysThatAnAnswerWasCut(t *testing.T) {
	s := newServer(nil)
	s.logs.Result = &kql.Result{Partial: &kql.TruncationError{Limit: 5, Unit: "records"}}
	_, body := s.do("POST", "/acalocal/v1/query", `{"query":"T"}`)
	want := `{"tables":[],"error":{"code":"PartialError","message":"The results of this query exceed the set limit of 5 records, so not all records were returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003). See https://aka.ms/kustoquerylimits for more information and possible solutions."}}`
	if got := strings.TrimSpace(body); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAQueryMayAskForOtherLimits(t *testing.T) {
	s := newServer(nil)
	s.do("POST", "/acalocal/v1/query", `{"query":"T","maxRows":-1,"maxBytes":100}`)
	s.do("POST", "/acalocal/v1/query", `{"query":"U"}`)
	if diff := cmp.Diff([]string{"T […, …] -1 rows, 100 bytes", "U […, …]"}, s.logs.Asked()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestQueryReportsEveryFaultOfTheText(t *testing.T) {
	s := newServer(nil)
	s.logs.Err = kql.Diagnostics{
		{Code: "KS142", Message: "The name 'x' does not refer to any known column.", Start: 10, Length: 1, Severity: kql.SeverityError},
		{Code: "KS006", Message: "Missing expression", Start: 20, Length: 0, Severity: kql.SeverityError},
	}
	status, body := s.do("POST", "/acalocal/v1/query", `{"query":"T | where x == "}`)
	want := `{"error":{"code":"BadArgumentError","message":"The name 'x' does not refer to any known column.","details":[` +
		`{"code":"KS142","message":"The name 'x' does not refer to any known column.","target":"10+1"},` +
		`{"code":"KS006","message":"Missing expression","target":"20+0"}]}}`
	if diff := cmp.Diff(want, strings.TrimSpace(body)); status != 400 || diff != "" {
		t.Errorf("status %d; body (-want +got):\n%s", status, diff)
	}
}

func TestQueryRefusesABadTimespan(t *testing.T) {
	status, body := newServer(nil).do("POST", "/acalocal/v1/query", `{"query":"T","timespan":"1h"}`)
	want := `{"error":{"code":"InvalidRequestContent","message":"The timespan is not valid: '1h' is no duration in the form of ISO 8601, such as PT2H or P1D.","target":"timespan"}}`
	if got := strings.TrimSpace(body); status != 400 || got != want {
		t.Errorf("got %d %s, want 400 %s", status, got, want)
	}
}
