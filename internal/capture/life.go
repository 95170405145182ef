package capture

import (
	"slices"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/explain/event"
)

// life is what was recorded of one container in one replica.
type life struct {
	starts   []start
	attempts []emulator.ProbeAttempt // of its probes
	lines    []explain.Output
	oomKills int
	last     *emulator.End
	failure  *event.Event // it could not be created or pulled, and never started
}

// start is one process of a container.
type start struct {
	begin   time.Time
	until   time.Time // when the next one began, or the capture ended
	end     time.Time // zero while it ran
	code    string    // exit code, when it ended by itself
	stopped time.Time // when it was told to stop, zero if never
	ignored bool      // it was killed at the end of its grace
}

// within says whether a moment belongs to this start.
func (s start) within(t time.Time) bool { return !t.Before(s.begin) && t.Before(s.until) }

// replica is the one that tells most: that with the most starts of containers.
func (f *File) replica(events []event.Event) string {
	starts := map[string]int{}
	best := ""
	for _, e := range events {
		if e.Replica == "" {
			continue
		}
		if e.Kind == event.Started {
			starts[e.Replica]++
		}
		if best == "" || starts[e.Replica] > starts[best] {
			best = e.Replica
		}
	}
	return best
}

// lifeOf collects what was recorded of a container.
func (f *File) lifeOf(c *aca.Container, replica string, events []event.Event) *life {
	l := &life{}
	for _, e := range events {
		if e.Replica == replica && e.Container == c.Name {
			l.see(e)
		}
	}
	for i := range l.starts {
		l.starts[i].until = f.Made
		if i+1 < len(l.starts) {
			l.starts[i].until = l.starts[i+1].begin
		}
	}
	for _, a := range f.Attempts {
		if a.Replica == replica && a.Container == c.Name {
			l.attempts = append(l.attempts, a)
		}
	}
	if len(l.attempts) == 0 {
		l.attempts = f.fromRows(c, replica, events)
	}
	for _, line := range f.Console {
		if line.Replica == replica && line.Container == c.Name {
			l.lines = append(l.lines, line)
		}
	}
	if rep := f.App.Revision(f.Revision).Replica(replica); rep != nil {
		for _, lc := range rep.Local.Containers {
			if lc.Name == c.Name {
				l.oomKills, l.last = lc.OOMKills, lc.LastEnd
			}
		}
	}
	l.dropYoung()
	return l
}

// see takes one row further.
func (l *life) see(e event.Event) {
	var s *start
	if n := len(l.starts); n > 0 {
		s = &l.starts[n-1]
	}
	switch {
	case e.Kind == event.Started:
		l.starts = append(l.starts, start{begin: e.Time})
	case e.Kind == event.Terminated && (e.End == "ContainerCreateFailure" || e.End == "ImagePullFailure"):
		if s == nil {
			l.failure = &e
		}
	case s == nil:
	case e.Kind == event.Terminated && e.End == "ProcessExited":
		s.end, s.code = e.Time, e.Code
	case e.Kind == event.Terminated:
		s.stopped = e.Time
	case e.Kind == event.Exited && !s.stopped.IsZero():
		s.ignored = e.Code == "137"
	}
}

// dropYoung drops a last start that was still under way when the one before
// it had already ended: how it would have gone on is what that one shows.
func (l *life) dropYoung() {
	n := len(l.starts)
	if n < 2 {
		return
	}
	last, before := l.starts[n-1], l.starts[n-2]
	if !last.end.IsZero() || !last.stopped.IsZero() {
		return
	}
	length := before.end
	if length.IsZero() {
		length = before.stopped
	}
	if length.IsZero() || last.until.Sub(last.begin) > length.Sub(before.begin) {
		return
	}
	if !slices.ContainsFunc(l.attempts, func(a emulator.ProbeAttempt) bool {
		return last.within(a.Time) && a.Passed && string(a.Probe) == string(aca.Readiness)
	}) {
		l.starts = l.starts[:n-1]
	}
}

// fromRows makes attempts of the rows of failed ones, for a capture whose
// daemon remembered none. Rows do not name the container: they are taken for
// the main one's, or the only one's with such a probe.
func (f *File) fromRows(c *aca.Container, replica string, events []event.Event) []emulator.ProbeAttempt {
	var out []emulator.ProbeAttempt
	app := f.App.ContainerApp
	app.Properties.Template = f.App.Revision(f.Revision).Properties.Template
	for _, e := range events {
		if e.Replica != replica || e.Kind != event.ProbeFailed {
			continue
		}
		probe := probeOf(&app, c.Name, e.Probe)
		if probe == nil || !f.owns(&app, c.Name, e.Probe) {
			continue
		}
		a := emulator.ProbeAttempt{Replica: replica, Container: c.Name, Time: e.Time, Status: e.Status, Timeout: e.Timeout > 0, Milliseconds: float64(e.Timeout.Milliseconds())}
		if probe.HTTPGet != nil {
			a.Path, a.Port = probe.HTTPGet.Path, probe.HTTPGet.Port
			if a.Path == "" {
				a.Path = "/"
			}
		} else {
			a.Port = probe.TCPSocket.Port
		}
		out = append(out, a)
	}
	return out
}

func probeOf(app *aca.ContainerApp, container, kind string) *aca.Probe {
	for _, p := range aca.EffectiveProbes(app, container) {
		if string(p.Type) == kind {
			return &p
		}
	}
	return nil
}

// owns says that rows about a type of probe are about this container.
func (f *File) owns(app *aca.ContainerApp, container, kind string) bool {
	var with []string
	for _, c := range app.Properties.Template.Containers {
		if probeOf(app, c.Name, kind) != nil {
			with = append(with, c.Name)
		}
	}
	return len(with) == 1 || container == app.MainContainer()
}
