package docker

import (
	"archive/tar"
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

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

// FuzzCutDockerfile compares what a Dockerfile's two halves say with what it
// said in one, and holds that every line stays where it was.
func FuzzCutDockerfile(f *testing.F) {
	f.Add("FROM a\nWORKDIR /d\nCOPY r .\nRUN i\nCOPY s ./s\nCMD [\"x\"]\n", "")
	f.Add("# escape=`\nFROM a AS b\nCOPY s `\n  # why\n  ./s\n\nENV A=1", "")
	f.Add("# syntax=docker/dockerfile:1\r\nFROM a\r\nCOPY [\"s\", \"/d\"]\r\n", "")
	f.Add("FROM a\nCOPY <<E /x\nCOPY y /z\nE\nCOPY a b c/\n", "")
	f.Add("FROM a\n#COPY x y\nCOPY --chown=1:2 --chmod=644 t /t/ \\\n\n", "")
	f.Add("FROM a AS b\nCOPY x /x\nFROM c\nCOPY y /y\n", "b")
	said := func(t *testing.T, text []byte) (all []string) {
		t.Helper()
		file, err := parser.Parse(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		for _, in := range file.AST.Children {
			all = append(all, in.Dump())
		}
		return all
	}
	f.Fuzz(func(t *testing.T, text, target string) {
		c, ok := cutDockerfile([]byte(text), target)
		if !ok {
			return
		}
		if got, want := strings.Count(string(c.steps), "\n"), strings.Count(text, "\n"); got < want || got > want+1 {
			t.Errorf("%d lines of %d", got, want)
		}
		whole, steps := said(t, []byte(text)), said(t, c.steps)
		copies := said(t, c.onto("/d"))[2:] // after FROM and WORKDIR
		if len(copies) != len(c.dests) || len(copies) != len(c.copies) {
			t.Fatalf("%q: %d copies, %d destinations, %d texts", text, len(copies), len(c.dests), len(c.copies))
		}
		for _, in := range whole {
			switch {
			case len(copies) > 0 && in == copies[0] && !slices.Contains(steps, in):
				copies = copies[1:]
			case len(steps) > 0 && in == steps[0]:
				steps = steps[1:]
			case len(copies) > 0 && in == copies[0]:
				copies = copies[1:]
			default:
				t.Fatalf("%q: the halves lack %s", text, in)
			}
		}
		if len(steps)+len(copies) > 0 {
			t.Fatalf("%q: the halves also say %q %q", text, steps, copies)
		}
	})
}
