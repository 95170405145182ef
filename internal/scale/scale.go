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

// The kinds, named as KEDA's metricType.
const (
	// Average divides the whole metric by the target per replica (HTTP, TCP,
	// queues). KEDA's name is AverageValue.
	Average Kind = "Average"
	// Value compares the metric as it is with the target, and scales what
	// runs by the ratio.
	Value Kind = "Value"
	// Utilization is a percentage of what is requested, over the replicas
	// there are (CPU, memory). It can neither wake an app nor put it to sleep.
	Utilization Kind = "Utilization"
)

// Sample is one rule and its metric now.
type Sample struct {
	Rule   string // the name rows mention: http-scaler for HTTP rules
	Kind   Kind
	Value  float64
	Target float64 // more than 0
	// Over is how many replicas a Utilization was measured over, 0 for all there
	// are. One that has just been added has no metrics yet.
	Over int
	// Activation is the value above which the rule wakes an app at zero and
	// keeps it awake.
	Activation float64
	// Active says that the rule does so whatever its value is: scalers that
	// decide it themselves (external, cron) set it.
	Active bool
	// Failed says that the metric could not be had; the sample then counts
	// for nothing, and nothing is taken away either.
	Failed bool
}

// active says that a rule wakes an app and keeps it awake.
func (m Sample) active() bool {
	return m.Kind != Utilization && (m.Active || m.Value > m.Activation)
}

// replicas is what one rule asks for. Replicas without metrics count as Kubernetes'
// autoscaler counts them: as idle where more are wanted, so that one that is
// just starting does not ask for further ones, and as on target where fewer are
// (kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale, "Algorithm
// details").
func (m Sample) replicas(current int) int {
	n := m.Value / m.Target
	switch {
	case m.Kind == Value, m.Kind == Utilization && m.Over == 0:
		n *= float64(current)
	case m.Kind == Utilization && m.Value > m.Target:
		n = max(n*float64(m.Over), float64(current))
	case m.Kind == Utilization:
		n = n*float64(m.Over) + float64(max(0, current-m.Over))
	}
	// A metric such as 0.3 ÷ 0.1 must not ask for one more by rounding alone.
	return int(math.Ceil(n - 1e-9))
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

// New returns a Scaler of a revision that was used now.
func New(now time.Time) *Scaler { return &Scaler{lastActive: now} }

// Touch notes activity that no sample will show, such as a held request.
func (s *Scaler) Touch(now time.Time) { s.lastActive = now }

// Keep notes that a revision had replicas for a reason of its own, such as
// taking over from another one: they stay for the window.
func (s *Scaler) Keep(now time.Time, replicas int) {
	s.wanted = append(s.wanted, point{now, replicas})
}

// Decide returns the number of replicas a revision of current replicas should
// have, given one sample per rule.
//
// The order is KEDA's: whether there is anything at all is decided by activity
// and the cool-down alone, how many there are by the metrics and the window
// (keda.sh/docs/latest/concepts/scaling-deployments, "Activating and Scaling
// thresholds").
func (s *Scaler) Decide(now time.Time, set Settings, current int, samples []Sample) Decision {
	r := read(samples, current)
	if r.active {
		s.lastActive = now
	}
	if !r.sleeps {
		set.Min = max(set.Min, 1)
	}
	switch {
	case set.Min == 0 && current == 0 && !s.lastActive.Equal(now):
		return s.decided(now, set, Decision{})
	case current == 0:
		return s.decided(now, set, Decision{Replicas: max(set.Min, 1), Rule: r.rule})
	case set.Min == 0 && !r.active && !r.failed && now.Sub(s.lastActive) >= set.Cooldown:
		return s.decided(now, set, Decision{})
	}
	d := Decision{Replicas: max(set.Min, 1)}
	if r.wanted >= d.Replicas {
		d = Decision{r.wanted, r.rule}
	}
	if r.failed {
		d.Replicas = max(d.Replicas, current)
	}
	if set.Steps {
		d.Replicas = min(d.Replicas, max(4, 2*current))
	}
	d.Replicas = min(d.Replicas, set.Max)
	return s.settle(now, set, current, d)
}

// reading is all samples as one.
type reading struct {
	wanted int    // the most that is asked for
	rule   string // by this rule
	active bool   // some rule is
	failed bool   // some metric is missing
	sleeps bool   // a rule can put the app to sleep, or there is none at all
}

func read(samples []Sample, current int) reading {
	r := reading{sleeps: len(samples) == 0}
	for _, m := range samples {
		r.sleeps = r.sleeps || m.Kind != Utilization
		if m.Failed {
			r.failed = true
			continue
		}
		r.active = r.active || m.active()
		if n := m.replicas(current); n > r.wanted {
			r.wanted, r.rule = n, m.Rule
		}
	}
	return r
}

// settle keeps, on the way down, the most that was wanted in the window.
func (s *Scaler) settle(now time.Time, set Settings, current int, d Decision) Decision {
	d = s.decided(now, set, d)
	if d.Replicas >= current {
		return d
	}
	highest := d.Replicas
	for _, p := range s.wanted {
		highest = max(highest, p.replicas)
	}
	if highest = min(highest, current); highest > d.Replicas {
		d = Decision{Replicas: highest}
	}
	return d
}

// decided remembers what is wanted, and forgets what is older than the window.
func (s *Scaler) decided(now time.Time, set Settings, d Decision) Decision {
	window := set.Window
	if window == 0 {
		window = Window
	}
	s.wanted = slices.DeleteFunc(s.wanted, func(p point) bool { return now.Sub(p.at) > window })
	s.wanted = append(s.wanted, point{now, d.Replicas})
	return d
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
