package logsink

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/logsink/kql"
)

// scanRows scans a table and returns its rows as texts, column by column.
func scanRows(t testing.TB, table kql.Table, req kql.ScanRequest) [][]string {
	t.Helper()
	ctx := context.Background()
	sc, err := table.Scan(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	defer sc.Close()
	var rows [][]string
	for {
		b, err := sc.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return rows
		}
		for i := range b.Rows {
			var row []string
			for _, c := range req.Columns {
				row = append(row, b.Columns[c].Value(i).String())
			}
			rows = append(rows, row)
		}
	}
}

func mustTable(t testing.TB, s *Store, name string) kql.Table {
	t.Helper()
	table, ok := s.Catalog().Table(name)
	if !ok {
		t.Fatalf("no table %s", name)
	}
	return table
}

// ordinals returns the places of the named columns, all if none are named.
func ordinals(t testing.TB, s kql.Schema, names ...string) []int {
	t.Helper()
	var list []int
	for i, c := range s {
		if len(names) == 0 || slices.Contains(names, c.Name) {
			list = append(list, i)
		}
	}
	if len(names) > 0 && len(list) != len(names) {
		t.Fatalf("columns %v are not all in %v", names, s)
	}
	return list
}

// record returns the only row of a table, as lines "name:type=value".
func record(t testing.TB, table kql.Table) []string {
	t.Helper()
	schema := table.Schema()
	rows := scanRows(t, table, kql.ScanRequest{Columns: ordinals(t, schema)})
	if len(rows) != 1 {
		t.Fatalf("%d rows, want 1", len(rows))
	}
	var out []string
	for i, c := range schema {
		out = append(out, fmt.Sprintf("%s:%s=%s", c.Name, c.Type, rows[0][i]))
	}
	return out
}

func TestConsoleTablesHaveAllColumns(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir(), Environment: "victoriousmushroom-d79e9f76", WorkspaceID: "ws-1"})
	mustIngest(t, s, web, line(0, Stderr, "Listening at: http://0.0.0.0:80\n"))
	want := strings.Fields(`
TenantId:string=ws-1 SourceSystem:string=RestAPI MG:string= ManagementGroupName:string=
TimeGenerated:datetime=2026-06-26T08:19:07.0000000Z Computer:string= RawData:string=
ContainerAppName_s:string=web ContainerJobName_s:string= RevisionName_s:string=web--0000001
ContainerGroupName_s:string=web--0000001-6bffcf46d6-j79zb ContainerGroupId_g:string=b0b1
ContainerName_s:string=app ContainerId_s:string=c0ffee ContainerImage_s:string=reg.example/web:v1
EnvironmentName_s:string=victoriousmushroom-d79e9f76 Stream_s:string=stderr
Log_s:string=Listening_at:_http://0.0.0.0:80 Category:string=ContainerAppConsoleLogs
time_t:datetime=2026-06-26T08:19:07.0000000Z _timestamp_d:real=1782461947
Type:string=ContainerAppConsoleLogs_CL _ResourceId:string=
ContainerGroupName_g:string=web--0000001-6bffcf46d6-j79zb ContainerId_g:string=c0ffee
JobName_s:string= ExecutionName_s:string= logtag_s:string=F _seq_d:real=0`)
	if diff := cmp.Diff(want, spaceless(record(t, mustTable(t, s, "ContainerAppConsoleLogs_CL")))); diff != "" {
		t.Error("custom log table (-want +got)\n", diff)
	}
	want = strings.Fields(`
TenantId:string=ws-1 TimeGenerated:datetime=2026-06-26T08:19:07.0000000Z ContainerAppName:string=web
ContainerGroupId:string=b0b1 ContainerGroupName:string=web--0000001-6bffcf46d6-j79zb ContainerId:string=c0ffee
ContainerImage:string=reg.example/web:v1 ContainerName:string=app
EnvironmentName:string=victoriousmushroom-d79e9f76 JobName:string= Location:string=
Log:string=Listening_at:_http://0.0.0.0:80 OperationName:string= RevisionName:string=web--0000001
SourceSystem:string=Azure Stream:string=stderr Type:string=ContainerAppConsoleLogs _ResourceId:string=
_SubscriptionId:string= _BilledSize:real=0 _IsBillable:string=False`)
	if diff := cmp.Diff(want, spaceless(record(t, mustTable(t, s, "ContainerAppConsoleLogs")))); diff != "" {
		t.Error("resource-specific table (-want +got)\n", diff)
	}
}

func TestSystemTablesHaveAllColumns(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir(), Environment: "env", WorkspaceID: "ws-1"})
	e := Event{
		Time: epoch, Type: Warning, App: "web", Revision: "web--1", Replica: "web--1-x",
		Reason: "ProbeFailed", Source: "ContainerAppController", Msg: "Probe-of-StartUp", Count: 3,
	}
	if err := s.AppendEvent(e); err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(`
TenantId:string=ws-1 SourceSystem:string=RestAPI MG:string= ManagementGroupName:string=
TimeGenerated:datetime=2026-06-26T08:19:07.0000000Z Computer:string= RawData:string= ContainerAppName_s:string=web
RevisionName_s:string=web--1 ReplicaName_s:string=web--1-x JobName_s:string= ExecutionName_s:string=
EnvironmentName_s:string=env Reason_s:string=ProbeFailed Type_s:string=Warning Log_s:string=Probe-of-StartUp
Error_s:string= EventSource_s:string=ContainerAppController Count_d:real=3 Level:string=
Category:string=ContainerAppSystemLogs TimeStamp_s:string=2026-06-26_08:19:07_+0000_UTC
time_s:string=2026-06-26_08:19:07_+0000_UTC time_t:datetime=2026-06-26T08:19:07.0000000Z
_timestamp_d:real=1782461947 Type:string=ContainerAppSystemLogs_CL _ResourceId:string= _seq_d:real=0`)
	if diff := cmp.Diff(want, spaceless(record(t, mustTable(t, s, "ContainerAppSystemLogs_CL")))); diff != "" {
		t.Error("custom log table (-want +got)\n", diff)
	}
	want = strings.Fields(`
TenantId:string=ws-1 TimeGenerated:datetime=2026-06-26T08:19:07.0000000Z ComponentName:string= ComponentType:string=
ContainerAppName:string=web ContainerName:string= Count:int=3 EnvironmentName:string=env
EventSource:string=ContainerAppController JobName:string= Location:string= Log:string=Probe-of-StartUp
OperationName:string= Reason:string=ProbeFailed ReplicaName:string=web--1-x RevisionName:string=web--1
SourceSystem:string=Azure Type:string=Warning _ResourceId:string= _SubscriptionId:string= _BilledSize:real=0
_IsBillable:string=False`)
	if diff := cmp.Diff(want, spaceless(record(t, mustTable(t, s, "ContainerAppSystemLogs")))); diff != "" {
		t.Error("resource-specific table (-want +got)\n", diff)
	}
}

func TestRequestTableHasAllColumns(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir(), Environment: "env", WorkspaceID: "ws-1"})
	r := Request{
		StartTime: epoch, Duration: 1234567 * time.Microsecond, App: "web", Revision: "web--1", Replica: "web--1-x",
		Method: "GET", Path: "/health?x=1", Authority: "web.env.localhost", Protocol: "HTTP/1.1", UserAgent: "curl/8",
		XForwardedFor: "10.0.0.1", RequestID: "rid", StatusCode: 503, BytesReceived: 1, BytesSent: 2, ResponseFlags: "UF",
		ResponseCodeDetails: "upstream_reset", UpstreamHost: "10.1.0.2:80", UpstreamRequestAttemptCount: 2,
		ConnectionID: "cid", EnvoyContainerID: "ecid", EnvoyPodName: "epod",
		Held: 20 * time.Millisecond, Connect: 5 * time.Millisecond, FirstByte: 30 * time.Millisecond,
		RevisionWhy: "weight", ReplicaWhy: "sticky", Reason: "because", TraceID: "tid",
	}
	if err := s.AppendRequests([]Request{r}); err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(`
TenantId:string=ws-1 TimeGenerated:datetime=2026-06-26T08:19:07.0000000Z Authority:string=web.env.localhost
BytesReceived:long=1 BytesSent:long=2 ConnectionId:string=cid ContainerAppName:string=web EnvironmentName:string=env
EnvoyContainerId:string=ecid EnvoyPodName:string=epod Location:string= Method:string=GET OperationName:string=
Path:string=/health?x=1 Protocol:string=HTTP/1.1 ReplicaName:string=web--1-x RequestDuration:long=1234
RequestId:string=rid ResponseCodeDetails:string=upstream_reset ResponseFlags:string=UF RevisionName:string=web--1
SourceSystem:string=Azure StartTime:datetime=2026-06-26T08:19:07.0000000Z StatusCode:int=503
Type:string=ContainerAppHTTPLogs UpstreamHost:string=10.1.0.2:80 UpstreamRequestAttemptCount:int=2
UserAgent:string=curl/8 XForwardedFor:string=10.0.0.1 _ResourceId:string= _SubscriptionId:string= _BilledSize:real=0
_IsBillable:string=False HeldDuration:long=20 ConnectDuration:long=5 FirstByteDuration:long=30
RevisionWhy:string=weight ReplicaWhy:string=sticky Reason:string=because TraceId:string=tid _seq_d:real=0`)
	if diff := cmp.Diff(want, spaceless(record(t, mustTable(t, s, "ContainerAppHTTPLogs")))); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}

// spaceless makes texts comparable to those of strings.Fields.
func spaceless(list []string) []string {
	for i := range list {
		list[i] = strings.ReplaceAll(list[i], " ", "_")
	}
	return list
}

// words are what random texts are made of: terms in several cases and scripts,
// letters that equal ASCII ones but for case, separators.
var words = []string{
	"error", "Error", "ERROR", "errors", "time", "out", "timeout", "k", "K", "\u212aelvin", "kelvin", "s", "\u017fet", "SET",
	"é", "É", "héllo", "HÉLLO", "x1", "42", "4", "a_b", "foo-bar", "\xff", "日本", "", "-", "/", "id=7",
}

func randomText(rnd *rand.Rand, n int) string {
	var b strings.Builder
	for range rnd.IntN(n) {
		b.WriteString(words[rnd.IntN(len(words))])
		b.WriteString([]string{"", " ", ":", " - "}[rnd.IntN(4)])
	}
	return b.String()
}

// passes is the meaning of a predicate on a string, spelled out.
func passes(s string, p kql.Predicate) bool {
	for _, v := range p.Values {
		yes := passesOne(s, v.Str, p.Op, p.IgnoreCase)
		if yes != (p.Op == kql.OpHasAll) {
			return yes
		}
	}
	return p.Op == kql.OpHasAll
}

func passesOne(s, want string, op kql.PredicateOp, fold bool) bool {
	if fold {
		s, want = foldAll(s), foldAll(want)
	}
	switch op {
	case kql.OpEqual:
		return s == want
	case kql.OpContains:
		return strings.Contains(s, want)
	case kql.OpStartsWith:
		return strings.HasPrefix(s, want)
	case kql.OpEndsWith:
		return strings.HasSuffix(s, want)
	}
	for i := 0; i+len(want) <= len(s); i++ {
		if s[i:i+len(want)] == want && atBoundary(s, i) && (op == kql.OpHasPrefix || atBoundary(s, i+len(want))) {
			return true
		}
	}
	return false
}

func foldAll(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(foldRune(r))
	}
	return b.String()
}

// atBoundary reports whether no term reaches over offset i of s.
func atBoundary(s string, i int) bool {
	before, after := []rune(s[:i]), []rune(s[i:])
	return len(before) == 0 || len(after) == 0 || !inTerm(before[len(before)-1]) || !inTerm(after[0])
}

func inTerm(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func TestScanNeverMissesARow(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 3))
	s := mustOpen(t, Options{Dir: t.TempDir()})
	for app := range 3 {
		c := Container{App: fmt.Sprintf("App%d", app), ID: fmt.Sprint(app)}
		var list []Entry
		for i := range 9000 - app*3500 {
			text := randomText(rnd, 1+rnd.IntN(8))
			if app == 0 && i < 8200 {
				text = strings.Map(func(r rune) rune {
					if r > 127 {
						return '~'
					}
					return r
				}, text) // a block of ASCII only
			}
			list = append(list, line(i, Stream(rnd.IntN(2)), text+"\n"))
		}
		mustIngest(t, s, c, list...)
	}
	table := mustTable(t, s, "ContainerAppConsoleLogs_CL")
	schema := table.Schema()
	cols := ordinals(t, schema, "_seq_d", "ContainerAppName_s", "Stream_s", "Log_s", "time_t")
	all := scanRows(t, table, kql.ScanRequest{Columns: cols})
	if len(all) != 9000+5500+2000 {
		t.Fatalf("%d rows, want %d", len(all), 9000+5500+2000)
	}
	for range 80 {
		var preds []kql.Predicate
		for range 1 + rnd.IntN(2) {
			preds = append(preds, randomPredicate(rnd, schema))
		}
		req := kql.ScanRequest{Columns: cols, Predicates: preds}
		got := map[string]bool{}
		for _, row := range scanRows(t, table, req) {
			got[row[len(row)-1]] = true
		}
		missed := 0
		for _, row := range all {
			if passesAll(row, cols, preds) && !got[row[len(row)-1]] {
				if missed++; missed == 1 {
					t.Errorf("predicates %+v miss row %q", preds, row)
				}
			}
		}
	}
}

func randomPredicate(rnd *rand.Rand, schema kql.Schema) kql.Predicate {
	p := kql.Predicate{Op: kql.PredicateOp(rnd.IntN(int(kql.OpEndsWith) + 1)), IgnoreCase: rnd.IntN(2) == 0}
	n := 1
	if p.Op == kql.OpEqual || p.Op == kql.OpHas || p.Op == kql.OpHasAll {
		n += rnd.IntN(3)
	}
	column := []string{"Log_s", "Log_s", "ContainerAppName_s", "Stream_s"}[rnd.IntN(4)]
	p.Column = schema.Index(column)
	for range n {
		text := randomText(rnd, 4)
		switch column {
		case "ContainerAppName_s":
			text = []string{"App0", "app1", "APP", "pp2", "nope"}[rnd.IntN(5)]
		case "Stream_s":
			text = []string{"stdout", "STDERR", "out", "std"}[rnd.IntN(4)]
		}
		p.Values = append(p.Values, kql.Value{Type: kql.String, Str: text})
	}
	return p
}

func passesAll(row []string, cols []int, preds []kql.Predicate) bool {
	for _, p := range preds {
		if !passes(row[slices.Index(cols, p.Column)], p) {
			return false
		}
	}
	return true
}

func TestScanUsesTimeAndLimit(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	var list []Entry
	for i := range 20000 {
		list = append(list, line(i, Stdout, fmt.Sprintf("%d\n", i)))
	}
	mustIngest(t, s, web, list...)
	table := mustTable(t, s, "ContainerAppConsoleLogs_CL")
	cols := ordinals(t, table.Schema(), "Log_s")
	tick := func(i int) kql.Ticks { return kql.TicksOf(epoch) + kql.Ticks(i) }
	timePred := func(op kql.PredicateOp, i int) []kql.Predicate {
		return []kql.Predicate{{
			Column: table.Schema().Index("time_t"), Op: op,
			Values: []kql.Value{{Type: kql.DateTime, Int: int64(tick(i))}},
		}}
	}
	tests := []struct {
		name        string
		req         kql.ScanRequest
		first, last string
		rows        int
	}{
		{"all", kql.ScanRequest{}, "0", "19999", 20000},
		{"from", kql.ScanRequest{Time: kql.TimeRange{From: tick(19000)}}, "19000", "19999", 1000},
		{"to", kql.ScanRequest{Time: kql.TimeRange{To: tick(9)}}, "0", "9", 10},
		{"between", kql.ScanRequest{Time: kql.TimeRange{From: tick(8190), To: tick(8199)}}, "8190", "8199", 10},
		{"after", kql.ScanRequest{Predicates: timePred(kql.OpGreater, 19997)}, "19998", "19999", 2},
		{"before", kql.ScanRequest{Predicates: timePred(kql.OpLess, 2)}, "0", "1", 2},
		{"at", kql.ScanRequest{Predicates: timePred(kql.OpEqual, 12345)}, "12345", "12345", 1},
	}
	for _, tt := range tests {
		tt.req.Columns = cols
		rows := scanRows(t, table, tt.req)
		if len(rows) != tt.rows || rows[0][0] != tt.first || rows[len(rows)-1][0] != tt.last {
			t.Errorf("%s: %d rows from %s to %s, want %d from %s to %s", tt.name,
				len(rows), rows[0][0], rows[len(rows)-1][0], tt.rows, tt.first, tt.last)
		}
	}
	if rows := scanRows(t, table, kql.ScanRequest{Columns: cols, Limit: 5}); len(rows) < 5 || len(rows) > 3*sealRows {
		t.Errorf("limit 5: %d rows read", len(rows))
	}
}

func TestCatalogDoesNotSeeLaterRows(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	mustIngest(t, s, web, line(1, Stdout, "before\n"))
	table := mustTable(t, s, "ContainerAppConsoleLogs")
	mustIngest(t, s, Container{ID: "other"}, line(2, Stdout, "after\n"))
	rows := scanRows(t, table, kql.ScanRequest{Columns: ordinals(t, table.Schema(), "Log")})
	if diff := cmp.Diff([][]string{{"before"}}, rows); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}
