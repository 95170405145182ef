// Package scale is the arithmetic of scaling as ACA and KEDA do it: samples of
// metrics in, a number of replicas out. It is pure; time is passed in.
//
//	desired  = max over rules of ceil(metric ÷ target), within min and max
//	up       at once, or by the documented steps (Settings.Steps)
//	down     to the highest desired of the last 300 s
//	to zero  when no rule was active for the cool-down, if min is 0
//	from 0   to 1 when a rule is active, then as above
//
// Numbers: learn.microsoft.com/azure/container-apps/scale-app. The documented
// step rule (1, 4, 8, 16, 32) contradicts captures that went from 1 to 6 and
// from 0 to 10, so it is off unless asked for.
package scale

import (
	"math"
	"slices"
	"time"
)

// The platform's own times.
const (
	// Interval is how often HTTP and TCP rules are decided.
	Interval = 15 * time.Second
	// Window is what a scale-down looks back on.
	Window = 300 * time.Second
)

// Settings are the bounds and times of one revision.
type Settings struct {
	Min, Max int           // 0 ≤ Min ≤ Max, Max ≥ 1
	Cooldown time.Duration // before the last step to zero
	Window   time.Duration // of scale-down; 0 is Window
	Steps    bool          // limit scale-up to the documented steps
}

// Kind says how a rule's metric is compared with its target.
type Kind string

// The kinds. Average divides the whole metric by the target per replica (HTTP,
// TCP, queues); Utilization is a percentage over the replicas there are (CPU,
// memory), and can neither wake an app nor put it to sleep.
const (
	Average     Kind = "Average"
	Utilization Kind = "Utilization"
)

// Sample is one rule and its metric now.
type Sample struct {
	Rule   string // the name rows mention: http-scaler for HTTP rules
	Kind   Kind
	Value  float64
	Target float64 // more than 0
	// Activation is the value above which the rule wakes an app at zero.
	Activation float64
	// Failed says that the metric could not be had; the sample then counts
	// for nothing, and nothing is taken away either.
	Failed bool
}

// Decision is what a revision should have.
type Decision struct {
	Replicas int
	// Rule is the rule that asked for the most, "" when none asked.
	Rule string
}

// Scaler remembers what a revision wanted lately. It is not safe for
// concurrent use.
type Scaler struct {
	wanted     []point // within the window, oldest first
	lastActive time.Time
}

type point struct {
	at       time.Time
	replicas int
}

// New returns a Scaler of a revision that has replicas now, and was used now.
func New(now time.Time) *Scaler { return &Scaler{lastActive: now} }

// Touch notes activity that no sample will show, such as a held request.
func (s *Scaler) Touch(now time.Time) { s.lastActive = now }

// Decide returns the number of replicas a revision of current replicas should
// have, given one sample per rule.
func (s *Scaler) Decide(now time.Time, set Settings, current int, samples []Sample) Decision {
	d := Decision{Replicas: set.Min}
	held := false // a rule without metric keeps what there is
	for _, m := range samples {
		if m.Failed {
			held = true
			continue
		}
		if m.Value > m.Activation && m.Kind == Average {
			s.lastActive = now
		}
		if n := m.replicas(current); n > d.Replicas {
			d.Replicas, d.Rule = n, m.Rule
		}
	}
	if held {
		d.Replicas = max(d.Replicas, current)
	}
	d.Replicas = min(d.Replicas, set.Max)
	if set.Steps && current > 0 {
		d.Replicas = min(d.Replicas, max(4, 2*current))
	}
	d.Replicas = s.settle(now, set, current, d.Replicas)
	return d
}

// replicas is what one rule asks for.
func (m Sample) replicas(current int) int {
	if m.Kind == Utilization {
		return int(math.Ceil(float64(current) * m.Value / m.Target))
	}
	return int(math.Ceil(m.Value / m.Target))
}

// settle applies the window and the cool-down to what is wanted now.
func (s *Scaler) settle(now time.Time, set Settings, current, wanted int) int {
	window := set.Window
	if window == 0 {
		window = Window
	}
	s.wanted = slices.DeleteFunc(s.wanted, func(p point) bool { return now.Sub(p.at) > window })
	s.wanted = append(s.wanted, point{now, wanted})
	if wanted >= current {
		return max(wanted, s.awake(now, set, current))
	}
	highest := wanted
	for _, p := range s.wanted {
		highest = max(highest, p.replicas)
	}
	return max(min(highest, current), s.awake(now, set, current))
}

// awake is 1 while a revision that has replicas may not go to zero yet, and
// when one at zero is to wake.
func (s *Scaler) awake(now time.Time, set Settings, current int) int {
	if current == 0 {
		if s.lastActive.Equal(now) {
			return 1
		}
		return 0
	}
	if now.Sub(s.lastActive) < set.Cooldown {
		return 1
	}
	return 0
}

// NextIdle is when a revision without load would go to zero.
func (s *Scaler) NextIdle(set Settings) time.Time { return s.lastActive.Add(set.Cooldown) }

// HTTPMetric is the metric of HTTP and TCP rules: the larger of the requests
// that finished in the last interval, per second, and those in flight or
// waiting. The first is what the documentation says, the second what captures
// with slow requests show (github.com/microsoft/azure-container-apps issue
// 1167).
func HTTPMetric(finished uint64, interval time.Duration, inFlight int) float64 {
	if interval <= 0 {
		return float64(inFlight)
	}
	return max(float64(finished)/interval.Seconds(), float64(inFlight))
}
