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
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// mustDial connects to addr; reads fail after five seconds.
func mustDial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(5 * time.Second))
	return c
}

func TestStreamsPassWithoutWaiting(t *testing.T) {
	next := make(chan string)
	ep := backend(t, "web--a-1", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for s := range next {
			io.WriteString(w, s)
			http.NewResponseController(w).Flush()
		}
	})
	g := newEdge(t, Options{}, oneApp(ep))
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	req, _ := http.NewRequest("GET", "http://"+addr+"/", nil)
	req.Host = "web.local.localhost"
	go func() { next <- "data: first\n\n" }()
	res, err := client(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	r := bufio.NewReader(res.Body)
	for i := range 3 {
		if i > 0 {
			next <- fmt.Sprintf("data: event %d\n\n", i)
		}
		line, err := r.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "data: ") {
			t.Fatalf("event %d: %q, %v", i, line, err)
		}
		r.ReadString('\n')
	}
	close(next)
	if _, err := io.ReadAll(r); err != nil {
		t.Error(err)
	}
}

func TestAnswerPassesBeforeTheRequestEnds(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		// HTTP/2 is full duplex anyway and does not know the call.
		_ = rc.EnableFullDuplex()
		w.WriteHeader(200)
		rc.Flush()
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			w.Write(buf[:n])
			rc.Flush()
			if err != nil {
				return
			}
		}
	}
	for _, transport := range []Transport{TransportHTTP2, TransportHTTP} {
		t.Run(string(transport), func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(echo))
			s.Config.Protocols = new(http.Protocols)
			s.Config.Protocols.SetUnencryptedHTTP2(true)
			s.Config.Protocols.SetHTTP1(true)
			s.Start()
			defer s.Close()
			table := oneApp(endpointOf(t, "web--a-1", s.Listener.Addr()))
			table.Apps[0].Transport = transport
			g := newEdge(t, Options{}, table)
			tr := h2cTransport()
			defer tr.CloseIdleConnections()
			pr, pw := io.Pipe()
			req, _ := http.NewRequest("POST", "http://"+mustListen(t, g, ListenSpec{Kind: HTTP})+"/", pr)
			req.Host = "web.local.localhost"
			res, err := tr.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			buf := make([]byte, 4)
			for _, word := range []string{"ping", "pong"} {
				io.WriteString(pw, word)
				if _, err := io.ReadFull(res.Body, buf); err != nil || string(buf) != word {
					t.Fatalf("got %q, %v", buf, err)
				}
			}
			pw.Close()
		})
	}
}

func h2cTransport() *http.Transport {
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	return tr
}

func TestTrailersAndInterimAnswersPass(t *testing.T) {
	ep := rawBackend(t, "web--a-1", func(c net.Conn) {
		readHead(c)
		io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"+
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nKeep-Alive: timeout=5\r\n\r\n"+
			"3\r\nabc\r\n0\r\nX-Sum: 6\r\nX-Unannounced: 1\r\nContent-Length: 4\r\n\r\n")
	})
	g := newEdge(t, Options{}, oneApp(ep))
	c := mustDial(t, mustListen(t, g, ListenSpec{Kind: HTTP}))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: web.local.localhost\r\nConnection: close\r\n\r\n")
	raw, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	got := string(raw)
	for _, want := range []string{"HTTP/1.1 103 Early Hints\r\n", "link: </a>\r\n", "HTTP/1.1 200 OK\r\n", "3\r\nabc\r\n0\r\n", "x-sum: 6\r\n", "x-unannounced: 1\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("answer lacks %q:\n%s", want, got)
		}
	}
	for _, bad := range []string{"keep-alive", "content-length"} {
		if strings.Contains(strings.ToLower(got), bad) {
			t.Errorf("answer has %q:\n%s", bad, got)
		}
	}
}

func TestRequestTrailersPass(t *testing.T) {
	ep := backend(t, "web--a-1", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, r.Trailer)
	})
	g := newEdge(t, Options{}, oneApp(ep))
	req, _ := http.NewRequest("POST", "http://"+mustListen(t, g, ListenSpec{Kind: HTTP})+"/", io.NopCloser(strings.NewReader("body")))
	req.Host = "web.local.localhost"
	req.Trailer = http.Header{"X-Tail": {"t"}, "Authorization": {"no"}}
	res, err := client(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err != nil || string(got) != "map[X-Tail:[t]]" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestExpectIsTheAppsToAnswer(t *testing.T) {
	tests := []struct {
		name, app string
		want      []string // lines of the answer, in order
		sendBody  bool
	}{
		{"refused", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", []string{"HTTP/1.1 401 Unauthorized"}, false},
		{"invited", "HTTP/1.1 100 Continue\r\n\r\n", []string{"HTTP/1.1 100 Continue", "HTTP/1.1 200 OK"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var head atomic.Value
			ep := rawBackend(t, "web--a-1", func(c net.Conn) {
				head.Store(readHead(c))
				io.WriteString(c, tt.app)
				if tt.sendBody {
					io.ReadFull(c, make([]byte, 4))
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			})
			g := newEdge(t, Options{}, oneApp(ep))
			c := mustDial(t, mustListen(t, g, ListenSpec{Kind: HTTP}))
			io.WriteString(c, "POST / HTTP/1.1\r\nHost: web.local.localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
			r := bufio.NewReader(c)
			for _, want := range tt.want {
				line := statusLine(t, r)
				if line != want {
					t.Fatalf("got %q, want %q", line, want)
				}
				if strings.Contains(line, " 100 ") {
					io.WriteString(c, "body")
				}
			}
			if h := head.Load().(string); !strings.Contains(h, "expect: 100-continue\r\n") {
				t.Errorf("the app got\n%s", h)
			}
		})
	}
}

// statusLine reads a head and returns its first line.
func statusLine(t testing.TB, r *bufio.Reader) string {
	t.Helper()
	first := ""
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("read head: %v after %q", err, first)
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return first
		}
		if first == "" {
			first = line
		}
	}
}

// wsEcho upgrades and echoes bytes, as a WebSocket would.
func wsEcho(c net.Conn) {
	readHead(c)
	io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
	io.Copy(c, c)
}

const wsRequest = "GET /ws HTTP/1.1\r\nHost: web.local.localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"

func TestWebSocketIsATunnelThatDrains(t *testing.T) {
	g := newEdge(t, Options{}, oneApp(rawBackend(t, "web--a-1", wsEcho)))
	c := mustDial(t, mustListen(t, g, ListenSpec{Kind: HTTP}))
	io.WriteString(c, wsRequest)
	r := bufio.NewReader(c)
	if got := statusLine(t, r); got != "HTTP/1.1 101 Switching Protocols" {
		t.Fatal(got)
	}
	io.WriteString(c, "hello")
	buf := make([]byte, 5)
	if _, err := io.ReadFull(r, buf); err != nil || string(buf) != "hello" {
		t.Fatalf("got %q, %v", buf, err)
	}
	drained := g.Drain("web--a-1")
	mustApply(t, g, oneApp())
	select {
	case <-drained:
		t.Fatal("drained with an open tunnel")
	default:
	}
	g.Sever("web--a-1")
	if _, err := io.ReadAll(r); err != nil {
		t.Logf("the tunnel ended with %v", err)
	}
	<-drained
	rec := recordOf(t, g, 1)
	if rec.Status != 101 || rec.Flag != "LR" || rec.BytesSent != 5 || rec.BytesReceived != 5 {
		t.Errorf("record: %+v", rec)
	}
}

func TestUpgradeIsForWebSocketOnly(t *testing.T) {
	var head atomic.Value
	ep := rawBackend(t, "web--a-1", func(c net.Conn) {
		head.Store(readHead(c))
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
	})
	g := newEdge(t, Options{Retries: -1}, oneApp(ep))
	got := get(t, client(t), mustListen(t, g, ListenSpec{Kind: HTTP}), "web.local.localhost", "/", "Connection", "Upgrade", "Upgrade", "h2c")
	if got.Status != 502 {
		t.Errorf("got %d %q", got.Status, got.Body)
	}
	if h := head.Load().(string); strings.Contains(h, "h2c") || strings.Contains(h, "upgrade") {
		t.Errorf("the app got\n%s", h)
	}
}

func TestNamesAreInLowerCase(t *testing.T) {
	ep := rawBackend(t, "web--a-1", answering(func() int { return 200 }))
	g := newEdge(t, Options{}, oneApp(ep))
	c := mustDial(t, mustListen(t, g, ListenSpec{Kind: HTTP}))
	const request = "GET / HTTP/1.1\r\nHost: %s.local.localhost\r\n\r\n"
	r := bufio.NewReader(c)
	for _, host := range []string{"web", "nobody", "web"} {
		fmt.Fprintf(c, request, host)
		length := 0
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if line == "\r\n" {
				break
			}
			name, value, header := strings.Cut(line, ":")
			if header && name != strings.ToLower(name) {
				t.Errorf("%s: header %q", host, name)
			}
			if name == "content-length" {
				fmt.Sscan(value, &length)
			}
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			t.Fatal(err)
		}
		if host == "nobody" && string(body) != notFoundPage {
			t.Error("the body was folded too")
		}
	}
}

// What Envoy says to what it cannot read, or will not: a status, few headers and
// short bodies, and never the words of net/http.
func TestRequestsOutOfOrderAreRefusedInEnvoysWords(t *testing.T) {
	const (
		host   = "Host: web.local.localhost\r\n"
		bad    = "400 Bad Request|content-length: 11|content-type: text/plain|connection: close||Bad Request"
		empty  = "|content-length: 0|connection: close||"
		app    = "200 OK|content-length: 8|content-type: text/plain; charset=utf-8|"
		target = "404 Not Found|content-length: 0||"
	)
	cert := selfSigned(t)
	g := newEdge(t, Options{HideReason: true, Certificates: func(string) (*tls.Certificate, error) { return &cert, nil }}, oneApp(answers(t, "web--a-1")))
	tests := []struct{ name, send, want string }{
		{"HTTP/1.0", "GET / HTTP/1.0\r\n" + host + "\r\n", "426 Upgrade Required" + empty},
		{"HTTP/1.0 without a host", "GET / HTTP/1.0\r\n\r\n", "426 Upgrade Required" + empty},
		{"HTTP/2.0 in HTTP/1.1", "GET / HTTP/2.0\r\n" + host + "\r\n", bad},
		{"no host", "GET / HTTP/1.1\r\n\r\n", "400 Bad Request" + empty},
		{"two hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", bad},
		{"a host that is none", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", bad},
		{"no request", "hello there, edge\r\n\r\n", bad},
		{"no URL", "GET web HTTP/1.1\r\n" + host + "\r\n", bad},
		{"no header", "GET / HTTP/1.1\r\n" + host + "no colon\r\n\r\n", bad},
		{"no name", "GET / HTTP/1.1\r\n" + host + "a name: v\r\n\r\n", bad},
		{"no value", "GET / HTTP/1.1\r\n" + host + "x: \x00\r\n\r\n", bad},
		{"no number", "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", bad},
		{"unknown encoding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n",
			"501 Not Implemented|content-length: 15|content-type: text/plain|connection: close||Not Implemented"},
		{"a large head", "GET / HTTP/1.1\r\n" + host + "x: " + strings.Repeat("x", 70<<10) + "\r\n\r\n", "431 Request Header Fields Too Large" + empty},
		{"a head without an end", "GET / HTTP/1.1\r\n" + host + "x: " + strings.Repeat("x", 200<<10), "431 Request Header Fields Too Large" + empty},
		{"after another", "HEAD / HTTP/1.1\r\n" + host + "\r\nGET / HTTP/1.1\r\n\r\n", app + "|400 Bad Request" + empty},
		{"all of a server", "OPTIONS * HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", "404 Not Found" + empty},
		{"all of a server, on and on", "OPTIONS * HTTP/1.1\r\n" + host + "\r\nGET / HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n",
			target + app + "connection: close||web--a-1"},
	}
	for _, kind := range []Kind{HTTP, HTTPS, AppPort} {
		addr := mustListen(t, g, ListenSpec{Kind: kind, App: map[Kind]string{AppPort: "web"}[kind]})
		for _, tt := range tests {
			t.Run(string(kind)+" "+tt.name, func(t *testing.T) {
				if got := plainly(rawExchange(t, addr, kind == HTTPS, tt.send)); got != tt.want {
					t.Errorf("got\n%s, want\n%s", got, tt.want)
				}
			})
		}
	}
}

// A request that ends with its head has no body, whatever it came over: a GET
// has no content-length then, and a POST has 0, as Envoy writes them.
func TestRequestsWithoutBodyHaveNoLengthOfTheirOwn(t *testing.T) {
	heads := make(chan string, 1)
	app := rawBackend(t, "web--a-1", func(c net.Conn) {
		heads <- readHead(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	})
	g := newEdge(t, Options{}, oneApp(app))
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	for _, version := range []string{"HTTP/1.1", "HTTP/2"} {
		p := new(http.Protocols)
		p.SetHTTP1(version == "HTTP/1.1")
		p.SetUnencryptedHTTP2(version == "HTTP/2")
		tr := &http.Transport{Protocols: p}
		t.Cleanup(tr.CloseIdleConnections)
		for method, want := range map[string]string{"GET": "", "DELETE": "", "POST": "content-length: 0", "PUT": "content-length: 0"} {
			ask(t, &http.Client{Transport: tr}, method, addr, "web.local.localhost", "/", nil)
			got := ""
			for line := range strings.SplitSeq(<-heads, "\r\n") {
				if strings.HasPrefix(line, "content-length:") || strings.HasPrefix(line, "transfer-encoding:") {
					got += line
				}
			}
			if got != want {
				t.Errorf("%s over %s: the app got %q, want %q", method, version, got, want)
			}
		}
	}
}

// plainly returns answers in one line, without their version and their date,
// and connection last, where net/http does not always write it.
func plainly(text string) string {
	var out, last []string
	for line := range strings.SplitSeq(text, "\r\n") {
		line = strings.TrimPrefix(strings.TrimPrefix(line, "HTTP/1.1 "), "HTTP/1.0 ")
		switch {
		case strings.HasPrefix(line, "date: "):
		case strings.HasPrefix(line, "connection: "):
			last = append(last, line)
		case line == "":
			out, last = append(append(out, last...), ""), nil
		default:
			out = append(out, line)
		}
	}
	return strings.Join(out, "|")
}

func TestRefusalsAreExplained(t *testing.T) {
	g := newEdge(t, Options{}, oneApp(answers(t, "web--a-1")))
	got := rawExchange(t, mustListen(t, g, ListenSpec{Kind: HTTP}), false, "GET / HTTP/1.1\r\n\r\n")
	if want := "x-acalocal-reason: DPE: the request is malformed: missing required Host header\r\n"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnswerThatBreaksOffIsNotCompleted(t *testing.T) {
	for name, answer := range map[string]string{
		"length": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok",
		"chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
	} {
		t.Run(name, func(t *testing.T) {
			ep := rawBackend(t, "web--a-1", func(c net.Conn) { readHead(c); io.WriteString(c, answer) })
			g := newEdge(t, Options{}, oneApp(ep))
			req, _ := http.NewRequest("GET", "http://"+mustListen(t, g, ListenSpec{Kind: HTTP})+"/", nil)
			req.Host = "web.local.localhost"
			res, err := client(t).Do(req)
			if err == nil {
				_, err = io.ReadAll(res.Body)
				res.Body.Close()
			}
			if err == nil {
				t.Error("the client took a broken answer for a whole one")
			}
			if rec := recordOf(t, g, 1); rec.Flag != "UC" {
				t.Errorf("flag %q, want UC", rec.Flag)
			}
		})
	}
}

func TestStaleConnectionIsReplacedWithoutARetry(t *testing.T) {
	var answered atomic.Bool
	ep := rawBackend(t, "web--a-1", func(c net.Conn) {
		readHead(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		if answered.CompareAndSwap(false, true) {
			readHead(c) // the second request, on the kept connection: close instead of answering
		}
	})
	g := newEdge(t, Options{Retries: -1}, oneApp(ep))
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	c := client(t)
	for range 2 {
		if got := ask(t, c, "POST", addr, "web.local.localhost", "/", strings.NewReader("x")); got.Status != 200 {
			t.Fatalf("got %d %q", got.Status, got.Body)
		}
	}
	if rec := recordOf(t, g, 2); rec.Tries != 1 {
		t.Errorf("tries %d, want 1", rec.Tries)
	}
}

func TestGRPCErrorsAreTrailersOnly(t *testing.T) {
	table := oneApp(refusing(t, "web--a-1"))
	table.Apps[0].Transport = TransportHTTP2
	g := newEdge(t, Options{HideReason: true}, table)
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	tr := h2cTransport()
	defer tr.CloseIdleConnections()
	req, _ := http.NewRequest("POST", "http://"+addr+"/svc/Method", strings.NewReader("x"))
	req.Host = "web.local.localhost"
	req.Header.Set("Content-Type", "application/grpc+proto")
	res, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	res.Header.Del("Date")
	want := http.Header{"Content-Type": {"application/grpc"}, "Grpc-Status": {"14"}, "Grpc-Message": {refusedBody}}
	if diff := cmp.Diff(want, res.Header); res.StatusCode != 200 || diff != "" {
		t.Errorf("status %d, header (-want +got):\n%s", res.StatusCode, diff)
	}
}

func TestProtocolErrorsAreRecognised(t *testing.T) {
	h1only := rawBackend(t, "web--a-1", func(c net.Conn) {
		buf := make([]byte, 1000)
		c.Read(buf)
		io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	})
	tests := []struct {
		name      string
		ep        Endpoint
		transport Transport
		reason    string
	}{
		{"HTTP/1.1 app, transport http2", h1only, TransportHTTP2, "protocol error"},
		{"HTTP/2 app, transport auto", rawBackend(t, "web--a-1", func(c net.Conn) {
			readHead(c)
			c.Write([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00")) // SETTINGS
			c.Write([]byte("\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"))
		}), TransportAuto, "protocol error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := oneApp(tt.ep)
			table.Apps[0].Transport = tt.transport
			g := newEdge(t, Options{}, table)
			got := get(t, client(t), mustListen(t, g, ListenSpec{Kind: HTTP}), "web.local.localhost", "/")
			want := prefixReset + "retried and the latest reset reason: " + tt.reason
			if got.Status != 502 || got.Body != want {
				t.Errorf("got %d %q, want 502 %q", got.Status, got.Body, want)
			}
		})
	}
}

func TestBrokenRequestBodies(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		flag       string
	}{
		{"client leaves", "Content-Length: 100\r\n\r\nhalf", 0, "DC"},
		{"client leaves a large body", "Content-Length: 100000\r\n\r\nhalf", 0, "DC"},
		{"malformed chunk", "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "DPE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newEdge(t, Options{}, oneApp(answers(t, "web--a-1")))
			c := mustDial(t, mustListen(t, g, ListenSpec{Kind: HTTP}))
			io.WriteString(c, "POST / HTTP/1.1\r\nHost: web.local.localhost\r\n"+tt.body)
			c.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, c)
			rec := recordOf(t, g, 1)
			if rec.Status != tt.status || rec.Flag != tt.flag {
				t.Errorf("status %d, flag %q (%s), want %d %q", rec.Status, rec.Flag, rec.Reason, tt.status, tt.flag)
			}
		})
	}
}

func TestAppThatSpeaksTLSShowsAsTermination(t *testing.T) {
	alert := rawBackend(t, "web--a-1", func(c net.Conn) {
		c.Read(make([]byte, 1000))
		c.Write([]byte{0x15, 3, 1, 0, 2, 2, 70}) // fatal: protocol version
	})
	g := newEdge(t, Options{}, oneApp(alert))
	got := get(t, client(t), mustListen(t, g, ListenSpec{Kind: HTTP}), "web.local.localhost", "/")
	if want := prefixReset + "retried and the latest reset reason: connection termination"; got.Status != 503 || got.Body != want {
		t.Errorf("got %d %q", got.Status, got.Body)
	}
	if reason := got.Header.Get("X-Acalocal-Reason"); !strings.Contains(reason, "targetPortHttpScheme") {
		t.Errorf("reason %q", reason)
	}
}

func TestUpstreamTLSIsNotVerified(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.Config.ErrorLog = discardLog
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	tests := []struct {
		transport Transport
		want      string
	}{{TransportAuto, "HTTP/1.1"}, {TransportHTTP2, "HTTP/2.0"}}
	for _, tt := range tests {
		table := oneApp(endpointOf(t, "web--a-1", s.Listener.Addr()))
		table.Apps[0].UpstreamTLS, table.Apps[0].Transport = true, tt.transport
		g := newEdge(t, Options{}, table)
		if got := get(t, client(t), mustListen(t, g, ListenSpec{Kind: HTTP}), "web.local.localhost", "/"); got.Status != 200 || got.Body != tt.want {
			t.Errorf("%s: got %d %q", tt.transport, got.Status, got.Body)
		}
	}
}

func TestRawTCPGoesToTheReplica(t *testing.T) {
	echo := rawBackend(t, "db--a-1", func(c net.Conn) { io.Copy(c, c) })
	second := rawBackend(t, "db--a-1", func(c net.Conn) { io.WriteString(c, "second") })
	app := App{Name: "db", External: true, Enabled: true, Transport: TransportTCP, TargetPort: echo.Port, ExposedPort: 15432,
		AdditionalPorts: []PortMapping{{TargetPort: second.Port, ExposedPort: 9000}},
		Revisions:       []Revision{{Name: "db--a", Endpoints: []Endpoint{echo}}}, Split: []Weight{{"db--a", 100}}}
	g := newEdge(t, Options{}, Table{Generation: 1, Domain: testDomain, Apps: []App{app}})
	main := mustListen(t, g, ListenSpec{Kind: TCP, App: "db", Port: 15432})
	inside := mustListen(t, g, ListenSpec{Kind: TCP, App: "db", Port: 9000, Inside: true})
	outside := mustListen(t, g, ListenSpec{Kind: TCP, App: "db", Port: 9000})
	t.Run("half close passes", func(t *testing.T) {
		c := mustDial(t, main)
		io.WriteString(c, "hello")
		c.(*net.TCPConn).CloseWrite()
		if got, err := io.ReadAll(c); err != nil || string(got) != "hello" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("additional port inside", func(t *testing.T) {
		if got, err := io.ReadAll(mustDial(t, inside)); err != nil || string(got) != "second" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("internal port from outside", func(t *testing.T) {
		if got, err := io.ReadAll(mustDial(t, outside)); len(got) != 0 {
			t.Errorf("got %q, %v", got, err)
		}
	})
	waitFor(t, "the connections to be counted out", func() bool { return g.Stats()[0].Finished == 2 && g.Stats()[0].InFlight == 0 })
	t.Run("refused", func(t *testing.T) {
		app.Revisions = []Revision{{Name: "db--a", Endpoints: []Endpoint{refusing(t, "db--a-1")}}}
		mustApply(t, g, Table{Generation: 2, Domain: testDomain, Apps: []App{app}})
		if got, _ := io.ReadAll(mustDial(t, main)); len(got) != 0 {
			t.Errorf("got %q", got)
		}
		if rec := recordOf(t, g, 4); rec.Flag != "UF" {
			t.Errorf("flag %q", rec.Flag)
		}
	})
}

func TestNothingIsRefusedBeforeTheFirstTable(t *testing.T) {
	g := newEdge(t, Options{}, Table{})
	plain := mustListen(t, g, ListenSpec{Kind: HTTP})
	raw := mustDial(t, mustListen(t, g, ListenSpec{Kind: TCP, App: "db", Port: 15432}))
	got := make(chan reply, 1)
	go func() { got <- get(t, client(t), plain, "web.local.localhost", "/") }()
	table := oneApp(answers(t, "web--a-1"))
	table.Apps = append([]App{{Name: "db", External: true, Enabled: true, Transport: TransportTCP, TargetPort: 5432, ExposedPort: 15432,
		Revisions: []Revision{{Name: "db--a", Endpoints: []Endpoint{rawBackend(t, "db--a-1", func(c net.Conn) { io.WriteString(c, "db") })}}},
		Split:     []Weight{{"db--a", 100}}}}, table.Apps...)
	mustApply(t, g, table)
	if r := <-got; r.Body != "web--a-1" {
		t.Errorf("got %d %q", r.Status, r.Body)
	}
	if b, err := io.ReadAll(raw); err != nil || string(b) != "db" {
		t.Errorf("raw connection: %q, %v", b, err)
	}
}

func TestTLSAdmitsByServerNameAndRoutesByHost(t *testing.T) {
	cert := selfSigned(t)
	table := oneApp(answers(t, "web--a-1"))
	table.Apps = append([]App{{Name: "back", External: true, Enabled: true,
		Revisions: []Revision{{Name: "back--a", Endpoints: []Endpoint{answers(t, "back--a-1")}}}, Split: []Weight{{"back--a", 100}}}}, table.Apps...)
	table.Apps[1].CustomDomains = []CustomDomain{{Name: "www.example.test"}, {Name: "bare.example.test", Disabled: true}, {Name: "bare.local.localhost", Disabled: true}}
	g := newEdge(t, Options{Certificates: func(string) (*tls.Certificate, error) { return &cert, nil }}, table)
	addr := mustListen(t, g, ListenSpec{Kind: HTTPS})
	tests := []struct {
		name, sni, host string
		want            string // "" for a refused handshake
	}{
		{"same", "web.local.localhost", "web.local.localhost", "web--a-1"},
		{"host decides", "web.local.localhost", "back.local.localhost", "back--a-1"},
		{"unknown name inside", "nobody.local.localhost", "web.local.localhost", "web--a-1"},
		{"scm", "web.scm.local.localhost", "web.local.localhost", "web--a-1"},
		{"custom domain", "www.example.test", "web.local.localhost", "web--a-1"},
		{"custom domain without a certificate", "bare.example.test", "web.local.localhost", ""},
		{"its host over another name", "web.local.localhost", "bare.example.test", "web--a-1"},
		{"disabled, but under the environment's certificate", "bare.local.localhost", "bare.local.localhost", "web--a-1"},
		{"no name", "", "web.local.localhost", ""},
		{"foreign", "example.test", "web.local.localhost", ""},
		{"too deep", "a.b.local.localhost", "web.local.localhost", ""},
	}
	for _, tt := range tests {
		for _, proto := range []string{"http/1.1", "h2"} {
			t.Run(tt.name+" "+proto, func(t *testing.T) {
				conf := &tls.Config{ServerName: tt.sni, InsecureSkipVerify: true, NextProtos: []string{proto}}
				tr := &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: proto == "h2"}
				if tt.sni == "" {
					tr.DialTLSContext = func(ctx context.Context, network, a string) (net.Conn, error) {
						c := tls.Client(mustDial(t, addr), conf)
						return c, c.HandshakeContext(ctx)
					}
				}
				defer tr.CloseIdleConnections()
				req, _ := http.NewRequest("GET", "https://"+addr+"/", nil)
				req.Host = tt.host
				res, err := tr.RoundTrip(req)
				if tt.want == "" {
					if err == nil {
						t.Fatal("the handshake was let through")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				body, err := io.ReadAll(res.Body)
				if err != nil || string(body) != tt.want {
					t.Errorf("got %q, %v", body, err)
				}
			})
		}
	}
}

func TestClientAddressIsThePeer(t *testing.T) {
	for _, tt := range []struct {
		in   net.Addr
		want clientAddr
	}{
		{&net.TCPAddr{IP: net.IPv4(1, 2, 3, 4), Port: 5}, clientAddr{netip.MustParseAddrPort("1.2.3.4:5"), "1.2.3.4"}},
		{&net.TCPAddr{IP: net.ParseIP("::1"), Port: 5}, clientAddr{netip.MustParseAddrPort("[::1]:5"), "::1"}},
		{&net.UnixAddr{Name: "x"}, clientAddr{}},
	} {
		if got := parseClient(tt.in); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.in, got, tt.want)
		}
	}
}
