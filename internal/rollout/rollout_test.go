package rollout_test

import (
	"testing"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/api/apitest"
	"github.com/acalocal/acalocal/internal/rollout"
)

// edited is the app web, ready, then changed by edit.
func edited(edit func(*emulator.App, *emulator.Revision)) *emulator.App {
	app := &apitest.OneApp().Apps[0]
	edit(app, &app.Revisions[0])
	return app
}

func TestJudge(t *testing.T) {
	f := func(name string, want rollout.Verdict, edit func(*emulator.App, *emulator.Revision)) {
		t.Helper()
		if got := rollout.Judge(edited(edit), "web--abc1234"); got != want {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
	f("ready", rollout.Ready, func(*emulator.App, *emulator.Revision) {})
	f("scaled to zero", rollout.Ready, func(_ *emulator.App, r *emulator.Revision) {
		r.Properties.RunningState, r.Replicas = "ScaledToZero", nil
	})
	f("activating", rollout.Underway, func(a *emulator.App, r *emulator.Revision) {
		r.Properties.RunningState, r.Replicas[0].Ready = "Activating", false
		a.Properties.LatestReadyRevisionName = ""
	})
	f("only an older revision is ready", rollout.Underway, func(a *emulator.App, _ *emulator.Revision) {
		a.Properties.LatestReadyRevisionName = "web--older"
	})
	older := func(mode aca.RevisionsMode, serving int) func(*emulator.App, *emulator.Revision) {
		return func(a *emulator.App, r *emulator.Revision) {
			a.Properties.LatestRevisionName, a.Properties.LatestReadyRevisionName = "web--newer", "web--newer"
			a.Properties.Configuration.ActiveRevisionsMode, r.Serving = mode, serving
		}
	}
	f("an older one beside the latest", rollout.Ready, older(aca.Multiple, 0))
	f("an older one with a label", rollout.Ready, older(aca.Labels, 0))
	f("an older one that serves while the latest fails", rollout.Ready, older(aca.Single, 100))
	f("an older one that was replaced before it served", rollout.Underway, older(aca.Single, 0))
	f("ready once, now only draining", rollout.Underway, func(_ *emulator.App, r *emulator.Revision) { r.Replicas[0].Draining = true })
	f("failed", rollout.Failing, func(_ *emulator.App, r *emulator.Revision) { r.Properties.RunningState = "Failed" })
	f("degraded", rollout.Failing, func(_ *emulator.App, r *emulator.Revision) { r.Properties.RunningState = "Degraded" })
	f("not provisioned", rollout.Failing, func(_ *emulator.App, r *emulator.Revision) { r.Properties.ProvisioningState = "Failed" })
	f("not there yet", rollout.Underway, func(a *emulator.App, _ *emulator.Revision) { a.Revisions = nil })
}

func TestDescribe(t *testing.T) {
	f := func(want string, edit func(*emulator.App, *emulator.Revision)) {
		t.Helper()
		if got := rollout.Describe(edited(edit), "web--abc1234"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	waiting := func(edit func(*emulator.App, *emulator.Revision)) func(*emulator.App, *emulator.Revision) {
		return func(a *emulator.App, r *emulator.Revision) {
			r.Properties.RunningState, r.Properties.HealthState = "Activating", "None"
			r.Replicas[0].Ready, r.Replicas[0].Properties.Containers[0].Ready = false, false
			edit(a, r)
		}
	}
	f("Running, health Healthy", func(*emulator.App, *emulator.Revision) {})
	f("Activating, health None: The TargetPort 9999 does not match the listening port 8000.", waiting(func(a *emulator.App, _ *emulator.Revision) {
		a.Local.Problem = "The TargetPort 9999 does not match the listening port 8000."
	}))
	f("Activating, health None: 0/1 replicas ready.", waiting(func(_ *emulator.App, r *emulator.Revision) {
		r.Properties.RunningStateDetails = "0/1 replicas ready."
	}))
	f("Activating, health None: container 'web' runs, its startup probe has not passed yet", waiting(func(_ *emulator.App, r *emulator.Revision) {
		r.Replicas[0].Properties.Containers[0].Started = false
	}))
	f("Activating, health None: container 'web' runs, its readiness probe has not passed yet", waiting(func(*emulator.App, *emulator.Revision) {}))
	f("Activating, health None: container 'web': Container is waiting with reason: PullingImage on legion.", waiting(func(_ *emulator.App, r *emulator.Revision) {
		c := &r.Replicas[0].Properties.Containers[0]
		c.RunningState, c.RunningStateDetails = "Waiting", "Container is waiting with reason: PullingImage on legion."
	}))
	f("Failed, provisioning Failed, health Unhealthy: Container crashing: app", func(_ *emulator.App, r *emulator.Revision) {
		p := &r.Properties
		p.ProvisioningState, p.RunningState, p.HealthState, p.ProvisioningError = "Failed", "Failed", "Unhealthy", "Container crashing: app"
	})
	f("not there yet", func(a *emulator.App, _ *emulator.Revision) { a.Revisions = nil })
}
