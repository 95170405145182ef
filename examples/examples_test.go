// Package examples holds apps to try acalocal with; its tests keep them
// loadable.
package examples

import (
	"path/filepath"
	"testing"

	"github.com/acalocal/acalocal/internal/config"
	"github.com/google/go-cmp/cmp"
)

// app is what a reader of an example relies on.
type app struct {
	Name, Ingress, BuiltFrom, Memory string
	Probes, TargetPort, HostPort     int
	CPU                              float64
}

func TestExamplesLoad(t *testing.T) {
	flask := app{
		Name: "python-flask", Ingress: "external", BuiltFrom: "python-flask/Dockerfile",
		Probes: 2, TargetPort: 8000, CPU: 0.5, Memory: "1Gi",
	}
	composed := flask
	composed.HostPort = 8000
	for path, want := range map[string][]app{
		"python-flask":                   {flask},
		"python-flask/containerapp.yaml": {flask},
		"compose":                        {composed},
		"arm/main.json": {
			{Name: "front", Ingress: "external", Probes: 2, TargetPort: 8000, CPU: 0.25, Memory: "0.5Gi"},
			{Name: "back", Ingress: "internal", Probes: 2, TargetPort: 8000, CPU: 0.25, Memory: "0.5Gi"},
		},
	} {
		t.Run(path, func(t *testing.T) {
			def, problems := config.Load(t.Context(), path, config.Overrides{Parameters: parametersOf(path)})
			for _, p := range problems {
				t.Error(p)
			}
			var got []app
			for _, a := range def.Apps {
				got = append(got, summary(t, a))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("apps (-want +got):\n%s", diff)
			}
		})
	}
}

// parametersOf are those of a template; other definitions take none.
func parametersOf(path string) []string {
	if filepath.Ext(path) != ".json" {
		return nil
	}
	return []string{filepath.Join(filepath.Dir(path), "dev.json")}
}

func summary(t *testing.T, a config.App) app {
	t.Helper()
	c := a.Properties.Template.Containers[0]
	got := app{
		Name: a.Name, HostPort: a.Local.HostPort,
		Probes: len(c.Probes), CPU: c.Resources.CPU, Memory: string(c.Resources.Memory),
	}
	if in := a.Properties.Configuration.Ingress; in != nil {
		got.Ingress, got.TargetPort = "internal", in.TargetPort
		if in.External {
			got.Ingress = "external"
		}
	}
	for _, b := range a.Builds {
		here, err := filepath.Abs(".")
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(here, b.Dockerfile)
		if err != nil {
			t.Fatal(err)
		}
		got.BuiltFrom += filepath.ToSlash(rel)
	}
	return got
}
