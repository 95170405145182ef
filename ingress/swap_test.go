package ingress

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// swaps is how often a replica is replaced under load.
const swaps = 500

// readyApp is a replica that knows whether it may still be asked.
type readyApp struct {
	server *httptest.Server
	gone   atomic.Bool
}

// TestSwapUnderLoadLosesNothing replaces the only replica again and again, the
// way a roll-out does: publish, drain, stop. No request may fail, and none may
// reach a replica that has been drained.
func TestSwapUnderLoadLosesNothing(t *testing.T) {
	var late atomic.Int64
	start := func(n int) (*readyApp, Endpoint) {
		a := &readyApp{}
		a.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if a.gone.Load() {
				late.Add(1)
			}
			// All of it first: net/http throws the rest away when an answer begins.
			body, _ := io.ReadAll(r.Body)
			w.Write(body)
		}))
		a.server.Config.Protocols = new(http.Protocols)
		a.server.Config.Protocols.SetHTTP1(true)
		a.server.Config.Protocols.SetUnencryptedHTTP2(true)
		a.server.Start()
		return a, endpointOf(t, fmt.Sprintf("web--a-%d", n), a.server.Listener.Addr())
	}
	cert := selfSigned(t)
	g, err := New(Options{
		Retries:      -1, // a retry would hide a loss
		Certificates: func(string) (*tls.Certificate, error) { return &cert, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	table := func(generation int, ep Endpoint) Table {
		h1 := oneApp(ep).Apps[0]
		h2 := h1
		h2.Name, h2.Transport = "zweb", TransportHTTP2
		return Table{Generation: uint64(generation), Domain: testDomain, Apps: []App{h1, h2}}
	}
	current, ep := start(0)
	mustApply(t, g, table(1, ep))
	urls := []string{
		"http://" + mustListen(t, g, ListenSpec{Kind: HTTP}),
		"https://" + mustListen(t, g, ListenSpec{Kind: HTTPS}),
	}

	ctx, cancel := context.WithCancel(context.Background())
	var load sync.WaitGroup
	var done, failed atomic.Int64
	for i := range 12 {
		load.Go(func() {
			tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "web." + testDomain}}
			url := urls[i/8]
			switch {
			case i%2 == 0:
			case i < 8:
				tr = h2cTransport()
			default:
				tr.ForceAttemptHTTP2 = true
			}
			defer tr.CloseIdleConnections()
			host := []string{"web", "zweb"}[i/2%2] + "." + testDomain
			body := strings.Repeat("x", []int{1, 40_000}[i/4%2])
			for ctx.Err() == nil {
				if err := echoOnce(tr, url, host, body); err != nil {
					failed.Add(1)
					t.Errorf("%s: %v", host, err)
					return
				}
				done.Add(1)
			}
		})
	}
	for n := 1; n <= swaps && failed.Load() == 0; n++ {
		next, ep := start(n)
		old := fmt.Sprintf("web--a-%d", n-1)
		mustApply(t, g, table(n+1, ep))
		select {
		case <-g.Drain(old):
		case <-time.After(patience):
			t.Fatalf("replica %s does not drain", old)
		}
		current.gone.Store(true)
		current.server.Close()
		current = next
	}
	cancel()
	load.Wait()
	end, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	if err := g.Shutdown(end); err != nil {
		t.Error(err)
	}
	current.server.Close()
	if late.Load() != 0 {
		t.Errorf("%d requests reached a drained replica", late.Load())
	}
	t.Logf("%d requests over %d swaps", done.Load(), swaps)
}

func echoOnce(tr *http.Transport, url, host, body string) error {
	req, err := http.NewRequest("POST", url+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Host = host
	res, err := tr.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != 200 || string(got) != body {
		return fmt.Errorf("status %d, %d of %d bytes: %.100q", res.StatusCode, len(got), len(body), got)
	}
	return nil
}

func TestShutdownLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	func() {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
		defer s.Close()
		g, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		mustApply(t, g, oneApp(endpointOf(t, "web--a-1", s.Listener.Addr())))
		addr := mustListen(t, g, ListenSpec{Kind: HTTP})
		c := client(t)
		for range 20 {
			ask(t, c, "POST", addr, "web.local.localhost", "/", strings.NewReader("x"))
		}
		c.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := g.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if _, err := g.Listen(ListenSpec{Kind: HTTP, Addr: "127.0.0.1:0"}); err != ErrClosed {
			t.Errorf("listening after shutdown: %v", err)
		}
	}()
	waitFor(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
}

func TestShutdownFreesWhoeverWaits(t *testing.T) {
	g, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustApply(t, g, oneApp())
	c := mustDial(t, mustListen(t, g, ListenSpec{Kind: HTTP}))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: web.local.localhost\r\n\r\n")
	waitFor(t, "a held request", func() bool { return g.Stats()[0].Held == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- g.Shutdown(ctx) }()
	got, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 503 ") || !strings.HasSuffix(string(got), "no healthy upstream") {
		t.Errorf("got %q, %v", got, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("shut down: %v", err)
	}
}

func TestClosingAListenerEndsItsIdleConnections(t *testing.T) {
	g := newEdge(t, Options{}, oneApp(answers(t, "web--a-1")))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- g.Serve(ln, ListenSpec{Kind: AppPort, App: "web"}) }()
	c := mustDial(t, ln.Addr().String())
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: web\r\n\r\n")
	r := bufio.NewReader(c)
	if got := statusLine(t, r); got != "HTTP/1.1 200 OK" {
		t.Fatal(got)
	}
	ln.Close()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if _, err := io.ReadAll(r); err != nil {
		t.Errorf("the connection did not end: %v", err)
	}
}
