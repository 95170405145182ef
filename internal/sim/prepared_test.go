package sim

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// asleep is a machine with an app "web" at zero that had time to prepare.
func asleep(t *testing.T, change func(*aca.ContainerApp)) *Sim {
	t.Helper()
	s := New(1, images())
	s.ticks(nobody)
	app := flask("web", "good:1")
	app.Properties.Template.Scale.MinReplicas = num(0)
	if change != nil {
		change(&app)
	}
	s.Apply(app)
	if !s.RunUntil(10*time.Minute, func() bool { return s.running("web") == "ScaledToZero" }) {
		t.Fatalf("never at zero\n%s", s.text())
	}
	s.Run(time.Minute)
	return s
}

// created are the containers that were never started; none else may be there.
func (s *Sim) created(t *testing.T) []container.Status {
	t.Helper()
	all := s.world.List(Env)
	for _, st := range all {
		if st.State != container.Created {
			t.Errorf("%s is %s\n%s", st.Key.Name(""), st.State, s.text())
		}
	}
	return all
}

// kinds are the kinds of the orders since a line of the trace.
func (s *Sim) kinds(since int) []string {
	var out []string
	for _, line := range s.Trace[since:] {
		if rest, ok := strings.CutPrefix(line[13:], "order "); ok {
			kind, _, _ := strings.Cut(rest, " ")
			out = append(out, kind)
		}
	}
	return out
}

// wakeUp lets a request wait for the app and checks that it gets its replica.
func (s *Sim) wakeUp(t *testing.T) (orders []string) {
	t.Helper()
	since := len(s.Trace)
	s.wake()
	if !s.RunUntil(time.Minute, func() bool { return s.replicas("web") == 1 }) {
		t.Fatalf("not awake\n%s", s.text())
	}
	s.check(t)
	return s.kinds(since)
}

func TestRequestAtZeroWaitsForNoCreation(t *testing.T) {
	s := asleep(t, nil)
	ready := s.created(t)
	if len(ready) != 2 {
		t.Fatalf("%d containers are prepared, want a holder and an app\n%s", len(ready), s.text())
	}
	for _, a := range s.View() {
		for _, rev := range a.Revisions {
			if len(rev.Replicas) > 0 || rev.Resource.Properties.Replicas != 0 {
				t.Errorf("at zero %s shows replicas", rev.Resource.Name)
			}
		}
	}
	seen := len(s.Trace)
	orders := s.wakeUp(t)
	slices.Sort(orders)
	if got := strings.Join(orders, " "); got != "pull start start" {
		t.Errorf("woken with the orders %s, want only a pull and two starts\n%s", got, s.text())
	}
	woken := s.View()[0].Revisions[0].Replicas[0]
	if woken.Resource.Name != ready[0].Key.Replica {
		t.Errorf("replica %s is there, %s was prepared", woken.Resource.Name, ready[0].Key.Replica)
	}
	var rows []string
	for _, line := range s.Trace[seen:] {
		if strings.Contains(line, " row   ") {
			for _, reason := range []string{"AssigningReplica", "PullingImage", "PulledImage", "ContainerCreated", "ContainerStarted"} {
				if strings.Contains(line, " "+reason+":") {
					rows = append(rows, reason)
				}
			}
		}
	}
	if got := strings.Join(rows, " "); got != "AssigningReplica PullingImage PulledImage ContainerCreated ContainerStarted" {
		t.Errorf("rows are %s\n%s", got, s.text())
	}
}

// No row is written and nothing is ordered any more once it is prepared.
func TestPreparingIsSilentAndComesToRest(t *testing.T) {
	s := asleep(t, nil)
	since := len(s.Trace)
	s.Run(10 * time.Minute)
	if orders := s.kinds(since); len(orders) > 0 {
		t.Errorf("orders at rest: %v\n%s", orders, s.text())
	}
	rows := s.reasons()
	if n := strings.Count(strings.Join(rows, " "), "PullingImage"); n != 1 {
		t.Errorf("%d PullingImage rows, want that of the start", n)
	}
	s.check(t)
}

func TestPreparedReplicaIsMadeAnew(t *testing.T) {
	for name, change := range map[string]func(*Sim){
		"after an update": func(s *Sim) {
			app := s.wanted["web"]
			app.Properties.Configuration.Secrets = []aca.Secret{{Name: "key", Value: "new"}}
			s.Apply(app)
		},
		"after a restart":           func(s *Sim) { s.Restart("web") },
		"after the daemon died":     func(s *Sim) { s.Crash() },
		"after \"docker prune\"":    func(s *Sim) { s.prune(func(container.Status) bool { return true }) },
		"after its holder was lost": func(s *Sim) { s.prune(func(st container.Status) bool { return st.Key.Role == container.RoleHolder }) },
		"after somebody started it": func(s *Sim) {
			for _, st := range s.world.List(Env) {
				if st.Key.Role == container.RoleHolder {
					_ = s.world.Start(s.now, st.ID)
				}
			}
			s.hint()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := asleep(t, nil)
			before := s.created(t)
			change(s)
			s.Run(2 * time.Minute)
			if after := s.created(t); len(after) != 2 || after[0].ID == before[0].ID {
				t.Errorf("prepared are %v, were %v\n%s", after, before, s.text())
			}
			s.wakeUp(t)
		})
	}
}

func (s *Sim) prune(which func(container.Status) bool) {
	for _, st := range s.world.List(Env) {
		if which(st) {
			s.world.Remove(st.ID)
		}
	}
	s.hint()
}

// The name of an image stands for another one since the replica was prepared.
func TestPreparedReplicaRunsTheImageOfNow(t *testing.T) {
	s := asleep(t, nil)
	before := s.created(t)
	newer := s.world.Images["good:1"]
	newer.Digest = "newer"
	s.world.Images["good:1"] = newer
	orders := s.wakeUp(t)
	if !slices.Contains(orders, "remove") || !slices.Contains(orders, "create") {
		t.Errorf("orders are %v\n%s", orders, s.text())
	}
	for _, st := range s.world.List(Env) {
		if st.Key.Role == container.RoleApp && st.ID == before[1].ID {
			t.Errorf("the container of the older image runs\n%s", s.text())
		}
	}
}

// What cannot be prepared is not tried again and again; the real start tells.
func TestMissingImageIsNotPrepared(t *testing.T) {
	s := asleep(t, func(app *aca.ContainerApp) {
		app.Properties.Template.InitContainers = []aca.Container{{Name: "migrate", Image: "migrate"}}
	})
	if n := len(s.created(t)); n != 3 {
		t.Fatalf("%d containers are prepared, want three\n%s", n, s.text())
	}
	gone := s.world.Images["good:1"]
	delete(s.world.Images, "good:1")
	s.prune(func(container.Status) bool { return true })
	s.Run(time.Minute)
	since := len(s.Trace)
	s.Run(10 * time.Minute)
	if orders := s.kinds(since); len(orders) > 0 || len(s.created(t)) > 0 {
		t.Errorf("orders %v\n%s", orders, s.text())
	}
	s.world.Images["good:1"] = gone
	s.wakeUp(t)
}

// A request may come at any moment of the preparation.
func TestRequestMayInterruptThePreparation(t *testing.T) {
	for after := time.Duration(0); after < 2*time.Second; after += 20 * time.Millisecond {
		s := New(uint64(after), images())
		s.ticks(nobody)
		app := flask("web", "good:1")
		app.Properties.Template.Scale.MinReplicas = num(0)
		s.Apply(app)
		s.RunUntil(10*time.Minute, func() bool { return s.running("web") == "ScaledToZero" })
		s.RunUntil(time.Minute, func() bool { return len(s.world.List(Env)) == 0 })
		s.Run(after)
		s.wakeUp(t)
		if n := len(s.world.List(Env)); n != 2 {
			t.Errorf("woken after %s there are %d containers, want 2\n%s", after, n, s.text())
		}
	}
}

func TestShutdownAtZeroLeavesNothing(t *testing.T) {
	s := asleep(t, nil)
	s.Shutdown()
	if !s.RunUntil(2*time.Minute, func() bool { return s.done }) || s.world.String() != "" {
		t.Errorf("left behind:\n%s", s.text())
	}
	s.check(t)
}

// A revision that no request wakes has nobody who waits for it.
func TestOnlyWhatRequestsWakeIsPrepared(t *testing.T) {
	s := New(1, images())
	s.ticks(nobody)
	s.Apply(worker("a"))
	if !s.RunUntil(10*time.Minute, func() bool { return s.running("a") == "ScaledToZero" }) {
		t.Fatalf("never at zero\n%s", s.text())
	}
	s.Run(5 * time.Minute)
	if left := s.world.String(); left != "" {
		t.Errorf("prepared:\n%s", left)
	}
	s.check(t)
}
