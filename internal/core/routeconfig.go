package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
)

// RouteConfigChanged says what a route config of the environment should be from
// now on. It is validated.
type RouteConfigChanged struct{ Config aca.HTTPRouteConfig }

// RouteConfigRemoved says that a route config is no longer wanted.
type RouteConfigRemoved struct{ Name string }

func (e RouteConfigChanged) apply(s *State) {
	s.routeConfigs[e.Config.Name] = e.Config
	s.saveRouteConfigs()
}

func (e RouteConfigRemoved) apply(s *State) {
	delete(s.routeConfigs, e.Name)
	s.saveRouteConfigs()
}

func (s *State) saveRouteConfigs() {
	out := make([]aca.HTTPRouteConfig, 0, len(s.routeConfigs))
	for _, name := range sortedKeys(s.routeConfigs) {
		out = append(out, s.routeConfigs[name])
	}
	s.emit(SaveRouteConfigs{out})
}

// RouteConfigView is a route config as it is now, in ARM's words.
type RouteConfigView struct {
	Resource aca.HTTPRouteConfig
	Problem  string // one sentence about what it names and is not there, or ""
}

// RouteConfigs are those of the environment, sorted by name. They share
// nothing with the State that changes.
func (s *State) RouteConfigs() []RouteConfigView {
	var out []RouteConfigView
	for _, name := range sortedKeys(s.routeConfigs) {
		v := RouteConfigView{Resource: s.routeConfigs[name], Problem: s.routeProblem(s.routeConfigs[name])}
		v.Resource.FillEnvelope(s.o.Environment)
		v.Resource.Properties.Fqdn = name + "." + s.o.Domain
		v.Resource.Properties.ProvisioningState = "Succeeded"
		out = append(out, v)
	}
	return out
}

// routeProblem says what a route config sends requests to in vain.
func (s *State) routeProblem(c aca.HTTPRouteConfig) string {
	for _, r := range c.Properties.Rules {
		for _, t := range r.Targets {
			switch a := s.apps[t.ContainerApp]; {
			case a == nil || a.removed:
				return fmt.Sprintf("There is no app %s.", t.ContainerApp)
			case a.spec.Properties.Configuration.Ingress == nil:
				return fmt.Sprintf("The app %s has no ingress.", t.ContainerApp)
			case t.Revision != "" && a.revision(t.Revision) == nil:
				return fmt.Sprintf("The app %s has no revision %s.", t.ContainerApp, t.Revision)
			case t.Label != "" && !a.hasLabel(t.Label):
				return fmt.Sprintf("The app %s has no label %s.", t.ContainerApp, t.Label)
			}
		}
	}
	return ""
}

// CheckRouteConfig refuses what this environment cannot take: names that
// others answer to.
func (s *State) CheckRouteConfig(c aca.HTTPRouteConfig) error {
	if s.closing {
		return &aca.Error{Code: "Conflict", Message: "The environment is going down.", Target: s.o.Environment}
	}
	if a := s.apps[c.Name]; a != nil && !a.removed {
		return &aca.Error{Code: "Conflict", Target: c.Name,
			Message: fmt.Sprintf("The route config '%s' must not have the name of a container app of its environment.", c.Name)}
	}
	return s.checkDomains("route config "+c.Name, c.Properties.CustomDomains)
}

// checkDomains refuses custom domains that another app or route config has.
func (s *State) checkDomains(owner string, domains []aca.CustomDomain) error {
	taken := map[string]string{}
	for _, a := range s.sortedApps() {
		if in := a.spec.Properties.Configuration.Ingress; in != nil && !a.removed {
			noteDomains(taken, "app "+a.spec.Name, in.CustomDomains)
		}
	}
	for _, name := range sortedKeys(s.routeConfigs) {
		noteDomains(taken, "route config "+name, s.routeConfigs[name].Properties.CustomDomains)
	}
	for _, d := range domains {
		if other := taken[strings.ToLower(d.Name)]; other != "" && other != owner {
			return &aca.Error{Code: "Conflict", Target: d.Name, Message: fmt.Sprintf("The custom domain '%s' belongs to the %s.", d.Name, other)}
		}
	}
	return nil
}

func noteDomains(taken map[string]string, owner string, domains []aca.CustomDomain) {
	for _, d := range domains {
		taken[strings.ToLower(d.Name)] = owner
	}
}

// routes adds the route configs to a table. An app that one of them names and
// that is not there answers as an app without ingress does.
func (s *State) routes(t *ingress.Table) {
	known := map[string]bool{}
	for _, a := range t.Apps {
		known[a.Name] = true
	}
	for _, name := range sortedKeys(s.routeConfigs) {
		rc := routeConfig(s.routeConfigs[name])
		t.Routes = append(t.Routes, rc)
		for _, rule := range rc.Rules {
			for _, target := range rule.Targets {
				if !known[target.App] {
					known[target.App] = true
					t.Apps = append(t.Apps, ingress.App{Name: target.App})
				}
			}
		}
	}
	slices.SortFunc(t.Apps, func(x, y ingress.App) int { return strings.Compare(x.Name, y.Name) })
}

func routeConfig(c aca.HTTPRouteConfig) ingress.RouteConfig {
	out := ingress.RouteConfig{Name: c.Name, CustomDomains: customDomains(c.Properties.CustomDomains)}
	for _, r := range c.Properties.Rules {
		rule := ingress.RouteRule{Description: r.Description}
		for _, route := range r.Routes {
			rule.Routes = append(rule.Routes, routeOf(route))
		}
		for _, t := range r.Targets {
			target := ingress.RouteTarget{App: t.ContainerApp, Revision: t.Revision, Label: t.Label}
			if t.Weight != nil {
				target.Weight = *t.Weight
			}
			rule.Targets = append(rule.Targets, target)
		}
		out.Rules = append(out.Rules, rule)
	}
	return out
}

func routeOf(r aca.HTTPRoute) ingress.Route {
	out := ingress.Route{Kind: ingress.MatchPathSeparatedPrefix, Path: cmp.Or(r.Match.Path, r.Match.Prefix, r.Match.PathSeparatedPrefix)}
	switch {
	case r.Match.Path != "":
		out.Kind = ingress.MatchPath
	case r.Match.Prefix != "":
		out.Kind = ingress.MatchPrefix
	}
	out.IgnoreCase = r.Match.CaseSensitive != nil && !*r.Match.CaseSensitive
	if r.Action != nil {
		out.PrefixRewrite = r.Action.PrefixRewrite
	}
	return out
}
