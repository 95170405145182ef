package probes

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Prober keeps one worker for each probe that should be running.
type Prober struct {
	// Attempt, when set before Run, is told of every attempt, also of those
	// that succeed and cross nothing, before the report of the same attempt.
	// It is called as report is.
	Attempt func(Report)

	checker Checker
	report  func(Report)

	changed chan struct{} // holds one token while want is newer than what runs

	mu     sync.Mutex
	want   []Target            // guarded by mu
	nudged map[string]struct{} // replicas, guarded by mu
}

// New returns a Prober that makes its attempts with c and tells report about
// them.
//
// report is called from the worker of its target: reports of one Key come one
// at a time and in order, those of different Keys concurrently. A slow report
// delays that probe and no other. The report that startup has passed returns
// before the other probes of that container begin.
func New(c Checker, report func(Report)) *Prober {
	return &Prober{checker: c, report: report, changed: make(chan struct{}, 1)}
}

// Set replaces the list of probes that should be running. Those in both the old
// and the new list go on undisturbed, counters and all; one whose Generation,
// StartedAt, Check, times or thresholds differ begins anew.
//
// Set never blocks, may be called before Run and from any goroutine, a report
// included. The list is copied; what Check points to must not change. A report
// that was under way for a probe no longer listed may still come after Set has
// returned; its Generation tells. Of two targets with one Key the last counts.
func (p *Prober) Set(targets []Target) {
	p.mu.Lock()
	p.want = slices.Clone(targets)
	p.mu.Unlock()
	p.signal()
}

func (p *Prober) signal() {
	select {
	case p.changed <- struct{}{}:
	default: // a token is there: the loop has yet to look, and will see what is new
	}
}

// Nudge asks for one early attempt of every startup and readiness probe of a
// replica that has not passed: something has begun to listen there, so waiting
// for the next tick would only cost time. The attempt counts only when it
// succeeds, and comes before the probe's initial delay only when the target is
// Eager. Nudge never blocks; of several in a row some may be one.
func (p *Prober) Nudge(replica string) {
	p.mu.Lock()
	if p.nudged == nil {
		p.nudged = map[string]struct{}{}
	}
	p.nudged[replica] = struct{}{}
	p.mu.Unlock()
	p.signal()
}

// Run probes until ctx ends; it returns nil when every worker has returned.
// Call it once.
func (p *Prober) Run(ctx context.Context) error {
	ws := newWorkerSet(p.checker, p.report)
	ws.attempt = p.Attempt
	defer ws.wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.changed:
			want, nudged := p.wanted()
			ws.reconcile(ctx, want)
			ws.nudge(nudged)
		}
	}
}

func (p *Prober) wanted() ([]Target, map[string]struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	nudged := p.nudged
	p.nudged = nil
	return p.want, nudged
}

// workerSet is what runs. It belongs to the goroutine of Prober.Run.
type workerSet struct {
	checker Checker
	report  func(Report)
	attempt func(Report) // nil when nobody asks
	workers map[Key]*worker
	gates   map[containerKey]*gate
	running sync.WaitGroup
}

// containerKey names one generation of one container.
type containerKey struct {
	replica, container string
	generation         int
	startedAt          time.Time
}

func newWorkerSet(c Checker, report func(Report)) *workerSet {
	return &workerSet{
		checker: c, report: report,
		workers: map[Key]*worker{}, gates: map[containerKey]*gate{},
	}
}

func (s *workerSet) wait() { s.running.Wait() }

// nudge wakes the workers of some replicas.
func (s *workerSet) nudge(replicas map[string]struct{}) {
	for key, w := range s.workers {
		if _, ok := replicas[key.Replica]; !ok {
			continue
		}
		select {
		case w.nudge <- struct{}{}:
		default: // it is awake already
		}
	}
}

// reconcile makes the workers those that targets ask for.
func (s *workerSet) reconcile(ctx context.Context, targets []Target) {
	want := make(map[Key]Target, len(targets))
	for _, t := range targets {
		want[t.Key] = t
	}
	s.setGates(want)
	for key, w := range s.workers {
		if t, ok := want[key]; !ok || !stays(t) || !sameProbe(t, w.target) {
			w.stop()
		}
		if w.returned() && w.stopped {
			delete(s.workers, key)
		}
	}
	for key, t := range want {
		if old := s.workers[key]; stays(t) && (old == nil || old.stopped) {
			s.start(ctx, t, old)
		}
	}
}

// start begins t's worker. old, if there is one, has been told to stop but may
// still be about its last attempt.
func (s *workerSet) start(ctx context.Context, t Target, old *worker) {
	ctx, cancel := context.WithCancel(ctx)
	w := &worker{
		target: t, checker: s.checker, report: s.report, observe: s.attempt,
		gate:    s.gates[generationOf(t)],
		tracker: NewTracker(t.Kind, t.Success, t.Failure),
		nudge:   make(chan struct{}, 1),
		cancel:  cancel, done: make(chan struct{}),
	}
	var before <-chan struct{}
	if old != nil {
		before = old.done
	}
	s.workers[t.Key] = w
	s.running.Go(func() {
		defer cancel()
		w.run(ctx, before)
	})
}

// setGates keeps one gate per generation: shut while a startup probe is listed
// that has not passed, open when none is. A replica under deletion keeps its
// startup probe in the list, and so its gate as it was.
func (s *workerSet) setGates(want map[Key]Target) {
	guarded := map[containerKey]bool{}
	for _, t := range want {
		g := generationOf(t)
		guarded[g] = guarded[g] || t.Kind == Startup
	}
	for g := range s.gates {
		if _, ok := guarded[g]; !ok {
			delete(s.gates, g)
		}
	}
	for g, isGuarded := range guarded {
		if s.gates[g] == nil {
			s.gates[g] = newGate()
		}
		if !isGuarded {
			s.gates[g].open()
		}
	}
}

func generationOf(t Target) containerKey {
	// UTC without a monotonic reading, so that equal instants are equal keys.
	return containerKey{t.Replica, t.Container, t.Generation, t.StartedAt.Round(0).UTC()}
}

// stays says whether a probe runs at all: of a replica under deletion only
// readiness goes on.
func stays(t Target) bool { return !t.Deleting || t.Kind == Readiness }
