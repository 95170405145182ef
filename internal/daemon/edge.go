package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/logsink"
)

// The ports the edge takes when nobody asked for others.
const (
	defaultPort     = 8080
	defaultTLSPort  = 8443
	defaultAppPorts = 8081
	appPortRange    = 200

	// captured is how many requests are kept whole, to be sent again.
	captured = 64
)

// edge is the ingress and its listeners.
type edge struct {
	*ingress.Ingress
	bind     string
	addr     string // stands for port 80
	secure   string // stands for port 443
	appPorts int
	logs     *logsink.Store
	log      zerolog.Logger
	gates    *gates

	mu   sync.Mutex
	apps map[string]appPort      // guarded by mu
	tcp  map[tcpKey]net.Listener // guarded by mu
	down bool                    // guarded by mu
}

type appPort struct {
	listener net.Listener
	port     int
}

// newEdge makes the edge out of what leads to the replicas, and opens its two
// listeners.
func newEdge(o Options, to ingress.Options, logs *logsink.Store) (*edge, error) {
	e := &edge{
		bind: o.Bind, appPorts: o.AppPorts, logs: logs, log: o.Log,
		apps: map[string]appPort{},
		tcp:  map[tcpKey]net.Listener{},
	}
	if e.appPorts == 0 {
		e.appPorts = defaultAppPorts
	}
	var err error
	to.HideReason = o.HideReason
	if o.NoRetries {
		to.Retries = -1
	}
	to.TimeScale, to.Capture = o.TimeScale, captured
	to.Certificates = certificates(o.AuthorityDir, o.Environment+".localhost")
	e.Ingress, err = ingress.New(to)
	if err != nil {
		return nil, err
	}
	e.gates = newGates(o, e.serve)
	l, err := e.listenAt(o.Port, defaultPort)
	if err != nil {
		return nil, err
	}
	secure, err := e.listenAt(o.TLSPort, defaultTLSPort)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	e.addr, e.secure = l.Addr().String(), secure.Addr().String()
	e.serve(l, ingress.ListenSpec{Kind: ingress.HTTP, HTTPSPort: secure.Addr().(*net.TCPAddr).Port})
	e.serve(secure, ingress.ListenSpec{Kind: ingress.HTTPS})
	return e, nil
}

// certificates are those of the authority kept in dir, "" for the user's own,
// which is made at the first handshake: who never uses TLS never has one.
func certificates(dir, domain string) ingress.CertificateSource {
	open := sync.OnceValues(func() (ingress.CertificateSource, error) {
		if dir == "" {
			var err error
			if dir, err = ingress.DefaultAuthorityDir(); err != nil {
				return nil, err
			}
		}
		authority, err := ingress.OpenAuthority(dir)
		if err != nil {
			return nil, err
		}
		return authority.Environment(domain), nil
	})
	return func(name string) (*tls.Certificate, error) {
		source, err := open()
		if err != nil {
			return nil, err
		}
		return source(name)
	}
}

// listenAt opens the wanted port; without one it takes the usual port, or a
// free one when that is taken.
func (e *edge) listenAt(port, usual int) (net.Listener, error) {
	switch {
	case port == AnyPort:
		return e.listen(0)
	case port != 0:
		return e.listen(port)
	}
	l, err := e.listen(usual)
	if err != nil {
		l, err = e.listen(0)
	}
	return l, err
}

func (e *edge) listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(e.bind, strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d on %s is already in use: stop what uses it, or choose another port", port, e.bind)
	}
	return l, err
}

// serve answers on a listener until it is closed.
func (e *edge) serve(l net.Listener, spec ingress.ListenSpec) {
	go func() { // ends with the listener: Unlisten, or Shutdown, which waits for it
		if err := e.Serve(l, spec); err != nil && !errors.Is(err, net.ErrClosed) {
			e.log.Error().Err(err).Str("addr", l.Addr().String()).Msg("listener of the edge failed")
		}
	}()
}

// Apply publishes a routing table.
func (e *edge) Apply(t ingress.Table) error {
	if _, err := e.Ingress.Apply(t); err != nil {
		return err
	}
	e.gates.set(t)
	e.listenTCP(t)
	return nil
}

// Addr is the address of the listener that stands for port 80.
func (e *edge) Addr() string { return e.addr }

// SecureAddr is the address of the listener that stands for port 443.
func (e *edge) SecureAddr() string { return e.secure }

// Listen opens the loopback port that stands for an app's https address, or
// keeps the one it has.
func (e *edge) Listen(app string, port int) (int, error) {
	e.mu.Lock()
	have, ok := e.apps[app]
	e.mu.Unlock()
	if ok && (port == 0 || port == have.port) {
		return have.port, nil
	}
	l, err := e.listenApp(port)
	if err != nil {
		return 0, err
	}
	got := l.Addr().(*net.TCPAddr).Port
	e.mu.Lock()
	e.apps[app] = appPort{l, got}
	e.mu.Unlock()
	if ok {
		_ = have.listener.Close() // nobody may connect there any more
	}
	e.serve(l, ingress.ListenSpec{Kind: ingress.AppPort, App: app})
	return got, nil
}

// listenApp opens the wanted port, or the first free one of the range.
func (e *edge) listenApp(port int) (net.Listener, error) {
	if port != 0 {
		return e.listen(port)
	}
	for p := e.appPorts; e.appPorts != AnyPort && p < e.appPorts+appPortRange && p < 1<<16; p++ {
		if l, err := e.listen(p); err == nil {
			return l, nil
		}
	}
	return e.listen(0)
}

// Unlisten closes the loopback port of an app.
func (e *edge) Unlisten(app string) {
	e.mu.Lock()
	have, ok := e.apps[app]
	delete(e.apps, app)
	e.mu.Unlock()
	if ok {
		_ = have.listener.Close() // nobody may connect there any more
	}
}

// run stores access records, many at a time, until ctx is done. Those that the
// edge no longer keeps, because the store was too slow for them, are lost.
func (e *edge) run(ctx context.Context) {
	for lost, records := range e.FollowBatches(ctx, 0) {
		if lost > 0 {
			e.log.Warn().Uint64("requests", lost).Msg("access records were dropped: the log store cannot keep up")
		}
		batch := make([]logsink.Request, len(records))
		for i, r := range records {
			e.tellReplay(r)
			batch[i] = request(r)
		}
		if err := e.logs.AppendRequests(batch); err != nil {
			e.log.Warn().Err(err).Int("requests", len(batch)).Msg("access records are lost")
		}
	}
}

// tellReplay writes a row about a request that was sent again after it may have
// reached the app. ACA does so for any method and says nothing; a duplicate POST
// is just what people need to find out locally.
func (e *edge) tellReplay(r ingress.Record) {
	if r.Replays == 0 {
		return
	}
	err := e.logs.AppendEvent(logsink.Event{
		Time: r.Time, Type: logsink.Warning, App: r.App, Revision: r.Revision, Replica: r.Replica,
		Reason: "RequestReplayed", Source: "acalocal", Count: 1,
		Msg: fmt.Sprintf("%s %s was sent %d times: each connection broke before an answer, after the app may have seen the request.", r.Method, r.Path, r.Replays+1),
	})
	if err != nil {
		e.log.Warn().Err(err).Msg("a row about a replayed request is lost")
	}
}

func request(r ingress.Record) logsink.Request {
	return logsink.Request{
		StartTime: r.Time, Duration: r.Total,
		App: r.App, Revision: r.Revision, Replica: r.Replica,
		Method: r.Method, Path: r.Path, Authority: r.Host, Protocol: r.Protocol,
		UserAgent: r.UserAgent, RequestID: r.RequestID,
		StatusCode: r.Status, BytesReceived: r.BytesReceived, BytesSent: r.BytesSent,
		XForwardedFor: r.ForwardedFor, ConnectionID: connectionID(r.ConnectionID), TraceID: r.TraceID,
		ResponseFlags: r.Flag, ResponseCodeDetails: r.Details, UpstreamHost: r.Upstream,
		UpstreamRequestAttemptCount: r.Tries,
		RevisionWhy:                 string(r.RevisionWhy), ReplicaWhy: string(r.ReplicaWhy), Reason: r.Reason,
		Held: r.Hold, Connect: r.Connect, FirstByte: r.FirstByte,
	}
}

// connectionID is a connection's number as Azure's column has it, a text.
func connectionID(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

// close stops listening and ends what is in flight; it may be called again.
func (e *edge) close() {
	e.mu.Lock()
	down := e.down
	e.down = true
	e.mu.Unlock()
	if down {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := e.Shutdown(ctx); err != nil {
		e.log.Debug().Err(err).Msg("requests were cut off at shutdown")
	}
}
