package sim

import (
	"time"

	"github.com/acalocal/acalocal/internal/core"
	"github.com/acalocal/acalocal/internal/scale"
)

// trigger is a rule whose metric is read.
type trigger struct {
	scale.Trigger
	stopped bool
}

// setTriggers keeps what is the same, ends what is gone and starts what is new.
func (s *Sim) setTriggers(triggers []scale.Trigger) {
	next := map[scale.TriggerKey]*trigger{}
	for _, want := range triggers {
		t := s.triggers[want.TriggerKey]
		if t == nil || !t.Equal(want) {
			t = &trigger{Trigger: want}
			s.after(s.between(0, 100*time.Millisecond), func() { s.read(t) })
		}
		next[want.TriggerKey] = t
	}
	for key, t := range s.triggers {
		if next[key] != t {
			t.stopped = true
		}
	}
	s.triggers = next
}

// read reads a trigger once and schedules the next time. A queue may be away.
func (s *Sim) read(t *trigger) {
	if t.stopped {
		return
	}
	r := scale.TriggerReport{TriggerKey: t.TriggerKey, Sample: scale.Sample{Kind: scale.Average, Value: s.Metric, Target: 5}}
	if s.Broken || s.chance(20) {
		r.Sample, r.Err = scale.Sample{Kind: scale.Average, Failed: true}, errTimedOut.Error()
	}
	// The answer travels; the trigger may be gone when it comes.
	s.after(s.between(0, 2*time.Second), func() { s.handle(core.TriggerRead{Report: r}) })
	s.after(t.Interval, func() { s.read(t) })
}
