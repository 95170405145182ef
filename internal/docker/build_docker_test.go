package docker

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/runtimetest"
)

// buildDir writes a build context.
func buildDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// builders lists the ways to build.
func builders(e *Engine) map[string]func(context.Context, container.BuildSpec) (string, error) {
	return map[string]func(context.Context, container.BuildSpec) (string, error){
		"BuildKit": e.buildKit,
		"classic":  e.buildClassic,
	}
}

func TestBuildUsesWhatIsHere(t *testing.T) {
	e := newEngine(t)
	base := programImage(t, e, runtimetest.Serves)
	env := testEnv(t)
	dir := buildDir(t, map[string]string{
		"docker/Dockerfile": `FROM ` + base + ` AS base
ARG GREETING
ENV GREETING=$GREETING
COPY . /context/
RUN ["/app", "do", "exit", "0", "a step speaks", ""]
EXPOSE 9000/tcp 53/udp 8080
STOPSIGNAL SIGQUIT
FROM base AS unused
RUN ["/app", "do", "exit", "1", "", ""]
`,
		".dockerignore": "secret.txt\n*.log\n!keep.log\n",
		"secret.txt":    "no",
		"drop.log":      "no",
		"keep.log":      "yes",
	})
	for name, build := range builders(e) {
		t.Run(name, func(t *testing.T) {
			var progress bytes.Buffer
			spec, err := e.complete(container.BuildSpec{
				Context: dir, Dockerfile: "docker/Dockerfile", Target: "base", NoCache: true,
				Args:     map[string]string{"GREETING": "hello"},
				Labels:   container.ImageLabels(env),
				Tag:      "acalocal-test/built:" + strings.ToLower(name),
				Progress: &progress,
			})
			if err != nil {
				t.Fatal(err)
			}
			id, err := build(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { removeTestImage(t, e, id) })
			image, err := e.image(t.Context(), spec.Tag)
			if err != nil {
				t.Fatal(err)
			}
			if image.ID != id && !strings.HasSuffix(image.ID, id) {
				t.Errorf("built %s, the tag is at %s", id, image.ID)
			}
			if diff := cmp.Diff([]int{8080, 9000}, image.Ports); diff != "" || image.StopSignal != "SIGQUIT" {
				t.Errorf("stop signal %q, ports (-want +got):\n%s", image.StopSignal, diff)
			}
			if !strings.Contains(progress.String(), "a step speaks") {
				t.Errorf("progress lacks the output of a step:\n%s", progress.String())
			}
			listed, err := e.client.ImageList(t.Context(), client.ImageListOptions{Filters: builtFor(env)})
			if err != nil || len(listed.Items) != 1 {
				t.Errorf("images built for the environment: %v %v", listed.Items, err)
			}
			checkContext(t, e, spec.Tag)
		})
	}
}

// checkContext looks which files of the context arrived in an image.
func checkContext(t *testing.T, e *Engine, image string) {
	t.Helper()
	c, err := e.client.ContainerCreate(t.Context(), client.ContainerCreateOptions{Image: image})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Remove(context.WithoutCancel(t.Context()), container.ID(c.ID)); err != nil {
			t.Error(err)
		}
	}()
	got := map[string]bool{}
	for _, name := range []string{"secret.txt", "drop.log", "keep.log"} {
		_, err := e.client.ContainerStatPath(t.Context(), c.ID, client.ContainerStatPathOptions{Path: "/context/" + name})
		got[name] = err == nil
	}
	if diff := cmp.Diff(map[string]bool{"secret.txt": false, "drop.log": false, "keep.log": true}, got); diff != "" {
		t.Errorf("files of the context (-want +got):\n%s", diff)
	}
}

func removeTestImage(t *testing.T, e *Engine, id string) {
	t.Helper()
	if err := e.removeImage(context.WithoutCancel(t.Context()), id); err != nil {
		t.Error("remove image:", err)
	}
}

func TestBuildReadsSecrets(t *testing.T) {
	e := newEngine(t)
	base := programImage(t, e, runtimetest.Serves)
	dir := buildDir(t, map[string]string{"Dockerfile": `FROM ` + base + `
RUN --mount=type=secret,id=key,target=/key ["/app", "do", "read", "/key"]
`})
	secret := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(secret, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var progress bytes.Buffer
	image, err := e.Build(t.Context(), container.BuildSpec{
		Context: dir, Tag: "acalocal-test/secret:1", NoCache: true,
		Secrets: map[string]string{"key": secret}, Progress: &progress,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer removeTestImage(t, e, image.ID)
	if !strings.Contains(progress.String(), "open sesame") {
		t.Errorf("the step did not see its secret:\n%s", progress.String())
	}
}

func TestBuildFailuresNameTheStep(t *testing.T) {
	e := newEngine(t)
	base := programImage(t, e, runtimetest.Serves)
	for _, c := range []struct {
		name, dockerfile string
		code             container.Code
		want             []string
	}{
		{"a step", "FROM " + base + "\nRUN [\"/app\", \"do\", \"exit\", \"7\", \"collecting\", \"no such package\"]\n",
			container.CodeBuild, []string{"/app do exit 7", "exit code: 7|returned a non-zero code: 7", "  | no such package"}},
		{"a base image", "FROM acalocal.invalid/none:1\n", container.CodeUnreachable, []string{"acalocal.invalid/none:1"}},
		{"a typing error", "FORM " + base + "\n", container.CodeBuild, []string{"nknown instruction: FORM"}},
	} {
		for name, build := range builders(e) {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				dir := buildDir(t, map[string]string{"Dockerfile": c.dockerfile})
				spec, err := e.complete(container.BuildSpec{Context: dir, Tag: "acalocal-test/failing:1", NoCache: true})
				if err != nil {
					t.Fatal(err)
				}
				_, err = build(t.Context(), spec)
				if err == nil {
					t.Fatal("no error")
				}
				t.Log(err)
				if code := container.CodeOf(e.wrap(err, "build")); code != c.code {
					t.Errorf("code %q, want %q", code, c.code)
				}
				for _, want := range c.want {
					if !containsAny(err.Error(), strings.Split(want, "|")) {
						t.Errorf("error lacks %q:\n%v", want, err)
					}
				}
			})
		}
	}
}

func TestBuildEndsWithItsContext(t *testing.T) {
	e := newEngine(t)
	base := programImage(t, e, runtimetest.Serves)
	dir := buildDir(t, map[string]string{"Dockerfile": "FROM " + base + "\nRUN [\"/app\", \"{\\\"Prints\\\":[\\\"hanging\\\"]}\"]\n"})
	ctx, cancel := context.WithCancel(t.Context())
	progress := writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("hanging")) {
			cancel()
		}
		return len(p), nil
	})
	_, err := e.Build(ctx, container.BuildSpec{Context: dir, Tag: "acalocal-test/hanging:1", NoCache: true, Progress: progress})
	if ctx.Err() == nil || err == nil {
		t.Fatalf("build ended with %v before it was cancelled", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
