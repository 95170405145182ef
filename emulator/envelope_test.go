package emulator

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/google/go-cmp/cmp"
)

// TestSystemDataTellsOfRealChanges: an app is created once and modified when its
// definition changes, whichever daemon runs.
func TestSystemDataTellsOfRealChanges(t *testing.T) {
	inBubble(t, func(w *world) {
		begin := time.Now()
		app := w.app("web:1")
		f := func(what string, created, modified time.Duration) {
			w.Helper()
			if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: app}); err != nil {
				w.Fatal(err)
			}
			want := aca.NewSystemData("", begin.Add(created), begin.Add(modified))
			if diff := cmp.Diff(want, w.engine.Snapshot().App("web").SystemData); diff != "" {
				w.Errorf("%s (-want +got):\n%s", what, diff)
			}
			w.waitFor("web is ready", ready)
			time.Sleep(time.Until(begin.Add(time.Since(begin).Truncate(time.Minute) + time.Minute)))
		}
		again := func() {
			w.stop()
			w.boot()
			w.waitFor("web is ready at the next daemon", ready)
		}
		f("a new app", 0, 0)
		f("the same again", 0, 0)
		app.Tags = map[string]string{"team": "shop"}
		f("tags", 0, 2*time.Minute)
		app.Properties.Template.Containers[0].Env = []aca.EnvVar{{Name: "A", Value: "1"}}
		f("a template", 0, 3*time.Minute)
		again()
		f("the same at the next daemon", 0, 3*time.Minute)
		app.Properties.Configuration.Secrets = []aca.Secret{{Name: "key", Value: "1"}}
		f("a secret", 0, 5*time.Minute)
		app.Properties.Configuration.Secrets = []aca.Secret{{Name: "key", Value: "2"}}
		f("its value", 0, 6*time.Minute)
		again()
		f("the same at the daemon after that", 0, 6*time.Minute)
		if err := w.engine.Delete(w.Context(), "web"); err != nil {
			w.Fatal(err)
		}
		f("another app of the name", 8*time.Minute, 8*time.Minute)
	})
}

// TestAnAnsweredAppIsNoChange: what was answered may be sent back, as a whole
// definition or as an edit, and the app stays what it is.
func TestAnAnsweredAppIsNoChange(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		before := w.waitFor("web is ready", ready).App("web")
		time.Sleep(time.Minute)
		text, err := json.Marshal(aca.Answer(before.ContainerApp))
		if err != nil {
			w.Fatal(err)
		}
		app, problems := aca.DecodeJSON[aca.ContainerApp](text)
		if len(problems) > 0 {
			w.Fatal(problems)
		}
		for i, change := range []func() (Applied, error){
			func() (Applied, error) { return w.engine.Apply(w.Context(), ApplyRequest{App: app}) },
			func() (Applied, error) { return w.engine.Update(w.Context(), ApplyRequest{App: app}) },
		} {
			applied, err := change()
			want := "keep revision " + before.Properties.LatestRevisionName + " (nothing changed in the template)\n"
			if err != nil || applied.NewRevision || applied.Plan != want {
				w.Errorf("%d: %+v, %v", i, applied, err)
			}
			if diff := cmp.Diff(before.ContainerApp, w.engine.Snapshot().App("web").ContainerApp); diff != "" {
				w.Errorf("%d (-before +after):\n%s", i, diff)
			}
		}
	})
}

// TestIDsNameWhatTheyAreOf at every level.
func TestIDsNameWhatTheyAreOf(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("web:1")
		app := w.waitFor("web is ready", ready).App("web")
		rev := app.Revisions[0]
		rep := rev.Replicas[0]
		const id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/Microsoft.App/"
		got := map[string]string{
			"app": app.ID, "revision": rev.ID, "replica": rep.ID, "environment": app.Properties.EnvironmentID, "older name": app.Properties.ManagedEnvironmentID,
			"groups": app.ResourceGroup + " " + rev.ResourceGroup + " " + rep.ResourceGroup, "revision's type": rev.Type,
		}
		want := map[string]string{
			"app": id + "containerapps/web", "revision": id + "containerapps/web/revisions/" + rev.Name,
			"replica":     id + "containerapps/web/revisions/" + rev.Name + "/replicas/" + rep.Name,
			"environment": id + "managedEnvironments/local", "older name": id + "managedEnvironments/local",
			"groups": "local local local", "revision's type": "Microsoft.App/containerapps/revisions",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("(-want +got):\n%s", diff)
		}
	})
}
