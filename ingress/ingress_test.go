package ingress

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const refusedBody = "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: " +
	"remote connection failure, transport failure reason: delayed connect error: Connection refused"

func TestHostsLeadToAppsRevisionsAndLabels(t *testing.T) {
	table := Table{Generation: 1, Domain: testDomain, Apps: []App{
		{Name: "back", Enabled: true, AllowInsecure: true, Revisions: []Revision{{Name: "back--a", Endpoints: []Endpoint{answers(t, "back--a-1")}}},
			Split: []Weight{{"back--a", 100}}},
		{Name: "off", External: true, AllowInsecure: true},
		{Name: "stopped", External: true, Enabled: true, Stopped: true, Revisions: []Revision{{Name: "stopped--a"}}, Split: []Weight{{"stopped--a", 100}}},
		{Name: "web", External: true, Enabled: true, AllowInsecure: true, CustomDomains: []CustomDomain{{Name: "www.example.test"}},
			Revisions: []Revision{
				{Name: "web--a", Endpoints: []Endpoint{answers(t, "web--a-1")}},
				{Name: "web--b", Endpoints: []Endpoint{answers(t, "web--b-1")}},
			},
			Split:  []Weight{{"web--a", 100}, {"web--b", 0}, {"web--gone", 0}},
			Labels: []Label{{"blue", "web--b"}, {"old", "web--gone"}}},
	}}
	g := newEdge(t, Options{}, table)
	outside := mustListen(t, g, ListenSpec{Kind: HTTP})
	inside := mustListen(t, g, ListenSpec{Kind: HTTP, Inside: true})
	port := mustListen(t, g, ListenSpec{Kind: AppPort, App: "web"})
	const page = "404"
	tests := []struct {
		name, addr, host, want string
	}{
		{"app", outside, "web.local.localhost", "web--a-1"},
		{"any port", outside, "web.local.localhost:1234", "web--a-1"},
		{"any case", outside, "WEB.Local.Localhost", "web--a-1"},
		{"final dot", outside, "web.local.localhost.", "web--a-1"},
		{"revision without weight", outside, "web--b.local.localhost", "web--b-1"},
		{"label", outside, "web---blue.local.localhost", "web--b-1"},
		{"label of an inactive revision", outside, "web---old.local.localhost", page},
		{"inactive revision", outside, "web--gone.local.localhost", page},
		{"custom domain", outside, "www.example.test", "web--a-1"},
		{"unknown", outside, "nobody.local.localhost", page},
		{"address", outside, "127.0.0.1:80", page},
		{"stopped", outside, "stopped.local.localhost", page},
		{"revision of a stopped app", outside, "stopped--a.local.localhost", page},
		{"ingress off", outside, "off.local.localhost", page},
		{"internal from outside", outside, "back.internal.local.localhost", page},
		{"internal by external name", outside, "back.local.localhost", page},
		{"short name from outside", outside, "web", page},
		{"internal from inside", inside, "back.internal.local.localhost", "back--a-1"},
		{"short name inside", inside, "back", "back--a-1"},
		{"short name of external app inside", inside, "web", "web--a-1"},
		{"app port, any host", port, "localhost:8080", "web--a-1"},
		{"app port, other app", port, "back.internal.local.localhost", "web--a-1"},
		{"app port, own label", port, "web---blue.local.localhost:99", "web--b-1"},
		{"app port, own revision", port, "web--b.local.localhost", "web--b-1"},
		{"app port, own inactive label", port, "web---old.local.localhost", page},
	}
	c := client(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := get(t, c, tt.addr, tt.host, "/")
			if tt.want == page {
				if got.Status != http.StatusNotFound || got.Body != notFoundPage {
					t.Errorf("got %d %q, want the 404 page", got.Status, got.Body)
				}
				return
			}
			if got.Status != http.StatusOK || got.Body != tt.want {
				t.Errorf("got %d %q, want 200 %q", got.Status, got.Body, tt.want)
			}
		})
	}
}

func TestUnknownHostsNameTheOneThatWasMeant(t *testing.T) {
	table := Table{Generation: 1, Domain: testDomain, Apps: []App{
		{Name: "back", Enabled: true, Revisions: []Revision{{Name: "back--a"}}, Split: []Weight{{"back--a", 100}}},
		{Name: "job", External: true},
		{Name: "web", External: true, Enabled: true, Revisions: []Revision{{Name: "web--a"}}, Split: []Weight{{"web--a", 100}}},
	}}
	g := newEdge(t, Options{}, table)
	addr := mustListen(t, g, ListenSpec{Kind: HTTP, Inside: true})
	for host, want := range map[string]string{
		"nobody.local.localhost":       "no app has the host nobody.local.localhost",
		"web.example.test":             "no app has the host web.example.test",
		"web.internal.local.localhost": "no app has the host web.internal.local.localhost; app web is external: its host is web.local.localhost",
		"back.local.localhost":         "no app has the host back.local.localhost; app back is internal: inside the environment its host is back.internal.local.localhost",
		"job.internal.local.localhost": "app job has no ingress",
	} {
		if got := get(t, client(t), addr, host, "/").Header.Get("X-Acalocal-Reason"); got != "NR: "+want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

func TestWeightsAreExactWithinAFewRequests(t *testing.T) {
	table := oneApp()
	var revs []Revision
	for _, n := range []string{"a", "b", "c", "d"} {
		revs = append(revs, Revision{Name: "web--" + n, Endpoints: []Endpoint{answers(t, n)}})
	}
	table.Apps[0].Revisions = revs
	table.Apps[0].Split = []Weight{{"web--a", 70}, {"web--b", 20}, {"web--c", 10}, {"web--d", 0}}
	g := newEdge(t, Options{}, table)
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	c := client(t)
	counts := map[string]int{}
	for range 200 {
		counts[get(t, c, addr, "web.local.localhost", "/").Body]++
	}
	for name, want := range map[string]int{"a": 140, "b": 40, "c": 20, "d": 0} {
		if got := counts[name]; got < want-4 || got > want+4 || want == 0 && got != 0 {
			t.Errorf("revision %s got %d of 200, want %d", name, got, want)
		}
	}
}

func TestAppSeesTheHeadersAzureSends(t *testing.T) {
	seen := make(chan http.Header, 1)
	ep := backend(t, "web--a-1", func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("host", r.Host)
		seen <- r.Header
	})
	g := newEdge(t, Options{}, oneApp(ep))
	outside := mustListen(t, g, ListenSpec{Kind: HTTP})
	inside := mustListen(t, g, ListenSpec{Kind: HTTP, Inside: true})
	port := mustListen(t, g, ListenSpec{Kind: AppPort, App: "web"})
	constant := http.Header{
		"X-Envoy-Expected-Rq-Timeout-Ms": {"1800000"}, "X-Arr-Ssl": {"true"},
		"X-K8se-App-Name": {"web--a"}, "X-K8se-App-Namespace": {"k8se-apps"}, "X-K8se-App-Kind": {"web"}, "X-K8se-Protocol": {"http1"},
		"X-Ms-Containerapp-Name": {"web"}, "X-Ms-Containerapp-Revision-Name": {"web--a"},
		"X-Request-Id": {"019b0000-0000-4000-8000-000000000000"},
	}
	tests := []struct {
		name, addr, host string
		send             []string
		want             http.Header
	}{
		{"outside", outside, "web.local.localhost:80", nil, http.Header{
			"Host": {"web.local.localhost:80"}, "X-Forwarded-For": {"127.0.0.1"}, "X-Envoy-External-Address": {"127.0.0.1"},
			"X-Forwarded-Proto": {"http"}, "X-Forwarded-Path": {"/a%2Fb"},
		}},
		{"app port", port, "localhost:1", nil, http.Header{
			"Host": {"localhost:1"}, "X-Forwarded-For": {"127.0.0.1"}, "X-Envoy-External-Address": {"127.0.0.1"},
			"X-Forwarded-Proto": {"https"}, "X-Forwarded-Path": {"/a%2Fb"},
		}},
		{"short name", inside, "web", nil, http.Header{
			"Host": {"web"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Path": {"/a%2Fb"},
		}},
		{"forged", outside, "web.local.localhost", []string{
			"X-Forwarded-For", "1.2.3.4", "X-Forwarded-Proto", "https", "X-Forwarded-Client-Cert", "x", "X-Arr-Ssl", "no",
			"X-Envoy-Retry-On", "5xx", "X-K8se-App-Name", "other", "X-Ms-Containerapp-Replica", "r", "X-Envoy-External-Address", "9.9.9.9",
			"Connection", "x-hop, content-length, authorization", "X-Hop", "1", "Keep-Alive", "timeout=5", "Te", "gzip", "Authorization", "Bearer a",
		}, http.Header{
			"Host": {"web.local.localhost"}, "X-Forwarded-For": {"1.2.3.4,127.0.0.1"}, "X-Envoy-External-Address": {"127.0.0.1"},
			"X-Forwarded-Proto": {"http"}, "X-Forwarded-Path": {"/a%2Fb"}, "Authorization": {"Bearer a"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			send := append([]string{"X-Request-Id", "019b0000-0000-7000-8000-000000000000", "User-Agent", ""}, tt.send...)
			get(t, client(t), tt.addr, tt.host, "/a%2Fb?q=1", send...)
			want := tt.want.Clone()
			for k, v := range constant {
				want[k] = v
			}
			if diff := cmp.Diff(want, <-seen); diff != "" {
				t.Errorf("request header (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEdgeAnswersAreByteForByte(t *testing.T) {
	dies := rawBackend(t, "web--a-1", func(c net.Conn) { readHead(c) })
	junk := rawBackend(t, "web--a-1", func(c net.Conn) { readHead(c); io.WriteString(c, "this is not http\r\n\r\n") })
	table := oneApp()
	table.Apps[0].IPRules = []IPRule{{Range: "10.0.0.0/8", Action: IPAllow}}
	tests := []struct {
		name   string
		table  Table
		status int
		body   string
		flag   string
		reason string
	}{
		{"refused", oneApp(refusing(t, "web--a-1")), 503, refusedBody, "UF,URX", "UF,URX: replica web--a-1, port "},
		{"dies", oneApp(dies), 503, "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: connection termination", "UC,URX", "UC,URX: replica web--a-1, port "},
		{"not HTTP", oneApp(junk), 502, "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: protocol error", "UPE,URX", "UPE,URX: replica web--a-1, port "},
		{"address rule", table, 403, "RBAC: access denied", "UAEX", "UAEX: no IP rule of app web allows 127.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newEdge(t, Options{}, tt.table)
			got := get(t, client(t), mustListen(t, g, ListenSpec{Kind: HTTP}), "web.local.localhost", "/")
			if got.Status != tt.status || got.Body != tt.body {
				t.Errorf("got %d %q, want %d %q", got.Status, got.Body, tt.status, tt.body)
			}
			if reason := got.Header.Get("X-Acalocal-Reason"); !strings.HasPrefix(reason, tt.reason) {
				t.Errorf("reason %q, want %q…", reason, tt.reason)
			}
			var names []string
			for name := range got.Header {
				names = append(names, name)
			}
			sort.Strings(names)
			if diff := cmp.Diff([]string{"Content-Length", "Content-Type", "Date", "X-Acalocal-Reason"}, names); diff != "" {
				t.Errorf("header names (-want +got):\n%s", diff)
			}
			if rec := recordOf(t, g, 1); rec.Flag != tt.flag || rec.Status != tt.status {
				t.Errorf("record has status %d flag %q, want %d %q", rec.Status, rec.Flag, tt.status, tt.flag)
			}
		})
	}
	if len(refusedBody) != 190 {
		t.Errorf("the refused body has %d bytes, Azure's has 190", len(refusedBody))
	}
}

// readHead reads a request head from a raw connection.
func readHead(c net.Conn) string {
	r := bufio.NewReader(c)
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			return b.String()
		}
	}
}

func TestRequestsAreHeldUntilAReplicaIsReady(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	g := newEdge(t, Options{Activate: func(app, revision string) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, app+" "+revision)
	}}, oneApp())
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	got := make(chan reply, 3)
	for range 3 {
		go func() {
			got <- ask(t, client(t), "POST", addr, "web.local.localhost", "/", strings.NewReader("body"))
		}()
	}
	waitFor(t, "three held requests", func() bool { return g.Stats()[0].Held == 3 })
	mustApply(t, g, oneApp(answers(t, "web--a-1")))
	for range 3 {
		if r := <-got; r.Body != "web--a-1" {
			t.Errorf("got %d %q", r.Status, r.Body)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) == 0 || asked[0] != "web web--a" {
		t.Errorf("activations: %q", asked)
	}
	rec := recordOf(t, g, 1)
	if rec.Hold <= 0 || rec.ReplicaWhy != WhyHeld {
		t.Errorf("record: hold %v, why %q", rec.Hold, rec.ReplicaWhy)
	}
}

func TestHeldRequestsKeepTheirBodies(t *testing.T) {
	for _, size := range []int{0, 1, 100_000, replayLimit, 3 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			body := bytes.Repeat([]byte("0123456789"), size/10)
			sums := make(chan [2]uint32, 1)
			app := backend(t, "web--a-1", func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				sums <- [2]uint32{uint32(len(b)), sum(b)}
			})
			g := newEdge(t, Options{}, oneApp())
			addr := mustListen(t, g, ListenSpec{Kind: HTTP})
			got := make(chan reply, 1)
			go func() { got <- ask(t, client(t), "POST", addr, "web.local.localhost", "/", bytes.NewReader(body)) }()
			waitFor(t, "a held request", func() bool { return g.Stats()[0].Held == 1 })
			mustApply(t, g, oneApp(app))
			if r := <-got; r.Status != 200 {
				t.Fatalf("got %d %q", r.Status, r.Body)
			}
			if got, want := <-sums, [2]uint32{uint32(len(body)), sum(body)}; got != want {
				t.Errorf("the app got %v, want %v", got, want)
			}
		})
	}
}

func TestHeldRequestIsFreedWhenTheClientLeaves(t *testing.T) {
	for _, body := range []string{"", strings.Repeat("x", 300<<10)} {
		t.Run(fmt.Sprintf("body of %d", len(body)), func(t *testing.T) {
			g := newEdge(t, Options{}, oneApp())
			addr := mustListen(t, g, ListenSpec{Kind: HTTP})
			ctx, cancel := context.WithCancel(context.Background())
			req, _ := http.NewRequestWithContext(ctx, "POST", "http://"+addr+"/", strings.NewReader(body))
			req.Host = "web.local.localhost"
			done := make(chan error, 1)
			go func() { _, err := client(t).Do(req); done <- err }()
			waitFor(t, "a held request", func() bool { return g.Stats()[0].Held == 1 })
			cancel()
			<-done
			waitFor(t, "the request to be freed", func() bool { return g.Stats()[0].InFlight == 0 })
			if rec := recordOf(t, g, 1); rec.Flag != "DC" || rec.Status != 0 {
				t.Errorf("record: status %d, flag %q", rec.Status, rec.Flag)
			}
		})
	}
}

func TestHeldRequestsMoveWithTheTraffic(t *testing.T) {
	g := newEdge(t, Options{}, oneApp())
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	got := make(chan reply, 1)
	go func() { got <- get(t, client(t), addr, "web.local.localhost", "/") }()
	waitFor(t, "a held request", func() bool { return g.Stats()[0].Held == 1 })
	table := oneApp()
	table.Apps[0].Revisions = append(table.Apps[0].Revisions, Revision{Name: "web--b", Endpoints: []Endpoint{answers(t, "web--b-1")}})
	table.Apps[0].Split = []Weight{{"web--b", 100}}
	mustApply(t, g, table)
	if r := <-got; r.Body != "web--b-1" {
		t.Errorf("got %d %q", r.Status, r.Body)
	}
}

func TestHeldRequestOfARemovedAppGetsThePage(t *testing.T) {
	g := newEdge(t, Options{}, oneApp())
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	got := make(chan reply, 1)
	go func() { got <- get(t, client(t), addr, "web.local.localhost", "/") }()
	waitFor(t, "a held request", func() bool { return g.Stats()[0].Held == 1 })
	mustApply(t, g, Table{Generation: 2, Domain: testDomain})
	if r := <-got; r.Status != 404 {
		t.Errorf("got %d %q", r.Status, r.Body)
	}
}

func TestHoldHasABound(t *testing.T) {
	g := newEdge(t, Options{HeldRequests: 1}, oneApp())
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	held := make(chan reply, 1)
	go func() { held <- get(t, client(t), addr, "web.local.localhost", "/") }()
	waitFor(t, "a held request", func() bool { return g.Stats()[0].Held == 1 })
	if r := get(t, client(t), addr, "web.local.localhost", "/"); r.Status != 503 {
		t.Errorf("got %d %q, want 503", r.Status, r.Body)
	}
	mustApply(t, g, oneApp(answers(t, "web--a-1")))
	if r := <-held; r.Body != "web--a-1" {
		t.Errorf("got %d %q", r.Status, r.Body)
	}
}

func TestRetriesGoToAnotherReplicaWithTheWholeBody(t *testing.T) {
	bodies := make(chan string, 10)
	good := backend(t, "web--a-2", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies <- string(b)
	})
	dies := rawBackend(t, "web--a-1", func(c net.Conn) { readHead(c); io.CopyN(io.Discard, c, 1000) })
	body := strings.Repeat("0123456789", 10_000)
	for range 3 {
		g := newEdge(t, Options{}, oneApp(dies, good))
		addr := mustListen(t, g, ListenSpec{Kind: HTTP})
		r := ask(t, client(t), "POST", addr, "web.local.localhost", "/", strings.NewReader(body))
		if r.Status != 200 {
			t.Fatalf("got %d %q", r.Status, r.Body)
		}
		if got := <-bodies; got != body {
			t.Errorf("the app got %d bytes, want %d", len(got), len(body))
		}
		rec := recordOf(t, g, 1)
		if rec.Replica != "web--a-2" || rec.Replays != rec.Tries-1 || rec.BytesReceived != int64(len(body)) {
			t.Errorf("record: replica %s, tries %d, replays %d, received %d", rec.Replica, rec.Tries, rec.Replays, rec.BytesReceived)
		}
	}
}

// The request reached the replica, the replica was taken out and died: nobody
// is left to ask, and waiting would hide the kill.
func TestRequestOfTheLastReplicaEndsWithItsKill(t *testing.T) {
	entered, die := make(chan struct{}), make(chan struct{})
	dies := rawBackend(t, "web--a-1", func(c net.Conn) { readHead(c); close(entered); <-die })
	g := newEdge(t, Options{}, oneApp(dies))
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	got := make(chan reply, 1)
	go func() { got <- get(t, client(t), addr, "web.local.localhost", "/") }()
	<-entered
	mustApply(t, g, oneApp())
	close(die)
	r := <-got
	const want = "upstream connect error or disconnect/reset before headers. reset reason: connection termination"
	if r.Status != 503 || r.Body != want {
		t.Errorf("got %d %q, want 503 at once", r.Status, r.Body)
	}
}

func TestRetryOfATooLargeBodyIs507(t *testing.T) {
	dies := rawBackend(t, "web--a-1", func(c net.Conn) { readHead(c); io.CopyN(io.Discard, c, 3<<19) })
	g := newEdge(t, Options{}, oneApp(dies))
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	r := ask(t, client(t), "POST", addr, "web.local.localhost", "/", bytes.NewReader(make([]byte, 2<<20)))
	if r.Status != 507 || r.Body != "exceeded request buffer limit while retrying upstream" {
		t.Errorf("got %d %q", r.Status, r.Body)
	}
}

func TestRetriesCanBeSwitchedOff(t *testing.T) {
	tries := make(chan struct{}, 10)
	dies := rawBackend(t, "web--a-1", func(c net.Conn) { readHead(c); tries <- struct{}{} })
	g := newEdge(t, Options{Retries: -1}, oneApp(dies))
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	r := get(t, client(t), addr, "web.local.localhost", "/")
	const want = "upstream connect error or disconnect/reset before headers. reset reason: connection termination"
	if r.Status != 503 || r.Body != want || len(want) != 95 {
		t.Errorf("got %d %q", r.Status, r.Body)
	}
	if len(tries) != 1 {
		t.Errorf("the app was asked %d times", len(tries))
	}
}

func TestDrainWaitsForInFlightRequests(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	slow := backend(t, "web--a-1", func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-leave
		io.WriteString(w, "slow")
	})
	g := newEdge(t, Options{}, oneApp(slow))
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	got := make(chan reply, 1)
	go func() { got <- get(t, client(t), addr, "web.local.localhost", "/") }()
	<-entered
	drained := g.Drain("web--a-1")
	mustApply(t, g, oneApp(answers(t, "web--a-2")))
	select {
	case <-drained:
		t.Error("drained with a request in flight")
	default:
	}
	if r := get(t, client(t), addr, "web.local.localhost", "/"); r.Body != "web--a-2" {
		t.Errorf("new request got %q", r.Body)
	}
	close(leave)
	if r := <-got; r.Body != "slow" {
		t.Errorf("request in flight got %d %q", r.Status, r.Body)
	}
	select {
	case <-drained:
	case <-time.After(patience):
		t.Error("not drained after the last request")
	}
	select {
	case <-g.Drain("nobody"):
	default:
		t.Error("an unknown replica is not drained")
	}
}

func TestPlainHTTPIsRedirected(t *testing.T) {
	table := oneApp(answers(t, "web--a-1"))
	table.Apps[0].AllowInsecure = false
	g := newEdge(t, Options{}, table)
	tests := []struct {
		name, host, want string
		port             int
	}{
		{"no HTTPS listener", "web.local.localhost:8080", "https://web.local.localhost/a%20b?c=d", 0},
		{"local port", "web.local.localhost:8080", "https://web.local.localhost:8443/a%20b?c=d", 8443},
		{"standard port", "web.local.localhost", "https://web.local.localhost/a%20b?c=d", 443},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr := mustListen(t, g, ListenSpec{Kind: HTTP, HTTPSPort: tt.port})
			r := ask(t, client(t), "POST", addr, tt.host, "/a%20b?c=d", nil)
			if r.Status != 301 || r.Header.Get("Location") != tt.want || r.Body != "" {
				t.Errorf("got %d %q %q, want %q", r.Status, r.Header.Get("Location"), r.Body, tt.want)
			}
		})
	}
	t.Run("not by short name", func(t *testing.T) {
		addr := mustListen(t, g, ListenSpec{Kind: HTTP, Inside: true})
		if r := get(t, client(t), addr, "web", "/"); r.Status != 200 {
			t.Errorf("got %d", r.Status)
		}
		if r := get(t, client(t), addr, "web.local.localhost", "/"); r.Status != 301 {
			t.Errorf("by full name: got %d", r.Status)
		}
	})
	t.Run("not on the app port", func(t *testing.T) {
		addr := mustListen(t, g, ListenSpec{Kind: AppPort, App: "web"})
		if r := get(t, client(t), addr, "localhost", "/"); r.Status != 200 {
			t.Errorf("got %d", r.Status)
		}
	})
}
