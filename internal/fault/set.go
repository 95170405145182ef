package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// Event is one thing that the faults of a Set did.
type Event struct {
	Time     time.Time
	Warning  bool
	App      string
	Revision string
	Replica  string
	// Reason is FaultAdded, FaultBegan, FaultInjected, FaultFailed, FaultEnded
	// or FaultRemoved.
	Reason string
	Text   string
	Count  int // how often the fault has happened, this time included
}

// State is a fault and what has become of it.
type State struct {
	Fault
	Added time.Time `json:"added"`
	// Phase is where it is in its life.
	Phase Phase `json:"phase"`
	// Count is how often it has happened.
	Count int `json:"count"`
	// Last says what it did last, or why it could not.
	Last string `json:"last,omitempty"`
}

// Phase is where a fault is in its life.
type Phase string

// The phases.
const (
	Waiting Phase = "waiting" // for its time
	Active  Phase = "active"
	Over    Phase = "over"
)

// maxFaults bounds a Set.
const maxFaults = 1000

// Set holds the faults of an environment. All methods may be called
// concurrently.
type Set struct {
	env    string
	report func(Event)

	mu      sync.Mutex
	faults  []*standing   // guarded by mu, oldest first
	made    int           // guarded by mu; for names
	engine  outage        // guarded by mu
	changed chan struct{} // wakes Run; one slot
	some    atomic.Bool   // there are faults

	runtime container.Runtime // the engine itself, set by Runtime
}

// standing is a fault in a Set. Its Set's lock guards it.
type standing struct {
	State
	begins, ends time.Time // ends is zero for never
	next         time.Time // of a strike
	rand         *rand.Rand
	told         time.Time // when an injection was last reported
	striking     int       // strikes under way
}

// NewSet returns a Set without faults for an environment. report is told of
// everything that happens, from any goroutine; it may block for a moment.
func NewSet(env string, report func(Event)) *Set {
	return &Set{env: env, report: report, engine: newOutage(), changed: make(chan struct{}, 1)}
}

// Add begins a fault and returns it with its name. Errors are *aca.Error.
func (s *Set) Add(f Fault) (State, error) {
	if err := f.Check(); err != nil {
		return State{}, err
	}
	st, err := s.add(f, time.Now())
	if err != nil {
		return State{}, err
	}
	s.report(Event{Time: st.Added, App: literal(f.App), Reason: "FaultAdded", Text: fmt.Sprintf("Added fault '%s': %s", st.Name, f), Count: 1})
	s.step(time.Now())
	s.wake()
	return st, nil
}

func (s *Set) add(f Fault, now time.Time) (State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) >= maxFaults {
		return State{}, &aca.Error{Code: "Conflict", Message: fmt.Sprintf("There are %d faults already: remove some.", maxFaults), Target: "name"}
	}
	for f.Name == "" {
		s.made++
		if name := fmt.Sprintf("%s-%d", f.Kind, s.made); s.findLocked(name) < 0 {
			f.Name = name
		}
	}
	if s.findLocked(f.Name) >= 0 {
		return State{}, &aca.Error{Code: "Conflict", Message: fmt.Sprintf("There is a fault '%s' already.", f.Name), Target: "name"}
	}
	st := &standing{State: State{Fault: f, Added: now, Phase: Waiting}, begins: now.Add(time.Duration(f.After)), rand: rand.New(rand.NewPCG(f.Seed, 0))}
	st.next = st.begins
	if f.For > 0 {
		st.ends = st.begins.Add(time.Duration(f.For))
	}
	s.faults = append(s.faults, st)
	s.some.Store(true)
	return st.State, nil
}

func (s *Set) findLocked(name string) int {
	return slices.IndexFunc(s.faults, func(f *standing) bool { return f.Name == name })
}

// List returns the faults, oldest first, those that are over included.
func (s *Set) List() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]State, 0, len(s.faults))
	for _, f := range s.faults {
		out = append(out, f.State)
	}
	return out
}

// Remove ends the fault of that name, or all without one, and forgets it. It
// returns how many there were.
func (s *Set) Remove(name string) (int, error) {
	s.mu.Lock()
	var gone []State
	s.faults = slices.DeleteFunc(s.faults, func(f *standing) bool {
		if name != "" && f.Name != name {
			return false
		}
		gone = append(gone, f.State)
		return true
	})
	s.some.Store(len(s.faults) > 0)
	s.findEngineLocked()
	s.mu.Unlock()
	s.wake()
	if name != "" && len(gone) == 0 {
		return 0, &aca.Error{Code: "ResourceNotFound", Message: fmt.Sprintf("There is no fault '%s'.", name), Target: name}
	}
	for _, f := range gone {
		s.report(Event{Time: time.Now(), App: literal(f.App), Reason: "FaultRemoved", Text: fmt.Sprintf("Removed fault '%s', which happened %d times", f.Name, f.Count), Count: 1})
	}
	return len(gone), nil
}

// literal is a pattern that is a name, or "".
func literal(pattern string) string {
	for _, c := range pattern {
		switch c {
		case '*', '?', '[', '\\':
			return ""
		}
	}
	return pattern
}

func (s *Set) wake() {
	select {
	case s.changed <- struct{}{}:
	default: // Run is told already
	}
}

// Run begins, ends and strikes when it is time, until ctx is done.
func (s *Set) Run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var strikes sync.WaitGroup
	defer strikes.Wait()
	for {
		now := time.Now()
		s.step(now)
		for _, f := range s.dueStrikes(now) {
			strikes.Go(func() { s.strike(ctx, f) })
		}
		if next := s.next(); next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
		case <-timer.C:
		}
	}
}

// step begins and ends what is due.
func (s *Set) step(now time.Time) {
	s.mu.Lock()
	var events []Event
	tell := func(f *standing, reason, text string) {
		events = append(events, Event{Time: now, App: literal(f.App), Reason: reason, Text: fmt.Sprintf("Fault '%s' %s", f.Name, text), Count: 1})
	}
	for _, f := range s.faults {
		if f.Phase == Waiting && !now.Before(f.begins) {
			f.Phase = Active
			tell(f, "FaultBegan", "begins")
		}
		if f.Phase == Active && f.overAt(now) {
			f.Phase = Over
			tell(f, "FaultEnded", fmt.Sprintf("is over; it happened %d times", f.Count))
		}
	}
	s.findEngineLocked()
	s.mu.Unlock()
	for _, e := range events {
		s.report(e)
	}
}

// overAt says that a fault that has begun will not happen any more.
func (f *standing) overAt(now time.Time) bool {
	return !f.ends.IsZero() && !now.Before(f.ends) || f.Times > 0 && f.Count >= f.Times || f.Kind.strikes() && f.next.IsZero() && f.striking == 0
}

// next is when something is due, zero for never.
func (s *Set) next() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	var next time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, f := range s.faults {
		switch f.Phase {
		case Waiting:
			sooner(f.begins)
		case Active:
			sooner(f.ends)
			if f.Kind.strikes() {
				sooner(f.next)
			}
		}
	}
	return next
}

// take finds the first active fault of one of the kinds that fits, lets its
// chance decide, and counts it.
func (s *Set) take(p place, fits func(*Fault) bool, did string, kinds ...Kind) (Fault, bool) {
	now := time.Now()
	s.mu.Lock()
	for _, f := range s.faults {
		if f.Phase != Active || !slices.Contains(kinds, f.Kind) || f.overAt(now) || !f.matches(p) || !fits(&f.Fault) || !f.drawn() {
			continue
		}
		e, tell := f.happened(now, p, did)
		fault := f.Fault
		s.mu.Unlock()
		if tell {
			s.report(e)
		}
		s.wake() // it may have been the last time
		return fault, true
	}
	s.mu.Unlock()
	return Fault{}, false
}

// drawn lets chance decide.
func (f *standing) drawn() bool { return f.Percent == 0 || f.rand.Float64()*100 < f.Percent }

// tellEvery bounds the events of one fault: a link has thousands of requests.
const tellEvery = time.Second

// happened counts an injection and says whether it is worth an event.
func (f *standing) happened(now time.Time, p place, did string) (Event, bool) {
	f.Count++
	f.Last = did
	tell := now.Sub(f.told) >= tellEvery
	if tell {
		f.told = now
	}
	return Event{
		Time: now, Warning: true, App: p.app, Revision: p.revision, Replica: p.replica,
		Reason: "FaultInjected", Text: fmt.Sprintf("Fault '%s' %s", f.Name, did), Count: f.Count,
	}, tell
}

// idle says that nothing can happen: the usual case, which costs nothing.
func (s *Set) idle() bool { return !s.some.Load() }
