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

// Load is what the edge saw of one revision.
type Load struct {
	App, Revision string
	Finished      uint64 // requests that ended in the interval
	InFlight      int    // requests sent or waiting, now
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
				s.checkTriggers(rev)
				s.decide(rev, loads[rev.name], e.Interval)
			}
		}
	}
}

func (s *State) decide(rev *revision, l Load, interval time.Duration) {
	samples := Samples(&rev.app.spec, &rev.template, l, interval, rev.read)
	s.rescale(rev, rev.scaler.Decide(s.now, s.settings(rev), rev.target, samples))
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
	set := ScaleSettings(&rev.template, s.o.TimeScale)
	set.Steps = s.o.ScaleSteps
	return set
}

// ScaleSettings are the bounds and times of a template, in a time that runs
// timeScale times as fast.
func ScaleSettings(t *aca.Template, timeScale float64) scale.Settings {
	low, high := scaleBounds(*t)
	cooldown := aca.DefaultCooldownPeriod
	if s := t.Scale; s != nil && s.CooldownPeriod != nil {
		cooldown = *s.CooldownPeriod
	}
	scaled := func(d time.Duration) time.Duration { return time.Duration(float64(d) / timeScale) }
	return scale.Settings{
		Min: low, Max: high,
		Cooldown: scaled(time.Duration(cooldown) * time.Second),
		Window:   scaled(scale.Window),
	}
}

// How rows name HTTP and TCP rules, whatever their own names.
const (
	httpScaler = "http-scaler"
	tcpScaler  = "tcp-scaler"
)

// Samples are the rules of a template with their metrics: those of HTTP and TCP
// rules come from the load, those of all others are read by rule name. Without
// any rule an app with ingress has an implicit one: 10 at a time.
func Samples(app *aca.ContainerApp, t *aca.Template, l Load, interval time.Duration, read map[string]scale.Sample) []scale.Sample {
	traffic := scale.HTTPMetric(l.Finished, interval, l.InFlight)
	rules := rulesOf(t)
	if in := app.Properties.Configuration.Ingress; len(rules) == 0 && in != nil {
		rule := httpScaler
		if in.Transport == aca.TransportTCP {
			rule = tcpScaler
		}
		return []scale.Sample{{Rule: rule, Kind: scale.Average, Value: traffic, Target: 10}}
	}
	var out []scale.Sample
	for _, r := range rules {
		out = append(out, sample(r, traffic, read))
	}
	return out
}

func rulesOf(t *aca.Template) []aca.ScaleRule {
	if t.Scale == nil {
		return nil
	}
	return t.Scale.Rules
}

func (r *revision) rules() []aca.ScaleRule { return rulesOf(&r.template) }

func sample(r aca.ScaleRule, traffic float64, read map[string]scale.Sample) scale.Sample {
	switch {
	case r.HTTP != nil:
		return scale.Sample{Rule: httpScaler, Kind: scale.Average, Value: traffic, Target: number(r.HTTP.Metadata, "concurrentRequests", 10)}
	case r.TCP != nil:
		return scale.Sample{Rule: tcpScaler, Kind: scale.Average, Value: traffic, Target: number(r.TCP.Metadata, "concurrentConnections", 10)}
	}
	out, ok := read[r.Name]
	if !ok {
		out = scale.Sample{Kind: scale.Average, Failed: true}
		if r.Custom != nil && isResource(r.Custom.Type) {
			out.Kind = scale.Utilization
		}
	}
	out.Rule = triggerRule(r)
	return out
}

func number(metadata map[string]string, key string, otherwise float64) float64 {
	if n, err := strconv.ParseFloat(strings.TrimSpace(metadata[key]), 64); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// wakes says that a request can start a revision at zero.
func (r *revision) wakes() bool { return WakesOnRequest(&r.template) }

// WakesOnRequest says that a request can start a revision of this template at
// zero: it has an HTTP or TCP rule, or none at all.
func WakesOnRequest(t *aca.Template) bool {
	rules := rulesOf(t)
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
		rev.woken = s.now
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
	s.scalingRow(rev, false, "SuccessfulRescale", msg)
}

// scalingRow writes a row of the autoscaler about a revision.
func (s *State) scalingRow(rev *revision, warning bool, reason, msg string) {
	s.write(SystemLog{Warning: warning, App: rev.app.spec.Name, Revision: rev.name, Reason: reason, Source: "Scaling", Msg: msg}, rev.name)
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
