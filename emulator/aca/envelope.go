package aca

import "time"

// SystemData says who made a resource and who changed it last, and when.
type SystemData struct {
	CreatedBy          string `json:"createdBy,omitempty"`
	CreatedByType      string `json:"createdByType,omitempty"`
	CreatedAt          string `json:"createdAt,omitempty"`
	LastModifiedBy     string `json:"lastModifiedBy,omitempty"`
	LastModifiedByType string `json:"lastModifiedByType,omitempty"`
	LastModifiedAt     string `json:"lastModifiedAt,omitempty"`
}

// NewSystemData is that of a resource of a user, whose name may be "".
func NewSystemData(user string, created, modified time.Time) *SystemData {
	return &SystemData{
		CreatedBy: user, CreatedByType: "User", CreatedAt: systemTime(created),
		LastModifiedBy: user, LastModifiedByType: "User", LastModifiedAt: systemTime(modified),
	}
}

// systemTime is a time as the service writes it there: UTC, without saying so
// (observed).
func systemTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.9999999") }

// Location is where a resource is that was given no other location.
const Location = "local"

// FillEnvelope puts around an app of an environment what the service answers of
// every app. Location and identity stay as its definition has them.
func (a *ContainerApp) FillEnvelope(environment string, data *SystemData) {
	g := LocalGroup()
	a.ID, a.Type, a.ResourceGroup, a.SystemData = g.App(a.Name), "Microsoft.App/containerApps", g.Name, data
	if a.Location == "" {
		a.Location = Location
	}
	if a.Identity == nil {
		a.Identity = &Identity{Type: "None"}
	}
	p := &a.Properties
	p.EnvironmentID = g.Environment(environment)
	p.ManagedEnvironmentID = p.EnvironmentID
	p.OutboundIPAddresses = []string{"127.0.0.1"}
	p.DelegatedIdentities = []any{}
}

// DropEnvelope takes off what FillEnvelope puts around an app and ApplyDefaults
// does not, so that one that was answered and comes back is what it was.
func (a *ContainerApp) DropEnvelope() {
	a.ID, a.ResourceGroup, a.SystemData = "", "", nil
	if a.Location == Location {
		a.Location = ""
	}
	p := &a.Properties
	p.EnvironmentID, p.ManagedEnvironmentID, p.OutboundIPAddresses, p.DelegatedIdentities = "", "", nil, nil
}

// FillEnvelope puts around a revision of an app what the service answers.
func (r *Revision) FillEnvelope(app string) {
	g := LocalGroup()
	r.ID, r.Type, r.ResourceGroup = g.Revision(app, r.Name), "Microsoft.App/containerapps/revisions", g.Name
}

// FillEnvelope puts around a replica of a revision what the service answers.
func (r *Replica) FillEnvelope(app, revision string) {
	g := LocalGroup()
	r.ID, r.Type, r.ResourceGroup = g.Replica(app, revision, r.Name), "Microsoft.App/containerapps/revisions/replicas", g.Name
}

// FillEnvelope puts around a route config of an environment what the service
// answers.
func (c *HTTPRouteConfig) FillEnvelope(environment string) {
	g := LocalGroup()
	c.ID, c.Type, c.ResourceGroup = g.RouteConfig(environment, c.Name), "Microsoft.App/managedEnvironments/httpRouteConfigs", g.Name
}

// NewManagedEnvironment is an environment of this machine as it is answered. Its
// edge listens at an address, its log tables are those of a workspace.
func NewManagedEnvironment(name, domain, address, workspace string, data *SystemData) ManagedEnvironment {
	g := LocalGroup()
	return ManagedEnvironment{
		ID: g.Environment(name), Name: name, Type: "Microsoft.App/managedEnvironments", Location: Location, ResourceGroup: g.Name, SystemData: data,
		Properties: EnvironmentProperties{
			ProvisioningState: "Succeeded", DefaultDomain: domain, StaticIP: address,
			AppLogsConfiguration: &AppLogsConfiguration{
				Destination: "log-analytics", LogAnalyticsConfiguration: &LogAnalyticsConfiguration{CustomerID: workspace},
			},
			WorkloadProfiles: []WorkloadProfile{{Name: "Consumption", WorkloadProfileType: "Consumption"}},
		},
	}
}

// In is an answered app as ARM has it in a group: with the ids of that group,
// whose name clients read from the id.
func (a ContainerApp) In(g Group) ContainerApp {
	a.ID, a.ResourceGroup = g.take(a.ID), ""
	p := &a.Properties
	p.EnvironmentID, p.ManagedEnvironmentID = g.take(p.EnvironmentID), g.take(p.ManagedEnvironmentID)
	return a
}

// In is an answered revision as ARM has it in a group.
func (r Revision) In(g Group) Revision {
	r.ID, r.ResourceGroup = g.take(r.ID), ""
	return r
}

// In is an answered replica as ARM has it in a group.
func (r Replica) In(g Group) Replica {
	r.ID, r.ResourceGroup = g.take(r.ID), ""
	return r
}

// In is an answered route config as ARM has it in a group.
func (c HTTPRouteConfig) In(g Group) HTTPRouteConfig {
	c.ID, c.ResourceGroup = g.take(c.ID), ""
	return c
}

// In is an answered environment as ARM has it in a group.
func (e ManagedEnvironment) In(g Group) ManagedEnvironment {
	e.ID, e.ResourceGroup = g.take(e.ID), ""
	return e
}
