package config

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config/dockerfile"
)

// azdService is the part of a service of azd's azure.yaml that says what runs
// (https://learn.microsoft.com/azure/developer/azure-developer-cli/azd-schema).
type azdService struct {
	Project string    `json:"project,omitempty"`
	Host    string    `json:"host,omitempty"`
	Image   string    `json:"image,omitempty"`
	Docker  azdDocker `json:"docker,omitempty"`
}

type azdDocker struct {
	Path      string   `json:"path,omitempty"`
	Context   string   `json:"context,omitempty"`
	Target    string   `json:"target,omitempty"`
	BuildArgs []string `json:"buildArgs,omitempty" aca:"scalar"`
}

var azdServiceType, azdDockerType = reflect.TypeFor[azdService](), reflect.TypeFor[azdDocker]()

// readAzd makes an app of every service with host: containerapp. What azd keeps
// in its template (ingress, variables, scale) is taken from there when it can
// be read, and azure.yaml adds what is built. Without the template an app gets
// external ingress on the port its Dockerfile exposes, and a warning says where
// the rest stands.
func (l *loader) readAzd(source *sourceFile, t *tree) {
	root, _ := t.root.(map[string]any)
	services, _ := root["services"].(map[string]any)
	if l.tooManyServices(source, t, len(services)) {
		return
	}
	deployed, known := l.readAzdInfra(source, root)
	for _, name := range slices.Sorted(maps.Keys(services)) {
		object, ok := services[name].(map[string]any)
		if !ok || text(object, "host") != "containerapp" {
			continue
		}
		app, ok := deployed[name]
		if !ok && known {
			l.problems = append(l.problems, source.locate(t, "", []aca.Problem{{Path: string(aca.Path("services").Field(name)), OnKey: true,
				Severity: aca.SeverityWarning, Message: fmt.Sprintf("no app of the template has the tag %s: %s", azdTag, name)}})...)
		}
		l.readAzdService(source, t, name, object, app)
	}
	if known {
		return
	}
	l.problems = append(l.problems, source.locate(t, "", []aca.Problem{{Path: "services", OnKey: true, Severity: aca.SeverityWarning,
		Message: "azure.yaml says what is built; ingress, variables, secrets and scale stand in the files under infra, which azd deploys",
		Hint:    "give a template with those to acalocal, or write them into a containerapp.yaml"}})...)
}

// readAzdService adds what a service builds to its app of the template, or
// makes an app when the template has none.
func (l *loader) readAzdService(source *sourceFile, t *tree, name string, object map[string]any, deployed App) {
	path := aca.Path("services").Field(name)
	kept := keep(object, azdServiceType)
	if docker, ok := kept["docker"].(map[string]any); ok {
		kept["docker"] = keep(docker, azdDockerType)
	}
	service, problems := aca.Decode[azdService](kept)
	for i := range problems {
		problems[i].Path = joinPath(path, problems[i].Path)
	}
	l.problems = append(l.problems, source.locate(t, aca.ValidAppName(name), problems)...)
	if deployed.Name != "" {
		l.addDeployed(source, deployed, service)
		return
	}
	own := t.below(path)
	app := App{Source: source.file, origin: origins{tree: own, source: source}}
	app.Name = aca.ValidAppName(name)
	own.move(string(path), "name")
	own.move(string(path), "properties.template.containers[0]")
	container := aca.Container{Name: app.Name, Image: service.Image}
	in := &aca.Ingress{External: true}
	app.noBuild(app.Name)
	if service.Image == "" {
		container.Image = app.Name + ":local"
		b := service.build(filepath.Dir(source.file))
		setMap(&app.Builds, app.Name, b)
		in.TargetPort = l.exposedBy(b)
		app.origin.note("properties.configuration.ingress.targetPort", Origin{Kind: OriginDockerfile, Position: Position{File: b.Dockerfile}})
	}
	app.Properties.Configuration.Ingress = in
	app.Properties.Template.Containers = []aca.Container{container}
	l.addApp(app)
}

// addDeployed adds an app of azd's template with the build of its service: azd
// puts the image it builds in the place of the one the template names.
func (l *loader) addDeployed(source *sourceFile, app App, service azdService) {
	c, at := findContainer(&app, app.MainContainer())
	if c == nil {
		l.addApp(app)
		return
	}
	origin := Origin{Kind: OriginFile, Position: Position{File: source.file}}
	if c.Image = service.Image; c.Image == "" {
		c.Image = app.Name + ":local"
		setMap(&app.Builds, c.Name, service.build(filepath.Dir(source.file)))
	} else {
		app.noBuild(c.Name)
	}
	app.origin.note(at.Field("image"), origin)
	l.addApp(app)
}

// keep is the part of an object that a type has fields for.
func keep(object map[string]any, t reflect.Type) map[string]any {
	kept := map[string]any{}
	for _, f := range aca.Fields(t) {
		if v, ok := object[f.Name]; ok {
			kept[f.Name] = v
		}
	}
	return kept
}

// build: azd takes docker.path and docker.context from the service's project.
func (s azdService) build(dir string) Build {
	project := absFrom(dir, orElse(s.Project, "."))
	b := Build{
		Context:    absFrom(project, orElse(s.Docker.Context, ".")),
		Dockerfile: absFrom(project, orElse(s.Docker.Path, "Dockerfile")),
		Target:     s.Docker.Target,
	}
	for _, pair := range s.Docker.BuildArgs {
		for name, value := range pairsOf([]any{pair}) {
			setMap(&b.Args, name, fmt.Sprint(value))
		}
	}
	return b
}

// exposedBy is the first port a build exposes, 0 when nothing says so.
func (l *loader) exposedBy(b Build) int {
	if !isFile(b.Dockerfile) {
		return 0 // reported with the other builds
	}
	source := l.open(b.Dockerfile)
	if source == nil {
		return 0
	}
	f, err := dockerfile.Parse(bytes.NewReader(source.text))
	if err != nil {
		l.errorf(b.Dockerfile, err.Error(), "it begins with FROM <image>")
		return 0
	}
	return l.exposed(b.Dockerfile, f, b.Target)
}
