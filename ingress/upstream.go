package ingress

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"time"
)

// upstreamIdle is how long an unused connection to a replica is kept. It has
// to be shorter than what apps allow (Node: 5 seconds), or a request meets a
// connection that is being closed.
const upstreamIdle = 4 * time.Second

// upstreamKind is how a replica is spoken to.
type upstreamKind struct{ http2, tls bool }

// upstream sends requests to one endpoint and keeps its connections.
type upstream interface {
	http.RoundTripper
	CloseIdleConnections()
	kind() upstreamKind
}

func (g *Ingress) newUpstream(kind upstreamKind, spec Endpoint) upstream {
	return newTransport(kind, func(ctx context.Context) (net.Conn, error) { return g.dial(ctx, spec) })
}

// dial opens a connection to a replica within the connect timeout. Errors are
// dialErrors.
func (g *Ingress) dial(ctx context.Context, spec Endpoint) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, g.opts.Timeouts.Connect)
	defer cancel()
	c, err := g.opts.Dial(ctx, spec)
	if err != nil {
		return nil, &dialError{err}
	}
	return c, nil
}

// transport is the upstream of net/http.
type transport struct {
	*http.Transport
	k upstreamKind
}

func newTransport(kind upstreamKind, dial func(context.Context) (net.Conn, error)) *transport {
	p := new(http.Protocols)
	p.SetHTTP1(!kind.http2)
	p.SetUnencryptedHTTP2(kind.http2)
	p.SetHTTP2(kind.http2)
	return &transport{k: kind, Transport: &http.Transport{
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		Protocols:              p,
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: true}, // as Azure: the app's certificate is not verified
		DisableCompression:     true,
		MaxIdleConns:           0,
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        upstreamIdle,
		ExpectContinueTimeout:  expectTimeout,
		ReadBufferSize:         16 << 10,
		WriteBufferSize:        16 << 10,
		MaxResponseHeaderBytes: maxHeadBytes,
	}}
}

func (t *transport) kind() upstreamKind { return t.k }

const (
	// maxHeadBytes is Envoy's default limit of a message head.
	maxHeadBytes = 60 << 10
	// expectTimeout is how long an app may stay silent after a request with
	// "Expect: 100-continue" before it gets the body anyway.
	expectTimeout = time.Second
)

// isHTTP2ProtocolError reports an answer that made no sense as HTTP. net/http
// has no types for these errors; the texts are those of Go 1.26, and
// TestProtocolErrorsAreRecognised holds them.
func isHTTP2ProtocolError(err error) bool {
	s := err.Error()
	for _, text := range []string{
		"malformed HTTP", "http2: frame too large", "PROTOCOL_ERROR", "http: server gave HTTP response",
		"HTTP/1.x transport connection broken", "bad Content-Length", "unsupported transfer encoding", "too many transfer encodings",
		"server response headers exceeded", "http2: Transport: peer server initiated graceful shutdown",
	} {
		if strings.Contains(s, text) {
			return true
		}
	}
	return false
}
