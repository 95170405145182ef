// Package sim runs the core against a simulated machine in virtual time.
//
// Everything is drawn from one seed and runs on one goroutine: the same seed
// gives the same trace. Facts travel with delays; orders fail, or fail after
// they took effect; hints are lost, doubled and late; containers end or are
// removed by hand; probes flap; the user changes his mind; and the daemon dies
// between any two steps, so that the next one knows only what the engine and
// the saved apps tell. After every step the invariants are checked, and when
// the faults stop everything must come to rest in the right place.
package sim

import (
	"container/heap"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/core"
	"github.com/acalocal/acalocal/internal/scale"
	"github.com/acalocal/acalocal/probes"
)

// Env is the name of the simulated environment.
const Env = "sim"

// Sim is one simulated machine with one daemon.
type Sim struct {
	Faults bool     // draw faults
	Silent bool     // keep no trace
	Trace  []string // one line per fact, order and act of the user

	rng   *rand.Rand
	now   time.Time
	queue queue
	ties  uint64
	life  int // counts the daemon's lives; what belongs to an earlier one is dropped

	// Metric is what every trigger reads, unless it is Broken.
	Metric float64
	Broken bool

	world        *containertest.World
	state        *core.State
	disk         map[string]core.SavedApp
	routeConfigs []aca.HTTPRouteConfig       // on disk
	wanted       map[string]aca.ContainerApp // what the user last asked for
	taken        map[string]bool             // apps of which the user took something down since
	table        ingress.Table
	probes       map[probes.Key]*probe
	triggers     map[scale.TriggerKey]*trigger
	proved       map[probes.Key]proof
	follow       map[container.Key]bool
	timer        time.Time
	errors       []string
	orders       int
	listings     uint64
	ends         time.Time     // when the work at hand will be over
	hangs        time.Time     // until then the engine answers nobody
	skew         time.Duration // of the clock on the wall, since jumped
	jumped       time.Time
	done         bool
}

// proof is the last crossed threshold the core was told of.
type proof struct {
	generation int
	edge       probes.Edge
}

// New returns a machine with the given images and a fresh daemon.
func New(seed uint64, images map[string]containertest.Program) *Sim {
	s := &Sim{
		rng:    rand.New(rand.NewPCG(seed, 0x5eed)),
		now:    time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC),
		world:  containertest.NewWorld(images),
		disk:   map[string]core.SavedApp{},
		wanted: map[string]aca.ContainerApp{},
		taken:  map[string]bool{},
	}
	s.boot()
	return s
}

// boot starts a daemon that knows what the disk and the engine tell, and that
// the user's next "up" brings the definitions back.
func (s *Sim) boot() {
	s.life++
	s.state = core.New(core.Options{Environment: Env, Domain: "sim.localhost"}, rand.New(rand.NewPCG(s.rng.Uint64(), 1)))
	s.table = ingress.Table{}
	s.probes = map[probes.Key]*probe{}
	s.triggers = map[scale.TriggerKey]*trigger{}
	s.proved = map[probes.Key]proof{}
	s.follow = map[container.Key]bool{}
	s.timer = time.Time{}
	var saved []core.SavedApp
	for _, name := range slices.Sorted(maps.Keys(s.disk)) {
		saved = append(saved, s.disk[name])
	}
	s.handle(core.Recovered{Apps: saved, RouteConfigs: s.routeConfigs})
	s.handle(core.Listed{Statuses: s.world.List(Env), Seq: s.state.Seq()})
	for _, name := range slices.Sorted(maps.Keys(s.wanted)) {
		s.handle(core.SpecChanged{App: s.wanted[name]})
	}
	s.resync()
}

// Crash kills the daemon and starts the next one.
func (s *Sim) Crash() {
	s.note("the daemon dies")
	s.boot()
}

// resync lists now and then without a hint.
func (s *Sim) resync() {
	s.after(10*time.Second, func() { s.relist(); s.resync() })
}

// Apply is "up" with a definition.
func (s *Sim) Apply(app aca.ContainerApp) {
	s.wanted[app.Name] = app
	delete(s.taken, app.Name)
	s.handle(core.SpecChanged{App: app})
}

// Remove is "delete" of an app.
func (s *Sim) Remove(app string) {
	delete(s.wanted, app)
	s.handle(core.SpecRemoved{App: app})
}

// Restart restarts the latest revision of an app.
func (s *Sim) Restart(app string) {
	for _, a := range s.state.View(s.wall()) {
		if a.Resource.Name == app {
			s.handle(core.RestartRequested{App: app, Revision: a.Resource.Properties.LatestRevisionName})
		}
	}
}

// Activate is "revision activate" or "deactivate".
func (s *Sim) Activate(app, revision string, active bool) {
	s.taken[app] = s.taken[app] || !active
	s.handle(core.ActivationRequested{App: app, Revision: revision, Active: active})
}

// SetRunning stops or starts an app.
func (s *Sim) SetRunning(app string, running bool) {
	s.taken[app] = s.taken[app] || !running
	s.handle(core.RunningRequested{App: app, Running: running})
}

// Shutdown is "down".
func (s *Sim) Shutdown() {
	clear(s.wanted)
	s.handle(core.ShutdownRequested{})
}

// Hang lets the engine answer nobody for d; what was asked is done then.
func (s *Sim) Hang(d time.Duration) {
	s.note("the engine hangs for %s", d)
	s.hangs = s.now.Add(d)
}

// EngineDies ends all containers at once, and lets the engine be away for d.
func (s *Sim) EngineDies(d time.Duration) {
	s.note("the engine dies with all containers")
	for _, st := range s.world.List(Env) {
		s.world.Kill(s.now, st.ID)
	}
	s.Hang(d)
}

// Jump sets the clock on the wall, which the daemon and the engine read. Timers
// that run are not moved.
func (s *Sim) Jump(d time.Duration) {
	s.note("the clock jumps by %s", d)
	s.skew, s.jumped = s.skew+d, s.now
}

// wall is what the clock on the wall shows.
func (s *Sim) wall() time.Time { return s.now.Add(s.skew) }

// onWall is a moment as the engine tells it: by the clock of that moment.
func (s *Sim) onWall(t time.Time) time.Time {
	if s.skew == 0 || t.IsZero() || !t.After(s.jumped) {
		return t
	}
	return t.Add(s.skew)
}

// waits is how long the engine still hangs.
func (s *Sim) waits() time.Duration { return max(s.hangs.Sub(s.now), 0) }

// View is what the daemon would show now.
func (s *Sim) View() []core.AppView { return s.state.View(s.wall()) }

// Table is the routing published last.
func (s *Sim) Table() ingress.Table { return s.table }

// World is the machine.
func (s *Sim) World() *containertest.World { return s.world }

// Now is the virtual time.
func (s *Sim) Now() time.Time { return s.now }

// Errors are the broken invariants so far.
func (s *Sim) Errors() []string { return s.errors }

func (s *Sim) note(format string, args ...any) {
	if s.Silent {
		return
	}
	line := s.now.Format("15:04:05.000 ") + fmt.Sprintf(format, args...)
	s.Trace = append(s.Trace, line)
}

// handle gives one fact to the core, carries out its orders and checks that
// nothing is broken.
func (s *Sim) handle(ev core.Event) {
	if !s.Silent {
		s.note("fact  %T %s", ev, factText(ev))
	}
	for _, e := range s.state.Handle(s.wall(), ev) {
		s.carryOut(e)
	}
	for _, broken := range s.state.Broken() {
		s.fail("%s", broken)
	}
}

func (s *Sim) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.note("BROKEN %s", text)
	s.errors = append(s.errors, text)
}

// Run lets d of virtual time pass.
func (s *Sim) Run(d time.Duration) {
	end := s.now.Add(d)
	for len(s.errors) == 0 && s.step(end) {
	}
	s.now = end
}

// RunUntil lets time pass until cond holds, at most limit, and says whether
// it came to hold.
func (s *Sim) RunUntil(limit time.Duration, cond func() bool) bool {
	end := s.now.Add(limit)
	for !cond() {
		if len(s.errors) > 0 || !s.step(end) {
			return cond()
		}
	}
	return true
}

// step does the next thing that is due, if it is before end.
func (s *Sim) step(end time.Time) bool {
	next := s.world.Next()
	if len(s.queue) > 0 && (next.IsZero() || s.queue[0].at.Before(next)) {
		next = s.queue[0].at
	}
	if next.IsZero() || next.After(end) {
		return false
	}
	if next.After(s.now) {
		s.now = next
	}
	if s.world.Advance(s.now) {
		s.hint()
		return true
	}
	it := heap.Pop(&s.queue).(item)
	if it.life == s.life || it.always {
		it.do()
	}
	return true
}

// after schedules what belongs to this life of the daemon.
func (s *Sim) after(d time.Duration, do func()) { s.push(item{at: s.now.Add(d), life: s.life, do: do}) }

// afterAnyway schedules what the machine does, whoever asked for it.
func (s *Sim) afterAnyway(d time.Duration, do func()) {
	s.push(item{at: s.now.Add(d), always: true, do: do})
}

func (s *Sim) push(it item) {
	s.ties++
	it.tie = s.rng.Uint64()<<20 | s.ties&0xfffff
	heap.Push(&s.queue, it)
}

// item is something that will happen.
type item struct {
	at     time.Time
	tie    uint64 // drawn from the seed, so things of one moment come in any order
	life   int
	always bool
	do     func()
}

type queue []item

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].tie < q[j].tie
	}
	return q[i].at.Before(q[j].at)
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(item)) }
func (q *queue) Pop() any {
	old := *q
	it := old[len(old)-1]
	*q = old[:len(old)-1]
	return it
}

func factText(ev core.Event) string {
	switch e := ev.(type) {
	case core.OpFinished:
		return fmt.Sprintf("#%d %v", e.Op, e.Err)
	case core.SpecChanged:
		return e.App.Name
	case core.TriggerRead:
		return fmt.Sprintf("%s %s %v %s", e.Report.Revision, e.Report.Rule, e.Report.Sample.Value, e.Report.Err)
	case core.ProbeReported:
		return fmt.Sprintf("%s/%s %s %s edge=%s", e.Report.Target.Replica, e.Report.Target.Container, e.Report.Target.Kind, e.Report.Result.Outcome, e.Report.Edge)
	case core.Listed:
		var lines []string
		for _, st := range e.Statuses {
			lines = append(lines, fmt.Sprintf("%s=%s", st.Key.Name(""), st.State))
		}
		return strings.Join(lines, " ")
	}
	return ""
}
