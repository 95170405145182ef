package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/google/go-cmp/cmp"
)

func ptr[T any](v T) *T { return &v }

// writeFiles makes a directory with the files in it.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const flaskYAML = `name: flask
properties:
  configuration:
    secrets: [{ name: key, value: k }]
    ingress: { external: true, targetPort: 8000, transport: http }
  template:
    revisionSuffix: v2
    containers:
      - name: flask
        image: acme/flask:1
        command: [gunicorn]
        args: ["--bind", "0.0.0.0:8000", "app:app"]
        env:
          - { name: LOG_LEVEL, value: debug }
          - { name: KEY, secretRef: key }
        resources: { cpu: 0.25, memory: 0.5Gi }
    scale: { minReplicas: 1, maxReplicas: 3 }
`

func flaskFlags() Overrides {
	return Overrides{
		Name: "flask", Image: "acme/flask:1", Ingress: "external", TargetPort: ptr(8000), Transport: "http", Suffix: "v2",
		EnvVars: []string{"LOG_LEVEL=debug", "KEY=secretref:key"}, Secrets: []string{"key=k"}, CPU: ptr(0.25), Memory: "0.5Gi",
		MinReplicas: ptr(1), MaxReplicas: ptr(3), Command: []string{"gunicorn"}, Args: []string{"--bind", "0.0.0.0:8000", "app:app"},
	}
}

func TestFlagsAloneGiveTheSameAppAsTheFile(t *testing.T) {
	dir := writeFiles(t, map[string]string{"containerapp.yaml": flaskYAML})
	fromFile, problems := Load(t.Context(), dir, Overrides{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	fromFlags, problems := Load(t.Context(), "", flaskFlags())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if diff := cmp.Diff(fromFile.Apps[0].ContainerApp, fromFlags.Apps[0].ContainerApp); diff != "" {
		t.Errorf("app (-file +flags):\n%s", diff)
	}
}

func TestFlagsWinOverTheFile(t *testing.T) {
	dir := writeFiles(t, map[string]string{"containerapp.yaml": flaskYAML, "Dockerfile": "FROM scratch\n"})
	def, problems := Load(t.Context(), dir, Overrides{Image: "acme/flask:2", Ingress: "internal", EnvVars: []string{"KEY=plain", "NEW=1"}, HostPort: 9000})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	app := def.Apps[0]
	if len(app.Builds) > 0 {
		t.Errorf("an image that is named is built: %v", app.Builds)
	}
	c := app.Properties.Template.Containers[0]
	want := []aca.EnvVar{{Name: "LOG_LEVEL", Value: "debug"}, {Name: "KEY", Value: "plain"}, {Name: "NEW", Value: "1"}}
	if diff := cmp.Diff(want, c.Env); diff != "" {
		t.Errorf("env (-want +got):\n%s", diff)
	}
	if c.Image != "acme/flask:2" || app.Properties.Configuration.Ingress.External || app.Local.HostPort != 9000 {
		t.Errorf("image %s, ingress %+v, host port %d", c.Image, app.Properties.Configuration.Ingress, app.Local.HostPort)
	}
	for path, kind := range map[string]OriginKind{
		"properties.template.containers[0].image":           OriginFlag,
		"properties.template.containers[0].env[1].value":    OriginFlag,
		"properties.template.containers[0].env[0].value":    OriginFile,
		"properties.configuration.ingress.external":         OriginFlag,
		"properties.configuration.ingress.targetPort":       OriginFile,
		"properties.configuration.activeRevisionsMode":      OriginDefault,
		"properties.template.containers[0].resources.cpu":   OriginFile,
		"properties.template.terminationGracePeriodSeconds": OriginDefault,
	} {
		if got := app.Origin(path).Kind; got != kind {
			t.Errorf("origin of %s = %s, want %s", path, got, kind)
		}
	}
}

func TestBadFlagsAreExplained(t *testing.T) {
	two := "name: aa\nproperties: {template: {containers: [{name: a, image: a}]}}\n---\nname: bb\nproperties: {template: {containers: [{name: b, image: b}]}}\n"
	tests := []struct {
		name, file string
		o          Overrides
		want       string
	}{
		{"which app", two, Overrides{Image: "x"}, "there are 2 apps; flags need to know which one they are about\nhint: add --name <app>"},
		{"unknown app", two, Overrides{Name: "c", Image: "x"}, "no app is called \"c\"\nhint: known are aa, bb"},
		{"ingress", flaskYAML, Overrides{Ingress: "public"}, "--ingress public: it is external, internal or disabled"},
		{"transport", flaskYAML, Overrides{Transport: "grpc"}, "--transport: \"grpc\" is not a value of transport\nhint: use one of Auto, Http, Http2, Tcp"},
		{"port", flaskYAML, Overrides{TargetPort: ptr(80800)}, "80800 is not a port\nhint: ports are 1 to 65535; did you mean 8080?"},
		{"variable", flaskYAML, Overrides{EnvVars: []string{"LOG"}}, "--env-vars LOG: each is NAME=value or NAME=secretref:<secret>"},
		{"secret text stays out", flaskYAML, Overrides{Secrets: []string{"hunter2"}}, "--secrets: each is name=value"},
		{"secret reference", flaskYAML, Overrides{EnvVars: []string{"A=secretref:kee"}}, "SecretRef 'kee' defined for container 'flask' not found. (ContainerAppSecretRefNotFound)\nhint: did you mean \"key\"?"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := Load(t.Context(), writeFiles(t, map[string]string{"containerapp.yaml": test.file}), test.o)
			if diff := cmp.Diff(test.want, problems.String()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSecretsFromCommandsAndVariables(t *testing.T) {
	t.Setenv("FROM_SHELL", "shell-value")
	dir := writeFiles(t, map[string]string{
		"containerapp.yaml": "name: web\nproperties:\n  configuration:\n    secrets: [{name: a}, {name: b}, {name: c}]\n  template: {containers: [{name: web, image: w}]}\n",
		"acalocal.yaml":     "apps:\n  web:\n    secrets:\n      a: {env: FROM_SHELL}\n      b: {command: [go, env, GOVERSION]}\n      c: {env: NOT_SET_ANYWHERE}\n",
	})
	def, problems := Load(t.Context(), dir, Overrides{})
	want := "acalocal.yaml:6:7: the secret c: the variable NOT_SET_ANYWHERE is not set"
	if len(problems) != 2 || problems[0].Message != want[len("acalocal.yaml:6:7: "):] || problems[1].Code != "ContainerAppSecretInvalid" {
		t.Errorf("problems = %s", problems)
	}
	if value, _ := def.Apps[0].SecretValue("a"); value.Reveal() != "shell-value" {
		t.Errorf("a = %q", value.Reveal())
	}
	if value, _ := def.Apps[0].SecretValue("b"); len(value.Reveal()) < 5 || value.Reveal()[:2] != "go" {
		t.Errorf("b = %q", value.Reveal())
	}
	def, _ = Load(t.Context(), dir, Overrides{SkipCommands: true})
	if value, _ := def.Apps[0].SecretValue("b"); value.Reveal() != commandPlaceholder {
		t.Errorf("the command was run: b = %q", value.Reveal())
	}
}
