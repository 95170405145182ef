package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/containertest"
)

// serving is a machine whose app web serves.
func serving(t *testing.T, seed uint64) *Sim {
	t.Helper()
	s := New(seed, images())
	s.Apply(flask("web", "good:1"))
	if !s.RunUntil(time.Minute, func() bool { return s.ready("web") }) {
		t.Fatalf("web is not ready:\n%s", s.text())
	}
	return s
}

// id is the running container of a role.
func (s *Sim) id(t *testing.T, role container.Role) container.ID {
	t.Helper()
	for _, st := range s.world.List(Env) {
		if st.Key.Role == role && st.State == container.Running {
			return st.ID
		}
	}
	t.Fatalf("no %s runs:\n%s", role, s.text())
	return ""
}

// wantServing holds web to serving from one replica with nothing beside it.
func (s *Sim) wantServing(t *testing.T) {
	t.Helper()
	v := s.View()[0]
	if !s.ready("web") || len(v.Revisions) != 1 || len(v.Revisions[0].Replicas) != 1 || v.Revisions[0].Resource.Properties.RunningState != "Running" {
		t.Errorf("web does not serve from one replica:\n%s", s.text())
	}
	if got := len(s.world.List(Env)); got != 2 {
		t.Errorf("%d containers, want the holder and the app:\n%s", got, s.world)
	}
	s.check(t)
}

func TestContainerRemovedByHandIsMadeAgain(t *testing.T) {
	for _, role := range []container.Role{container.RoleApp, container.RoleHolder} {
		t.Run(string(role), func(t *testing.T) {
			s := serving(t, 21)
			s.world.Remove(s.id(t, role))
			s.Run(2 * time.Minute)
			s.wantServing(t)
		})
	}
}

func TestEngineThatHangsChangesNothing(t *testing.T) {
	s := serving(t, 22)
	before := s.world.String()
	s.Hang(30 * time.Second)
	if s.RunUntil(2*time.Minute, func() bool { return !s.ready("web") }) {
		t.Errorf("an engine that hangs took web out of rotation:\n%s", s.text())
	}
	if after := s.world.String(); after != before {
		t.Errorf("containers changed\nbefore %s\nafter  %s", before, after)
	}
	for _, line := range s.Trace {
		if strings.Contains(line, "row ") && strings.Contains(line, "ProbeFailed") && !strings.Contains(line, "StartUp") {
			t.Errorf("a probe failed for the engine's sake: %s", line)
		}
	}
	s.wantServing(t)
}

func TestEngineThatHangsDelaysADeployment(t *testing.T) {
	s := New(23, images())
	s.Hang(30 * time.Second)
	s.Apply(flask("web", "good:1"))
	s.Run(29 * time.Second)
	if s.ready("web") {
		t.Error("web is ready on an engine that hangs")
	}
	s.Run(2 * time.Minute)
	s.wantServing(t)
}

func TestEngineRestartBringsEverythingBack(t *testing.T) {
	s := serving(t, 24)
	s.EngineDies(20 * time.Second)
	s.Run(3 * time.Minute)
	s.wantServing(t)
	s.Shutdown()
	if !s.RunUntil(2*time.Minute, func() bool { return s.done }) || s.world.String() != "" {
		t.Errorf("left behind:\n%s", s.world)
	}
}

// TestClockJumps sets the clock on and back, as a machine does that wakes up or
// finds a time server.
func TestClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{24 * time.Hour, 5 * time.Minute, -time.Hour, -time.Second} {
		t.Run(jump.String(), func(t *testing.T) {
			s := serving(t, 25)
			before := s.world.String()
			s.Jump(jump)
			if s.RunUntil(5*time.Minute, func() bool { return !s.ready("web") }) {
				t.Errorf("the jump took web out of rotation:\n%s", s.text())
			}
			if after := s.world.String(); after != before {
				t.Errorf("containers changed\nbefore %s\nafter  %s", before, after)
			}
			s.Apply(flask("web", "good:2"))
			s.Run(3 * time.Minute)
			v := s.View()[0]
			if len(v.Revisions) != 2 || v.Revisions[1].Serving != 100 || !v.Ready {
				t.Errorf("the next revision does not serve:\n%s", s.text())
			}
			s.check(t)
		})
	}
}

// TestProgramThatEndsAtOnce: a thousandth of a second is shorter than any
// listing takes. Its ends are seen all the same, waited for, and cleared away.
func TestProgramThatEndsAtOnce(t *testing.T) {
	all := images()
	all["brief"] = containertest.Program{ExitAfter: time.Millisecond, ExitCode: 7}
	s := New(26, all)
	s.Apply(flask("web", "brief"))
	s.Run(time.Hour)
	p := s.View()[0].Revisions[0].Resource.Properties
	if p.RunningState != "Failed" || p.RunningStateDetails != "1/1 Container crashing: app" {
		t.Errorf("the revision is %s %q", p.RunningState, p.RunningStateDetails)
	}
	ends := 0
	for _, line := range s.Trace {
		if strings.Contains(line, "terminated with exit code '7' and reason 'ProcessExited'") {
			ends++
		}
	}
	if ends < 14 || ends > 17 { // after 10, 30, 70, 150, 310 s and then every 300 s
		t.Errorf("%d ends in an hour, want those of the captured back-off", ends)
	}
	if got := len(s.world.List(Env)); got > 3 {
		t.Errorf("%d containers are kept:\n%s", got, s.world)
	}
	s.check(t)
}
