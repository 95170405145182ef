package aca

import "strings"

// Group is a resource group of a subscription: the ids of its resources begin
// with its own.
type Group struct{ Subscription, Name string }

// LocalGroup holds everything on this machine. Paths of ARM may name any other
// subscription and group.
func LocalGroup() Group {
	return Group{Subscription: "00000000-0000-0000-0000-000000000000", Name: "local"}
}

// ID is the id of the group itself.
func (g Group) ID() string { return "/subscriptions/" + g.Subscription + "/resourceGroups/" + g.Name }

// App is the id of an app. Its type is in lower case, as the service answers it
// although it calls the type Microsoft.App/containerApps (observed).
func (g Group) App(app string) string {
	return g.ID() + "/providers/Microsoft.App/containerapps/" + app
}

// Revision is the id of a revision of an app.
func (g Group) Revision(app, revision string) string { return g.App(app) + "/revisions/" + revision }

// Replica is the id of a replica of a revision.
func (g Group) Replica(app, revision, replica string) string {
	return g.Revision(app, revision) + "/replicas/" + replica
}

// Environment is the id of a managed environment.
func (g Group) Environment(name string) string {
	return g.ID() + "/providers/Microsoft.App/managedEnvironments/" + name
}

// RouteConfig is the id of a route config of an environment.
func (g Group) RouteConfig(environment, name string) string {
	return g.Environment(environment) + "/httpRouteConfigs/" + name
}

// take is an id of the local group as one of g. Other ids stay.
func (g Group) take(id string) string {
	if rest, ok := strings.CutPrefix(id, LocalGroup().ID()+"/"); ok {
		return g.ID() + "/" + rest
	}
	return id
}
