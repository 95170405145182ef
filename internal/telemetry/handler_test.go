package telemetry

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/acalocal/acalocal/internal/telemetry/endpoint"
	"github.com/acalocal/acalocal/logsink"
)

// memory is a sink that remembers.
type memory struct {
	mu   sync.Mutex
	rows []logsink.Telemetry // guarded by mu
	err  error
	hold chan struct{} // AppendTelemetry waits for it to be closed, when it is not nil
}

func (m *memory) AppendTelemetry(rows []logsink.Telemetry) error {
	if m.hold != nil {
		<-m.hold
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.rows = append(m.rows, rows...)
	}
	return m.err
}

// knownApp is the only app there is.
func knownApp(key string) string {
	if key == endpoint.Key("web") {
		return "web"
	}
	return ""
}

// now is two days after the oldest item that is taken.
func now() time.Time { return time.Date(2026, 6, 26, 8, 19, 7, 0, time.UTC) }

func start(t testing.TB) (*memory, *httptest.Server) {
	t.Helper()
	m := &memory{}
	s := httptest.NewServer(New(Options{Sink: m, App: knownApp, Now: now}))
	t.Cleanup(s.Close)
	return m, s
}

// post sends a body and returns the answer.
func post(t testing.TB, url, kind string, body []byte, headers ...string) (status int, answer string, header http.Header) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text)), resp.Header
}

func zipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What azure-monitor-opentelemetry sends for a request, shortened.
var request = `{"ver":1,"name":"Microsoft.ApplicationInsights.Request","time":"2026-06-26T08:19:07.123456Z","sampleRate":50.0,"iKey":"` + endpoint.Key("web") + `",
"tags":{"ai.cloud.role":"unknown_service","ai.cloud.roleInstance":"web--1-x","ai.internal.sdkVersion":"uum_py3.11:otel1.24:ext1.0","ai.operation.id":"5b8efff798038103d269b633813fc60c",
"ai.operation.name":"GET /orders","ai.operation.parentId":"eee19b7ec3c1b173","ai.location.ip":"127.0.0.1"},
"data":{"baseType":"RequestData","baseData":{"ver":2,"id":"eee19b7ec3c1b174","name":"GET /orders","duration":"0.00:00:01.250","success":true,"responseCode":"200",
"url":"http://web/orders","properties":{"http.flavor":"1.1","n":3},"measurements":{"rows":2.5}}}}`

func TestTrackStoresARequestWhole(t *testing.T) {
	m, s := start(t)
	status, answer, _ := post(t, s.URL+"/v2.1/track", "application/json", []byte("["+request+"]"))
	if want := `{"itemsReceived":1,"itemsAccepted":1,"errors":[],"appId":null}`; status != 200 || answer != want {
		t.Errorf("answer %d %s, want 200 %s", status, answer, want)
	}
	want := []logsink.Telemetry{{
		Kind: logsink.TelemetryRequest, Time: time.Date(2026, 6, 26, 8, 19, 7, 123456000, time.UTC), App: "web", IKey: endpoint.Key("web"),
		RoleName: "unknown_service", RoleInstance: "web--1-x", SDKVersion: "uum_py3.11:otel1.24:ext1.0",
		OperationName: "GET /orders", OperationID: "5b8efff798038103d269b633813fc60c", ParentID: "eee19b7ec3c1b173", ClientIP: "127.0.0.1", ClientType: "PC",
		ID: "eee19b7ec3c1b174", Name: "GET /orders", Duration: 1250 * time.Millisecond, Success: true, ResultCode: "200", URL: "http://web/orders",
		ItemCount: 2, Properties: `{"http.flavor":"1.1","n":"3"}`, Measurements: `{"rows":2.5}`,
	}}
	if diff := cmp.Diff(want, m.rows); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}

// item is an envelope of a type.
func item(kind, data string) string {
	return `{"time":"2026-06-26T08:19:07Z","iKey":"k","data":{"baseType":"` + kind + `","baseData":` + data + `}}`
}

func TestTrackTakesEveryFormOfBody(t *testing.T) {
	one, two := item("MessageData", `{"message":"one"}`), item("MessageData", `{"message":"two"}`)
	for name, body := range map[string]string{
		"a list": "[" + one + "," + two + "]", "lines": one + "\n" + two + "\n", "lines of Windows": one + "\r\n" + two, "one behind the other": one + two,
		"with a byte order mark": "\ufeff[" + one + "," + two + "]",
	} {
		for _, packed := range []bool{false, true} {
			m, s := start(t)
			b, headers := []byte(body), []string{}
			if packed {
				b, headers = zipped(t, b), []string{"Content-Encoding", "gzip"}
			}
			status, answer, _ := post(t, s.URL+"/v2/track", "application/x-json-stream", b, headers...)
			if status != 200 || len(m.rows) != 2 || m.rows[0].Message != "one" || m.rows[1].Message != "two" {
				t.Errorf("%s, packed %v: answer %d %s, %d rows", name, packed, status, answer, len(m.rows))
			}
		}
	}
}

func TestTrackSaysWhatIsWrongWithEachItem(t *testing.T) {
	good := item("MessageData", `{"message":"good"}`)
	for _, test := range []struct {
		name, body string
		status     int
		stored     int
		errors     []trackError
	}{
		{"nothing", "", 400, 0, nil},
		{"an empty list", "[]", 400, 0, nil},
		{"no JSON", "hello", 400, 0, []trackError{{0, 400, "not JSON: invalid character 'h' looking for beginning of value"}}},
		{"cut off", "[" + good + `,{"time":`, 206, 1, []trackError{{1, 400, "not JSON: unexpected EOF"}}},
		{"a broken line", good + "\n{broken\n" + good + "\r\n{\"time\":\n" + good, 206, 3, []trackError{
			{1, 400, "not JSON: invalid character 'b' looking for beginning of object key string"},
			{3, 400, "not JSON: unexpected EOF"},
		}},
		{"a number", "[3," + good + "]", 206, 1, []trackError{{0, 400, `field "" is number, which it cannot be`}}},
		{"no time", `{"iKey":"k","data":{"baseType":"MessageData"}}`, 400, 0,
			[]trackError{{0, 400, "109: Field 'time' on type 'Envelope' is required but missing or empty. Expected: string, Actual: undefined"}}},
		{"no key", `{"time":"2026-06-26T08:19:07Z"}`, 400, 0,
			[]trackError{{0, 400, "109: Field 'iKey' on type 'Envelope' is required but missing or empty. Expected: string, Actual: undefined"}}},
		{"a bad time", `{"time":"yesterday","iKey":"k","data":{"baseType":"MessageData"}}` + good, 206, 1,
			[]trackError{{0, 400, "102: Field 'time' on type 'Envelope' is not a valid time string. Expected: date, Actual: yesterday"}}},
		{"the oldest that is taken", strings.Replace(good, "2026-06-26", "2026-06-24", 1), 200, 1, nil},
		{"too old", strings.Replace(good, "2026-06-26T08:19:07Z", "2026-06-24T08:19:06Z", 1) + good, 206, 1,
			[]trackError{{0, 400, "103: Field 'time' on type 'Envelope' is older than the allowed min date. Expected: now - 172800000ms"}}},
		{"a dependency without a name", item("RemoteDependencyData", `{"duration":"00:00:01"}`), 400, 0,
			[]trackError{{0, 400, "109: Field 'name' on type 'RemoteDependencyData' is required but missing or empty. Expected: string, Actual: undefined"}}},
		{"an exception without a message", item("ExceptionData", `{"exceptions":[{"typeName":"KeyError","message":""}]}`), 400, 0,
			[]trackError{{0, 400, "109: Field 'message' on type 'ExceptionDetails' is required but missing or empty. Expected: string, Actual: undefined"}}},
		{"a bad duration", item("RequestData", `{"duration":"1s"}`), 400, 0,
			[]trackError{{0, 400, `109: Field 'duration' on type 'RequestData' is of incorrect type. Expected: timespan, Actual: "1s"`}}},
		{"metrics, which are not kept", item("MetricData", `{"metrics":[{"name":"a","value":1}]}`), 200, 0, nil},
	} {
		m, s := start(t)
		status, answer, _ := post(t, s.URL+"/v2.1/track", "application/json", []byte(test.body))
		var got trackAnswer
		if err := json.Unmarshal([]byte(answer), &got); err != nil {
			t.Errorf("%s: %v in %s", test.name, err, answer)
		}
		if status != test.status || len(m.rows) != test.stored || got.Received-len(got.Errors) != got.Accepted {
			t.Errorf("%s: answer %d %s, %d rows", test.name, status, answer, len(m.rows))
		}
		if diff := cmp.Diff(append([]trackError{}, test.errors...), got.Errors); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.name, diff)
		}
	}
}

func TestTrackKnowsEveryKind(t *testing.T) {
	m, s := start(t)
	body := item("RemoteDependencyData", `{"name":"SELECT","id":"1","duration":"1.02:03:04.5","success":false,"resultCode":"42P01","type":"SQL","target":"db","data":"SELECT 1"}`) +
		item("MessageData", `{"message":"hi","severityLevel":"Warning"}`) + item("MessageData", `{"message":"hi","severityLevel":3}`) +
		item("EventData", `{"name":"bought"}`) +
		item("ExceptionData", `{"severityLevel":3,"exceptions":[
			{"id":1,"outerId":0,"typeName":"KeyError","message":"x","hasFullStack":true,"parsedStack":[{"level":0,"method":"f","assembly":"app","fileName":"app.py","line":7}]},
			{"id":2,"outerId":1,"typeName":"OSError","message":"y","stack":"Traceback"}]}`)
	if status, answer, _ := post(t, s.URL+"/v2.1/track", "application/json", []byte(body)); status != 200 {
		t.Fatalf("answer %d %s", status, answer)
	}
	base := logsink.Telemetry{Time: time.Date(2026, 6, 26, 8, 19, 7, 0, time.UTC), IKey: "k", ItemCount: 1, ClientType: "PC", ClientIP: "0.0.0.0", Success: true}
	want := []logsink.Telemetry{base, base, base, base, base}
	want[0].Kind, want[0].Name, want[0].ID, want[0].Success = logsink.TelemetryDependency, "SELECT", "1", false
	want[0].Duration = 26*time.Hour + 3*time.Minute + 4500*time.Millisecond
	want[0].ResultCode, want[0].DependencyType, want[0].Target, want[0].Data = "42P01", "SQL", "db", "SELECT 1"
	want[1].Kind, want[1].Message, want[1].Severity = logsink.TelemetryTrace, "hi", logsink.SeverityWarning
	want[2].Kind, want[2].Message, want[2].Severity = logsink.TelemetryTrace, "hi", logsink.SeverityError
	want[3].Kind, want[3].Name = logsink.TelemetryEvent, "bought"
	want[4].Kind, want[4].Severity, want[4].Message, want[4].ProblemID = logsink.TelemetryException, logsink.SeverityError, "x", "KeyError at f"
	want[4].Outer = logsink.ExceptionPart{Type: "KeyError", Message: "x", Assembly: "app", Method: "f"}
	want[4].Innermost = logsink.ExceptionPart{Type: "OSError", Message: "y"}
	want[4].Details = `[{"id":"1","outerId":"0","type":"KeyError","message":"x","parsedStack":[{"level":0,"method":"f","assembly":"app","fileName":"app.py","line":7}]},` +
		`{"id":"2","outerId":"1","type":"OSError","message":"y","rawStack":"Traceback"}]`
	if diff := cmp.Diff(want, m.rows); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	m, s := start(t)
	bomb := zipped(t, bytes.Repeat([]byte(" "), maxBody+1))
	for _, path := range []string{"/v2.1/track", "/v1/traces", "/v1/logs", "/v1/metrics"} {
		status, answer, _ := post(t, s.URL+path, "application/json", bomb, "Content-Encoding", "gzip")
		if status != http.StatusRequestEntityTooLarge || !strings.Contains(answer, "8 MiB") {
			t.Errorf("%s: answer %d %s", path, status, answer)
		}
		if status, answer, _ = post(t, s.URL+path, "application/json", []byte("x"), "Content-Encoding", "br"); status != 400 {
			t.Errorf("%s: answer %d %s to an unknown encoding", path, status, answer)
		}
		if status, answer, _ = post(t, s.URL+path, "application/json", []byte("x"), "Content-Encoding", "gzip"); status != 400 {
			t.Errorf("%s: answer %d %s to what is not gzip", path, status, answer)
		}
	}
	if len(m.rows) > 0 {
		t.Errorf("%d rows", len(m.rows))
	}
}

func TestTooMuchAtOnceIsToldToWait(t *testing.T) {
	m, s := start(t)
	m.hold = make(chan struct{})
	body := []byte(item("MessageData", `{"message":"hi"}`))
	statuses := make(chan int, 2*maxAtOnce)
	var wg sync.WaitGroup
	for range 2 * maxAtOnce {
		wg.Go(func() {
			status, _, _ := post(t, s.URL+"/v2.1/track", "application/json", body)
			statuses <- status
		})
	}
	for range maxAtOnce { // these do not wait for the sink
		if status := <-statuses; status != http.StatusTooManyRequests {
			t.Errorf("status %d, want %d", status, http.StatusTooManyRequests)
		}
	}
	close(m.hold)
	wg.Wait()
	if len(m.rows) != maxAtOnce {
		t.Errorf("%d rows, want %d", len(m.rows), maxAtOnce)
	}
}

func TestRecordsThatAreNotStoredAreNotAccepted(t *testing.T) {
	m, s := start(t)
	m.err = errors.New("disk full")
	if status, answer, _ := post(t, s.URL+"/v2.1/track", "application/json", []byte(request)); status != 503 || !strings.Contains(answer, `"itemsAccepted":0`) {
		t.Errorf("answer %d %s", status, answer)
	}
	status, answer, header := post(t, s.URL+"/v1/traces", "application/json", []byte(spanJSON))
	if status != 503 || header.Get("Retry-After") == "" {
		t.Errorf("answer %d %s", status, answer)
	}
}

// A failure is a Status in the encoding of the request, as OTLP wants it:
// https://opentelemetry.io/docs/specs/otlp/#failures.
func TestFailuresOfOTLPAreStatusMessages(t *testing.T) {
	m, s := start(t)
	m.err = errors.New("disk full")
	spans, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{span(t, tracepb.Span_SPAN_KIND_SERVER, "GET /")}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	f := func(path, kind string, body []byte, status int, want codes.Code, message string, headers ...string) {
		t.Helper()
		got, answer, header := post(t, s.URL+path, kind, body, headers...)
		st := grpcstatus.New(codes.OK, "").Proto()
		decode := proto.Unmarshal
		if kind == "application/json" {
			decode = protojson.Unmarshal
		}
		if err := decode([]byte(answer), st); err != nil {
			t.Fatalf("%s of %s: %v in %q", path, kind, err, answer)
		}
		if got != status || !strings.HasPrefix(header.Get("Content-Type"), kind) || st.Code != int32(want) || !strings.Contains(st.Message, message) {
			t.Errorf("%s of %s: %d %s %v", path, kind, got, header.Get("Content-Type"), st)
		}
	}
	const asProto, asJSON = "application/x-protobuf", "application/json"
	for _, path := range []string{"/v1/traces", "/v1/logs", "/apps/web/v1/traces"} {
		f(path, asProto, []byte("nothing"), 400, codes.InvalidArgument, "")
		f(path, asJSON, []byte("{"), 400, codes.InvalidArgument, "unexpected EOF")
	}
	for _, path := range []string{"/v1/traces", "/v1/metrics"} {
		f(path, asProto, nil, 400, codes.InvalidArgument, `the content encoding "br" is not known`, "Content-Encoding", "br")
		f(path, asJSON, make([]byte, maxBody+1), 413, codes.ResourceExhausted, "longer than")
	}
	f("/v1/traces", asProto, spans, 503, codes.Unavailable, "disk full")
	f("/v1/traces", asJSON, []byte(spanJSON), 503, codes.Unavailable, "disk full")
}

func TestTooMuchAtOnceIsSaidInTheProtocol(t *testing.T) {
	w := waiting{make(chan struct{}), make(chan struct{})}
	s := httptest.NewServer(New(Options{Sink: w}))
	defer s.Close()
	var calls sync.WaitGroup
	for range maxAtOnce {
		calls.Go(func() { post(t, s.URL+"/v1/traces", "application/json", []byte(spanJSON)) })
		<-w.entered
	}
	for path, want := range map[string]string{"/v1/traces": `{"code":8,"message":"too much at once"}`, "/v2.1/track": `{"itemsReceived":0,"itemsAccepted":0,"errors":[{"index":0,"statusCode":429,"message":"too much at once"}],"appId":null}`} {
		status, answer, header := post(t, s.URL+path, "application/json", []byte("{}"))
		if got := strings.ReplaceAll(answer, " ", ""); status != 429 || got != strings.ReplaceAll(want, " ", "") || header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	close(w.leave)
	calls.Wait()
}

func TestLiveMetricsAreRefusedPolitely(t *testing.T) {
	_, s := start(t)
	for _, call := range []string{"ping", "post"} {
		status, answer, header := post(t, s.URL+"/QuickPulseService.svc/"+call+"?ikey=k", "application/json", []byte("{}"))
		if status != 200 || header.Get("x-ms-qps-subscribed") != "false" || !json.Valid([]byte(answer)) {
			t.Errorf("%s: answer %d %s, subscribed %q", call, status, answer, header.Get("x-ms-qps-subscribed"))
		}
	}
}

func TestApplicationID(t *testing.T) {
	_, s := start(t)
	for key, want := range map[string]int{endpoint.Key("web"): 200, endpoint.Key("other"): 404} {
		resp, err := http.Get(s.URL + "/api/profiles/" + key + "/appId")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("status %d for %s, want %d", resp.StatusCode, key, want)
		}
	}
}

func TestLongPropertiesKeepToTheLimits(t *testing.T) {
	m := map[string]text{"long": text(strings.Repeat("x", maxValue+10)), strings.Repeat("k", 300): "v", "broken": "a\xffb"}
	for i := range 10 {
		m["more"+string(rune('0'+i))] = text(strings.Repeat("y", maxValue))
	}
	got := properties(m)
	var back map[string]string
	if err := json.Unmarshal([]byte(got), &back); err != nil || len(got) > logsink.MaxField {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if len(back["long"]) != maxValue || back["broken"] != "a\ufffdb" {
		t.Errorf("long has %d bytes, broken is %q", len(back["long"]), back["broken"])
	}
	if len(back) < 4 || len(back) == len(m) {
		t.Errorf("%d of %d properties are kept", len(back), len(m))
	}
	chain := slices.Repeat([]exceptionData{{Type: "E", Message: "m", Stack: text(strings.Repeat("s", 3*maxValue)), Frames: make([]frame, 500)}}, 3)
	if d := details(chain); !json.Valid([]byte(d)) || len(d) > logsink.MaxField {
		t.Errorf("details of %d bytes", len(d))
	}
}

func FuzzTrack(f *testing.F) {
	f.Add([]byte("[" + request + "]"))
	f.Add([]byte(item("ExceptionData", `{"exceptions":[{"typeName":"a"}]}`) + "\n" + item("EventData", `{}`)))
	f.Add([]byte(`[{"time":1e999,"iKey":{},"tags":{"ai.user.id":[1]},"data":{"baseType":"RequestData","baseData":{"duration":"9999999999.1:2:3"}}}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		n := 0
		eachEnvelope(body, func(e *envelope, err error) bool {
			if (e == nil) == (err == nil) {
				t.Fatal("neither an item nor an error, or both")
			}
			if err == nil {
				r, kept, err := e.record(now())
				if kept && err != nil {
					t.Fatal("an item with an error is kept")
				}
				if r.Duration < 0 || len(r.Properties) > logsink.MaxField || r.Properties != "" && !json.Valid([]byte(r.Properties)) {
					t.Fatalf("duration %v, properties %q", r.Duration, r.Properties)
				}
			}
			n++
			return n < 1000
		})
	})
}
