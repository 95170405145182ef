package api_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/api/apitest"
	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/google/go-cmp/cmp"
)

func TestLogAnalyticsAnswersGetAndPost(t *testing.T) {
	f := func(method, target, body string, status int, want string) {
		t.Helper()
		s := newServer(func(o *api.Options) { o.Workspace = "ws" })
		s.logs.Result = answer()
		got, text := s.do(method, target, body)
		if got != status || !strings.Contains(text, want) {
			t.Errorf("%s %s: got %d %s\nwant %d …%s…", method, target, got, text, status, want)
		}
	}
	const rows = `{"tables":[{"name":"PrimaryResult","columns":[{"name":"s","type":"string"},{"name":"n","type":"long"}],"rows":[["a",1],["\"b\"",-2]]}]}`
	f("POST", "/v1/workspaces/ws/query", `{"query":"T"}`, 200, rows)
	f("POST", "/V1/Workspaces/WS/Query", `{"query":"T"}`, 200, rows)
	f("POST", "/v1/workspaces/local/query", `{"query":"T"}`, 200, rows)
	f("GET", "/v1/workspaces/ws/query?query="+url.QueryEscape("T | take 1"), "", 200, rows)
	f("POST", "/v1/subscriptions/s/resourceGroups/g/providers/Microsoft.App/managedEnvironments/local/query", `{"query":"T"}`, 200, rows)
	f("POST", "/v1/workspaces/ws/query", `{"query":"T","workspaces":["ws","other"]}`, 404, `"WorkspaceNotFoundError"`)
	f("POST", "/v1/workspaces/other/query", `{"query":"T"}`, 404, `"WorkspaceNotFoundError"`)
	f("POST", "/v1/workspaces/ws", `{"query":"T"}`, 404, `"PathNotFoundError"`)
	f("POST", "/v1/nothing/query", `{"query":"T"}`, 404, `"PathNotFoundError"`)
	f("POST", "/v1/workspaces/ws/query", `{"query":" "}`, 400, `"MissingQuery"`)
	f("POST", "/v1/workspaces/ws/query", `{`, 400, `"InvalidJsonBody"`)
	f("POST", "/v1/workspaces/ws/query", `{"query":"T","timespan":"1h"}`, 400, `"InvalidTimespan"`)
	f("PUT", "/v1/workspaces/ws/query", `{"query":"T"}`, 405, `"MethodNotAllowed"`)
	f("GET", "/v1/$batch", ``, 405, `"MethodNotAllowed"`)
	f("POST", "/v1/$batch", `{"requests":[`+strings.Repeat(`{},`, 100)+`{}]}`, 400, `"BatchTooLarge"`)
}

func TestLogAnalyticsIntersectsTimespans(t *testing.T) {
	s := newServer(func(o *api.Options) { o.Workspace = "ws" })
	s.do("POST", "/v1/workspaces/ws/query?timespan=2026-01-01/2026-01-03", `{"query":"T","timespan":"2026-01-02/2026-01-04"}`)
	s.do("POST", "/v1/workspaces/ws/query?timespan=2026-01-01/2026-01-03", `{"query":"T"}`)
	s.do("POST", "/v1/workspaces/ws/query", `{"query":"T"}`)
	want := []string{"T [2026-01-02T00:00:00Z, 2026-01-03T00:00:00Z]", "T [2026-01-01T00:00:00Z, 2026-01-03T00:00:00Z]", "T […, …]"}
	if diff := cmp.Diff(want, s.logs.Asked()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestLogAnalyticsRefusesWithoutTheToken(t *testing.T) {
	s := newServer(func(o *api.Options) { o.TCP, o.Access, o.Workspace = true, api.NewAccess("secret"), "ws" })
	f := func(authorization string, status int, want string) {
		t.Helper()
		got, body := s.do("POST", "/v1/workspaces/ws/query", `{"query":"T"}`, "Host", "localhost", "Authorization", authorization)
		if got != status || !strings.Contains(body, want) {
			t.Errorf("%q: got %d %s, want %d …%s…", authorization, got, body, status, want)
		}
	}
	f("", 401, `"message":"Authentication failed. The 'Authorization' header is missing.","code":"AuthenticationFailed"`)
	f("Bearer other", 403, `"message":"The access token is invalid.","code":"InvalidAuthenticationToken"`)
	f("bearer secret", 200, `{"tables":[]`)
}

// slowLogs answer a query when its time is over.
type slowLogs struct{ *apitest.Logs }

func (slowLogs) Query(ctx context.Context, _ string, _, _ time.Time, _ kql.Limits) (*kql.Result, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestLogAnalyticsWaitsAsLongAsPreferred(t *testing.T) {
	s := newServer(func(o *api.Options) { o.Workspace, o.Logs = "ws", slowLogs{apitest.NewLogs()} })
	status, body := s.do("POST", "/v1/workspaces/ws/query", `{"query":"T"}`, "Prefer", "include-render=true, wait=1")
	if status != 504 || !strings.Contains(body, "did not end within 1s") {
		t.Errorf("got %d %s", status, body)
	}
}

func TestLogAnalyticsSaysThatAnAnswerWasCutAsTheServiceDoes(t *testing.T) {
	s := newServer(func(o *api.Options) { o.Workspace = "ws" })
	s.logs.Result = answer()
	s.logs.Result.Partial = &kql.TruncationError{Limit: 2, Unit: "records"}
	status, body := s.do("POST", "/v1/workspaces/ws/query", `{"query":"T"}`)
	want := `"rows":[["a",1],["\"b\"",-2]]}],"error":{"message":"There were some errors when processing your query.","code":"PartialError","details":[` +
		`{"message":"Something went wrong processing your query on the server.","code":"EngineError","innererror":` +
		`{"message":"The results of this query exceed the set limit of 2 records, so not all records were returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003). ` +
		`See https://aka.ms/kustoquerylimits for more information and possible solutions.","code":"-2133196797","severity":2,"severityName":"Error"}}]}}` + "\n"
	if status != 200 || !strings.HasSuffix(body, want) {
		t.Errorf("got %d %s\nwant …%s", status, body, want)
	}
}

func TestLogAnalyticsNamesTheOperatorThatMissesATable(t *testing.T) {
	f := func(query, code string, start, length int, want string) {
		t.Helper()
		s := newServer(func(o *api.Options) { o.Workspace = "ws" })
		s.logs.Err = kql.Diagnostics{{Code: code, Start: start, Length: length}}
		status, body := s.do("POST", "/v1/workspaces/ws/query", `{"query":"`+query+`"}`)
		if status != 400 || !strings.Contains(body, `"message":"`+want+`","code":"SEM0100"`) {
			t.Errorf("%s: got %d %s\nwant …%s…", query, status, body, want)
		}
	}
	f("Foo_CL", "KS142", 0, 6, "'table' operator: Failed to resolve table expression named 'Foo_CL'")
	f("let a = 1; Foo_CL", "KS142", 11, 6, "'table' operator: Failed to resolve table expression named 'Foo_CL'")
	f("Foo_CL | where a", "KS204", 0, 6, "'where' operator: Failed to resolve table or column expression named 'Foo_CL'")
	f("T | where a", "KS142", 10, 1, "'where' operator: Failed to resolve column or scalar expression named 'a'")
}
