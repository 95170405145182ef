package config

import (
	"bytes"
	"fmt"
	"path/filepath"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config/dockerfile"
)

// fromDockerfile makes an app of a Dockerfile alone, as "az containerapp up
// --source" does: name from the directory, external ingress, target port from
// EXPOSE. Where az would leave ingress off, because nothing is exposed, the
// port is detected at run time: an app nobody can call is of no use here.
func (l *loader) fromDockerfile(file string) {
	source := l.open(file)
	if source == nil {
		return
	}
	f, err := dockerfile.Parse(bytes.NewReader(source.text))
	if err != nil {
		l.errorf(file, err.Error(), "it begins with FROM <image>")
		return
	}
	target := ""
	if l.local != nil {
		target = l.localTarget()
	}
	app := App{Source: file}
	l.nameApp(&app)
	app.Properties.Configuration.Ingress = &aca.Ingress{External: true, TargetPort: l.exposed(file, f, target)}
	app.Properties.Template.Containers = []aca.Container{{Name: app.Name, Image: app.Name + ":local"}}
	for _, path := range []aca.Path{"properties.configuration.ingress", "properties.configuration.ingress.external",
		"properties.configuration.ingress.targetPort", "properties.template.containers[0].name", "properties.template.containers[0].image"} {
		app.origin.note(path, Origin{Kind: OriginDockerfile, Position: Position{File: file}})
	}
	setMap(&app.Builds, app.Name, localBuild{Dockerfile: filepath.Base(file)}.resolve(filepath.Dir(file)))
	l.addApp(app)
}

// localTarget is the stage that acalocal.yaml builds, when there is only one
// app it could mean.
func (l *loader) localTarget() string {
	for _, app := range l.local.Apps {
		if build, ok := app.Build.(map[string]any); ok && len(l.local.Apps) == 1 {
			return text(build, "target")
		}
	}
	return ""
}

// exposed is the first port of the stage; 0, which means detected, when there
// is none.
func (l *loader) exposed(file string, f *dockerfile.File, target string) int {
	ports := f.ExposedPorts(f.Target(target))
	switch {
	case len(ports) == 0:
		l.warn(file, "the Dockerfile exposes no port; the target port is detected when the app runs", "add EXPOSE <port>, or give --target-port")
		return 0
	case len(ports) > 1:
		l.warn(file, fmt.Sprintf("the Dockerfile exposes %d ports; %d is taken", len(ports), ports[0]), "give --target-port to take another")
	}
	return ports[0]
}

func (l *loader) warn(file, message, hint string) {
	l.problems = append(l.problems, Problem{Position: Position{File: file},
		Problem: aca.Problem{Severity: aca.SeverityWarning, Message: message, Hint: hint}})
}

// fromFlags makes an app of flags alone, with the defaults of "az containerapp
// create": no ingress unless asked for.
func (l *loader) fromFlags() {
	app := App{}
	app.Name = l.overrides.Name
	if app.Name == "" {
		app.Name = aca.ValidAppName(imageName(l.overrides.Image))
	}
	app.origin.note("name", Origin{Kind: OriginFlag})
	app.Properties.Template.Containers = []aca.Container{{Name: app.Name}}
	app.origin.note("properties.template.containers[0].name", Origin{Kind: OriginFlag})
	l.addApp(app)
}
