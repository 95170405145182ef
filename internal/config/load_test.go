package config

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write what Load returns into the golden files")

// A golden file holds the files of one directory and what Load makes of them:
//
//	comment: what the case shows; "# load: FILE" names the file to load
//	-- containerapp.yaml --
//	…
//	-- want --
//	problems, then the definition as it takes effect
type golden struct {
	comment string
	files   []goldenFile
}

type goldenFile struct{ name, text string }

func parseGolden(text string) golden {
	var g golden
	for _, line := range strings.SplitAfter(text, "\n") {
		if name, ok := strings.CutPrefix(strings.TrimSuffix(line, " --\n"), "-- "); ok {
			g.files = append(g.files, goldenFile{name: name})
		} else if n := len(g.files); n == 0 {
			g.comment += line
		} else {
			g.files[n-1].text += line
		}
	}
	return g
}

func (g golden) String() string {
	var b strings.Builder
	b.WriteString(g.comment)
	for _, f := range g.files {
		b.WriteString("-- " + f.name + " --\n" + f.text)
	}
	return b.String()
}

// option finds "# name: value" in the comment.
func (g golden) option(name string) string {
	for _, line := range strings.Split(g.comment, "\n") {
		if value, ok := strings.CutPrefix(line, "# "+name+": "); ok {
			return value
		}
	}
	return ""
}

func TestLoadGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			g := parseGolden(string(text))
			want, got := "", loadGolden(t, g)
			if n := len(g.files) - 1; n >= 0 && g.files[n].name == "want" {
				want = g.files[n].text
				g.files = g.files[:n]
			}
			if *update {
				g.files = append(g.files, goldenFile{"want", got})
				if err := os.WriteFile(file, []byte(g.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// loadGolden writes the files into a directory called "shop", loads them, and
// prints problems and definition with names relative to it.
func loadGolden(t *testing.T, g golden) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range g.files {
		if f.name == "want" {
			continue
		}
		path := filepath.Join(dir, f.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	def, problems := Load(t.Context(), filepath.Join(dir, g.option("load")), Overrides{})
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.String() + "\n")
	}
	if !problems.HasErrors() {
		b.WriteString("---\n")
		if err := def.Render(&b, dir); err != nil {
			t.Fatal(err)
		}
		mustBeJSON(t, b.String(), def, dir)
		mustReadBack(t, def)
	}
	out := strings.ReplaceAll(b.String(), dir+string(filepath.Separator), "")
	out = strings.ReplaceAll(out, dir, ".")
	for _, secret := range []string{"hunter2", "s3cr3t"} {
		if strings.Contains(strings.ReplaceAll(out, "SHOWN-s3cr3t", ""), secret) {
			t.Errorf("the output shows the secret %q", secret)
		}
	}
	return out
}

// mustReadBack holds that the definition as it takes effect is a definition,
// and means the same.
func mustReadBack(t *testing.T, def *Definition) {
	t.Helper()
	var text strings.Builder
	for _, r := range def.resources() {
		doc, err := document(r.value, r.origin, ".")
		if err != nil {
			t.Fatal(err)
		}
		one, err := yaml.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n" + string(one))
	}
	again, problems := readText(t, text.String())
	if problems.HasErrors() {
		t.Errorf("what is shown cannot be read back: %s", problems)
		return
	}
	shown := func(d *Definition) any {
		docs := d.Documents(".")
		return plain(docs[:len(docs)-1]) // the last is of this machine
	}
	if diff := cmp.Diff(shown(def), shown(again)); diff != "" {
		t.Errorf("read back (-once +again):\n%s", diff)
	}
}

// mustBeJSON holds that Documents say what Render writes.
func mustBeJSON(t *testing.T, out string, def *Definition, base string) {
	t.Helper()
	_, out, _ = strings.Cut("\n"+out, "\n---\n") // behind the problems
	var rendered []any
	for dec := yaml.NewDecoder(strings.NewReader(out)); ; {
		var doc any
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		rendered = append(rendered, doc)
	}
	if diff := cmp.Diff(plain(rendered), plain(def.Documents(base))); diff != "" {
		t.Errorf("as JSON (-YAML +JSON):\n%s", diff)
	}
}
