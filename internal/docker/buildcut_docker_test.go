package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// cutContext is the build context of the table: files and directories of all
// modes, links, and names that ignore rules leave out.
func cutContext(t *testing.T) string {
	t.Helper()
	dir := buildDir(t, map[string]string{
		"a.txt": "new", "b.txt": "b", ".dockerignore": "**/*.pyc\nsecret\n",
		"secret": "no", "src/x.py": "x", "src/x.pyc": "no", "src/run.sh": "run", "src/deep/er/y.py": "y",
		"tree/d/a.txt": "newer", "tree/d/sub/s.txt": "s", "tree/new/n.txt": "n", "with space/w.txt": "w",
	})
	for name, mode := range map[string]os.FileMode{
		"a.txt": 0o640, "src": 0o750, "src/run.sh": 0o755 | os.ModeSetuid, "src/deep": 0o700, "src/deep/er": 0o777 | os.ModeSticky,
		"tree/d": 0o705, "tree/new": 0o770,
	} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("x.py", filepath.Join(dir, "src", "link.py")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere", filepath.Join(dir, "src", "dangling")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestCutBuildsMakeTheSameImage holds that copies laid over the steps make the
// image that a build of the whole Dockerfile makes, but for its history.
func TestCutBuildsMakeTheSameImage(t *testing.T) {
	e := newEngine(t)
	if e.containerdStore() {
		t.Skip("this engine loads no image that lacks layers, so nothing is cut")
	}
	env := testEnv(t)
	base := layBase(t, e, env)
	dir := cutContext(t)
	for i, c := range []struct{ name, dockerfile string }{
		{"what is not there", `WORKDIR /code
COPY src .
COPY src /abs/src
COPY --chown=12:34 src /own/src
COPY --chown=5 a.txt /own/dir/
COPY *.txt /t/
COPY ["with space/w.txt", "/w/"]
COPY \
  a.txt \
  # why
  /c/`},
		{"the whole context in a relative directory", "WORKDIR /code\nWORKDIR sub\nCOPY . ./x/"},
		{"files by name, over files, into a directory", "COPY a.txt /srv/renamed\nCOPY a.txt b.txt /srv/d/"},
		{"a target that exists keeps its attributes", "COPY src /srv/d"},
		{"directories in a target get those of the source", "COPY tree /srv"},
		{"into the root", "COPY tree /"},
		{"one copy over another", "COPY src /code\nCOPY b.txt /code/x.py"},
		{"configuration between and after", `ENV B=2
COPY src /code
ENV C=$B D="x y"
LABEL l=v
EXPOSE 81/udp
USER 5:6
VOLUME /code/v
STOPSIGNAL SIGINT
HEALTHCHECK --interval=7s CMD x
SHELL ["/s", "-c"]
ENTRYPOINT e f
CMD ["c"]
ONBUILD RUN x
ARG Z=1`},
		{"after all that has to be built", `COPY a.txt /other
FROM ` + base + `
COPY --from=0 /other /got
COPY src /code
WORKDIR /code/deep
RUN ["/app", "do", "exit", "0", "", ""]
COPY b.txt .`},
		{"without anything else", "FROM scratch\nCOPY tree /"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, cut := cutSpec(t, env, dir, "FROM "+base+"\n"+c.dockerfile+"\n")
			whole, err := e.buildKit(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			defer removeTestImage(t, e, whole)
			spec.Tag += "-cut"
			id, err := e.buildCut(t.Context(), spec, cut)
			if err != nil {
				t.Fatal(err)
			}
			defer removeTestImage(t, e, id)
			if diff := cmp.Diff(describeImage(t, e, whole), describeImage(t, e, id)); diff != "" {
				t.Errorf("image (-built +laid):\n%s", diff)
			}
			if i > 0 {
				return
			}
			if again, err := e.buildCut(t.Context(), spec, cut); again != id || err != nil {
				t.Errorf("the same build made %s, then %s (%v)", id, again, err)
			}
		})
	}
	for _, c := range []struct{ name, dockerfile string }{
		{"through a symbolic link", "COPY src /srv/link"},
		{"below a symbolic link", "COPY a.txt /srv/link/"},
		{"onto a directory", "COPY a.txt /srv/d"},
		{"targets inside of each other", "COPY a.txt /srv/d/q.txt\nCOPY tree /srv"},
		{"what is not in the context", "COPY secret /"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, cut := cutSpec(t, env, dir, "FROM "+base+"\n"+c.dockerfile+"\n")
			id, err := e.buildCut(t.Context(), spec, cut)
			if container.CodeOf(err) != container.CodeUnsupported {
				t.Errorf("got %q, %v, want that it is left to a build", id, err)
			}
		})
	}
	if left, err := e.client.ImageList(t.Context(), client.ImageListOptions{Filters: builtFor(env)}); err != nil || len(left.Items) != 1 {
		t.Errorf("images left beside the base: %v, %v", left.Items, err)
	}
}

// cutSpec is the build of a Dockerfile, and what it is cut into.
func cutSpec(t *testing.T, env, dir, text string) (container.BuildSpec, cut) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "Dockerfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, ok := cutDockerfile([]byte(text), "")
	if !ok {
		t.Fatal("nothing was cut")
	}
	return container.BuildSpec{Context: dir, Dockerfile: file, Labels: container.ImageLabels(env), Tag: "acalocal-test/" + env + ":whole"}, c
}

// describeImage is all of an image that matters to a container: what it says,
// and each file with mode, owner, target and content. Times are those of the
// copy that BuildKit has cached for the content, so two builds differ anyway.
func describeImage(t *testing.T, e *Engine, image string) map[string]string {
	t.Helper()
	out := map[string]string{}
	var raw bytes.Buffer
	if _, err := e.client.ImageInspect(t.Context(), image, client.ImageInspectWithRawResponse(&raw)); err != nil {
		t.Fatal(err)
	}
	var r struct {
		Architecture, Os, Variant string
		Config                    map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	out["platform"] = r.Os + "/" + r.Architecture + r.Variant
	for name, value := range r.Config {
		out["config "+name] = string(value)
	}
	maps.Copy(out, filesOf(t, e, image))
	return out
}

func filesOf(t *testing.T, e *Engine, image string) map[string]string {
	t.Helper()
	c, err := e.client.ContainerCreate(t.Context(), client.ContainerCreateOptions{Config: &apicontainer.Config{Image: image, Cmd: []string{"-"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Remove(context.WithoutCancel(t.Context()), container.ID(c.ID)); err != nil {
			t.Error(err)
		}
	}()
	r, err := e.client.ContainerExport(t.Context(), c.ID, client.ContainerExportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := map[string]string{}
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, archive); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%c %o %d:%d %q %x", h.Typeflag, h.Mode, h.Uid, h.Gid, h.Linkname, sum.Sum(nil)[:6])
		if p := "/" + strings.TrimSuffix(h.Name, "/"); !engineFile.MatchString(p) {
			out[p] = text
		}
	}
}

// engineFile are the files an engine adds to each container.
var engineFile = regexp.MustCompile(`^/(\.dockerenv|dev|proc|sys|etc)(/|$)`)
