package emulator

import (
	"errors"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
	"github.com/google/go-cmp/cmp"
)

// These follow published captures of Azure Container Apps: the labs
// traffic-routing-canary and observability-tracing of
// github.com/yeongseon/azure-container-apps-practical-guide, and the scripts of
// github.com/denniszielke/blue-green-with-containerapps.

// split is how the published table divides the requests of web.
func (w *world) split() map[string]int {
	w.edge.mu.Lock()
	defer w.edge.mu.Unlock()
	out := map[string]int{}
	for _, a := range w.edge.table.Apps {
		for _, s := range a.Split {
			out[s.Revision] = s.Weight
		}
	}
	return out
}

func (w *world) labels() []ingress.Label {
	w.edge.mu.Lock()
	defer w.edge.mu.Unlock()
	return w.edge.table.Apps[0].Labels
}

// change reads the app, changes it and puts it back, as az's verbs do.
func (w *world) change(edit func(*aca.ContainerApp)) string {
	w.Helper()
	app := *w.engine.Snapshot().App("web").ContainerApp.Clone()
	edit(&app)
	applied, err := w.engine.Update(w.Context(), ApplyRequest{App: app})
	if err != nil {
		w.Fatal(err)
	}
	return applied.Revision
}

func (w *world) traffic(ws ...aca.TrafficWeight) {
	w.Helper()
	w.change(func(app *aca.ContainerApp) { app.Properties.Configuration.Ingress.Traffic = ws })
}

func (w *world) wantSplit(when string, want map[string]int) {
	w.Helper()
	if diff := cmp.Diff(want, w.split()); diff != "" {
		w.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

func TestWeightsShowTheWishAndRoutingFollowsReadiness(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		old := w.waitFor("web is ready", ready).App("web").Properties.LatestRevisionName
		made := w.change(func(app *aca.ContainerApp) { app.Properties.Template.Containers[0].Image = "web:2" })
		app := w.waitFor("the new one is there", func(s *Snapshot) bool { return s.App("web").Revision(made) != nil }).App("web")
		got := []int{app.Revision(old).Properties.TrafficWeight, app.Revision(old).Serving, app.Revision(made).Properties.TrafficWeight, app.Revision(made).Serving}
		if diff := cmp.Diff([]int{0, 100, 100, 0}, got); diff != "" {
			w.Errorf("wish and fact of old and new while the new one starts (-want +got):\n%s", diff)
		}
		w.wantSplit("while it starts", map[string]int{old: 100})
		w.waitFor("the new one serves", func(s *Snapshot) bool { return s.App("web").Revision(made).Serving == 100 })
		w.wantSplit("when it is ready", map[string]int{made: 100})
	})
}

func TestCanaryKeepsItsShareWhileItIsDown(t *testing.T) {
	inBubble(t, func(w *world) {
		one := 1
		app := w.app("web:1")
		app.Properties.Template.Scale = &aca.Scale{MinReplicas: &one}
		if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: app}); err != nil {
			w.Fatal(err)
		}
		good := w.waitFor("web is ready", ready).App("web").Properties.LatestRevisionName
		w.change(func(app *aca.ContainerApp) { app.Properties.Configuration.ActiveRevisionsMode = aca.Multiple })
		bad := w.change(func(app *aca.ContainerApp) { app.Properties.Template.Containers[0].Image = "wrong" })
		w.traffic(aca.TrafficWeight{RevisionName: good, Weight: 50}, aca.TrafficWeight{RevisionName: bad, Weight: 50})
		time.Sleep(20 * time.Minute) // past every deadline
		w.wantSplit("half each", map[string]int{good: 50, bad: 50})
		if state := w.engine.Snapshot().App("web").Revision(bad).Properties.RunningState; state != "Failed" && state != "Degraded" {
			w.Errorf("the canary is %s", state)
		}
		replica := w.engine.Snapshot().App("web").Revision(good).Replicas[0].Name
		w.traffic(aca.TrafficWeight{RevisionName: good, Weight: 100}, aca.TrafficWeight{RevisionName: bad, Label: "bad"})
		w.wantSplit("shifted back", map[string]int{good: 100})
		if got := w.engine.Snapshot().App("web").Revision(good).Replicas[0].Name; got != replica {
			w.Errorf("the good one was restarted: %s, then %s", replica, got)
		}
	})
}

func TestBlueAndGreenSwapByLabels(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		blue := w.waitFor("web is ready", ready).App("web").Properties.LatestRevisionName
		w.change(func(app *aca.ContainerApp) {
			app.Properties.Configuration.ActiveRevisionsMode = aca.Multiple
			app.Properties.Configuration.Ingress.Traffic = []aca.TrafficWeight{{RevisionName: blue, Weight: 100, Label: "blue"}}
		})
		green := w.change(func(app *aca.ContainerApp) {
			app.Properties.Template.Containers[0].Image = "web:2"
			app.Properties.Template.RevisionSuffix = "green"
		})
		w.waitFor("green is ready", func(s *Snapshot) bool { return s.App("web").Properties.LatestReadyRevisionName == green })
		w.wantSplit("a named split gives a new one nothing", map[string]int{blue: 100})
		w.traffic(aca.TrafficWeight{RevisionName: blue, Weight: 0, Label: "green"}, aca.TrafficWeight{RevisionName: green, Weight: 100, Label: "blue"})
		w.wantSplit("swapped", map[string]int{green: 100})
		if diff := cmp.Diff([]ingress.Label{{Name: "blue", Revision: green}, {Name: "green", Revision: blue}}, w.labels()); diff != "" {
			w.Errorf("labels (-want +got):\n%s", diff)
		}
		if err := w.engine.SetRevisionActive(w.Context(), "web", blue, false); err != nil {
			w.Fatal(err)
		}
		s := w.waitFor("blue has stopped", func(s *Snapshot) bool { return len(s.App("web").Revision(blue).Replicas) == 0 })
		if s.App("web").Revision(blue).Properties.Active || !s.App("web").Local.Ready {
			w.Errorf("blue active %t, web ready %t", s.App("web").Revision(blue).Properties.Active, s.App("web").Local.Ready)
		}
	})
}

// canary makes an app in Multiple mode with two ready revisions.
func (w *world) canary() (old, made string) {
	w.Helper()
	app := w.app("web:1")
	app.Properties.Configuration.ActiveRevisionsMode = aca.Multiple
	first, err := w.engine.Apply(w.Context(), ApplyRequest{App: app})
	if err != nil {
		w.Fatal(err)
	}
	w.waitFor("web is ready", ready)
	made = w.change(func(app *aca.ContainerApp) { app.Properties.Template.Containers[0].Image = "web:2" })
	w.waitFor("the second serves", func(s *Snapshot) bool { return s.App("web").Revision(made).Serving == 100 })
	return first.Revision, made
}

func (w *world) setActive(revision string, active bool) {
	w.Helper()
	if err := w.engine.SetRevisionActive(w.Context(), "web", revision, active); err != nil {
		w.Fatal(err)
	}
}

// A canary that was deactivated does not come back with the next weights or
// labels; a definition that comes whole starts it again.
func TestWeightsLeaveADeactivatedRevisionAsItIs(t *testing.T) {
	inBubble(t, func(w *world) {
		old, made := w.canary()
		w.setActive(made, false)
		w.traffic(aca.TrafficWeight{RevisionName: old, Weight: 100}, aca.TrafficWeight{RevisionName: made, Label: "bad"})
		time.Sleep(time.Minute)
		if p := w.engine.Snapshot().App("web").Revision(made).Properties; p.Active {
			w.Errorf("weights made %s active again: %s", made, p.RunningState)
		}
		whole := *w.engine.Snapshot().App("web").ContainerApp.Clone()
		if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: whole}); err != nil {
			w.Fatal(err)
		}
		w.waitFor("the definition starts it", func(s *Snapshot) bool { return s.App("web").Revision(made).Properties.Active })
	})
}

func TestActivationKeepsWhenARevisionWasMade(t *testing.T) {
	inBubble(t, func(w *world) {
		old, made := w.canary()
		created := w.engine.Snapshot().App("web").Revision(old).Properties.CreatedTime
		w.setActive(old, false)
		left := time.Now()
		time.Sleep(time.Minute)
		p := w.engine.Snapshot().App("web").Revision(old).Properties
		if !p.LastActiveTime.Equal(left) {
			w.Errorf("it was last active %s, want %s", p.LastActiveTime, left)
		}
		w.setActive(old, true)
		p = w.engine.Snapshot().App("web").Revision(old).Properties
		if !p.CreatedTime.Equal(created) || !p.LastActiveTime.IsZero() || p.RunningState != "Activating" {
			w.Errorf("activated: created %s, last active %s, %s; want %s, none, Activating", p.CreatedTime, p.LastActiveTime, p.RunningState, created)
		}
		w.waitFor("it is ready", func(s *Snapshot) bool { return s.App("web").Revision(old).Properties.HealthState == "Healthy" })
		w.stop()
		w.boot()
		w.waitFor("the next daemon knows the app", ready)
		if got := w.engine.Snapshot().App("web").Properties.LatestRevisionName; got != made {
			w.Errorf("after a restart the latest revision is %s, want %s", got, made)
		}
	})
}

func TestInactiveRevisionShowsNoShareAndItsHealthOfBefore(t *testing.T) {
	inBubble(t, func(w *world) {
		old, made := w.canary()
		bad := w.change(func(app *aca.ContainerApp) { app.Properties.Template.Containers[0].Image = "wrong" })
		time.Sleep(20 * time.Minute) // past every deadline
		w.setActive(bad, false)
		time.Sleep(time.Minute)
		app := w.engine.Snapshot().App("web")
		p := app.Revision(bad).Properties
		if got := p.RunningState + " " + p.HealthState + " " + p.ProvisioningState; got != "Stopped Unhealthy Provisioned" {
			w.Errorf("the bad one is %s", got)
		}
		got := []int{app.Revision(old).Properties.TrafficWeight, app.Revision(made).Properties.TrafficWeight, p.TrafficWeight}
		if diff := cmp.Diff([]int{0, 100, 0}, got); diff != "" {
			w.Errorf("weights of the old, the good and the bad one (-want +got):\n%s", diff)
		}
	})
}

func TestRevisionThatTrafficNamesIsNotPurged(t *testing.T) {
	inBubble(t, func(w *world) {
		old, made := w.canary()
		w.traffic(aca.TrafficWeight{RevisionName: made, Weight: 100}, aca.TrafficWeight{RevisionName: old, Label: "old"})
		w.setActive(old, false)
		none := 0
		w.change(func(app *aca.ContainerApp) { app.Properties.Configuration.MaxInactiveRevisions = &none })
		time.Sleep(time.Minute)
		w.change(func(app *aca.ContainerApp) { app.Properties.Configuration.Ingress.AllowInsecure = true })
		w.traffic(aca.TrafficWeight{RevisionName: made, Weight: 100})
		time.Sleep(time.Minute)
		if w.engine.Snapshot().App("web").Revision(old) != nil {
			w.Errorf("%s is still there although nothing names it", old)
		}
	})
}

func TestTrafficToAnUnknownRevisionIsRefused(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		app := *w.waitFor("web is ready", ready).App("web").ContainerApp.Clone()
		app.Properties.Configuration.ActiveRevisionsMode = aca.Multiple
		app.Properties.Configuration.Ingress.Traffic = []aca.TrafficWeight{{RevisionName: "web--nope", Weight: 100}}
		_, err := w.engine.Update(w.Context(), ApplyRequest{App: app})
		want := "The following field(s) are either invalid or missing. Field 'configuration.ingress.traffic' is invalid with details: " +
			"'Invalid value: \"web--nope\": the container app web has no such revision';."
		var refused *aca.Error
		if !errors.As(err, &refused) || refused.Code != "InvalidParameterValueInContainerTemplate" || refused.Message != want {
			w.Errorf("got %v, want %s", err, want)
		}
	})
}

// A revision without replicas has none to replace.
func TestInactiveRevisionIsNotRestarted(t *testing.T) {
	inBubble(t, func(w *world) {
		old, _ := w.canary()
		w.setActive(old, false)
		err := w.engine.RestartRevision(w.Context(), "web", old)
		var refused *aca.Error
		if !errors.As(err, &refused) || refused.Code != "RevisionOperationError" {
			w.Errorf("got %v, want RevisionOperationError", err)
		}
	})
}

// The schema promises defaults in both; captures show them in the app alone.
func TestRevisionShowsItsScaleAsWritten(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		app := w.waitFor("web is ready", ready).App("web")
		of := func(s *aca.Scale) []bool {
			return []bool{s.CooldownPeriod != nil, s.PollingInterval != nil, s.MaxReplicas != nil}
		}
		if diff := cmp.Diff([]bool{true, true, true}, of(app.Properties.Template.Scale)); diff != "" {
			w.Errorf("the app (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]bool{false, false, true}, of(app.Revisions[0].Properties.Template.Scale)); diff != "" {
			w.Errorf("the revision (-want +got):\n%s", diff)
		}
		ninety := 90
		made := w.change(func(app *aca.ContainerApp) { app.Properties.Template.Scale.CooldownPeriod = &ninety })
		if got := w.engine.Snapshot().App("web").Revision(made).Properties.Template.Scale.CooldownPeriod; got == nil || *got != ninety {
			w.Errorf("the cooldown that was given shows as %v", got)
		}
	})
}
