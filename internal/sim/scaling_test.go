package sim

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/core"
)

// worker is an app without ingress that a queue scales: five messages per
// replica, none without messages.
func worker(name string) aca.ContainerApp {
	app := flask(name, "good:1")
	app.Properties.Configuration.Ingress = nil
	app.Properties.Template.Scale = &aca.Scale{MinReplicas: num(0), MaxReplicas: num(10), Rules: []aca.ScaleRule{{
		Name: "messages", AzureQueue: &aca.AzureQueueRule{QueueName: "orders", QueueLength: num(5)},
	}}}
	return app
}

// ticks reports load of all revisions every 15 s, as the edge does.
func (s *Sim) ticks(inFlight func(app string) int) {
	s.afterAnyway(15*time.Second, func() {
		var loads []core.Load
		for _, a := range s.View() {
			for _, rev := range a.Revisions {
				loads = append(loads, core.Load{App: a.Resource.Name, Revision: rev.Resource.Name, InFlight: inFlight(a.Resource.Name)})
			}
		}
		s.handle(core.LoadReported{Interval: 15 * time.Second, Loads: loads})
		s.ticks(inFlight)
	})
}

func nobody(string) int { return 0 }

// replicas are the ready ones of the latest revision of an app, -1 without one.
func (s *Sim) replicas(app string) int {
	for _, a := range s.View() {
		if a.Resource.Name != app || len(a.Revisions) == 0 {
			continue
		}
		n := 0
		for _, r := range a.Revisions[len(a.Revisions)-1].Replicas {
			if r.Ready {
				n++
			}
		}
		return n
	}
	return -1
}

func (s *Sim) running(app string) string {
	for _, a := range s.View() {
		if a.Resource.Name == app {
			return a.Revisions[len(a.Revisions)-1].Resource.Properties.RunningState
		}
	}
	return ""
}

// 100 messages with target 5 are 20 replicas, capped at 10; a queue rule lets
// the app sleep and wakes it (learn.microsoft.com/azure/container-apps/scale-app).
func TestQueueScalesToTheMaximumAndToZeroAndBack(t *testing.T) {
	s := New(1, images())
	s.Metric = 100
	s.ticks(nobody)
	s.Apply(worker("a"))
	if !s.RunUntil(2*time.Minute, func() bool { return s.replicas("a") == 10 }) {
		t.Fatalf("%d replicas, want 10\n%s", s.replicas("a"), s.text())
	}
	if got := s.running("a"); got != "RunningAtMaxScale" {
		t.Errorf("at the maximum the revision is %s", got)
	}
	s.Metric = 0
	emptied := s.Now()
	if !s.RunUntil(10*time.Minute, func() bool { return s.running("a") == "ScaledToZero" }) {
		t.Fatalf("never at zero\n%s", s.text())
	}
	if took := s.Now().Sub(emptied); took < 270*time.Second || took > 345*time.Second {
		t.Errorf("at zero after %v, want the cool-down of 300 s and at most a polling interval and a decision more", took)
	}
	s.Metric = 12
	asked := s.Now()
	if !s.RunUntil(2*time.Minute, func() bool { return s.replicas("a") == 3 }) {
		t.Fatalf("%d replicas of 12 messages, want 3\n%s", s.replicas("a"), s.text())
	}
	if took := s.Now().Sub(asked); took > 60*time.Second {
		t.Errorf("awake and scaled after %v", took)
	}
	rows := s.reasons()
	for _, reason := range []string{"SuccessfulRescale", "KEDAScaleTargetDeactivated", "KEDAScaleTargetActivated"} {
		if !slices.Contains(rows, reason) {
			t.Errorf("no row %s in %v", reason, rows)
		}
	}
	s.check(t)
}

// minReplicas 5 → 2 without load: a new revision, five replicas at once, fewer
// only after the window.
func TestLoweredMinimumKeepsReplicasForTheWindow(t *testing.T) {
	s := New(1, images())
	s.ticks(nobody)
	app := flask("a", "good:1")
	app.Properties.Template.Scale = &aca.Scale{MinReplicas: num(5), MaxReplicas: num(10)}
	s.Apply(app)
	if !s.RunUntil(2*time.Minute, func() bool { return s.replicas("a") == 5 }) {
		t.Fatalf("%d replicas, want 5", s.replicas("a"))
	}
	app.Properties.Template.Scale = &aca.Scale{MinReplicas: num(2), MaxReplicas: num(10)}
	s.Apply(app)
	s.Run(2 * time.Minute)
	if n := s.replicas("a"); n != 5 {
		t.Errorf("two minutes after the change %d replicas, want 5", n)
	}
	s.Run(8 * time.Minute)
	if n := s.replicas("a"); n != 2 {
		t.Errorf("ten minutes after the change %d replicas, want 2", n)
	}
	s.check(t)
}

// A rule that cannot be read takes nothing away, and says so every five minutes.
func TestUnreadableQueueKeepsWhatThereIs(t *testing.T) {
	s := New(3, images())
	s.Metric = 15
	s.ticks(nobody)
	s.Apply(worker("a"))
	if !s.RunUntil(2*time.Minute, func() bool { return s.replicas("a") == 3 }) {
		t.Fatalf("%d replicas, want 3\n%s", s.replicas("a"), s.text())
	}
	s.Broken = true
	s.Run(12 * time.Minute)
	if n := s.replicas("a"); n != 3 {
		t.Errorf("with a queue that is away %d replicas, want 3", n)
	}
	told := 0
	for _, reason := range s.reasons() {
		if reason == "KEDAScalerFailed" {
			told++
		}
	}
	if told != 3 {
		t.Errorf("told %d times in 12 minutes, want 3", told)
	}
	s.check(t)
}

// A revision nothing can scale is warned of every five minutes; it goes to zero
// and never comes back.
func TestNoTriggerAtAllGoesToZeroWithAWarning(t *testing.T) {
	s := New(1, images())
	s.ticks(nobody)
	app := worker("a")
	app.Properties.Template.Scale.Rules = nil
	s.Apply(app)
	s.Run(11 * time.Minute)
	if got := s.running("a"); got != "ScaledToZero" {
		t.Errorf("the revision is %s, want ScaledToZero", got)
	}
	told := 0
	for _, reason := range s.reasons() {
		if reason == "ScaledObjectCheckFailed" {
			told++
		}
	}
	if told != 2 {
		t.Errorf("warned %d times in 11 minutes, want 2", told)
	}
	s.check(t)
}

// TestScalingSeeds lets queues and requests come and go under faults, and the
// daemon die. When the faults stop, there are as many replicas as the rules
// say.
func TestScalingSeeds(t *testing.T) {
	n := uint64(12)
	if testing.Short() {
		n = 4
	}
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			if problem, _ := scalingSeed(seed, true); problem != "" {
				_, s := scalingSeed(seed, false)
				t.Errorf("seed %d: %s\n%s", seed, problem, s.text())
			}
		})
	}
}

func scalingSeed(seed uint64, silent bool) (string, *Sim) {
	s := New(seed, images())
	s.Faults, s.Silent = true, silent
	requests := 0
	s.ticks(func(app string) int {
		if app == "a" {
			return requests
		}
		return 0
	})
	web := flask("a", "good:1")
	web.Properties.Template.Scale = &aca.Scale{MinReplicas: num(0), MaxReplicas: num(5)}
	s.Apply(web)
	s.Apply(worker("b"))
	for range 12 {
		requests = max(s.rng.IntN(80)-20, 0)
		s.Metric = float64(max(s.rng.IntN(60)-20, 0))
		switch s.rng.IntN(4) {
		case 0:
			s.Crash()
		case 1:
			s.harm()
		case 2:
			s.wake()
		}
		s.Run(s.between(10*time.Second, 6*time.Minute))
		if len(s.errors) > 0 {
			return s.errors[0], s
		}
	}
	s.Faults, requests, s.Metric = false, 32, 32
	s.wake()
	s.Run(15 * time.Minute)
	for app, want := range map[string]int{"a": 4, "b": 7} {
		if got := s.replicas(app); got != want {
			return fmt.Sprintf("%s has %d replicas, want %d", app, got, want), s
		}
	}
	requests, s.Metric = 0, 0
	s.Run(15 * time.Minute)
	for _, app := range []string{"a", "b"} {
		if got := s.running(app); got != "ScaledToZero" {
			return app + " is " + got + " without load", s
		}
	}
	// What requests wake is prepared; none of it was ever started.
	left := s.world.List(Env)
	for _, st := range left {
		if st.Key.App != "a" || st.State != container.Created {
			return fmt.Sprintf("%s is %s at zero", st.Key.Name(""), st.State), s
		}
	}
	if len(left) != 2 {
		return fmt.Sprintf("%d containers are there at zero, the prepared ones are 2", len(left)), s
	}
	return "", s
}
