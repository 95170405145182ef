package emulator

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/core"
	"github.com/acalocal/acalocal/internal/core/coretest"
)

// edge is a Router that keeps what it is told.
type edge struct {
	mu    sync.Mutex
	table ingress.Table
	ports map[string]int
	taken int // a port somebody else has
	loads []ingress.RevisionLoad
}

func (e *edge) Apply(t ingress.Table) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.table = t
	return t.Validate()
}

func (e *edge) Drain(string) <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

func (e *edge) Listen(app string, port int) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if port == e.taken && port != 0 {
		return 0, errors.New("port is already in use")
	}
	if e.ports[app] == 0 || port != 0 {
		e.ports[app] = max(port, 8081)
	}
	return e.ports[app], nil
}

func (e *edge) Unlisten(app string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.ports, app)
}

func (e *edge) Addr() string       { return "127.0.0.1:8080" }
func (e *edge) SecureAddr() string { return "127.0.0.1:8443" }

func (e *edge) Sever(string) {}

func (e *edge) Stats() []ingress.RevisionLoad {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.loads
}

// endpoints are the replicas the published table names.
func (e *edge) endpoints() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, a := range e.table.Apps {
		for _, rev := range a.Revisions {
			for _, ep := range rev.Endpoints {
				out = append(out, ep.Replica)
			}
		}
	}
	return out
}

// memory is Logs and History that a daemon leaves to the next.
type memory struct {
	coretest.History
	runtime container.Runtime

	mu      sync.Mutex
	rows    []core.SystemLog
	lines   []string
	written func([]core.SystemLog) // called with rows that were just stored, if set
}

func (m *memory) Follow(ctx context.Context, source LogSource) error {
	return containertest.Follow(ctx, m.runtime, source.ID, func(e container.LogEntry) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.lines = append(m.lines, source.Key.Container+": "+string(e.Data))
	})
}

func (m *memory) Append(rows []core.SystemLog) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows = append(m.rows, rows...)
	if m.written != nil {
		m.written(rows)
	}
	return nil
}

// world is a machine on which daemons come and go, in a synctest bubble.
type world struct {
	*testing.T
	runtime     *containertest.Runtime
	memory      *memory
	edge        *edge
	engine      *Engine
	scale       float64 // of the next daemon
	scaleProbes bool
	through     func(container.Runtime) container.Runtime // what stands before the engine, if set
	stop        func()
}

func newWorld(t *testing.T) *world {
	rt := containertest.NewRuntime(map[string]containertest.Program{
		"web:1":    {Listens: []int{8000}, ListenAfter: time.Second, Prints: []string{"hello"}},
		"web:2":    {Listens: []int{8000}, ListenAfter: 2 * time.Second},
		"wrong":    {Listens: []int{3000}},
		"loopback": {Listens: []int{8000}, Loopback: true},
	})
	w := &world{T: t, runtime: rt, memory: &memory{runtime: rt}}
	w.boot()
	return w
}

// boot starts a daemon.
func (w *world) boot() {
	w.edge = &edge{ports: map[string]int{}}
	rt := container.Runtime(w.runtime)
	if w.through != nil {
		rt = w.through(rt)
	}
	w.engine = New(Options{Environment: "local", Domain: "local.localhost", Runtime: rt, Router: w.edge, Logs: w.memory, History: w.memory, TimeScale: w.scale, ScaleProbes: w.scaleProbes})
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan error, 1)
	go func() { done <- w.engine.Run(ctx) }()
	w.stop = func() {
		cancel()
		if err := <-done; err != nil {
			w.Errorf("run: %v", err)
		}
	}
}

func (w *world) app(image string) aca.ContainerApp {
	return aca.ContainerApp{Name: "web", Properties: aca.AppProperties{
		Configuration: aca.Configuration{Ingress: &aca.Ingress{External: true, TargetPort: 8000}},
		Template:      aca.Template{Containers: []aca.Container{{Name: "app", Image: image}}},
	}}
}

func (w *world) apply(image string) Applied {
	w.Helper()
	out, err := w.engine.Apply(w.Context(), ApplyRequest{App: w.app(image)})
	if err != nil {
		w.Fatalf("apply %s: %v", image, err)
	}
	return out
}

// waitFor waits, in virtual time, until the snapshot is as wanted.
func (w *world) waitFor(what string, cond func(*Snapshot) bool) *Snapshot {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 10*time.Minute)
	defer cancel()
	s := w.engine.Snapshot()
	for !cond(s) {
		var err error
		if s, err = w.engine.Watch(ctx, s.Generation); err != nil {
			w.Fatalf("waited in vain until %s: %+v", what, w.engine.Snapshot())
		}
	}
	return s
}

func ready(s *Snapshot) bool { return s.App("web") != nil && s.App("web").Local.Ready }

func inBubble(t *testing.T, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f(w)
		w.stop()
	})
}

func TestAppliedAppBecomesReadyAndIsRouted(t *testing.T) {
	inBubble(t, func(w *world) {
		out := w.apply("web:1")
		if !out.NewRevision || !strings.HasPrefix(out.Revision, "web--") || !strings.Contains(out.Plan, "first revision") {
			w.Errorf("applied %+v", out)
		}
		s := w.waitFor("web is ready", ready)
		if got := s.App("web").Local; got.URL != "http://127.0.0.1:8081" || got.Port != 8081 {
			w.Errorf("local address is %+v", got)
		}
		if got := w.edge.endpoints(); len(got) != 1 || got[0] != s.App("web").Revisions[0].Replicas[0].Name {
			w.Errorf("routed to %v", got)
		}
		w.memory.mu.Lock()
		defer w.memory.mu.Unlock()
		if !slices.Equal(w.memory.lines, []string{"app: hello\n"}) {
			w.Errorf("stored output is %q", w.memory.lines)
		}
	})
}

// Rows are stored before their state is seen, so a reader of rows can be ahead
// of Snapshot; Current is never behind.
func TestCurrentHasWhatTheRowsTellOf(t *testing.T) {
	inBubble(t, func(w *world) {
		states, asked := make(chan *Snapshot, 1), false
		w.memory.written = func(rows []core.SystemLog) {
			if asked || !slices.ContainsFunc(rows, func(r core.SystemLog) bool { return r.Reason == "RevisionReady" }) {
				return
			}
			asked = true
			if ready(w.engine.Snapshot()) {
				w.Error("the state was seen before its row: nothing is shown here")
			}
			go func() {
				s, err := w.engine.Current(w.Context())
				if err != nil {
					w.Error(err)
				}
				states <- s
			}()
		}
		w.apply("web:1")
		if s := <-states; !ready(s) {
			w.Errorf("RevisionReady was read, and then the state %+v", s)
		}
	})
}

func TestCurrentAfterTheEnd(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		w.waitFor("web is ready", ready)
		if err := w.engine.Shutdown(w.Context()); err != nil {
			w.Fatal(err)
		}
		if s, err := w.engine.Current(w.Context()); err != nil || len(s.Apps) != 0 {
			w.Errorf("after the end: %+v, %v", s, err)
		}
		if err := w.engine.Delete(w.Context(), "web"); !errors.Is(err, errEnded) {
			w.Errorf("delete after the end: %v", err)
		}
	})
}

func TestNextDaemonAdoptsWithoutRestart(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		w.waitFor("web is ready", ready)
		before := w.runtime.String()
		w.stop()
		w.boot()
		w.waitFor("web is ready again", ready)
		if out := w.apply("web:1"); out.NewRevision {
			w.Errorf("the same definition made revision %s", out.Revision)
		}
		synctest.Wait()
		if after := w.runtime.String(); after != before {
			w.Errorf("containers changed\nbefore %s\nafter  %s", before, after)
		}
	})
}

func TestShutdownRemovesEverything(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		w.waitFor("web is ready", ready)
		if err := w.engine.Shutdown(w.Context()); err != nil {
			w.Fatal(err)
		}
		if left := w.runtime.String(); left != "" {
			w.Errorf("left behind:\n%s", left)
		}
		if n := w.memory.Apps(); n != 0 || len(w.edge.ports) != 0 {
			w.Errorf("left a history of %d apps and ports %v", n, w.edge.ports)
		}
	})
}

func TestRefusedOperationsAreTriedAgain(t *testing.T) {
	inBubble(t, func(w *world) {
		fails := 3
		w.runtime.Refuse(func(op string, _ container.Key) error {
			if op == "start" && fails > 0 {
				fails--
				return errors.New("the engine is busy")
			}
			return nil
		})
		w.apply("web:1")
		w.waitFor("web is ready", ready)
	})
}

func TestEngineThatHangsIsSurvived(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		w.waitFor("web is ready", ready)
		w.runtime.Refuse(func(string, container.Key) error { return context.DeadlineExceeded })
		time.Sleep(30 * time.Second) // virtual
		if !ready(w.engine.Snapshot()) {
			w.Error("a hanging engine took a healthy app out of rotation")
		}
		w.runtime.Refuse(nil)
		w.apply("web:2")
		w.waitFor("the new revision serves", func(s *Snapshot) bool {
			return len(s.App("web").Revisions) == 2 && s.App("web").Revisions[1].Serving == 100
		})
	})
}

func TestDefinitionsAzureRefusesAreRefused(t *testing.T) {
	inBubble(t, func(w *world) {
		app := w.app("web:1")
		app.Name = "Not--valid"
		_, err := w.engine.Apply(w.Context(), ApplyRequest{App: app})
		var refused *aca.Error
		if !errors.As(err, &refused) || refused.Code != "ContainerAppInvalidName" {
			w.Errorf("got %v", err)
		}
	})
}

func TestUsedSuffixIsRefusedInAzuresWords(t *testing.T) {
	inBubble(t, func(w *world) {
		app := w.app("web:1")
		app.Properties.Template.RevisionSuffix = "blue"
		if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: app}); err != nil {
			w.Fatal(err)
		}
		app.Properties.Template.Containers[0].Image = "web:2"
		_, err := w.engine.Apply(w.Context(), ApplyRequest{App: app})
		if err == nil || !strings.Contains(err.Error(), `'Invalid value: "blue": revision with suffix blue already exists.'`) {
			w.Errorf("got %v", err)
		}
	})
}

func TestCallersReadWhatTheyWrote(t *testing.T) {
	inBubble(t, func(w *world) {
		for _, image := range []string{"web:1", "web:2"} {
			out := w.apply(image)
			if a := w.engine.Snapshot().App("web"); a == nil || a.Properties.LatestRevisionName != out.Revision {
				w.Errorf("after %s was applied the snapshot has %+v, want revision %s", image, a, out.Revision)
			}
		}
	})
}

func TestDryRunChangesNothing(t *testing.T) {
	inBubble(t, func(w *world) {
		out, err := w.engine.Apply(w.Context(), ApplyRequest{App: w.app("web:1"), DryRun: true})
		if err != nil || out.Plan == "" {
			w.Fatalf("%+v %v", out, err)
		}
		synctest.Wait()
		if s := w.engine.Snapshot(); len(s.Apps) != 0 || w.runtime.String() != "" {
			w.Errorf("something happened: %+v", s)
		}
	})
}

func TestTakenPortIsNamed(t *testing.T) {
	inBubble(t, func(w *world) {
		w.edge.taken = 5000
		_, err := w.engine.Apply(w.Context(), ApplyRequest{App: w.app("web:1"), HostPort: 5000})
		if err == nil || !strings.Contains(err.Error(), "already in use") {
			w.Errorf("got %v", err)
		}
	})
}

func TestRestartReplacesReplicasOfTheRevision(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		old := w.waitFor("web is ready", ready).App("web").Revisions[0].Replicas[0].Name
		if err := w.engine.RestartRevision(w.Context(), "web", ""); err != nil {
			w.Fatal(err)
		}
		w.waitFor("only a new replica is there", func(s *Snapshot) bool {
			rs := s.App("web").Revisions[0].Replicas
			return len(rs) == 1 && rs[0].Name != old && rs[0].Ready
		})
		if err := w.engine.RestartRevision(w.Context(), "nobody", ""); err == nil {
			w.Error("restarted an app that does not exist")
		}
	})
}

func TestExecTargetsAreFoundByDefaults(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		s := w.waitFor("web is ready", ready)
		c := s.App("web").Revisions[0].Replicas[0].Properties.Containers[0]
		for _, target := range []ExecTarget{{App: "web"}, {App: "web", Container: "app"}} {
			if id, err := s.locate(target); err != nil || string(id) != c.ContainerID {
				w.Errorf("%+v is %q, %v", target, id, err)
			}
		}
		for _, target := range []ExecTarget{{App: "nobody"}, {App: "web", Container: "side"}, {App: "web", Revision: "web--gone"}} {
			if _, err := s.locate(target); err == nil {
				w.Errorf("%+v was found", target)
			}
		}
	})
}

func TestIdleAppGoesToZeroAndARequestWakesIt(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		w.waitFor("web is ready", ready)
		s := w.waitFor("web is at zero", func(s *Snapshot) bool { return s.App("web").Revisions[0].Properties.RunningState == "ScaledToZero" })
		w.waitFor("its replica is gone", func(s *Snapshot) bool { return len(s.App("web").Revisions[0].Replicas) == 0 })
		w.engine.Demand("web", s.App("web").Revisions[0].Name)
		w.waitFor("web is ready again", ready)
		synctest.Wait() // rows are written beside the loop
		var scaling []string
		w.memory.mu.Lock()
		defer w.memory.mu.Unlock()
		for _, r := range w.memory.rows {
			if strings.HasPrefix(r.Reason, "KEDAScaleTarget") {
				scaling = append(scaling, r.Msg)
			}
		}
		name := s.App("web").Revisions[0].Name
		want := []string{"Deactivated apps/v1.Deployment k8se-apps/" + name + " from 1 to 0", "Scaled apps/v1.Deployment k8se-apps/" + name + " from 0 to 1, triggered by "}
		if !slices.Equal(scaling, want) {
			w.Errorf("rows are %q, want %q", scaling, want)
		}
	})
}

func TestLoadAddsReplicasAtOnceAndTakesThemAwayLate(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		name := w.waitFor("web is ready", ready).App("web").Revisions[0].Name
		w.edge.mu.Lock()
		w.edge.loads = []ingress.RevisionLoad{{App: "web", Revision: name, InFlight: 60}}
		w.edge.mu.Unlock()
		w.waitFor("six replicas", func(s *Snapshot) bool { return len(s.App("web").Revisions[0].Replicas) == 6 })
		w.edge.mu.Lock()
		w.edge.loads[0].InFlight = 0
		w.edge.mu.Unlock()
		begin := time.Now()
		w.waitFor("fewer replicas", func(s *Snapshot) bool { return len(s.App("web").Revisions[0].Replicas) < 6 })
		if took := time.Since(begin); took < 4*time.Minute {
			w.Errorf("replicas were taken away after %s, before the window was over", took)
		}
	})
}
