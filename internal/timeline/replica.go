package timeline

import (
	"slices"
	"time"

	"github.com/acalocal/acalocal/internal/explain/event"
)

// replicaLanes are the containers of a replica in the order they appear, each
// with its phases, then a lane for each type of probe that failed.
func replicaLanes(replica string, events []event.Event, end time.Time) []Lane {
	own := slices.DeleteFunc(slices.Clone(events), func(e event.Event) bool { return e.Replica != replica && e.Kind != event.Ready })
	var lanes []Lane
	for _, name := range containersOf(own) {
		lanes = append(lanes, containerLane(replica, name, own, end))
	}
	if len(lanes) == 0 { // its image never came
		lanes = append(lanes, containerLane(replica, "", own, end))
	}
	for _, kind := range []string{"Startup", "Readiness", "Liveness"} {
		lane := Lane{Name: kind, Group: replica}
		for _, e := range own {
			if e.Kind == event.ProbeFailed && e.Probe == kind {
				lane.Marks = append(lane.Marks, Mark{Kind: ProbeFailure, Time: e.Time, Text: e.Text})
			}
		}
		if len(lane.Marks) > 0 {
			lanes = append(lanes, lane)
		}
	}
	return lanes
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

func containerLane(replica, name string, events []event.Event, end time.Time) Lane {
	l := &life{lane: Lane{Name: name, Group: replica}, end: end}
	image := imageOf(name, events)
	for _, e := range events {
		l.see(e, name, image)
	}
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
	case e.Kind == event.Ready && l.phase == Start:
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
