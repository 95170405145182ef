package ingress

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// FuzzHeaderValues holds what the edge reads out of single header values: no
// value makes it fail, forward what concerns the connection, or believe what
// it should not.
func FuzzHeaderValues(f *testing.F) {
	for _, seed := range []string{
		"keep-alive, X-Secret", "timeout=5, max=1000", "timeout=-1", `a=b; acaAffinity="0123456789abcdef"; c`, "content-length, host",
		traceparent, "019b0000-0000-7000-8000-000000000000", "application/grpc+proto", "10.0.0.0/8", ", ,;=\"", "\t\x00\xff",
	} {
		f.Add(seed)
	}
	table := oneApp()
	table.Apps[0].Sticky = true
	g, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := g.Apply(table); err != nil {
		f.Fatal(err)
	}
	sticky := g.table.Load().apps["web"].target
	f.Fuzz(func(t *testing.T, value string) {
		h := http.Header{"Connection": {value}, "X-Secret": {"s"}, "Content-Length": {"1"}, "Host": {"h"}, "X-Forwarded-For": {value}, "Cookie": {value}}
		out := requestHeader(h, nil)
		if out["Connection"] != nil || out["X-Forwarded-For"] != nil {
			t.Errorf("Connection %q is passed on: %v", value, out)
		}
		if named := namedByConnection(h["Connection"], "X-Secret"); named != (out["X-Secret"] == nil) {
			t.Errorf("Connection %q names X-Secret for one upstream only", value)
		}
		if out["Content-Length"] == nil || out["Host"] == nil {
			t.Errorf("Connection %q removes framing or routing", value)
		}
		if id := traceID([]string{value}); id != "" && (len(id) != 32 || !strings.Contains(value, id)) {
			t.Errorf("traceparent %q has the trace %q", value, id)
		}
		if id := clientRequestID(value); len(id) != len(value) {
			t.Errorf("x-request-id %q became %q", value, id)
		}
		c := &h1Conn{keep: upstreamIdle}
		c.parsed.fields = []field{{"Keep-Alive", value}}
		if c.keepAlive(); c.keep > upstreamIdle || c.keep < 0 {
			t.Errorf("keep-alive %q keeps a connection for %v", value, c.keep)
		}
		x := &exchange{g: g, target: sticky, r: &http.Request{Header: h}}
		if cookie := x.cookie(); !strings.Contains(value, cookie) {
			t.Errorf("cookie %q has the affinity %q", value, cookie)
		}
		isGRPC(http.Header{"Content-Type": {value}})
		if p, err := parseRange(value); err == nil && !p.IsValid() {
			t.Errorf("%q is the range %v", value, p)
		}
	})
}

// FuzzFold holds that folding header names changes nothing but their case, and
// the same however the bytes are cut.
func FuzzFold(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Type: A\r\n\r\nBody: X"), 3)
	f.Add([]byte("HTTP/1.1 103 Early\r\nLink: A\r\n\r\nHTTP/1.1 200 OK\r\nA: B\r\n\r\n"), 7)
	f.Fuzz(func(t *testing.T, p []byte, cut int) {
		var whole, parts headFolder
		whole.start()
		parts.start()
		at, pieces := bytes.Clone(p), bytes.Clone(p)
		whole.fold(at)
		cut = max(1, cut%(len(p)+1))
		for rest := pieces; len(rest) > 0; rest = rest[min(cut, len(rest)):] {
			parts.fold(rest[:min(cut, len(rest))])
		}
		if !bytes.Equal(at, pieces) {
			t.Errorf("at once %q, in pieces of %d %q", at, cut, pieces)
		}
		if !bytes.EqualFold(at, p) {
			t.Errorf("%q became %q", p, at)
		}
	})
}

// FuzzRequests sends bytes as a client does, through net/http and the edge, to
// an app that answers at once: nothing fails inside, and every connection ends.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: web.local.localhost\r\n\r\n",
		"\r\n\r\nGET / HTTP/1.0\r\nHost: web.local.localhost\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: web.local.localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
		"GET / HTTP/1.1\r\nHost: web.local.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
	} {
		f.Add([]byte(seed))
	}
	ep := answers(f, "web--a-1")
	g := newEdge(f, Options{Timeouts: Timeouts{Idle: time.Second}, OnError: func(err error) { f.Error(err) }}, oneApp(ep))
	addr := mustListen(f, g, ListenSpec{Kind: HTTP})
	f.Fuzz(func(t *testing.T, p []byte) {
		c := mustDial(t, addr)
		if _, err := c.Write(p); err != nil {
			return // refused before its end
		}
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			return // cut off
		}
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the connection stays open after %q", p)
		}
	})
}
