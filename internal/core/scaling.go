package core

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/scale"
)

// LoadReported is the load of every revision since the report before.
type LoadReported struct {
	Interval time.Duration // since the report before
	Loads    []Load
}

// Load is what the edge and the container engine saw of one revision.
type Load struct {
	App, Revision string
	Finished      uint64 // requests that ended in the interval
	InFlight      int    // requests sent or waiting, now
	// Metrics are the values of custom rules by rule name; a rule that is
	// missing has no metric now.
	Metrics map[string]float64
}

// DemandSeen says that a request waits for a revision without a ready replica.
type DemandSeen struct{ App, Revision string }

func (e DemandSeen) apply(s *State) {
	rev := s.lookup(e.App, e.Revision)
	if rev == nil || !rev.active || rev.app.stopped {
		return
	}
	rev.scaler.Touch(s.now)
	if rev.target == 0 && rev.wakes() {
		s.rescale(rev, scale.Decision{Replicas: 1, Rule: httpScaler})
	}
}

func (e LoadReported) apply(s *State) {
	loads := map[string]Load{}
	for _, l := range e.Loads {
		loads[l.Revision] = l
	}
	for _, a := range s.sortedApps() {
		for _, rev := range a.revisions {
			if rev.active && !a.stopped && !a.removed && rev.everReady {
				s.rescale(rev, rev.scaler.Decide(s.now, s.settings(rev), rev.target, samples(rev, loads[rev.name], e.Interval)))
			}
		}
	}
}

func (s *State) lookup(app, revision string) *revision {
	if a := s.apps[app]; a != nil {
		return a.revision(revision)
	}
	return nil
}

// settings are the bounds and times of a revision, in the time of this
// environment.
func (s *State) settings(rev *revision) scale.Settings {
	low, high := scaleBounds(rev.template)
	cooldown := 300
	if t := rev.template.Scale; t != nil && t.CooldownPeriod != nil {
		cooldown = *t.CooldownPeriod
	}
	return scale.Settings{
		Min: low, Max: high,
		Cooldown: s.scaled(time.Duration(cooldown) * time.Second),
		Window:   s.scaled(scale.Window),
	}
}

// httpScaler is how rows name the HTTP rule, whatever its own name.
const httpScaler = "http-scaler"

// samples are the rules of a revision with their metrics. Without any rule an
// app with ingress has an implicit one: 10 at a time.
func samples(rev *revision, l Load, interval time.Duration) []scale.Sample {
	traffic := scale.HTTPMetric(l.Finished, interval, l.InFlight)
	if len(rev.rules()) == 0 {
		if rev.app.spec.Properties.Configuration.Ingress == nil {
			return nil
		}
		return []scale.Sample{{Rule: httpScaler, Kind: scale.Average, Value: traffic, Target: 10}}
	}
	var out []scale.Sample
	for _, r := range rev.rules() {
		out = append(out, sample(r, l, traffic))
	}
	return out
}

func (r *revision) rules() []aca.ScaleRule {
	if r.template.Scale == nil {
		return nil
	}
	return r.template.Scale.Rules
}

func sample(r aca.ScaleRule, l Load, traffic float64) scale.Sample {
	switch {
	case r.HTTP != nil:
		return scale.Sample{Rule: httpScaler, Kind: scale.Average, Value: traffic, Target: number(r.HTTP.Metadata, "concurrentRequests", 10)}
	case r.TCP != nil:
		return scale.Sample{Rule: "tcp-scaler", Kind: scale.Average, Value: float64(l.InFlight), Target: number(r.TCP.Metadata, "concurrentConnections", 10)}
	}
	value, ok := l.Metrics[r.Name]
	out := scale.Sample{Rule: r.Name, Kind: scale.Average, Value: value, Target: 1, Failed: !ok}
	if r.Custom != nil && slices.Contains([]string{"cpu", "memory"}, r.Custom.Type) {
		out.Kind = scale.Utilization
		out.Target = number(r.Custom.Metadata, "value", 80)
	}
	return out
}

func number(metadata map[string]string, key string, otherwise float64) float64 {
	if n, err := strconv.ParseFloat(strings.TrimSpace(metadata[key]), 64); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// wakes says that a request can start a revision at zero: it has an HTTP or
// TCP rule, or none at all.
func (r *revision) wakes() bool {
	rules := r.rules()
	return len(rules) == 0 || slices.ContainsFunc(rules, func(r aca.ScaleRule) bool { return r.HTTP != nil || r.TCP != nil })
}

// rescale makes a decision the target of a revision and writes its row.
func (s *State) rescale(rev *revision, d scale.Decision) {
	before := rev.target
	if d.Replicas == before {
		return
	}
	rev.target = d.Replicas
	switch {
	case before == 0:
		s.scalerRow(rev, false, "KEDAScaleTargetActivated", fmt.Sprintf("Scaled apps/v1.Deployment k8se-apps/%s from 0 to %d, triggered by ", rev.name, d.Replicas))
	case d.Replicas == 0:
		s.scalerRow(rev, false, "KEDAScaleTargetDeactivated", fmt.Sprintf("Deactivated apps/v1.Deployment k8se-apps/%s from %d to 0", rev.name, before))
	case d.Replicas < before:
		s.rescaleRow(rev, fmt.Sprintf("New size: %d; reason: All metrics below target", d.Replicas))
	default:
		s.rescaleRow(rev, fmt.Sprintf("%s has been scaled to %d by the scaler: %s.", rev.app.spec.Name, d.Replicas, cmp.Or(d.Rule, httpScaler)))
	}
}

func (s *State) rescaleRow(rev *revision, msg string) {
	s.write(SystemLog{App: rev.app.spec.Name, Revision: rev.name, Reason: "SuccessfulRescale", Source: "Scaling", Msg: msg}, rev.name)
}

// adoptTarget takes the number of replicas an earlier daemon left as what was
// decided last.
func (s *State) adoptTarget(rev *revision) {
	low, high := scaleBounds(rev.template)
	rev.target = max(low, 1)
	if rev.everReady {
		rev.target = min(max(len(rev.replicas), low), high)
	}
}
