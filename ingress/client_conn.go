package ingress

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// clientListener hands out clientConns.
type clientListener struct {
	net.Listener
	g       *Ingress
	parking *parking
}

func (l clientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	out := newClientConn(l.g, c)
	out.after = l.g.parkAfter
	if canPark(c) {
		out.parking = l.parking
	}
	return out, nil
}

// clientConn corrects four habits of net/http on an HTTP/1.1 connection. It
// ignores empty lines before the first request line, as RFC 9112, section 2.2
// asks; it writes the names of response headers in lower case, as Envoy does, so
// that "curl -v" looks like it does against Azure; it refuses what cannot be read
// in Envoy's words, see refusal; and, without TLS, it waits for later requests
// without the memory of net/http, see parking.
//
// Of its fields only atomic ones are used by more than one goroutine at a time.
type clientConn struct {
	net.Conn
	shared conn
	begun  bool
	head   headFolder

	hideReason bool

	parking *parking      // nil: never parked
	after   time.Duration // how long to wait before that
	tail    [3]byte       // the last bytes that were read
	until   time.Time     // when waiting for a request ends
	waits   atomic.Bool   // for a request, and for no longer than after
	leaves  atomic.Bool   // Close parks
}

func newClientConn(g *Ingress, c net.Conn) *clientConn {
	out := &clientConn{Conn: c, hideReason: g.opts.HideReason}
	out.shared = conn{id: g.connections.Add(1), client: parseClient(c.RemoteAddr()), http1: out}
	return out
}

// maxEmpty is how many bytes of empty lines are skipped; more is no request.
const maxEmpty = 16

func (c *clientConn) Read(p []byte) (int, error) {
	n, err := c.read(p)
	c.remember(p[:n])
	if n == 0 && c.waits.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		c.waits.Store(false)
		c.leaves.Store(true)
		return 0, io.EOF
	}
	return n, err
}

func (c *clientConn) read(p []byte) (int, error) {
	if c.begun {
		return c.Conn.Read(p)
	}
	for skipped := 0; ; {
		n, err := c.Conn.Read(p)
		rest := bytes.TrimLeft(p[:n], "\r\n")
		skipped += n - len(rest)
		if len(rest) > 0 || err != nil || skipped > maxEmpty {
			c.begun = true
			return copy(p, rest), err
		}
	}
}

// remember keeps the last bytes of what was read.
func (c *clientConn) remember(p []byte) {
	if n := len(p); n >= len(c.tail) {
		copy(c.tail[:], p[n-len(c.tail):])
	} else if n > 0 {
		copy(c.tail[:], c.tail[n:])
		copy(c.tail[len(c.tail)-n:], p)
	}
}

// blankLine is how a request without a body ends.
var blankLine = [3]byte{'\n', '\r', '\n'}

// SetReadDeadline shortens the wait for the next request, which is the only one
// as long as clientIdle. net/http may have read up to three bytes of that
// request, which would be lost by parking: unless they are the end of what came
// last, and that is an empty line.
func (c *clientConn) SetReadDeadline(t time.Time) error {
	waits := !t.IsZero() && time.Until(t) > clientIdle/2
	if waits {
		c.head = headFolder{} // the answer before is complete
	}
	park := waits && c.parking != nil && c.tail == blankLine
	if park {
		c.until = t
		t = t.Add(c.after - clientIdle)
	}
	c.waits.Store(park)
	return c.Conn.SetReadDeadline(t)
}

// Close parks a connection that has waited for long enough.
func (c *clientConn) Close() error {
	if c.leaves.CompareAndSwap(true, false) {
		return c.parking.park(c)
	}
	return c.Conn.Close()
}

// renew makes a parked connection like a new one. A deadline of the past would
// be seen by whoever reads next.
func (c *clientConn) renew() {
	c.begun, c.tail = false, [3]byte{}
	_ = c.Conn.SetReadDeadline(time.Time{}) // a closed one says so to its reader
}

// Write folds names in place. What net/http writes up to the end of a head is
// its own buffer, which nobody reads again.
func (c *clientConn) Write(p []byte) (int, error) {
	if c.head.part == unknown {
		if a := refusal(p); a != nil {
			c.head.part = inBody
			_, err := c.Conn.Write(a.text(time.Now(), c.hideReason))
			return len(p), err
		}
	}
	c.head.fold(p)
	return c.Conn.Write(p)
}

// CloseWrite passes the end of one direction on, which tunnels need.
func (c *clientConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// headFolder turns header names into lower case in a stream that begins with
// the head of an answer, through interim answers, up to the end of the final
// one. Its zero value looks for itself whether such a head begins: net/http
// answers what it cannot read without asking anybody, and what is no answer is
// HTTP/2.
type headFolder struct {
	part    headPart
	line    int  // bytes of the current line so far
	interim bool // the status line says 1xx, but not 101
}

type headPart byte

const (
	unknown headPart = iota
	inBody
	inStatus
	inName
	inValue
)

// start says that the next byte begins a head.
func (f *headFolder) start() { *f = headFolder{part: inStatus} }

func (f *headFolder) fold(p []byte) {
	if f.part == unknown && len(p) > 0 {
		f.part = inBody
		if bytes.HasPrefix(p, []byte("HTTP/1.")) {
			f.part = inStatus
		}
	}
	for i := 0; i < len(p) && f.part != inBody; i++ {
		switch c := p[i]; {
		case c == '\n':
			f.endLine()
			continue
		case f.part == inStatus && f.line == len("HTTP/1.1 "):
			f.interim = c == '1'
		case f.part == inStatus && f.line == len("HTTP/1.1 10") && c == '1':
			f.interim = false // 101: what follows is no head
		case f.part == inName && c == ':':
			f.part = inValue
		case f.part == inName && 'A' <= c && c <= 'Z':
			p[i] = c + 'a' - 'A'
		}
		f.line++
	}
}

// endLine goes on to the next line, or past the head after an empty one.
func (f *headFolder) endLine() {
	switch {
	case f.line > 1 || f.part == inStatus: // more than the CR
		f.part = inName
	case f.interim:
		f.part = inStatus
	default:
		f.part = inBody
	}
	f.line = 0
}
