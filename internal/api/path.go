package api

import (
	"cmp"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

const ownPrefix = "/acalocal/v1/"

// ownPath returns what follows /acalocal/v1/, in lower case.
func ownPath(path string) (string, bool) {
	if len(path) < len(ownPrefix) || !strings.EqualFold(path[:len(ownPrefix)], ownPrefix) {
		return "", false
	}
	return strings.ToLower(strings.TrimSuffix(path[len(ownPrefix):], "/")), true
}

// armPath is an ARM path of Microsoft.App/containerApps, or of managed environments
// and their route configs, taken apart. Names are as written except those of
// apps and route configs, which ARM folds.
type armPath struct {
	subscription  string
	resourceGroup string // "" in a list over the whole subscription
	app           string // "" names the list of apps
	kind          string // "", "revisions" or "replicas": what below the app; or environments, routeConfigs
	revision      string // "" with kind revisions names the list
	replica       string // "" with kind replicas names the list
	action        string // what to do with it, a word of actions, or ""
	environment   string // "" with kind environments names the list
	routeConfig   string // "" with kind routeConfigs names the list
}

// group is where a path says that resources are. A list over a subscription
// names no resource group.
func (p armPath) group() aca.Group {
	return aca.Group{Subscription: p.subscription, Name: cmp.Or(p.resourceGroup, aca.LocalGroup().Name)}
}

// The kinds of paths of an environment and below it.
const (
	environments = "managedEnvironments"
	routeConfigs = "httpRouteConfigs"
)

// parseARMPath takes a path apart. Fixed words match without regard to case.
func parseARMPath(path string) (armPath, bool) {
	w := words(strings.Split(strings.Trim(path, "/"), "/"))
	var p armPath
	if !w.eat("subscriptions") || !w.take(&p.subscription) {
		return p, false
	}
	if w.eat("resourceGroups") && !w.take(&p.resourceGroup) {
		return p, false
	}
	if !w.eat("providers") || !w.eat("Microsoft.App") {
		return p, false
	}
	switch {
	case w.eat("containerApps"):
		if w.take(&p.app) {
			p.app = strings.ToLower(p.app)
			p.takeChildren(&w)
		}
	case w.eat(environments):
		p.kind = environments
		if w.take(&p.environment) && p.resourceGroup == "" {
			return p, false
		}
		if p.environment != "" && w.eat(routeConfigs) {
			p.kind = routeConfigs
			w.take(&p.routeConfig)
			p.routeConfig = strings.ToLower(p.routeConfig)
		}
	default:
		return p, false
	}
	return p, len(w) == 0
}

// takeChildren reads what stands below an app.
func (p *armPath) takeChildren(w *words) {
	if !w.eat("revisions") {
		p.takeAction(w)
		return
	}
	p.kind = "revisions"
	switch {
	case !w.take(&p.revision):
	case p.takeAction(w):
	case w.eat("replicas"):
		p.kind = "replicas"
		w.take(&p.replica)
	}
}

// takeAction reads the word of an action on what was named so far.
func (p *armPath) takeAction(w *words) bool {
	if len(*w) == 0 {
		return false
	}
	word := strings.ToLower((*w)[0])
	if _, ok := actions[p.kind+"/"+word]; !ok {
		return false
	}
	p.action, *w = word, (*w)[1:]
	return true
}

// words are the segments of a path that are not read yet.
type words []string

// eat reads one fixed word.
func (w *words) eat(word string) bool {
	if len(*w) == 0 || !strings.EqualFold((*w)[0], word) {
		return false
	}
	*w = (*w)[1:]
	return true
}

// take reads one name.
func (w *words) take(name *string) bool {
	if len(*w) == 0 || (*w)[0] == "" {
		return false
	}
	*name, *w = (*w)[0], (*w)[1:]
	return true
}
