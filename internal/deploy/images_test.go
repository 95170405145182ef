package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/reload"
	"github.com/google/go-cmp/cmp"
)

// imageEngine is an engine with images and nothing else. Building gives an
// image the digest of its context's name.
type imageEngine struct {
	held    map[string]bool
	layless bool             // Lay is not supported
	missing map[string]error // what pulling an image fails with
	calls   []string
	secrets []string // contents of the build secrets seen
}

func (e *imageEngine) Pull(_ context.Context, s container.PullSpec, progress func(container.PullProgress)) (container.Image, error) {
	if e.held[s.Image] {
		return container.Image{ID: "sha256:" + s.Image}, nil
	}
	if s.Policy == container.PullNever {
		return container.Image{}, container.Errorf(container.CodeNotFound, "", "image %s is not in the engine", s.Image)
	}
	who := "user"
	if s.Credentials != nil {
		who = s.Credentials.Username + ":" + s.Credentials.Password
	}
	e.calls = append(e.calls, "pull "+s.Image+" as "+who)
	if err := e.missing[s.Image]; err != nil {
		return container.Image{}, err
	}
	progress(container.PullProgress{Done: 1e6, Total: 2e6})
	e.held[s.Image] = true
	return container.Image{}, nil
}

func (e *imageEngine) Build(_ context.Context, s container.BuildSpec) (container.Image, error) {
	dockerfile := s.Dockerfile
	if filepath.IsAbs(dockerfile) { // a temporary one
		dockerfile = filepath.Base(dockerfile)
	}
	e.calls = append(e.calls, fmt.Sprintf("build %s from %s %s env=%s", s.Tag, filepath.Base(s.Context), dockerfile, s.Labels[container.LabelBuiltFor]))
	for _, id := range slices.Sorted(maps.Keys(s.Secrets)) {
		text, err := os.ReadFile(s.Secrets[id])
		if err != nil {
			return container.Image{}, err
		}
		e.secrets = append(e.secrets, id+"="+string(text))
	}
	e.held[s.Tag] = true
	return container.Image{ID: "sha256:" + strings.Repeat(filepath.Base(s.Context), 9)}, nil
}

func (e *imageEngine) Tag(_ context.Context, image, name string) error {
	e.calls = append(e.calls, "tag "+image+" as "+name)
	e.held[name] = true
	return nil
}

func (e *imageEngine) Untag(context.Context, string) error { panic("not expected") }

func (e *imageEngine) Lay(_ context.Context, s container.LayerSpec) (container.Image, error) {
	if e.layless {
		return container.Image{}, container.Errorf(container.CodeUnsupported, "", "this engine lays nothing")
	}
	for _, f := range s.Files {
		e.calls = append(e.calls, fmt.Sprintf("lay %s over %s at %s as %d:%d mode %o env=%s", filepath.Base(f.Source), s.Base, f.Target, f.UID, f.GID, f.Mode, s.Env))
	}
	e.held[s.Name] = true
	return container.Image{}, nil
}

// appOf is an app whose containers are given as name=image.
func appOf(containers ...string) *config.App {
	app := &config.App{}
	app.Name = "shop"
	for _, c := range containers {
		name, image, _ := strings.Cut(c, "=")
		app.Properties.Template.Containers = append(app.Properties.Template.Containers, aca.Container{Name: name, Image: image})
	}
	return app
}

// result is what preparing an app did.
type result struct {
	Built, Images, Calls []string
	Progress             string
}

var took = regexp.MustCompile(`\d+\.\d s`)

func prepared(t *testing.T, e *imageEngine, app *config.App) (result, error) {
	t.Helper()
	var progress strings.Builder
	im := &Images{Engine: e, Environment: "dev", Progress: &progress}
	built, err := im.Prepare(t.Context(), app)
	r := result{Built: built, Calls: e.calls, Progress: took.ReplaceAllString(progress.String(), "N s")}
	for _, c := range slices.Concat(app.Properties.Template.InitContainers, app.Properties.Template.Containers) {
		r.Images = append(r.Images, c.Image)
	}
	return r, err
}

func TestImagesAreBuiltPulledOrThere(t *testing.T) {
	app := appOf("web=reg.io/web:v1", "side=side:1", "cache=redis:7")
	app.Properties.Template.InitContainers = []aca.Container{{Name: "migrate", Image: "side:1"}}
	app.Builds = map[string]config.Build{"web": {Context: "/src/abc", Dockerfile: "/src/abc/docker/Dockerfile"}}
	got, err := prepared(t, &imageEngine{held: map[string]bool{"side:1": true}}, app)
	if err != nil {
		t.Fatal(err)
	}
	want := result{
		Built:  []string{"reg.io/web:v1-abcabcabcabc"},
		Images: []string{"side:1", "reg.io/web:v1-abcabcabcabc", "side:1", "redis:7"},
		Calls: []string{
			"build acalocal/shop-web:build from abc docker/Dockerfile env=dev",
			"tag sha256:abcabcabcabcabcabcabcabcabc as reg.io/web:v1-abcabcabcabc",
			"pull redis:7 as user",
		},
		Progress: "building reg.io/web:v1 from /src/abc/docker/Dockerfile\nbuilt reg.io/web:v1-abcabcabcabc in N s\npulling redis:7\npulled redis:7 in N s\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// laid is what the engine was asked to do for a sync of app.py with flags of
// COPY, twice.
func laid(t *testing.T, e *imageEngine, flags ...string) []string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "app.py"), []byte("1"), 0o640); err != nil {
		t.Fatal(err)
	}
	im := &Images{Engine: e, Environment: "dev"}
	l := reload.Layer{Base: "web:1-abc", Context: dir, Copies: []reload.Copy{{Flags: flags, From: "app.py", To: "/srv/app.py"}}}
	one, err := im.Lay(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := im.Lay(t.Context(), l); err != nil || one != two || !e.held[one] {
		t.Errorf("the same files make %s, then %s, %v", one, two, err)
	}
	for i, c := range e.calls {
		e.calls[i] = strings.NewReplacer(one, "NAME", filepath.Base(dir), "DIR").Replace(c)
	}
	return e.calls
}

func TestASyncIsLaidOnceOrBuilt(t *testing.T) {
	for _, c := range []struct {
		name    string
		layless bool
		flags   string
		want    []string
	}{
		{"plain", false, "", []string{"lay app.py over web:1-abc at /srv/app.py as 0:0 mode 640 env=dev"}},
		{"numbers", false, "--chown=7:8 --chmod=4711", []string{"lay app.py over web:1-abc at /srv/app.py as 7:8 mode 4711 env=dev"}},
		{"one number", false, "--chown=7", []string{"lay app.py over web:1-abc at /srv/app.py as 7:7 mode 640 env=dev"}},
		{"a name", false, "--chown=www-data", []string{"build NAME from DIR Dockerfile env=dev"}},
		{"letters", false, "--chmod=u+x", []string{"build NAME from DIR Dockerfile env=dev"}},
		{"linked", false, "--link", []string{"build NAME from DIR Dockerfile env=dev"}},
		{"an engine that cannot", true, "", []string{"build NAME from DIR Dockerfile env=dev"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := laid(t, &imageEngine{held: map[string]bool{}, layless: c.layless}, strings.Fields(c.flags)...)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestImagesArePulledWithTheAppsCredentials(t *testing.T) {
	app := appOf("web=reg.io/web:v1", "other=other.io/x:1", "plain=redis:7")
	app.Properties.Configuration.Secrets = []aca.Secret{{Name: "pw", Value: "letmein"}}
	app.Properties.Configuration.Registries = []aca.Registry{
		{Server: "REG.io", Username: "me", PasswordSecretRef: "pw"},
		{Server: "other.io", Username: "me", PasswordSecretRef: "unknown"},
	}
	got, err := prepared(t, &imageEngine{held: map[string]bool{}}, app)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"pull reg.io/web:v1 as me:letmein", "pull other.io/x:1 as user", "pull redis:7 as user"}
	if diff := cmp.Diff(want, got.Calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestAnImageThatCannotBePulledKeepsItsHint(t *testing.T) {
	missing := container.Errorf(container.CodeImageMissing, "check the name and the tag", "pull image none:1: manifest unknown")
	_, err := prepared(t, &imageEngine{held: map[string]bool{}, missing: map[string]error{"none:1": missing}}, appOf("web=none:1"))
	if err == nil || err.Error() != "pull image none:1: manifest unknown" || hintOf(err) != "check the name and the tag" {
		t.Errorf("got %v, hint %q", err, hintOf(err))
	}
}

func TestBuildSecretsAreFilesOnlyWhileBuilding(t *testing.T) {
	t.Setenv("BUILD_TOKEN", "abc123")
	file := filepath.Join(t.TempDir(), "npmrc")
	if err := os.WriteFile(file, []byte("registry=x"), 0o600); err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	app := appOf("web=web:v1")
	app.Builds = map[string]config.Build{"web": {Context: "/src/abc", Dockerfile: "/src/abc/Dockerfile", Secrets: []config.BuildSecret{
		{ID: "npmrc", File: file}, {ID: "token", Env: "BUILD_TOKEN"},
	}}}
	e := &imageEngine{held: map[string]bool{"web:v1-abcabcabcabc": true}}
	if _, err := prepared(t, e, app); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"npmrc=registry=x", "token=abc123"}, e.secrets); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestABuildSecretThatIsNotSetIsNamed(t *testing.T) {
	app := appOf("web=web:v1")
	app.Builds = map[string]config.Build{"web": {Context: "/src/abc", Dockerfile: "/src/abc/Dockerfile", Secrets: []config.BuildSecret{{ID: "token", Env: "NO_SUCH_TOKEN"}}}}
	_, err := prepared(t, &imageEngine{}, app)
	want := "build web: secret token: the variable NO_SUCH_TOKEN is not set"
	if err == nil || err.Error() != want || hintOf(err) != "export it, or change the secret in acalocal.yaml" {
		t.Errorf("got %v, hint %q; want %s", err, hintOf(err), want)
	}
}

func TestContentName(t *testing.T) {
	f := func(image, want string) {
		t.Helper()
		if got := contentName(image, "sha256:3f2a9c1d0b7e55aa"); got != want {
			t.Errorf("%s: got %s, want %s", image, got, want)
		}
	}
	f("web", "web:latest-3f2a9c1d0b7e")
	f("web:v1", "web:v1-3f2a9c1d0b7e")
	f("reg.io:5000/web", "reg.io:5000/web:latest-3f2a9c1d0b7e")
	f("reg.io:5000/team/web:v1", "reg.io:5000/team/web:v1-3f2a9c1d0b7e")
	f("reg.io/web:v1@sha256:00", "reg.io/web:v1-3f2a9c1d0b7e")
}

// hintOf is what err says to do.
func hintOf(err error) string {
	var own *hinted
	var engine *container.Error
	switch {
	case errors.As(err, &own):
		return own.Hint()
	case errors.As(err, &engine):
		return engine.Hint
	}
	return ""
}
