package emulatortest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/rollout"
	"github.com/acalocal/acalocal/logsink"
)

// afterwards bounds what is asked after the test, whose context is done.
func (e *Env) afterwards() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(e.ctx), 10*time.Second)
}

// states are the revisions that matter and their replicas, one a line.
func states(s *emulator.Snapshot) string {
	var b strings.Builder
	for i := range s.Apps {
		app := &s.Apps[i]
		for _, rev := range app.Revisions {
			if !rev.Properties.Active && len(rev.Replicas) == 0 {
				continue
			}
			fmt.Fprintf(&b, "%s %d%% %s\n", rev.Name, rev.Serving, rollout.Describe(app, rev.Name))
			for _, r := range rev.Replicas {
				fmt.Fprintf(&b, "  %s ready=%t draining=%t\n", r.Name, r.Ready, r.Draining)
			}
		}
	}
	return b.String()
}

// lastWords is how many lines and events a report shows of each.
const lastWords = 20

// lastLines are the last events and console lines.
func (e *Env) lastLines() string {
	ctx, cancel := e.afterwards()
	defer cancel()
	var b strings.Builder
	for l, err := range e.daemon.Logs.TailEvents(ctx, logsink.Filter{}, lastWords, false) {
		if err != nil {
			fmt.Fprintln(&b, err)
			break
		}
		fmt.Fprintf(&b, "%s %s %s: %s\n", stamp(l.Time), l.Replica, l.Reason, l.Msg)
	}
	for l, err := range e.daemon.Logs.TailConsole(ctx, logsink.Filter{}, lastWords, false) {
		if err != nil {
			fmt.Fprintln(&b, err)
			break
		}
		fmt.Fprintf(&b, "%s %s | %s\n", stamp(l.Time), l.Container.Name, l.Text)
	}
	return b.String()
}

func stamp(t time.Time) string { return t.UTC().Format("15:04:05.000") }
