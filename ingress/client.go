package ingress

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net"
	"net/netip"
)

// clientAddr is the peer of a client connection, in the forms requests need.
type clientAddr struct {
	addr netip.AddrPort
	ip   string
}

// parseClient reads the remote address of a connection. Connections that have
// none, such as pipes, give the zero value.
func parseClient(a net.Addr) clientAddr {
	if t, ok := a.(*net.TCPAddr); ok {
		ap := t.AddrPort()
		ap = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
		return clientAddr{addr: ap, ip: ap.Addr().WithZone("").String()}
	}
	if ap, err := netip.ParseAddrPort(a.String()); err == nil {
		return clientAddr{addr: ap, ip: ap.Addr().Unmap().String()}
	}
	return clientAddr{}
}

// discardLog takes the server's complaints about clients, which records tell
// better.
var discardLog = log.New(io.Discard, "", 0)

// lenientListener hands out connections that may begin with empty lines: RFC
// 9112, section 2.2 asks servers to ignore one before a request line, and
// net/http does not.
type lenientListener struct{ net.Listener }

func (l lenientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lenientConn{Conn: c}, nil
}

// lenientConn skips CR and LF at its beginning.
type lenientConn struct {
	net.Conn
	begun bool // only the one goroutine that reads first looks at it
}

// maxEmpty is how many bytes of empty lines are skipped; more is no request.
const maxEmpty = 16

func (c *lenientConn) Read(p []byte) (int, error) {
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

// CloseWrite passes the end of one direction on, which tunnels need.
func (c *lenientConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}
