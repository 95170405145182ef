// Package core is the state machine of the emulator: it turns facts into
// orders and does nothing itself.
//
//	facts (Event)                    State                     orders (Effect)
//	SpecChanged, Listed,     ─▶  apps ▶ revisions ▶  ─▶  RunOp, SetProbes, PublishTable,
//	OpFinished, ProbeReported,   replicas ▶ containers   Drain, FollowLogs, EmitSystemLog,
//	DrainFinished, TimerFired…                           SaveApp, Relist, SetTimer…
//
// It knows no Docker, no clock and no goroutine; the same inputs give the same
// outputs, so a simulation can replay it by seed. The random part of names
// comes from the generator given to New.
//
// # One pass
//
// Handle applies the fact, then looks at every app once: it decides which
// revisions are wanted, which replicas each of them should have, and what each
// container should do next, and orders the difference. An order is only given
// when none is in flight for that container; its answer is the next fact.
//
// # What is true
//
// Whether a container runs is known from Listed alone, never from the success
// of an order: an order may fail after it took effect. Every answer therefore
// asks for a new listing. A listing says nothing about containers that were
// touched after it began (Listed.Seq).
package core

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/scale"
)

// Options are the settings of an environment.
type Options struct {
	Environment string
	// User is whom resources belong to, "" when that is not known.
	User string
	// Domain is the default domain of the environment.
	Domain string
	// TimeScale divides the restart back-off and the platform's own
	// deadlines; 1 is real time.
	TimeScale float64
	// ScaleProbes divides the delays and periods of probes, too; their
	// timeouts stay.
	ScaleProbes bool
	// ScaleSteps limits scale-up to the documented steps 1, 4, 8, 16, 32.
	// Captures of running apps show none.
	ScaleSteps bool
	// EnforceEphemeralStorage evicts replicas over their ephemeral storage;
	// without it they are only warned of. Captures of Azure disagree.
	EnforceEphemeralStorage bool
	// DrainGrace bounds the wait for requests in flight before a replica
	// that leaves gets its stop signal.
	DrainGrace time.Duration
}

// State is everything the emulator knows. Handle is its only writer; it must
// not be called concurrently.
type State struct {
	o   Options
	rng *rand.Rand
	now time.Time

	apps         map[string]*app
	routeConfigs map[string]aca.HTTPRouteConfig // by name
	orphans      map[container.Key]*orphan
	observed     map[container.Key]container.Status
	touched      map[container.Key]uint64 // sequence of the last order or answer
	logs         map[container.Key]logState
	listed       bool   // at least one Listed was seen
	listedSeq    uint64 // Seq of the newest Listed
	listings     uint64 // Number of the newest Listed
	closing      bool
	seq          uint64
	lastOp       OpID

	counts   map[countKey]int
	table    string // text of the published table
	tables   uint64
	probes   string
	triggers []scale.Trigger // those that should be read
	timer    time.Time
	drains   []string // replicas that left in this pass
	out      []Effect
}

// New returns the state of an environment in which nothing is known yet.
func New(o Options, rng *rand.Rand) *State {
	if o.TimeScale <= 0 {
		o.TimeScale = 1
	}
	if o.DrainGrace == 0 {
		o.DrainGrace = 30 * time.Second
	}
	return &State{
		o:            o,
		rng:          rng,
		apps:         map[string]*app{},
		routeConfigs: map[string]aca.HTTPRouteConfig{},
		orphans:      map[container.Key]*orphan{},
		observed:     map[container.Key]container.Status{},
		touched:      map[container.Key]uint64{},
		logs:         map[container.Key]logState{},
		counts:       map[countKey]int{},
	}
}

// Handle applies one fact and says what should be done about it. It never
// blocks; calling it again with the same inputs gives the same outputs.
func (s *State) Handle(now time.Time, ev Event) []Effect {
	s.now = now
	s.out = nil
	ev.apply(s)
	s.reconcile()
	return s.out
}

// Seq is the order sequence a listing that begins now has seen.
func (s *State) Seq() uint64 { return s.seq }

func (s *State) emit(e Effect) { s.out = append(s.out, e) }

// reconcile orders the difference between what is wanted and what is there.
func (s *State) reconcile() {
	if !s.listed {
		return // before the first listing nothing is known to be missing
	}
	for _, a := range s.sortedApps() {
		s.reconcileApp(a)
	}
	s.prepareReplicas()
	s.reconcileOrphans()
	s.publishTable()
	s.publishDrains()
	s.publishProbes()
	s.publishTriggers()
	s.publishTimer()
	if s.closing && len(s.apps) == 0 && len(s.orphans) == 0 {
		s.emit(Finished{})
	}
}

func (s *State) sortedApps() []*app {
	out := make([]*app, 0, len(s.apps))
	for _, a := range s.apps {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *app) int { return cmp.Compare(a.spec.Name, b.spec.Name) })
	return out
}

// scaled is one of the platform's own durations in the time of this
// environment.
func (s *State) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.o.TimeScale)
}

// app is one container app: what the user asked for and the revisions made of
// it, oldest first.
type app struct {
	spec       aca.ContainerApp
	hostPort   int
	local      map[string]bool // images that are never pulled
	dirs       Directories
	unresolved []string // references to a key vault without a value
	resiliency *aca.ResiliencyPolicy
	telemetry  aca.EnvironmentTelemetry
	revisions  []*revision
	made       int    // revisions ever made, for the counter in their names
	serving    string // revision that gets the traffic in single mode
	removed    bool
	stopped    bool // by the user, until started again
	updates    bool // controller rows of the last update are still due
	secrets    string
	pending    bool // a changed secret waits for a restart
	created    time.Time
	modified   time.Time // when its definition last changed
}

func (a *app) revision(name string) *revision {
	for _, r := range a.revisions {
		if r.name == name {
			return r
		}
	}
	return nil
}

// latestActive is the newest active revision, the latest one when none is.
func (a *app) latestActive() *revision {
	for _, rev := range slices.Backward(a.revisions) {
		if rev.active {
			return rev
		}
	}
	return a.latest()
}

func (a *app) latest() *revision {
	if len(a.revisions) == 0 {
		return nil
	}
	return a.revisions[len(a.revisions)-1]
}
