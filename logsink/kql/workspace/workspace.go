// Package workspace declares the tables of a Log Analytics workspace that
// queries about Container Apps name, so that such queries can be checked
// without a store.
package workspace

import (
	"strings"

	"github.com/acalocal/acalocal/logsink/kql"
)

// tables declares the tables queries about Container Apps use; a column
// without a type is a string.
// https://learn.microsoft.com/azure/azure-monitor/reference/tables/containerappconsolelogs
var tables = map[string]string{
	"ContainerAppConsoleLogs_CL": frame + `ContainerAppName_s ContainerJobName_s RevisionName_s ContainerGroupName_s
		ContainerGroupId_g ContainerName_s ContainerId_g ContainerImage_s EnvironmentName_s Stream_s Log_s Category
		time_t:datetime _timestamp_d:real Type _ResourceId`,
	"ContainerAppSystemLogs_CL": frame + `ContainerAppName_s RevisionName_s ReplicaName_s JobName_s ExecutionName_s
		EnvironmentName_s Reason_s Type_s Log_s Error_s EventSource_s Count_d:real Level Category TimeStamp_s
		time_t:datetime _timestamp_d:real Type _ResourceId`,
	"ContainerAppConsoleLogs": `TenantId TimeGenerated:datetime ContainerAppName ContainerGroupId ContainerGroupName ContainerId
		ContainerImage ContainerName EnvironmentName JobName Location Log OperationName RevisionName SourceSystem Stream Type
		_ResourceId _SubscriptionId _BilledSize:real _IsBillable`,
	"ContainerAppSystemLogs": `TenantId TimeGenerated:datetime ComponentName ComponentType ContainerAppName ContainerName Count:int
		EnvironmentName EventSource JobName Location Log OperationName Reason ReplicaName RevisionName SourceSystem Type
		_ResourceId _SubscriptionId _BilledSize:real _IsBillable`,
	"AppTraces":       insights + `Message SeverityLevel:int ReferencedItemId ReferencedType`,
	"AppRequests":     insights + `Id Source Name Url Success:bool ResultCode DurationMs:real ReferencedItemId ReferencedType`,
	"AppDependencies": insights + `Id Target DependencyType Name Data Success:bool ResultCode DurationMs:real`,
	"AppEvents":       insights + `Name`,
	"AppExceptions": insights + `ProblemId HandledAt ExceptionType Assembly Method OuterType OuterMessage OuterAssembly OuterMethod
		InnermostType InnermostMessage InnermostAssembly InnermostMethod SeverityLevel:int Message Details:dynamic`,
	"ContainerAppHTTPLogs": `TenantId TimeGenerated:datetime Authority BytesReceived:long BytesSent:long ConnectionId ContainerAppName
		EnvironmentName EnvoyContainerId EnvoyPodName Location Method OperationName Path Protocol ReplicaName RequestDuration:long
		RequestId ResponseCodeDetails ResponseFlags RevisionName SourceSystem StartTime:datetime StatusCode:int Type UpstreamHost
		UpstreamRequestAttemptCount:int UserAgent XForwardedFor _ResourceId _SubscriptionId _BilledSize:real _IsBillable`,
	"AzureMetrics": `TenantId TimeGenerated:datetime ResourceId OperationName OperationVersion Category ResultType ResultSignature
		ResultDescription DurationMs:long CallerIPAddress CorrelationId ResourceGroup ResourceProvider Resource ResourceType
		MetricName Total:real Count:real Maximum:real Minimum:real Average:real TimeGrain UnitName SubscriptionId SourceSystem
		Type _ResourceId _SubscriptionId`,
	"AzureActivity": `TenantId TimeGenerated:datetime OperationName OperationNameValue Level ActivityStatus ActivityStatusValue
		ActivitySubstatusValue Caller CallerIpAddress Category CategoryValue CorrelationId Properties ResourceGroup
		ResourceProviderValue Resource ResourceId SubscriptionId Authorization HTTPRequest Claims SourceSystem Type _ResourceId`,
	"AppMetrics":   insights + `Name Sum:real Min:real Max:real ItemCount:int`,
	"requests":     classic + `id source name url success:bool resultCode duration:real performanceBucket`,
	"dependencies": classic + `id target type name data success:bool resultCode duration:real performanceBucket`,
	"traces":       classic + `message severityLevel:int`,
	"exceptions": classic + `problemId handledAt type message assembly method outerType outerMessage outerAssembly outerMethod
		innermostType innermostMessage innermostAssembly innermostMethod severityLevel:int details:dynamic`,
	"customEvents":        classic + `name`,
	"customMetrics":       classic + `name value:real valueCount:int valueSum:real valueMin:real valueMax:real`,
	"availabilityResults": classic + `id name location success:bool message duration:real size:real`,
	"performanceCounters": classic + `name category counter instance value:real`,
	"pageViews":           classic + `name url duration:real`,
}

const frame = `TenantId SourceSystem MG ManagementGroupName TimeGenerated:datetime Computer RawData `

const insights = `TenantId TimeGenerated:datetime AppRoleInstance AppRoleName AppVersion ClientBrowser ClientCity ClientCountryOrRegion
	ClientIP ClientModel ClientOS ClientStateOrProvince ClientType IKey ItemCount:int Measurements:dynamic OperationId OperationName
	ParentId Properties:dynamic ResourceGUID SDKVersion SessionId SourceSystem SyntheticSource Type UserAccountId
	UserAuthenticatedId UserId _ResourceId _SubscriptionId _BilledSize:real _IsBillable `

const classic = `timestamp:datetime itemId itemType customDimensions:dynamic customMeasurements:dynamic operation_Name operation_Id
	operation_ParentId operation_SyntheticSource session_Id user_Id user_AuthenticatedId user_AccountId application_Version
	client_Type client_Model client_OS client_IP client_City client_StateOrProvince client_CountryOrRegion client_Browser
	cloud_RoleName cloud_RoleInstance appId appName iKey sdkVersion itemCount:int _ResourceId `

// Tables returns the tables, without rows.
func Tables() kql.Tables {
	out := kql.Tables{}
	for name, decl := range tables {
		t := &kql.MemTable{}
		seen := map[string]bool{}
		for _, f := range strings.Fields(decl) {
			col, typ, _ := strings.Cut(f, ":")
			c := kql.Column{Name: col, Type: kql.String}
			if p, ok := kql.ParseType(typ); ok {
				c.Type = p
			}
			if !seen[col] {
				seen[col] = true
				t.Cols = append(t.Cols, c)
			}
		}
		out[name] = t
	}
	return out
}
