package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const parameterTemplate = `{
  "parameters": { "name": { "type": "string" }, "port": { "type": "int", "defaultValue": 80 }, "secret": { "type": "securestring" } },
  "resources": [
    { "type": "Microsoft.App/containerApps", "apiVersion": "x", "name": "[parameters('name')]",
      "properties": { "configuration": { "secrets": [{ "name": "s", "value": "[parameters('secret')]" }], "ingress": { "targetPort": "[parameters('port')]" } },
        "template": { "containers": [{ "name": "c", "image": "i:1" }] } } }
  ]
}`

func TestTemplateParameters(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"main.json": parameterTemplate,
		"dev.json":  `{"parameters": {"name": {"value": "from-file"}, "secret": {"value": "x"}}}`,
		"kv.json":   `{"parameters": {"name": {"value": "from-kv"}, "secret": {"reference": {"keyVault": {"id": "/x"}, "secretName": "s"}}}}`,
	})
	tests := []struct {
		name   string
		params []string
		app    string
		port   int
		secret string
	}{
		{"file", []string{filepath.Join(dir, "dev.json")}, "from-file", 80, "x"},
		{"file as az writes it, and a value", []string{"@" + filepath.Join(dir, "dev.json"), "port=8080", "name=given"}, "given", 8080, "x"},
		{"key vault", []string{filepath.Join(dir, "kv.json")}, "from-kv", 80, "(known to Azure only: a key vault secret for secret)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			def, problems := Load(t.Context(), filepath.Join(dir, "main.json"), Overrides{Parameters: test.params})
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			app := def.Apps[0]
			secret, _ := app.SecretValue("s")
			got := []any{app.Name, app.Properties.Configuration.Ingress.TargetPort, secret.Reveal()}
			if diff := cmp.Diff([]any{test.app, test.port, test.secret}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// compiler makes a program of that name the only one in the path; it answers
// every call with the text, or fails with it.
func compiler(t *testing.T, name, text string, fails bool) {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\n/bin/cat <<'EOF'\n" + text + "\nEOF\n"
	if fails {
		script = "#!/bin/sh\necho '" + text + "' >&2\nexit 1\n"
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

func TestBicepIsCompiledByWhoeverIsInstalled(t *testing.T) {
	if os.PathSeparator != '/' {
		t.Skip("the stand-in for the compiler is a shell script")
	}
	dir := writeFiles(t, map[string]string{"main.bicep": "param name string"})
	const missing = "neither bicep nor az is installed to compile this"
	t.Run("none", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if _, problems := Load(t.Context(), dir, Overrides{}); len(problems) != 1 || problems[0].Message != missing {
			t.Errorf("problems = %s", problems)
		}
	})
	for _, name := range []string{"bicep", "az"} {
		t.Run(name, func(t *testing.T) {
			compiler(t, name, parameterTemplate, false)
			def, problems := Load(t.Context(), dir, Overrides{Parameters: []string{"name=web", "secret=s"}})
			if problems.HasErrors() || len(def.Apps) != 1 || def.Apps[0].Name != "web" {
				t.Errorf("apps = %+v, problems = %s", def.Apps, problems)
			}
		})
	}
	t.Run("refuses", func(t *testing.T) {
		compiler(t, "bicep", "main.bicep(1,1) : Error BCP007", true)
		_, problems := Load(t.Context(), dir, Overrides{})
		if want := "bicep cannot compile this: main.bicep(1,1) : Error BCP007"; len(problems) != 1 || problems[0].Message != want {
			t.Errorf("problems = %s", problems)
		}
	})
}

func TestBicepParameters(t *testing.T) {
	if os.PathSeparator != '/' {
		t.Skip("the stand-in for the compiler is a shell script")
	}
	dir := writeFiles(t, map[string]string{"main.json": parameterTemplate, "dev.bicepparam": "using 'main.bicep'"})
	params := Overrides{Parameters: []string{filepath.Join(dir, "dev.bicepparam")}}
	compiler(t, "bicep", `{"parametersJson": "{ \"parameters\": { \"name\": { \"value\": \"web\" }, \"secret\": { \"value\": \"s\" } } }", "templateJson": "{}"}`, false)
	def, problems := Load(t.Context(), filepath.Join(dir, "main.json"), params)
	if problems.HasErrors() || len(def.Apps) != 1 || def.Apps[0].Name != "web" {
		t.Errorf("apps = %+v, problems = %s", def.Apps, problems)
	}
	t.Setenv("PATH", t.TempDir())
	_, problems = Load(t.Context(), filepath.Join(dir, "main.json"), params)
	if !strings.HasPrefix(problems.String(), filepath.Join(dir, "dev.bicepparam")+": neither bicep nor az is installed to compile this\nhint: install Bicep") {
		t.Errorf("problems = %s", problems)
	}
}
