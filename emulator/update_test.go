package emulator

import (
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/google/go-cmp/cmp"
)

func TestUpdateKeepsWhatASnapshotDoesNotCarry(t *testing.T) {
	inBubble(t, func(w *world) {
		app := w.app("web:1")
		dirs := Directories{Storages: map[string]string{"shop": "/data"}, Mounts: []DirectoryMount{{Container: "web", Source: "/src", Target: "/app/src"}}}
		app.Properties.Configuration.Secrets = []aca.Secret{{Name: "key", Value: "v1"}, {Name: "other", Value: "v2"}}
		_, err := w.engine.Apply(w.Context(), ApplyRequest{App: app, HostPort: 9000, LocalImages: []string{"web:1"}, Directories: dirs})
		if err != nil {
			w.Fatal(err)
		}
		changed := *w.waitFor("web is ready", ready).App("web").ContainerApp.Clone()
		if got := changed.Properties.Configuration.Secrets[0].Value; got != "" {
			w.Fatalf("the snapshot shows the secret %q", got)
		}
		changed.Properties.Template.Containers[0].Image = "web:2"
		changed.Properties.Configuration.Secrets[1].Value = "v3"
		applied, err := w.engine.Update(w.Context(), ApplyRequest{App: changed, LocalImages: []string{"web:2"}})
		if err != nil {
			w.Fatal(err)
		}
		if want := "web--0000001"; applied.Revision != want || !applied.NewRevision {
			w.Errorf("got revision %q (new %t), want a new %s", applied.Revision, applied.NewRevision, want)
		}
		kept, ok := w.engine.state.Kept("web")
		want := map[string]string{"key": "v1", "other": "v3"}
		if diff := cmp.Diff(want, kept.Secrets); !ok || diff != "" {
			w.Errorf("secrets (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"web:1", "web:2"}, kept.Local); diff != "" {
			w.Errorf("local images (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(dirs, directoriesOf(kept.Directories)); diff != "" {
			w.Errorf("directories (-want +got):\n%s", diff)
		}
		if kept.HostPort != 9000 {
			w.Errorf("host port: got %d, want 9000", kept.HostPort)
		}
	})
}

func TestUpdateOfAnAppThatIsNotThere(t *testing.T) {
	inBubble(t, func(w *world) {
		_, err := w.engine.Update(w.Context(), ApplyRequest{App: w.app("web:1")})
		want := "(ResourceNotFound) The Resource 'Microsoft.App/containerApps/web' was not found."
		if err == nil || err.Error() != want {
			w.Errorf("got %v, want %s", err, want)
		}
	})
}
