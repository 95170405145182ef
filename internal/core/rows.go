package core

import (
	"fmt"
	"strings"
)

// The two sources of rows the core writes. Scaling decisions have a third.
const (
	controller = "ContainerAppController"
	keda       = "KEDA"
)

// countKey is what Count counts: occurrences of a message with its reason
// about one object. It goes on over container restarts, and over revisions
// for rows about the app (observed).
type countKey struct{ object, reason, msg string }

func (s *State) write(r SystemLog, object string) {
	key := countKey{object, r.Reason, r.Msg}
	s.counts[key]++
	r.Count = s.counts[key]
	r.Time = s.now
	if r.Source == "" {
		r.Source = controller
	}
	s.emit(EmitSystemLog{r})
}

// row writes a row about a replica.
func (s *State) row(r *replica, warning bool, reason, msg string) {
	s.write(SystemLog{Warning: warning, App: r.rev.app.spec.Name, Revision: r.rev.name, Replica: r.name, Reason: reason, Msg: msg}, r.name)
}

func (s *State) warnRow(r *replica, reason, msg string) { s.row(r, true, reason, msg) }

// revRow writes a row about a revision.
func (s *State) revRow(rev *revision, reason, msg string) {
	s.write(SystemLog{App: rev.app.spec.Name, Revision: rev.name, Reason: reason, Msg: msg}, rev.name)
}

// scaleRow says in the log of a revision that its times are not Azure's. Azure
// does not have this row, so its source is ours.
func (s *State) scaleRow(rev *revision) {
	if s.o.TimeScale == 1 {
		return
	}
	msg := fmt.Sprintf("The platform's own timers run %g times faster than on Azure (--time-scale).", s.o.TimeScale)
	if s.o.ScaleProbes {
		msg = strings.Replace(msg, "timers run", "timers and the periods of probes run", 1)
	}
	s.write(SystemLog{App: rev.app.spec.Name, Revision: rev.name, Reason: "TimeScale", Source: "acalocal", Msg: msg}, rev.name)
}

// scalerRow writes a row of the scaler about a revision.
func (s *State) scalerRow(rev *revision, warning bool, reason, msg string) {
	s.write(SystemLog{Warning: warning, App: rev.app.spec.Name, Revision: rev.name, Reason: reason, Source: keda, Msg: msg}, rev.name)
}

// appRow writes a row about a whole app; rev is the revision its column names,
// nil for none.
func (s *State) appRow(a *app, rev *revision, reason, msg string) {
	r := SystemLog{App: a.spec.Name, Reason: reason, Msg: msg}
	if rev != nil {
		r.Revision = rev.name
	}
	s.write(r, a.spec.Name)
}

// forgetCounts drops the counters of an object that is gone.
func (s *State) forgetCounts(object string) {
	for key := range s.counts {
		if key.object == object {
			delete(s.counts, key)
		}
	}
}
