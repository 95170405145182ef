package core

import (
	"cmp"
	"fmt"
	"time"
)

// Start is how long a replica took from being asked for to being ready, in the
// four parts that follow each other.
type Start struct {
	Schedule time.Duration // until it was scheduled: to decide
	Create   time.Duration // images, containers and init containers, until the last container was started
	Boot     time.Duration // the program's own, until it listened on the target port
	Probes   time.Duration // until all probes had passed
}

// Total is the whole of it.
func (t Start) Total() time.Duration { return t.Schedule + t.Create + t.Boot + t.Probes }

// noteListening remembers when the target port of a replica was first listened
// on.
func (s *State) noteListening(r *replica) {
	port := cmp.Or(targetPort(r.rev.app), r.port)
	for _, l := range r.listeners {
		if l.Port == port && r.listening.IsZero() {
			r.listening = s.now
		}
	}
}

// noteStart measures the start of a replica when it is ready for the first time.
// One that brings a revision back from zero is told of: it is the wait of who
// sent the first request.
func (s *State) noteStart(r *replica) {
	if r.start != nil || r.adopted || !s.ready(r) {
		return
	}
	asked := r.woken
	if asked.IsZero() {
		asked = r.created
	}
	var started time.Time
	for _, m := range r.mains {
		if at := s.observed[m.key].StartedAt; at.After(started) {
			started = at
		}
	}
	// The engine's clock may be another machine's, and listening is seen a
	// moment late: each point lies between those around it.
	started = between(r.created, started, s.now)
	listening := s.now
	if !r.listening.IsZero() {
		listening = between(started, r.listening, s.now)
	}
	r.start = &Start{
		Schedule: r.created.Sub(asked), Create: started.Sub(r.created),
		Boot: listening.Sub(started), Probes: s.now.Sub(listening),
	}
	if !r.woken.IsZero() {
		s.coldRow(r, *r.start)
	}
}

func between(low, t, high time.Time) time.Time {
	switch {
	case t.Before(low):
		return low
	case t.After(high):
		return high
	}
	return t
}

// coldRow is a row of our own: ACA writes none, and the wait is what people ask
// about.
func (s *State) coldRow(r *replica, t Start) {
	msg := fmt.Sprintf("Replica '%s' was ready %s after the app was asked for at zero: schedule %s, create %s, boot %s, probes %s.",
		r.name, milli(t.Total()), milli(t.Schedule), milli(t.Create), milli(t.Boot), milli(t.Probes))
	s.write(SystemLog{App: r.rev.app.spec.Name, Revision: r.rev.name, Replica: r.name, Reason: "ColdStart", Source: "acalocal", Msg: msg}, r.name)
}

func milli(d time.Duration) string { return d.Round(time.Millisecond).String() }
