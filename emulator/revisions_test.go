package emulator

import (
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
