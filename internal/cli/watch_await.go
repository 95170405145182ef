package cli

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
)

// phases are the moments of a reload.
type phases struct {
	begin   time.Time // the change came
	made    time.Time // its images were there
	running time.Time // and the containers of all its revisions ran
}

func (p phases) String() string {
	now := time.Now()
	if p.running.IsZero() {
		p.running = now
	}
	return fmt.Sprintf("image %s, containers %s, until ready %s", seconds(p.made.Sub(p.begin)), seconds(p.running.Sub(p.made)), seconds(now.Sub(p.running)))
}

// await follows the new revisions until they serve or plainly will not. saved
// is what the user has changed.
func (r *reloader) await(ctx context.Context, p phases, wanted map[string]string, saved string) error {
	if len(wanted) == 0 {
		fmt.Fprintf(r.s.Err, "nothing that runs has changed (%s)\n", seconds(time.Since(p.begin)))
		return nil
	}
	own := newRollout(io.Discard, p.begin)
	maps.Copy(own.wanted, wanted)
	v, snap, err := own.await(r.noting(ctx, &p, wanted))
	switch {
	case v == rolledOut:
		for _, app := range sortedNames(wanted) {
			fmt.Fprintf(r.s.Err, "reloaded %s in %s: %s serves (%s)\n", app, seconds(time.Since(p.begin)), wanted[app], p)
		}
	case v == failing: // which the follower says
		for _, app := range sortedNames(wanted) {
			r.sayLastLinesOf(ctx, targetOf(app, wanted[app]))
			fmt.Fprintf(r.s.Err, "hint: %s; mend %s and save\n", whatServes(snap.App(app), wanted[app]), saved)
		}
	case err != nil && ctx.Err() == nil:
		return r.keep(ctx, err)
	default:
		return nil // a newer save took over
	}
	r.forgetImages(ctx, snap)
	return nil // in every case but an error: it is applied, the next save starts from here
}

// whatServes says what answers requests while a revision fails: those the
// edge sends requests to, as far as they are ready.
func whatServes(app *emulator.App, failing string) string {
	var names []string
	for i := range app.Revisions {
		if rev := &app.Revisions[i]; rev.Name != failing && rev.Serving > 0 && (anyReady(rev) || rev.Properties.RunningState == "ScaledToZero") {
			names = append(names, rev.Name)
		}
	}
	switch len(names) {
	case 0:
		return "nothing serves"
	case 1:
		return names[0] + " keeps serving"
	}
	return strings.Join(names, ", ") + " keep serving"
}

// noting passes the states on and notes when the containers of the wanted
// revisions ran first.
func (r *reloader) noting(ctx context.Context, p *phases, wanted map[string]string) iter.Seq2[*emulator.Snapshot, error] {
	return func(yield func(*emulator.Snapshot, error) bool) {
		for snap, err := range r.client.Watch(ctx) {
			if err == nil && p.running.IsZero() && allRun(snap, wanted) {
				p.running = time.Now()
			}
			if !yield(snap, err) {
				return
			}
		}
	}
}

// allRun says that each revision has a replica whose containers all run.
func allRun(snap *emulator.Snapshot, wanted map[string]string) bool {
	for name, revision := range wanted {
		app := snap.App(name)
		if app == nil || app.Revision(revision) == nil {
			return false
		}
		if !slices.ContainsFunc(app.Revision(revision).Replicas, func(rep emulator.Replica) bool {
			return !slices.ContainsFunc(rep.Properties.Containers, func(c aca.ReplicaContainer) bool { return c.RunningState != "Running" })
		}) {
			return false
		}
	}
	return true
}

func targetOf(app, revision string) emulator.ExecTarget {
	return emulator.ExecTarget{App: app, Revision: revision}
}
