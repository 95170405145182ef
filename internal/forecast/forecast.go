// Package forecast says how many replicas a load would bring, without running
// any. It plays a curve of load against the rules of a definition in virtual
// time, with the arithmetic the emulator itself decides by: packages core and
// scale. The same input gives the same answer.
//
// What it assumes, and a real app may break: a request takes the same time
// however many there are, every start takes the same time, and requests that
// wait for a replica are answered when it is ready.
package forecast

import (
	"context"
	"math"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/core"
	"github.com/acalocal/acalocal/internal/scale"
	"github.com/acalocal/acalocal/internal/scaler"
)

// Options are what a forecast needs beside the definition.
type Options struct {
	Curve Curve
	// Latency is how long a request takes; 0 is 100 ms.
	Latency time.Duration
	// ColdStart is from the decision to a replica that is ready; 0 is 5 s. On
	// Azure a small image was seen to take 20 to 40 s.
	ColdStart time.Duration
	// Metrics are the values of rules the curve does not know, by rule name.
	Metrics map[string]float64
	// Steps limits scale-up to the documented steps 1, 4, 8, 16, 32.
	Steps bool
	// Start is the time at which the curve begins, for cron rules.
	Start time.Time
}

// Point is one moment of a forecast.
type Point struct {
	// Seconds counts from the start of the curve.
	Seconds float64 `json:"seconds"`
	RPS     float64 `json:"rps"`
	// Replicas were decided on; Ready of them can answer.
	Replicas int `json:"replicas"`
	Ready    int `json:"ready"`
	// Held are the requests that wait for a first replica.
	Held float64 `json:"held"`
	// Rule is the one that asked for the most, "" for none.
	Rule string `json:"rule,omitempty"`
}

// Summary is a forecast in a few numbers.
type Summary struct {
	Peak         int     `json:"peakReplicas"`
	Average      float64 `json:"averageReplicas"`
	ReplicaHours float64 `json:"replicaHours"`
	// ColdStarts counts the times the app came back from zero; HeldRequests
	// waited for that, at most HeldSeconds each.
	ColdStarts   int     `json:"coldStarts"`
	HeldRequests float64 `json:"heldRequests"`
	HeldSeconds  float64 `json:"longestHoldSeconds"`
	// AtZero and AtMax are shares of the time, 0 to 1.
	AtZero float64 `json:"shareAtZero"`
	AtMax  float64 `json:"shareAtMax"`
}

// Result is a whole forecast, one Point for each decision.
type Result struct {
	Points  []Point `json:"points"`
	Summary Summary `json:"summary"`
}

// step is the grain of the forecast. Decisions fall on every fifteenth.
const step = time.Second

// Run plays the curve. The error is about a rule without a metric, or with a
// mistake in its parameters.
func Run(app *aca.ContainerApp, o Options) (Result, error) {
	if o.Latency == 0 {
		o.Latency = 100 * time.Millisecond
	}
	if o.ColdStart == 0 {
		o.ColdStart = 5 * time.Second
	}
	r := &run{app: app, o: o, now: o.Start, set: core.ScaleSettings(&app.Properties.Template, 1)}
	r.set.Steps = o.Steps
	if err := r.prepare(); err != nil {
		return Result{}, err
	}
	for at := time.Duration(0); at <= o.Curve.Length(); at += step {
		if err := r.tick(at); err != nil {
			return Result{}, err
		}
	}
	return r.result(), nil
}

// run is the state of a forecast.
type run struct {
	app *aca.ContainerApp
	o   Options
	set scale.Settings

	now      time.Time
	at       time.Duration
	scaler   *scale.Scaler
	triggers []trigger
	read     map[string]scale.Sample

	replicas int
	starting []time.Duration // when replicas that start will be ready
	finished float64         // since the decision before
	held     float64
	since    time.Duration // the first of them began to wait
	rule     string

	points  []Point
	summary Summary
	seconds float64 // replica-seconds
	zero    int     // ticks
	full    int
	ticks   int
}

func (r *run) prepare() error {
	r.scaler = scale.New(r.now)
	r.read = map[string]scale.Sample{}
	r.replicas = max(r.set.Min, 1) // a revision begins with one
	var err error
	r.triggers, err = r.makeTriggers()
	return err
}

// ready are the replicas that can answer.
func (r *run) ready() int { return max(r.replicas-len(r.starting), 0) }

// tick is one second.
func (r *run) tick(at time.Duration) error {
	r.at, r.now = at, r.o.Start.Add(at)
	for len(r.starting) > 0 && r.starting[0] <= at {
		r.starting = r.starting[1:]
	}
	rps := r.o.Curve.At(at)
	r.answer(rps)
	if err := r.readTriggers(); err != nil {
		return err
	}
	if at%scale.Interval == 0 {
		r.decide(rps)
		r.points = append(r.points, Point{Seconds: at.Seconds(), RPS: rps, Replicas: r.replicas, Ready: r.ready(), Held: math.Round(r.held), Rule: r.rule})
	}
	r.count()
	return nil
}

// answer lets a second's requests be answered, or wait where nobody can.
func (r *run) answer(rps float64) {
	n := rps * step.Seconds()
	if n > 0 && r.replicas == 0 && core.WakesOnRequest(&r.app.Properties.Template) {
		r.scaler.Touch(r.now)
		r.scaleTo(1, "")
	}
	switch {
	case r.ready() > 0:
		r.finished += n + r.held
		if r.held > 0 {
			r.summary.HeldSeconds = max(r.summary.HeldSeconds, (r.at - r.since).Seconds())
		}
		r.held = 0
	case n > 0 && r.replicas > 0:
		if r.held == 0 {
			r.since = r.at
		}
		r.held += n
		r.summary.HeldRequests += n
	}
}

func (r *run) decide(rps float64) {
	inFlight := r.held
	if r.ready() > 0 {
		inFlight += rps * r.o.Latency.Seconds() // Little's law
	}
	load := core.Load{Finished: uint64(math.Round(r.finished)), InFlight: int(math.Round(inFlight))}
	r.finished = 0
	samples := core.Samples(r.app, &r.app.Properties.Template, load, scale.Interval, r.read)
	d := r.scaler.Decide(r.now, r.set, r.replicas, samples)
	r.scaleTo(d.Replicas, d.Rule)
}

func (r *run) scaleTo(n int, rule string) {
	if r.replicas == 0 && n > 0 {
		r.summary.ColdStarts++
	}
	for range n - r.replicas {
		r.starting = append(r.starting, r.at+r.o.ColdStart)
	}
	// Those that are not ready go first.
	r.starting = r.starting[:min(len(r.starting), n)]
	r.replicas, r.rule = n, rule
}

func (r *run) count() {
	r.ticks++
	r.seconds += float64(r.replicas) * step.Seconds()
	r.summary.Peak = max(r.summary.Peak, r.replicas)
	if r.replicas == 0 {
		r.zero++
	}
	if r.replicas == r.set.Max {
		r.full++
	}
}

func (r *run) result() Result {
	s := r.summary
	s.ReplicaHours = r.seconds / 3600
	s.HeldRequests = math.Round(s.HeldRequests)
	if r.ticks > 0 {
		s.Average = r.seconds / step.Seconds() / float64(r.ticks)
		s.AtZero = float64(r.zero) / float64(r.ticks)
		s.AtMax = float64(r.full) / float64(r.ticks)
	}
	return Result{Points: r.points, Summary: s}
}

// trigger is a rule whose metric does not come from the requests.
type trigger struct {
	scale.Trigger
	scaler scaler.Scaler // of cron rules
	target scale.Sample  // of all others, without a value
	next   time.Duration
}

func (r *run) makeTriggers() ([]trigger, error) {
	var out []trigger
	for _, t := range core.Triggers(r.app) {
		made, err := r.makeTrigger(t)
		if err != nil {
			return nil, err
		}
		out = append(out, made)
	}
	return out, nil
}

func (r *run) readTriggers() error {
	for i := range r.triggers {
		t := &r.triggers[i]
		if r.at < t.next {
			continue
		}
		t.next = r.at + t.Interval
		sample, err := t.sample(r)
		if err != nil {
			return err
		}
		r.read[t.Rule] = sample
		if r.replicas == 0 {
			r.decide(0)
		}
	}
	return nil
}

func (t *trigger) sample(r *run) (scale.Sample, error) {
	if t.scaler != nil {
		return t.scaler.Read(context.Background())
	}
	out := t.target
	if v, ok := r.o.Curve.Metric(t.Rule, r.at); ok {
		out.Value = v
	} else {
		out.Value = r.o.Metrics[t.Rule]
	}
	return out, nil
}
