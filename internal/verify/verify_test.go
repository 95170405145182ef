package verify

import (
	"context"
	"encoding/xml"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/acalocal/acalocal/internal/junit"
	"github.com/google/go-cmp/cmp"
)

var begin = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func at(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func TestLoadIsForThisMachineAlone(t *testing.T) {
	f := func(url string, rate int, want string) {
		t.Helper()
		got := ""
		if err := (Load{URL: url, Rate: rate}).Check(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s at %d: got %q, want %q", url, rate, got, want)
		}
	}
	f("http://127.0.0.1:8080/x", 100, "")
	f("http://[::1]:8080", 100, "")
	f("https://web.dev.localhost", MaxRate, "")
	f("http://example.com", 100, "example.com is not on this machine: a load is for loopback addresses only")
	f("http://localhost.example.com", 100, "localhost.example.com is not on this machine: a load is for loopback addresses only")
	f("http://10.0.0.1", 100, "10.0.0.1 is not on this machine: a load is for loopback addresses only")
	f("ftp://127.0.0.1", 100, `"ftp://127.0.0.1" is no http address`)
	f("http://127.0.0.1", 0, "0 requests per second are not between 1 and 2000")
	f("http://127.0.0.1", MaxRate+1, "2001 requests per second are not between 1 and 2000")
}

func TestLoadCountsEveryRequestOnce(t *testing.T) {
	var asked atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch n := asked.Add(1); {
		case n%10 == 0:
			panic(http.ErrAbortHandler) // cuts the connection
		case n%5 == 0:
			w.WriteHeader(http.StatusServiceUnavailable)
		case n == 103:
			cancel() // this one is answered all the same
		}
	}))
	defer srv.Close()
	srv.Config.ErrorLog = nil
	samples := Load{URL: srv.URL, Rate: 500}.Run(ctx)
	if int(asked.Load()) < len(samples) { // a cut request on a kept connection is sent again
		t.Errorf("%d samples of %d requests", len(samples), asked.Load())
	}
	fresh, lost := 0, 0
	for _, s := range samples {
		if s.Fresh {
			fresh++
		}
		if s.Failed() {
			lost++
		}
		if s.Took <= 0 || s.Status == 0 && s.Err == "" {
			t.Errorf("incomplete: %+v", s)
		}
	}
	if lost == 0 || fresh != len(samples)/2 {
		t.Errorf("%d lost, %d fresh of %d", lost, fresh, len(samples))
	}
}

// TestLoadOfAnAppThatHangsIsBounded: what cannot be sent is counted, and nothing
// of it is kept.
func TestLoadOfAnAppThatHangsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		asked, most, under := 0, 0, 0
		var mu sync.Mutex
		hang := func(context.Context, string, string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			under++
			most = max(most, under)
			client, server := net.Pipe()
			go func() {
				io.Copy(io.Discard, server) // to the end of the client's patience
				mu.Lock()
				defer mu.Unlock()
				under--
			}()
			return client, nil
		}
		l := Load{URL: "http://127.0.0.1:1", Rate: MaxRate, Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: hang}}
		done := make(chan []Sample)
		go func() { done <- l.Run(ctx) }()
		time.Sleep(5*time.Second + time.Millisecond/4)
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > 5*MaxInFlight {
			t.Errorf("%d goroutines wait for an app that hangs", n)
		}
		cancel()
		samples := <-done
		const sent = MaxInFlight + MaxWaiting
		r := Judge("web", samples, nil, nil, Settings{Readiness: true, Grace: time.Minute})
		if asked != sent || most > 2*MaxInFlight || r.Requests != 5*MaxRate+1 || r.Lost != r.Requests || r.NotSent != r.Requests-sent || r.Rest.Requests != sent {
			r.Findings = nil
			t.Errorf("%d were sent, %d at a time: %+v", asked, most, r)
		}
		want := "7441 of the lost requests were not sent: 512 requests were under way and 2048 more waited: the app answers more slowly than they come"
		if got := r.Causes[len(r.Causes)-1]; got != want {
			t.Errorf("the cause is %q, want %q", got, want)
		}
	})
}

func TestJudge(t *testing.T) {
	steps := []Step{{Name: "web--v1", Begin: at(1000), End: at(2000)}, {Name: "web--v2", Begin: at(3000), End: at(4000), Err: "not ready after 1m"}}
	events := []Event{
		{Time: at(1100), Replica: "web--v1-x", Reason: "ContainerStarted", Text: "Started container 'app'"},
		{Time: at(1150), Revision: "web--v1", Reason: "KEDAScalersStarted", Text: "noise"},
		{Time: at(1900), Replica: "web--v0-y", Reason: "ContainerTerminated", Text: "killed"},
	}
	samples := []Sample{
		{Begin: at(0), Took: ms(2), Status: 200},
		{Begin: at(500), Took: ms(4), Status: 404},
		{Begin: at(1200), Took: ms(1500), Status: 200},
		{Begin: at(1950), Took: ms(10), Err: "the connection was closed before the answer", Fresh: true},
		{Begin: at(1300), Took: ms(6), Status: 503},
		{Begin: at(9000), Took: ms(3), Status: 200},
	}
	got := Judge("web", samples, steps, events, Settings{Slow: time.Second, Grace: 5 * time.Second})
	want := Report{
		App: "web", Requests: 6, Lost: 2, Slow: 1, Steps: 2, Failed: []string{"web--v2: not ready after 1m"},
		Rest: Times{3, 3, 4, 4}, During: Times{3, 10, 1500, 1500},
		Findings: []Finding{
			{Time: at(1950), Took: "10ms", Fresh: true, Error: "the connection was closed before the answer", Step: "web--v1", Event: "web--v0-y ContainerTerminated: killed"},
			{Time: at(1300), Took: "6ms", Status: 503, Step: "web--v1", Event: "web--v1-x ContainerStarted: Started container 'app'"},
			{Time: at(1200), Took: "1.5s", Status: 200, Step: "web--v1", Event: "web--v0-y ContainerTerminated: killed"},
		},
		Causes: []string{
			"there is no readiness probe: a new replica gets requests as soon as its port opens, ready or not; add a Readiness probe that asks the app",
			"terminationGracePeriodSeconds is 5: requests that take longer are cut",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.OK() {
		t.Error("it is called good")
	}
}

func TestCauses(t *testing.T) {
	ended := []Finding{{Error: "read: connection reset by peer"}}
	started := []Finding{{Status: 502}}
	f := func(findings []Finding, s Settings, want string) {
		t.Helper()
		if got := strings.Join(causes(findings, s), "; "); !strings.HasPrefix(got, want) {
			t.Errorf("%+v: got %s, want %s…", s, got, want)
		}
	}
	f(started, Settings{Grace: time.Minute}, "there is no readiness probe")
	f(started, Settings{Readiness: true}, "no setting is known")
	f(ended, Settings{Readiness: true, Killed: true, Grace: 30 * time.Second}, "a container did not end on SIGTERM and was killed after 30s")
	f(ended, Settings{Readiness: true, Grace: time.Second}, "terminationGracePeriodSeconds is 1")
	f(ended, Settings{Readiness: true, Grace: time.Minute}, "no setting is known")
}

func TestWriters(t *testing.T) {
	r := Report{App: "web", Requests: 10, Lost: 1, Steps: 2, Failed: []string{"web--v2: <never> ready"},
		Findings: []Finding{{Time: begin, Took: "5ms", Error: "reset & gone"}}, Causes: []string{"x"}}
	var text, written strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	want := "                 requests       p50       p99       max\n" +
		"at rest                 0    0.0 ms    0.0 ms    0.0 ms\n" +
		"during changes          0    0.0 ms    0.0 ms    0.0 ms\n" +
		"08:00:00.000  reset & gone after 5ms on a kept connection\ncause: x\nnot done: web--v2: <never> ready\n" +
		"web: 1 lost and 0 slow of 10 requests in 2 changes\n"
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if err := r.WriteJUnit(&written); err != nil {
		t.Fatal(err)
	}
	var back junit.Suite
	if err := xml.Unmarshal([]byte(written.String()), &back); err != nil {
		t.Fatal(err)
	}
	back.XMLName = xml.Name{}
	wantSuite := junit.Suite{Name: "acalocal verify web", Tests: 2, Failures: 2, Cases: []junit.Case{
		{Name: "no request is lost", Class: "web", Failure: &junit.Failure{Message: "1 of 10 requests were lost", Text: "08:00:00.000  reset & gone after 5ms on a kept connection\ncause: x"}},
		{Name: "every change succeeds", Class: "web", Failure: &junit.Failure{Message: "1 of 2 changes did not succeed", Text: "web--v2: <never> ready"}},
	}}
	if diff := cmp.Diff(wantSuite, back); diff != "" {
		t.Errorf("JUnit (-want +got):\n%s", diff)
	}
}
