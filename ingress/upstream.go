package ingress

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// upstreamIdle is how long an unused connection to a replica is kept. It has
// to be shorter than what apps allow (Node: 5 seconds), or a request meets a
// connection that is being closed.
const upstreamIdle = 4 * time.Second

const (
	// maxHeadBytes is Envoy's default limit of a message head.
	maxHeadBytes = 60 << 10
	// expectTimeout is how long an app may stay silent after a request with
	// "Expect: 100-continue" before it gets the body anyway.
	expectTimeout = time.Second
)

// upstreamKind is how a replica is spoken to.
type upstreamKind struct{ http2, tls bool }

// upstream sends requests to one endpoint and keeps its connections.
type upstream interface {
	kind() upstreamKind
	// roundTrip sends the request of x once and returns the head of the answer.
	// Its errors are what classify understands.
	roundTrip(x *exchange) (*response, error)
	// close closes connections that are idle now, or as soon as they are.
	close()
}

// response is the answer of an app, its head read and its body still to come.
type response struct {
	status  int
	fields  []field     // the header, from HTTP/1.1
	header  http.Header // the header, from HTTP/2
	length  int64       // of the body; -1 when unknown
	body    io.Reader   // nil for none
	ready   func() bool // more of the body can be read without waiting; may be nil
	trailer func() http.Header
	tunnel  io.ReadWriteCloser // after status 101
	finish  func(complete bool)
}

func (g *Ingress) newUpstream(kind upstreamKind, spec Endpoint) upstream {
	dial := func(ctx context.Context) (net.Conn, error) { return g.dial(ctx, spec) }
	if kind.http2 {
		return newH2Upstream(kind, dial)
	}
	return &h1Upstream{k: kind, pool: h1Pool{dial: dial, tls: kind.tls}}
}

// before asks Options.Before. Errors are dialErrors.
func (g *Ingress) before(ctx context.Context, spec Endpoint, r *http.Request) error {
	if g.opts.Before == nil {
		return nil
	}
	if err := g.opts.Before(ctx, spec, r); err != nil {
		return &dialError{err}
	}
	return nil
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
