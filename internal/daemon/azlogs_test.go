package daemon

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/monitor/query/azlogs"
	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/kql"
)

// fixedToken is a credential that knows its token.
type fixedToken string

func (t fixedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(t), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// azlogsClient is Azure's own client, as it is, against the daemon's port.
func (m *machine) azlogsClient(token string) *azlogs.Client {
	m.Helper()
	dir, err := ingress.DefaultAuthorityDir()
	if err != nil {
		m.Fatal(err)
	}
	authority, err := ingress.OpenAuthority(dir)
	if err != nil {
		m.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.Certificate())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	m.Cleanup(transport.CloseIdleConnections)
	c, err := azlogs.NewClient(fixedToken(token), &azlogs.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: &http.Client{Transport: transport},
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			azlogs.ServiceName: {Endpoint: "https" + strings.TrimPrefix(m.access().URL, "http") + "/v1", Audience: "https://api.loganalytics.io"},
		}},
	}})
	if err != nil {
		m.Fatal(err)
	}
	return c
}

// print stores console lines of an app.
func (m *machine) print(app string, lines ...string) {
	m.Helper()
	next := 0
	err := m.daemon.Logs.Ingest(m.Context(), logsink.Container{App: app, Revision: app + "--0000001", Replica: app + "--0000001-abc", Name: app, ID: "id-" + app, Image: app + ":1"},
		func() (logsink.Entry, error) {
			if next == len(lines) {
				return logsink.Entry{}, io.EOF
			}
			next++
			return logsink.Entry{Time: time.Now(), Data: []byte(lines[next-1] + "\n")}, nil
		})
	if err != nil && !errors.Is(err, io.EOF) {
		m.Fatal(err)
	}
}

// say stores events of an app.
func (m *machine) say(app string, reasons ...string) {
	m.Helper()
	for _, reason := range reasons {
		err := m.daemon.Logs.AppendEvent(logsink.Event{
			Time: time.Now(), Type: logsink.Warning, App: app, Revision: app + "--0000001", Replica: app + "--0000001-abc",
			Reason: reason, Source: "ContainerAppController", Count: 3, Msg: "Failed to pull image: " + reason,
		})
		if err != nil {
			m.Fatal(err)
		}
	}
}

// corpus is the published queries that are valid.
func (m *machine) corpus() (queries []string) {
	m.Helper()
	text, err := os.ReadFile("../../logsink/kql/testdata/corpus.txt")
	if err != nil {
		m.Fatal(err)
	}
	for q := range strings.SplitSeq(string(text), "\n---\n") {
		diags, err := kql.Check(m.daemon.Logs.Catalog(), q, kql.Options{})
		if err != nil {
			m.Fatal(err)
		}
		if len(diags) == 0 {
			queries = append(queries, q)
		}
	}
	return queries
}

// fits reports whether a cell has the JSON kind of its column.
func fits(t azlogs.ColumnType, cell any) bool {
	if cell == nil {
		return true
	}
	switch t {
	case azlogs.ColumnTypeBool:
		_, ok := cell.(bool)
		return ok
	case azlogs.ColumnTypeInt, azlogs.ColumnTypeLong:
		_, ok := cell.(float64)
		return ok
	case azlogs.ColumnTypeReal:
		_, number := cell.(float64)
		return number || cell == "NaN" || cell == "Infinity" || cell == "-Infinity"
	case azlogs.ColumnTypeDatetime:
		s, _ := cell.(string)
		_, err := time.Parse(time.RFC3339Nano, s)
		return err == nil
	case azlogs.ColumnTypeDynamic:
		s, ok := cell.(string)
		return ok && json.Valid([]byte(s))
	case azlogs.ColumnTypeString, azlogs.ColumnTypeGUID, azlogs.ColumnTypeDecimal, azlogs.ColumnTypeTimespan:
		_, ok := cell.(string)
		return ok
	}
	return false
}

func TestAzlogsRunsTheCorpus(t *testing.T) {
	t.Setenv("ACALOCAL_CA_DIR", t.TempDir())
	m := newMachine(t)
	m.boot()
	m.print("my-api", "ERROR: Exception in worker", `{"orderId":7,"amount":2.5,"duration_ms":12,"event":"order_created"}`, "Timeout", "duration_ms=12.5")
	m.print("web", "Listening", "[ERROR] oops", `Traceback (most recent call last):`, "success")
	m.say("my-api", "BackOff", "ContainerTerminated", "ReplicaUnhealthy", "KEDAScalerFailed", "Error")
	client, workspace := m.azlogsClient(m.access().Token), m.access().Workspace

	withRows, types := 0, map[azlogs.ColumnType]bool{}
	queries := m.corpus()
	for _, q := range queries {
		resp, err := client.QueryWorkspace(t.Context(), workspace, azlogs.QueryBody{Query: to.Ptr(q)}, nil)
		if err != nil {
			t.Errorf("%s\n%v", q, err)
			continue
		}
		if resp.Error != nil {
			t.Errorf("%s\n%v", q, resp.Error)
		}
		if len(resp.Tables) > 0 && len(resp.Tables[0].Rows) > 0 { // one query is all lets
			withRows++
		}
		for _, table := range resp.Tables {
			for _, row := range table.Rows {
				for i, c := range table.Columns {
					types[*c.Type] = true
					if !fits(*c.Type, row[i]) {
						t.Errorf("%s\ncolumn %s of type %s has %T %v", q, *c.Name, *c.Type, row[i], row[i])
					}
				}
			}
		}
	}
	if withRows < 10 || len(types) < 5 {
		t.Errorf("%d of %d queries have rows, of the types %v", withRows, len(queries), types)
	}
	m.stop()
}

func TestAzlogsGetsWhatItPrefersAndErrorsInItsShape(t *testing.T) {
	t.Setenv("ACALOCAL_CA_DIR", t.TempDir())
	m := newMachine(t)
	m.boot()
	client, workspace := m.azlogsClient(m.access().Token), m.access().Workspace
	ask := func(q string, o *azlogs.QueryOptions) azlogs.QueryWorkspaceResponse {
		t.Helper()
		resp, err := client.QueryWorkspace(t.Context(), workspace, azlogs.QueryBody{Query: &q}, &azlogs.QueryWorkspaceOptions{Options: o})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	const typed = `print b=true, i=int(1), l=2, r=1.5, d=decimal(2.5), t=datetime(2026-01-02), s=1d, g=guid(74be27de-1e4e-49d9-b579-fe0b331d3642), y=dynamic({"a":1}), n=real(nan), z=int(null), x="text"`
	resp := ask(typed+` | render timechart with (title="T", kind=stacked)`, &azlogs.QueryOptions{Statistics: to.Ptr(true), Visualization: to.Ptr(true), Wait: to.Ptr(5)})
	var columns []string
	for _, c := range resp.Tables[0].Columns {
		columns = append(columns, *c.Name+":"+string(*c.Type))
	}
	if diff := cmp.Diff([]string{"b:bool", "i:int", "l:long", "r:real", "d:decimal", "t:datetime", "s:timespan", "g:guid", "y:dynamic", "n:real", "z:int", "x:string"}, columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	want := azlogs.Row{true, 1.0, 2.0, 1.5, "2.5", "2026-01-02T00:00:00.0000000Z", "1.00:00:00", "74be27de-1e4e-49d9-b579-fe0b331d3642", `{"a":1}`, "NaN", nil, "text"}
	if diff := cmp.Diff(want, resp.Tables[0].Rows[0]); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
	if got := string(resp.Visualization); got != `{"visualization":"timechart","title":"T","accumulate":false,"isQuerySorted":true,"kind":"stacked","annotation":null,"by":null}` {
		t.Errorf("visualization: %s", got)
	}
	if got := string(resp.Statistics); !strings.HasPrefix(got, `{"query":{"executionTime":`) || !strings.Contains(got, `"datasetStatistics":[{"tableRowCount":1,`) {
		t.Errorf("statistics: %s", got)
	}
	if plain := ask(typed, nil); plain.Visualization != nil || plain.Statistics != nil {
		t.Errorf("what nobody asked for: %s %s", plain.Visualization, plain.Statistics)
	}

	refused := func(c *azlogs.Client, workspace, query string, status int, wants ...string) {
		t.Helper()
		_, err := c.QueryWorkspace(t.Context(), workspace, azlogs.QueryBody{Query: &query}, nil)
		var re *azcore.ResponseError
		if !errors.As(err, &re) || re.StatusCode != status {
			t.Errorf("%s: got %v, want status %d", query, err, status)
			return
		}
		for _, want := range wants {
			if !strings.Contains(re.Error(), want) {
				t.Errorf("%s: no %s in %s", query, want, re.Error())
			}
		}
	}
	refused(client, workspace, "T | where | take 1", 400, `"BadArgumentError"`, `"SyntaxError"`, `"SYN0002"`, `"token": "|"`, `"line": 1`, `"pos": 10`)
	refused(client, workspace, "ContainerAppConsoleLogs_CL | where Foo == 1", 400, `"SemanticError"`, `"SEM0100"`, "'where' operator: Failed to resolve column or scalar expression named 'Foo'")
	refused(client, workspace, "Foo_CL", 400, `"SEM0100"`, "'table' operator: Failed to resolve table expression named 'Foo_CL'")
	refused(client, workspace, "Foo_CL | where x == 1", 400, "'where' operator: Failed to resolve table or column expression named 'Foo_CL'")
	refused(client, "00000000-0000-0000-0000-000000000000", "print 1", 404, `"WorkspaceNotFoundError"`)
	refused(m.azlogsClient("wrong"), workspace, "print 1", 403, `"InvalidAuthenticationToken"`)
	m.stop()
}

func TestAzlogsLimitsTimeQueriesResourcesAndBatches(t *testing.T) {
	t.Setenv("ACALOCAL_CA_DIR", t.TempDir())
	m := newMachine(t)
	m.boot()
	m.print("web", "one", "two")
	client, workspace := m.azlogsClient(m.access().Token), m.access().Workspace
	count := "ContainerAppConsoleLogs_CL | count"
	now := time.Now()
	for _, span := range []struct {
		span *azlogs.TimeInterval
		want float64
	}{
		{nil, 2},
		{to.Ptr(azlogs.TimeInterval("PT1H")), 2},
		{to.Ptr(azlogs.NewTimeInterval(now.Add(-time.Hour), now.Add(time.Hour))), 2},
		{to.Ptr(azlogs.NewTimeInterval(now.Add(-2*time.Hour), now.Add(-time.Hour))), 0},
	} {
		resp, err := client.QueryWorkspace(t.Context(), workspace, azlogs.QueryBody{Query: &count, Timespan: span.span}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Tables[0].Rows[0][0]; got != span.want {
			t.Errorf("span %v: %v rows, want %v", span.span, got, span.want)
		}
	}
	resource, err := client.QueryResource(t.Context(), "subscriptions/s/resourceGroups/g/providers/Microsoft.App/managedEnvironments/dev", azlogs.QueryBody{Query: &count}, nil)
	if err != nil || resource.Tables[0].Rows[0][0] != 2.0 {
		t.Errorf("by resource: %v %v", resource, err)
	}
	batch := azlogs.BatchRequest{}
	for i, q := range []string{count, "nonsense |", "print 1"} {
		batch.Requests = append(batch.Requests, azlogs.BatchQueryRequest{
			ID: to.Ptr(fmt.Sprint(i)), WorkspaceID: &workspace, Method: to.Ptr("POST"), Path: to.Ptr("/query"),
			Body:    &azlogs.QueryBody{Query: &q, Timespan: to.Ptr(azlogs.TimeInterval("PT1H"))},
			Headers: map[string]*string{"Prefer": to.Ptr("include-statistics=true")},
		})
	}
	answers, err := client.QueryBatch(t.Context(), batch, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range answers.Responses {
		rows := 0
		if len(a.Body.Tables) > 0 {
			rows = len(a.Body.Tables[0].Rows)
		}
		got = append(got, fmt.Sprintf("%s %d rows=%d error=%t statistics=%t", *a.ID, *a.Status, rows, a.Body.Error != nil, a.Body.Statistics != nil))
	}
	if diff := cmp.Diff([]string{"0 200 rows=1 error=false statistics=true", "1 400 rows=0 error=true statistics=false", "2 200 rows=1 error=false statistics=true"}, got); diff != "" {
		t.Errorf("batch (-want +got):\n%s", diff)
	}
	m.stop()
}

func TestAzlogsReadsAnAnswerThatWasCut(t *testing.T) {
	t.Setenv("ACALOCAL_CA_DIR", t.TempDir())
	m := newMachine(t)
	m.boot(func(o *Options) { o.QueryLimits = kql.Limits{MaxRows: 3, MaxBytes: 2000} })
	m.print("web", "one", "two", "three", "four")
	azure, workspace := m.azlogsClient(m.access().Token), m.access().Workspace
	for _, c := range []struct {
		query string
		rows  int
		want  string
	}{
		{"ContainerAppConsoleLogs_CL | take 3 | project Log_s", 3, ""},
		{"ContainerAppConsoleLogs_CL | project Log_s", 3, "exceed the set limit of 3 records, so not all records were returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003)"},
		{"ContainerAppConsoleLogs_CL | project strrep(Log_s, 200)", 2, "exceed the set limit of 2000 bytes, so not all records were returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003)"},
		{"set truncationmaxrecords = 1; ContainerAppConsoleLogs_CL | project Log_s", 1, "exceed the set limit of 1 records"},
		{"set notruncation; ContainerAppConsoleLogs_CL | project Log_s", 4, ""},
	} {
		resp, err := azure.QueryWorkspace(t.Context(), workspace, azlogs.QueryBody{Query: &c.query}, nil)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if n := len(resp.Tables[0].Rows); n != c.rows {
			t.Errorf("%s: %d rows, want %d", c.query, n, c.rows)
		}
		switch {
		case c.want == "" && resp.Error != nil:
			t.Errorf("%s: %v", c.query, resp.Error)
		case c.want != "" && (resp.Error == nil || resp.Error.Code != "PartialError" || !strings.Contains(resp.Error.Error(), c.want)):
			t.Errorf("%s: error %v, want PartialError with %s", c.query, resp.Error, c.want)
		}
	}
	own := client.New(m.daemon.files)
	answer, err := own.Query(t.Context(), api.QueryBody{Query: "ContainerAppConsoleLogs_CL | project Log_s", MaxRows: -1})
	if err != nil || len(answer.Tables[0].Rows) != 4 || answer.Error != nil {
		t.Errorf("without a limit of rows: %+v, %v", answer, err)
	}
	if info, err := own.Info(t.Context()); err != nil || info.QueryMaxRows != 3 || info.QueryMaxBytes != 2000 {
		t.Errorf("info %+v, %v", info, err)
	}
	m.stop()
}
