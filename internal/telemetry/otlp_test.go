package telemetry

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/acalocal/acalocal/internal/telemetry/endpoint"
	"github.com/acalocal/acalocal/logsink"
)

const (
	traceID  = "5b8efff798038103d269b633813fc60c"
	spanID   = "eee19b7ec3c1b174"
	parentID = "eee19b7ec3c1b173"
)

// spanJSON is a request in OTLP's own JSON, whose ids are hexadecimal.
const spanJSON = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"scope":{"name":"lib"},"spans":[
{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","parentSpanId":"EEE19B7EC3C1B173","name":"GET /orders","startTimeUnixNano":"1782461947000000000",
"endTimeUnixNano":"1782461947250000000","kind":2,"newField":1,"attributes":[{"key":"my.key","value":{"stringValue":"v"}}]}]}]}]}`

func str(s string) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: s}}
}

func num(n int64) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: n}}
}

// attrs makes attributes of names and texts or numbers, alternating.
func attrs(list ...any) (out []*commonpb.KeyValue) {
	for i := 0; i < len(list); i += 2 {
		v := &commonpb.AnyValue{}
		switch x := list[i+1].(type) {
		case string:
			v = str(x)
		case int:
			v = num(int64(x))
		}
		out = append(out, &commonpb.KeyValue{Key: list[i].(string), Value: v})
	}
	return out
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var began = time.Date(2026, 6, 26, 8, 19, 7, 0, time.UTC)

// span is a span of 250 ms.
func span(t testing.TB, kind tracepb.Span_SpanKind, name string, a ...any) *tracepb.Span {
	return &tracepb.Span{
		TraceId: unhex(t, traceID), SpanId: unhex(t, spanID), ParentSpanId: unhex(t, parentID), Name: name, Kind: kind,
		StartTimeUnixNano: uint64(began.UnixNano()), EndTimeUnixNano: uint64(began.Add(250 * time.Millisecond).UnixNano()), Attributes: attrs(a...),
	}
}

func sendSpans(t testing.TB, spans ...*tracepb.Span) []logsink.Telemetry {
	t.Helper()
	m, s := start(t)
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: attrs("service.name", "shop", "service.namespace", "eu", "service.instance.id", "i-1", "service.version", "3")},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	status, answer, header := post(t, s.URL+"/apps/web/v1/traces", "application/x-protobuf", zipped(t, body), "Content-Encoding", "gzip")
	if status != 200 || answer != "" || header.Get("Content-Type") != "application/x-protobuf" {
		t.Fatalf("answer %d %q of type %s", status, answer, header.Get("Content-Type"))
	}
	return m.rows
}

// sentSpan is what all records of sendSpans have.
var sentSpan = logsink.Telemetry{
	Time: began, App: "web", IKey: endpoint.Key("web"), RoleName: "eu.shop", RoleInstance: "i-1", AppVersion: "3", ClientType: "PC", ClientIP: "0.0.0.0",
	OperationID: traceID, ParentID: parentID, ID: spanID, Duration: 250 * time.Millisecond, Success: true,
}

func TestSpansBecomeWhatAzureMonitorMakesOfThem(t *testing.T) {
	for _, test := range []struct {
		name string
		span *tracepb.Span
		want func(r *logsink.Telemetry)
	}{
		{"a request, old conventions", span(t, tracepb.Span_SPAN_KIND_SERVER, "orders", "http.method", "GET", "http.route", "/orders/<id>", "http.scheme", "http",
			"http.host", "web:8000", "http.target", "/orders/1?x=2", "http.status_code", 200, "net.peer.ip", "10.0.0.7", "tenant", "t1"), func(r *logsink.Telemetry) {
			r.Kind, r.Name, r.OperationName = logsink.TelemetryRequest, "GET /orders/<id>", "GET /orders/<id>"
			r.URL, r.ResultCode, r.ClientIP, r.Properties = "http://web:8000/orders/1?x=2", "200", "10.0.0.7", `{"tenant":"t1"}`
		}},
		{"a failed request, new conventions", span(t, tracepb.Span_SPAN_KIND_SERVER, "GET", "http.request.method", "GET", "url.scheme", "https", "url.path", "/a", "url.query", "b=c",
			"server.address", "web", "server.port", 443, "http.response.status_code", 404, "client.address", "10.0.0.8"), func(r *logsink.Telemetry) {
			r.Kind, r.Name, r.OperationName, r.Success = logsink.TelemetryRequest, "GET /a", "GET /a", false
			r.URL, r.ResultCode, r.ClientIP = "https://web/a?b=c", "404", "10.0.0.8"
		}},
		{"a message taken", span(t, tracepb.Span_SPAN_KIND_CONSUMER, "orders process", "messaging.system", "kafka", "messaging.destination.name", "orders"), func(r *logsink.Telemetry) {
			r.Kind, r.Name, r.OperationName, r.ResultCode, r.Source = logsink.TelemetryRequest, "orders process", "orders process", "0", "orders"
		}},
		{"a call over HTTP", span(t, tracepb.Span_SPAN_KIND_CLIENT, "GET", "http.request.method", "GET", "url.full", "https://api.example:443/v1/x?y", "http.response.status_code", 500), func(r *logsink.Telemetry) {
			r.Kind, r.Name, r.DependencyType, r.Target = logsink.TelemetryDependency, "GET /v1/x", "HTTP", "api.example"
			r.Data, r.ResultCode, r.Success = "https://api.example:443/v1/x?y", "500", false
		}},
		{"a query", span(t, tracepb.Span_SPAN_KIND_CLIENT, "SELECT shop", "db.system", "postgresql", "db.statement", "SELECT 1", "db.name", "shop", "net.peer.name", "db", "net.peer.port", 5432), func(r *logsink.Telemetry) {
			r.Kind, r.Name, r.DependencyType, r.Target, r.Data, r.ResultCode = logsink.TelemetryDependency, "SELECT shop", "postgresql", "db|shop", "SELECT 1", "0"
		}},
		{"a query of SQL Server", span(t, tracepb.Span_SPAN_KIND_CLIENT, "SELECT", "db.system.name", "mssql", "db.query.text", "SELECT 1", "server.address", "db", "server.port", 1500), func(r *logsink.Telemetry) {
			r.Kind, r.Name, r.DependencyType, r.Target, r.Data, r.ResultCode = logsink.TelemetryDependency, "SELECT", "SQL", "db:1500", "SELECT 1", "0"
		}},
		{"a call over gRPC", span(t, tracepb.Span_SPAN_KIND_CLIENT, "cart.Add", "rpc.system", "grpc", "rpc.grpc.status_code", 5, "peer.service", "cart"), func(r *logsink.Telemetry) {
			r.Kind, r.Name, r.DependencyType, r.Target, r.ResultCode = logsink.TelemetryDependency, "cart.Add", "grpc", "cart", "5"
		}},
		{"a message sent", span(t, tracepb.Span_SPAN_KIND_PRODUCER, "orders publish", "messaging.destination.name", "orders", "server.address", "kafka", "server.port", 9092), func(r *logsink.Telemetry) {
			r.Kind, r.Name, r.DependencyType, r.Target, r.ResultCode = logsink.TelemetryDependency, "orders publish", "Queue Message", "kafka:9092/orders", "0"
		}},
		{"work inside", span(t, tracepb.Span_SPAN_KIND_INTERNAL, "render", "rows", 3), func(r *logsink.Telemetry) {
			r.Kind, r.Name, r.DependencyType, r.ResultCode, r.Properties = logsink.TelemetryDependency, "render", "InProc", "0", `{"rows":"3"}`
		}},
	} {
		want := sentSpan
		test.want(&want)
		if diff := cmp.Diff([]logsink.Telemetry{want}, sendSpans(t, test.span)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.name, diff)
		}
	}
}

func TestEventsOfASpanBecomeTracesAndExceptions(t *testing.T) {
	s := span(t, tracepb.Span_SPAN_KIND_SERVER, "work")
	s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
	at := began.Add(time.Millisecond)
	s.Events = []*tracepb.Span_Event{
		{TimeUnixNano: uint64(at.UnixNano()), Name: "cache miss", Attributes: attrs("key", "k1")},
		{TimeUnixNano: uint64(at.UnixNano()), Name: "exception", Attributes: attrs("exception.type", "KeyError", "exception.message", "x", "exception.stacktrace", "Traceback")},
	}
	request := sentSpan
	request.Kind, request.Name, request.OperationName, request.ResultCode, request.Success = logsink.TelemetryRequest, "work", "work", "0", false
	event := sentSpan
	event.Kind, event.Time, event.Message, event.Properties = logsink.TelemetryTrace, at, "cache miss", `{"key":"k1"}`
	event.ID, event.ParentID, event.Duration, event.Success = "", spanID, 0, false
	exception := event
	exception.Kind, exception.Message, exception.ProblemID, exception.Properties = logsink.TelemetryException, "x", "KeyError", ""
	exception.Outer = logsink.ExceptionPart{Type: "KeyError", Message: "x"}
	exception.Innermost = exception.Outer
	exception.Details = `[{"type":"KeyError","message":"x","rawStack":"Traceback"}]`
	if diff := cmp.Diff([]logsink.Telemetry{request, event, exception}, sendSpans(t, s)); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}

func TestSpansInJSON(t *testing.T) {
	m, s := start(t)
	status, answer, _ := post(t, s.URL+"/v1/traces", "application/json", []byte(spanJSON))
	if status != 200 || answer != "{}" {
		t.Fatalf("answer %d %s", status, answer)
	}
	want := sentSpan
	want.Kind, want.App, want.IKey, want.RoleName, want.RoleInstance, want.AppVersion = logsink.TelemetryRequest, "", "", "shop", "", ""
	want.Name, want.OperationName, want.ResultCode, want.Properties = "GET /orders", "GET /orders", "0", `{"my.key":"v"}`
	if diff := cmp.Diff([]logsink.Telemetry{want}, m.rows); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}

func TestLogRecords(t *testing.T) {
	m, s := start(t)
	body, err := proto.Marshal(&logspb.LogsData{ResourceLogs: []*logspb.ResourceLogs{{ScopeLogs: []*logspb.ScopeLogs{{LogRecords: []*logspb.LogRecord{
		{TimeUnixNano: uint64(began.UnixNano()), SeverityNumber: logspb.SeverityNumber_SEVERITY_NUMBER_WARN, Body: str("careful"), TraceId: unhex(t, traceID), SpanId: unhex(t, spanID)},
		{ObservedTimeUnixNano: uint64(began.UnixNano()), SeverityNumber: logspb.SeverityNumber_SEVERITY_NUMBER_DEBUG, Attributes: attrs("k", 1),
			Body: &commonpb.AnyValue{Value: &commonpb.AnyValue_KvlistValue{KvlistValue: &commonpb.KeyValueList{Values: attrs("a", "b", "n", 2)}}}},
		{TimeUnixNano: uint64(began.UnixNano()), SeverityNumber: logspb.SeverityNumber_SEVERITY_NUMBER_FATAL4, Body: str("failed"), Attributes: attrs("exception.type", "OSError", "exception.message", "gone")},
		{TimeUnixNano: uint64(began.UnixNano()), Body: str("x"), Attributes: attrs("microsoft.custom_event.name", "bought")},
	}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if status, answer, _ := post(t, s.URL+"/v1/logs", "application/x-protobuf", body); status != 200 {
		t.Fatalf("answer %d %s", status, answer)
	}
	type row struct {
		Kind                           logsink.TelemetryKind
		Severity                       logsink.Severity
		Message, Name, Type, Operation string
	}
	var got []row
	for _, r := range m.rows {
		if !r.Time.Equal(began) || r.RoleName != "unknown_service" {
			t.Errorf("time %v, role %q", r.Time, r.RoleName)
		}
		got = append(got, row{r.Kind, r.Severity, r.Message, r.Name, r.Outer.Type, r.OperationID + r.ParentID})
	}
	want := []row{
		{logsink.TelemetryTrace, logsink.SeverityWarning, "careful", "", "", traceID + spanID},
		{logsink.TelemetryTrace, logsink.SeverityVerbose, `{"a":"b","n":2}`, "", "", ""},
		{logsink.TelemetryException, logsink.SeverityCritical, "gone", "", "OSError", ""},
		{logsink.TelemetryEvent, logsink.SeverityVerbose, "x", "bought", "", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}

func TestBytesThatAreNoExportAreRefused(t *testing.T) {
	m, s := start(t)
	for _, path := range []string{"/v1/traces", "/v1/logs"} {
		for _, kind := range []string{"application/json", "application/x-protobuf"} {
			if status, _, _ := post(t, s.URL+path, kind, []byte("\x0a\xffno")); status != 400 {
				t.Errorf("%s as %s: status %d, want 400", path, kind, status)
			}
		}
	}
	if len(m.rows) > 0 {
		t.Errorf("%d rows", len(m.rows))
	}
	if status, answer, _ := post(t, s.URL+"/v1/metrics", "application/json", []byte(`{"resourceMetrics":[]}`)); status != 200 || answer != "{}" {
		t.Errorf("metrics: answer %d %s", status, answer)
	}
}

func FuzzSpans(f *testing.F) {
	b, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{
		span(f, tracepb.Span_SPAN_KIND_SERVER, "a", "http.method", "GET", "http.url", "http://[::1"), span(f, tracepb.Span_SPAN_KIND_CLIENT, "b", "db.system", "redis"),
	}}}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, body []byte) {
		var data tracepb.TracesData
		if proto.Unmarshal(body, &data) != nil {
			return
		}
		for _, rs := range data.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					for _, r := range spanRecords(logsink.Telemetry{}, s, false) {
						if r.Duration < 0 || r.Properties != "" && !json.Valid([]byte(r.Properties)) {
							t.Fatalf("duration %v, properties %q", r.Duration, r.Properties)
						}
					}
				}
			}
		}
	})
}

func TestWhatIsTooMuchAtOnceIsRejectedInPartOverHTTP(t *testing.T) {
	m, s := start(t)
	body := `{"resourceSpans":[{"scopeSpans":[{"spans":[` + strings.Repeat("{},", maxRecords+1) + `{}]}]}]}`
	status, answer, _ := post(t, s.URL+"/v1/traces", "application/json", []byte(body))
	want := `{"partialSuccess":{"errorMessage":"no more than 100000 records are taken at once","rejectedSpans":"2"}}`
	if status != 200 || answer != want || len(m.rows) != maxRecords {
		t.Errorf("%d %s, want %s; %d kept", status, answer, want, len(m.rows))
	}
}
