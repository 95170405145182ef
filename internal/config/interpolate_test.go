package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInterpolate(t *testing.T) {
	lookup := func(name string) (string, bool) {
		value, ok := map[string]string{"A": "1", "EMPTY": ""}[name]
		return value, ok
	}
	tests := []struct{ in, want, err string }{
		{"$A-${A}", "1-1", ""},
		{"$$A", "$A", ""},
		{"${B:-x} ${EMPTY:-y} ${EMPTY-z}", "x y ", ""},
		{"${A:+on}${B:+off}", "on", ""},
		{"cost $5", "cost $5", ""},
		{"${B}", "", ""},
		{"${B:?need B}", "", "the variable B is not set: need B"},
		{"${A", "", "${A is not closed"},
		{"${}", "", "${} names no variable"},
		{"${A/x/y}", "", "${A/x/y} is not understood"},
	}
	for _, test := range tests {
		got, err := interpolateText(test.in, lookup)
		text := ""
		if err != nil {
			got, text = "", err.Error()
		}
		if got != test.want || text != test.err {
			t.Errorf("%q = %q, %q, want %q, %q", test.in, got, text, test.want, test.err)
		}
	}
}

func TestShellWords(t *testing.T) {
	for in, want := range map[string][]string{
		`a  b`:            {"a", "b"},
		`a "b c" 'd "e"'`: {"a", "b c", `d "e"`},
		`a\ b ""`:         {"a b", ""},
		``:                nil,
	} {
		got, err := shellWords(in)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", in, err, diff)
		}
	}
}

func FuzzInterpolate(f *testing.F) {
	f.Add("${A:-b}$$$C${")
	f.Fuzz(func(t *testing.T, s string) {
		none := func(string) (string, bool) { return "", false }
		if got, err := interpolateText(s, none); err == nil && len(got) > len(s) {
			t.Errorf("%q grew to %q", s, got)
		}
		shellWords(s)
	})
}

// TestComposeGivesTheSameAppAsYAML holds what both can say.
func TestComposeGivesTheSameAppAsYAML(t *testing.T) {
	files := map[string]map[string]string{
		"yaml": {"containerapp.yaml": `name: flask
properties:
  configuration: { ingress: { external: true, targetPort: 8000 } }
  template:
    containers:
      - name: flask
        image: acme/flask:1
        args: [gunicorn, "app:app"]
        env: [{ name: LOG_LEVEL, value: debug }]
        resources: { cpu: 0.25, memory: 0.5Gi }
    scale: { minReplicas: 1, maxReplicas: 3 }
`},
		"compose": {"compose.yaml": `services:
  flask:
    image: acme/flask:1
    command: gunicorn app:app
    environment: { LOG_LEVEL: debug }
    ports: ["8000:8000"]
    deploy: { replicas: 3, resources: { reservations: { cpus: 0.25, memory: 512M } } }
`},
	}
	apps := map[string]App{}
	for name, files := range files {
		def, problems := Load(t.Context(), writeFiles(t, files), Overrides{})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		apps[name] = def.Apps[0]
	}
	if diff := cmp.Diff(apps["yaml"].ContainerApp, apps["compose"].ContainerApp); diff != "" {
		t.Errorf("app (-yaml +compose):\n%s", diff)
	}
}
