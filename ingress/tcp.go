package ingress

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// portKey names a raw TCP port: an app and the port the environment exposes.
type portKey struct {
	app  string
	port int
}

// tcpPort is a raw TCP port of an app, compiled.
type tcpPort struct {
	external bool
	target   target
	port     int // on the replica; 0: the port of the endpoint
}

// ports adds the raw TCP ports of an app.
func (c *compiler) ports(a App) {
	t := c.out.apps[a.Name].target
	if a.transport() == TransportTCP {
		c.out.ports[portKey{a.Name, a.exposedPort()}] = &tcpPort{external: a.External, target: t}
	}
	for _, m := range a.AdditionalPorts {
		c.out.ports[portKey{a.Name, m.exposedPort()}] = &tcpPort{external: m.External, target: t, port: m.TargetPort}
	}
}

// tcpServer accepts the connections of a raw TCP port. The edge accepts before
// it knows whether the replica does, as Envoy's tcp_proxy: a wrong target port
// shows as a connection that is closed at once.
type tcpServer struct {
	g *Ingress
	l *listener

	ctx    context.Context
	cancel context.CancelFunc

	conns sync.WaitGroup
}

func newTCPServer(g *Ingress, l *listener) *tcpServer {
	s := &tcpServer{g: g, l: l}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

func (s *tcpServer) serve(ln net.Listener) error {
	defer s.conns.Wait()
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		s.conns.Go(func() { s.handle(c) })
	}
}

// shutdown stops accepting. Open connections are tunnels, which
// Ingress.awaitTunnels ends; those still waiting for a replica end here.
func (s *tcpServer) shutdown(context.Context) error {
	s.cancel()
	if err := s.l.ln.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil // its owner was first
}

func (s *tcpServer) handle(c net.Conn) {
	defer c.Close()
	x := &stream{s: s, client: c}
	from := parseClient(c.RemoteAddr())
	x.rec = Record{
		Time: time.Now(), Listener: TCP, Client: from.addr,
		Protocol: "TCP", Scheme: "tcp", App: s.l.spec.App,
		ConnectionID: s.g.connections.Add(1), ForwardedFor: from.ip,
	}
	x.rec.Flag, x.rec.Reason = x.serve()
	x.rec.Total = time.Since(x.rec.Time)
	s.g.records.add(&x.rec)
	s.g.opts.OnRecord(x.rec)
}

// stream is one raw connection on its way.
type stream struct {
	s      *tcpServer
	client net.Conn
	rec    Record
}

// serve carries the connection, and returns flag and reason of its end.
func (x *stream) serve() (flag, reason string) {
	table := x.awaitTable()
	if table == nil {
		return "SI", "waiting for the first table"
	}
	x.rec.Generation = table.generation
	port := table.ports[portKey{x.s.l.spec.App, x.s.l.spec.Port}]
	if port == nil || !port.external && !x.s.l.spec.Inside {
		return "NR", "the app does not expose this port"
	}
	if a := port.target.app.checkAddress(facts{client: x.rec.Client.Addr(), inside: x.s.l.spec.Inside}); a != nil {
		return a.flag, a.reason
	}
	t := port.target.resolve()
	if t.rev == nil {
		return "NR", t.missing
	}
	x.rec.Revision, x.rec.RevisionWhy = t.rev.name, t.why
	t.rev.inflight.Add(1)
	defer func() { t.rev.inflight.Add(-1); t.rev.finished.Add(1) }()
	return x.carry(t.rev, port)
}

// awaitTable holds connections that come before the first table, as long as
// requests are held. It returns nil when none came.
func (x *stream) awaitTable() *routing {
	timer := time.NewTimer(x.s.g.opts.Timeouts.Idle)
	defer timer.Stop()
	select {
	case <-x.s.g.ready:
	case <-x.s.ctx.Done():
	case <-timer.C:
	}
	return x.s.g.table.Load()
}

func (x *stream) carry(rev *revision, port *tcpPort) (flag, reason string) {
	g := x.s.g
	var w watch
	ctx, cancel := context.WithCancelCause(x.s.ctx)
	defer cancel(errFinished)
	w.start(cancel, g.opts.Timeouts.Idle, g.opts.Timeouts.Total)
	defer w.stop()
	w.unlimit()
	ep, why, err := x.place(ctx, rev)
	if err != nil {
		return tunnelEnd(err)
	}
	defer ep.release()
	spec := ep.spec
	if port.port != 0 {
		spec.Port = port.port
	}
	x.rec.Replica, x.rec.ReplicaWhy, x.rec.Tries, x.rec.Upstream = ep.name, why, 1, spec.address()
	began := time.Now()
	err = g.before(ctx, spec, nil)
	var app net.Conn
	if err == nil {
		app, err = g.dial(ctx, spec)
	}
	if err != nil {
		r := classify(err)
		return r.flag, r.text
	}
	x.rec.Connect = time.Since(began)
	t := &tunnel{client: x.client, app: app, moved: w.touch}
	if !g.enterTunnel(ep.replica, t) {
		t.close(ErrClosed)
		return tunnelEnd(ErrClosed)
	}
	defer g.leaveTunnel(ep.replica, t)
	defer x.s.l.follow(t)()
	defer context.AfterFunc(ctx, func() { t.close(context.Cause(ctx)) })()
	err = t.run(x.client)
	x.rec.BytesReceived, x.rec.BytesSent = t.received.Load(), t.sent.Load()
	return tunnelEnd(err)
}

// place chooses an endpoint, waiting for one if none is ready.
func (x *stream) place(ctx context.Context, rev *revision) (*endpoint, Why, error) {
	for {
		if ep, why := rev.acquire("", nil); ep != nil {
			return ep, why, nil
		}
		began := time.Now()
		w, err := rev.held.join(false, x.s.g.opts.HeldRequests)
		if err != nil {
			return nil, "", err
		}
		if ep, why := rev.acquire("", nil); ep != nil {
			rev.held.leave(w)
			return ep, why, nil
		}
		if rev.activate(began) {
			x.s.g.opts.Activate(rev.app, rev.name)
		}
		select {
		case p := <-w.placed:
			x.rec.Hold += time.Since(began)
			if p.ep == nil {
				return nil, "", errors.New("the revision is not active any more")
			}
			return p.ep, WhyHeld, nil
		case <-ctx.Done():
			rev.held.leave(w)
			return nil, "", context.Cause(ctx)
		}
	}
}
