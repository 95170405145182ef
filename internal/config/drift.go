package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/lazyregexp"
	"github.com/acalocal/acalocal/internal/scale"
)

// Drift is a field of a definition that behaves otherwise here than on Azure,
// or not at all.
type Drift struct {
	App      string   `json:"app,omitempty"` // "" for the environment
	Path     string   `json:"path"`
	Position Position `json:"-"`
	Differs  string   `json:"differs"` // one clause: what is not the same
}

// String is the drift in one line: where, which field, what differs.
func (d Drift) String() string {
	where := ""
	if d.Position.File != "" {
		where = d.Position.String() + ": "
	}
	return fmt.Sprintf("%s%s: %s", where, d.Path, d.Differs)
}

// NotEmulated is the code of the notes in which Load lists the Drift of a
// definition.
const NotEmulated = "NotEmulated"

// driftNotes says what is not emulated: nothing is ignored in silence.
func (l *loader) driftNotes() {
	for _, d := range l.def.Drift() {
		l.problems = append(l.problems, Problem{Position: d.Position, App: d.App, Problem: aca.Problem{
			Path: d.Path, Severity: aca.SeverityNote, Code: NotEmulated, Message: d.Path + ": " + d.Differs,
		}})
	}
}

// driftRow says what differs for the fields whose path, list indexes left out,
// is pattern. Only is nil when any value that is given counts.
type driftRow struct {
	pattern string
	differs string
	only    func(value any) bool
}

func is(values ...any) func(any) bool {
	return func(v any) bool {
		return slices.ContainsFunc(values, func(value any) bool { return reflect.DeepEqual(value, v) })
	}
}

func not(values ...any) func(any) bool {
	match := is(values...)
	return func(v any) bool { return !match(v) }
}

// unlike is true of texts that are none of known.
func unlike(known []string) func(any) bool {
	return func(v any) bool {
		text, _ := v.(string)
		return !slices.Contains(known, text)
	}
}

// appDrift lists what an app may ask for that is not emulated. A field that
// becomes emulated loses its row, and the test that every field is either
// emulated or here keeps the list complete.
var appDrift = []driftRow{
	{"extendedLocation", "there are no connected environments here", nil},
	{"kind", "the app runs as an ordinary one; functions and workflows have no host here", is("functionapp", "workflowapp")},
	{"managedBy", "kept, but nothing manages the app", nil},
	{"identity.type", "no managed identity: nothing answers token requests", not("None")},
	{"identity.userAssignedIdentities", "no managed identity: nothing answers token requests", nil},
	{"properties.patchingConfiguration", "images are not patched", nil},
	{"properties.patchingMode", "images are not patched", not("Automatic")},
	{"properties.workloadProfileName", "the size of a dedicated node is not a limit here", not("Consumption", "")},
	{"properties.configuration.agentSettings", "no agent runs", nil},
	{"properties.configuration.dapr.enabled", "no Dapr sidecar runs; calls to localhost:3500 are refused", is(true)},
	{"properties.configuration.identitySettings", "no managed identity, so its lifecycle has no meaning", nil},
	{"properties.configuration.registries[].identity", "images are pulled with the credentials of your Docker configuration", nil},
	{"properties.configuration.revisionTransitionThreshold", "a new revision takes over when all its replicas are ready", not(json.Number("100"))},
	{"properties.configuration.runtime", "Java metrics and agents are not provided", nil},
	{"properties.configuration.secrets[].keyVaultUrl", "no key vault is asked; acalocal.yaml gives the value", nil},
	{"properties.configuration.service", "the app runs as an ordinary one, not as a development service", nil},
	{"properties.configuration.ingress.customDomains[].certificateId", "the edge shows a certificate of its own for this name", nil},
	{"properties.template.containers[].resources.gpu", "no GPU is attached", nil},
	{"properties.template.serviceBinds", "nothing is bound; set the variables yourself", nil},
	{"properties.template.scale.rules[].azureQueue.identity", "no managed identity: the queue is read with the connection that auth gives", nil},
	{"properties.template.scale.rules[].custom.identity", "no managed identity: the rule is read with what auth gives", nil},
	{"properties.template.scale.rules[].custom.type", "this KEDA scaler is not emulated; the rule adds no replica", unlike(scale.TriggerTypes)},
	{"properties.template.scale.rules[].http.identity", "no managed identity", nil},
	{"properties.template.scale.rules[].tcp.identity", "no managed identity", nil},
	{"properties.template.scale.rules[].http.auth", "HTTP rules need no secrets here", nil},
	{"properties.template.scale.rules[].tcp.auth", "TCP rules need no secrets here", nil},
	{"properties.template.volumes[].storageType", "a directory of this machine stands for the share: no SMB or NFS locks, modes and delays; the data goes with \"acalocal down\" unless acalocal.yaml names the directory", is("AzureFile", "NfsAzureFile", "Smb")},
	{"properties.template.volumes[].mountOptions", "of the mount options only ro has an effect on a local directory", nil},
}

// environmentDrift is the same for the environment.
var environmentDrift = []driftRow{
	{"properties.appLogsConfiguration.logAnalyticsConfiguration", "logs stay on this machine", nil},
	{"properties.appInsightsConfiguration", "no telemetry is sent there; apps do not get the connection string, here as on Azure", nil},
	{"properties.openTelemetryConfiguration", "no destination gets anything: what apps send to the agent is kept in the local tables AppRequests, AppDependencies, AppTraces, AppExceptions and AppEvents, metrics not at all", nil},
	{"properties.openTelemetryConfiguration.tracesConfiguration.includeDapr", "no Dapr sidecar runs", is(true)},
	{"properties.openTelemetryConfiguration.metricsConfiguration.includeKeda", "there is no KEDA; acalocal scales by itself", is(true)},
	{"properties.vnetConfiguration", "there is no virtual network; every environment is one Docker network", nil},
	{"properties.zoneRedundant", "there is one zone: this machine", is(true)},
	{"properties.workloadProfiles", "the sizes of nodes are no limit here", nil},
	{"properties.diskEncryptionConfiguration", "nothing is encrypted on disk", nil},
	{"properties.customDomainConfiguration", "the environment's domain stays <name>.localhost", nil},
	{"properties.daprAIInstrumentationKey", "no Dapr sidecar runs", nil},
	{"properties.daprAIConnectionString", "no Dapr sidecar runs", nil},
	{"properties.peerAuthentication", "calls between apps are not encrypted", nil},
	{"properties.peerTrafficConfiguration", "calls between apps are not encrypted", nil},
	{"extendedLocation", "there are no connected environments here", nil},
	{"identity.type", "no managed identity: nothing answers token requests", not("None")},
	{"identity.userAssignedIdentities", "no managed identity: nothing answers token requests", nil},
	{"kind", "the environment is an ordinary one", nil},
	{"properties.daprConfiguration", "no Dapr sidecar runs", nil},
	{"properties.kedaConfiguration", "there is no KEDA; acalocal scales by itself", nil},
	{"properties.infrastructureResourceGroup", "nothing is made in a resource group", nil},
	{"properties.availabilityZones", "there is one zone: this machine", nil},
	{"properties.ingressConfiguration", "the edge has the limits of the default ingress", nil},
	{"properties.environmentMode", "there are no nodes here, of no kind", not("WorkloadProfiles")},
	{"properties.publicNetworkAccess", "the edge always listens on loopback only", nil},
}

// routeConfigDrift is the same for a route config.
var routeConfigDrift = []driftRow{
	{"properties.customDomains[].certificateId", "the edge shows a certificate of its own for this name", nil},
}

// resiliencyDrift is the same for a resiliency policy.
var resiliencyDrift = []driftRow{
	{"properties.timeoutPolicy.connectionTimeoutInSeconds", "connecting to a replica has the time limit of the edge", nil},
	{"properties.httpRetryPolicy.matches.headers", "answers are not asked for again because of their headers", nil},
	{"properties.tcpRetryPolicy", "raw TCP connections are tried once", nil},
	{"properties.httpConnectionPool", "requests to the app are not bounded", nil},
	{"properties.tcpConnectionPool", "connections to the app are not bounded", nil},
}

// storageDrift is the same for a storage: what is particular to its volumes is
// said there.
var storageDrift = []driftRow{
	{"properties.azureFile.accountKeyVaultProperties", "no key vault is asked, and no share", nil},
}

// Drift lists the fields of the definition that are not emulated as they stand,
// each once per app, in the order of the table above. A field that was not
// given is not listed.
func (d *Definition) Drift() []Drift {
	var found []Drift
	if env := d.Environment.Resource; env != nil {
		for _, drift := range driftOf(env, environmentDrift) {
			drift.Position = placeIn(d.Environment.tree, drift.Path)
			found = append(found, drift)
		}
	}
	for _, s := range d.Environment.StorageResources {
		found = append(found, childDrift(s.EnvironmentStorage, storageDrift, s.origin)...)
	}
	for _, c := range d.Environment.RouteConfigs {
		found = append(found, childDrift(c.HTTPRouteConfig, routeConfigDrift, c.origin)...)
	}
	for i := range d.Apps {
		app := &d.Apps[i]
		for _, drift := range driftOf(&app.ContainerApp, appDrift) {
			drift.App, drift.Position = app.Name, app.Origin(drift.Path).Position
			if drift.Position.File == "" {
				drift.Position = placeIn(app.origin.tree, drift.Path)
			}
			found = append(found, drift)
		}
		if app.Resiliency != nil {
			found = append(found, childDrift(app.Resiliency.ResiliencyPolicy, resiliencyDrift, app.Resiliency.origin)...)
		}
	}
	return found
}

func childDrift(resource any, rows []driftRow, o origins) []Drift {
	found := driftOf(resource, rows)
	for i := range found {
		found[i].Position = placeIn(o.tree, found[i].Path)
	}
	return found
}

// placeIn is where the key of a path stands, nowhere when t does not hold it.
func placeIn(t *tree, path string) Position {
	if t == nil {
		return Position{}
	}
	p, _ := t.place(path)
	return p.key
}

var listIndex = lazyregexp.New(`\[\d+\]`)

func driftOf(resource any, rows []driftRow) []Drift {
	paths := map[string]string{} // the first of each pattern
	flatten(plain(resource), "", func(path aca.Path, value any) {
		pattern := listIndex.ReplaceAllString(string(path), "[]")
		for _, row := range rows {
			if row.pattern != pattern || row.only != nil && !row.only(value) {
				continue
			}
			if _, seen := paths[pattern]; !seen {
				paths[pattern] = string(path)
			}
		}
	})
	var found []Drift
	for _, row := range rows {
		if path, ok := paths[row.pattern]; ok {
			found = append(found, Drift{Path: path, Differs: row.differs})
		}
	}
	return found
}

// plain is a value as JSON has it.
func plain(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		panic("bug: a resource does not marshal: " + err.Error())
	}
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		panic("bug: a resource does not unmarshal: " + err.Error())
	}
	return tree
}

// flatten visits every value of a tree, objects and lists included.
func flatten(tree any, path aca.Path, visit func(aca.Path, any)) {
	if path != "" {
		visit(path, tree)
	}
	switch tree := tree.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(tree)) {
			flatten(tree[key], path.Field(key), visit)
		}
	case []any:
		for i, item := range tree {
			flatten(item, path.Index(i), visit)
		}
	}
}
