package ingress

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// h1Upstream speaks HTTP/1.1 to an endpoint. A request is written and its
// answer read by the goroutine that handles it; only a body of more than
// smallBody bytes, or of unknown length, gets a goroutine of its own.
type h1Upstream struct {
	k    upstreamKind
	pool h1Pool
}

// smallBody is the largest body that is read whole before the request is sent,
// so that head and body leave in one write.
const smallBody = 16 << 10

func (u *h1Upstream) kind() upstreamKind { return u.k }
func (u *h1Upstream) close()             { u.pool.close() }

// roundTrip uses an idle connection if there is one. When that breaks before
// the first byte of an answer, the app has most likely closed it at that very
// moment; a fresh one is tried, which does not count as a retry.
func (u *h1Upstream) roundTrip(x *exchange) (*response, error) {
	c := u.pool.take()
	for {
		if c == nil {
			began := time.Now()
			var err error
			if c, err = u.pool.connect(x.ctx); err != nil {
				return nil, err
			}
			x.rec.Connect = time.Since(began)
		}
		res, err := u.talk(x, c)
		if err == nil {
			return res, nil
		}
		// What is left of the connection is of no use to anybody.
		_ = c.Close()
		again := c.used > 1 && len(c.head) == 0 && x.ctx.Err() == nil && x.replayable()
		if !again {
			return nil, err
		}
		c = nil
	}
}

// h1Talk is one exchange on one connection.
type h1Talk struct {
	u      *h1Upstream
	c      *h1Conn
	x      *exchange
	stop   func() bool // ends the watch over the exchange
	sender *h1Sender   // nil when the request is written already
	body   io.Reader
}

// talk sends the request and reads the head of the final answer.
func (u *h1Upstream) talk(x *exchange, c *h1Conn) (*response, error) {
	c.used++
	c.head = c.head[:0]
	t := &h1Talk{u: u, c: c, x: x}
	t.stop = context.AfterFunc(x.ctx, func() {
		// Whoever reads or writes returns at once; a connection that cannot do
		// that is closed instead.
		if c.SetDeadline(time.Unix(1, 0)) != nil {
			_ = c.Close()
		}
	})
	res, err := t.begin()
	if err != nil {
		t.stop()
		return nil, err
	}
	return res, nil
}

func (t *h1Talk) begin() (*response, error) {
	if err := t.sendRequest(); err != nil {
		return nil, err
	}
	for {
		if err := t.c.readHead(); err != nil {
			return nil, t.sendError(err)
		}
		status := t.c.parsed.status
		switch {
		case status == http.StatusSwitchingProtocols && isWebSocket(t.x.r):
			return t.tunnel(), nil
		case status == http.StatusSwitchingProtocols:
			return nil, &protocolError{"the app switched protocols without being asked"}
		case status < 200:
			t.interim(status)
			continue
		}
		return t.response(), nil
	}
}

// interim handles an answer that is not the final one.
func (t *h1Talk) interim(status int) {
	if status == http.StatusContinue && t.sender != nil {
		t.sender.proceed()
	}
	h := http.Header{}
	for _, f := range t.c.parsed.fields {
		h[f.name] = append(h[f.name], f.value)
	}
	t.x.inform(status, h)
}

func (t *h1Talk) response() *response {
	c := t.c
	body, length := c.body(t.x.r.Method)
	t.body = body
	if c.parsed.bodyless(t.x.r.Method) {
		length = c.parsed.length // as announced; nothing follows
	}
	return &response{
		status: c.parsed.status, fields: c.parsed.fields, length: length, body: body,
		ready: t.ready, trailer: t.trailer, finish: t.finish,
	}
}

// ready reports whether more of the body is there already. The bytes behind a
// chunk say nothing about the next one.
func (t *h1Talk) ready() bool {
	if b, ok := t.body.(*chunkedBody); ok {
		return b.ready()
	}
	return t.c.r.Buffered() > 0
}

func (t *h1Talk) trailer() http.Header {
	if b, ok := t.body.(*chunkedBody); ok {
		return b.trailer
	}
	return nil
}

// finish gives the connection back if the next exchange can trust it.
func (t *h1Talk) finish(complete bool) {
	live := t.stop()
	c := t.c
	if live && complete && !c.parsed.close && t.sent() && c.r.Buffered() == 0 {
		c.keepAlive()
		t.u.pool.put(c)
		return
	}
	// Bytes after the answer, or an answer before the end of the request.
	_ = c.Close()
}

// sent reports whether the whole request is out.
func (t *h1Talk) sent() bool { return t.sender == nil || t.sender.finished() }

// sendError prefers the reason why the request could not be sent.
func (t *h1Talk) sendError(err error) error {
	if t.sender != nil {
		if clientErr := t.sender.clientError(); clientErr != nil {
			return clientErr
		}
	}
	return err
}

// tunnel hands the connection over after an upgrade.
func (t *h1Talk) tunnel() *response {
	return &response{
		status: t.c.parsed.status, fields: t.c.parsed.fields,
		tunnel: &h1Tunnel{t.c},
		finish: func(bool) {
			t.stop()
			_ = t.c.Close()
		},
	}
}

// h1Tunnel reads what the connection has buffered first.
type h1Tunnel struct{ *h1Conn }

func (t *h1Tunnel) Read(p []byte) (int, error) { return t.r.Read(p) }

func (t *h1Tunnel) CloseWrite() error {
	if c, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

// sendRequest writes the head and, when it is small, the body with it.
func (t *h1Talk) sendRequest() error {
	x := t.x
	buf := getBuffer()
	defer putBuffer(buf)
	out := t.appendHead((*buf)[:0])
	expects := x.r.Header.Get("Expect") != ""
	if x.body != nil && !expects && x.r.ContentLength >= 0 && x.r.ContentLength <= smallBody {
		var err error
		if out, err = x.appendBody(out); err != nil {
			return err
		}
		_, err = t.c.Write(out)
		return err
	}
	if _, err := t.c.Write(out); err != nil {
		return err
	}
	if x.body != nil {
		t.sender = newH1Sender(t, expects)
		x.senders.Go(t.sender.run)
	}
	return nil
}

// appendHead appends the head of the request. Names are in lower case, as
// Envoy writes them.
func (t *h1Talk) appendHead(b []byte) []byte {
	x := t.x
	b = append(b, x.r.Method...)
	b = append(b, ' ')
	b = append(b, x.path...)
	b = append(b, " HTTP/1.1\r\nhost: "...)
	b = append(b, x.r.Host...)
	b = append(b, "\r\n"...)
	named := x.r.Header["Connection"]
	for name, values := range x.r.Header {
		if name == "" || name == "Content-Length" || dropsRequest(name) || len(named) > 0 && namedByConnection(named, name) {
			continue
		}
		for _, v := range values {
			b = appendField(b, name, v)
		}
	}
	for _, f := range x.forward.fields(x.fields[:0], x.r.Header) {
		b = appendField(b, f.name, f.value)
	}
	return append(t.appendFraming(b), "\r\n"...)
}

func (t *h1Talk) appendFraming(b []byte) []byte {
	x := t.x
	switch {
	case x.body == nil:
		if m := x.r.Method; m != http.MethodGet && m != http.MethodHead && len(x.r.Header["Content-Length"]) > 0 ||
			m == http.MethodPost || m == http.MethodPut || m == http.MethodPatch {
			b = append(b, "content-length: 0\r\n"...)
		}
	case x.r.ContentLength >= 0:
		b = append(b, "content-length: "...)
		b = strconv.AppendInt(b, x.r.ContentLength, 10)
		b = append(b, "\r\n"...)
	default:
		b = append(b, "transfer-encoding: chunked\r\n"...)
		for name := range x.r.Trailer {
			if !notInTrailers[name] && !dropsRequest(name) {
				b = appendField(b, "trailer", name)
			}
		}
	}
	return b
}

// appendField appends a header line with its name in lower case.
func appendField(b []byte, name, value string) []byte {
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}
