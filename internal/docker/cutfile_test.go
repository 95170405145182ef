package docker

import (
	"archive/tar"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/internal/container"
)

func TestCutDockerfileTakesTheLastCopies(t *testing.T) {
	text := strings.Join([]string{
		"# syntax=docker/dockerfile:1", "# escape=`", "FROM a AS b", "COPY x /x", "FROM c", "WORKDIR /d", "COPY r .", "RUN i",
		"COPY s `", "  # why", "  ./s", "ENV A=1", "COPY --chown=1:2 t /t/", `CMD ["x"]`,
	}, "\n")
	c, ok := cutDockerfile([]byte(text), "")
	if !ok {
		t.Fatal("nothing was cut")
	}
	steps := strings.Join([]string{
		"# syntax=docker/dockerfile:1", "# escape=`", "FROM a AS b", "COPY x /x", "FROM c", "WORKDIR /d", "COPY r .", "RUN i",
		"", "", "", "ENV A=1", "", `CMD ["x"]`,
	}, "\n")
	if diff := cmp.Diff(steps, string(c.steps)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	copies := strings.Join([]string{
		"# syntax=docker/dockerfile:1", "# escape=`", "FROM scratch", "WORKDIR /d", "COPY s `", "  # why", "  ./s", "COPY --chown=1:2 t /t/", "",
	}, "\n")
	if diff := cmp.Diff(copies, string(c.onto("/d"))); diff != "" {
		t.Errorf("copies (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/d/s", "/t"}, c.targets("/d")); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if c, ok := cutDockerfile([]byte(text), "B"); !ok || len(c.dests) != 1 || c.dests[0] != "/x" {
		t.Errorf("of the stage b: %q, %t", c.dests, ok)
	}
}

func TestCutDockerfileLeavesTheRestToABuild(t *testing.T) {
	f := func(dockerfile string) {
		t.Helper()
		if c, ok := cutDockerfile([]byte(dockerfile), ""); ok {
			t.Errorf("%q: cut %q", dockerfile, c.copies)
		}
	}
	f("FROM a")
	f("FROM a\nCOPY x /x\nRUN y")
	f("FROM a\nCOPY x /x\nWORKDIR /x")
	f("FROM a\nCOPY x /x\nADD y.tar /y")
	f("FROM a\nCOPY x /x\nNEW thing")
	f("FROM a\nCOPY x /x\nCOPY --from=b /y /y")
	f("FROM a\nCOPY --link x /x")
	f("FROM a\nCOPY --parents x /x")
	f("FROM a\nCOPY --chown=app x /x")
	f("FROM a\nCOPY --chmod=u+x x /x")
	f("FROM a\nARG D\nCOPY x $D")
	f("FROM a\nCOPY x \"/with space\"")
	f("FROM a\nCOPY <<E /x\ntext\nE")
	f("FROM a\nCOPY x")
	f("COPY")
	if _, ok := cutDockerfile([]byte("FROM a AS b\nCOPY x /x"), "none"); ok {
		t.Error("cut a stage that is not there")
	}
}

// FuzzCutDockerfile holds that cutting never panics and keeps every line where
// it was.
func FuzzCutDockerfile(f *testing.F) {
	f.Add("FROM a\nCOPY x /x\nCMD y", "")
	f.Add("# escape=`\nFROM a AS b\nCOPY [\"x\", \"y\"]\nFROM c\nCOPY `\n x y\r\n", "b")
	f.Fuzz(func(t *testing.T, text, target string) {
		c, ok := cutDockerfile([]byte(text), target)
		if !ok {
			return
		}
		if got, want := strings.Count(string(c.steps), "\n"), strings.Count(text, "\n"); got < want || got > want+1 {
			t.Errorf("%d lines of %d", got, want)
		}
		c.onto("/")
		c.targets("/")
	})
}

func TestCopiesRemakeDirectoriesInTheirTarget(t *testing.T) {
	for _, c := range []struct {
		dir     string
		targets []string
		want    bool
		code    container.Code
	}{
		{"/app", []string{"/app"}, false, ""},
		{"/app", []string{"/app/src"}, false, ""},
		{"/app/src", []string{"/app"}, true, ""},
		{"/app/src", []string{"/"}, true, ""},
		{"/app/src", []string{"/ap"}, false, ""},
		{"/app/src", []string{"/app", "/app/src"}, false, container.CodeUnsupported},
		{"/app/src", []string{"/app/src/x", "/app"}, false, container.CodeUnsupported},
		{"/app/src", []string{"/app", "/other"}, true, ""},
	} {
		got, err := remakes(c.targets, c.dir)
		if got != c.want || container.CodeOf(err) != c.code {
			t.Errorf("copies to %v, directory %s: %t, %v", c.targets, c.dir, got, err)
		}
	}
}

func TestCopiedTreesRefuseWhiteouts(t *testing.T) {
	var b strings.Builder
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "a/.wh.b"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := treeOf(strings.NewReader(b.String())); container.CodeOf(err) != container.CodeUnsupported {
		t.Errorf("got %v", err)
	}
}
