package otlp

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/acalocal/acalocal/logsink"
)

// collector is an OTLP receiver that decodes what it gets.
type collector struct {
	*httptest.Server
	mu      sync.Mutex
	records []string // "table|service|body"; guarded by mu
	answers []answer // the next answers; then 200. Guarded by mu
	asked   chan struct{}
}

type answer struct {
	status     int
	retryAfter string
	body       []byte
}

func newCollector(t *testing.T, answers ...answer) *collector {
	c := &collector{answers: answers, asked: make(chan struct{}, 1000)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := c.take(t, r)
		if a.retryAfter != "" {
			w.Header().Set("Retry-After", a.retryAfter)
		}
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body)
		c.asked <- struct{}{}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(t *testing.T, r *http.Request) answer {
	if r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("api-key") != "k" {
		t.Errorf("request %s %s with type %q and key %q", r.Method, r.URL, r.Header.Get("Content-Type"), r.Header.Get("api-key"))
	}
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Error(err)
		return answer{status: 400}
	}
	body, err := io.ReadAll(unzipped)
	if err != nil {
		t.Error(err)
	}
	var data logspb.LogsData
	if err := proto.Unmarshal(body, &data); err != nil {
		t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.answers) > 0 {
		a := c.answers[0]
		c.answers = c.answers[1:]
		if a.status != 200 {
			return a
		}
		c.keep(&data)
		return a
	}
	c.keep(&data)
	return answer{status: 200}
}

func (c *collector) keep(data *logspb.LogsData) {
	for _, rl := range data.ResourceLogs {
		for _, sl := range rl.ScopeLogs {
			for _, l := range sl.LogRecords {
				c.records = append(c.records, fmt.Sprintf("%s|%s|%s", attribute(l.Attributes, tableAttribute), attribute(rl.Resource.Attributes, "service.name"), l.Body.GetStringValue()))
			}
		}
	}
}

func attribute(list []*commonpb.KeyValue, key string) string {
	for _, kv := range list {
		if kv.Key == key {
			return kv.Value.GetStringValue()
		}
	}
	return ""
}

// got returns the records of a table.
func (c *collector) got(table string) (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.records {
		if rest, ok := strings.CutPrefix(r, table+"|"); ok {
			out = append(out, rest)
		}
	}
	return out
}

type shop struct {
	*testing.T
	dir   string
	store *logsink.Store
	told  *[]string
	mu    *sync.Mutex
}

func open(t *testing.T) *shop {
	s, err := logsink.Open(logsink.Options{Dir: filepath.Join(t.TempDir(), "logs")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &shop{T: t, dir: t.TempDir(), store: s, told: &[]string{}, mu: &sync.Mutex{}}
}

// print stores console lines "line FROM" to "line TO-1".
func (s *shop) print(from, to int) {
	s.Helper()
	i := from
	err := s.store.Ingest(s.Context(), logsink.Container{App: "web", ID: fmt.Sprint("c", from), Name: "main"}, func() (logsink.Entry, error) {
		if i == to {
			return logsink.Entry{}, io.EOF
		}
		i++
		return logsink.Entry{Time: time.Unix(int64(i), 0), Data: fmt.Appendf(nil, "line %d\n", i-1)}, nil
	})
	if err != nil {
		s.Fatal(err)
	}
}

// export runs an exporter until the function returns.
func (s *shop) export(endpoint string, during func(e *Exporter)) *Exporter {
	s.Helper()
	e, err := New(Options{
		Endpoint: endpoint, Headers: map[string]string{"api-key": "k"}, Environment: "dev", File: filepath.Join(s.dir, "otlp.json"),
		Source: s.store, Log: zerolog.New(zerolog.NewTestWriter(s.T)),
		Tell: func(warning bool, text string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			*s.told = append(*s.told, fmt.Sprint(warning, " ", strings.ReplaceAll(text, endpoint, "URL")))
		},
	})
	if err != nil {
		s.Fatal(err)
	}
	e.wait, e.pause = 20*time.Millisecond, 10*time.Millisecond
	ctx, cancel := context.WithCancel(s.Context())
	done := make(chan struct{})
	go func() { e.Run(ctx); close(done) }()
	during(e)
	cancel()
	<-done
	return e
}

func (s *shop) flush(e *Exporter) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 30*time.Second)
	defer cancel()
	if err := e.Flush(ctx); err != nil {
		s.Fatal(err)
	}
}

func lines(from, to int) (out []string) {
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("web|line %d", i))
	}
	return out
}

func TestEveryRowIsSentOnceAndResumed(t *testing.T) {
	s, c := open(t), newCollector(t)
	s.print(0, 2000)
	if err := s.store.AppendEvent(logsink.Event{App: "web", Reason: "ProbeFailed", Msg: "it failed", Type: logsink.Warning, Count: 2}); err != nil {
		t.Fatal(err)
	}
	if err := s.store.AppendRequests([]logsink.Request{{StartTime: time.Unix(1, 0), App: "web", Method: "GET", Path: "/a", StatusCode: 200, TraceID: strings.Repeat("ab", 16)}}); err != nil {
		t.Fatal(err)
	}
	s.export(c.URL, func(e *Exporter) {
		s.flush(e)
		s.print(2000, 2500)
		s.flush(e)
	})
	s.print(2500, 3000) // while nobody sends
	e := s.export(c.URL+"/", s.flush)
	if diff := cmp.Diff(lines(0, 3000), c.got("ContainerAppConsoleLogs_CL")); diff != "" {
		t.Error("console rows (-want +got)\n", diff)
	}
	if diff := cmp.Diff([]string{"web|it failed"}, c.got("ContainerAppSystemLogs_CL")); diff != "" {
		t.Error("events (-want +got)\n", diff)
	}
	if diff := cmp.Diff([]string{"web|GET /a 200"}, c.got("ContainerAppHTTPLogs")); diff != "" {
		t.Error("requests (-want +got)\n", diff)
	}
	if sent, lost := e.Stats(); sent != 500 || lost != 0 {
		t.Errorf("%d rows sent and %d lost by the second exporter, want 500 and 0", sent, lost)
	}
	if len(*s.told) > 0 {
		t.Error("trouble:", *s.told)
	}
}

func TestACollectorThatIsAwayLosesNothing(t *testing.T) {
	s := open(t)
	c := newCollector(t, answer{status: 503, retryAfter: "1"}, answer{status: 429}, answer{status: 502})
	s.print(0, 100)
	s.export(c.URL, func(e *Exporter) { s.flush(e) })
	if diff := cmp.Diff(lines(0, 100), c.got("ContainerAppConsoleLogs_CL")); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
	want := []string{
		"true The collector at URL/v1/logs does not take rows (503 Service Unavailable); they wait in the log store.",
		"false The collector at URL/v1/logs answers again.",
	}
	if diff := cmp.Diff(want, *s.told); diff != "" {
		t.Error("told (-want +got)\n", diff)
	}
}

func TestRowsWaitWhileNobodyListens(t *testing.T) {
	s, c := open(t), newCollector(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	s.print(0, 10)
	s.export(gone.URL, func(e *Exporter) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if err := e.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("flushed to nobody:", err)
		}
	})
	if len(*s.told) != 1 || !strings.Contains((*s.told)[0], "does not take rows") {
		t.Error("told", *s.told)
	}
	s.export(c.URL, s.flush)
	if diff := cmp.Diff(lines(0, 10), c.got("ContainerAppConsoleLogs_CL")); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}

func TestRefusedRowsAreCountedAndToldOnce(t *testing.T) {
	s := open(t)
	partial := protowire.AppendTag(nil, 1, protowire.VarintType)
	partial = protowire.AppendVarint(partial, 3)
	partial = protowire.AppendTag(partial, 2, protowire.BytesType)
	partial = protowire.AppendString(partial, "too old")
	whole := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), partial)
	c := newCollector(t, answer{status: 400, body: []byte("no such tenant\nmore")}, answer{status: 200, body: whole})
	s.print(0, batchRows) // one batch
	e := s.export(c.URL, func(e *Exporter) {
		s.flush(e)
		s.print(batchRows, batchRows+10)
		s.flush(e)
		s.print(batchRows+10, batchRows+20)
		s.flush(e)
	})
	if sent, lost := e.Stats(); sent != 17 || lost != batchRows+3 {
		t.Errorf("%d rows sent and %d lost, want 17 and %d", sent, lost, batchRows+3)
	}
	want := []string{
		"true The collector at URL/v1/logs refuses rows for good: 400 Bad Request no such tenant",
		"false The collector at URL/v1/logs takes rows again; it has refused 515.",
	}
	if diff := cmp.Diff(want, *s.told); diff != "" {
		t.Error("told (-want +got)\n", diff)
	}
}

func TestBytesThatAreNotUTF8AreSent(t *testing.T) {
	s, c := open(t), newCollector(t)
	sent := false
	err := s.store.Ingest(t.Context(), logsink.Container{App: "web\xff", ID: "c"}, func() (logsink.Entry, error) {
		if sent {
			return logsink.Entry{}, io.EOF
		}
		sent = true
		return logsink.Entry{Time: time.Unix(1, 0), Data: []byte("a\xff\xfeb\x00c\n")}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.export(c.URL, s.flush)
	if diff := cmp.Diff([]string{"web\ufffd|a\ufffdb\x00c"}, c.got("ContainerAppConsoleLogs_CL")); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}

func TestMessagesHaveNoPassword(t *testing.T) {
	s := open(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	s.print(0, 10)
	secret := strings.Replace(gone.URL, "http://", "http://me:hunter2@", 1)
	s.export(secret, func(e *Exporter) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if err := e.Flush(ctx); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Error("error", err)
		}
	})
	if told := strings.Join(*s.told, "\n"); told == "" || strings.Contains(told, "hunter2") {
		t.Errorf("told %q", told)
	}
}

func TestEndpoints(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://localhost:4318": "http://localhost:4318/v1/logs", "https://x/": "https://x/v1/logs", "http://x/base": "http://x/base/v1/logs",
		"http://x/v1/logs": "http://x/v1/logs", "localhost:4318": "", "grpc://x": "", "": "", "http://": "",
	} {
		got, err := logsURL(endpoint)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", endpoint, got, err, want)
		}
	}
	if d := retryAfter("100000"); d != maxPause {
		t.Errorf("Retry-After of a day is %v", d)
	}
	if d := retryAfter("soon"); d != 0 {
		t.Errorf("Retry-After of a word is %v", d)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte{0x0a, 2, 8, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, _ := partialSuccess(b); n < 0 {
			t.Fatal(n)
		}
	})
}
