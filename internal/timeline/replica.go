package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/explain/event"
	"github.com/acalocal/acalocal/probes"
)

// replicaLanes are the containers of a replica in the order they appear, each
// with its phases, then a lane for each type of probe that was tried.
func replicaLanes(replica string, events []event.Event, attempts []emulator.ProbeAttempt, end time.Time) []Lane {
	own := slices.DeleteFunc(slices.Clone(events), func(e event.Event) bool { return e.Replica != replica && e.Kind != event.Ready })
	tried := slices.DeleteFunc(slices.Clone(attempts), func(a emulator.ProbeAttempt) bool { return a.Replica != replica })
	var lanes []Lane
	for _, name := range containersOf(own) {
		lanes = append(lanes, containerLane(replica, name, own, tried, end))
	}
	lanes = append(lanes, coldLanes(replica, own)...)
	if len(lanes) == 0 { // its image never came
		lanes = append(lanes, containerLane(replica, "", own, nil, end))
	}
	for _, kind := range []string{"Startup", "Readiness", "Liveness"} {
		lanes = append(lanes, probeLanes(replica, kind, own, tried)...)
	}
	return lanes
}

// coldLanes is the start of a replica that came up from zero, in its parts: a
// lane, or none.
func coldLanes(replica string, events []event.Event) []Lane {
	for _, e := range events {
		if e.Kind != event.ColdStart {
			continue
		}
		lane := Lane{Name: coldStart, Group: replica}
		at := e.Time.Add(-e.Cold.Total())
		for _, p := range []struct {
			phase Phase
			took  time.Duration
		}{{Schedule, e.Cold.Schedule}, {Create, e.Cold.Create}, {Boot, e.Cold.Boot}, {Probing, e.Cold.Probes}} {
			if p.took > 0 {
				lane.Spans = append(lane.Spans, Span{Phase: p.phase, From: at, To: at.Add(p.took)})
			}
			at = at.Add(p.took)
		}
		return []Lane{lane}
	}
	return nil
}

// coldStart names the lane of a cold start.
const coldStart = "cold start"

// probeLanes are the attempts of one type of probe: a lane, or one for each
// container when several have such a probe. Rows, which do not name the
// container, tell of failures from before the first attempt remembered.
func probeLanes(replica, kind string, events []event.Event, attempts []emulator.ProbeAttempt) []Lane {
	tried := slices.DeleteFunc(slices.Clone(attempts), func(a emulator.ProbeAttempt) bool { return string(a.Probe) != kind })
	var containers []string
	for _, a := range tried {
		if !slices.Contains(containers, a.Container) {
			containers = append(containers, a.Container)
		}
	}
	first := Lane{Name: kind, Group: replica}
	for _, e := range events {
		if e.Kind == event.ProbeFailed && e.Probe == kind && (len(tried) == 0 || e.Time.Before(tried[0].Time)) {
			first.Marks = append(first.Marks, Mark{Kind: ProbeFailure, Time: e.Time, Text: e.Text})
		}
	}
	lanes := []Lane{first}
	for i, name := range containers {
		switch {
		case len(containers) == 1:
		case i == 0:
			lanes[0].Name = kind + " " + name
		default:
			lanes = append(lanes, Lane{Name: kind + " " + name, Group: replica})
		}
		for _, a := range tried {
			if a.Container == name {
				lanes[i].Marks = append(lanes[i].Marks, markOf(a))
			}
		}
	}
	return slices.DeleteFunc(lanes, func(l Lane) bool { return len(l.Marks) == 0 })
}

// markOf is one attempt.
func markOf(a emulator.ProbeAttempt) Mark {
	took := time.Duration(a.Milliseconds * float64(time.Millisecond)).Round(time.Millisecond / 10)
	m := Mark{Kind: ProbePass, Time: a.Time, Text: fmt.Sprintf("%s of %s passed in %s", a.Probe, a.Container, took)}
	switch {
	case a.Passed && a.Path != "":
		m.Text += fmt.Sprintf(", GET %s answered %s", a.Path, a.Status)
	case !a.Passed:
		m.Kind, m.Text = ProbeFailure, fmt.Sprintf("%s of %s failed after %s: %s", a.Probe, a.Container, took, cmp.Or(a.Detail, "status "+a.Status))
	}
	return m
}

// readiness are the moments at which a container became ready: of each start,
// the first attempt of its readiness probe that passed.
func readiness(name string, attempts []emulator.ProbeAttempt) []time.Time {
	var out []time.Time
	start := 0
	for _, a := range attempts {
		if a.Container == name && a.Probe == probes.Readiness && a.Passed && a.Start > start {
			start = a.Start
			out = append(out, a.Time)
		}
	}
	return out
}

func containersOf(events []event.Event) []string {
	var out []string
	for _, e := range events {
		if e.Container != "" && !slices.Contains(out, e.Container) {
			out = append(out, e.Container)
		}
	}
	return out
}

// life walks through the rows of one container.
type life struct {
	lane  Lane
	phase Phase
	since time.Time
	end   time.Time
}

func containerLane(replica, name string, events []event.Event, attempts []emulator.ProbeAttempt, end time.Time) Lane {
	l := &life{lane: Lane{Name: name, Group: replica}, end: end}
	image := imageOf(name, events)
	ready := readiness(name, attempts)
	for _, e := range events {
		ready = l.becomeReady(ready, e.Time)
		l.see(e, name, image)
	}
	l.becomeReady(ready, end)
	if l.phase != "" && l.phase != Stop {
		l.lane.Spans = append(l.lane.Spans, Span{Phase: l.phase, From: l.since, To: end, Open: true})
	} else {
		l.turn("", end)
	}
	return l.lane
}

// imageOf finds which pulls belong to a container: rows of pulls name images,
// not containers. The pull before its first creation is its own.
func imageOf(name string, events []event.Event) string {
	image := ""
	for _, e := range events {
		switch {
		case e.Kind == event.Pulled && image == "":
			image = e.Image
		case e.Kind == event.Pulled && len(containersOf(events)) == 1:
			image = e.Image
		case (e.Kind == event.Created || e.Kind == event.Terminated) && e.Container == name:
			return image
		}
	}
	return image
}

// becomeReady takes the moments of readiness up to a time and returns the
// others.
func (l *life) becomeReady(ready []time.Time, until time.Time) []time.Time {
	for len(ready) > 0 && !ready[0].After(until) {
		if l.phase == Start && !ready[0].Before(l.since) {
			l.turn(Up, ready[0])
		}
		ready = ready[1:]
	}
	return ready
}

// see takes one row further.
func (l *life) see(e event.Event, name, image string) {
	mine := e.Container == name
	switch {
	case e.Kind == event.Pulling && (image == "" || e.Image == image) && l.phase != Up && l.phase != Start:
		l.turn(Pull, e.Time)
	case e.Kind == event.Pulled && e.Image == image && l.phase == Pull:
		l.turn(Create, e.Time)
	case e.Kind == event.Started && mine:
		l.turn(Start, e.Time)
	case (e.Kind == event.Ready || e.Kind == event.ColdStart) && l.phase == Start:
		l.turn(Up, e.Time)
	case e.Kind == event.KillBegun && mine:
		l.mark(Kill, e)
	case e.Kind == event.Terminated && mine:
		l.terminated(e)
	case e.Kind == event.Exited && mine:
		l.mark(Exit, e)
		if l.phase == Stop {
			l.turn("", e.Time)
		}
	case e.Kind == event.PortMismatch && name != "":
		l.mark(Mismatch, e)
	}
}

func (l *life) terminated(e event.Event) {
	switch e.End {
	case "ManuallyStopped":
		l.mark(Exit, e)
		l.turn(Stop, e.Time)
	case "ImagePullFailure":
		l.mark(PullFailure, e)
		l.turn(BackOff, e.Time)
	default:
		if e.End != "ProbeFailure" { // the kill has its mark already
			l.mark(Exit, e)
		}
		l.turn(BackOff, e.Time)
	}
}

// turn ends the present phase and begins another, "" for none.
func (l *life) turn(to Phase, at time.Time) {
	if l.phase != "" && at.After(l.since) {
		l.lane.Spans = append(l.lane.Spans, Span{Phase: l.phase, From: l.since, To: at})
	}
	l.phase, l.since = to, at
}

func (l *life) mark(kind MarkKind, e event.Event) {
	l.lane.Marks = append(l.lane.Marks, Mark{Kind: kind, Time: e.Time, Text: e.Text})
}
