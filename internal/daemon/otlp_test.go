package daemon

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

func TestRowsAreSentToACollectorUntilTheEnd(t *testing.T) {
	m := newMachine(t)
	bodies := make(chan string, 10_000)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(unzipped)
		if err != nil {
			t.Error(err)
		}
		var data logspb.LogsData
		if err := proto.Unmarshal(body, &data); err != nil {
			t.Error(err)
		}
		for _, rl := range data.ResourceLogs {
			for _, l := range rl.ScopeLogs[0].LogRecords {
				bodies <- l.EventName + "|" + l.Body.GetStringValue()
			}
		}
	}))
	defer collector.Close()
	o := m.options()
	o.OTLPEndpoint = collector.URL
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	m.daemon, m.ended = d, make(chan error, 1)
	ready := make(chan struct{})
	go func() { m.ended <- d.Run(ctx, func() { close(ready) }) }()
	<-ready
	m.apply("web:1")
	m.waitFor("the app is ready", webReady)
	d.Shutdown(true)
	if err := <-m.ended; err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for len(bodies) > 0 {
		seen[<-bodies] = true
	}
	for _, want := range []string{"|hello", "ContainerTerminated|Container 'app' was terminated with exit code '' and reason 'ManuallyStopped'"} {
		if !seen[want] {
			t.Errorf("%q was not sent; sent were %v", want, seen)
		}
	}
}

func TestACollectorThatIsNoURLIsRefused(t *testing.T) {
	m := newMachine(t)
	o := m.options()
	o.OTLPEndpoint = "localhost:4318"
	if _, err := New(o); err == nil || err.Error() != `send logs by OTLP: "localhost:4318" is not the URL of a collector, such as http://localhost:4318` {
		t.Error("error", err)
	}
}
