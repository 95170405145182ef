package daemon

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/telemetry"
	"github.com/acalocal/acalocal/internal/telemetry/endpoint"
)

// insights takes what apps send about themselves, by two doors in the
// environment's network: the stand-in for Application Insights, and the managed
// OpenTelemetry agent. Each is a gate of its own, which is open while an app is
// led there.
type insights struct {
	env     string
	runtime container.Runtime
	gate    container.Gate // nil when the container engine has none
	log     zerolog.Logger
	doors   [2]*door
	handled progress // generations of snapshots whose doors are open, as far as they can be

	apps atomic.Pointer[senders]
}

// senders are the apps there are.
type senders struct {
	byKey     map[string]string // names by instrumentation key
	telemetry map[string]aca.EnvironmentTelemetry
}

// door is one gate and what serves it.
type door struct {
	spec      container.GateSpec
	wanted    func(*emulator.Snapshot) bool
	handler   http.Handler
	protocols *http.Protocols // nil is HTTP/1

	server *http.Server  // of watch; nil while the gate is closed
	ended  chan struct{} // closed when the server has given the gate back
	failed bool          // of watch: the last attempt to open it, which is told once
}

func newInsights(o Options, sink telemetry.Sink) *insights {
	i := &insights{env: o.Environment, runtime: o.Runtime, log: o.Log}
	i.gate, _ = o.Runtime.(container.Gate)
	i.apps.Store(&senders{})
	handler := telemetry.New(telemetry.Options{
		Sink:   sink,
		App:    func(key string) string { return i.apps.Load().byKey[key] },
		Caller: i.caller,
		Report: func(err error) { o.Log.Warn().Err(err).Msg("telemetry of an app is not stored") },
	})
	http2 := new(http.Protocols) // alone: the agent on Azure speaks gRPC only
	http2.SetUnencryptedHTTP2(true)
	spec := func(name string, port int) container.GateSpec {
		return container.GateSpec{Env: i.env, Names: []string{name}, Ports: []int{port}}
	}
	i.doors = [2]*door{
		{spec: spec(endpoint.Host, endpoint.Port), wanted: sendsTelemetry, handler: handler},
		{spec: spec(aca.OpenTelemetryAgentHost, aca.OpenTelemetryAgentPort), wanted: hasAgent, handler: handler.Agent(), protocols: http2},
	}
	return i
}

// watch opens and closes the doors as snapshots ask for it, until ctx is done.
func (i *insights) watch(ctx context.Context, next func(ctx context.Context, since uint64) (*emulator.Snapshot, error)) {
	defer func() {
		for _, d := range i.doors {
			i.close(d)
		}
	}()
	for since := uint64(0); ; {
		s, err := next(ctx, since)
		if err != nil {
			return // ctx is done
		}
		since = s.Generation
		apps := &senders{map[string]string{}, map[string]aca.EnvironmentTelemetry{}}
		for _, app := range s.Apps {
			apps.byKey[endpoint.Key(app.Name)], apps.telemetry[app.Name] = app.Name, app.Local.Telemetry
		}
		i.apps.Store(apps)
		for _, d := range i.doors {
			switch wanted := d.wanted(s); {
			case wanted && d.server == nil:
				i.open(ctx, d)
			case !wanted:
				i.close(d)
			}
		}
		i.handled.reach(since)
	}
}

// sendsTelemetry reports whether a container of the snapshot is led to the
// stand-in for Application Insights.
func sendsTelemetry(s *emulator.Snapshot) bool {
	return slices.ContainsFunc(s.Apps, func(a emulator.App) bool {
		return leadsHere(&a.Properties.Template) ||
			slices.ContainsFunc(a.Revisions, func(r emulator.Revision) bool { return r.Properties.Active && leadsHere(&r.Properties.Template) })
	})
}

func leadsHere(t *aca.Template) bool {
	ours := func(c aca.Container) bool {
		return slices.ContainsFunc(c.Env, func(v aca.EnvVar) bool { return endpoint.IsOurs(v.Value) })
	}
	return slices.ContainsFunc(t.Containers, ours) || slices.ContainsFunc(t.InitContainers, ours)
}

// hasAgent reports whether apps are led to the OpenTelemetry agent.
func hasAgent(s *emulator.Snapshot) bool {
	return slices.ContainsFunc(s.Apps, func(a emulator.App) bool { return len(a.Local.Telemetry.Env()) > 0 })
}

func (i *insights) open(ctx context.Context, d *door) {
	if i.gate == nil {
		return
	}
	l, err := i.listen(ctx, d)
	if err != nil {
		if ctx.Err() == nil && !d.failed {
			i.log.Error().Err(err).Strs("names", d.spec.Names).Msg("apps cannot send telemetry; trying again at the next change")
		}
		d.failed = true
		return
	}
	d.failed = false
	s := &http.Server{
		Handler: d.handler, Protocols: d.protocols, ConnContext: withCaller,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout, ErrorLog: discard,
	}
	d.server, d.ended = s, make(chan struct{})
	go func() { // ends with close
		defer close(d.ended)
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			i.log.Error().Err(err).Msg("the telemetry endpoint failed")
		}
	}()
}

func (i *insights) listen(ctx context.Context, d *door) (net.Listener, error) {
	if err := i.runtime.EnsureEnvironment(ctx, i.env); err != nil {
		return nil, err
	}
	return i.gate.OpenGate(ctx, d.spec)
}

// How long a sender may take for a body, and how long it may keep a connection
// without using it.
const (
	bodyTimeout = time.Minute
	idleTimeout = 2 * time.Minute
)

func (i *insights) close(d *door) {
	if d.server == nil {
		return
	}
	if err := d.server.Close(); err != nil { // what is cut off is sent again by its SDK
		i.log.Debug().Err(err).Msg("closing the telemetry endpoint")
	}
	<-d.ended // a server that has not begun closes the gate when it does
	d.server = nil
}

// connection is one to a door. OTLP over gRPC has no place for a key, so its
// sender is known by the address, which is that of the replica (0603). It is
// looked up once: the last records of a replica may be read when it is gone.
type connection struct {
	addr netip.Addr
	app  atomic.Pointer[string] // nil until it was looked up, "" when the address is no replica's
}

type connectionKey struct{}

func withCaller(ctx context.Context, c net.Conn) context.Context {
	addr, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return ctx // nobody can be told by it
	}
	return context.WithValue(ctx, connectionKey{}, &connection{addr: addr.Addr().Unmap()})
}

// caller says who has sent a request to the agent. What is no replica may send
// anything.
func (i *insights) caller(ctx context.Context) (telemetry.Caller, error) {
	everything := telemetry.Caller{Traces: true, Logs: true, Metrics: true}
	c, _ := ctx.Value(connectionKey{}).(*connection)
	if c == nil {
		return everything, nil
	}
	app := c.app.Load()
	if app == nil {
		key, _, err := i.gate.Caller(ctx, i.env, c.addr)
		if err != nil {
			return telemetry.Caller{}, err
		}
		app = &key.App
		c.app.Store(app)
	}
	everything.App = *app
	t, ok := i.apps.Load().telemetry[*app]
	if !ok {
		return everything, nil
	}
	return telemetry.Caller{App: *app, Traces: t.Traces, Logs: t.Logs, Metrics: t.Metrics}, nil
}
