// Package aca holds the words of Azure Container Apps as plain data: the
// resources of Microsoft.App in ARM's own spelling, their defaults and their
// validation. It imports only the standard library and starts nothing.
//
// The JSON form of every type is ARM's (API version 2025-07-01). Optional
// fields are pointers or have a zero value that means "not given", so that
// what a user wrote can be told from what the service would fill in.
//
// # Struct tags
//
// Besides json, fields carry what Decode, the JSON Schema and the drift report
// need to know about them:
//
//	enum:"Single|Multiple"  the values, in the casing the service answers with
//	aca:"readonly"          answered by the service, ignored when written
//	aca:"required"          the schema wants it
//	aca:"scalar"            a number or boolean is read as its text
//	aca:"answered"          answered even when it is unset, see Answer
//	aca:"offset"            a time answered with its offset, see Answer
package aca

import "time"

// ContainerApp is one app: Microsoft.App/containerApps.
type ContainerApp struct {
	ID               string            `json:"id,omitempty" aca:"readonly"`
	Name             string            `json:"name,omitempty"`
	Type             string            `json:"type,omitempty"`
	Location         string            `json:"location,omitempty"`
	Tags             map[string]string `json:"tags,omitempty" aca:"scalar,answered"`
	Identity         *Identity         `json:"identity,omitempty"`
	Properties       AppProperties     `json:"properties"`
	Kind             string            `json:"kind,omitempty"`
	ManagedBy        string            `json:"managedBy,omitempty"`
	ExtendedLocation *ExtendedLocation `json:"extendedLocation,omitempty"`
	SystemData       *SystemData       `json:"systemData,omitempty" aca:"readonly"`
	Etag             string            `json:"etag,omitempty" aca:"readonly"`

	// ResourceGroup stands in az's answers and in the YAML it takes; ARM has it
	// in the id.
	ResourceGroup string `json:"resourceGroup,omitempty"`
}

// ExtendedLocation places an app on a connected environment.
type ExtendedLocation struct {
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`
}

// Identity is the managed identity of an app.
type Identity struct {
	Type                   string         `json:"type,omitempty" enum:"None|SystemAssigned|UserAssigned|SystemAssigned,UserAssigned"`
	PrincipalID            string         `json:"principalId,omitempty" aca:"readonly"`
	TenantID               string         `json:"tenantId,omitempty" aca:"readonly"`
	UserAssignedIdentities map[string]any `json:"userAssignedIdentities,omitempty"`
}

// AppProperties is what an app is made of. The fields after Template are
// read-only: the emulator fills them in.
type AppProperties struct {
	EnvironmentID        string        `json:"environmentId,omitempty"`
	ManagedEnvironmentID string        `json:"managedEnvironmentId,omitempty"`
	WorkloadProfileName  string        `json:"workloadProfileName,omitempty"`
	Configuration        Configuration `json:"configuration"`
	Template             Template      `json:"template"`

	ProvisioningState          string                 `json:"provisioningState,omitempty" aca:"readonly"`
	RunningStatus              string                 `json:"runningStatus,omitempty" aca:"readonly"`
	LatestRevisionName         string                 `json:"latestRevisionName,omitempty" aca:"readonly"`
	LatestReadyRevisionName    string                 `json:"latestReadyRevisionName,omitempty" aca:"readonly"`
	LatestRevisionFqdn         string                 `json:"latestRevisionFqdn,omitempty" aca:"readonly"`
	CustomDomainVerificationID string                 `json:"customDomainVerificationId,omitempty" aca:"readonly,answered"`
	OutboundIPAddresses        []string               `json:"outboundIpAddresses,omitempty" aca:"readonly"`
	EventStreamEndpoint        string                 `json:"eventStreamEndpoint,omitempty" aca:"readonly,answered"`
	DelegatedIdentities        []any                  `json:"delegatedIdentities,omitzero" aca:"readonly"`
	DeploymentErrors           string                 `json:"deploymentErrors,omitempty" aca:"readonly"`
	PatchingConfiguration      *PatchingConfiguration `json:"patchingConfiguration,omitempty"`

	// PatchingMode is what previews before PatchingConfiguration have.
	PatchingMode string `json:"patchingMode,omitempty" enum:"Automatic|Manual|Disabled"`
}

// PatchingConfiguration says whether the platform renews the base of an image
// it has built.
type PatchingConfiguration struct {
	PatchingMode string `json:"patchingMode,omitempty" enum:"Automatic|Manual|Disabled"`
}

// RevisionsMode says how many revisions of an app may be active.
type RevisionsMode string

// The revision modes. Single is the default.
const (
	Single   RevisionsMode = "Single"
	Multiple RevisionsMode = "Multiple"
	Labels   RevisionsMode = "Labels"
)

// Configuration is the part of an app that applies to all its revisions:
// changing it makes no new revision.
type Configuration struct {
	ActiveRevisionsMode         RevisionsMode     `json:"activeRevisionsMode,omitempty" enum:"Single|Multiple|Labels"`
	MaxInactiveRevisions        *int              `json:"maxInactiveRevisions,omitempty" aca:"answered"`
	TargetLabel                 string            `json:"targetLabel,omitempty"`
	RevisionTransitionThreshold *int              `json:"revisionTransitionThreshold,omitempty"`
	Ingress                     *Ingress          `json:"ingress,omitempty" aca:"answered"`
	Secrets                     []Secret          `json:"secrets,omitempty" aca:"answered"`
	Registries                  []Registry        `json:"registries,omitempty" aca:"answered"`
	Dapr                        *Dapr             `json:"dapr,omitempty" aca:"answered"`
	IdentitySettings            []IdentitySetting `json:"identitySettings,omitempty"`
	Runtime                     map[string]any    `json:"runtime,omitempty"`
	Service                     *Service          `json:"service,omitempty" aca:"answered"`
	AgentSettings               map[string]any    `json:"agentSettings,omitempty"` // a preview
}

// Dapr is the sidecar of an app. Changing it makes no revision but restarts
// all of them.
type Dapr struct {
	Enabled            bool           `json:"enabled"`
	AppID              string         `json:"appId,omitempty"`
	AppPort            *int           `json:"appPort,omitempty"`
	AppProtocol        string         `json:"appProtocol,omitempty" enum:"http|grpc"`
	HTTPMaxRequestSize *int           `json:"httpMaxRequestSize,omitempty"` // MB
	HTTPReadBufferSize *int           `json:"httpReadBufferSize,omitempty"` // KB
	LogLevel           string         `json:"logLevel,omitempty" enum:"info|debug|warn|error"`
	EnableAPILogging   bool           `json:"enableApiLogging,omitempty"`
	MaxConcurrency     *int           `json:"maxConcurrency,omitempty"`
	AppHealth          map[string]any `json:"appHealth,omitempty"`
}

// IdentitySetting says in which containers an identity may be used.
type IdentitySetting struct {
	Identity  string `json:"identity" aca:"required"`
	Lifecycle string `json:"lifecycle,omitempty" enum:"Init|Main|None|All"`
}

// Service marks an app as a development service that others bind to.
type Service struct {
	Type string `json:"type" aca:"required"`
}

// ServiceBind binds a container app to a development service.
type ServiceBind struct {
	ServiceID      string            `json:"serviceId,omitempty"`
	Name           string            `json:"name,omitempty"`
	ClientType     string            `json:"clientType,omitempty"`
	CustomizedKeys map[string]string `json:"customizedKeys,omitempty"`
}

// Secret is one named secret of an app. Value never leaves the daemon.
type Secret struct {
	Name        string `json:"name" aca:"required"`
	Value       string `json:"value,omitempty" aca:"scalar"`
	KeyVaultURL string `json:"keyVaultUrl,omitempty"`
	Identity    string `json:"identity,omitempty"`
}

// Registry is one registry an app pulls from.
type Registry struct {
	Server            string `json:"server" aca:"required"`
	Username          string `json:"username,omitempty"`
	PasswordSecretRef string `json:"passwordSecretRef,omitempty"`
	Identity          string `json:"identity,omitempty"`
}

// Transport is the protocol spoken to the container.
type Transport string

// The transports. Auto is the default and means HTTP/1.1 towards the container.
const (
	TransportAuto  Transport = "Auto"
	TransportHTTP  Transport = "Http"
	TransportHTTP2 Transport = "Http2"
	TransportTCP   Transport = "Tcp"
)

// Ingress is the endpoint of an app; a nil *Ingress means it has none.
type Ingress struct {
	External               bool                    `json:"external"`
	TargetPort             int                     `json:"targetPort,omitempty" aca:"answered"`
	ExposedPort            int                     `json:"exposedPort,omitempty" aca:"answered"`
	Transport              Transport               `json:"transport,omitempty" enum:"Auto|Http|Http2|Tcp"`
	TargetPortHTTPScheme   string                  `json:"targetPortHttpScheme,omitempty" enum:"http|https"`
	AllowInsecure          bool                    `json:"allowInsecure,omitempty" aca:"answered"`
	ClientCertificateMode  string                  `json:"clientCertificateMode,omitempty" enum:"ignore|accept|require" aca:"answered"`
	AdditionalPortMappings []PortMapping           `json:"additionalPortMappings,omitempty" aca:"answered"`
	CorsPolicy             *CorsPolicy             `json:"corsPolicy,omitempty" aca:"answered"`
	IPSecurityRestrictions []IPSecurityRestriction `json:"ipSecurityRestrictions,omitempty" aca:"answered"`
	StickySessions         *StickySessions         `json:"stickySessions,omitempty" aca:"answered"`
	CustomDomains          []CustomDomain          `json:"customDomains,omitempty" aca:"answered"`
	Traffic                []TrafficWeight         `json:"traffic,omitempty" aca:"answered"`
	Fqdn                   string                  `json:"fqdn,omitempty" aca:"readonly,answered"`
}

// PortMapping is one additional TCP port of an app.
type PortMapping struct {
	External    bool `json:"external" aca:"required"`
	TargetPort  int  `json:"targetPort" aca:"required"`
	ExposedPort int  `json:"exposedPort,omitempty"`
}

// CorsPolicy is answered by the edge on the app's behalf.
type CorsPolicy struct {
	AllowedOrigins   []string `json:"allowedOrigins,omitempty" aca:"required"`
	AllowedMethods   []string `json:"allowedMethods,omitempty"`
	AllowedHeaders   []string `json:"allowedHeaders,omitempty"`
	ExposeHeaders    []string `json:"exposeHeaders,omitempty"`
	AllowCredentials bool     `json:"allowCredentials,omitempty"`
	MaxAge           *int     `json:"maxAge,omitempty"`
}

// IPSecurityRestriction allows or denies a range of client addresses.
type IPSecurityRestriction struct {
	Name           string `json:"name" aca:"required"`
	Description    string `json:"description,omitempty"`
	IPAddressRange string `json:"ipAddressRange" aca:"required"`
	Action         string `json:"action" aca:"required" enum:"Allow|Deny"`
}

// StickySessions pins a client to a replica.
type StickySessions struct {
	Affinity string `json:"affinity,omitempty" enum:"none|sticky"`
}

// CustomDomain is a further host name of an app.
type CustomDomain struct {
	Name          string `json:"name" aca:"required"`
	BindingType   string `json:"bindingType,omitempty" enum:"Disabled|SniEnabled|Auto"`
	CertificateID string `json:"certificateId,omitempty"`
}

// TrafficWeight is a share of an app's requests, in percent, for a revision
// name, for the latest ready revision, or only a label.
type TrafficWeight struct {
	RevisionName   string `json:"revisionName,omitempty"`
	LatestRevision bool   `json:"latestRevision,omitempty"`
	Weight         int    `json:"weight"`
	Label          string `json:"label,omitempty"`
}

// Template is the part of an app that a revision is a snapshot of: changing
// it makes a new revision.
type Template struct {
	RevisionSuffix                string        `json:"revisionSuffix,omitempty" aca:"scalar,answered"`
	TerminationGracePeriodSeconds *int          `json:"terminationGracePeriodSeconds,omitempty" aca:"answered"`
	InitContainers                []Container   `json:"initContainers,omitempty" aca:"answered"`
	Containers                    []Container   `json:"containers,omitempty" aca:"required,answered"`
	Scale                         *Scale        `json:"scale,omitempty" aca:"answered"`
	Volumes                       []Volume      `json:"volumes,omitempty" aca:"answered"`
	ServiceBinds                  []ServiceBind `json:"serviceBinds,omitempty" aca:"answered"`
}

// Container is one container of a replica, or one of its init containers
// (which have no probes).
type Container struct {
	Name         string        `json:"name" aca:"required"`
	Image        string        `json:"image" aca:"required"`
	ImageType    string        `json:"imageType,omitempty" aca:"readonly"`
	Command      []string      `json:"command,omitempty"`
	Args         []string      `json:"args,omitempty"`
	Env          []EnvVar      `json:"env,omitempty"`
	Resources    *Resources    `json:"resources,omitempty"`
	Probes       []Probe       `json:"probes,omitempty"`
	VolumeMounts []VolumeMount `json:"volumeMounts,omitempty"`
}

// EnvVar is a variable with a value or a reference to a secret.
type EnvVar struct {
	Name      string `json:"name" aca:"required"`
	Value     string `json:"value,omitempty" aca:"scalar"`
	SecretRef string `json:"secretRef,omitempty"`
}

// Resources are the requests and limits of a container, which ACA keeps
// equal. CPU is in cores, GPU in devices; Memory and EphemeralStorage are
// quantities in Gi.
type Resources struct {
	CPU              float64 `json:"cpu,omitempty"`
	Memory           string  `json:"memory,omitempty"`
	GPU              float64 `json:"gpu,omitempty"`
	EphemeralStorage string  `json:"ephemeralStorage,omitempty" aca:"readonly"`
}

// ProbeType names one of the three probes.
type ProbeType string

// The probe types.
const (
	Startup   ProbeType = "Startup"
	Readiness ProbeType = "Readiness"
	Liveness  ProbeType = "Liveness"
)

// Probe is one health check as the user wrote it; nil numbers take the
// schema's defaults (period 10 s, timeout 1 s, success 1, failure 3).
type Probe struct {
	Type                          ProbeType  `json:"type" aca:"required" enum:"Startup|Readiness|Liveness"`
	HTTPGet                       *HTTPGet   `json:"httpGet,omitempty"`
	TCPSocket                     *TCPSocket `json:"tcpSocket,omitempty"`
	InitialDelaySeconds           *int       `json:"initialDelaySeconds,omitempty"`
	PeriodSeconds                 *int       `json:"periodSeconds,omitempty"`
	TimeoutSeconds                *int       `json:"timeoutSeconds,omitempty"`
	SuccessThreshold              *int       `json:"successThreshold,omitempty"`
	FailureThreshold              *int       `json:"failureThreshold,omitempty"`
	TerminationGracePeriodSeconds *int       `json:"terminationGracePeriodSeconds,omitempty"`
}

// HTTPGet is the request of an HTTP probe.
type HTTPGet struct {
	Path        string       `json:"path,omitempty"`
	Port        int          `json:"port" aca:"required"`
	Scheme      string       `json:"scheme,omitempty" enum:"HTTP|HTTPS"`
	Host        string       `json:"host,omitempty"`
	HTTPHeaders []HTTPHeader `json:"httpHeaders,omitempty"`
}

// HTTPHeader is one header of an HTTP probe; names may repeat.
type HTTPHeader struct {
	Name  string `json:"name" aca:"required"`
	Value string `json:"value" aca:"required,scalar"`
}

// TCPSocket is the address of a TCP probe.
type TCPSocket struct {
	Port int    `json:"port" aca:"required"`
	Host string `json:"host,omitempty"`
}

// Scale bounds the number of replicas of a revision.
type Scale struct {
	MinReplicas     *int        `json:"minReplicas,omitempty" aca:"answered"`
	MaxReplicas     *int        `json:"maxReplicas,omitempty" aca:"answered"`
	CooldownPeriod  *int        `json:"cooldownPeriod,omitempty" aca:"answered"`
	PollingInterval *int        `json:"pollingInterval,omitempty" aca:"answered"`
	Rules           []ScaleRule `json:"rules,omitempty" aca:"answered"`
}

// ScaleRule is one reason to add replicas.
type ScaleRule struct {
	Name       string           `json:"name" aca:"required"`
	HTTP       *RuleMetadata    `json:"http,omitempty"`
	TCP        *RuleMetadata    `json:"tcp,omitempty"`
	Custom     *CustomScaleRule `json:"custom,omitempty"`
	AzureQueue *AzureQueueRule  `json:"azureQueue,omitempty"`
}

// RuleMetadata is the body of an HTTP or TCP rule.
type RuleMetadata struct {
	Metadata map[string]string `json:"metadata,omitempty" aca:"scalar"`
	Auth     []ScaleRuleAuth   `json:"auth,omitempty"`
	Identity string            `json:"identity,omitempty"`
}

// CustomScaleRule is the body of a rule named by its KEDA type.
type CustomScaleRule struct {
	Type     string            `json:"type,omitempty" aca:"required"`
	Metadata map[string]string `json:"metadata,omitempty" aca:"scalar"`
	Auth     []ScaleRuleAuth   `json:"auth,omitempty"`
	Identity string            `json:"identity,omitempty"`
}

// AzureQueueRule is the body of a storage queue rule.
type AzureQueueRule struct {
	AccountName string          `json:"accountName,omitempty"`
	QueueName   string          `json:"queueName,omitempty"`
	QueueLength *int            `json:"queueLength,omitempty"`
	Auth        []ScaleRuleAuth `json:"auth,omitempty"`
	Identity    string          `json:"identity,omitempty"`
}

// ScaleRuleAuth hands a secret to a parameter of a rule.
type ScaleRuleAuth struct {
	SecretRef        string `json:"secretRef" aca:"required"`
	TriggerParameter string `json:"triggerParameter" aca:"required"`
}

// Volume is storage that containers of a replica mount.
type Volume struct {
	Name         string         `json:"name" aca:"required"`
	StorageType  string         `json:"storageType,omitempty" enum:"EmptyDir|AzureFile|NfsAzureFile|Secret|Smb"`
	StorageName  string         `json:"storageName,omitempty"`
	MountOptions string         `json:"mountOptions,omitempty"`
	Secrets      []SecretVolume `json:"secrets,omitempty"`
}

// SecretVolume is one file of a secret volume.
type SecretVolume struct {
	SecretRef string `json:"secretRef" aca:"required"`
	Path      string `json:"path,omitempty"`
}

// VolumeMount puts a volume into a container.
type VolumeMount struct {
	VolumeName string `json:"volumeName" aca:"required"`
	MountPath  string `json:"mountPath" aca:"required"`
	SubPath    string `json:"subPath,omitempty"`
}

// Revision is an immutable snapshot of a template:
// Microsoft.App/containerApps/revisions.
type Revision struct {
	ID            string             `json:"id,omitempty"`
	Name          string             `json:"name"`
	Type          string             `json:"type,omitempty"`
	ResourceGroup string             `json:"resourceGroup,omitempty"`
	Properties    RevisionProperties `json:"properties"`
}

// RevisionProperties are the states of a revision and its template. The three
// state words are kept apart as ACA keeps them.
type RevisionProperties struct {
	Active              bool      `json:"active"`
	CreatedTime         time.Time `json:"createdTime" aca:"offset"`
	LastActiveTime      time.Time `json:"lastActiveTime,omitzero" aca:"offset"`
	Fqdn                string    `json:"fqdn,omitempty"`
	HealthState         string    `json:"healthState"`
	ProvisioningError   string    `json:"provisioningError,omitempty"`
	ProvisioningState   string    `json:"provisioningState"`
	Replicas            int       `json:"replicas"`
	RunningState        string    `json:"runningState"`
	RunningStateDetails string    `json:"runningStateDetails"`
	Template            Template  `json:"template"`
	TrafficWeight       int       `json:"trafficWeight"`
	Labels              []string  `json:"labels,omitempty"`
}

// Replica is one running copy of a revision:
// Microsoft.App/containerApps/revisions/replicas.
type Replica struct {
	ID            string            `json:"id,omitempty"`
	Name          string            `json:"name"`
	Type          string            `json:"type,omitempty"`
	ResourceGroup string            `json:"resourceGroup,omitempty"`
	Properties    ReplicaProperties `json:"properties"`
}

// ReplicaProperties are the state of a replica and its containers.
type ReplicaProperties struct {
	CreatedTime         time.Time          `json:"createdTime"`
	RunningState        string             `json:"runningState"`
	RunningStateDetails string             `json:"runningStateDetails"`
	Containers          []ReplicaContainer `json:"containers"`
	InitContainers      []ReplicaContainer `json:"initContainers"`
}

// ReplicaContainer is the state of one container of a replica.
type ReplicaContainer struct {
	Name                string `json:"name"`
	ContainerID         string `json:"containerId,omitempty"`
	Ready               bool   `json:"ready"`
	Started             bool   `json:"started"`
	RestartCount        int    `json:"restartCount"`
	RunningState        string `json:"runningState"`
	RunningStateDetails string `json:"runningStateDetails"`
}
