// Package emulator runs Azure Container Apps on a container engine: the loop
// around the pure core, the workers that carry out its orders, and the Go API
// of an embedded emulator.
//
//	callers ─┐                            ┌─▶ op workers ─▶ container engine
//	probes  ─┤                            ├─▶ router (table, drain)
//	engine  ─┼─▶ mailbox ─▶ loop ─▶ core ─┼─▶ prober (set of targets)
//	timers  ─┤              │             ├─▶ log followers, system rows
//	answers ─┘              └─▶ Snapshot  └─▶ history
//
// The loop is the only one that touches the core. Everything that blocks runs
// beside it and answers through the mailbox, which never blocks its senders.
// Run returns when all it started has returned.
package emulator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/core"
	"github.com/acalocal/acalocal/internal/scale"
	"github.com/acalocal/acalocal/probes"
)

// Router is the edge in front of the apps.
type Router interface {
	// Apply publishes a routing table and returns at once.
	Apply(ingress.Table) error
	// Drain is closed when no request is in flight to a replica that has
	// left the table.
	Drain(replica string) <-chan struct{}
	// Sever closes upgraded and raw connections to a replica.
	Sever(replica string)
	// Listen opens the loopback port that stands for an app's https
	// address, or keeps the one it has. Port 0 lets it choose.
	Listen(app string, port int) (int, error)
	// Unlisten closes it.
	Unlisten(app string)
	// Addr is the address of the listener that stands for port 80.
	Addr() string
	// SecureAddr is the address of the listener that stands for port 443.
	SecureAddr() string
	// Stats is the load of every revision now.
	Stats() []ingress.RevisionLoad
}

// LogSource is a container whose output is to be stored.
type LogSource struct {
	Key   container.Key
	ID    container.ID
	Image string
}

// Logs is where output and the platform's own rows go.
type Logs interface {
	// Follow stores a container's output, from where storing it last
	// stopped, and returns when it ended and all of it is stored.
	Follow(ctx context.Context, source LogSource) error
	// Append stores rows of the platform, in order. It does not keep the
	// slice.
	Append([]core.SystemLog) error
}

// History keeps apps over the life of the daemon.
type History interface {
	Load() ([]core.SavedApp, error)
	Save(core.SavedApp) error
	Forget(app string) error
	// LoadRouteConfigs and SaveRouteConfigs keep the route configs of the
	// environment, all of them at once; saving none forgets them.
	LoadRouteConfigs() ([]aca.HTTPRouteConfig, error)
	SaveRouteConfigs([]aca.HTTPRouteConfig) error
}

// Triggers reads the metrics of scale rules that the edge does not know.
type Triggers interface {
	// Set replaces the triggers that should be read. It never blocks.
	Set([]scale.Trigger)
	// Run reads them, each at its interval and once at once, until ctx is
	// done. Report may be called concurrently.
	Run(ctx context.Context, report func(scale.TriggerReport))
}

// Options are what an Engine is made of. Runtime, Router, Logs and History are
// required.
type Options struct {
	Environment string
	Domain      string
	// User is whom resources belong to, "" when that is not known.
	User string
	// API is the base URL of the local API, for Snapshots; may be "".
	API string

	Runtime container.Runtime
	Router  Router
	Logs    Logs
	History History
	// AwaitNames returns when containers can call the names there are by now. It
	// is called before each start of a container of an app, and bounds its own
	// time. nil waits for nothing.
	AwaitNames func(context.Context)
	// Triggers reads scale rules beyond HTTP and TCP; nil reads none.
	Triggers Triggers
	// ScaleSteps limits scale-up to the documented steps 1, 4, 8, 16, 32.
	ScaleSteps bool
	// EnforceEphemeralStorage evicts replicas over their ephemeral storage
	// instead of warning of them.
	EnforceEphemeralStorage bool
	// Checker, when set, returns what makes the attempts of probes in the place
	// of the one it is given.
	Checker func(probes.Checker) probes.Checker
	// TimeScale divides the platform's own timers; 0 is 1.
	TimeScale float64
	// ScaleProbes divides the delays and periods of probes, too.
	ScaleProbes bool
	// Rand draws names; nil takes a random seed.
	Rand *rand.Rand
	Log  zerolog.Logger
}

// Engine is one running environment. All methods may be called concurrently;
// those that ask for something need Run to be running.
type Engine struct {
	o       Options
	state   *core.State // touched by the loop only
	mail    *mailbox
	rows    []core.SystemLog // of this pass, loop only
	prober  *probes.Prober
	tries   attempts
	workers sync.WaitGroup
	ops     chan struct{} // bounds the operations under way

	mu       sync.Mutex
	holders  map[string]container.ID // running holder by replica, guarded by mu
	snapshot atomic.Pointer[Snapshot]
	news     chan struct{} // closed at the next Snapshot, guarded by mu

	watches  map[string]context.CancelFunc // of starting replicas, loop only
	listings uint64                        // that have answered, loop only
	listing  bool                          // a listing is under way, loop only
	again    bool                          // another one was asked for meanwhile, loop only
	timer    *time.Timer
	finished bool          // everything is removed, loop only
	ended    chan struct{} // closed when Run has returned
}

// maxOps bounds the operations under way at the container engine. Pulls do
// not count: they are long, and the engine bounds them itself.
const maxOps = 8

// resyncEvery is how often the engine is listed without a hint. Hints may be
// lost; this is what makes that harmless.
const resyncEvery = 10 * time.Second

// New returns an environment that has not begun to run.
func New(o Options) *Engine {
	if o.TimeScale == 0 {
		o.TimeScale = 1
	}
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	e := &Engine{
		o: o,
		state: core.New(core.Options{
			Environment: o.Environment, User: o.User, Domain: o.Domain, TimeScale: o.TimeScale, ScaleProbes: o.ScaleProbes, ScaleSteps: o.ScaleSteps,
			EnforceEphemeralStorage: o.EnforceEphemeralStorage,
		}, o.Rand),
		mail:    newMailbox(),
		ops:     make(chan struct{}, maxOps),
		holders: map[string]container.ID{},
		watches: map[string]context.CancelFunc{},
		news:    make(chan struct{}),
		ended:   make(chan struct{}),
		timer:   time.NewTimer(time.Hour),
	}
	e.timer.Stop()
	checker := probes.Checker(e)
	if o.Checker != nil {
		checker = o.Checker(checker)
	}
	e.prober = probes.New(checker, func(r probes.Report) { e.post(core.ProbeReported{Report: r}) })
	e.prober.Attempt = e.tries.add
	e.snapshot.Store(&Snapshot{Environment: o.Environment, Domain: o.Domain, Edge: o.Router.Addr(), SecureEdge: o.Router.SecureAddr(), API: o.API})
	return e
}

// Run runs the environment until ctx is done, which leaves everything running
// for the next daemon, or until Shutdown has taken everything down. It adopts
// what an earlier daemon left. It returns an error when the container engine
// cannot be reached at the start.
func (e *Engine) Run(ctx context.Context) error {
	if err := e.recover(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer close(e.ended)
	defer e.workers.Wait()
	defer cancel()
	e.start(func() { _ = e.prober.Run(ctx) }) // ends with ctx, which is no news
	e.start(func() { e.readHints(ctx) })
	e.start(func() { e.reportLoad(ctx) })
	e.start(func() { e.reportDisk(ctx) })
	if e.o.Triggers != nil {
		e.start(func() {
			e.o.Triggers.Run(ctx, func(r scale.TriggerReport) { e.post(core.TriggerRead{Report: r}) })
		})
	}
	resync := time.NewTicker(resyncEvery)
	defer resync.Stop()
	for !e.finished {
		select {
		case <-ctx.Done():
			return nil
		case <-e.mail.ready:
			e.mail.run(ctx)
			e.publish()
		case <-e.timer.C:
			e.handle(ctx, core.TimerFired{})
			e.publish()
		case <-resync.C:
			e.relist(ctx)
		}
	}
	return nil
}

// recover brings back what was saved and what runs, before anything is asked.
func (e *Engine) recover(ctx context.Context) error {
	if err := e.o.Runtime.EnsureEnvironment(ctx, e.o.Environment); err != nil {
		return err
	}
	saved, err := e.o.History.Load()
	if err != nil {
		e.o.Log.Warn().Err(err).Msg("history is not readable, rebuilding it from the container engine")
	}
	routeConfigs, err := e.o.History.LoadRouteConfigs()
	if err != nil {
		e.o.Log.Warn().Err(err).Msg("the saved route configs are not readable")
	}
	statuses, err := e.o.Runtime.List(ctx, e.o.Environment)
	if err != nil {
		return fmt.Errorf("list the containers of environment %s: %w", e.o.Environment, err)
	}
	for i := range saved {
		if saved[i].HostPort != 0 {
			e.reopen(&saved[i])
		}
	}
	e.noteHolders(statuses)
	e.post(core.Recovered{Apps: saved, RouteConfigs: routeConfigs})
	e.post(core.Listed{Statuses: statuses, Seq: e.state.Seq()})
	return nil
}

// reopen takes the loopback port an app had before, or another one when that
// is taken now.
func (e *Engine) reopen(app *core.SavedApp) {
	port, err := e.o.Router.Listen(app.App.Name, app.HostPort)
	if err != nil {
		port, err = e.o.Router.Listen(app.App.Name, 0)
	}
	if err != nil {
		e.o.Log.Error().Err(err).Str("app", app.App.Name).Msg("no loopback port for the app")
		return
	}
	app.HostPort = port
}

// start runs work beside the loop; Run waits for it.
func (e *Engine) start(work func()) {
	e.workers.Go(work)
}

// post gives a fact to the loop. It never blocks.
func (e *Engine) post(ev core.Event) {
	e.mail.put(func(ctx context.Context) { e.handle(ctx, ev) })
}

// handle lets the core decide and carries out its orders.
func (e *Engine) handle(ctx context.Context, ev core.Event) {
	for _, effect := range e.state.Handle(time.Now(), ev) {
		e.carryOut(ctx, effect)
	}
}

// readHints turns what the engine tells into listings. When the engine goes
// away it asks again until it is back.
func (e *Engine) readHints(ctx context.Context) {
	for delay := time.Duration(0); ctx.Err() == nil; delay = min(delay*2+100*time.Millisecond, 5*time.Second) {
		hints, err := e.o.Runtime.Events(ctx, e.o.Environment)
		if err != nil {
			e.o.Log.Debug().Err(err).Msg("the container engine sends no events")
			pause(ctx, delay)
			continue
		}
		delay = 0
		e.askListing()
		for hint := range hints {
			if hint.OOM {
				e.post(core.OOMSeen{Key: hint.Key})
			}
			e.askListing()
		}
	}
}

// reportLoad tells the core every decision interval what the edge saw.
func (e *Engine) reportLoad(ctx context.Context) {
	interval := time.Duration(float64(scale.Interval) / e.o.TimeScale)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	finished := map[string]uint64{} // by revision, at the report before
	for {
		select {
		case <-tick.C:
			e.post(core.LoadReported{Interval: interval, Loads: loadsOf(e.o.Router.Stats(), finished)})
		case <-ctx.Done():
			return
		}
	}
}

// loadsOf turns counts since the start into counts since the report before.
func loadsOf(stats []ingress.RevisionLoad, finished map[string]uint64) []core.Load {
	var out []core.Load
	for _, l := range stats {
		out = append(out, core.Load{App: l.App, Revision: l.Revision, Finished: l.Finished - finished[l.Revision], InFlight: l.InFlight})
		finished[l.Revision] = l.Finished
	}
	return out
}

// Demand says that a request waits for a revision without a ready replica. It
// never blocks.
func (e *Engine) Demand(app, revision string) {
	e.post(core.DemandSeen{App: app, Revision: revision})
}

// pause is a back-off between attempts.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (e *Engine) askListing() { e.mail.put(e.relist) }

// relist begins a listing, or notes that one more is wanted when one is under
// way. Loop only.
func (e *Engine) relist(ctx context.Context) {
	if e.listing {
		e.again = true
		return
	}
	e.listing, e.again = true, false
	seq := e.state.Seq()
	e.start(func() {
		listCtx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		statuses, err := e.o.Runtime.List(listCtx, e.o.Environment)
		e.mail.put(func(ctx context.Context) {
			e.listing = false
			if err != nil {
				e.o.Log.Warn().Err(err).Msg("the container engine cannot be listed")
			} else {
				e.noteHolders(statuses)
				e.listings++ // one at a time: they look in the order in which they answer
				e.handle(ctx, core.Listed{Statuses: statuses, Seq: seq, Number: e.listings})
			}
			if e.again {
				e.relist(ctx)
			}
		})
	})
}

// noteHolders remembers which holder runs the agent of which replica.
func (e *Engine) noteHolders(statuses []container.Status) {
	holders := map[string]container.ID{}
	for _, st := range statuses {
		if st.Key.Role == container.RoleHolder && st.State == container.Running {
			holders[st.Key.Replica] = st.ID
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.holders = holders
}

// mailbox is the inbox of the loop. Putting never blocks; what needs bounding
// is bounded by its senders: one answer per operation, one report per probe
// attempt, one listing at a time.
type mailbox struct {
	ready chan struct{}

	mu    sync.Mutex
	items []func(context.Context) // guarded by mu
}

func newMailbox() *mailbox { return &mailbox{ready: make(chan struct{}, 1)} }

func (m *mailbox) put(item func(context.Context)) {
	m.mu.Lock()
	m.items = append(m.items, item)
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default: // the loop is told already
	}
}

// run runs what was put so far, in order.
func (m *mailbox) run(ctx context.Context) {
	for _, item := range m.take() {
		item(ctx)
	}
}

func (m *mailbox) take() []func(context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := m.items
	m.items = nil
	return items
}
