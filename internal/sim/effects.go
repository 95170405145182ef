package sim

import (
	"errors"
	"fmt"
	"time"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/core"
	"github.com/acalocal/acalocal/probes"
)

var errTimedOut = errors.New("the engine did not answer in time")

// chance is true in percent of all draws, and never without faults.
func (s *Sim) chance(percent int) bool { return s.Faults && s.rng.IntN(100) < percent }

// between draws a duration.
func (s *Sim) between(low, high time.Duration) time.Duration {
	return low + time.Duration(s.rng.Int64N(int64(high-low)+1))
}

func (s *Sim) carryOut(e core.Effect) {
	switch e := e.(type) {
	case core.RunOp:
		s.orders++
		s.note("order %s", e.Op)
		s.runOp(e.Op)
	case core.Relist:
		s.after(s.between(0, 5*time.Millisecond), s.relist)
	case core.SetProbes:
		s.setProbes(e.Targets)
	case core.SetTriggers:
		s.setTriggers(e.Triggers)
	case core.PublishTable:
		s.publish(e.Table)
	case core.Drain:
		s.after(s.between(0, 3*time.Second), func() { s.handle(core.DrainFinished(e)) })
	case core.FollowLogs:
		s.follow[e.Key] = true
		s.checkLogs()
	case core.ScanListeners:
		s.after(s.between(time.Millisecond, 20*time.Millisecond), func() { s.scan(e) })
	case core.WatchListeners:
		s.after(s.between(2*time.Second, 5*time.Second), func() { s.scan(core.ScanListeners(e)) })
	case core.Sever: // nothing is open in a simulation
	case core.EmitSystemLog:
		s.note("row   %s %s: %s (%d)", e.Row.Replica, e.Row.Reason, e.Row.Msg, e.Row.Count)
	case core.SetTimer:
		s.setTimer(e.At)
	case core.SaveApp:
		s.disk[e.App.App.Name] = e.App
	case core.ForgetApp:
		delete(s.disk, e.App)
	case core.SaveRouteConfigs:
		s.routeConfigs = e.Configs
	case core.Finished:
		s.done = true
	default:
		panic(fmt.Sprintf("bug: unknown effect %T", e))
	}
}

// runOp lets the engine work on an order, and its answer travel back. The
// work is done also when the daemon dies meanwhile.
func (s *Sim) runOp(o core.Op) {
	work := s.between(time.Millisecond, 300*time.Millisecond)
	if s.chance(3) {
		work += s.between(time.Second, 20*time.Second) // a slow engine
	}
	work += s.waits()
	refuse, silent := s.chance(4), s.chance(4)
	life := s.life
	s.afterAnyway(work, func() {
		s.ends = s.now
		fin := core.OpFinished{Op: o.ID, At: s.wall(), Duration: work}
		if refuse {
			fin.Err = errors.New("the engine is not in the mood")
		} else if fin.Err = s.work(o, &fin); silent && fin.Err == nil {
			fin.Err = errTimedOut // it took effect all the same
		}
		s.hint()
		if life == s.life {
			s.after(s.ends.Sub(s.now)+s.between(0, 10*time.Millisecond), func() { s.handle(fin) })
		}
	})
}

func (s *Sim) work(o core.Op, fin *core.OpFinished) error {
	switch o.Kind {
	case core.OpPull:
		var err error
		fin.Image, err = s.world.Pull(o.Pull.Image)
		return err
	case core.OpCreate:
		_, err := s.world.Create(s.now, o.Spec)
		return err
	case core.OpStart:
		return s.world.Start(s.now, o.On)
	case core.OpStop:
		s.ends = s.world.Stop(s.now, o.On, o.Grace) // the engine answers when it has ended
	case core.OpRemove:
		s.world.Remove(o.On)
	}
	return nil
}

// hint tells the daemon that something may have changed; hints get lost,
// doubled and late.
func (s *Sim) hint() {
	s.checkLogs()
	if s.chance(15) {
		return
	}
	s.after(s.between(0, 20*time.Millisecond), s.relist)
	if s.chance(15) {
		s.after(s.between(0, 2*time.Second), s.relist)
	}
}

// relist begins a listing now, looks a little later, and tells still later.
func (s *Sim) relist() {
	seq := s.state.Seq()
	s.after(s.waits()+s.between(0, 3*time.Millisecond), func() {
		seen := s.world.List(Env)
		for i := range seen {
			st := &seen[i]
			st.CreatedAt, st.StartedAt, st.FinishedAt = s.onWall(st.CreatedAt), s.onWall(st.StartedAt), s.onWall(st.FinishedAt)
		}
		s.listings++
		number := s.listings
		delay := s.between(0, 3*time.Millisecond)
		if s.chance(5) {
			delay = s.between(0, time.Second)
		}
		s.after(delay, func() { s.handle(core.Listed{Statuses: seen, Seq: seq, Number: number}) })
	})
}

func (s *Sim) scan(e core.ScanListeners) {
	seen := core.ListenersSeen{Replica: e.Replica, Listeners: s.world.Listeners(s.now, e.Holder)}
	if s.chance(10) {
		seen.Err = errTimedOut
	}
	s.handle(seen)
}

func (s *Sim) setTimer(at time.Time) {
	s.timer = at
	if at.IsZero() {
		return
	}
	s.after(at.Sub(s.wall()), func() {
		if s.timer.Equal(at) {
			s.handle(core.TimerFired{})
		}
	})
}

// checkLogs tells of output that is stored to its end.
func (s *Sim) checkLogs() {
	running := map[container.Key]bool{}
	for _, st := range s.world.List(Env) {
		running[st.Key] = st.State == container.Running
	}
	for key, open := range s.follow {
		if open && !running[key] {
			s.follow[key] = false
			s.after(s.between(0, time.Second), func() { s.handle(core.LogsStored{Key: key}) })
		}
	}
}

// publish checks a table against what was proved and against the one before.
func (s *Sim) publish(t ingress.Table) {
	if !s.Silent {
		s.note("table %d\n%s", t.Generation, t)
	}
	for _, a := range t.Apps {
		for _, rev := range a.Revisions {
			for _, ep := range rev.Endpoints {
				s.checkProved(ep.Replica)
			}
		}
		s.checkHandover(a)
	}
	s.table = t
}

// checkProved: no table names a replica that was not proved ready.
func (s *Sim) checkProved(replica string) {
	for key, p := range s.probes {
		if key.Replica != replica || key.Kind == probes.Liveness {
			continue
		}
		if got := s.proved[key]; got.edge != probes.Passed || got.generation != p.target.Generation {
			s.fail("the table names %s, whose %s probe of %s has not passed", replica, key.Kind, key.Container)
		}
	}
}

// checkHandover: an app that is answered stays answered, unless its replicas
// failed or the user took them away.
func (s *Sim) checkHandover(now ingress.App) {
	if _, wanted := s.wanted[now.Name]; !wanted || s.taken[now.Name] || served(now) > 0 || s.idle(now.Name) {
		return
	}
	for _, before := range s.table.Apps {
		if before.Name != now.Name || served(before) == 0 {
			continue
		}
		for _, ep := range endpoints(before) {
			if s.wellNow(ep.Replica) {
				s.fail("%s was taken out of %s although it is ready and nothing took over", ep.Replica, now.Name)
			}
		}
	}
}

// idle says that a revision of an app was scaled to zero.
func (s *Sim) idle(app string) bool {
	for _, a := range s.View() {
		for _, rev := range a.Revisions {
			if a.Resource.Name == app && rev.Resource.Properties.RunningState == "ScaledToZero" {
				return true
			}
		}
	}
	return false
}

func served(a ingress.App) int { return len(endpoints(a)) }

// endpoints are the replicas that get the app's own requests.
func endpoints(a ingress.App) []ingress.Endpoint {
	var out []ingress.Endpoint
	for _, w := range a.Split {
		for _, rev := range a.Revisions {
			if rev.Name == w.Revision && w.Weight > 0 {
				out = append(out, rev.Endpoints...)
			}
		}
	}
	return out
}

// wellNow says that all containers of a replica run and everything told about
// it is good.
func (s *Sim) wellNow(replica string) bool {
	running := 0
	for _, st := range s.world.List(Env) {
		if st.Key.Replica == replica && st.Key.Role != container.RoleInit && st.State == container.Running {
			running++
		}
	}
	for key, got := range s.proved {
		if key.Replica == replica && got.edge == probes.Failed {
			return false
		}
	}
	return running == s.members(replica)
}

// members is how many containers a replica runs, its holder included, or -1
// when the daemon does not know it.
func (s *Sim) members(replica string) int {
	for _, a := range s.View() {
		for _, rev := range a.Revisions {
			for _, r := range rev.Replicas {
				if r.Resource.Name == replica {
					return 1 + len(r.Resource.Properties.Containers)
				}
			}
		}
	}
	return -1
}
