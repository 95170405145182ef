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

// TestEveryFormatGivesTheSameApp holds what all of them can say.
func TestEveryFormatGivesTheSameApp(t *testing.T) {
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
		"arm": {"main.json": `{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": { "name": { "type": "string", "defaultValue": "flask" }, "port": { "type": "int", "defaultValue": 8000 } },
  "variables": { "level": "debug" },
  "resources": [{
    "type": "Microsoft.App/containerApps", "apiVersion": "2024-03-01", "name": "[parameters('name')]",
    "properties": {
      "configuration": { "ingress": { "external": true, "targetPort": "[parameters('port')]" } },
      "template": {
        "containers": [{
          "name": "[parameters('name')]", "image": "[format('acme/{0}:1', parameters('name'))]", "args": "[split('gunicorn app:app', ' ')]",
          "env": [{ "name": "LOG_LEVEL", "value": "[variables('level')]" }],
          "resources": { "cpu": "[json('0.25')]", "memory": "0.5Gi" }
        }],
        "scale": { "minReplicas": 1, "maxReplicas": 3 }
      }
    }
  }]
}`},
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
	flags, problems := Load(t.Context(), "", Overrides{
		Name: "flask", Image: "acme/flask:1", TargetPort: ptr(8000), EnvVars: []string{"LOG_LEVEL=debug"}, CPU: ptr(0.25), Memory: "0.5Gi",
		MinReplicas: ptr(1), MaxReplicas: ptr(3), Args: []string{"gunicorn", "app:app"},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	apps["flags"] = flags.Apps[0]
	want := apps["yaml"]
	for _, format := range []string{"arm", "compose", "flags"} {
		got := apps[format]
		if diff := cmp.Diff(want.Effective(), got.Effective()); diff != "" {
			t.Errorf("app (-yaml +%s):\n%s", format, diff)
		}
	}
}
