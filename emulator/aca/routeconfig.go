package aca

import (
	"fmt"
	"strings"
)

// HTTPRouteConfig spreads the paths of one host over apps:
// Microsoft.App/managedEnvironments/httpRouteConfigs. Its host is the name and
// the domain of the environment
// (https://learn.microsoft.com/azure/container-apps/rule-based-routing).
type HTTPRouteConfig struct {
	ID            string                    `json:"id,omitempty" aca:"readonly"`
	Name          string                    `json:"name,omitempty"`
	Type          string                    `json:"type,omitempty"`
	SystemData    *SystemData               `json:"systemData,omitempty" aca:"readonly"`
	ResourceGroup string                    `json:"resourceGroup,omitempty"`
	Properties    HTTPRouteConfigProperties `json:"properties"`
}

// HTTPRouteConfigProperties are the rules of a route config, in their order:
// the first that matches counts.
type HTTPRouteConfigProperties struct {
	ProvisioningState  string          `json:"provisioningState,omitempty" aca:"readonly"`
	ProvisioningErrors []any           `json:"provisioningErrors,omitempty" aca:"readonly"`
	Fqdn               string          `json:"fqdn,omitempty" aca:"readonly"`
	CustomDomains      []CustomDomain  `json:"customDomains,omitempty"`
	Rules              []HTTPRouteRule `json:"rules,omitempty"`
}

// HTTPRouteRule sends what matches one of its routes to its targets.
type HTTPRouteRule struct {
	Description string            `json:"description,omitempty"`
	Routes      []HTTPRoute       `json:"routes,omitempty"`
	Targets     []HTTPRouteTarget `json:"targets,omitempty"`
}

// HTTPRoute is one condition on the path, and what becomes of the path.
type HTTPRoute struct {
	Match  HTTPRouteMatch   `json:"match"`
	Action *HTTPRouteAction `json:"action,omitempty"`
}

// HTTPRouteMatch holds exactly one of Prefix, Path and PathSeparatedPrefix.
// Without CaseSensitive the case counts.
type HTTPRouteMatch struct {
	Prefix              string `json:"prefix,omitempty"`
	Path                string `json:"path,omitempty"`
	PathSeparatedPrefix string `json:"pathSeparatedPrefix,omitempty"`
	CaseSensitive       *bool  `json:"caseSensitive,omitempty"`
}

// HTTPRouteAction replaces the part of the path that matched.
type HTTPRouteAction struct {
	PrefixRewrite string `json:"prefixRewrite,omitempty"`
}

// HTTPRouteTarget is an app by its own traffic weights, or one revision or
// label of it. Weight is the share among several targets, in percent.
type HTTPRouteTarget struct {
	ContainerApp string `json:"containerApp" aca:"required"`
	Revision     string `json:"revision,omitempty"`
	Label        string `json:"label,omitempty"`
	Weight       *int   `json:"weight,omitempty"`
}

// Validate reports what cannot be a route config. Whether the apps it names
// exist is for its environment to say.
func (c *HTTPRouteConfig) Validate() []Problem {
	v := &validator{app: &ContainerApp{}}
	if !routeConfigNameRule.ok(c.Name) {
		v.errorf("name", codeInvalidValue, "%q is not the name of a route config", clip(c.Name)).
			Hint = "3 to 63 characters: lower case letters, digits and dashes, beginning with a letter, no --"
	}
	v.customDomains(c.Properties.CustomDomains, "properties.customDomains")
	rules := Path("properties.rules")
	if len(c.Properties.Rules) == 0 {
		v.warnf(rules, "the route config has no rule: every request is answered with 404")
	}
	for i, r := range c.Properties.Rules {
		v.routeRule(r, rules.Index(i))
	}
	return v.problems
}

func (v *validator) routeRule(r HTTPRouteRule, at Path) {
	if len(r.Routes) == 0 {
		v.warnf(at, "the rule has no route and matches nothing").Hint = `routes: [{match: {prefix: "/"}}] matches everything`
	}
	for i, route := range r.Routes {
		v.routeMatch(route.Match, at.Field("routes").Index(i).Field("match"))
	}
	targets := at.Field("targets")
	if len(r.Targets) == 0 {
		v.errorf(at, codeInvalidValue, "the rule has no target").Hint = "targets: [{containerApp: <name of an app>}]"
	}
	sum := 0
	for i, t := range r.Targets {
		sum += v.routeTarget(t, targets.Index(i))
	}
	if len(r.Targets) > 1 && sum != 100 {
		v.errorf(targets, codeInvalidValue, "the weights of the targets sum to %d, not 100", sum)
	}
}

func (v *validator) routeMatch(m HTTPRouteMatch, at Path) {
	given := 0
	for _, part := range []struct{ key, value string }{{"prefix", m.Prefix}, {"path", m.Path}, {"pathSeparatedPrefix", m.PathSeparatedPrefix}} {
		if part.value == "" {
			continue
		}
		given++
		if !strings.HasPrefix(part.value, "/") {
			v.errorf(at.Field(part.key), codeInvalidValue, "%q matches no path", clip(part.value)).Hint = fmt.Sprintf("paths begin with a slash: %q", "/"+clip(part.value))
		}
	}
	switch {
	case given == 0:
		v.errorf(at, codeInvalidValue, "the match is empty").Hint = "give one of prefix, path and pathSeparatedPrefix"
	case given > 1:
		v.errorf(at, codeInvalidValue, "the match has more than one of prefix, path and pathSeparatedPrefix").Hint = "keep one of them"
	}
}

// routeTarget checks a target and returns its weight.
func (v *validator) routeTarget(t HTTPRouteTarget, at Path) int {
	switch {
	case t.ContainerApp == "":
		v.errorf(at, codeInvalidValue, "the target has no containerApp")
	case !appNameRule.ok(t.ContainerApp):
		v.errorf(at.Field("containerApp"), codeInvalidValue, "%q is not the name of a container app", clip(t.ContainerApp))
	}
	if t.Revision != "" && t.Label != "" {
		v.errorf(at, codeInvalidValue, "the target has both a revision and a label").Hint = "keep one of them"
	}
	if t.Label != "" && !labelNameRule.ok(t.Label) {
		v.badLabel(at.Field("label"), t.Label)
	}
	if t.Weight == nil || !v.rangeOf(at.Field("weight"), t.Weight, 0, 100) {
		return 0
	}
	return *t.Weight
}
