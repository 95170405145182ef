package sim

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/core"
)

var (
	seeds = flag.Uint64("seeds", 40, "how many seeds each of the tests of seeds runs")
	first = flag.Uint64("seed", 1, "the first of the seeds; with -seeds 1 and -v it prints the trace")
)

// images are what the simulated apps are made of.
func images() map[string]containertest.Program {
	return map[string]containertest.Program{
		"good:1":  {Listens: []int{8000}, ListenAfter: 2 * time.Second},
		"good:2":  {Listens: []int{8000}, ListenAfter: 4 * time.Second},
		"deaf":    {Listens: []int{8000}, IgnoresStop: true},
		"wrong":   {Listens: []int{3000}},
		"crash":   {ExitAfter: time.Second, ExitCode: 1},
		"broken":  {Broken: `exec: "python": executable file not found in $PATH: unknown`},
		"migrate": {ExitAfter: 3 * time.Second},
		"sidecar": {},
	}
}

func num(n int) *int { return &n }

// flask is the app users start from, of a given image.
func flask(name, image string) aca.ContainerApp {
	return aca.ContainerApp{Name: name, Properties: aca.AppProperties{
		Configuration: aca.Configuration{
			ActiveRevisionsMode: aca.Single,
			Ingress:             &aca.Ingress{External: true, TargetPort: 8000, Transport: aca.TransportAuto},
		},
		Template: aca.Template{
			Containers: []aca.Container{{Name: "app", Image: image, Resources: &aca.Resources{CPU: 0.5, Memory: "1Gi"}}},
			Scale:      &aca.Scale{MinReplicas: num(1), MaxReplicas: num(3)},
		},
	}}
}

func TestFirstDeploymentBecomesReadyAndIsRouted(t *testing.T) {
	s := New(1, images())
	s.Apply(flask("web", "good:1"))
	if !s.RunUntil(time.Minute, func() bool { return s.ready("web") }) {
		t.Fatalf("web is not ready after a minute:\n%s", s.text())
	}
	a := s.View()[0].Revisions[0]
	if got := a.Resource.Properties; got.RunningState != "Running" || got.HealthState != "Healthy" || got.ProvisioningState != "Provisioned" {
		t.Errorf("states are %s/%s/%s", got.ProvisioningState, got.RunningState, got.HealthState)
	}
	s.check(t)
}

// The rows of a first deployment come in the captured order: the controller is
// done before anything runs, and there is no RevisionCreation.
func TestFirstDeploymentWritesRowsInCapturedOrder(t *testing.T) {
	s := New(2, images())
	s.Apply(flask("web", "good:1"))
	s.RunUntil(time.Minute, func() bool { return s.ready("web") })
	want := []string{
		"RollingRevisionCompleted", "KEDAScalersStarted", "KEDAScalersStarted", "KEDAScalersStarted", "AssigningReplica",
		"RevisionUpdate", "RevisionUpdate", "RevisionDeactivating", "ContainerAppReady",
		"PullingImage", "PulledImage", "ContainerCreated", "ContainerStarted",
	}
	var got []string
	for _, reason := range s.reasons() {
		if reason != "ProbeFailed" && len(got) < len(want) {
			got = append(got, reason)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("rows\n got %v\nwant %v", got, want)
	}
}

func TestFailingRevisionNeverTakesTrafficFromTheOldOne(t *testing.T) {
	for _, image := range []string{"wrong", "crash", "broken", "missing"} {
		t.Run(image, func(t *testing.T) {
			s := New(3, images())
			s.Apply(flask("web", "good:1"))
			s.RunUntil(time.Minute, func() bool { return s.ready("web") })
			old := s.View()[0].Revisions[0].Resource.Name
			s.Apply(flask("web", image))
			s.Run(20 * time.Minute)
			v := s.View()[0]
			if len(v.Revisions) != 2 || v.Revisions[0].Serving != 100 || !v.Ready {
				t.Fatalf("the old revision %s does not serve:\n%s", old, s.text())
			}
			failed := v.Revisions[1].Resource.Properties
			if failed.RunningState != "Failed" || failed.HealthState != "Unhealthy" || failed.TrafficWeight != 100 {
				t.Errorf("new revision is %+v", failed)
			}
			if v.Resource.Properties.LatestReadyRevisionName != old {
				t.Errorf("latestReadyRevisionName is %s, want %s", v.Resource.Properties.LatestReadyRevisionName, old)
			}
			s.check(t)
		})
	}
}

// TestSidecarThatEndsAtOnceTakesNoTraffic: it has no probe, so nothing but its
// running says that it is ready, and for a moment it does run.
func TestSidecarThatEndsAtOnceTakesNoTraffic(t *testing.T) {
	all := images()
	all["brief"] = containertest.Program{ExitAfter: 200 * time.Millisecond, ExitCode: 3}
	s := New(41, all)
	s.Apply(flask("web", "good:1"))
	s.RunUntil(time.Minute, func() bool { return s.ready("web") })
	app := flask("web", "good:1")
	side := app.Properties.Template.Containers[0]
	side.Name, side.Image, side.Probes = "side", "brief", nil
	app.Properties.Template.Containers = append(app.Properties.Template.Containers, side)
	s.Apply(app)
	for range 200 {
		s.Run(100 * time.Millisecond)
		if v := s.View()[0]; len(v.Revisions) > 1 && v.Revisions[1].Serving != 0 {
			t.Fatalf("the new revision serves:\n%s", s.text())
		}
	}
	if p := s.View()[0].Revisions[1].Resource.Properties; p.RunningState != "Failed" || p.RunningStateDetails != "1/1 Container crashing: side" {
		t.Errorf("the revision is %s %q", p.RunningState, p.RunningStateDetails)
	}
	s.check(t)
}

// TestInitContainerRunsFromItsStart: no traffic waits for a look at it, and it
// may run for long.
func TestInitContainerRunsFromItsStart(t *testing.T) {
	all := images()
	all["migrate"] = containertest.Program{ExitAfter: time.Minute}
	s := New(42, all)
	app := flask("web", "good:1")
	app.Properties.Template.InitContainers = []aca.Container{{Name: "migrate", Image: "migrate"}}
	s.Apply(app)
	init := func() aca.ReplicaContainer {
		if revs := s.View()[0].Revisions; len(revs) > 0 && len(revs[0].Replicas) > 0 {
			return revs[0].Replicas[0].Resource.Properties.InitContainers[0]
		}
		return aca.ReplicaContainer{}
	}
	if !s.RunUntil(40*time.Second, func() bool { return init().RunningState == "Running" }) {
		t.Fatalf("%+v\n%s", init(), s.text())
	}
	s.Run(10 * time.Second)
	if got := init(); got.RunningState != "Running" || !got.Started {
		t.Errorf("got %+v", got)
	}
	s.check(t)
}

func TestCrashLoopWaitsTheCapturedBackOff(t *testing.T) {
	s := New(4, images())
	s.Apply(flask("web", "crash"))
	s.Run(30 * time.Minute)
	var ends, pulls []time.Time
	for _, line := range s.Trace {
		at, _ := time.Parse("15:04:05.000", line[:12])
		switch {
		case strings.Contains(line, " ContainerTerminated:"):
			ends = append(ends, at)
		case strings.Contains(line, " PullingImage:"):
			pulls = append(pulls, at)
		}
	}
	for i, want := range []time.Duration{10, 20, 40, 80, 160, 300, 300} {
		if i+1 >= len(pulls) || i >= len(ends) {
			t.Fatalf("only %d pulls and %d ends:\n%s", len(pulls), len(ends), s.text())
		}
		if got := pulls[i+1].Sub(ends[i]); got < want*time.Second || got > want*time.Second+100*time.Millisecond {
			t.Errorf("restart %d came %s after the end, want %s", i+1, got, want*time.Second)
		}
	}
	s.check(t)
}

func TestWrongTargetPortKillsAfterTheHiddenBudgetAndNamesBothPorts(t *testing.T) {
	s := New(5, images())
	s.Apply(flask("web", "wrong"))
	s.Run(30 * time.Second)
	p := s.View()[0].Revisions[0].Resource.Properties
	if p.RunningState != "Activating" || p.HealthState != "None" || p.RunningStateDetails != "The TargetPort 8000 does not match the listening port 3000." {
		t.Errorf("while the budget runs the revision is %s/%s %q", p.RunningState, p.HealthState, p.RunningStateDetails)
	}
	s.Run(5 * time.Minute)
	failed := 0
	for _, r := range s.reasons() {
		if r == "ContainerTerminated" {
			break
		}
		if r == "ProbeFailed" {
			failed++
		}
	}
	if failed != 241 { // 240 attempts and "will be restarted"
		t.Errorf("%d ProbeFailed rows before the kill, want 241", failed)
	}
	s.check(t)
}

func TestChangedTargetPortReplacesReplicasWithinTheRevision(t *testing.T) {
	s := New(6, images())
	s.Apply(flask("web", "good:1"))
	s.RunUntil(time.Minute, func() bool { return s.ready("web") })
	before := s.View()[0].Revisions[0]
	wrong := flask("web", "good:1")
	wrong.Properties.Configuration.Ingress.TargetPort = 9999
	s.Apply(wrong)
	s.Run(20 * time.Second)
	v := s.View()[0]
	if len(v.Revisions) != 1 || len(v.Revisions[0].Replicas) != 2 {
		t.Fatalf("want one revision with two replicas:\n%s", s.text())
	}
	if ep := s.Table().Apps[0].Revisions[0].Endpoints; len(ep) != 1 || ep[0].Port != 9999 || ep[0].Replica != before.Replicas[0].Resource.Name {
		t.Errorf("endpoints are %v, want the old replica on the new port", ep)
	}
	if p := s.View()[0].Revisions[0].Resource.Properties; p.HealthState != "Healthy" {
		t.Errorf("right after the change the revision is %s", p.HealthState)
	}
	s.Run(270 * time.Second)
	if p := s.View()[0].Revisions[0].Resource.Properties; p.HealthState != "Unhealthy" || p.RunningState != "Failed" {
		t.Errorf("after the startup budget the revision is %s/%s", p.RunningState, p.HealthState)
	}
	s.Apply(flask("web", "good:1"))
	s.Run(time.Minute)
	after := s.View()[0].Revisions[0]
	if len(after.Replicas) != 1 || after.Replicas[0].Resource.Name != before.Replicas[0].Resource.Name {
		t.Errorf("after the port is back the first replica should be the only one:\n%s", s.text())
	}
	s.check(t)
}

func TestRestartMakesNewReplicasFirst(t *testing.T) {
	s := New(7, images())
	s.Apply(flask("web", "good:1"))
	s.RunUntil(time.Minute, func() bool { return s.ready("web") })
	old := s.View()[0].Revisions[0].Replicas[0].Resource.Name
	s.Restart("web")
	s.Run(2 * time.Minute)
	rev := s.View()[0].Revisions
	if len(rev) != 1 || len(rev[0].Replicas) != 1 || rev[0].Replicas[0].Resource.Name == old || !rev[0].Replicas[0].Ready {
		t.Errorf("want one new ready replica of the same revision:\n%s", s.text())
	}
	s.check(t)
}

func TestDaemonDeathRestartsNothing(t *testing.T) {
	s := New(8, images())
	app := flask("web", "good:1")
	app.Properties.Template.InitContainers = []aca.Container{{Name: "migrate", Image: "migrate"}}
	s.Apply(app)
	s.RunUntil(time.Minute, func() bool { return s.ready("web") })
	before := s.World().String()
	s.Crash()
	s.Run(time.Minute)
	if after := s.World().String(); after != before {
		t.Errorf("containers changed\nbefore %s\nafter %s", before, after)
	}
	if !s.ready("web") {
		t.Errorf("web is not ready again:\n%s", s.text())
	}
	s.check(t)
}

func TestLostHistoryIsRebuiltFromLabels(t *testing.T) {
	s := New(9, images())
	s.Apply(flask("web", "good:1"))
	s.RunUntil(time.Minute, func() bool { return s.ready("web") })
	name := s.View()[0].Revisions[0].Resource.Name
	clear(s.disk)
	s.Crash()
	s.Run(time.Minute)
	if got := s.View()[0].Revisions; len(got) != 1 || got[0].Resource.Name != name || !s.ready("web") {
		t.Errorf("want the same revision %s, ready:\n%s", name, s.text())
	}
	s.check(t)
}

func TestStoppedAppHasNoReplicasAndStartsAgain(t *testing.T) {
	s := New(11, images())
	s.Apply(flask("web", "good:1"))
	s.RunUntil(time.Minute, func() bool { return s.ready("web") })
	s.SetRunning("web", false)
	s.Run(2 * time.Minute)
	if left := s.World().String(); left != "" || !s.Table().Apps[0].Stopped {
		t.Errorf("a stopped app still has\n%s", left)
	}
	s.Crash()
	s.Run(time.Minute)
	if got := s.View()[0].Resource.Properties.RunningStatus; got != "Stopped" {
		t.Errorf("after a crash the app is %s", got)
	}
	s.SetRunning("web", true)
	if !s.RunUntil(time.Minute, func() bool { return s.ready("web") }) {
		t.Errorf("web does not come back:\n%s", s.text())
	}
	s.check(t)
}

func TestMultipleModeKeepsWeightsOfFailedRevisions(t *testing.T) {
	s := New(12, images())
	app := flask("web", "good:1")
	app.Properties.Configuration.ActiveRevisionsMode = aca.Multiple
	app.Properties.Template.RevisionSuffix = "blue"
	s.Apply(app)
	s.RunUntil(time.Minute, func() bool { return s.ready("web") })
	app.Properties.Template.RevisionSuffix = "green"
	app.Properties.Template.Containers = []aca.Container{{Name: "app", Image: "crash"}}
	s.Apply(app)
	s.Run(3 * time.Minute)
	if got := s.Table().Apps[0].Split; len(got) != 1 || got[0].Revision != "web--blue" {
		t.Errorf("latestRevision means %v, want the latest ready one", got)
	}
	in := *app.Properties.Configuration.Ingress
	in.Traffic = []aca.TrafficWeight{{RevisionName: "web--blue", Weight: 50}, {RevisionName: "web--green", Weight: 50}}
	app.Properties.Configuration.Ingress = &in
	s.Apply(app)
	s.Run(time.Minute)
	if got := fmt.Sprint(s.Table().Apps[0].Split); got != "[{web--blue 50} {web--green 50}]" {
		t.Errorf("the split is %s: weights do not fail over", got)
	}
	s.Activate("web", "web--green", false)
	s.Run(2 * time.Minute)
	if got := s.View()[0].Revisions[1].Resource.Properties; got.Active || got.RunningState != "Stopped" {
		t.Errorf("a deactivated revision is %+v", got)
	}
	s.check(t)
}

func TestLabelsModeKeepsOnlyLabelledRevisions(t *testing.T) {
	s := New(13, images())
	app := flask("web", "good:1")
	app.Properties.Configuration.ActiveRevisionsMode = aca.Labels
	app.Properties.Configuration.TargetLabel = "dev"
	app.ApplyDefaults()
	s.Apply(app)
	s.RunUntil(time.Minute, func() bool { return len(s.Table().Apps[0].Labels) == 1 })
	s.Run(time.Minute)
	app.Properties.Template.Containers = []aca.Container{{Name: "app", Image: "good:2"}}
	s.Apply(app)
	s.Run(2 * time.Minute)
	v := s.View()[0].Revisions
	if got := s.Table().Apps[0].Labels; len(got) != 1 || got[0].Name != "dev" || got[0].Revision != v[1].Resource.Name {
		t.Errorf("labels are %v, want dev on %s", got, v[1].Resource.Name)
	}
	if v[0].Resource.Properties.Active {
		t.Errorf("a revision without label is still active:\n%s", s.text())
	}
	s.check(t)
}

func TestShutdownLeavesNothing(t *testing.T) {
	s := New(10, images())
	s.Apply(flask("web", "good:1"))
	s.Apply(flask("deaf", "deaf"))
	s.RunUntil(time.Minute, func() bool { return s.ready("web") && s.ready("deaf") })
	s.Shutdown()
	if !s.RunUntil(2*time.Minute, func() bool { return s.done }) {
		t.Errorf("the shutdown does not finish:\n%s", s.text())
	}
	if left := s.World().String(); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
	s.check(t)
}

// TestSeeds runs the user, the faults and the deaths of the daemon that each
// seed draws. A failing seed prints its trace; run it alone with
// -seed N -seeds 1.
func TestSeeds(t *testing.T) { eachSeed(t, runSeed) }

// eachSeed plays the stories of all seeds asked for.
func eachSeed(t *testing.T, play func(seed uint64, silent bool) (problem string, s *Sim)) {
	n := *seeds
	if testing.Short() {
		n = min(n, 50)
	}
	if n == 1 {
		problem, s := play(*first, false)
		t.Log(s.text())
		if problem != "" {
			t.Errorf("seed %d: %s", *first, problem)
		}
		return
	}
	for worker := range uint64(runtime.GOMAXPROCS(0)) {
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			t.Parallel()
			for seed := *first + worker; seed < *first+n && !t.Failed(); seed += uint64(runtime.GOMAXPROCS(0)) {
				if problem, _ := play(seed, true); problem != "" {
					_, s := play(seed, false) // once more, with its trace
					t.Errorf("seed %d: %s\n%s", seed, problem, s.text())
				}
			}
		})
	}
}

// Seeds that once broke something, each with what it showed.
func TestSeedsThatShowedABug(t *testing.T) {
	for seed, what := range map[uint64]string{
		4:    "from multiple to single mode the latest ready revision stays",
		47:   "an app that is being removed is not taken for wanted by the next daemon",
		95:   "a latest revision with some of its replicas ready keeps its traffic",
		7086: "a listing that comes late says nothing",
	} {
		if problem, s := runSeed(seed, true); problem != "" {
			t.Errorf("seed %d (%s): %s\n%s", seed, what, problem, s.text())
		}
	}
}

func TestTheSameSeedGivesTheSameTrace(t *testing.T) {
	_, a := runSeed(42, false)
	_, b := runSeed(42, false)
	if x, y := a.text(), b.text(); x != y {
		t.Error("two runs of seed 42 differ")
	}
}

// runSeed plays one random story and returns what is wrong with it.
func runSeed(seed uint64, silent bool) (string, *Sim) {
	s := New(seed, images())
	s.Faults, s.Silent = true, silent
	for range 12 + s.rng.IntN(20) {
		s.act()
		s.Run(s.between(0, 40*time.Second))
		if len(s.errors) > 0 {
			return s.errors[0], s
		}
	}
	return s.calm("a", "b")
}

// calm ends the faults, lets the user ask for an app that works, and returns
// what is wrong when all had time to settle.
func (s *Sim) calm(apps ...string) (string, *Sim) {
	s.Faults = false
	s.note("the faults stop")
	for _, name := range apps {
		if _, ok := s.wanted[name]; ok {
			s.SetRunning(name, true)
			s.Apply(flask(name, "good:1"))
		}
	}
	s.Run(15 * time.Minute) // the longest back-off is five
	if len(s.errors) > 0 {
		return s.errors[0], s
	}
	return s.atRest(), s
}

// act does one thing a user, the machine or fate may do.
func (s *Sim) act() {
	name := []string{"a", "b"}[s.rng.IntN(2)]
	pick := []string{"good:1", "good:2", "good:1", "deaf", "wrong", "crash", "broken", "missing"}
	switch s.rng.IntN(16) {
	case 14, 15:
		s.load(s.rng.IntN(40))
	case 12:
		s.SetRunning(name, s.rng.IntN(3) > 0)
	case 13:
		s.activate(name, s.rng.IntN(2) == 0)
	case 0, 1, 2, 3:
		app := flask(name, pick[s.rng.IntN(len(pick))])
		if s.rng.IntN(3) == 0 {
			app.Properties.Template.Scale.MinReplicas = num(s.rng.IntN(4))
		}
		if s.rng.IntN(4) == 0 {
			app.Properties.Template.InitContainers = []aca.Container{{Name: "migrate", Image: "migrate"}}
		}
		if s.rng.IntN(4) == 0 {
			app.Properties.Template.Containers = append(app.Properties.Template.Containers, aca.Container{Name: "side", Image: "sidecar"})
		}
		if s.rng.IntN(6) == 0 {
			app.Properties.Configuration.Ingress.TargetPort = 9999
		}
		if s.rng.IntN(6) == 0 {
			app.Properties.Configuration.ActiveRevisionsMode = aca.Multiple
		}
		s.Apply(app)
	case 4:
		s.Restart(name)
	case 5:
		if s.rng.IntN(3) == 0 {
			s.Remove(name)
		}
	case 6, 7, 8:
		s.Crash()
	default:
		s.harm()
	}
}

// activate activates or deactivates some revision of an app.
func (s *Sim) activate(app string, active bool) {
	for _, a := range s.View() {
		if a.Resource.Name == app {
			rev := a.Revisions[s.rng.IntN(len(a.Revisions))].Resource.Name
			s.Activate(app, rev, active)
		}
	}
}

// load reports some requests in flight to every revision, for a while, or none
// long enough for the cool-down.
func (s *Sim) load(inFlight int) {
	reports := 1 + s.rng.IntN(4)
	if inFlight < 10 {
		inFlight, reports = 0, 25
	}
	for range reports {
		var loads []core.Load
		for _, a := range s.View() {
			for _, rev := range a.Revisions {
				loads = append(loads, core.Load{App: a.Resource.Name, Revision: rev.Resource.Name, InFlight: inFlight})
			}
		}
		s.handle(core.LoadReported{Interval: 15 * time.Second, Loads: loads})
		s.Run(15 * time.Second)
	}
	if s.rng.IntN(2) == 0 {
		s.wake()
	}
}

// wake lets a request wait for every revision.
func (s *Sim) wake() {
	for _, a := range s.View() {
		for _, rev := range a.Revisions {
			s.handle(core.DemandSeen{App: a.Resource.Name, Revision: rev.Resource.Name})
		}
	}
}

// harm kills or removes a container behind the daemon's back.
func (s *Sim) harm() {
	all := s.world.List(Env)
	if len(all) == 0 {
		return
	}
	st := all[s.rng.IntN(len(all))]
	if s.rng.IntN(2) == 0 {
		s.note("somebody kills %s", st.Key.Name(""))
		s.world.Kill(s.now, st.ID)
	} else {
		s.note("somebody removes %s", st.Key.Name(""))
		if st.Key.Role == container.RoleHolder {
			s.world.Kill(s.now, st.ID)
		}
		s.world.Remove(st.ID)
	}
	s.hint()
}

// atRest says what is wrong with a machine that had time to settle.
func (s *Sim) atRest() string {
	orders := s.orders
	s.relist()
	s.Run(time.Minute)
	if s.orders != orders {
		return "the plan is not empty although nothing happens"
	}
	for _, name := range []string{"a", "b"} {
		_, wanted := s.wanted[name]
		if wanted && !s.ready(name) {
			return name + " is not ready"
		}
	}
	want := 0
	for _, a := range s.View() {
		for _, rev := range a.Revisions {
			for _, r := range rev.Replicas {
				want += 1 + len(r.Resource.Properties.Containers) + len(r.Resource.Properties.InitContainers)
			}
		}
	}
	if got := len(s.world.List(Env)); got != want {
		return fmt.Sprintf("%d containers are there, %d are needed", got, want)
	}
	return ""
}

func (s *Sim) ready(app string) bool {
	for _, a := range s.View() {
		if a.Resource.Name == app {
			latest := a.Revisions[len(a.Revisions)-1]
			return a.Ready && latest.Serving == 100 && latest.Resource.Properties.HealthState == "Healthy"
		}
	}
	return false
}

func (s *Sim) reasons() []string {
	var out []string
	for _, line := range s.Trace {
		if rest, ok := strings.CutPrefix(line[13:], "row   "); ok {
			_, rest, _ = strings.Cut(rest, " ")
			reason, _, _ := strings.Cut(rest, ": ")
			out = append(out, reason)
		}
	}
	return out
}

func (s *Sim) check(t *testing.T) {
	t.Helper()
	for _, e := range s.errors {
		t.Errorf("%s\n%s", e, s.text())
	}
}

// text is the end of the trace and the state of everything.
func (s *Sim) text() string {
	const lines = 400
	trace := s.Trace
	if os.Getenv("ACALOCAL_SIM_FULL") == "" && len(trace) > lines {
		trace = trace[len(trace)-lines:]
	}
	return strings.Join(trace, "\n") + "\n" + s.world.String() + fmt.Sprint(s.table) + viewText(s.View())
}

func viewText(apps []core.AppView) string {
	var b strings.Builder
	for _, a := range apps {
		for _, rev := range a.Revisions {
			p := rev.Resource.Properties
			fmt.Fprintf(&b, "%s active=%t serving=%d %s/%s/%s %q\n", rev.Resource.Name, p.Active, rev.Serving, p.ProvisioningState, p.RunningState, p.HealthState, p.RunningStateDetails)
			for _, r := range rev.Replicas {
				fmt.Fprintf(&b, "  %s ready=%t draining=%t %+v\n", r.Resource.Name, r.Ready, r.Draining, r.Resource.Properties.Containers)
			}
		}
	}
	return b.String()
}
