package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// template2000 is an ARM template of about 2,000 lines: apps in one environment.
func template2000() (text string, apps int) {
	var b strings.Builder
	b.WriteString("{\n  \"contentVersion\": \"1.0.0.0\",\n  \"parameters\": { \"tag\": { \"type\": \"string\", \"defaultValue\": \"1\" } },\n" +
		"  \"variables\": { \"env\": \"cae\" },\n  \"resources\": [\n    { \"type\": \"Microsoft.App/managedEnvironments\", \"apiVersion\": \"2024-03-01\", \"name\": \"[variables('env')]\", \"properties\": {} }")
	for lines := 6; lines < 1990; lines += 26 {
		fmt.Fprintf(&b, `,
    {
      "type": "Microsoft.App/containerApps",
      "apiVersion": "2024-03-01",
      "name": "[format('app-{0}', %d)]",
      "properties": {
        "environmentId": "[resourceId('Microsoft.App/managedEnvironments', variables('env'))]",
        "configuration": {
          "ingress": {
            "external": true,
            "targetPort": "[add(8000, %d)]"
          }
        },
        "template": {
          "containers": [
            {
              "name": "web",
              "image": "[concat('acme/web:', parameters('tag'))]",
              "env": [
                { "name": "ENV", "value": "[variables('env')]" },
                { "name": "DOMAIN", "value": "[reference(resourceId('Microsoft.App/managedEnvironments', variables('env'))).defaultDomain]" }
              ]
            }
          ]
        }
      }
    }`, apps, apps)
		apps++
	}
	b.WriteString("\n  ]\n}\n")
	return b.String(), apps
}

// BenchmarkLoadTemplate parses, evaluates and validates a template of 2,000
// lines.
func BenchmarkLoadTemplate(b *testing.B) {
	text, apps := template2000()
	file := filepath.Join(b.TempDir(), "main.json")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		def, problems := Load(b.Context(), file, Overrides{})
		if problems.HasErrors() || len(def.Apps) != apps {
			b.Fatal(len(def.Apps), problems)
		}
	}
	b.ReportMetric(float64(strings.Count(text, "\n")), "lines")
}

// BenchmarkLoadYAML reads the file of one app.
func BenchmarkLoadYAML(b *testing.B) {
	file := filepath.Join(b.TempDir(), "containerapp.yaml")
	if err := os.WriteFile(file, []byte(flaskYAML), 0o644); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, problems := Load(b.Context(), file, Overrides{}); problems.HasErrors() {
			b.Fatal(problems)
		}
	}
}
