package ingress

import (
	"fmt"
	"slices"
	"strings"
)

// routeRule is a compiled RouteRule.
type routeRule struct {
	routes []Route
	split  *split
}

// routeConfig adds the hosts of a route config.
func (c *compiler) routeConfig(rc RouteConfig) {
	h := &host{}
	for i, r := range rc.Rules {
		s := newSplit(c.g.sequence(fmt.Sprintf("%s/%d", rc.Name, i)))
		for _, rt := range r.Targets {
			weight := rt.Weight
			if len(r.Targets) == 1 {
				weight = 100
			}
			t := c.routeTarget(rt)
			t.why = WhyRoute
			s.add(weight, t)
		}
		h.rules = append(h.rules, routeRule{routes: r.Routes, split: s})
	}
	c.out.hosts[rc.Name+"."+c.table.Domain] = h
	c.customDomains(rc.CustomDomains, h)
}

// routeTarget returns what a target of a route rule stands for.
func (c *compiler) routeTarget(rt RouteTarget) target {
	own := c.out.apps[rt.App]
	i := slices.IndexFunc(c.table.Apps, func(a App) bool { return a.Name == rt.App })
	if own == nil || i < 0 {
		return target{missing: "there is no app " + rt.App}
	}
	a := c.table.Apps[i]
	switch {
	case !a.serves():
		return own.target
	case rt.Revision != "":
		return c.revisionTarget(a, rt.Revision, WhyRoute)
	case rt.Label != "":
		for _, l := range a.Labels {
			if l.Name == rt.Label {
				return c.labelTarget(a, l)
			}
		}
		return target{app: own.target.app, missing: "app " + a.Name + " has no label " + rt.Label}
	}
	return own.target
}

// match returns the part of path that the route matches, or false.
func (r Route) match(path string) (matched int, ok bool) {
	n := len(r.Path)
	if len(path) < n || !equalFold(path[:n], r.Path, r.IgnoreCase) {
		return 0, false
	}
	switch r.Kind {
	case MatchPath:
		return n, len(path) == n
	case MatchPathSeparatedPrefix:
		ends := len(path) == n || path[n] == '/' || strings.HasSuffix(r.Path, "/")
		return n, ends
	}
	return n, true
}

func equalFold(a, b string, ignoreCase bool) bool {
	if ignoreCase {
		return strings.EqualFold(a, b)
	}
	return a == b
}

// rewrite replaces the matched prefix of a request target, keeping the rest
// and the query: "/app5" to "/" turns "/app5plusmore?q" into "/plusmore?q".
func (r Route) rewrite(target string, matched int) string {
	if r.PrefixRewrite == "" {
		return target
	}
	rest := target[matched:]
	if strings.HasSuffix(r.PrefixRewrite, "/") {
		rest = strings.TrimPrefix(rest, "/")
	}
	return r.PrefixRewrite + rest
}
