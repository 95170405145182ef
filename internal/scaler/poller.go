package scaler

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/acalocal/acalocal/internal/scale"
)

// Poller reads a set of triggers, each at its own interval. Set may be called
// at any time; Run is called once.
type Poller struct {
	o       Options
	changed chan struct{} // capacity 1: several changes are one

	mu     sync.Mutex
	wanted []scale.Trigger // guarded by mu
}

// NewPoller returns a Poller without triggers.
func NewPoller(o Options) *Poller { return &Poller{o: o, changed: make(chan struct{}, 1)} }

// Set replaces the triggers that are read. Those that stay the same go on
// undisturbed. It never blocks and does not keep the slice.
func (p *Poller) Set(triggers []scale.Trigger) {
	p.mu.Lock()
	p.wanted = append([]scale.Trigger(nil), triggers...)
	p.mu.Unlock()
	select {
	case p.changed <- struct{}{}:
	default: // Run is told already
	}
}

// Run reads until ctx is done and returns when nothing of it runs any more.
// Every trigger is read at once and then at its interval. Report is called for
// each reading, concurrently, and must not block.
func (p *Poller) Run(ctx context.Context, report func(scale.TriggerReport)) {
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := map[scale.TriggerKey]worker{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		}
		p.mu.Lock()
		wanted := p.wanted
		p.mu.Unlock()
		next := map[scale.TriggerKey]worker{}
		for _, t := range wanted {
			w, ok := workers[t.TriggerKey]
			if !ok || !w.trigger.Equal(t) {
				w = worker{trigger: t, o: p.o, report: report}
				var own context.Context
				own, w.stop = context.WithCancel(ctx)
				all.Go(func() { w.run(own) })
			} else {
				delete(workers, t.TriggerKey)
			}
			next[t.TriggerKey] = w
		}
		for _, w := range workers {
			w.stop()
		}
		workers = next
	}
}

// worker reads one trigger.
type worker struct {
	trigger scale.Trigger
	o       Options
	report  func(scale.TriggerReport)
	stop    context.CancelFunc
}

// readTimeout bounds one reading.
const readTimeout = 10 * time.Second

func (w worker) run(ctx context.Context) {
	s, err := New(w.trigger, w.o)
	if err != nil {
		w.repeat(ctx, nil, func() { w.failed(err) })
		return
	}
	defer s.Close()
	var pushed chan struct{}
	if push, ok := s.(pusher); ok {
		pushed = make(chan struct{}, 1)
		var pushing sync.WaitGroup
		defer pushing.Wait()
		pushing.Go(func() {
			push.Push(ctx, func() {
				select {
				case pushed <- struct{}{}:
				default: // a reading is due already
				}
			})
		})
	}
	w.repeat(ctx, pushed, func() { w.read(ctx, s) })
}

// repeat does something at once, at every interval, and when it is asked for.
func (w worker) repeat(ctx context.Context, asked <-chan struct{}, do func()) {
	tick := time.NewTicker(max(w.trigger.Interval, time.Millisecond))
	defer tick.Stop()
	for {
		do()
		select {
		case <-tick.C:
		case <-asked:
		case <-ctx.Done():
			return
		}
	}
}

func (w worker) read(ctx context.Context, s Scaler) {
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	sample, err := s.Read(reading)
	switch {
	case ctx.Err() != nil: // nobody asks any more
	case err != nil:
		w.failed(err)
	default:
		w.report(scale.TriggerReport{TriggerKey: w.trigger.TriggerKey, Sample: sample, Warning: warning(s)})
	}
}

// warning is what a scaler has to say of its parameters.
func warning(s Scaler) string {
	if s, ok := s.(interface{ Warning() string }); ok {
		return s.Warning()
	}
	return ""
}

func (w worker) failed(err error) {
	kind := scale.Average
	if w.trigger.Type == "cpu" || w.trigger.Type == "memory" {
		kind = scale.Utilization
	}
	w.report(scale.TriggerReport{
		TriggerKey: w.trigger.TriggerKey,
		Sample:     scale.Sample{Kind: kind, Failed: true},
		Err:        hide(w.trigger, err.Error()),
	})
}

var userinfo = regexp.MustCompile(`://[^/@\s]+@`)

// hide takes secrets out of a text: the values of secrets and variables that
// the trigger uses, and what stands before the host of a URL.
func hide(t scale.Trigger, text string) string {
	const hidden = "***"
	for _, value := range t.Auth {
		if len(value) > 3 {
			text = strings.ReplaceAll(text, value, hidden)
		}
	}
	for name, variable := range t.Metadata {
		if value := t.Env[variable]; strings.HasSuffix(name, "FromEnv") && len(value) > 3 {
			text = strings.ReplaceAll(text, value, hidden)
		}
	}
	return userinfo.ReplaceAllString(text, "://"+hidden+"@")
}
