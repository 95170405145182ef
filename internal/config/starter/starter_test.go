package starter

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/config/check"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

const container = `[{"Name":"/my_shop","Config":{"Image":"acme/shop:3","Env":["PATH=/bin","LOG=a \"b\" $(c)\n#","DB_PASSWORD=hunter2","DB-PASSWORD=x"],
	"Cmd":["serve","--port","8080"],"Entrypoint":["/shop"],"ExposedPorts":{"9000/tcp":{},"53/udp":{}}},
	"HostConfig":{"Memory":629145600,"NanoCpus":500000000,"PortBindings":{"8080/tcp":[{"HostPort":"80"}]}}}]`

const image = `[{"Config":{"Env":["PATH=/bin"],"Cmd":["serve"],"Entrypoint":["/shop"]}}]`

func TestStarters(t *testing.T) {
	dockerfile := func(text string) func() (App, error) {
		return func() (App, error) { return FromDockerfile("/home/me/My Shop", []byte(text)) }
	}
	tests := []struct {
		name string
		app  func() (App, error)
	}{
		{"dockerfile", dockerfile("FROM python:3.11-slim\nEXPOSE 8000\nHEALTHCHECK CMD curl -f http://localhost:8000/healthz || exit 1\nCMD exec gunicorn --bind 0.0.0.0:$PORT app:app\n")},
		{"bare", dockerfile("FROM scratch\n")},
		{"container", func() (App, error) { return FromInspect([]byte(container), []byte(image)) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			app, err := test.app()
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", test.name+".yaml")
			if *update {
				if err := os.WriteFile(golden, app.YAML(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(app.YAML())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.Contains(string(app.YAML()), "hunter2") {
				t.Error("the value of a secret is written")
			}
			mustBeClean(t, app)
		})
	}
}

// mustBeClean holds what YAML promises, comments taken for keys included: the
// file is read, and so is the one with its commented keys in effect.
func mustBeClean(t *testing.T, app App) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "containerapp.yaml")
	if err := os.WriteFile(file, app.YAML(), 0o644); err != nil {
		t.Fatal(err)
	}
	def, problems := config.Load(t.Context(), file, config.Overrides{})
	for _, f := range check.Run(def, problems, nil) {
		t.Errorf("%s: %s", f.Rule, f.Problem)
	}
	if got := def.Apps[0].Properties.Template.Containers[0].Env; len(got) != len(app.Env)+len(app.Secrets) || len(app.Env) > 0 && got[0].Value != app.Env[0].Value {
		t.Errorf("env = %+v, want %+v and %v", got, app.Env, app.Secrets)
	}
}

func TestInspectOfNothing(t *testing.T) {
	for _, text := range []string{"", "[]", "{}", "[1,2]"} {
		if _, err := FromInspect([]byte(text), nil); err == nil {
			t.Errorf("%q is taken for a container", text)
		}
	}
}

// FuzzYAML holds that any text of a container ends up in a file that is read
// back as that text.
func FuzzYAML(f *testing.F) {
	f.Add("A", "b", "acme/x:1")
	f.Add("X", "a: b # c\n\t'\"{{[*&!|>%@`", "i")
	f.Fuzz(func(t *testing.T, name, value, word string) {
		app := App{Name: "web", Image: "acme/web:1", From: "a test", Args: []string{word}}
		app.variables([]string{"N=" + value}, nil)
		file := filepath.Join(t.TempDir(), "containerapp.yaml")
		if err := os.WriteFile(file, app.YAML(), 0o644); err != nil {
			t.Fatal(err)
		}
		def, problems := config.Load(t.Context(), file, config.Overrides{})
		if problems.HasErrors() {
			t.Fatalf("%s\n%s", problems, app.YAML())
		}
		c := def.Apps[0].Properties.Template.Containers[0]
		if !utf8.ValidString(value) || len(c.Env) != 1 {
			return
		}
		none := func(string) (string, bool) { return "", false }
		if got := aca.Expand(c.Env[0].Value, none); got != value {
			t.Errorf("value %q came back as %q", value, got)
		}
	})
}
