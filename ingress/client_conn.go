package ingress

import (
	"bytes"
	"errors"
	"net"
)

// clientListener hands out clientConns.
type clientListener struct{ net.Listener }

func (l clientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &clientConn{Conn: c}, nil
}

// clientConn corrects two habits of net/http on a plain HTTP/1.1 connection. It
// ignores empty lines before the first request line, as RFC 9112, section 2.2
// asks; and it writes the names of response headers in lower case, as Envoy
// does, so that "curl -v" looks like it does against Azure.
type clientConn struct {
	net.Conn
	begun bool // only the one goroutine that reads first looks at it
	head  headFolder
}

// maxEmpty is how many bytes of empty lines are skipped; more is no request.
const maxEmpty = 16

func (c *clientConn) Read(p []byte) (int, error) {
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

// Write folds names in place. What net/http writes up to the end of a head is
// its own buffer, which nobody reads again.
func (c *clientConn) Write(p []byte) (int, error) {
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
// one. Its zero value changes nothing.
type headFolder struct {
	part    headPart
	line    int  // bytes of the current line so far
	interim bool // the status line says 1xx, but not 101
}

type headPart byte

const (
	inBody headPart = iota
	inStatus
	inName
	inValue
)

// start says that the next byte begins a head.
func (f *headFolder) start() { *f = headFolder{part: inStatus} }

func (f *headFolder) fold(p []byte) {
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
