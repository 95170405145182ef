package sim

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/core"
	"github.com/acalocal/acalocal/probes"
)

// probe is one running probe: the real thresholds over simulated attempts.
type probe struct {
	target  probes.Target
	tracker *probes.Tracker
	attempt int
	stopped bool
}

// setProbes keeps what is the same, ends what is gone and starts what is new.
func (s *Sim) setProbes(targets []probes.Target) {
	next := map[probes.Key]*probe{}
	for _, t := range targets {
		if p := s.probes[t.Key]; p != nil && p.target.Generation == t.Generation && p.target.StartedAt.Equal(t.StartedAt) {
			p.target = t
			next[t.Key] = p
			continue
		}
		p := &probe{target: t, tracker: probes.NewTracker(t.Kind, t.Success, t.Failure)}
		next[t.Key] = p
		delete(s.proved, t.Key)
		s.after(max(t.Delay-max(s.wall().Sub(t.StartedAt), 0), 0), func() { s.attempt(p) })
	}
	for _, key := range slices.SortedFunc(maps.Keys(s.probes), compareProbes) {
		if next[key] != s.probes[key] {
			s.probes[key].stopped = true
			if next[key] == nil {
				delete(s.proved, key)
			}
		}
	}
	s.probes = next
}

func compareProbes(a, b probes.Key) int {
	return cmp.Or(cmp.Compare(a.Replica, b.Replica), cmp.Compare(a.Container, b.Container), cmp.Compare(a.Kind, b.Kind))
}

// attempt asks once and schedules the next time.
func (s *Sim) attempt(p *probe) {
	if p.stopped {
		return
	}
	if p.target.Kind != probes.Startup && s.startupMissing(p.target.Key) {
		s.after(50*time.Millisecond, func() { s.attempt(p) })
		return
	}
	p.attempt++
	r := s.ask(p.target)
	run, edge := p.tracker.Observe(r.Outcome)
	if r.Outcome == probes.Failure || edge != probes.None {
		rep := probes.Report{Target: p.target, At: s.wall(), Result: r, Run: run, Edge: edge, Attempt: p.attempt}
		s.after(s.between(0, 5*time.Millisecond), func() { s.tell(p, rep) })
	}
	startupDone := p.target.Kind == probes.Startup && edge == probes.Passed
	liveFailed := p.target.Kind != probes.Readiness && edge == probes.Failed
	if !startupDone && !liveFailed {
		s.after(p.target.Period, func() { s.attempt(p) })
	}
}

func (s *Sim) tell(p *probe, rep probes.Report) {
	if rep.Edge != probes.None && !p.stopped {
		s.proved[rep.Target.Key] = proof{rep.Target.Generation, rep.Edge}
	}
	s.handle(core.ProbeReported{Report: rep})
}

func (s *Sim) startupMissing(key probes.Key) bool {
	key.Kind = probes.Startup
	p := s.probes[key]
	return p != nil && p.tracker.State() != probes.Passed
}

// ask is what the agent in the replica would find.
func (s *Sim) ask(t probes.Target) probes.Result {
	if s.chance(2) || s.waits() > 0 {
		return probes.Result{Outcome: probes.Error, Detail: "the agent does not answer"}
	}
	port := 0
	if t.Check.TCP != nil {
		port = t.Check.TCP.Port
	} else {
		port = t.Check.HTTP.Port
	}
	for _, st := range s.world.List(Env) {
		if st.Key.Replica == t.Replica && st.Key.Role == container.RoleHolder && s.world.Listening(s.now, st.ID, port) && !s.chance(3) {
			return probes.Result{Outcome: probes.Success}
		}
	}
	return probes.Result{Outcome: probes.Failure, Status: "1"}
}
