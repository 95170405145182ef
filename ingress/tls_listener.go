package ingress

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// tlsListener makes the handshakes that net/http would make. net/http wants a
// *tls.Conn for HTTP/2; HTTP/1.1 it also speaks over a type of ours, which
// corrects its habits as on a plain port, see clientConn.
type tlsListener struct {
	net.Listener
	g      *Ingress
	config *tls.Config

	out    chan accepted
	ctx    context.Context // ends handshakes when the listener is closed
	cancel context.CancelFunc

	handshakes sync.WaitGroup
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

// handshakeTimeout is how long a client may take for the handshake.
const handshakeTimeout = headTimeout

func newTLSListener(g *Ingress, ln net.Listener, config *tls.Config) *tlsListener {
	t := &tlsListener{Listener: ln, g: g, config: config, out: make(chan accepted)}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// run accepts until the listener is closed. Slow handshakes delay nobody else.
func (t *tlsListener) run() {
	defer t.handshakes.Wait()
	for {
		c, err := t.Listener.Accept()
		if err == nil {
			t.handshakes.Go(func() { t.handshake(c) })
			continue
		}
		t.hand(accepted{err: err}) // whoever takes it decides whether to go on
		if t.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// hand gives a to Accept, and reports whether it was taken.
func (t *tlsListener) hand(a accepted) bool {
	select {
	case t.out <- a:
		return true
	case <-t.ctx.Done():
		return false
	}
}

// Accept implements net.Listener: it returns connections whose handshake is
// done.
func (t *tlsListener) Accept() (net.Conn, error) {
	select {
	case a := <-t.out:
		return a.conn, a.err
	case <-t.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It ends handshakes, but no connection that was
// handed out.
func (t *tlsListener) Close() error {
	t.cancel()
	return t.Listener.Close()
}

func (t *tlsListener) handshake(raw net.Conn) {
	c := tls.Server(raw, t.config)
	ctx, cancel := context.WithTimeout(t.ctx, handshakeTimeout)
	defer cancel()
	if err := c.HandshakeContext(ctx); err != nil {
		refuse(raw, err)
		return
	}
	var out net.Conn = c
	if state := c.ConnectionState(); state.NegotiatedProtocol != "h2" {
		out = &tlsClientConn{clientConn: newClientConn(t.g, c), tls: c}
	}
	if !t.hand(accepted{conn: out}) {
		_ = raw.Close() // nobody is there to serve it
	}
}

// refuse closes a connection without a handshake. A client that speaks HTTP is
// told that this is the wrong port, in the words of net/http.
func refuse(raw net.Conn, err error) {
	var plain tls.RecordHeaderError
	if errors.As(err, &plain) && plain.Conn != nil && isLetters(plain.RecordHeader[:3]) {
		_ = raw.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(raw, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
	}
	_ = raw.Close()
}

func isLetters(b []byte) bool {
	for _, c := range b {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// tlsClientConn is a clientConn over TLS. net/http finds the state of TLS by
// ConnectionState.
type tlsClientConn struct {
	*clientConn
	tls *tls.Conn
}

// ConnectionState returns the state of TLS, which is complete.
func (c *tlsClientConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }
