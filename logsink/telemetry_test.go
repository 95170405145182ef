package logsink

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/logsink/kql/workspace"
)

// someTelemetry is a record of each kind.
var someTelemetry = []Telemetry{
	{
		Kind: TelemetryRequest, Time: epoch, App: "web", IKey: "key", RoleName: "shop", RoleInstance: "host-1", SDKVersion: "py3:1",
		OperationName: "GET /orders", OperationID: "trace1", ID: "span1", Name: "GET /orders", URL: "http://web/orders?x=1",
		ResultCode: "200", Success: true, Duration: 1500 * time.Microsecond, Properties: `{"http.route":"/orders","n":3}`, Measurements: `{"rows":2.5}`,
	},
	{
		Kind: TelemetryRequest, Time: epoch.Add(time.Second), App: "web", RoleName: "shop", OperationID: "trace2", ID: "span2", Name: "GET /slow",
		ResultCode: "500", Duration: 4 * time.Second, ItemCount: 5,
	},
	{
		Kind: TelemetryDependency, Time: epoch, App: "web", RoleName: "shop", OperationID: "trace1", ParentID: "span1", ID: "span3",
		Name: "SELECT orders", Target: "db|orders", DependencyType: "postgresql", Data: "SELECT 1", Success: true, Duration: 300 * time.Millisecond,
	},
	{Kind: TelemetryTrace, Time: epoch, App: "web", OperationID: "trace1", ParentID: "span1", Message: "cache miss", Severity: SeverityWarning},
	{Kind: TelemetryTrace, Time: epoch, App: "web", Message: "no level", Properties: "not JSON"},
	{
		Kind: TelemetryException, Time: epoch, App: "web", OperationID: "trace2", Message: "boom", Severity: SeverityError, ProblemID: "ValueError",
		Outer: ExceptionPart{"RuntimeError", "boom", "app", "handler"}, Innermost: ExceptionPart{"ValueError", "bad", "lib", "parse"},
		Details: `[{"type":"RuntimeError","message":"boom"}]`,
	},
	{Kind: TelemetryEvent, Time: epoch, App: "web", Name: "order placed"},
}

func TestTelemetryIsShownByKind(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir, WorkspaceID: "ws"})
	if err := s.AppendTelemetry(someTelemetry); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, Options{Dir: dir, WorkspaceID: "ws"})
	for _, test := range []struct {
		query string
		want  []string
	}{
		{`AppRequests | order by TimeGenerated asc | project Name, Url, Success, ResultCode, DurationMs, ItemCount, AppRoleName, Type, Properties.n, Measurements.rows`, []string{
			"GET /orders | http://web/orders?x=1 | true | 200 | 1.5 | 1 | shop | AppRequests | 3 | 2.5",
			"GET /slow |  | false | 500 | 4000 | 5 | shop | AppRequests |  | ",
		}},
		{`requests | where success == false | project timestamp, name, duration, performanceBucket, itemCount, itemType, appName`, []string{
			"2026-06-26T08:19:08.0000000Z | GET /slow | 4000 | 3sec-7sec | 5 | request | web",
		}},
		{`requests | where tostring(customDimensions["http.route"]) == "/orders" | project id, performanceBucket`, []string{"span1 | <250ms"}},
		{`AppDependencies | project Target, DependencyType, Name, Data, Success, DurationMs`, []string{"db|orders | postgresql | SELECT orders | SELECT 1 | true | 300"}},
		{`AppTraces | project Message, SeverityLevel, isnull(SeverityLevel), Properties`, []string{"cache miss | 2 | false | ", "no level |  | true | not JSON"}},
		{`traces | where severityLevel >= 0 | count`, []string{"1"}},
		{`AppExceptions | project ExceptionType, OuterMessage, InnermostType, InnermostMessage, SeverityLevel, Details[0].type`, []string{
			"RuntimeError | boom | ValueError | bad | 3 | RuntimeError",
		}},
		{`exceptions | project type, outerMethod, innermostAssembly, problemId`, []string{"RuntimeError | handler | lib | ValueError"}},
		{`AppEvents | project Name`, []string{"order placed"}},
		{`AppRequests | join kind=inner (AppTraces) on OperationId | project Name, Message`, []string{"GET /orders | cache miss"}},
		{`AppRequests | take 1 | count`, []string{"1"}},
		{`AppEvents | where Name has "order" and IKey == "key" | count`, []string{"0"}},
	} {
		if diff := cmp.Diff(test.want, answer(t, s.Catalog(), test.query)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.query, diff)
		}
	}
}

func TestTelemetryTablesHaveTheColumnsOfAWorkspace(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	declared := workspace.Tables()
	for _, v := range telemetryViews(s.opts) {
		want, ok := declared.Table(v.name)
		if !ok {
			t.Errorf("a workspace has no table %s", v.name)
			continue
		}
		if diff := cmp.Diff(want.Schema(), mustTable(t, s, v.name).Schema()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", v.name, diff)
		}
	}
}

func TestTheLogTablesHaveTheColumnsOfAWorkspace(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	declared := workspace.Tables()
	for _, name := range []string{"ContainerAppConsoleLogs_CL", "ContainerAppSystemLogs_CL", "ContainerAppConsoleLogs", "ContainerAppSystemLogs", "ContainerAppHTTPLogs"} {
		want, ok := declared.Table(name)
		if !ok {
			t.Errorf("a workspace has no table %s", name)
			continue
		}
		got := mustTable(t, s, name).Schema() // which may have more
		for _, c := range want.Schema() {
			if i := got.Index(c.Name); i < 0 || got[i].Type != c.Type {
				t.Errorf("%s has no column %s of the type %s", name, c.Name, c.Type)
			}
		}
	}
}

func TestSealedTelemetryIsShownByKind(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	const n = 3 * sealRows
	var list []Telemetry
	for i := range n {
		list = append(list, Telemetry{Kind: TelemetryKind(i % 2), Time: epoch.Add(time.Duration(i)), Success: i%4 == 0, Duration: time.Duration(i) * time.Millisecond})
	}
	if err := s.AppendTelemetry(list); err != nil {
		t.Fatal(err)
	}
	waitSealed(t, s)
	want := []string{"12288 | 6144 | 24574"}
	if diff := cmp.Diff(want, answer(t, s.Catalog(), `AppRequests | summarize count(), countif(Success), max(DurationMs)`)); diff != "" {
		t.Error(diff)
	}
}

func TestLongTelemetryIsCutAndHalfAnObjectIsNone(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	err := s.AppendTelemetry([]Telemetry{{
		Kind: TelemetryTrace, Message: strings.Repeat("x", MaxField+1), Properties: `{"a":"` + strings.Repeat("x", MaxField) + `"}`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"32768 | true | false"}
	if diff := cmp.Diff(want, answer(t, s.Catalog(), `AppTraces | project strlen(Message), isnull(Properties), isnull(TimeGenerated)`)); diff != "" {
		t.Error(diff)
	}
}
