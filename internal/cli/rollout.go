package cli

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
)

// rollout follows the revisions that one "up" has made, or found, until each
// is ready or plainly failing, and says what changes on the way.
type rollout struct {
	out    io.Writer // stderr
	begin  time.Time
	wanted map[string]string // app → revision
	said   map[string]string // app → the state that was said last
}

func newRollout(out io.Writer, begin time.Time) *rollout {
	return &rollout{out: out, begin: begin, wanted: map[string]string{}, said: map[string]string{}}
}

// want adds an app to follow.
func (r *rollout) want(app, revision string) { r.wanted[app] = revision }

// see looks at a new state and says what has changed. It returns the verdict
// on all apps: rolledOut when all are, failing when at least one is and none
// is still under way.
func (r *rollout) see(snap *emulator.Snapshot) verdict {
	worst := rolledOut
	for _, name := range sortedNames(r.wanted) {
		v := rollingOut
		if app := snap.App(name); app != nil {
			v = judge(app, r.wanted[name])
			r.say(app, v)
		}
		switch {
		case v == rollingOut:
			worst = rollingOut
		case v == failing && worst == rolledOut:
			worst = failing
		}
	}
	return worst
}

// say prints an app's state once.
func (r *rollout) say(app *emulator.App, v verdict) {
	revision := r.wanted[app.Name]
	text := "is ready"
	if v != rolledOut {
		text = describeState(app, revision)
	}
	if r.said[app.Name] == text {
		return
	}
	r.said[app.Name] = text
	fmt.Fprintf(r.out, "%6s  %s: %s\n", seconds(time.Since(r.begin)), revision, text)
}

// await follows the states until there is a verdict or they end.
func (r *rollout) await(states iter.Seq2[*emulator.Snapshot, error]) (verdict, *emulator.Snapshot, error) {
	var last *emulator.Snapshot
	for snap, err := range states {
		if err != nil {
			return rollingOut, last, err
		}
		last = snap
		if v := r.see(snap); v != rollingOut {
			return v, last, nil
		}
	}
	return rollingOut, last, nil
}

// unready names the wanted revisions that are not ready, with their states.
func (r *rollout) unready(snap *emulator.Snapshot) []string {
	var out []string
	for _, name := range sortedNames(r.wanted) {
		revision := r.wanted[name]
		app := &emulator.App{}
		if snap != nil && snap.App(name) != nil {
			app = snap.App(name)
		}
		if judge(app, revision) != rolledOut {
			out = append(out, revision+" is "+describeState(app, revision))
		}
	}
	return out
}

// howToLook is the advice for an app that does not become ready.
func howToLook(apps []string) string {
	var commands []string
	for _, app := range slices.Compact(apps) {
		commands = append(commands,
			"acalocal explain "+app,
			fmt.Sprintf("acalocal logs show -n %s --type system --format text", app),
			fmt.Sprintf("acalocal logs show -n %s --format text", app))
	}
	return "the environment keeps running; look further with\n      " + strings.Join(commands, "\n      ") + "\n      and end it with \"acalocal down\""
}
