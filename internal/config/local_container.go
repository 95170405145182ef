package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/acalocal/acalocal/emulator/aca"
)

// applyLocalContainer puts build and env over one container.
func (l *loader) applyLocalContainer(local *localFile, app *App, name string, settings localContainer, path aca.Path) {
	c, at := findContainer(app, name)
	if c == nil {
		return // the definition has no container, which is reported
	}
	if settings.Build != nil {
		l.applyBuild(local, app, name, settings.Build, path.Field("build"))
	}
	if settings.EnvFile != "" {
		l.applyEnvFile(local, app, c, at, settings.EnvFile, path.Field("envFile"))
	}
	for _, key := range slices.Sorted(maps.Keys(settings.Env)) {
		place, _ := local.tree.place(string(path.Field("env").Field(key)))
		app.setEnv(c, at, aca.EnvVar{Name: key, Value: settings.Env[key]}, Origin{OriginLocal, place.value})
	}
}

// findContainer finds a container or init container and its path.
func findContainer(app *App, name string) (*aca.Container, aca.Path) {
	t, path := &app.Properties.Template, aca.Path("properties.template")
	for i := range t.Containers {
		if t.Containers[i].Name == name {
			return &t.Containers[i], path.Field("containers").Index(i)
		}
	}
	for i := range t.InitContainers {
		if t.InitContainers[i].Name == name {
			return &t.InitContainers[i], path.Field("initContainers").Index(i)
		}
	}
	return nil, ""
}

// setEnv sets a variable of a container, in its place when it has one. A local
// value for a variable that was a secret stays one.
func (a *App) setEnv(c *aca.Container, path aca.Path, v aca.EnvVar, from Origin) {
	i := slices.IndexFunc(c.Env, func(e aca.EnvVar) bool { return e.Name == v.Name })
	if i < 0 {
		i = len(c.Env)
		c.Env = append(c.Env, v)
	}
	if from.Kind == OriginLocal && c.Env[i].SecretRef != "" {
		v = aca.EnvVar{Name: v.Name, SecretRef: a.localSecret(c.Env[i].SecretRef, v.Value, from)}
	}
	c.Env[i] = v
	at := path.Field("env").Index(i)
	for _, key := range []string{"name", "value", "secretRef"} {
		a.origin.note(at.Field(key), from)
	}
}

// localSecret makes a secret of a value that takes the place of another one,
// for one variable only, and returns its name.
func (a *App) localSecret(instead, value string, from Origin) string {
	secrets := &a.Properties.Configuration.Secrets
	name := instead
	for n := 1; slices.ContainsFunc(*secrets, func(s aca.Secret) bool { return s.Name == name }); n++ {
		name = fmt.Sprintf("%s-local-%d", instead, n)
	}
	*secrets = append(*secrets, aca.Secret{Name: name})
	a.setSecret(name, value, from.Position)
	return name
}

func (l *loader) applyEnvFile(local *localFile, app *App, c *aca.Container, at aca.Path, file string, path aca.Path) {
	vars, source := l.readEnvFile(local, file, path)
	for _, v := range vars {
		app.setEnv(c, at, aca.EnvVar{Name: v.name, Value: v.value}, Origin{OriginLocal, Position{source, v.line, 1}})
	}
}

// applyBuild reads one of the three forms of build.
func (l *loader) applyBuild(local *localFile, app *App, container string, form any, path aca.Path) {
	var b localBuild
	switch form := form.(type) {
	case bool:
		if !form {
			app.noBuild(container)
			return
		}
	case string:
		b.Context = form
	default:
		var problems []aca.Problem
		b, problems = aca.Decode[localBuild](form)
		for i := range problems {
			problems[i].Path = string(path) + "." + problems[i].Path
		}
		l.problems = append(l.problems, local.source.locate(local.tree, app.Name, problems)...)
	}
	l.checkBuildSecrets(local, b.Secrets, path.Field("secrets"))
	setMap(&app.Builds, container, b.resolve(local.dir))
}

func (l *loader) checkBuildSecrets(local *localFile, secrets []localBuildSecret, path aca.Path) {
	for i, s := range secrets {
		if s.ID == "" || (s.File == "") == (s.Env == "") {
			l.localProblem(local, path.Index(i), "a build secret has an id and either a file or an env", "")
		}
	}
}

// resolve makes the paths of b absolute; the Dockerfile is relative to the
// context, as docker build has it.
func (b localBuild) resolve(dir string) Build {
	out := Build{Context: absFrom(dir, orElse(b.Context, ".")), Target: b.Target, Args: b.Args}
	out.Dockerfile = absFrom(out.Context, orElse(b.Dockerfile, "Dockerfile"))
	for _, s := range b.Secrets {
		secret := BuildSecret{ID: s.ID, Env: s.Env}
		if s.File != "" {
			secret.File = absFrom(dir, s.File)
		}
		out.Secrets = append(out.Secrets, secret)
	}
	return out
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// noBuild says that the image of a container is pulled even though a
// Dockerfile stands beside the definition.
func (a *App) noBuild(container string) { setMap(&a.origin.pulled, container, true) }

// inferBuilds applies the rule of the Dockerfile beside the definition: the
// main container of the only app of a directory is built from it, unless
// acalocal.yaml says otherwise. Without the rule the image that is about to be
// deployed could only be tried after it was pushed.
func (l *loader) inferBuilds() {
	apps := map[string]int{}
	for _, app := range l.def.Apps {
		apps[filepath.Dir(app.Source)]++
	}
	for i := range l.def.Apps {
		app := &l.def.Apps[i]
		dir, main := filepath.Dir(app.Source), app.MainContainer()
		if app.Source == "" || main == "" || apps[dir] > 1 || app.origin.pulled[main] {
			continue
		}
		if _, ok := app.Builds[main]; !ok && isFile(filepath.Join(dir, "Dockerfile")) {
			setMap(&app.Builds, main, localBuild{}.resolve(dir))
		}
	}
}

// checkBuilds reports builds whose Dockerfile is not there.
func (l *loader) checkBuilds() {
	for i := range l.def.Apps {
		app := &l.def.Apps[i]
		for _, container := range slices.Sorted(maps.Keys(app.Builds)) {
			b := app.Builds[container]
			if !isFile(b.Dockerfile) {
				l.problems = append(l.problems, Problem{Position: Position{File: l.buildSource(app)}, App: app.Name, Problem: aca.Problem{
					Message: fmt.Sprintf("container %s of %s is built from %s, which does not exist", container, app.Name, showPath(b.Dockerfile)),
					Hint:    "correct build in acalocal.yaml, or write build: false to pull the image",
				}})
			}
		}
	}
}

func (l *loader) buildSource(app *App) string {
	if l.local != nil {
		return l.local.source.file
	}
	return app.Source
}
