// Package daemon is the composition root of an environment: it makes every
// part, plugs them together, and owns the order in which they start and stop.
//
//	start:  lock ▶ container engine ▶ log store ▶ edge ▶ emulator (adopts) ▶ API
//	stop:   API ▶ emulator (drains and removes, or leaves all) ▶ edge ▶ log store ▶ lock
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/fault"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/internal/metrics"
	"github.com/acalocal/acalocal/internal/otlp"
	"github.com/acalocal/acalocal/internal/page"
	"github.com/acalocal/acalocal/internal/version"
	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/kql"
)

// Options say which environment to run, and how.
type Options struct {
	// Environment is its name; "" is home.DefaultEnvironment.
	Environment string
	Home        home.Home
	Runtime     container.Runtime
	// Bind is the host the edge listens on; "" is 127.0.0.1. Anything else
	// makes the apps reachable from outside this machine.
	Bind string
	// Port is the port of the listener that stands for port 80; 0 takes 8080,
	// or a free one when that is taken, AnyPort a free one.
	Port int
	// TLSPort is the port of the listener that stands for port 443; 0 takes
	// 8443, or a free one when that is taken, AnyPort a free one.
	TLSPort int
	// APIPort is the loopback port of the local API; 0 takes the one the
	// environment had before, else 8079, else a free one; AnyPort a
	// free one.
	APIPort int
	// APIBind is the host the local API listens on; "" is 127.0.0.1. Whatever
	// it is, callers need the token and name a loopback host.
	APIBind string
	// AppPorts is the first port given to apps that ask for none; 0 is 8081,
	// AnyPort gives them free ones.
	AppPorts int
	// AuthorityDir is where the authority of HTTPS certificates is kept; "" is
	// ingress.DefaultAuthorityDir, the user's own.
	AuthorityDir string
	// TimeScale divides the platform's own timers; 0 is 1.
	TimeScale float64
	// ScaleProbes divides the delays and periods of probes, too.
	ScaleProbes bool
	// HideReason leaves out the x-acalocal-reason header; NoRetries makes the
	// edge send each request once.
	HideReason, NoRetries bool
	// ScaleSteps limits scale-up to the documented steps 1, 4, 8, 16, 32.
	ScaleSteps bool
	// EnforceEphemeralStorage evicts replicas over their ephemeral storage
	// instead of warning of them.
	EnforceEphemeralStorage bool
	// Claim is a lock file that all daemons of this user and container engine
	// would share for the environment, wherever their state is: the labels in
	// the engine are the truth, so two would fight over the same containers.
	// "" claims nothing.
	Claim string
	// OTLPEndpoint is the base URL of a collector that gets the rows of the log
	// store, with OTLPHeaders; "" sends them nowhere.
	OTLPEndpoint string
	OTLPHeaders  map[string]string
	// IngestionDelay is how old a row is when queries of users first find it;
	// 0 is not at all. UploadTimes shows them the time of a row's upload, see
	// logsink.UploadTimes. StrictTables lets a _CL table exist only from its first
	// row on; DynamicJSONColumns takes JSON lines in it apart. Log streams and
	// what acalocal asks itself know of none.
	IngestionDelay     time.Duration
	UploadTimes        bool
	StrictTables       bool
	DynamicJSONColumns bool
	// QueryLimits are how much users' queries are answered that ask for no
	// other limits; what is 0 has its default.
	QueryLimits kql.Limits
	// KeepLogs keeps the log store when the environment is removed.
	KeepLogs bool
	Log      zerolog.Logger
}

// AnyPort asks for a port that nobody uses.
const AnyPort = -1

// Daemon is a running environment.
type Daemon struct {
	Engine *emulator.Engine
	Logs   *logsink.Store
	Faults *fault.Set

	o       Options
	files   home.Environment
	lock    *flock.Flock
	claim   *flock.Flock
	edge    *edge
	metrics *metrics.Collector
	api     *apiPort
	access  *api.Access
	managed aca.ManagedEnvironment
	// insights takes what apps send about themselves.
	insights *insights
	// otlp sends rows to a collector; nil when none is named.
	otlp *otlp.Exporter
	// servers answer on the control socket and on the local port.
	servers []*http.Server

	stop   context.CancelFunc // ends Run and leaves everything running
	remove chan struct{}      // closed when everything is to be removed
	once   sync.Once
}

// ErrRunning says that another daemon runs the environment.
var ErrRunning = errors.New("environment is already running")

// New makes an environment ready to Run: it takes the environment's lock and
// opens the log store, the edge's listener and the control socket. When it
// fails, nothing is left open.
func New(o Options) (_ *Daemon, err error) {
	if o.Environment == "" {
		o.Environment = home.DefaultEnvironment
	}
	if o.Bind == "" {
		o.Bind = "127.0.0.1"
	}
	d := &Daemon{o: o, files: o.Home.Environment(o.Environment), remove: make(chan struct{})}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if err := d.takeLock(); err != nil {
		return nil, err
	}
	d.Logs, err = logsink.Open(logOptions(d.files, func(p logsink.Problem) { o.Log.Warn().Str("file", p.File).Msg(p.What) }))
	if err != nil {
		return nil, err
	}
	d.Faults = fault.NewSet(o.Environment, d.tellFault)
	runtime := d.Faults.Runtime(o.Runtime)
	demand := func(app, revision string) { d.Engine.Demand(app, revision) }
	d.metrics = metrics.New()
	count := func(r ingress.Record) { countRequest(d.metrics, r) }
	if d.edge, err = newEdge(o, ingress.Options{Dial: d.dial, Before: d.Faults.Request, Activate: demand, OnRecord: count}, d.Logs); err != nil {
		return nil, err
	}
	if d.api, err = openAPIPort(d.files, o.APIBind, o.APIPort); err != nil {
		return nil, err
	}
	d.access = api.NewAccess(d.api.token)
	d.insights = newInsights(o, d.Logs)
	if d.otlp, err = newExporter(o, d.files, d.Logs); err != nil {
		return nil, err
	}
	d.managed = d.newManaged()
	d.Engine = emulator.New(emulator.Options{
		Environment: o.Environment,
		Domain:      d.domain(),
		User:        userName(),
		API:         d.api.url(),
		Runtime:     runtime,
		Router:      d.edge,
		Logs:        follower{store: d.Logs, runtime: runtime},
		History:     history{dir: d.files.History()},
		Checker:     d.Faults.Checker,
		Triggers:    d.newTriggers(),
		AwaitNames:  d.awaitNames,
		ScaleSteps:  o.ScaleSteps,
		TimeScale:   o.TimeScale,
		ScaleProbes: o.ScaleProbes,
		Log:         o.Log,

		EnforceEphemeralStorage: o.EnforceEphemeralStorage,
	})
	return d, nil
}

func (d *Daemon) takeLock() error {
	if err := d.files.Create(); err != nil {
		return err
	}
	d.lock = flock.New(d.files.Lock())
	ok, err := d.lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock environment %s: %w", d.o.Environment, err)
	}
	if !ok {
		d.lock = nil
		return fmt.Errorf("%w: %s", ErrRunning, d.o.Environment)
	}
	return d.takeClaim()
}

// takeClaim keeps daemons with another state directory away.
func (d *Daemon) takeClaim() error {
	if d.o.Claim == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(d.o.Claim), 0o700); err != nil {
		return fmt.Errorf("claim environment %s: %w", d.o.Environment, err)
	}
	d.claim = flock.New(d.o.Claim)
	ok, err := d.claim.TryLock()
	if err != nil {
		return fmt.Errorf("claim environment %s: %w", d.o.Environment, err)
	}
	if !ok {
		d.claim = nil
		return fmt.Errorf("%w: %s, by a daemon with another state directory (ACALOCAL_STATE_DIR)", ErrRunning, d.o.Environment)
	}
	return nil
}

// releaseClaim gives the claim back and leaves no file behind.
func (d *Daemon) releaseClaim() {
	if d.claim == nil {
		return
	}
	_ = os.Remove(d.o.Claim)               // while it is held: nobody else has it
	_ = d.claim.Unlock()                   // the process's end does the same
	_ = os.Remove(filepath.Dir(d.o.Claim)) // succeeds only when empty, which is what is wanted
	d.claim = nil
}

// close gives back what New took, in the opposite order.
func (d *Daemon) close() {
	if d.api != nil {
		_ = d.api.Close() // the server that used it has ended
	}
	if d.edge != nil {
		d.edge.close()
	}
	if d.Logs != nil {
		if err := d.Logs.Close(); err != nil {
			d.o.Log.Error().Err(err).Msg("closing the log store")
		}
	}
	d.releaseClaim()
	if d.lock != nil {
		_ = d.lock.Unlock() // the process's end does the same
	}
}

// Handler is the control API of the environment: as the socket serves it, or
// guarded, for TCP.
func (d *Daemon) Handler(tcp bool) http.Handler {
	return api.New(api.Options{
		Emulator: d.Engine,
		Logs:     d.queries(),
		Requests: d.edge,
		Faults:   d.Faults,
		Info:     d.info(),
		Managed:  d.managed,
		Shutdown: d.Shutdown,
		Access:   d.access, TCP: tcp, Address: d.api.url(), Workspace: workspaceID(d.o.Environment),
		Mounts: []api.Mount{
			{Path: page.Path, Open: true, Handler: page.Handler()},
			{Path: metricsPath, Open: true, Handler: http.HandlerFunc(d.serveMetrics)},
			{Path: "/", Open: true, Handler: http.RedirectHandler(page.Path, http.StatusFound)},
		},
	})
}

// queries is the log store as the API asks it.
func (d *Daemon) queries() queries {
	q := queries{Store: d.Logs, delay: d.o.IngestionDelay, uploads: d.o.UploadTimes, strict: d.o.StrictTables, limits: d.o.QueryLimits}
	if d.o.DynamicJSONColumns {
		q.json = logsink.NewJSONColumns(d.Logs)
	}
	return q
}

// info is what the API says about this daemon.
func (d *Daemon) info() api.Info {
	return api.Info{
		Environment: d.o.Environment, Version: version.Version, PID: os.Getpid(), TimeScale: d.o.TimeScale,
		OTLPEndpoint: otlp.Shown(d.o.OTLPEndpoint), IngestionDelay: d.o.IngestionDelay, StrictTables: d.o.StrictTables,
		UploadTimes: d.o.UploadTimes, DynamicJSONColumns: d.o.DynamicJSONColumns, QueryMaxRows: d.o.QueryLimits.MaxRows, QueryMaxBytes: d.o.QueryLimits.MaxBytes,
	}
}

// Shutdown asks Run to end and returns at once. With remove it drains and
// removes everything first; without, what runs is left for the next daemon.
func (d *Daemon) Shutdown(remove bool) {
	if remove {
		d.once.Do(func() { close(d.remove) })
		return
	}
	d.stop()
}

// Run serves the environment until ctx is done or Shutdown is called. ready
// is called once, when the control socket answers. What Run removed is gone
// when it returns, files included.
func (d *Daemon) Run(ctx context.Context, ready func()) error {
	defer d.close()
	socket, err := api.Listen(d.files)
	if err != nil {
		return err
	}
	serving, endAnswers := context.WithCancel(context.WithoutCancel(ctx))
	serve := func(tcp bool) *http.Server {
		return &http.Server{
			Handler: d.Handler(tcp), ReadHeaderTimeout: headerTimeout, ErrorLog: discard,
			BaseContext: func(net.Listener) context.Context { return serving },
		}
	}
	d.servers = []*http.Server{serve(false), serve(true)}
	var parts sync.WaitGroup
	defer parts.Wait()
	ctx, d.stop = context.WithCancel(ctx)
	defer d.stop()
	parts.Go(func() { _ = d.servers[0].Serve(socket) }) // both end with stopServing, which is no news
	parts.Go(func() {
		_ = d.servers[1].Serve(d.api.listener(certificates(d.o.AuthorityDir, d.o.Environment+".localhost")))
	})
	defer d.stopServing(endAnswers)
	parts.Go(func() { d.edge.run(ctx) })
	using, endUse := context.WithCancel(ctx)
	defer endUse()
	var users sync.WaitGroup // of containers and files that "down" removes
	defer users.Wait()
	users.Go(func() { d.edge.gates.run(using) })
	users.Go(func() { d.insights.watch(using, d.Engine.Watch) })
	users.Go(func() { d.measure(using) })
	users.Go(func() { d.Faults.Run(using) })
	if d.otlp != nil {
		parts.Go(func() { d.otlp.Run(ctx) })
	}
	parts.Go(func() { d.waitRemove(ctx) })

	running := make(chan error, 1)
	parts.Go(func() {
		err := d.Engine.Run(ctx)
		if err != nil {
			d.stop() // there is nothing to wait for and to use
		}
		running <- err
	})
	if _, err := d.Engine.Watch(ctx, 0); err == nil {
		ready()
	}
	if err := <-running; err != nil {
		return err
	}
	select {
	case <-d.remove:
		endUse()
		users.Wait() // a gate that opens just now would stay
		return d.removeAll()
	default:
		return nil
	}
}

// headerTimeout bounds how long a caller may take to send the head of a
// request; lastWords is how long answers under way may take once the daemon
// ends.
const (
	headerTimeout = 10 * time.Second
	lastWords     = time.Second
)

// discard drops what net/http says about callers that break a handshake off:
// a client that does not trust the local authority is told so itself.
var discard = log.New(io.Discard, "", 0)

// stopServing closes the control socket and the local port. The answers that
// last as long as the daemon are finished in order, so that their readers can
// tell its end from its death.
func (d *Daemon) stopServing(endAnswers func()) {
	endAnswers()
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	for _, s := range d.servers {
		if err := s.Shutdown(ctx); err != nil {
			_ = s.Close() // what is cut off here had its time
		}
	}
}

// waitRemove takes everything down when it is asked to.
func (d *Daemon) waitRemove(ctx context.Context) {
	select {
	case <-d.remove:
		d.edge.gates.keep()
		d.insights.handled.end()
		if _, err := d.Faults.Remove(""); err != nil {
			d.o.Log.Error().Err(err).Msg("removing the faults")
		}
		if err := d.Engine.Shutdown(ctx); err != nil && ctx.Err() == nil {
			d.o.Log.Error().Err(err).Msg("shutting down")
		}
	case <-ctx.Done():
	}
}

// removeAll removes what is left of the environment once its apps are gone.
func (d *Daemon) removeAll() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := d.o.Runtime.RemoveEnvironment(ctx, d.o.Environment); err != nil {
		return fmt.Errorf("remove environment %s: %w", d.o.Environment, err)
	}
	d.edge.close()
	d.flushExport()
	if err := d.Logs.Close(); err != nil {
		return err
	}
	return RemoveFiles(d.files, d.o.KeepLogs)
}

// RemoveFiles deletes the files of an environment, all or all but its logs.
func RemoveFiles(e home.Environment, keepLogs bool) error {
	if !keepLogs {
		return e.Remove()
	}
	for _, path := range []string{e.Socket(), e.LogFile(), e.Access(), e.History(), e.Begun(), e.Lock()} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove the files of environment %s: %w", e.Name, err)
		}
	}
	return nil
}

var _ emulator.Router = (*edge)(nil)
var _ emulator.History = history{}
var _ emulator.Logs = follower{}
var _ api.Emulator = (*emulator.Engine)(nil)
