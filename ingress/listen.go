package ingress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Kind is what a listener stands for.
type Kind string

// The kinds of listeners.
const (
	// HTTP stands for port 80 of the environment: requests are routed by Host,
	// whatever the port in it, and sent to https unless the app allows plain
	// HTTP.
	HTTP Kind = "http"
	// HTTPS stands for port 443. Options.Certificates is needed.
	HTTPS Kind = "https"
	// AppPort stands for the https address of one app with TLS already ended:
	// any Host leads to the app, unless it names one of the app's own revisions
	// or labels; there is no redirect, and the app is told https.
	AppPort Kind = "app"
	// TCP stands for a raw TCP port of an app.
	TCP Kind = "tcp"
)

// ListenSpec says what a listener stands for.
type ListenSpec struct {
	Kind Kind
	// Addr is the address to listen on, such as "127.0.0.1:0". Serve does not
	// use it.
	Addr string
	// App names the app of an AppPort or TCP listener. On an HTTP or HTTPS
	// listener it is usually empty; if not, any Host and any server name lead
	// to that app, as on an AppPort.
	App string
	// Port is the exposed port a TCP listener stands for.
	Port int
	// Inside says that callers are in the environment: internal apps answer,
	// IP rules do not apply, and short names ("http://web") lead to apps
	// without a redirect.
	Inside bool
	// HTTPSPort is where redirects of an HTTP listener lead. Zero means the
	// port of the HTTPS listener, or the standard port inside the environment.
	HTTPSPort int
	// Drain, when it is closed, tells clients of HTTP to go elsewhere with
	// their next request, while the listener goes on: HTTP/1.1 answers say
	// "connection: close", and HTTP/2 connections get a GOAWAY with the next
	// answer. Nil never does.
	Drain <-chan struct{}
	// Sever, when it is closed, ends the upgraded and raw connections that came
	// by this listener, as Ingress.Sever ends those to a replica. Nil never does.
	Sever <-chan struct{}
}

// listener is one open listener.
type listener struct {
	g      *Ingress
	spec   ListenSpec
	ln     net.Listener
	server *http.Server // nil for TCP
	parked *parking     // idle connections; nil for HTTPS and TCP
	tcp    *tcpServer   // nil for HTTP
}

// ErrClosed is returned by Listen and Serve after Shutdown.
var ErrClosed = errors.New("ingress is shut down")

// Listen opens a listener and serves it until Shutdown. It returns the address
// it listens on.
func (g *Ingress) Listen(spec ListenSpec) (net.Addr, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(context.Background(), "tcp", spec.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", spec.Kind, err)
	}
	l, err := g.open(ln, spec)
	if err != nil {
		ln.Close()
		return nil, err
	}
	go func() {
		defer g.serving.Done()
		l.serve()
	}()
	return ln.Addr(), nil
}

// Serve serves the connections of ln, which it closes in the end, until
// Shutdown, until ln fails, or until the caller closes ln; the last is no
// error.
func (g *Ingress) Serve(ln net.Listener, spec ListenSpec) error {
	l, err := g.open(ln, spec)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer g.serving.Done()
	return l.serve()
}

// open prepares a listener and counts it in.
func (g *Ingress) open(ln net.Listener, spec ListenSpec) (*listener, error) {
	l := &listener{g: g, spec: spec, ln: ln}
	switch spec.Kind {
	case HTTP, AppPort:
		l.server = l.httpServer()
		l.parked = newParking(ln.Addr())
	case HTTPS:
		if g.opts.Certificates == nil {
			return nil, errors.New("listen for https: there are no certificates")
		}
		l.server = l.httpServer()
	case TCP:
		l.tcp = newTCPServer(g, l)
	default:
		return nil, fmt.Errorf("listen: %q is not a kind of listener", spec.Kind)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ErrClosed
	}
	g.listeners[l] = struct{}{}
	g.serving.Add(1)
	return l, nil
}

// serve serves until Shutdown, or until somebody closes the listener itself;
// then connections that are open end with the request they are in.
func (l *listener) serve() error {
	defer l.g.forget(l)
	err := l.accept()
	if errors.Is(err, net.ErrClosed) && l.server != nil {
		return l.server.Shutdown(context.Background()) // Ingress.Shutdown cuts it short
	}
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (l *listener) accept() error {
	switch {
	case l.tcp != nil:
		return l.tcp.serve(l.ln)
	case l.spec.Kind == HTTPS:
		return l.acceptTLS()
	}
	return l.acceptPlain()
}

// acceptPlain serves new connections, and those that come back from parking,
// until one of the two ends.
func (l *listener) acceptPlain() error {
	back := make(chan error, 1)
	go func() { back <- l.server.Serve(l.parked) }()
	err := l.server.Serve(clientListener{l.ln, l.g, l.parked})
	_ = l.parked.Close() // it has no error
	<-back
	return err
}

// acceptTLS serves what comes out of TLS.
func (l *listener) acceptTLS() error {
	t := newTLSListener(l.g, l.ln, l.tlsConfig())
	ended := make(chan struct{})
	go func() { defer close(ended); t.run() }()
	err := l.server.Serve(t) // which closes it
	<-ended
	return err
}

func (g *Ingress) forget(l *listener) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.listeners, l)
}

func (l *listener) shutdown(ctx context.Context) error {
	if l.tcp != nil {
		return l.tcp.shutdown(ctx)
	}
	if err := l.server.Shutdown(ctx); err != nil {
		return errors.Join(err, l.server.Close())
	}
	return nil
}

// httpsPort returns the port redirects of this listener lead to, or "".
func (l *listener) httpsPort() string {
	port := l.spec.HTTPSPort
	if port == 0 && !l.spec.Inside {
		port = l.g.portOf(HTTPS)
	}
	if port == 0 {
		return ""
	}
	return strconv.Itoa(port)
}

// portOf returns the port of the open listener of a kind, the lowest if there
// are several, or zero.
func (g *Ingress) portOf(kind Kind) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	port := 0
	for l := range g.listeners {
		if addr, ok := l.ln.Addr().(*net.TCPAddr); ok && l.spec.Kind == kind && (port == 0 || addr.Port < port) {
			port = addr.Port
		}
	}
	return port
}

const (
	// headTimeout is how long a client may take for a request head; Envoy's
	// request_headers_timeout is off by default, ours keeps a slow client from
	// holding a connection for ever.
	headTimeout = time.Minute
	// clientIdle is how long an unused client connection is kept: Envoy's
	// default idle_timeout of a connection.
	clientIdle = time.Hour
)

func (l *listener) httpServer() *http.Server {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(l.spec.Kind == HTTPS)
	p.SetUnencryptedHTTP2(l.spec.Kind != HTTPS)
	return &http.Server{
		Handler:           l,
		Protocols:         p,
		ReadHeaderTimeout: headTimeout,
		IdleTimeout:       clientIdle,
		MaxHeaderBytes:    maxHeadBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 256, MaxReadFrameSize: 16 << 10},
		ConnContext:       l.connContext,
		ErrorLog:          discardLog,

		DisableGeneralOptionsHandler: true, // "OPTIONS *" is for the edge to answer
	}
}

// conn is what all requests of one client connection share.
type conn struct {
	id     uint64
	client clientAddr
	http1  *clientConn // nil for HTTP/2 over TLS
	// xfcc is rendered at the first request, when the handshake is done.
	xfccOnce sync.Once
	xfcc     string
}

type connKey struct{}

func (l *listener) connContext(ctx context.Context, c net.Conn) context.Context {
	switch c := c.(type) {
	case *clientConn:
		return context.WithValue(ctx, connKey{}, &c.shared)
	case *tlsClientConn:
		return context.WithValue(ctx, connKey{}, &c.shared)
	}
	return context.WithValue(ctx, connKey{}, &conn{id: l.g.connections.Add(1), client: parseClient(c.RemoteAddr())})
}

// drains reports whether clients are told to go elsewhere.
func (l *listener) drains() bool {
	select {
	case <-l.spec.Drain:
		return true
	default:
		return false
	}
}

// follow parts the tunnel when the listener's are severed, until stop.
func (l *listener) follow(t *tunnel) (stop func()) {
	if l.spec.Sever == nil {
		return func() {}
	}
	ended := make(chan struct{})
	go func() {
		select {
		case <-l.spec.Sever:
			t.part(errListenerGone)
		case <-ended:
		}
	}()
	return func() { close(ended) }
}

// certificate returns the client's certificate for x-forwarded-client-cert.
func (c *conn) certificate(state *tls.ConnectionState) string {
	if state == nil || len(state.PeerCertificates) == 0 {
		return ""
	}
	c.xfccOnce.Do(func() { c.xfcc = forwardedCertificate(state.PeerCertificates) })
	return c.xfcc
}

// ServeHTTP handles one request.
func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(connKey{}).(*conn)
	if !ok {
		c = &conn{}
	}
	if c.http1 != nil && r.ProtoMajor == 1 {
		c.http1.head.start()
	}
	x := newExchange(l, c, w, r)
	defer x.end()
	defer x.recover()
	x.serve()
}
