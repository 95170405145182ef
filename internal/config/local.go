package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// localFile is acalocal.yaml: what only matters on this machine. It is written
// up for users in docs/acalocal-yaml.md.
type localFile struct {
	Environment string            `json:"environment,omitempty"`
	Files       []string          `json:"files,omitempty"`
	Parameters  []string          `json:"parameters,omitempty"` // of templates: files and name=value
	Storages    map[string]string `json:"storages,omitempty"`
	Telemetry   bool              `json:"telemetry,omitempty"` // to the local endpoint
	// StrictOTel leaves out the OTEL_ variables of the OpenTelemetry agent.
	StrictOTel bool `json:"strictOpenTelemetry,omitempty"`
	// OTLPEndpoint is a collector's base URL.
	OTLPEndpoint   string              `json:"otlpEndpoint,omitempty"`
	IngestionDelay string              `json:"ingestionDelay,omitempty"` // a duration
	UploadTimes    bool                `json:"uploadTimes,omitempty"`
	StrictTables   bool                `json:"strictTables,omitempty"`
	QueryMaxRows   string              `json:"queryMaxRows,omitempty" aca:"scalar"` // a number or "none"
	QueryMaxSize   string              `json:"queryMaxSize,omitempty" aca:"scalar"` // a size or "none"
	Apps           map[string]localApp `json:"apps,omitempty"`

	dir    string // of the file
	tree   *tree
	source *sourceFile
}

type localApp struct {
	HostPort    int                       `json:"hostPort,omitempty"`
	Build       any                       `json:"build,omitempty"` // of the main container; see localBuild
	Env         map[string]string         `json:"env,omitempty" aca:"scalar"`
	EnvFile     string                    `json:"envFile,omitempty"`
	Secrets     map[string]localSecret    `json:"secrets,omitempty"`
	SecretsFile string                    `json:"secretsFile,omitempty"`
	Volumes     map[string]string         `json:"volumes,omitempty"`
	Mounts      []localMount              `json:"mounts,omitempty"`
	Containers  map[string]localContainer `json:"containers,omitempty"`
}

type localContainer struct {
	Build   any               `json:"build,omitempty"`
	Env     map[string]string `json:"env,omitempty" aca:"scalar"`
	EnvFile string            `json:"envFile,omitempty"`
}

// localBuild is the long form of build; the short ones are a directory and
// false, which says that the image is pulled.
type localBuild struct {
	Context    string             `json:"context,omitempty"`
	Dockerfile string             `json:"dockerfile,omitempty"`
	Target     string             `json:"target,omitempty"`
	Args       map[string]string  `json:"args,omitempty" aca:"scalar"`
	Secrets    []localBuildSecret `json:"secrets,omitempty"`
}

type localBuildSecret struct {
	ID   string `json:"id" aca:"required"`
	File string `json:"file,omitempty"`
	Env  string `json:"env,omitempty"`
}

type localSecret struct {
	Value   string   `json:"value,omitempty" aca:"scalar"`
	Env     string   `json:"env,omitempty"`
	File    string   `json:"file,omitempty"`
	Command []string `json:"command,omitempty"`
}

type localMount struct {
	Container string `json:"container,omitempty"` // "" is the main one
	Source    string `json:"source" aca:"required"`
	Target    string `json:"target" aca:"required"`
	ReadOnly  bool   `json:"readOnly,omitempty"`
}

// readLocal reads an acalocal.yaml; nil when it cannot be read at all.
func (l *loader) readLocal(file string) *localFile {
	source := l.open(file)
	if source == nil {
		return nil
	}
	docs := source.documents(&l.problems)
	if len(docs) == 0 {
		return &localFile{dir: filepath.Dir(file), source: source, tree: &tree{}}
	}
	if len(docs) > 1 {
		l.problems = append(l.problems, source.problem(Position{file, docs[1].Line, docs[1].Column}, 1,
			aca.Problem{Message: "acalocal.yaml is one document; the second one is not read", Hint: "put all apps under apps"}))
	}
	t := source.tree(docs[0], &l.problems)
	local, problems := aca.Decode[localFile](t.root)
	local.dir, local.tree, local.source = filepath.Dir(file), t, source
	l.problems = append(l.problems, source.locate(t, "", problems)...)
	if local.Environment != "" && aca.ValidAppName(local.Environment) != local.Environment {
		l.localProblem(&local, "environment", fmt.Sprintf("%q is not an environment name", local.Environment),
			fmt.Sprintf("lower case letters, digits and dashes, at most 32; for example %q", aca.ValidAppName(local.Environment)))
	}
	return &local
}

// localProblem reports something wrong at a path of acalocal.yaml.
func (l *loader) localProblem(local *localFile, path aca.Path, message, hint string) {
	p := aca.Problem{Path: string(path), Message: message, Hint: hint}
	l.problems = append(l.problems, local.source.locate(local.tree, "", []aca.Problem{p})...)
}

// unknownName reports a name in acalocal.yaml that the definition does not have.
func (l *loader) unknownName(local *localFile, path aca.Path, what, name string, known []string) {
	hint := "there is none in the definition"
	if near, ok := aca.Nearest(name, known); ok {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if len(known) > 0 {
		hint = "known are " + strings.Join(known, ", ")
	}
	p := aca.Problem{Path: string(path), OnKey: true, Message: fmt.Sprintf("no %s is called %q", what, name), Hint: hint}
	l.problems = append(l.problems, local.source.locate(local.tree, "", []aca.Problem{p})...)
}

// applyLocal puts acalocal.yaml over the apps.
func (l *loader) applyLocal(local *localFile) {
	var names []string
	for _, app := range l.def.Apps {
		names = append(names, app.Name)
	}
	slices.Sort(names)
	for _, name := range slices.Sorted(maps.Keys(local.Apps)) {
		path := aca.Path("apps").Field(name)
		app, ok := l.def.App(name)
		if !ok {
			l.unknownName(local, path, "app", name, names)
			continue
		}
		l.applyLocalApp(local, app, local.Apps[name], path)
	}
	for _, name := range slices.Sorted(maps.Keys(local.Storages)) {
		if dir, ok := l.localDir(local, aca.Path("storages").Field(name), local.Storages[name]); ok {
			setMap(&l.def.Environment.Storages, name, dir)
		}
	}
	for i := range l.def.Apps {
		l.def.Apps[i].takeStorages(l.def.Environment.Storages)
	}
	l.applyOTLP(local)
	l.applyLateTables(local)
	l.applyQueryLimits(local)
}

// takeStorages keeps the directories of the storages an app has volumes of: a
// change to others is none to the app.
func (a *App) takeStorages(dirs map[string]string) {
	for _, v := range a.Properties.Template.Volumes {
		if dir := dirs[v.StorageName]; dir != "" {
			setMap(&a.Local.Storages, v.StorageName, dir)
		}
	}
}

func (l *loader) applyLocalApp(local *localFile, app *App, settings localApp, path aca.Path) {
	if settings.HostPort < 0 || settings.HostPort > 65535 {
		l.localProblem(local, path.Field("hostPort"), fmt.Sprintf("%d is not a port", settings.HostPort), "ports are 1 to 65535")
	}
	app.Local.HostPort = settings.HostPort
	main := localContainer{Build: settings.Build, Env: settings.Env, EnvFile: settings.EnvFile}
	l.applyLocalContainer(local, app, app.MainContainer(), main, path)
	known := containerNames(&app.ContainerApp)
	for _, name := range slices.Sorted(maps.Keys(settings.Containers)) {
		at := path.Field("containers").Field(name)
		if !slices.Contains(known, name) {
			l.unknownName(local, at, "container of "+app.Name, name, known)
			continue
		}
		l.applyLocalContainer(local, app, name, settings.Containers[name], at)
	}
	l.applySecrets(local, app, settings, path)
	l.applyVolumes(local, app, settings, path)
	l.applyMounts(local, app, settings, path, known)
}

func containerNames(app *aca.ContainerApp) []string {
	var names []string
	for _, c := range app.Properties.Template.InitContainers {
		names = append(names, c.Name)
	}
	for _, c := range app.Properties.Template.Containers {
		names = append(names, c.Name)
	}
	return names
}

func (l *loader) applyVolumes(local *localFile, app *App, settings localApp, path aca.Path) {
	var known []string
	for _, v := range app.Properties.Template.Volumes {
		known = append(known, v.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(settings.Volumes)) {
		at := path.Field("volumes").Field(name)
		if !slices.Contains(known, name) {
			l.unknownName(local, at, "volume of "+app.Name, name, known)
			continue
		}
		if dir, ok := l.localDir(local, at, settings.Volumes[name]); ok {
			setMap(&app.Local.Volumes, name, dir)
		}
	}
}

func (l *loader) applyMounts(local *localFile, app *App, settings localApp, path aca.Path, known []string) {
	for i, m := range settings.Mounts {
		at := path.Field("mounts").Index(i)
		if m.Container == "" {
			m.Container = app.MainContainer()
		} else if !slices.Contains(known, m.Container) {
			l.unknownName(local, at.Field("container"), "container of "+app.Name, m.Container, known)
		}
		if !strings.HasPrefix(m.Target, "/") || strings.Contains(m.Target, ":") {
			l.localProblem(local, at.Field("target"), fmt.Sprintf("%q is not an absolute path in the container", m.Target), `it begins with "/"`)
		}
		if source, ok := l.localDir(local, at.Field("source"), m.Source); ok {
			app.Local.Mounts = append(app.Local.Mounts, Mount{m.Container, source, m.Target, m.ReadOnly})
		}
	}
}

// localDir makes a path of acalocal.yaml absolute. A relative one must stay
// below the file: that a project someone sent you mounts your home directory
// should at least be readable.
func (l *loader) localDir(local *localFile, path aca.Path, dir string) (string, bool) {
	switch {
	case dir == "":
		l.localProblem(local, path, "the directory is missing", "")
		return "", false
	case !filepath.IsAbs(dir) && !filepath.IsLocal(dir):
		l.localProblem(local, path, fmt.Sprintf("%q leads out of the project", dir), "write an absolute path if you mean it")
		return "", false
	}
	return local.abs(dir), true
}

// abs makes a path absolute that is relative to the file.
func (f *localFile) abs(path string) string { return absFrom(f.dir, path) }

func absFrom(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	abs, err := filepath.Abs(filepath.Join(dir, path))
	if err != nil {
		return filepath.Join(dir, path) // the working directory is gone; what opens it will say so
	}
	return abs
}

func setMap[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = value
}

// LocalFileType is the type of acalocal.yaml, for those who describe it.
func LocalFileType() reflect.Type { return reflect.TypeFor[localFile]() }
