package probes

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// These tests use real sockets on loopback; the rules have tests in virtual
// time beside them.

// checkNow makes one attempt from this process. In what is compared, the port
// reads PORT and the time taken is left out.
func checkNow(t *testing.T, c Check, timeout time.Duration) Result {
	t.Helper()
	res := NetChecker{}.Check(t.Context(), Target{Check: c, Timeout: timeout})
	if res.Duration <= 0 {
		t.Errorf("Duration = %v, want how long it took", res.Duration)
	}
	res.Duration = 0
	port := 0
	if c.TCP != nil {
		port = c.TCP.Port
	} else {
		port = c.HTTP.Port
	}
	res.Detail = strings.ReplaceAll(res.Detail, strconv.Itoa(port), "PORT")
	return res
}

func listen(t *testing.T) (net.Listener, int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, l.Addr().(*net.TCPAddr).Port
}

// freePort returns a port of loopback that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, port := listen(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}

func wantResult(t *testing.T, want, got Result) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTCPRefusedHasStatusOne(t *testing.T) {
	got := checkNow(t, Check{TCP: &TCPCheck{Host: "127.0.0.1", Port: freePort(t)}}, 5*time.Second)
	got.Detail = strings.ReplaceAll(got.Detail, "connectex: No connection could be made because the target machine actively refused it.", "connect: connection refused")
	wantResult(t, Result{Outcome: Failure, Status: "1", Detail: "dial tcp 127.0.0.1:PORT: connect: connection refused"}, got)
}

func TestTCPPassesWhenTheConnectionIsAccepted(t *testing.T) {
	_, port := listen(t) // accepted by the kernel; nobody ever answers
	wantResult(t, Result{Outcome: Success}, checkNow(t, Check{TCP: &TCPCheck{Port: port}}, 5*time.Second))
}

func TestHTTPRefusedHasEmptyStatus(t *testing.T) {
	got := checkNow(t, Check{HTTP: &HTTPCheck{Host: "127.0.0.1", Port: freePort(t), Path: "/x"}}, 5*time.Second)
	got.Detail = strings.ReplaceAll(got.Detail, "connectex: No connection could be made because the target machine actively refused it.", "connect: connection refused")
	wantResult(t, Result{Outcome: Failure, Detail: `Get "http://127.0.0.1:PORT/x": dial tcp 127.0.0.1:PORT: connect: connection refused`}, got)
}

func TestHTTPTimesOutOnAnAppThatAcceptsAndIsSilent(t *testing.T) {
	_, port := listen(t)
	got := checkNow(t, Check{HTTP: &HTTPCheck{Port: port}}, 50*time.Millisecond)
	wantResult(t, Result{
		Outcome: Failure, Timeout: true,
		Detail: `Get "http://localhost:PORT/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
	}, got)
}

// seen is what a server noticed about one request.
type seen struct {
	Method, Proto, Host, Path, Loopback string
	Header                              http.Header
}

func TestHTTPAsTheAppSeesIt(t *testing.T) {
	var got []seen
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		remote := netip.MustParseAddrPort(r.RemoteAddr)
		got = append(got, seen{
			r.Method, r.Proto, r.Host, r.URL.Path, strconv.FormatBool(remote.Addr().IsLoopback()), r.Header,
		})
	}))
	defer srv.Close()
	port := srv.Listener.Addr().(*net.TCPAddr).Port
	c := Check{HTTP: &HTTPCheck{Port: port, Path: "/health", Headers: []Header{{Name: "X-Probe", Value: "yes"}}}}
	wantResult(t, Result{Outcome: Success, Status: "200"}, checkNow(t, c, 5*time.Second))
	want := []seen{{
		"GET", "HTTP/1.1", "localhost:" + strconv.Itoa(port), "/health", "true",
		http.Header{"User-Agent": {"curl/8.11.1"}, "Accept": {"*/*"}, "X-Probe": {"yes"}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestEveryAttemptIsANewConnection(t *testing.T) {
	conns := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { conns[r.RemoteAddr] = true }))
	defer srv.Close()
	c := Check{HTTP: &HTTPCheck{Port: srv.Listener.Addr().(*net.TCPAddr).Port}}
	for range 3 {
		checkNow(t, c, 5*time.Second)
	}
	if len(conns) != 3 {
		t.Errorf("3 attempts came over %d connections, want 3", len(conns))
	}
}

func TestHTTPSTakesAnyCertificate(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) }))
	defer srv.Close()
	c := Check{HTTP: &HTTPCheck{Scheme: "https", Host: "127.0.0.1", Port: srv.Listener.Addr().(*net.TCPAddr).Port}}
	wantResult(t, Result{Outcome: Success, Status: "302"}, checkNow(t, c, 5*time.Second))
}

func TestHTTPSAgainstPlainHTTPSaysSo(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer srv.Close()
	c := Check{HTTP: &HTTPCheck{Scheme: "HTTPS", Port: srv.Listener.Addr().(*net.TCPAddr).Port}}
	wantResult(t, Result{
		Outcome: Failure,
		Detail:  `Get "https://localhost:PORT/": http: server gave HTTP response to HTTPS client`,
	}, checkNow(t, c, 5*time.Second))
}

func TestHTTPSTimesOutOnASilentServer(t *testing.T) {
	_, port := listen(t)
	got := checkNow(t, Check{HTTP: &HTTPCheck{Scheme: "HTTPS", Port: port}}, 50*time.Millisecond)
	wantResult(t, Result{
		Outcome: Failure, Timeout: true,
		Detail: `Get "https://localhost:PORT/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
	}, got)
}

func TestNetCheckerDialsWhereItIsTold(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	var dialed string
	n := NetChecker{Dial: func(_ context.Context, t Target, network, address string) (net.Conn, error) {
		dialed = t.Replica + " " + network + " " + address
		return near, nil
	}}
	got := n.Check(t.Context(), Target{Key: Key{Replica: "web-0"}, Check: Check{TCP: &TCPCheck{Port: 80}}, Timeout: time.Second})
	if got.Outcome != Success || dialed != "web-0 tcp [::1]:80" {
		t.Errorf("outcome %s after dialing %q, want Success after %q", got.Outcome, dialed, "web-0 tcp [::1]:80")
	}
}
