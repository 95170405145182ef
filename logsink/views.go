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

func name(name string, col, field int) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.String}, origin: fromTuple, col: col, field: field}
}

func text(name string, col int) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.String}, origin: fromText, col: col}
}

func number(name string, t kql.Type, col int, scale int64) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: t}, origin: fromInt, col: col, scale: scale}
}

func zero(name string) viewColumn {
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
		consoleCL(o), consoleSpecific(o), systemCL(o), systemSpecific(o), requestView(o),
	}
	slices.SortFunc(list, func(a, b *view) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return list
}

func consoleCL(o Options) *view {
	const table = "ContainerAppConsoleLogs_CL"
	return &view{table, consoleDef, group(
		constant("TenantId", o.WorkspaceID), constant("SourceSystem", "RestAPI"),
		empties("MG", "ManagementGroupName"), timeOf("TimeGenerated"), empties("Computer", "RawData"),
		name("ContainerAppName_s", consoleSource, fieldApp), constant("ContainerJobName_s", ""),
		name("RevisionName_s", consoleSource, fieldRevision),
		name("ContainerGroupName_s", consoleSource, fieldReplica),
		name("ContainerGroupId_g", consoleSource, fieldReplicaID),
		name("ContainerName_s", consoleSource, fieldContainer),
		name("ContainerId_s", consoleSource, fieldContainerID),
		name("ContainerImage_s", consoleSource, fieldImage),
		constant("EnvironmentName_s", o.Environment),
		name("Stream_s", consoleStream, 0), text("Log_s", 0),
		constant("Category", "ContainerAppConsoleLogs"), timeOf("time_t"), unixOf("_timestamp_d"),
		constant("Type", table), constant("_ResourceId", ""),
		name("ContainerGroupName_g", consoleSource, fieldReplica),
		name("ContainerId_g", consoleSource, fieldContainerID),
		empties("JobName_s", "ExecutionName_s"), name("logtag_s", consoleStream, 1), seqOf("_seq_d"),
	)}
}

func consoleSpecific(o Options) *view {
	const table = "ContainerAppConsoleLogs"
	return &view{table, consoleDef, group(
		constant("TenantId", o.WorkspaceID), timeOf("TimeGenerated"),
		name("ContainerAppName", consoleSource, fieldApp),
		name("ContainerGroupId", consoleSource, fieldReplicaID),
		name("ContainerGroupName", consoleSource, fieldReplica),
		name("ContainerId", consoleSource, fieldContainerID),
		name("ContainerImage", consoleSource, fieldImage),
		name("ContainerName", consoleSource, fieldContainer),
		constant("EnvironmentName", o.Environment), empties("JobName", "Location"), text("Log", 0),
		constant("OperationName", ""), name("RevisionName", consoleSource, fieldRevision),
		constant("SourceSystem", "Azure"), name("Stream", consoleStream, 0), constant("Type", table),
		empties("_ResourceId", "_SubscriptionId"), zero("_BilledSize"), constant("_IsBillable", "False"),
	)}
}

func systemCL(o Options) *view {
	const table = "ContainerAppSystemLogs_CL"
	return &view{table, systemDef, group(
		constant("TenantId", o.WorkspaceID), constant("SourceSystem", "RestAPI"),
		empties("MG", "ManagementGroupName"), timeOf("TimeGenerated"), empties("Computer", "RawData"),
		name("ContainerAppName_s", systemSource, 0), name("RevisionName_s", systemSource, 1),
		name("ReplicaName_s", systemSource, 2), empties("JobName_s", "ExecutionName_s"),
		constant("EnvironmentName_s", o.Environment),
		name("Reason_s", systemKind, 1), name("Type_s", systemKind, 0), text("Log_s", 0),
		constant("Error_s", ""), name("EventSource_s", systemKind, 2),
		number("Count_d", kql.Real, systemCount, 1), constant("Level", ""),
		constant("Category", "ContainerAppSystemLogs"), eventTimeOf("TimeStamp_s"), eventTimeOf("time_s"),
		timeOf("time_t"), unixOf("_timestamp_d"), constant("Type", table), constant("_ResourceId", ""),
		seqOf("_seq_d"),
	)}
}

// systemSpecific is the one table whose Type is not its name but the severity.
func systemSpecific(o Options) *view {
	return &view{"ContainerAppSystemLogs", systemDef, group(
		constant("TenantId", o.WorkspaceID), timeOf("TimeGenerated"), empties("ComponentName", "ComponentType"),
		name("ContainerAppName", systemSource, 0), constant("ContainerName", ""),
		number("Count", kql.Int, systemCount, 1), constant("EnvironmentName", o.Environment),
		name("EventSource", systemKind, 2), empties("JobName", "Location"), text("Log", 0),
		constant("OperationName", ""), name("Reason", systemKind, 1), name("ReplicaName", systemSource, 2),
		name("RevisionName", systemSource, 1), constant("SourceSystem", "Azure"), name("Type", systemKind, 0),
		empties("_ResourceId", "_SubscriptionId"), zero("_BilledSize"), constant("_IsBillable", "False"),
	)}
}

// requestView has the documented columns and, at the end, our own: how long
// the request waited for a ready replica, when its answer began, its trace.
func requestView(o Options) *view {
	const (
		table = "ContainerAppHTTPLogs"
		ms    = 1e6
	)
	return &view{table, requestDef, group(
		constant("TenantId", o.WorkspaceID), timeOf("TimeGenerated"), name("Authority", 1, 1),
		number("BytesReceived", kql.Long, requestReceived, 1), number("BytesSent", kql.Long, requestSent, 1),
		text("ConnectionId", 4), name("ContainerAppName", 0, 0), constant("EnvironmentName", o.Environment),
		name("EnvoyContainerId", 0, 4), name("EnvoyPodName", 0, 5), constant("Location", ""),
		name("Method", 1, 0), constant("OperationName", ""), text("Path", 0), name("Protocol", 1, 2),
		name("ReplicaName", 0, 2), number("RequestDuration", kql.Long, requestDuration, ms), text("RequestId", 3),
		name("ResponseCodeDetails", 2, 1), name("ResponseFlags", 2, 0), name("RevisionName", 0, 1),
		constant("SourceSystem", "Azure"), timeOf("StartTime"), number("StatusCode", kql.Int, requestStatus, 1),
		constant("Type", table), name("UpstreamHost", 0, 3),
		number("UpstreamRequestAttemptCount", kql.Int, requestAttempts, 1), text("UserAgent", 1),
		text("XForwardedFor", 2), empties("_ResourceId", "_SubscriptionId"), zero("_BilledSize"),
		constant("_IsBillable", "False"), number("HeldDuration", kql.Long, requestHeld, ms),
		number("FirstByteDuration", kql.Long, requestFirstByte, ms), text("TraceId", 5), seqOf("_seq_d"),
	)}
}
