package cli

import (
	"errors"
	"iter"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/api/apitest"
	"github.com/google/go-cmp/cmp"
)

// states is a sequence of snapshots of the app web.
func states(edits ...func(*emulator.App, *emulator.Revision)) iter.Seq2[*emulator.Snapshot, error] {
	return func(yield func(*emulator.Snapshot, error) bool) {
		for _, edit := range edits {
			snap := apitest.OneApp()
			edit(&snap.Apps[0], &snap.Apps[0].Revisions[0])
			if !yield(snap, nil) {
				return
			}
		}
	}
}

func activating(problem string) func(*emulator.App, *emulator.Revision) {
	return func(a *emulator.App, r *emulator.Revision) {
		a.Properties.LatestReadyRevisionName, a.Local.Problem = "", problem
		r.Properties.RunningState, r.Properties.HealthState = "Activating", "None"
		r.Replicas = nil
	}
}

func readyNow(*emulator.App, *emulator.Revision) {}

func failedNow(_ *emulator.App, r *emulator.Revision) {
	r.Properties.RunningState, r.Properties.HealthState = "Failed", "Unhealthy"
	r.Properties.RunningStateDetails = "1/1 Container crashing: web"
}

var elapsed = regexp.MustCompile(` *\d+\.\d s  `)

func TestRolloutSaysEachStateOnceUntilTheVerdict(t *testing.T) {
	f := func(name string, want verdict, said string, edits ...func(*emulator.App, *emulator.Revision)) {
		t.Helper()
		var out strings.Builder
		r := newRollout(&out, time.Now())
		r.want("web", "web--abc1234")
		got, _, err := r.await(states(edits...))
		if err != nil || got != want {
			t.Errorf("%s: got %d, %v; want %d", name, got, err, want)
		}
		if diff := cmp.Diff(said, elapsed.ReplaceAllString(out.String(), "")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	const port = "The TargetPort 9999 does not match the listening port 8000."
	f("ready", rolledOut, "web--abc1234: Activating, health None\nweb--abc1234: is ready\n",
		activating(""), activating(""), readyNow, activating("later"))
	f("failed", failing, "web--abc1234: Activating, health None\nweb--abc1234: Failed, health Unhealthy: 1/1 Container crashing: web\n",
		activating(""), failedNow)
	f("wrong port", rollingOut, "web--abc1234: Activating, health None\nweb--abc1234: Activating, health None: "+port+"\n",
		activating(""), activating(port), activating(port))
}

func TestRolloutWaitsForAllApps(t *testing.T) {
	r := newRollout(&strings.Builder{}, time.Now())
	r.want("web", "web--abc1234")
	r.want("api", "api--0000001")
	snap := apitest.OneApp()
	if got := r.see(snap); got != rollingOut {
		t.Errorf("one of two ready: got %d, want rollingOut", got)
	}
	api := apitest.Ready(snap.Apps[0].ContainerApp, "api--0000001")
	api.Name = "api"
	api.Revisions[0].Properties.RunningState = "Failed"
	snap.Apps = append(snap.Apps, api)
	if got := r.see(snap); got != failing {
		t.Errorf("one ready, one failed: got %d, want failing", got)
	}
	if diff := cmp.Diff([]string{"api--0000001 is Failed, health Healthy"}, r.unready(snap)); diff != "" {
		t.Errorf("unready (-want +got):\n%s", diff)
	}
}

func TestRolloutEndsWithTheErrorOfItsStates(t *testing.T) {
	broken := errors.New("broken")
	r := newRollout(&strings.Builder{}, time.Now())
	_, _, err := r.await(func(yield func(*emulator.Snapshot, error) bool) { yield(nil, broken) })
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}
