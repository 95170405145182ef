package aca

// ManagedEnvironment is what apps run in: Microsoft.App/managedEnvironments.
type ManagedEnvironment struct {
	ID               string                `json:"id,omitempty" aca:"readonly"`
	Name             string                `json:"name,omitempty"`
	Type             string                `json:"type,omitempty"`
	Kind             string                `json:"kind,omitempty"`
	Location         string                `json:"location,omitempty"`
	Tags             map[string]string     `json:"tags,omitempty" aca:"scalar,answered"`
	Identity         *Identity             `json:"identity,omitempty"`
	ExtendedLocation *ExtendedLocation     `json:"extendedLocation,omitempty"`
	SystemData       *SystemData           `json:"systemData,omitempty" aca:"readonly"`
	ResourceGroup    string                `json:"resourceGroup,omitempty"`
	Properties       EnvironmentProperties `json:"properties"`
}

// EnvironmentProperties are the settings of an environment. What the emulator
// has no use for is kept as written.
type EnvironmentProperties struct {
	ProvisioningState           string                      `json:"provisioningState,omitempty" aca:"readonly"`
	DefaultDomain               string                      `json:"defaultDomain,omitempty" aca:"readonly"`
	StaticIP                    string                      `json:"staticIp,omitempty" aca:"readonly"`
	EventStreamEndpoint         string                      `json:"eventStreamEndpoint,omitempty" aca:"readonly,answered"`
	DeploymentErrors            string                      `json:"deploymentErrors,omitempty" aca:"readonly"`
	PrivateLinkDefaultDomain    string                      `json:"privateLinkDefaultDomain,omitempty" aca:"readonly"`
	PrivateEndpointConnections  []any                       `json:"privateEndpointConnections,omitempty" aca:"readonly"`
	AppLogsConfiguration        *AppLogsConfiguration       `json:"appLogsConfiguration,omitempty"`
	AppInsightsConfiguration    *AppInsightsConfiguration   `json:"appInsightsConfiguration,omitempty"`
	OpenTelemetryConfiguration  *OpenTelemetryConfiguration `json:"openTelemetryConfiguration,omitempty"`
	VnetConfiguration           map[string]any              `json:"vnetConfiguration,omitempty" aca:"answered"`
	ZoneRedundant               bool                        `json:"zoneRedundant,omitempty" aca:"answered"`
	WorkloadProfiles            []WorkloadProfile           `json:"workloadProfiles,omitempty"`
	CustomDomainConfiguration   map[string]any              `json:"customDomainConfiguration,omitempty" aca:"answered"`
	DaprAIInstrumentationKey    string                      `json:"daprAIInstrumentationKey,omitempty" aca:"answered"`
	DaprAIConnectionString      string                      `json:"daprAIConnectionString,omitempty" aca:"answered"`
	DaprConfiguration           map[string]any              `json:"daprConfiguration,omitempty"`
	KedaConfiguration           map[string]any              `json:"kedaConfiguration,omitempty"`
	DiskEncryptionConfiguration map[string]any              `json:"diskEncryptionConfiguration,omitempty"`
	InfrastructureResourceGroup string                      `json:"infrastructureResourceGroup,omitempty" aca:"answered"`
	PeerAuthentication          map[string]any              `json:"peerAuthentication,omitempty"`
	PeerTrafficConfiguration    map[string]any              `json:"peerTrafficConfiguration,omitempty"`
	IngressConfiguration        map[string]any              `json:"ingressConfiguration,omitempty"`
	EnvironmentMode             string                      `json:"environmentMode,omitempty"` // a preview
	PublicNetworkAccess         string                      `json:"publicNetworkAccess,omitempty" enum:"Enabled|Disabled"`
	AvailabilityZones           []string                    `json:"availabilityZones,omitempty"`
}

// AppLogsConfiguration says where the logs of an environment go.
type AppLogsConfiguration struct {
	Destination               string                     `json:"destination,omitempty" enum:"log-analytics|azure-monitor|none"`
	LogAnalyticsConfiguration *LogAnalyticsConfiguration `json:"logAnalyticsConfiguration,omitempty"`
}

// LogAnalyticsConfiguration names a workspace. SharedKey is never answered.
type LogAnalyticsConfiguration struct {
	CustomerID         string `json:"customerId,omitempty"`
	SharedKey          string `json:"sharedKey,omitempty" aca:"answered"`
	DynamicJSONColumns bool   `json:"dynamicJsonColumns,omitempty"`
}

// WorkloadProfile is a size of node that apps of an environment may use.
type WorkloadProfile struct {
	Name                string `json:"name" aca:"required"`
	WorkloadProfileType string `json:"workloadProfileType" aca:"required"`
	MinimumCount        *int   `json:"minimumCount,omitempty"`
	MaximumCount        *int   `json:"maximumCount,omitempty"`
	EnableFips          bool   `json:"enableFips,omitempty"`
}

// Validate reports what Azure would refuse in the environment.
func (e *ManagedEnvironment) Validate() []Problem {
	var ps problems
	if e.Name != "" && !environmentRule.ok(e.Name) {
		ps.errorf("name", "ManagedEnvironmentInvalidName", "Invalid managed environment name '%s'. A name must consist of letters, digits "+
			"or '-', start with a letter and end with a letter or digit. The length must be between 2 and 60 characters.", clip(e.Name))
	}
	seen := once{}
	for i, w := range e.Properties.WorkloadProfiles {
		if seen.again(w.Name) {
			ps.errorf(Path("properties.workloadProfiles").Index(i).Field("name"), codeInvalidValue, "the workload profile %q is defined twice", w.Name)
		}
	}
	e.Properties.validateTelemetry(&ps)
	return ps
}
