package docker

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/internal/container"
)

func TestBuildOptionsReachTheFrontend(t *testing.T) {
	got := frontendAttrs(container.BuildSpec{
		Context: "/app", Dockerfile: "/app/docker/Dockerfile.dev", Target: "run", Platform: "linux/arm64", NoCache: true,
		Args: map[string]string{"A": "1", "EMPTY": ""}, Labels: map[string]string{"l": "x"},
	})
	want := map[string]string{
		"filename": "Dockerfile.dev", "image-resolve-mode": "local", "target": "run", "platform": "linux/arm64",
		"no-cache": "", "build-arg:A": "1", "build-arg:EMPTY": "", "label:l": "x",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestBuildsGetTheUsersProxies(t *testing.T) {
	c := &cliConfig{Proxies: map[string]proxyConfig{
		"default":     {HTTP: "http://p:1", No: "localhost"},
		"tcp://far:1": {HTTPS: "http://q:2"},
	}}
	for host, want := range map[string]map[string]string{
		"unix:///x":   {"HTTP_PROXY": "http://p:1", "http_proxy": "http://p:1", "NO_PROXY": "localhost", "no_proxy": "localhost"},
		"tcp://far:1": {"HTTPS_PROXY": "http://q:2", "https_proxy": "http://q:2"},
	} {
		if diff := cmp.Diff(want, c.proxyArgs(host)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", host, diff)
		}
	}
	e := &Engine{host: "unix:///x", config: c}
	s, err := e.complete(container.BuildSpec{Context: dockerfileDir(t), Args: map[string]string{"HTTP_PROXY": "mine"}})
	if err != nil || s.Args["HTTP_PROXY"] != "mine" || s.Args["no_proxy"] != "localhost" {
		t.Errorf("arguments %v, %v", s.Args, err)
	}
}

// dockerfileDir is a directory with a Dockerfile.
func dockerfileDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestBuildsThatCannotBegin(t *testing.T) {
	e := &Engine{config: &cliConfig{}}
	dir := dockerfileDir(t)
	for _, c := range []struct {
		spec       container.BuildSpec
		want, hint string
	}{
		{container.BuildSpec{Tag: "web", Context: dir + "/none"}, "build web: " + dir + "/none is not a directory",
			"the build context is the directory that is sent to the engine"},
		{container.BuildSpec{Tag: "web", Context: dir, Dockerfile: "Other"}, "build web: there is no Dockerfile at " + filepath.Join(dir, "Other"),
			"write one, or name the right file"},
		{container.BuildSpec{Tag: "web", Context: dir, Secrets: map[string]string{"k": "/nowhere"}},
			"build web: secret k: stat /nowhere: no such file or directory", ""},
	} {
		_, err := e.complete(c.spec)
		var got *container.Error
		if !errors.As(err, &got) || got.Error() != c.want || got.Hint != c.hint || got.Code != container.CodeBuild {
			t.Errorf("%+v, want %q with hint %q", err, c.want, c.hint)
		}
	}
}
