package emulator

import (
	"context"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/google/go-cmp/cmp"
)

func TestPlanOfLabelsModeSaysWhereTheLabelGoes(t *testing.T) {
	inBubble(t, func(w *world) {
		app := w.app("web:1")
		app.Properties.Configuration.ActiveRevisionsMode, app.Properties.Configuration.TargetLabel = aca.Labels, "dev"
		first, err := w.engine.Apply(w.Context(), ApplyRequest{App: app})
		if err != nil {
			t.Fatal(err)
		}
		w.waitFor("web is ready", ready)
		for label, want := range map[string]string{
			"dev":   "move the label dev from " + first.Revision + " to the new revision (when all its replicas are ready)\n",
			"stage": "give the label stage to the new revision\n",
		} {
			next := *w.engine.Snapshot().App("web").ContainerApp.Clone()
			next.Properties.Configuration.TargetLabel = label
			next.Properties.Template.Containers[0].Image = "web:2"
			out, err := w.engine.Update(w.Context(), ApplyRequest{App: next, DryRun: true})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(out.Plan, want) {
				t.Errorf("%s: got\n%s\nwant at the end %s", label, out.Plan, want)
			}
		}
	})
}

func TestPlanOfAStoppedAppStartsNothing(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		w.waitFor("web is ready", ready)
		if err := w.engine.SetAppRunning(w.Context(), "web", false); err != nil {
			t.Fatal(err)
		}
		out, err := w.engine.Apply(w.Context(), ApplyRequest{App: w.app("web:2"), DryRun: true})
		if err != nil {
			t.Fatal(err)
		}
		if want := "create revision of web (template changed)\nstart nothing (the app is stopped)\n"; out.Plan != want {
			t.Errorf("got\n%s\nwant\n%s", out.Plan, want)
		}
	})
}

// Back in single mode the one that serves goes on until the latest is ready.
func TestPlanOfSingleModeSaysWhenTheServingOneEnds(t *testing.T) {
	inBubble(t, func(w *world) {
		old, made := w.canary()
		w.setActive(made, false)
		app := *w.engine.Snapshot().App("web").ContainerApp.Clone()
		plan := func(what string, want string, update func(context.Context, ApplyRequest) (Applied, error)) {
			t.Helper()
			out, err := update(w.Context(), ApplyRequest{App: app, DryRun: true})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, strings.NewReplacer(old, "OLD", made, "NEW").Replace(out.Plan)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		const starts = "start 1 replica of NEW (it is the latest revision)\n"
		plan("an edit leaves it inactive", "keep revision NEW (nothing changed in the template)\n", w.engine.Update)
		plan("the same definition again", "keep revision NEW (nothing changed in the template)\n"+starts, w.engine.Apply)
		app.Properties.Configuration.ActiveRevisionsMode = aca.Single
		app.Properties.Configuration.Ingress.Traffic = nil
		plan("single mode", starts+"drain and stop OLD (when all replicas of NEW are ready)\n", w.engine.Update)
	})
}

// Two revisions are active in Multiple mode; then the case changes the app.
func TestPlanListsAllAChangeDoes(t *testing.T) {
	single := func(app *aca.ContainerApp) { app.Properties.Configuration.ActiveRevisionsMode = aca.Single }
	port := func(app *aca.ContainerApp) { app.Properties.Configuration.Ingress.TargetPort = 9999 }
	image := func(app *aca.ContainerApp) { app.Properties.Template.Containers[0].Image = "wrong" }
	weights := func(app *aca.ContainerApp) {
		app.Properties.Configuration.Ingress.Traffic = []aca.TrafficWeight{{RevisionName: "OLD", Weight: 80}, {LatestRevision: true, Weight: 20}}
	}
	type edit = func(*aca.ContainerApp)
	const made = "create revision of web (template changed)\nstart 1 replica (minReplicas 0)\nrun container app of wrong\n"
	for name, c := range map[string]struct {
		edits []edit
		want  string
	}{
		"mode":             {[]edit{single}, "revision mode Multiple becomes Single\ndrain and stop OLD (single revision mode)\n"},
		"mode and port":    {[]edit{single, port}, "revision mode Multiple becomes Single\ntargetPort 8000 becomes 9999\ndrain and stop OLD (single revision mode)\n"},
		"traffic":          {[]edit{weights}, "traffic latest 100% becomes OLD 80%, latest 20%\n"},
		"port and traffic": {[]edit{port, weights}, "replace the replicas of OLD, NEW (target port 8000 becomes 9999)\ntraffic latest 100% becomes OLD 80%, latest 20%\n"},
		"template, port and traffic": {[]edit{image, port, weights}, "targetPort 8000 becomes 9999\n" + made +
			"route to port 9999 (when the probes pass)\ntraffic latest 100% becomes OLD 80%, latest 20%\n"},
		"template and mode": {[]edit{image, single}, "revision mode Multiple becomes Single\n" + made + "route to port 8000 (when the probes pass)\n" +
			"move traffic from NEW to the new revision (when all its replicas are ready)\n" +
			"drain and stop OLD (single revision mode)\ndrain and stop NEW (single revision mode)\n"},
		"nothing": {nil, "keep revision NEW (nothing changed in the template)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				app := w.app("web:1")
				app.Properties.Configuration.ActiveRevisionsMode = aca.Multiple
				first, err := w.engine.Apply(w.Context(), ApplyRequest{App: app})
				if err != nil {
					w.Fatal(err)
				}
				w.waitFor("the first is ready", ready)
				second := w.change(func(app *aca.ContainerApp) { app.Properties.Template.Containers[0].Image = "web:2" })
				w.waitFor("the second serves", func(s *Snapshot) bool { return s.App("web").Revision(second).Serving == 100 })
				changed := *w.engine.Snapshot().App("web").ContainerApp.Clone()
				for _, edit := range c.edits {
					edit(&changed)
				}
				for i, tw := range changed.Properties.Configuration.Ingress.Traffic {
					if tw.RevisionName == "OLD" {
						changed.Properties.Configuration.Ingress.Traffic[i].RevisionName = first.Revision
					}
				}
				out, err := w.engine.Apply(w.Context(), ApplyRequest{App: changed, DryRun: true})
				if err != nil {
					w.Fatal(err)
				}
				got := strings.NewReplacer(first.Revision, "OLD", second, "NEW").Replace(out.Plan)
				if diff := cmp.Diff(c.want, got); diff != "" {
					w.Errorf("(-want +got):\n%s", diff)
				}
				edited, err := w.engine.Update(w.Context(), ApplyRequest{App: changed, DryRun: true})
				if err != nil {
					w.Fatal(err)
				}
				for line := range strings.Lines(edited.Plan) {
					if strings.HasPrefix(line, "revision mode ") || strings.HasPrefix(line, "traffic ") {
						w.Errorf("the plan of an edit says once more: %s", line)
					}
				}
			})
		})
	}
}
