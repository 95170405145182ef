package ingress

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

const testDomain = "local.localhost"

// newEdge starts an ingress with the table, which may be empty, and shuts it
// down at the end of the test.
func newEdge(t testing.TB, o Options, table Table) *Ingress {
	t.Helper()
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := g.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
	})
	if table.Domain != "" {
		mustApply(t, g, table)
	}
	return g
}

func mustApply(t testing.TB, g *Ingress, table Table) {
	t.Helper()
	if _, err := g.Apply(table); err != nil {
		t.Fatal(err)
	}
}

// mustListen opens a listener of the kind and returns its address.
func mustListen(t testing.TB, g *Ingress, spec ListenSpec) string {
	t.Helper()
	if spec.Addr == "" {
		spec.Addr = "127.0.0.1:0"
	}
	addr, err := g.Listen(spec)
	if err != nil {
		t.Fatal(err)
	}
	return addr.String()
}

// backend starts an app and returns it as an endpoint.
func backend(t testing.TB, replica string, h http.HandlerFunc) Endpoint {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return endpointOf(t, replica, s.Listener.Addr())
}

// answers is an app that says its own name.
func answers(t testing.TB, replica string) Endpoint {
	return backend(t, replica, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, replica)
	})
}

// rawBackend starts an app that handles connections itself.
func rawBackend(t testing.TB, replica string, handle func(net.Conn)) Endpoint {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { ln.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); handle(c) }()
		}
	}()
	return endpointOf(t, replica, ln.Addr())
}

func endpointOf(t testing.TB, replica string, a net.Addr) Endpoint {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		t.Fatal(err)
	}
	return Endpoint{Replica: replica, Port: int(ap.Port()), Addr: ap.Addr().String()}
}

// refusing returns an endpoint on which nothing listens.
func refusing(t testing.TB, replica string) Endpoint {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return endpointOf(t, replica, ln.Addr())
}

// oneApp is a table with the app "web" and one revision "web--a".
func oneApp(eps ...Endpoint) Table {
	return Table{Generation: 1, Domain: testDomain, Apps: []App{{
		Name: "web", External: true, Enabled: true, AllowInsecure: true, TargetPort: 8080,
		Revisions: []Revision{{Name: "web--a", Endpoints: eps}},
		Split:     []Weight{{"web--a", 100}},
	}}}
}

// client does not follow redirects and keeps no connection after the test.
func client(t testing.TB) *http.Client {
	tr := &http.Transport{DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// reply is an answer in a form that compares.
type reply struct {
	Status int
	Body   string
	Header http.Header
}

// ask sends a request to addr for the host.
func ask(t testing.TB, c *http.Client, method, addr, host, path string, body io.Reader, header ...string) reply {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+addr+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: read answer: %v", method, path, err)
	}
	return reply{res.StatusCode, string(b), res.Header}
}

func get(t testing.TB, c *http.Client, addr, host, path string, header ...string) reply {
	t.Helper()
	return ask(t, c, http.MethodGet, addr, host, path, nil, header...)
}

// patience is how long a test waits for what has to come. Only a test that fails
// takes it, and a loaded machine needs some.
const patience = time.Minute

// waitFor polls until cond holds, and fails with the reason when that takes too long.
func waitFor(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
		time.Sleep(time.Millisecond)
	}
}

// lastRecord waits for record id and returns it.
func recordOf(t testing.TB, g *Ingress, id uint64) Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, rec := range g.Follow(ctx, id-1) {
		if rec.ID == id {
			return rec
		}
	}
	t.Fatalf("no record %d", id)
	return Record{}
}
