package emulatortest

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/verify"
)

// Load is what RequireNoLostRequestsOf sends.
type Load struct {
	// App is asked; "" is the only one there is.
	App string
	// Path is asked for; "" is "/".
	Path string
	// Rate is requests per second, at most 2000; 0 is 100.
	Rate int
}

// RequireNoLostRequests sends 100 requests a second to the only app, half of
// them on fresh connections, while change runs, and fails the test when one of
// them has no answer or one of the 5xx. The app has to be ready; change should
// return when what it changes is done.
func (e *Env) RequireNoLostRequests(change func()) {
	e.t.Helper()
	e.RequireNoLostRequestsOf(Load{}, change)
}

// settle is how long the load runs before and after the change.
const settle = 300 * time.Millisecond

// RequireNoLostRequestsOf is RequireNoLostRequests with another load.
func (e *Env) RequireNoLostRequestsOf(l Load, change func()) {
	e.t.Helper()
	app := e.App(l.App)
	load := verify.Load{URL: e.URL(app.Name) + "/" + strings.TrimPrefix(l.Path, "/"), Rate: l.Rate}
	if load.Rate == 0 {
		load.Rate = 100
	}
	e.must("send requests", load.Check())
	ctx, end := context.WithCancel(e.ctx)
	var samples []verify.Sample
	var asking sync.WaitGroup
	asking.Go(func() { samples = load.Run(ctx) })
	defer func() { // change may end the test
		end()
		asking.Wait()
	}()
	wait(ctx, settle)
	step := verify.Step{Name: "the change", Begin: time.Now()}
	change()
	step.End = time.Now()
	wait(ctx, settle)
	end()
	asking.Wait()
	report := verify.Judge(app.Name, samples, []verify.Step{step}, e.loadEvents(app.Name), loadSettings(app))
	if report.Lost > 0 {
		var b strings.Builder
		_ = report.WriteText(&b) // a Builder takes everything
		e.t.Errorf("emulatortest: requests were lost\n%s", b.String())
	}
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (e *Env) loadEvents(app string) (out []verify.Event) {
	e.t.Helper()
	for _, ev := range e.Events(app) {
		out = append(out, verify.Event{Time: ev.Time, Revision: ev.Revision, Replica: ev.Replica, Reason: ev.Reason, Text: ev.Text})
	}
	return out
}

// loadSettings are what can be blamed for a lost request.
func loadSettings(app *emulator.App) verify.Settings {
	out := verify.Settings{Grace: 30 * time.Second}
	t := app.Properties.Template
	if g := t.TerminationGracePeriodSeconds; g != nil {
		out.Grace = time.Duration(*g) * time.Second
	}
	for _, c := range t.Containers {
		for _, p := range c.Probes {
			out.Readiness = out.Readiness || p.Type == aca.Readiness
		}
	}
	return out
}
