package logsink

import "github.com/acalocal/acalocal/logsink/kql"

// The tables of Application Insights show the records of one kind each, under
// the names of workspace-based resources (AppRequests) and the classic ones
// (requests). Their columns are those of
// https://learn.microsoft.com/azure/azure-monitor/reference/tables/apprequests
// and https://learn.microsoft.com/azure/azure-monitor/app/convert-classic-resource.
func telemetryViews(o Options) []*view {
	return []*view{
		ofKind(TelemetryRequest, "AppRequests", insightsColumns(o, "AppRequests"),
			textOf("Id", textID), textOf("Source", textSource), textOf("Name", textName), textOf("Url", textData), boolOf("Success", telemetrySuccess),
			nameOf("ResultCode", telemetryResult, 0), realOf("DurationMs", telemetryDuration, nsPerMs), empties("ReferencedItemId", "ReferencedType")),
		ofKind(TelemetryDependency, "AppDependencies", insightsColumns(o, "AppDependencies"),
			textOf("Id", textID), textOf("Target", textTarget), nameOf("DependencyType", telemetryResult, 1), textOf("Name", textName),
			textOf("Data", textData), boolOf("Success", telemetrySuccess), nameOf("ResultCode", telemetryResult, 0),
			realOf("DurationMs", telemetryDuration, nsPerMs)),
		ofKind(TelemetryTrace, "AppTraces", insightsColumns(o, "AppTraces"),
			textOf("Message", textMessage), severityOf("SeverityLevel"), empties("ReferencedItemId", "ReferencedType")),
		ofKind(TelemetryEvent, "AppEvents", insightsColumns(o, "AppEvents"), textOf("Name", textName)),
		ofKind(TelemetryException, "AppExceptions", insightsColumns(o, "AppExceptions"),
			textOf("ProblemId", textProblemID), nameOf("HandledAt", telemetryResult, 3), nameOf("ExceptionType", telemetryTypes, 0),
			nameOf("Assembly", telemetryTypes, 1), nameOf("Method", telemetryTypes, 2),
			nameOf("OuterType", telemetryTypes, 0), textOf("OuterMessage", textOuterMessage),
			nameOf("OuterAssembly", telemetryTypes, 1), nameOf("OuterMethod", telemetryTypes, 2),
			nameOf("InnermostType", telemetryTypes, 3), textOf("InnermostMessage", textInnermostMessage),
			nameOf("InnermostAssembly", telemetryTypes, 4), nameOf("InnermostMethod", telemetryTypes, 5),
			severityOf("SeverityLevel"), textOf("Message", textMessage), dynamicOf("Details", textDetails)),

		classic(TelemetryRequest, "requests", "AppRequests", classicColumns(TelemetryRequest),
			textOf("id", textID), textOf("source", textSource), textOf("name", textName), textOf("url", textData), boolOf("success", telemetrySuccess),
			nameOf("resultCode", telemetryResult, 0), realOf("duration", telemetryDuration, nsPerMs), bucketOf("performanceBucket")),
		classic(TelemetryDependency, "dependencies", "AppDependencies", classicColumns(TelemetryDependency),
			textOf("id", textID), textOf("target", textTarget), nameOf("type", telemetryResult, 1), textOf("name", textName),
			textOf("data", textData), boolOf("success", telemetrySuccess), nameOf("resultCode", telemetryResult, 0),
			realOf("duration", telemetryDuration, nsPerMs), bucketOf("performanceBucket")),
		classic(TelemetryTrace, "traces", "AppTraces", classicColumns(TelemetryTrace), textOf("message", textMessage), severityOf("severityLevel")),
		classic(TelemetryEvent, "customEvents", "AppEvents", classicColumns(TelemetryEvent), textOf("name", textName)),
		classic(TelemetryException, "exceptions", "AppExceptions", classicColumns(TelemetryException),
			textOf("problemId", textProblemID), nameOf("handledAt", telemetryResult, 3), nameOf("type", telemetryTypes, 0),
			textOf("message", textMessage), nameOf("assembly", telemetryTypes, 1), nameOf("method", telemetryTypes, 2),
			nameOf("outerType", telemetryTypes, 0), textOf("outerMessage", textOuterMessage),
			nameOf("outerAssembly", telemetryTypes, 1), nameOf("outerMethod", telemetryTypes, 2),
			nameOf("innermostType", telemetryTypes, 3), textOf("innermostMessage", textInnermostMessage),
			nameOf("innermostAssembly", telemetryTypes, 4), nameOf("innermostMethod", telemetryTypes, 5),
			severityOf("severityLevel"), dynamicOf("details", textDetails)),
	}
}

// nsPerMs is what turns stored durations into milliseconds.
const nsPerMs = 1e6

// classic is a view of the records of one kind under their classic names.
func classic(kind TelemetryKind, name, of string, columns ...any) *view {
	v := ofKind(kind, name, columns...)
	v.of = of
	return v
}

// ofKind is a view of the records of one kind.
func ofKind(kind TelemetryKind, name string, columns ...any) *view {
	only := &nameTest{col: telemetryKind, field: 0, pred: kql.Predicate{
		Op: kql.OpEqual, Values: []kql.Value{{Type: kql.String, Str: kind.String()}},
	}}
	return &view{name: name, def: telemetryDef, columns: group(columns...), only: only}
}

// insightsColumns are what the tables of a workspace have in common.
func insightsColumns(o Options, table string) []viewColumn {
	return group(
		constant("TenantId", o.WorkspaceID), timeOf("TimeGenerated"), nameOf("AppRoleInstance", telemetrySender, 2),
		nameOf("AppRoleName", telemetrySender, 1), nameOf("AppVersion", telemetrySender, 3),
		nameOf("ClientBrowser", telemetryClient, 7), nameOf("ClientCity", telemetryClient, 4),
		nameOf("ClientCountryOrRegion", telemetryClient, 6), nameOf("ClientIP", telemetryClient, 3),
		nameOf("ClientModel", telemetryClient, 1), nameOf("ClientOS", telemetryClient, 2),
		nameOf("ClientStateOrProvince", telemetryClient, 5), nameOf("ClientType", telemetryClient, 0),
		nameOf("IKey", telemetrySender, 0), numberOf("ItemCount", kql.Int, telemetryItems, 1),
		dynamicOf("Measurements", textMeasurements), textOf("OperationId", textOperationID),
		textOf("OperationName", textOperationName), textOf("ParentId", textParentID), dynamicOf("Properties", textProperties),
		empties("ResourceGUID"), nameOf("SDKVersion", telemetrySender, 4), textOf("SessionId", textSessionID),
		constant("SourceSystem", "Azure"), nameOf("SyntheticSource", telemetryResult, 2), constant("Type", table),
		textOf("UserAccountId", textAccountID), textOf("UserAuthenticatedId", textAuthenticatedID), textOf("UserId", textUserID),
		empties("_ResourceId", "_SubscriptionId"), zeroOf("_BilledSize"), constant("_IsBillable", "False"),
	)
}

// classicColumns are what the tables of a classic resource have in common;
// appName is the container app that sent the record.
func classicColumns(kind TelemetryKind) []viewColumn {
	return group(
		timeOf("timestamp"), empties("itemId"), constant("itemType", kind.String()),
		dynamicOf("customDimensions", textProperties), dynamicOf("customMeasurements", textMeasurements),
		textOf("operation_Name", textOperationName), textOf("operation_Id", textOperationID),
		textOf("operation_ParentId", textParentID), nameOf("operation_SyntheticSource", telemetryResult, 2),
		textOf("session_Id", textSessionID), textOf("user_Id", textUserID),
		textOf("user_AuthenticatedId", textAuthenticatedID), textOf("user_AccountId", textAccountID),
		nameOf("application_Version", telemetrySender, 3), nameOf("client_Type", telemetryClient, 0),
		nameOf("client_Model", telemetryClient, 1), nameOf("client_OS", telemetryClient, 2), nameOf("client_IP", telemetryClient, 3),
		nameOf("client_City", telemetryClient, 4), nameOf("client_StateOrProvince", telemetryClient, 5),
		nameOf("client_CountryOrRegion", telemetryClient, 6), nameOf("client_Browser", telemetryClient, 7),
		nameOf("cloud_RoleName", telemetrySender, 1), nameOf("cloud_RoleInstance", telemetrySender, 2), empties("appId"),
		nameOf("appName", telemetryKind, 1), nameOf("iKey", telemetrySender, 0), nameOf("sdkVersion", telemetrySender, 4),
		numberOf("itemCount", kql.Int, telemetryItems, 1), empties("_ResourceId"),
	)
}

func boolOf(name string, col int) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.Bool}, origin: fromBool, col: col}
}

func severityOf(name string) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.Int}, origin: fromSeverity, col: telemetrySeverity}
}

func realOf(name string, col int, scale int64) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.Real}, origin: fromReal, col: col, scale: scale}
}

func bucketOf(name string) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.String}, origin: fromBucket, col: telemetryDuration}
}

func dynamicOf(name string, col int) viewColumn {
	return viewColumn{Column: kql.Column{Name: name, Type: kql.Dynamic}, origin: fromJSON, col: col}
}

// ofBools makes a column from numbers that are 0 or 1.
func ofBools(values []int64) *kql.Vector {
	v := &kql.Vector{Type: kql.Bool, Bools: make([]bool, len(values))}
	for i, n := range values {
		v.Bools[i] = n != 0
	}
	return v
}

// ofSeverities makes a column from numbers of type Severity.
func ofSeverities(values []int64) *kql.Vector {
	v := &kql.Vector{Type: kql.Int, Ints: make([]int64, len(values))}
	for i, n := range values {
		if n > 0 {
			v.Ints[i] = n - 1
			continue
		}
		if v.Nulls == nil {
			v.Nulls = kql.NewBitmap(len(values))
		}
		v.Nulls.Set(i)
	}
	return v
}

// ofReals makes a column from numbers divided by scale.
func ofReals(values []int64, scale int64) *kql.Vector {
	v := &kql.Vector{Type: kql.Real, Reals: make([]float64, len(values))}
	for i, n := range values {
		v.Reals[i] = float64(n) / float64(scale)
	}
	return v
}

// buckets are the classes of durations that Application Insights sorts requests
// and dependencies into, and the milliseconds each ends before.
var buckets = []struct {
	below int64
	name  string
}{
	{250, "<250ms"}, {500, "250ms-500ms"}, {1000, "500ms-1sec"}, {3000, "1sec-3sec"}, {7000, "3sec-7sec"},
	{15_000, "7sec-15sec"}, {30_000, "15sec-30sec"}, {60_000, "30sec-1min"}, {120_000, "1min-2min"}, {300_000, "2min-5min"},
}

// ofBuckets makes a column of the classes of durations in nanoseconds.
func ofBuckets(values []int64) *kql.Vector {
	v := &kql.Vector{Type: kql.String, Codes: make([]uint32, len(values))}
	for _, b := range buckets {
		v.Dict = append(v.Dict, b.name)
	}
	v.Dict = append(v.Dict, ">=5min")
	for i, n := range values {
		code := 0
		for code < len(buckets) && n >= buckets[code].below*nsPerMs {
			code++
		}
		v.Codes[i] = uint32(code)
	}
	return v
}

// ofJSON makes a column of dynamic values; a text that is no JSON is itself.
func ofJSON(text *kql.Vector) *kql.Vector {
	v := &kql.Vector{Type: kql.Dynamic, Dynamics: make([]any, len(text.Strs))}
	for i, s := range text.Strs {
		if s == "" {
			continue
		}
		d, ok := kql.ParseDynamic(s)
		if !ok {
			d = s
		}
		v.Dynamics[i] = d
	}
	return v
}

// ofNumbers makes a column from stored numbers that are shown as something else.
func ofNumbers(c viewColumn, values []int64) *kql.Vector {
	switch c.origin {
	case fromBool:
		return ofBools(values)
	case fromSeverity:
		return ofSeverities(values)
	case fromBucket:
		return ofBuckets(values)
	}
	return ofReals(values, c.scale)
}
