package scenario

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
)

var update = flag.Bool("update", false, "write what is now into testdata and docs/scenarios.md")

// file is one scenario.
type file struct {
	id, path      string
	title, source string
	on            string // virtual, docker or ""
	differs, why  string
	build         string // directory to build the image scenario/app:local from
	broken        string // why that image cannot be started, instead of a build
	flags         string // of "up"
	fails         string // what is wrong here, "" if nothing is
	archive       *txtar.Archive
}

// load reads every scenario, sorted by id.
func load(t testing.TB) []*file {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var out []*file
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f := &file{id: strings.TrimSuffix(filepath.Base(path), ".txtar"), path: path, archive: a}
		f.readHead(t)
		out = append(out, f)
	}
	return out
}

func (f *file) readHead(t testing.TB) {
	t.Helper()
	fields := map[string]*string{"title": &f.title, "source": &f.source, "on": &f.on, "differs": &f.differs, "why": &f.why, "build": &f.build, "broken": &f.broken, "fails": &f.fails, "flags": &f.flags}
	for line := range strings.Lines(string(f.archive.Comment)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || fields[key] == nil {
			t.Fatalf("%s: head line %q", f.path, line)
		}
		*fields[key] = value
	}
	switch {
	case f.title == "" || f.source == "":
		t.Fatalf("%s: no title or no source", f.path)
	case f.on != "virtual" && f.on != "docker" && (f.on != "" || f.why == ""):
		t.Fatalf("%s: runs nowhere and does not say why", f.path)
	}
}

func (f *file) section(name string) string {
	for _, s := range f.archive.Files {
		if s.Name == name {
			return string(s.Data)
		}
	}
	return ""
}

// app reads a definition of the file, as "up" would.
func (f *file) app(t testing.TB, name string) aca.ContainerApp {
	t.Helper()
	def, problems := f.definition(t, name)
	if err := problems.Err(); err != nil {
		t.Fatalf("%s: %s: %v", f.id, name, err)
	}
	return def.Apps[0].ContainerApp
}

// definition reads a definition of the file, and what is wrong with it.
func (f *file) definition(t testing.TB, name string) (*config.Definition, config.Problems) {
	t.Helper()
	dir, err := os.MkdirTemp("", "acalocal-scenario")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "containerapp.yaml")
	if err := os.WriteFile(path, []byte(f.section(name)), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(t.Context(), path, config.Overrides{})
}

// TestVirtual runs the scenarios that need no kernel.
func TestVirtual(t *testing.T) {
	for _, f := range load(t) {
		if f.on != "virtual" {
			continue
		}
		t.Run(f.id, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newVirtual(t, f)
				defer w.stop()
				f.check(t, w.play(t, f))
			})
		})
	}
}

// check compares what a script printed with what it should, or writes it down.
func (f *file) check(t *testing.T, got string) {
	t.Helper()
	if *update {
		f.archive.Files = slices.DeleteFunc(f.archive.Files, func(s txtar.File) bool { return s.Name == "want" })
		f.archive.Files = append(f.archive.Files, txtar.File{Name: "want", Data: []byte(got)})
		if err := os.WriteFile(f.path, txtar.Format(f.archive), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(f.section("want"), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPage holds docs/scenarios.md to the scenarios: it lists each with where it
// runs, what is different, and what is wrong.
func TestPage(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "scenarios.md")
	want := page(load(t))
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("run \"go test ./internal/scenario -update\" (-want +got):\n%s", diff)
	}
}

func page(files []*file) string {
	var b strings.Builder
	b.WriteString(`# Scenarios

Published cases of Azure Container Apps that acalocal re-enacts. Generated from
internal/scenario/testdata by "go test ./internal/scenario -update"; do not edit.

Where: *virtual* is a machine in memory in virtual time, part of every
"go test ./..."; *docker* is a real Docker Engine ("make docker-test"). Each is held to what
it does today by a test: *pass* means that this is what was published, save for the remark,
*fail* that it is not.

| id | scenario | where | result | remarks |
|---|---|---|---|---|
`)
	ran, failed := map[string]int{}, 0
	for _, f := range files {
		result, remark := "pass", f.differs
		switch {
		case f.on == "":
			result, remark = "not reproduced", f.why
		case f.fails != "":
			result, remark = "fail", f.fails
			failed++
		}
		ran[f.on]++
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.id, f.title, f.on, result, remark)
	}
	fmt.Fprintf(&b, "\n%d scenarios: %d in virtual time, %d on Docker, %d not reproduced; of those that run, %d fail.\n\n## Sources\n\n",
		len(files), ran["virtual"], ran["docker"], ran[""], failed)
	for _, f := range files {
		fmt.Fprintf(&b, "- %s: %s\n", f.id, f.source)
	}
	return b.String()
}
