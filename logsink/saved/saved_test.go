package saved_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/acalocal/acalocal/logsink/saved"
)

// store is a log store in which every query finds something.
func store(t *testing.T) *logsink.Store {
	s, err := logsink.Open(logsink.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	lines := []string{
		"Listening at: http://0.0.0.0:8000", "Traceback (most recent call last):", `  File "app.py", line 3, in <module>`, "    main()",
		"ValueError: bad", `{"level":"ERROR","msg":"fatal error"}`, "done",
	}
	next, now := 0, time.Now()
	err = s.Ingest(t.Context(), logsink.Container{App: "web", Revision: "web--1", Replica: "web--1-a", Name: "web", ID: "1", Image: "web:1"}, func() (logsink.Entry, error) {
		if next == len(lines) {
			return logsink.Entry{}, io.EOF
		}
		next++
		return logsink.Entry{Time: now.Add(time.Duration(next) * time.Microsecond), Data: []byte(lines[next-1] + "\n")}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range []struct{ reason, source, msg string }{
		{"AssigningReplica", "ContainerAppController", "Replica has been scheduled to run on a node."},
		{"PulledImage", "ContainerAppController", "Successfully pulled image \"web:1\" in 2.5s"},
		{"ProbeFailure", "ContainerAppController", "Readiness probe failed: connection refused"},
		{"ContainerTerminated", "ContainerAppController", "Container 'web' was terminated with exit code '137' and reason 'OOMKilled'"},
		{"KEDAScalerFailed", "KEDA", "no secret for the scaler"},
		{"ContainerCreateFailure", "ContainerAppController", "volume mount failed"},
	} {
		err := s.AppendEvent(logsink.Event{
			Time: now.Add(time.Duration(10+i) * time.Microsecond), Type: logsink.Warning, App: "web", Revision: "web--1", Replica: "web--1-a", Reason: e.reason, Source: e.source, Msg: e.msg, Count: 2,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = s.AppendRequests([]logsink.Request{
		{StartTime: now, Duration: 30 * time.Millisecond, App: "web", Revision: "web--1", Method: "GET", Path: "/orders/1234/items", StatusCode: 200},
		{StartTime: now, Duration: 9 * time.Second, App: "web", Revision: "web--1", Method: "GET", Path: "/", StatusCode: 503, ResponseFlags: "UF", Held: 8 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.AppendTelemetry([]logsink.Telemetry{
		{Kind: logsink.TelemetryRequest, RoleName: "web", Name: "GET /", Duration: 20 * time.Millisecond, Success: true, ResultCode: "200"},
		{Kind: logsink.TelemetryDependency, RoleName: "web", Name: "SELECT", Target: "db", DependencyType: "SQL", Duration: 15 * time.Millisecond},
		{Kind: logsink.TelemetryException, RoleName: "web", ProblemID: "ValueError at app.py", Outer: logsink.ExceptionPart{Type: "ValueError", Message: "bad"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// cell is a cell of the first row.
func cell(t *testing.T, res *kql.Result, column string) string {
	t.Helper()
	table := &res.Tables[0]
	i := table.Columns.Index(column)
	if i < 0 {
		t.Fatalf("no column %s", column)
	}
	out := ""
	table.Each(func(row []kql.Value) bool {
		out = row[i].String()
		return false
	})
	return out
}

func TestEveryQueryFindsWhatItIsFor(t *testing.T) {
	s := store(t)
	queries := saved.All()
	if len(queries) < 20 {
		t.Errorf("only %d queries", len(queries))
	}
	for _, q := range queries {
		t.Run(q.Name, func(t *testing.T) {
			if len(q.Description) < 20 || strings.HasPrefix(q.Text, "//") {
				t.Errorf("described as %q", q.Description)
			}
			res, err := s.Query(t.Context(), q.Text, kql.Options{})
			if err != nil {
				t.Fatalf("%v\n%s", err, q.Text)
			}
			if res.Tables[0].Rows() == 0 {
				t.Errorf("finds nothing:\n%s", q.Text)
			}
			if found, ok := saved.Find(q.Name); !ok || found != q {
				t.Errorf("Find gives %+v", found)
			}
		})
	}
}

func TestPullsTakeSeconds(t *testing.T) {
	s, err := logsink.Open(logsink.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	q, _ := saved.Find("image-pulls")
	for i, c := range []struct{ took, want string }{
		{`in 2.98s. Image size: 28311552 bytes.`, "2.98"}, {`in 19ms.`, "0.019"}, {`in 80.5ms (80.8ms including waiting)`, "0.0805"}, {`in 1m12.5s. Image size: 4 bytes.`, "72.5"},
	} {
		err := s.AppendEvent(logsink.Event{Time: time.Now().Add(time.Duration(i) * time.Microsecond), App: "web", Reason: "PulledImage", Msg: `Successfully pulled image "a.io/web:1" ` + c.took})
		if err != nil {
			t.Fatal(err)
		}
		res, err := s.Query(t.Context(), q.Text, kql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := cell(t, res, "Seconds"); got != c.want {
			t.Errorf("%s: %s seconds, want %s", c.took, got, c.want)
		}
	}
}

func TestPathsAreToldApartWithoutTheirQueries(t *testing.T) {
	s, err := logsink.Open(logsink.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.AppendRequests([]logsink.Request{{Path: "/orders/1?page=2", Method: "GET", StatusCode: 200}, {Path: "/orders/2", Method: "GET", StatusCode: 200}})
	if err != nil {
		t.Fatal(err)
	}
	q, _ := saved.Find("slow-requests")
	res, err := s.Query(t.Context(), q.Text, kql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := cell(t, res, "Route") + " " + cell(t, res, "Requests"); got != "/orders/* 2" {
		t.Errorf("got %s", got)
	}
}

func TestStackTracesArePutTogether(t *testing.T) {
	q, _ := saved.Find("stack-traces")
	res, err := store(t).Query(t.Context(), q.Text, kql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := "Traceback (most recent call last):\n  File \"app.py\", line 3, in <module>\n    main()\nValueError: bad"
	if got := cell(t, res, "Traceback"); got != want || res.Tables[0].Rows() != 1 {
		t.Errorf("%d rows, the first %q", res.Tables[0].Rows(), got)
	}
	if got := cell(t, res, "Error"); got != "ValueError: bad" {
		t.Errorf("error %q", got)
	}
}

func TestNumbersAreRead(t *testing.T) {
	s := store(t)
	for _, c := range []struct{ query, column, want string }{
		{"restarts", "ExitCode", "137"},
		{"probe-failures", "Probe", "Readiness"},
		{"slow-requests", "Longest", "9000"},
		{"json-levels", "Level", "error"},
		{"error-kinds", "Kind", "ValueError"},
		{"exceptions", "ExceptionType", "ValueError"},
		{"slow-dependencies", "Longest", "15"},
		{"telemetry-sent", "Records", "1"},
	} {
		q, _ := saved.Find(c.query)
		res, err := s.Query(t.Context(), q.Text, kql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := cell(t, res, c.column); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.query, c.column, got, c.want)
		}
	}
	for _, route := range []string{"/orders/1234/items"} {
		res, err := s.Query(t.Context(), fmt.Sprintf(`print Route = replace_regex("%s", @"/(\d+|[0-9a-fA-F-]{16,})(/|$)", @"/*\2")`, route), kql.Options{})
		if err != nil || cell(t, res, "Route") != "/orders/*/items" {
			t.Errorf("route %q %v", cell(t, res, "Route"), err)
		}
	}
}
