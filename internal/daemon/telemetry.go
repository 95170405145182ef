package daemon

import (
	"context"
	"errors"
	"net"
	"net/http"
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

// insights is the endpoint that apps send their telemetry to. It is a gate of
// its own in the environment's network, which is open while a container of an
// active revision has a variable that leads there.
type insights struct {
	env     string
	runtime container.Runtime
	gate    container.Gate // nil when the container engine has none
	handler http.Handler
	log     zerolog.Logger

	keys   atomic.Pointer[map[string]string] // app by instrumentation key
	server *http.Server                      // of watch; nil while the gate is closed
	failed bool                              // of watch: the last attempt to open it, which is told once
}

func newInsights(o Options, sink telemetry.Sink) *insights {
	i := &insights{env: o.Environment, runtime: o.Runtime, log: o.Log}
	i.gate, _ = o.Runtime.(container.Gate)
	i.keys.Store(&map[string]string{})
	i.handler = telemetry.New(telemetry.Options{
		Sink:   sink,
		App:    func(key string) string { return (*i.keys.Load())[key] },
		Report: func(err error) { o.Log.Warn().Err(err).Msg("telemetry of an app is not stored") },
	})
	return i
}

// watch opens and closes the endpoint as snapshots ask for it, until ctx is done.
func (i *insights) watch(ctx context.Context, next func(ctx context.Context, since uint64) (*emulator.Snapshot, error)) {
	defer i.close()
	for since := uint64(0); ; {
		s, err := next(ctx, since)
		if err != nil {
			return // ctx is done
		}
		since = s.Generation
		keys := map[string]string{}
		for _, app := range s.Apps {
			keys[endpoint.Key(app.Name)] = app.Name
		}
		i.keys.Store(&keys)
		switch wanted := sendsTelemetry(s); {
		case wanted && i.server == nil:
			i.open(ctx)
		case !wanted:
			i.close()
		}
	}
}

// sendsTelemetry reports whether a container of the snapshot is led here.
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

func (i *insights) open(ctx context.Context) {
	if i.gate == nil {
		return
	}
	l, err := i.listen(ctx)
	if err != nil {
		if ctx.Err() == nil && !i.failed {
			i.log.Error().Err(err).Msg("apps cannot send telemetry; trying again at the next change")
		}
		i.failed = true
		return
	}
	i.failed = false
	s := &http.Server{Handler: i.handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout, ErrorLog: discard}
	i.server = s
	go func() { // ends with close
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			i.log.Error().Err(err).Msg("the telemetry endpoint failed")
		}
	}()
}

func (i *insights) listen(ctx context.Context) (net.Listener, error) {
	if err := i.runtime.EnsureEnvironment(ctx, i.env); err != nil {
		return nil, err
	}
	return i.gate.OpenGate(ctx, container.GateSpec{Env: i.env, Names: []string{endpoint.Host}, Ports: []int{endpoint.Port}})
}

// How long a sender may take for a body, and how long it may keep a connection
// without using it.
const (
	bodyTimeout = time.Minute
	idleTimeout = 2 * time.Minute
)

func (i *insights) close() {
	if i.server == nil {
		return
	}
	if err := i.server.Close(); err != nil { // what is cut off is sent again by its SDK
		i.log.Debug().Err(err).Msg("closing the telemetry endpoint")
	}
	i.server = nil
}
