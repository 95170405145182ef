package logsink

import (
	"slices"

	"github.com/acalocal/acalocal/logsink/kql"
)

// origin says where a view's column comes from.
type origin uint8

const (
	fromConstant origin = iota // text
	fromTime                   // the row's time
	fromUnix                   // the row's time in seconds since 1970
	fromEvent                  // the row's time as the live stream prints it
	fromInt                    // number column col, divided by scale
	fromTuple                  // field of tuple column col
	fromText                   // text column col
	fromSeq                    // the row's sequence number
	fromBool                   // number column col, 0 or 1
	fromReal                   // number column col, divided by scale, with a fraction
	fromSeverity               // number column col, of type Severity
	fromBucket                 // number column col, a duration: its class
	fromJSON                   // text column col, as a dynamic value
)

// viewColumn is a column of a view.
type viewColumn struct {
	kql.Column
	origin     origin
	col, field int
	scale      int64
	text       string
}

// view is a table as queries see it: columns made from those of a stored one.
type view struct {
	name    string
	def     *tableDef
	columns []viewColumn
	only    *nameTest // rows that it shows; nil for all
	of      string    // the view that stands for the same rows in patterns, "" when it is this one
}

func (v *view) schema() kql.Schema {
	s := make(kql.Schema, len(v.columns))
	for i, c := range v.columns {
		s[i] = c.Column
	}
	return s
}

func constant(name, text string) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.String}, origin: fromConstant, text: text}
}

// empties are columns that always exist and never hold anything here.
func empties(names ...string) []viewColumn {
	var list []viewColumn
	for _, n := range names {
		list = append(list, constant(n, ""))
	}
	return list
}

func timeOf(name string) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.DateTime}, origin: fromTime}
}

func unixOf(name string) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.Real}, origin: fromUnix}
}

func eventTimeOf(name string) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.String}, origin: fromEvent}
}

func seqOf(name string) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.Real}, origin: fromSeq}
}

func nameOf(name string, col, field int) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.String}, origin: fromTuple, col: col, field: field}
}

func textOf(name string, col int) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.String}, origin: fromText, col: col}
}

func numberOf(name string, t kql.Type, col int, scale int64) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: t}, origin: fromInt, col: col, scale: scale}
}

func zeroOf(name string) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.Real}, origin: fromConstant}
}

// group joins columns, given one by one or as lists.
func group(parts ...any) []viewColumn {
	var list []viewColumn
	for _, p := range parts {
		switch p := p.(type) {
		case viewColumn:
			list = append(list, p)
		case []viewColumn:
			list = append(list, p...)
		}
	}
	return list
}

// views returns all tables of a store that queries can name, sorted.
//
// The columns of the _CL tables are those of real rows and of Azure's own
// sample queries; where these disagree on a suffix, both names are there
// (ContainerGroupName_g, ContainerId_g). The others are documented in
// https://learn.microsoft.com/azure/azure-monitor/reference/tables/.
func views(o Options) []*view {
	list := []*view{
		consoleCL(o), consoleSpecific(o), systemCL(o), systemSpecific(o), requestView(o), metricView(o),
	}
	list = append(list, telemetryViews(o)...)
	slices.SortFunc(list, func(a, b *view) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return list
}

// TableNames returns the names of all tables of a store, sorted.
func TableNames() []string {
	var names []string
	for _, v := range views(Options{}) {
		names = append(names, v.name)
	}
	return names
}

func consoleCL(o Options) *view {
	const table = consoleCLTable
	return &view{name: table, def: consoleDef, columns: group(
		constant("TenantId", o.WorkspaceID), constant("SourceSystem", "RestAPI"),
		empties("MG", "ManagementGroupName"), timeOf("TimeGenerated"), empties("Computer", "RawData"),
		nameOf("ContainerAppName_s", consoleSource, fieldApp), constant("ContainerJobName_s", ""),
		nameOf("RevisionName_s", consoleSource, fieldRevision),
		nameOf("ContainerGroupName_s", consoleSource, fieldReplica),
		nameOf("ContainerGroupId_g", consoleSource, fieldReplicaID),
		nameOf("ContainerName_s", consoleSource, fieldContainer),
		nameOf("ContainerId_s", consoleSource, fieldContainerID),
		nameOf("ContainerImage_s", consoleSource, fieldImage),
		constant("EnvironmentName_s", o.Environment),
		nameOf("Stream_s", consoleStream, 0), textOf("Log_s", 0),
		constant("Category", "ContainerAppConsoleLogs"), timeOf("time_t"), unixOf("_timestamp_d"),
		constant("Type", table), constant("_ResourceId", ""),
		nameOf("ContainerGroupName_g", consoleSource, fieldReplica),
		nameOf("ContainerId_g", consoleSource, fieldContainerID),
		empties("JobName_s", "ExecutionName_s"), nameOf("logtag_s", consoleStream, 1), seqOf("_seq_d"),
	)}
}

func consoleSpecific(o Options) *view {
	const table = "ContainerAppConsoleLogs"
	return &view{name: table, def: consoleDef, of: consoleCLTable, columns: group(
		constant("TenantId", o.WorkspaceID), timeOf("TimeGenerated"),
		nameOf("ContainerAppName", consoleSource, fieldApp),
		nameOf("ContainerGroupId", consoleSource, fieldReplicaID),
		nameOf("ContainerGroupName", consoleSource, fieldReplica),
		nameOf("ContainerId", consoleSource, fieldContainerID),
		nameOf("ContainerImage", consoleSource, fieldImage),
		nameOf("ContainerName", consoleSource, fieldContainer),
		constant("EnvironmentName", o.Environment), empties("JobName", "Location"), textOf("Log", 0),
		constant("OperationName", ""), nameOf("RevisionName", consoleSource, fieldRevision),
		constant("SourceSystem", "Azure"), nameOf("Stream", consoleStream, 0), constant("Type", table),
		empties("_ResourceId", "_SubscriptionId"), zeroOf("_BilledSize"), constant("_IsBillable", "False"),
	)}
}

func systemCL(o Options) *view {
	const table = "ContainerAppSystemLogs_CL"
	return &view{name: table, def: systemDef, columns: group(
		constant("TenantId", o.WorkspaceID), constant("SourceSystem", "RestAPI"),
		empties("MG", "ManagementGroupName"), timeOf("TimeGenerated"), empties("Computer", "RawData"),
		nameOf("ContainerAppName_s", systemSource, 0), nameOf("RevisionName_s", systemSource, 1),
		nameOf("ReplicaName_s", systemSource, 2), empties("JobName_s", "ExecutionName_s"),
		constant("EnvironmentName_s", o.Environment),
		nameOf("Reason_s", systemKind, 1), nameOf("Type_s", systemKind, 0), textOf("Log_s", 0),
		constant("Error_s", ""), nameOf("EventSource_s", systemKind, 2),
		numberOf("Count_d", kql.Real, systemCount, 1), constant("Level", ""),
		constant("Category", "ContainerAppSystemLogs"), eventTimeOf("TimeStamp_s"), eventTimeOf("time_s"),
		timeOf("time_t"), unixOf("_timestamp_d"), constant("Type", table), constant("_ResourceId", ""),
		seqOf("_seq_d"),
	)}
}

// systemSpecific is the one table whose Type is not its name but the severity.
func systemSpecific(o Options) *view {
	return &view{name: "ContainerAppSystemLogs", def: systemDef, of: "ContainerAppSystemLogs_CL", columns: group(
		constant("TenantId", o.WorkspaceID), timeOf("TimeGenerated"), empties("ComponentName", "ComponentType"),
		nameOf("ContainerAppName", systemSource, 0), constant("ContainerName", ""),
		numberOf("Count", kql.Int, systemCount, 1), constant("EnvironmentName", o.Environment),
		nameOf("EventSource", systemKind, 2), empties("JobName", "Location"), textOf("Log", 0),
		constant("OperationName", ""), nameOf("Reason", systemKind, 1), nameOf("ReplicaName", systemSource, 2),
		nameOf("RevisionName", systemSource, 1), constant("SourceSystem", "Azure"), nameOf("Type", systemKind, 0),
		empties("_ResourceId", "_SubscriptionId"), zeroOf("_BilledSize"), constant("_IsBillable", "False"),
	)}
}

// requestView has the documented columns and, at the end, our own: the parts
// of the time it took, why revision and replica were chosen, why the edge
// answered itself, its trace.
func requestView(o Options) *view {
	const (
		table = "ContainerAppHTTPLogs"
		ms    = 1e6
	)
	return &view{name: table, def: requestDef, columns: group(
		constant("TenantId", o.WorkspaceID), timeOf("TimeGenerated"), nameOf("Authority", 1, 1),
		numberOf("BytesReceived", kql.Long, requestReceived, 1), numberOf("BytesSent", kql.Long, requestSent, 1),
		textOf("ConnectionId", 4), nameOf("ContainerAppName", 0, 0), constant("EnvironmentName", o.Environment),
		nameOf("EnvoyContainerId", 0, 4), nameOf("EnvoyPodName", 0, 5), constant("Location", ""),
		nameOf("Method", 1, 0), constant("OperationName", ""), textOf("Path", 0), nameOf("Protocol", 1, 2),
		nameOf("ReplicaName", 0, 2), numberOf("RequestDuration", kql.Long, requestDuration, ms), textOf("RequestId", 3),
		nameOf("ResponseCodeDetails", 2, 1), nameOf("ResponseFlags", 2, 0), nameOf("RevisionName", 0, 1),
		constant("SourceSystem", "Azure"), timeOf("StartTime"), numberOf("StatusCode", kql.Int, requestStatus, 1),
		constant("Type", table), nameOf("UpstreamHost", 0, 3),
		numberOf("UpstreamRequestAttemptCount", kql.Int, requestAttempts, 1), textOf("UserAgent", 1),
		textOf("XForwardedFor", 2), empties("_ResourceId", "_SubscriptionId"), zeroOf("_BilledSize"),
		constant("_IsBillable", "False"), numberOf("HeldDuration", kql.Long, requestHeld, ms),
		numberOf("ConnectDuration", kql.Long, requestConnect, ms),
		numberOf("FirstByteDuration", kql.Long, requestFirstByte, ms),
		nameOf("RevisionWhy", 3, 0), nameOf("ReplicaWhy", 3, 1), textOf("Reason", 6), textOf("TraceId", 5), seqOf("_seq_d"),
	)}
}
