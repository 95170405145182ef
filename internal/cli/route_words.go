package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
)

// matchText is the condition of a route in one word: "prefix /api".
func matchText(m aca.HTTPRouteMatch) string {
	text := "prefix " + m.Prefix
	switch {
	case m.Path != "":
		text = "path " + m.Path
	case m.PathSeparatedPrefix != "":
		text = "pathSeparatedPrefix " + m.PathSeparatedPrefix
	}
	if m.CaseSensitive != nil && !*m.CaseSensitive {
		text += " (any case)"
	}
	return text
}

// targetsText lists the targets of a rule: "web", "web---blue 20%".
func targetsText(targets []aca.HTTPRouteTarget) string {
	var out []string
	for _, t := range targets {
		text := t.ContainerApp
		switch {
		case t.Revision != "":
			text = t.Revision
		case t.Label != "":
			text += "---" + t.Label
		}
		if t.Weight != nil && len(targets) > 1 {
			text += fmt.Sprintf(" %d%%", *t.Weight)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// routedApps are the apps a route config sends requests to, each once, in the
// order of its rules.
func routedApps(c *emulator.RouteConfig) []string {
	var out []string
	for _, rule := range c.Properties.Rules {
		for _, t := range rule.Targets {
			if !slices.Contains(out, t.ContainerApp) {
				out = append(out, t.ContainerApp)
			}
		}
	}
	return out
}
