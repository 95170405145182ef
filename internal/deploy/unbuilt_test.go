package deploy

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/container"
)

func TestAFailedPullNamesTheDockerfileThatIsThere(t *testing.T) {
	root := t.TempDir()
	app := filepath.Join(root, "app")
	beside := filepath.Join(app, "beside")
	for _, dir := range []string{beside, filepath.Join(app, "below"), filepath.Join(root, "none")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{app, beside} {
		if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := func(dir, image, want string) {
		t.Helper()
		e := &imageEngine{held: map[string]bool{}, missing: map[string]error{
			"web:1":  container.Errorf(container.CodeImageMissing, "check the name", "no image web:1"),
			"side:1": container.Errorf(container.CodeImageMissing, "check the name", "no image side:1"),
			"far:1":  container.Errorf(container.CodeUnreachable, "check the network", "no registry"),
		}}
		a := &config.App{Source: filepath.Join(dir, "containerapp.yaml")}
		a.Name = "web"
		a.Properties.Template.Containers = []aca.Container{{Name: "web", Image: image}, {Name: "side", Image: "side:1"}}
		_, err := (&Images{Engine: e, Progress: io.Discard}).Prepare(t.Context(), a)
		if got := hintOf(err); got != want {
			t.Errorf("%s of %s: the hint is %q, want %q", image, dir, got, want)
		}
	}
	f(beside, "web:1", "check the name; or a Dockerfile lies in "+beside+": without --image, \"acalocal up "+beside+"\" builds it")
	f(filepath.Join(app, "below"), "web:1", "check the name; or a Dockerfile lies in "+app+": \"build: ..\" for the app in acalocal.yaml has it built")
	f(filepath.Join(root, "none"), "web:1", "check the name")
	f(beside, "far:1", "check the network")
}
