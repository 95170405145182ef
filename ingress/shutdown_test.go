package ingress

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// slowApp is an app whose answer to "/late" begins, and to "/stream" goes on,
// when finish is closed.
func slowApp(t *testing.T) (ep Endpoint, reached chan string, finish chan struct{}) {
	reached, finish = make(chan string, 4), make(chan struct{})
	ep = backend(t, "web--a-1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			io.WriteString(w, "begun ")
			http.NewResponseController(w).Flush()
		}
		reached <- r.URL.Path
		<-finish
		io.WriteString(w, "done")
	})
	return ep, reached, finish
}

// shutDown begins to shut the ingress down and returns once it has stopped
// listening; the channel yields the result.
func shutDown(t *testing.T, g *Ingress, addr string) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		ended <- g.Shutdown(ctx)
	}()
	waitFor(t, "the listener to close", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	return ended
}

func TestShutdownLetsAnswersEndAndSaysConnectionClose(t *testing.T) {
	for _, path := range []string{"/late", "/stream"} {
		t.Run(path[1:], func(t *testing.T) {
			ep, reached, finish := slowApp(t)
			g := newEdge(t, Options{}, oneApp(ep))
			addr := mustListen(t, g, ListenSpec{Kind: HTTP})
			c := mustDial(t, addr)
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: web.local.localhost\r\n\r\n", path)
			<-reached
			ended := shutDown(t, g, addr)
			close(finish)
			got, err := io.ReadAll(c) // to the end of the connection
			if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 200 OK\r\n") || !strings.Contains(string(got), "done") {
				t.Errorf("got %q, %v", got, err)
			}
			if said := strings.Contains(string(got), "\r\nconnection: close\r\n"); path == "/late" && !said {
				t.Errorf("the answer does not say connection: close:\n%s", got)
			}
			if err := <-ended; err != nil {
				t.Errorf("shut down: %v", err)
			}
		})
	}
}

// h2Frame is one frame of HTTP/2 (RFC 9113, section 4.1).
type h2Frame struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

const (
	h2Data     = 0x0
	h2Headers  = 0x1
	h2Settings = 0x4
	h2GoAway   = 0x7
	h2EndBoth  = 0x5 // END_STREAM and END_HEADERS
	h2Ack      = 0x1
)

func writeH2(w io.Writer, f h2Frame) {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(f.payload))<<8|uint32(f.kind))
	b = append(b, f.flags)
	b = binary.BigEndian.AppendUint32(b, f.stream)
	w.Write(append(b, f.payload...))
}

func readH2(r io.Reader) (h2Frame, error) {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return h2Frame{}, err
	}
	f := h2Frame{kind: head[3], flags: head[4], stream: binary.BigEndian.Uint32(head[5:])}
	f.payload = make([]byte, binary.BigEndian.Uint32(head[:])>>8)
	_, err := io.ReadFull(r, f.payload)
	return f, err
}

func TestShutdownSaysGoAwayAndLetsStreamsEnd(t *testing.T) {
	for _, kind := range []Kind{HTTP, HTTPS} {
		t.Run(string(kind), func(t *testing.T) {
			ep, reached, finish := slowApp(t)
			cert := selfSigned(t)
			g := newEdge(t, Options{Certificates: func(string) (*tls.Certificate, error) { return &cert, nil }}, oneApp(ep))
			addr := mustListen(t, g, ListenSpec{Kind: kind})
			c := mustSpeakH2(t, addr, kind)
			writeH2(c, h2Get(1, "/stream"))
			<-reached
			ended := shutDown(t, g, addr)
			goAway, body := followH2(t, c, func() { close(finish) })
			if !goAway || body != "begun done" {
				t.Errorf("GOAWAY came: %v; the stream brought %q", goAway, body)
			}
			if err := <-ended; err != nil {
				t.Errorf("shut down: %v", err)
			}
		})
	}
}

// mustSpeakH2 connects, and begins to speak HTTP/2 without being asked.
func mustSpeakH2(t *testing.T, addr string, kind Kind) net.Conn {
	t.Helper()
	var c net.Conn = mustDial(t, addr)
	if kind == HTTPS {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true, ServerName: h2Host, NextProtos: []string{"h2"}})
	}
	io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	writeH2(c, h2Frame{kind: h2Settings})
	return c
}

const h2Host = "web.local.localhost"

// h2Get is a request as RFC 7541 codes GET, http, the path and the host.
func h2Get(stream uint32, path string) h2Frame {
	block := append([]byte{0x82, 0x86, 0x44, byte(len(path))}, path...)
	block = append(append(block, 0x41, byte(len(h2Host))), h2Host...)
	return h2Frame{kind: h2Headers, flags: h2EndBoth, stream: stream, payload: block}
}

// followH2 reads to the end of the connection, calls told at the first GOAWAY,
// and returns whether one came and what the streams brought.
func followH2(t *testing.T, c net.Conn, told func()) (goAway bool, body string) {
	t.Helper()
	r := bufio.NewReader(c)
	for {
		f, err := readH2(r)
		if err != nil {
			return goAway, body // the connection has ended
		}
		switch {
		case f.kind == h2Settings && f.flags&h2Ack == 0:
			writeH2(c, h2Frame{kind: h2Settings, flags: h2Ack})
		case f.kind == h2GoAway && !goAway:
			goAway = true
			if code := binary.BigEndian.Uint32(f.payload[4:]); code != 0 {
				t.Errorf("GOAWAY with error %d", code)
			}
			told()
		case f.kind == h2Data:
			body += string(f.payload)
		}
	}
}

func TestDrainingListenerTellsClientsToGo(t *testing.T) {
	ep := backend(t, "web--a-1", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "done") })
	g := newEdge(t, Options{}, oneApp(ep))
	drain := make(chan struct{})
	addr := mustListen(t, g, ListenSpec{Kind: HTTP, Drain: drain})
	kept := mustDial(t, addr)
	reader := bufio.NewReader(kept)
	ask := func(c net.Conn, host string) (closes bool) {
		t.Helper()
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host)
		if c != kept {
			reader = bufio.NewReader(c)
		}
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Error(err)
		}
		return resp.Close
	}
	if ask(kept, h2Host) {
		t.Error("clients are told to go without a reason")
	}
	close(drain)
	if !ask(kept, h2Host) { // which was idle, and is not closed for it
		t.Error("a client on a kept connection is not told to go")
	}
	for _, host := range []string{h2Host, "nobody.local.localhost"} { // the second is the edge's own answer
		if !ask(mustDial(t, addr), host) {
			t.Errorf("a client of %s that comes later is not told to go", host)
		}
	}
	c := mustSpeakH2(t, addr, HTTP)
	writeH2(c, h2Get(1, "/"))
	if goAway, body := followH2(t, c, func() {}); !goAway || body != "done" {
		t.Errorf("GOAWAY came: %v; the stream brought %q", goAway, body)
	}
}
