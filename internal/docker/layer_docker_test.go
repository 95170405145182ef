package docker

import (
	"archive/tar"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/runtimetest"
)

// layBase builds an image with the directory /srv/d, owned by 7:8 with mode
// 0711, a file in it, and a symbolic link to it.
func layBase(t *testing.T, e *Engine, env string) (name string) {
	t.Helper()
	dir := buildDir(t, map[string]string{
		"tree/d/a.txt": "old",
		"Dockerfile":   "FROM " + programImage(t, e, runtimetest.Serves) + "\nSTOPSIGNAL SIGQUIT\nEXPOSE 9000\nENV A=1\nCOPY --chown=7:8 tree /srv\n",
	})
	if err := os.Chmod(filepath.Join(dir, "tree", "d"), 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("d", filepath.Join(dir, "tree", "link")); err != nil {
		t.Fatal(err)
	}
	name = "acalocal-test/" + env + ":base"
	image, err := e.Build(t.Context(), container.BuildSpec{Context: dir, Tag: name, Labels: container.ImageLabels(env)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeTestImage(t, e, image.ID) })
	return name
}

func TestLayPutsFilesOverAnImage(t *testing.T) {
	e := newEngine(t)
	env := testEnv(t)
	base := layBase(t, e, env)
	dir := buildDir(t, map[string]string{"a": "new", "b": "first"})
	spec := container.LayerSpec{Env: env, Base: base, Name: "acalocal-test/" + env + ":laid", Files: []container.LayerFile{
		{Source: filepath.Join(dir, "a"), Target: "/srv/d/a.txt", Mode: 0o640, UID: 3, GID: 4},
		{Source: filepath.Join(dir, "b"), Target: "/srv/d/new/deep/b.txt", Mode: 0o4755, UID: 5, GID: 6},
	}}
	image, err := e.Lay(t.Context(), spec)
	if container.CodeOf(err) == container.CodeUnsupported {
		t.Skip("this engine takes no layers, so a sync builds:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer removeTestImage(t, e, image.ID)
	below, err := e.image(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	below.ID, below.Size = image.ID, image.Size
	if diff := cmp.Diff(below, image); diff != "" {
		t.Errorf("configuration of the image (-base +laid):\n%s", diff)
	}
	type entry struct {
		Mode     int64
		UID, GID int
		Text     string
	}
	want := map[string]entry{
		"/srv/d":                {0o711, 7, 8, ""},
		"/srv/d/a.txt":          {0o640, 3, 4, "new"},
		"/srv/d/new":            {0o755, 5, 6, ""},
		"/srv/d/new/deep":       {0o755, 5, 6, ""},
		"/srv/d/new/deep/b.txt": {0o4755, 5, 6, "first"},
		"/srv/link":             {0o777, 7, 8, ""},
	}
	got := map[string]entry{}
	readImage(t, e, spec.Name, func(path string, h *tar.Header, content io.Reader) {
		text, err := io.ReadAll(content)
		if err != nil {
			t.Error(err)
		}
		if h.Typeflag == tar.TypeDir {
			text = nil
		}
		got[path] = entry{h.Mode & 0o7777, h.Uid, h.Gid, string(text)}
	}, "/srv/d", "/srv/d/a.txt", "/srv/d/new", "/srv/d/new/deep", "/srv/d/new/deep/b.txt", "/srv/link")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	list, err := e.client.ImageList(t.Context(), client.ImageListOptions{Filters: builtFor(env)})
	if err != nil || len(list.Items) != 2 {
		t.Errorf("images built for the environment: %v, %v", list.Items, err)
	}
	left, err := e.client.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: envFilter(env)})
	if err != nil || len(left.Items) != 0 {
		t.Errorf("containers left: %v, %v", left.Items, err)
	}
}

// readImage shows f what is at paths of an image.
func readImage(t *testing.T, e *Engine, image string, f func(path string, h *tar.Header, content io.Reader), paths ...string) {
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
	for _, p := range paths {
		r, err := e.client.CopyFromContainer(t.Context(), c.ID, client.CopyFromContainerOptions{SourcePath: p})
		if err != nil {
			t.Error(err)
			continue
		}
		archive := tar.NewReader(r.Content)
		h, err := archive.Next()
		if err != nil {
			t.Fatal(err)
		}
		f(p, h, archive)
		r.Content.Close()
	}
}

func TestLayLeavesToABuildWhatItWouldHaveToGuess(t *testing.T) {
	e := newEngine(t)
	env := testEnv(t)
	base := layBase(t, e, env)
	file := filepath.Join(buildDir(t, map[string]string{"a": "new"}), "a")
	for _, target := range []string{"/srv/link/a.txt", "/srv/link", "/srv/d", "/srv/d/a.txt/below"} {
		_, err := e.Lay(t.Context(), container.LayerSpec{Env: env, Base: base, Name: "acalocal-test/" + env + ":never", Files: []container.LayerFile{{Source: file, Target: target}}})
		if container.CodeOf(err) != container.CodeUnsupported {
			t.Errorf("%s: got %v, want that it is not supported", target, err)
		}
	}
	_, err := e.Lay(t.Context(), container.LayerSpec{Env: env, Base: "acalocal-test/none:1", Name: "acalocal-test/none:2", Files: []container.LayerFile{{Source: file, Target: "/a"}}})
	if err == nil || container.CodeOf(err) == container.CodeUnsupported {
		t.Errorf("without the base: got %v", err)
	}
}

func TestNamesComeAndGo(t *testing.T) {
	e := newEngine(t)
	env := testEnv(t)
	base := layBase(t, e, env)
	name := "acalocal-test/" + env + ":other"
	if err := e.Tag(t.Context(), base, name); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := e.Untag(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.image(t.Context(), base); err != nil {
		t.Errorf("the image went with one of its names: %v", err)
	}
	if _, err := e.image(t.Context(), name); container.CodeOf(err) != container.CodeNotFound {
		t.Errorf("the name is still there: %v", err)
	}
}
