package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// RouteConfig is a route config of the environment.
type RouteConfig struct {
	aca.HTTPRouteConfig
	Source string // the file it comes from

	origin origins
}

// Storage is a storage of the environment, which volumes of apps name.
type Storage struct {
	aca.EnvironmentStorage
	origin origins
}

// Resiliency is the resiliency policy of an app.
type Resiliency struct {
	aca.ResiliencyPolicy
	origin origins
}

// childKinds are the resources that belong to an environment or an app, by
// their ARM type in lower case.
var childKinds = map[string]kind{
	"microsoft.app/managedenvironments/httprouteconfigs": kindRouteConfig,
	"microsoft.app/managedenvironments/storages":         kindStorage,
	"microsoft.app/containerapps/resiliencypolicies":     kindResiliency,
}

// bareKeys are the keys of the YAML that "az containerapp env http-route-config
// create --yaml" and "az containerapp resiliency create --yaml" take: what ARM
// has under properties.
var bareKeys = map[kind][]string{
	kindRouteConfig: {"rules", "customDomains"},
	kindResiliency:  {"timeoutPolicy", "httpRetryPolicy", "tcpRetryPolicy", "circuitBreakerPolicy", "httpConnectionPool", "tcpConnectionPool"},
}

// kindOfBare recognises those files, which have no type.
func kindOfBare(object map[string]any) kind {
	if rules, ok := field(object, "rules").([]any); ok && len(rules) > 0 {
		if rule, ok := rules[0].(map[string]any); ok && (field(rule, "targets") != nil || field(rule, "routes") != nil) {
			return kindRouteConfig
		}
	}
	for _, key := range bareKeys[kindResiliency] {
		if field(object, key) != nil {
			return kindResiliency
		}
	}
	return kindUnknown
}

// wrap puts the keys of such a file under properties.
func (t *tree) wrap(k kind) {
	object, ok := t.root.(map[string]any)
	if !ok || field(object, "properties") != nil {
		return
	}
	properties := map[string]any{}
	for _, key := range bareKeys[k] {
		for name, value := range object {
			if strings.EqualFold(name, key) {
				properties[name] = value
				delete(object, name)
				t.move(name, "properties."+name)
			}
		}
	}
	object["properties"] = properties
}

// readChild reads a resource that belongs to another one; full is its name in
// ARM, with the names of its parents, or "" when its document has to say it.
func (l *loader) readChild(source *sourceFile, t *tree, k kind, full string) {
	dropExtensions(t.root)
	t.wrap(k)
	if full == "" {
		object, _ := t.root.(map[string]any)
		full = text(object, "name")
	}
	parent, name := "", full
	if i := strings.LastIndexByte(full, '/'); i >= 0 {
		parent, name = full[:i], full[i+1:]
	}
	o := origins{tree: t, source: source}
	switch k {
	case kindRouteConfig:
		l.readRouteConfig(o, name)
	case kindStorage:
		l.readStorage(o, name)
	case kindResiliency:
		l.readResiliency(o, parent, name)
	}
}

// readRouteConfig: one whose file does not name it is called like its file, as
// az takes the name from its command line.
func (l *loader) readRouteConfig(o origins, name string) {
	c, problems := aca.Decode[aca.HTTPRouteConfig](o.tree.root)
	if c.Name = name; name == "" {
		base := filepath.Base(o.source.file)
		c.Name = aca.ValidAppName(strings.TrimSuffix(base, filepath.Ext(base)))
		o.note("name", Origin{Kind: OriginFile, Position: Position{File: o.source.file}})
	}
	problems = append(problems, unlessBad(problems, c.Validate())...)
	for _, other := range l.def.Environment.RouteConfigs {
		if other.Name == c.Name {
			problems = append(problems, aca.Problem{Path: "name", Message: fmt.Sprintf("the route config %q is already defined in %s", c.Name, other.Source), Hint: "give it another name"})
		}
	}
	l.problems = append(l.problems, o.source.locate(o.tree, "", problems)...)
	l.def.Environment.RouteConfigs = append(l.def.Environment.RouteConfigs, RouteConfig{c, o.source.file, o})
}

func (l *loader) readStorage(o origins, name string) {
	s, problems := aca.Decode[aca.EnvironmentStorage](o.tree.root)
	s.Name = name
	problems = append(problems, unlessBad(problems, s.Validate())...)
	if slices.ContainsFunc(l.def.Environment.StorageResources, func(other Storage) bool { return other.Name == name }) {
		problems = append(problems, aca.Problem{Path: "name", Message: fmt.Sprintf("the storage %q is defined twice", name), Hint: "remove one of them"})
	}
	l.problems = append(l.problems, o.source.locate(o.tree, "", problems)...)
	l.def.Environment.StorageResources = append(l.def.Environment.StorageResources, Storage{s, o})
}

// readResiliency keeps a policy until all apps are known. Parent is the app.
func (l *loader) readResiliency(o origins, parent, name string) {
	p, problems := aca.Decode[aca.ResiliencyPolicy](o.tree.root)
	p.Name = name
	problems = append(problems, unlessBad(problems, p.Validate())...)
	l.problems = append(l.problems, o.source.locate(o.tree, parent, problems)...)
	l.policies = append(l.policies, policy{app: parent, Resiliency: Resiliency{p, o}})
}

// policy is a resiliency policy and the app it says it is of, "" when it does
// not say.
type policy struct {
	app string
	Resiliency
}

// assignPolicies gives every app its resiliency policy.
func (l *loader) assignPolicies() {
	for _, p := range l.policies {
		report := func(problem aca.Problem) {
			l.problems = append(l.problems, p.origin.source.locate(p.origin.tree, p.app, []aca.Problem{problem})...)
		}
		app, ok := l.def.App(p.app)
		if p.app == "" && len(l.def.Apps) == 1 {
			app, ok = &l.def.Apps[0], true
		}
		switch {
		case p.app == "" && !ok:
			report(aca.Problem{Path: "name", OnKey: true, Message: "the resiliency policy does not say which app it is of",
				Hint: "write type: Microsoft.App/containerApps/resiliencyPolicies and name: <app>/<policy>"})
		case !ok:
			report(aca.Problem{Path: "name", Message: fmt.Sprintf("there is no app %q, which the resiliency policy is of", p.app), Hint: l.nearestApp(p.app)})
		case app.Resiliency != nil:
			report(aca.Problem{Path: "name", Message: fmt.Sprintf("the app %s has a second resiliency policy, besides %q", app.Name, app.Resiliency.Name), Hint: "remove one of them"})
		default:
			app.Resiliency = &p.Resiliency
		}
	}
}

func (l *loader) nearestApp(name string) string {
	var names []string
	for _, a := range l.def.Apps {
		names = append(names, a.Name)
	}
	if near, ok := aca.Nearest(name, names); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// checkChildren holds resources that belong to each other together: the apps a
// route config names, the storages volumes are of.
func (l *loader) checkChildren() {
	for i := range l.def.Environment.RouteConfigs {
		c := &l.def.Environment.RouteConfigs[i]
		l.problems = append(l.problems, c.origin.source.locate(c.origin.tree, "", l.routeConfigProblems(c))...)
	}
	if len(l.def.Environment.StorageResources) > 0 {
		for i := range l.def.Apps {
			l.checkStorages(&l.def.Apps[i])
		}
	}
}

func (l *loader) routeConfigProblems(c *RouteConfig) []aca.Problem {
	var found []aca.Problem
	if _, taken := l.def.App(c.Name); taken {
		found = append(found, aca.Problem{Path: "name", Message: fmt.Sprintf("the route config %q must not have the name of an app", c.Name), Hint: "give it another name"})
	}
	for i, r := range c.Properties.Rules {
		for j, t := range r.Targets {
			at := aca.Path("properties.rules").Index(i).Field("targets").Index(j).Field("containerApp")
			app, ok := l.def.App(t.ContainerApp)
			switch {
			case t.ContainerApp == "":
			case !ok:
				found = append(found, aca.Problem{Path: string(at), Severity: aca.SeverityWarning,
					Message: fmt.Sprintf("no app here is called %q; unless the environment has one, requests are answered with 404", t.ContainerApp), Hint: l.nearestApp(t.ContainerApp)})
			case app.Properties.Configuration.Ingress == nil:
				found = append(found, aca.Problem{Path: string(at), Severity: aca.SeverityWarning,
					Message: fmt.Sprintf("the app %s has no ingress; requests are answered with 404", app.Name), Hint: "give the app an ingress"})
			}
		}
	}
	return found
}

// checkStorages warns of volumes of storages that the environment, as the files
// define it, does not have: Azure accepts the app, and every replica fails to
// mount.
func (l *loader) checkStorages(app *App) {
	storages := map[string]*Storage{}
	for i := range l.def.Environment.StorageResources {
		s := &l.def.Environment.StorageResources[i]
		storages[s.Name] = s
	}
	var found []aca.Problem
	for i, v := range app.Properties.Template.Volumes {
		if v.StorageName == "" {
			continue
		}
		s := storages[v.StorageName]
		if s == nil {
			p := aca.Problem{Path: string(aca.Path("properties.template.volumes").Index(i).Field("storageName")), Severity: aca.SeverityWarning,
				Message: fmt.Sprintf("no storage here is called %q; unless the environment has one, no replica can mount it on Azure", v.StorageName)}
			if near, ok := aca.Nearest(v.StorageName, slices.Sorted(maps.Keys(storages))); ok {
				p.Hint = fmt.Sprintf("did you mean %q?", near)
			}
			found = append(found, p)
			continue
		}
		if s.ReadOnly() && !slices.Contains(app.Local.ReadOnlyStorages, v.StorageName) {
			app.Local.ReadOnlyStorages = append(app.Local.ReadOnlyStorages, v.StorageName)
		}
	}
	l.problems = append(l.problems, l.locate(app, found)...)
}

// LoadRouteConfig reads one route config from a file: the YAML that "az
// containerapp env http-route-config create" takes, or an ARM resource. A name
// that is not empty is the one it gets, as with az; else it has the one in the
// file, or the file's own.
func LoadRouteConfig(file, name string) (aca.HTTPRouteConfig, Problems) {
	l := &loader{def: &Definition{}}
	if source := l.open(file); source != nil {
		before := len(l.problems)
		docs := source.documents(&l.problems)
		for _, doc := range docs {
			l.readRouteConfigDocument(source, source.tree(doc, &l.problems), name)
		}
		if len(docs) == 0 && len(l.problems) == before {
			l.errorf(file, "the file is empty", "it has rules: with routes and targets")
		}
	}
	if len(l.def.Environment.RouteConfigs) > 1 {
		l.errorf(file, "the file holds more than one route config", `"acalocal up" takes them all`)
	}
	l.problems.sort()
	if l.problems.HasErrors() || len(l.def.Environment.RouteConfigs) == 0 {
		return aca.HTTPRouteConfig{}, l.problems
	}
	return l.def.Environment.RouteConfigs[0].HTTPRouteConfig, l.problems
}

func (l *loader) readRouteConfigDocument(source *sourceFile, t *tree, name string) {
	switch k := kindOf(t.root); {
	case t.broken, k == kindEmpty:
	case k != kindRouteConfig:
		l.problems = append(l.problems, source.locate(t, "", []aca.Problem{{Message: "this is not a route config", Hint: "it has rules: with routes and targets"}})...)
	default:
		l.readChild(source, t, k, name)
	}
}
