// Package timeline lays out the life of a revision in time: pulls, creations,
// starts, attempts of probes, readiness, traffic, restarts and drains, to
// scale.
//
//	system rows, attempts, requests ─▶ Build ─▶ Timeline ─▶ Draw (terminal), SVG, JSON
//
// It is pure. The platform writes no row for an attempt of a probe that
// passes: those are shown as far as the emulator remembers them. What lies
// between a start and the first readiness is drawn as starting.
package timeline

import (
	"cmp"
	"slices"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/explain/event"
)

// Input is what a timeline is made of.
type Input struct {
	App      string
	Revision string
	// Rows are the system log's of the revision, oldest first.
	Rows []event.Row
	// Attempts are those of probes that are remembered, oldest first; failed
	// ones have rows, too. Nil for none.
	Attempts []emulator.ProbeAttempt
	// Requests are the times of requests the edge sent to it; nil for none.
	Requests []time.Time
	// Now is the end of what is still going on.
	Now time.Time
	// Scale says how many times faster the platform's own timers ran; 0 is 1.
	Scale float64
}

// Timeline is a life, ready to be drawn.
type Timeline struct {
	App      string    `json:"app"`
	Revision string    `json:"revision"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Scale    float64   `json:"timeScale,omitempty"`
	Lanes    []Lane    `json:"lanes"`
	Events   []Event   `json:"events"`
}

// Lane is one row of the drawing: a container of a replica, its cold start, the
// attempts of a probe type, the revision itself, or the requests.
type Lane struct {
	// Name is what the lane is about; Group the replica it belongs to, "" for
	// the revision's own.
	Name  string `json:"name"`
	Group string `json:"group,omitempty"`
	Spans []Span `json:"spans,omitempty"`
	Marks []Mark `json:"marks,omitempty"`
}

// Phase is what a container or revision does during a Span.
type Phase string

// The phases, in the order they come.
const (
	Pull    Phase = "pull"
	Create  Phase = "create"
	Start   Phase = "starting" // until its probes pass
	Up      Phase = "up"
	BackOff Phase = "back-off"
	Stop    Phase = "stopping"
	Traffic Phase = "traffic"

	// Those of a cold start; between them is Create.
	Schedule Phase = "schedule"
	Boot     Phase = "boot"
	Probing  Phase = "probes"
)

// Span is a phase from one moment to another.
type Span struct {
	Phase Phase     `json:"phase"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	// Open says that it was still going on.
	Open bool `json:"open,omitempty"`
}

// MarkKind is what a Mark stands for.
type MarkKind string

// The kinds of marks.
const (
	ProbeFailure MarkKind = "probe-failed"
	ProbePass    MarkKind = "probe-passed"
	Kill         MarkKind = "killed"
	Exit         MarkKind = "ended"
	Ready        MarkKind = "ready"
	Mismatch     MarkKind = "port-mismatch"
	PullFailure  MarkKind = "pull-failed"
	Request      MarkKind = "request"
)

// Mark is one moment.
type Mark struct {
	Kind MarkKind  `json:"kind"`
	Time time.Time `json:"time"`
	Text string    `json:"text,omitempty"`
}

// Event is one line of the list below the drawing; rows that repeat are one.
type Event struct {
	Time    time.Time `json:"time"`
	Until   time.Time `json:"until,omitzero"` // the last of several
	Times   int       `json:"times,omitempty"`
	Replica string    `json:"replica,omitempty"`
	Warning bool      `json:"warning,omitempty"`
	Text    string    `json:"text"`
}

// Build lays out a life. Without rows it has no lanes.
func Build(in Input) Timeline {
	t := Timeline{App: in.App, Revision: in.Revision, From: in.Now, To: in.Now, Scale: in.Scale, Lanes: []Lane{}, Events: []Event{}}
	rows := slices.Clone(in.Rows)
	slices.SortStableFunc(rows, func(a, b event.Row) int { return a.Time.Compare(b.Time) })
	events := event.ParseAll(rows)
	if len(events) == 0 {
		return t
	}
	t.From = events[0].Time
	t.To = lastMoment(events, in)
	t.Lanes = append(t.Lanes, revisionLane(events, t.To))
	for _, replica := range replicasOf(events) {
		t.Lanes = append(t.Lanes, replicaLanes(replica, events, in.Attempts, t.To)...)
	}
	if lane := requestLane(in.Requests); len(lane.Marks) > 0 {
		t.Lanes = append(t.Lanes, lane)
	}
	t.Events = condense(events)
	return t
}

// lastMoment is the end of the drawing: the last thing that happened of a
// revision that is over, else now.
func lastMoment(events []event.Event, in Input) time.Time {
	last := events[len(events)-1].Time
	for _, r := range in.Requests {
		last = later(last, r)
	}
	for _, a := range in.Attempts {
		last = later(last, a.Time)
	}
	if over(events) || in.Now.Before(last) {
		return last
	}
	return in.Now
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// over says that every replica that was scheduled was stopped.
func over(events []event.Event) bool {
	alive := map[string]bool{}
	for _, e := range events {
		switch {
		case e.Kind == event.Scheduled:
			alive[e.Replica] = true
		case e.Kind == event.Terminated && e.End == "ManuallyStopped":
			delete(alive, e.Replica)
		}
	}
	return len(alive) == 0
}

// replicasOf are the replicas that rows name, in the order they appear.
func replicasOf(events []event.Event) []string {
	var out []string
	for _, e := range events {
		if e.Replica != "" && !slices.Contains(out, e.Replica) {
			out = append(out, e.Replica)
		}
	}
	return out
}

// revisionLane is when the revision became ready and had the traffic.
func revisionLane(events []event.Event, end time.Time) Lane {
	lane := Lane{Name: "revision"}
	var since time.Time
	for _, e := range events {
		switch e.Kind {
		case event.Ready:
			lane.Marks = append(lane.Marks, Mark{Kind: Ready, Time: e.Time, Text: e.Text})
		case event.Traffic:
			if since.IsZero() {
				since = e.Time
			}
		case event.Retired:
			if !since.IsZero() {
				lane.Spans = append(lane.Spans, Span{Phase: Traffic, From: since, To: e.Time})
				since = time.Time{}
			}
		}
	}
	if !since.IsZero() {
		lane.Spans = append(lane.Spans, Span{Phase: Traffic, From: since, To: end, Open: true})
	}
	return lane
}

func requestLane(times []time.Time) Lane {
	lane := Lane{Name: "requests"}
	for _, at := range times {
		lane.Marks = append(lane.Marks, Mark{Kind: Request, Time: at})
	}
	slices.SortFunc(lane.Marks, func(a, b Mark) int { return a.Time.Compare(b.Time) })
	return lane
}

// condense joins rows that repeat without another in between, which probes do.
func condense(events []event.Event) []Event {
	out := []Event{}
	for _, e := range events {
		if n := len(out); n > 0 && out[n-1].Text == e.Text && out[n-1].Replica == e.Replica {
			out[n-1].Times = cmp.Or(out[n-1].Times, 1) + 1
			out[n-1].Until = e.Time
			continue
		}
		out = append(out, Event{Time: e.Time, Replica: e.Replica, Warning: e.Warning, Text: e.Text})
	}
	return out
}
