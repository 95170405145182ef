package ingress

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// rawExchange sends text to addr, over TLS if secure, and returns all that
// comes back until the connection ends.
func rawExchange(t *testing.T, addr string, secure bool, text string) string {
	t.Helper()
	var c net.Conn = mustDial(t, addr)
	if secure {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true, ServerName: "web.local.localhost"})
	}
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("%v after %q", err, b)
	}
	return string(b)
}

// Envoy writes header names in lower case, to clients of HTTP/1.1 as well as to
// apps, with TLS and without.
func TestHeaderNamesAreInLowerCase(t *testing.T) {
	heads := make(chan string, 16) // as the app gets them
	app := rawBackend(t, "web--a-1", func(c net.Conn) {
		r, seen := bufio.NewReader(c), ""
		for {
			line, err := r.ReadString('\n')
			if err != nil || line == "\r\n" {
				break
			}
			seen += line
		}
		heads <- seen
		status := "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-App-Header: Value\r\nSet-Cookie: A=B\r\n\r\nBody: "
		switch {
		case strings.Contains(seen, "/hints"):
			status = "HTTP/1.1 103 Early Hints\r\nLink: </A.css>\r\n\r\n" + status
		case strings.Contains(seen, "upgrade: websocket"):
			status = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: X\r\n\r\n"
		case strings.Contains(seen, "/chunked"):
			status = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nBody: \r\n0\r\nX-Trailer: T\r\n\r\n"
		}
		io.WriteString(c, status)
	})
	cert := selfSigned(t)
	table := oneApp(app)
	table.Apps[0].Sticky = true
	g := newEdge(t, Options{Certificates: func(string) (*tls.Certificate, error) { return &cert, nil }}, table)
	const host = "Host: web.local.localhost\r\n"
	tests := []struct{ name, send string }{
		{"of the app", "GET / HTTP/1.1\r\n" + host + "X-Client: V\r\nConnection: close\r\n\r\n"},
		{"second on the connection", "GET / HTTP/1.1\r\n" + host + "\r\nGET / HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n"},
		{"interim", "GET /hints HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n"},
		{"chunked", "GET /chunked HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n"},
		{"websocket", "GET / HTTP/1.1\r\n" + host + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
		{"of the edge", "GET / HTTP/1.1\r\nHost: nobody.local.localhost\r\nConnection: close\r\n\r\n"},
		{"malformed", "GET / HTTP/1.1\r\n" + host + "no colon\r\n\r\n"},
		{"malformed, after another", "GET / HTTP/1.1\r\n" + host + "\r\nGET / HTTP/1.1\r\nno colon\r\n\r\n"},
	}
	for _, kind := range []Kind{HTTP, HTTPS, AppPort} {
		addr := mustListen(t, g, ListenSpec{Kind: kind, App: map[Kind]string{AppPort: "web"}[kind]})
		for _, tt := range tests {
			t.Run(string(kind)+" "+tt.name, func(t *testing.T) {
				got := rawExchange(t, addr, kind == HTTPS, tt.send)
				if names := namesWithCapitals(got); len(names) > 0 {
					t.Errorf("names %q in\n%s", names, got)
				}
				for len(heads) > 0 {
					seen := <-heads
					if names := namesWithCapitals(seen); len(names) > 0 {
						t.Errorf("the app got %q in\n%s", names, seen)
					}
				}
			})
		}
	}
}

// namesWithCapitals returns the header names of a message, or of several, that
// are not in lower case.
func namesWithCapitals(text string) (names []string) {
	for line := range strings.SplitSeq(text, "\r\n") {
		name, _, ok := strings.Cut(line, ":")
		if ok && name != "Body" && !strings.Contains(name, " ") && name != strings.ToLower(name) {
			names = append(names, name)
		}
	}
	return names
}

func TestBodiesKeepTheirCaseOverTLS(t *testing.T) {
	body := "Name: Value\r\n\r\n" + strings.Repeat("HTTP/1.1 200 OK\r\nName: Value\r\n\r\n", 1000)
	cert := selfSigned(t)
	g := newEdge(t, Options{Certificates: func(string) (*tls.Certificate, error) { return &cert, nil }},
		oneApp(backend(t, "web--a-1", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			io.WriteString(w, body)
		})))
	got := rawExchange(t, mustListen(t, g, ListenSpec{Kind: HTTPS}), true,
		"GET / HTTP/1.1\r\nHost: web.local.localhost\r\nConnection: close\r\n\r\n")
	if _, b, _ := strings.Cut(got, "\r\n\r\n"); b != body {
		t.Errorf("the body came as %d bytes, beginning with %q", len(b), b[:min(len(b), 40)])
	}
}

func TestHTTPOnTheTLSPortIsToldSo(t *testing.T) {
	cert := selfSigned(t)
	g := newEdge(t, Options{Certificates: func(string) (*tls.Certificate, error) { return &cert, nil }}, oneApp())
	addr := mustListen(t, g, ListenSpec{Kind: HTTPS})
	got := rawExchange(t, addr, false, "GET / HTTP/1.1\r\n\r\n")
	if want := "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestShutdownEndsHandshakes(t *testing.T) {
	cert := selfSigned(t)
	g := newEdge(t, Options{Certificates: func(string) (*tls.Certificate, error) { return &cert, nil }}, oneApp())
	c := mustDial(t, mustListen(t, g, ListenSpec{Kind: HTTPS}))
	if err := g.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); err == nil || n > 0 {
		t.Errorf("read %d bytes, %v", n, err)
	} else if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Error("the connection is still open")
	}
}
