package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// imageName is the last part of an image reference, without tag and digest.
func imageName(image string) string {
	image, _, _ = strings.Cut(image, "@")
	image = image[strings.LastIndexByte(image, '/')+1:]
	image, _, _ = strings.Cut(image, ":")
	return image
}

// applyOverrides puts flags over the app they are about.
func (l *loader) applyOverrides() {
	o := &l.overrides
	if !o.any() {
		return
	}
	app := l.overridden()
	if app == nil {
		return
	}
	f := &flags{loader: l, app: app}
	f.ingress(o)
	f.secrets(o.Secrets)
	f.template(o)
	f.change(o)
	if o.HostPort != 0 {
		app.Local.HostPort = o.HostPort
	}
}

// any says whether a flag is set that needs an app.
func (o *Overrides) any() bool {
	return o.Image != "" || o.Ingress != "" || o.TargetPort != nil || o.Transport != "" || len(o.EnvVars) > 0 || len(o.Secrets) > 0 ||
		o.CPU != nil || o.Memory != "" || o.MinReplicas != nil || o.MaxReplicas != nil || o.Command != nil || o.Args != nil ||
		o.Suffix != "" || o.HostPort != 0 || o.changes()
}

func (o *Overrides) changes() bool { return o.Changes != nil && o.Changes() }

// overridden is the app that flags are about.
func (l *loader) overridden() *App {
	if l.overrides.Name == "" {
		if len(l.def.Apps) == 1 {
			return &l.def.Apps[0]
		}
		l.errorf("", fmt.Sprintf("there are %d apps; flags need to know which one they are about", len(l.def.Apps)), "add --name <app>")
		return nil
	}
	app, ok := l.def.App(l.overrides.Name)
	if !ok {
		var names []string
		for _, a := range l.def.Apps {
			names = append(names, a.Name)
		}
		l.errorf("", fmt.Sprintf("no app is called %q", l.overrides.Name), "known are "+strings.Join(names, ", "))
		return nil
	}
	return app
}

type flags struct {
	loader *loader
	app    *App
}

func (f *flags) note(path aca.Path) { f.app.origin.note(path, Origin{Kind: OriginFlag}) }

func (f *flags) badFlag(format string, args ...any) *aca.Problem {
	f.loader.problems = append(f.loader.problems, Problem{App: f.app.Name, Problem: aca.Problem{Message: fmt.Sprintf(format, args...)}})
	return &f.loader.problems[len(f.loader.problems)-1].Problem
}

func (f *flags) ingress(o *Overrides) {
	c, path := &f.app.Properties.Configuration, aca.Path("properties.configuration.ingress")
	switch strings.ToLower(o.Ingress) {
	case "":
	case "disabled":
		c.Ingress = nil
		f.note(path)
		return
	case "external", "internal":
		f.makeIngress(path)
		c.Ingress.External = strings.EqualFold(o.Ingress, "external")
		f.note(path.Field("external"))
	default:
		f.badFlag("--ingress %s: it is external, internal or disabled", o.Ingress)
	}
	if o.TargetPort != nil {
		f.makeIngress(path)
		c.Ingress.TargetPort = *o.TargetPort
		f.note(path.Field("targetPort"))
	}
	if o.Transport != "" {
		f.makeIngress(path)
		f.transport(o.Transport)
		f.note(path.Field("transport"))
	}
}

// makeIngress turns ingress on; az makes it external when only a target port
// is given.
func (f *flags) makeIngress(path aca.Path) {
	if f.app.Properties.Configuration.Ingress == nil {
		f.app.Properties.Configuration.Ingress = &aca.Ingress{External: true}
		f.note(path.Field("external"))
	}
}

func (f *flags) transport(s string) {
	in, problems := aca.Decode[aca.Ingress](map[string]any{"transport": s})
	for _, p := range problems {
		f.badFlag("--transport: %s", p.Message).Hint = p.Hint
	}
	f.app.Properties.Configuration.Ingress.Transport = in.Transport
}

func (f *flags) secrets(list []string) {
	c, path := &f.app.Properties.Configuration, aca.Path("properties.configuration.secrets")
	for _, s := range list {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			// The text is not repeated: it may be the secret.
			f.badFlag("--secrets: each is name=value")
			continue
		}
		i := slices.IndexFunc(c.Secrets, func(s aca.Secret) bool { return s.Name == name })
		if i < 0 {
			i = len(c.Secrets)
			c.Secrets = append(c.Secrets, aca.Secret{})
		}
		c.Secrets[i] = aca.Secret{Name: name, Value: value}
		delete(f.app.Local.Secrets, name)
		f.note(path.Index(i).Field("name"))
		f.note(path.Index(i).Field("value"))
	}
}

func (f *flags) template(o *Overrides) {
	t := &f.app.Properties.Template
	if o.Suffix != "" {
		t.RevisionSuffix = o.Suffix
		f.note("properties.template.revisionSuffix")
	}
	f.scale(o)
	c, path := findContainer(f.app, f.app.MainContainer())
	if c == nil {
		return // reported by Validate
	}
	f.image(o.Image, c, path)
	f.env(o.EnvVars, c, path)
	f.resources(o, c, path.Field("resources"))
	if o.Command != nil {
		c.Command = o.Command
		f.note(path.Field("command"))
	}
	if o.Args != nil {
		c.Args = o.Args
		f.note(path.Field("args"))
	}
}

// change applies the flags that there are no words for here.
func (f *flags) change(o *Overrides) {
	if !o.changes() {
		return
	}
	before := plain(&f.app.ContainerApp)
	main, _ := findContainer(f.app, f.app.MainContainer())
	if err := o.Change(&f.app.ContainerApp, main); err != nil {
		f.badFlag("%s", err)
		return
	}
	f.noteChanges(before, plain(&f.app.ContainerApp))
}

// noteChanges notes the values that differ as those of flags.
func (f *flags) noteChanges(before, after any) {
	was := map[aca.Path]any{}
	flatten(before, "", func(path aca.Path, v any) { was[path] = v })
	flatten(after, "", func(path aca.Path, v any) {
		if !reflect.DeepEqual(was[path], v) {
			f.note(path)
		}
	})
}

// image: an image that is named is meant to be run, not built.
func (f *flags) image(image string, c *aca.Container, path aca.Path) {
	if image == "" {
		return
	}
	c.Image = image
	f.note(path.Field("image"))
	delete(f.app.Builds, c.Name)
	f.app.noBuild(c.Name)
}

func (f *flags) env(list []string, c *aca.Container, path aca.Path) {
	for _, s := range list {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			f.badFlag("--env-vars %s: each is NAME=value or NAME=secretref:<secret>", s)
			continue
		}
		v := aca.EnvVar{Name: name, Value: value}
		// Only the lower-case prefix is a reference, as in az
		// (https://github.com/Azure/azure-cli/issues/23365).
		if ref, ok := strings.CutPrefix(value, "secretref:"); ok {
			v = aca.EnvVar{Name: name, SecretRef: ref}
		}
		f.app.setEnv(c, path, v, Origin{Kind: OriginFlag})
	}
}

func (f *flags) resources(o *Overrides, c *aca.Container, path aca.Path) {
	if o.CPU == nil && o.Memory == "" {
		return
	}
	if c.Resources == nil {
		c.Resources = &aca.Resources{}
	}
	if o.CPU != nil {
		c.Resources.CPU = *o.CPU
		f.note(path.Field("cpu"))
	}
	if o.Memory != "" {
		c.Resources.Memory = o.Memory
		f.note(path.Field("memory"))
	}
}

func (f *flags) scale(o *Overrides) {
	t, path := &f.app.Properties.Template, aca.Path("properties.template.scale")
	if o.MinReplicas == nil && o.MaxReplicas == nil {
		return
	}
	if t.Scale == nil {
		t.Scale = &aca.Scale{}
	}
	if o.MinReplicas != nil {
		t.Scale.MinReplicas = o.MinReplicas
		f.note(path.Field("minReplicas"))
	}
	if o.MaxReplicas != nil {
		t.Scale.MaxReplicas = o.MaxReplicas
		f.note(path.Field("maxReplicas"))
	}
}
