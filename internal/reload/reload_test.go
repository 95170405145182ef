package reload

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/acalocal/acalocal/internal/config/dockerfile"
	"github.com/google/go-cmp/cmp"
)

const flask = "FROM python\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY src ./src\nCMD [\"x\"]\n"

func decide(text, target string, changed ...string) string {
	f, err := dockerfile.Parse(strings.NewReader(text))
	if err != nil {
		return err.Error()
	}
	d := Decide(f, target, changed, func(name string) bool { return !strings.HasPrefix(name, "gone") })
	if !d.Sync() {
		return d.Why
	}
	var out []string
	for _, c := range d.Copies {
		out = append(out, c.String())
	}
	return strings.Join(out, "; ")
}

func TestDecide(t *testing.T) {
	f := func(text, changed, want string) {
		t.Helper()
		if got := decide(text, "", strings.Fields(changed)...); got != want {
			t.Errorf("%s of\n%s\ngot  %s\nwant %s", changed, text, got, want)
		}
	}
	f(flask, "src/app.py", `COPY ["src/app.py", "/app/src/app.py"]`)
	f(flask, "src/a.py src/b/c.html", `COPY ["src/a.py", "/app/src/a.py"]; COPY ["src/b/c.html", "/app/src/b/c.html"]`)
	f(flask, "requirements.txt", "the RUN in line 4 of the Dockerfile comes after requirements.txt is copied")
	f(flask, "README.md", "README.md is not copied by the stage that is built")
	f(flask, "", "too many files changed to name them")
	f("FROM a\nWORKDIR /app\nCOPY . .", "gone.py", "gone.py was removed")
	f("FROM a\nWORKDIR /app\nCOPY . .", "x/y.py", `COPY ["x/y.py", "/app/x/y.py"]`)
	f("FROM a\nWORKDIR /app\nWORKDIR sub\nCOPY ./x/ ./to/", "x/y.py", `COPY ["x/y.py", "/app/sub/to/y.py"]`)
	f("FROM a\nCOPY app.py /srv/", "app.py", `COPY ["app.py", "/srv/app.py"]`)
	f("FROM a\nCOPY app.py /srv/main.py", "app.py", `COPY ["app.py", "/srv/main.py"]`)
	f("FROM a\nCOPY a.py b.py /srv", "b.py", `COPY ["b.py", "/srv/b.py"]`)
	f("FROM a\nCOPY --chown=app:app --chmod=755 . /srv", "a b.py", `COPY --chown=app:app --chmod=755 ["a", "/srv/a"]; COPY --chown=app:app --chmod=755 ["b.py", "/srv/b.py"]`)
	f("FROM a\nCOPY . /one\nCOPY src /two", "src/a", `COPY ["src/a", "/one/src/a"]; COPY ["src/a", "/two/a"]`)
	f("FROM a\nCOPY [\"with space\", \"/x\"]", "y", "y is not copied by the stage that is built")
	f("FROM a\nCOPY . .", "a.py", "line 2 of the Dockerfile: only the base image knows the directory it copies to")
	f("FROM a\nCOPY *.py /x/", "a.py", "line 2 of the Dockerfile: variables, wildcards and here-documents are not followed")
	f("FROM a\nCOPY $SRC /x/", "a.py", "line 2 of the Dockerfile: variables, wildcards and here-documents are not followed")
	f("FROM a\nCOPY --parents a /x/", "a/b", "line 2 of the Dockerfile: the flag --parents is not understood")
	f("FROM a\nADD site.tar /x/", "site.tar", "line 2 of the Dockerfile: ADD may unpack it")
	f("FROM a AS build\nCOPY . /src\nRUN make\nFROM b\nCOPY --from=build /src/x /x", "main.go", "main.go is not copied by the stage that is built")
	f("FROM a AS base\nCOPY . /src\nRUN make\nFROM base\nCOPY . /x", "main.go", "the image is built on another stage of the Dockerfile")
	f("FROM a\nCOPY . /x\nRUN --mount=type=cache,target=/c make", "a", "the RUN in line 3 of the Dockerfile comes after a is copied")

	if got, want := decide("FROM a AS one\nCOPY . /x\nFROM b AS two\nCOPY . /y", "one", "f"), `COPY ["f", "/x/f"]`; got != want {
		t.Errorf("target: got %s, want %s", got, want)
	}
	if got, want := decide("FROM a", "none", "f"), `the stage "none" is not in the Dockerfile`; got != want {
		t.Errorf("target: got %s, want %s", got, want)
	}
}

func TestReads(t *testing.T) {
	f := func(text, file string, want bool) {
		t.Helper()
		df, err := dockerfile.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := Reads(df, file); got != want {
			t.Errorf("%s of\n%s\ngot %t, want %t", file, text, got, want)
		}
	}
	f(flask, "src/app.py", true)
	f(flask, "requirements.txt", true)
	f(flask, "README.md", false)
	f(flask, "srcs/app.py", false)
	f("FROM a AS build\nCOPY go /go\nFROM b\nCOPY --from=build /x /x", "go/main.go", true)
	f("FROM a AS build\nCOPY go /go\nFROM b\nCOPY --from=build /x /x", "x", false)
	f("FROM a\nCOPY src/app ./app", "src", true) // gone, with all in it
	f("FROM a\nCOPY src/app ./app", "src/ap", false)
	f("FROM a\nCOPY . .", "up.log", true)
	f("FROM a\nCOPY *.py /x/", "README.md", true)
	f("FROM a\nCOPY --parents a /x/", "README.md", true)
	f("FROM a\nCOPY a /a\nRUN --mount=type=bind,target=/s make", "README.md", true)
	f("FROM a\nCOPY a /a\nRUN --mount=target=/s make", "README.md", true)
	f("FROM a\nCOPY a /a\nRUN --mount=type=cache,target=/c make", "README.md", false)
	f("FROM python:3-onbuild", "app.py", true)
}

func FuzzDecide(f *testing.F) {
	f.Add(flask, "src/app.py")
	f.Add("FROM a\nCOPY --chown=x [\"a b\",\"/c\"]", "a b")
	f.Fuzz(func(t *testing.T, text, changed string) {
		file, err := dockerfile.Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		d := Decide(file, "", []string{changed}, func(string) bool { return true })
		for _, c := range d.Copies {
			if !strings.HasPrefix(c.To, "/") || c.From != changed {
				t.Errorf("copies %s", c)
			}
		}
	})
}

func TestLayer(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "a [1].py"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l := Layer{Base: "web:1-abc", Context: dir, Copies: []Copy{{Flags: []string{"--chmod=755"}, From: "a [1].py", To: "/app/a [1].py"}}}
	name := func() string {
		n, err := l.Name()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	write("1")
	one := name()
	write("2")
	two := name()
	write("1")
	if one == two || one != name() || !strings.HasPrefix(one, "web:1-abc-") {
		t.Errorf("names: %s, %s, %s", one, two, name())
	}
	file, err := l.Write(to)
	if err != nil {
		t.Fatal(err)
	}
	for suffix, want := range map[string]string{
		"":              "FROM web:1-abc\nCOPY --chmod=755 [\"a [1].py\", \"/app/a [1].py\"]\n",
		".dockerignore": "*\n!a \\[1].py\n",
	} {
		got, err := os.ReadFile(file + suffix)
		if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", suffix, err, diff)
		}
	}
	l.Copies[0].From = "none"
	if _, err := l.Name(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that the file is missing", err)
	}
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		changes := make(chan Change)
		var log []string
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			Run(t.Context(), changes, func(ctx context.Context, c Change) error {
				log = append(log, "begin "+strings.Join(c.Paths, " "))
				select {
				case <-ctx.Done():
					log = append(log, "cancelled")
					return ctx.Err()
				case <-time.After(time.Second):
				}
				if c.Definition {
					log = append(log, "failed")
					return errors.New("broken")
				}
				log = append(log, "done")
				return nil
			})
		}()
		save := func(wait time.Duration, c Change) {
			changes <- c
			time.Sleep(wait)
		}
		save(2*time.Second, Change{Paths: []string{"a"}})
		save(time.Second/2, Change{Paths: []string{"b"}})
		save(2*time.Second, Change{Paths: []string{"c"}}) // b is not lost
		save(2*time.Second, Change{Paths: []string{"d"}, Definition: true})
		save(time.Second/2, Change{Paths: []string{"e"}}) // with d, which failed
		close(changes)
		<-ended
		want := []string{"begin a", "done", "begin b", "cancelled", "begin b c", "done", "begin d", "failed", "begin d e", "cancelled"}
		if diff := cmp.Diff(want, log); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
