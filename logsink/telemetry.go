package logsink

import (
	"fmt"
	"slices"
	"time"
)

// TelemetryKind says which table a Telemetry record belongs to.
type TelemetryKind uint8

// The kinds of records that Application Insights keeps, and their tables.
const (
	TelemetryRequest    TelemetryKind = iota // AppRequests, requests
	TelemetryDependency                      // AppDependencies, dependencies
	TelemetryTrace                           // AppTraces, traces
	TelemetryException                       // AppExceptions, exceptions
	TelemetryEvent                           // AppEvents, customEvents
)

// telemetryKinds are the names records are stored under; they are those of the
// classic column itemType.
var telemetryKinds = [...]string{"request", "dependency", "trace", "exception", "customEvent"}

// String returns the name of the classic column itemType, such as "request".
func (k TelemetryKind) String() string { return telemetryKinds[k] }

// Severity is how serious an app takes a trace or an exception; the zero value
// says that it did not say.
// https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete
type Severity int8

// The severities of Application Insights, one above the numbers of the column
// SeverityLevel.
const (
	SeverityNone Severity = iota // null in SeverityLevel
	SeverityVerbose
	SeverityInformation
	SeverityWarning
	SeverityError
	SeverityCritical
)

// ExceptionPart is one exception of a chain, as the columns Outer… and
// Innermost… show it.
type ExceptionPart struct {
	Type, Message, Assembly, Method string
}

// Telemetry is one record that an app has sent about itself: a row of AppRequests,
// AppDependencies, AppTraces, AppExceptions or AppEvents. Fields that a kind has
// no column for are kept and not shown.
type Telemetry struct {
	Kind TelemetryKind
	Time time.Time // when it happened or began; the zero time means now
	App  string    // the app that sent it, as far as the receiver knows

	// Who sent it.
	IKey         string // instrumentation key, a GUID
	RoleName     string
	RoleInstance string
	AppVersion   string
	SDKVersion   string

	// What it belongs to.
	OperationName   string
	OperationID     string // trace id
	ParentID        string // span id of the caller
	SyntheticSource string

	// On whose behalf.
	SessionID, UserID, AuthenticatedID, AccountID string
	ClientType, ClientModel, ClientOS, ClientIP   string
	ClientCity, ClientState, ClientCountry        string
	ClientBrowser                                 string

	// Of requests and dependencies; Name also of events.
	ID             string // span id
	Name           string
	Duration       time.Duration
	Success        bool
	ResultCode     string
	URL            string // of a request
	Source         string // of a request
	Target         string // of a dependency
	DependencyType string
	Data           string // of a dependency: statement, URL

	// Of traces and exceptions.
	Message   string
	Severity  Severity
	ProblemID string
	HandledAt string
	Outer     ExceptionPart
	Innermost ExceptionPart
	Details   string // JSON: the exceptions of the chain with their stacks

	// ItemCount is how many records this one stands for when the app samples;
	// 0 means 1.
	ItemCount int
	// Properties and Measurements are JSON objects, or empty. A text longer
	// than MaxField is left out: half an object would be none.
	Properties, Measurements string
}

var telemetryDef = &tableDef{
	name: "insights",
	ints: []string{"time", "duration", "success", "severity", "itemCount"},
	tuples: [][]string{
		{"kind", "app"},
		{"iKey", "roleName", "roleInstance", "appVersion", "sdkVersion"},
		{"type", "model", "os", "ip", "city", "state", "country", "browser"},
		{"resultCode", "dependencyType", "syntheticSource", "handledAt"},
		{"type", "assembly", "method", "innermostType", "innermostAssembly", "innermostMethod"},
	},
	texts: []string{
		"operationName", "operationID", "parentID", "id", "name", "data", "target", "source",
		"message", "problemID", "outerMessage", "innermostMessage", "details",
		"sessionID", "userID", "authenticatedID", "accountID", "properties", "measurements",
	},
}

// Numbers of telemetryDef; the duration is in nanoseconds, the severity that of
// type Severity.
const (
	telemetryDuration = 1 + iota
	telemetrySuccess
	telemetrySeverity
	telemetryItems
)

// Tuples of telemetryDef.
const (
	telemetryKind = iota
	telemetrySender
	telemetryClient
	telemetryResult
	telemetryTypes
)

// Texts of telemetryDef.
const (
	textOperationName = iota
	textOperationID
	textParentID
	textID
	textName
	textData
	textTarget
	textSource
	textMessage
	textProblemID
	textOuterMessage
	textInnermostMessage
	textDetails
	textSessionID
	textUserID
	textAuthenticatedID
	textAccountID
	textProperties
	textMeasurements
)

// AppendTelemetry adds records to the tables of Application Insights and returns
// when they are durable. Errors are as those of AppendEvents.
func (s *Store) AppendTelemetry(ts []Telemetry) error {
	if len(ts) == 0 {
		return nil
	}
	rows := slices.Clone(ts)
	for i := range rows {
		if rows[i].Time.IsZero() {
			rows[i].Time = time.Now()
		}
	}
	if err := s.insights.append(&telemetry{rows: rows}); err != nil {
		return fmt.Errorf("log %d records of telemetry: %w", len(rows), err)
	}
	return nil
}

// telemetry is records waiting to be stored.
type telemetry struct{ rows []Telemetry }

func (f *telemetry) appendTo(m *memBlock) (more bool) {
	for len(f.rows) > 0 && !m.full() {
		f.rows[0].appendTo(m)
		f.rows = f.rows[1:]
	}
	return len(f.rows) > 0
}

func (r *Telemetry) appendTo(m *memBlock) {
	m.addTime(toTicks(r.Time.UnixNano()))
	success := int64(0)
	if r.Success {
		success = 1
	}
	m.addInt(telemetryDuration, int64(r.Duration))
	m.addInt(telemetrySuccess, success)
	m.addInt(telemetrySeverity, int64(r.Severity))
	m.addInt(telemetryItems, int64(max(r.ItemCount, 1)))

	m.addTuple(telemetryKind, r.Kind.String(), field(r.App))
	m.addTuple(telemetrySender, fields(r.IKey, r.RoleName, r.RoleInstance, r.AppVersion, r.SDKVersion)...)
	m.addTuple(telemetryClient, fields(r.ClientType, r.ClientModel, r.ClientOS, r.ClientIP,
		r.ClientCity, r.ClientState, r.ClientCountry, r.ClientBrowser)...)
	m.addTuple(telemetryResult, fields(r.ResultCode, r.DependencyType, r.SyntheticSource, r.HandledAt)...)
	m.addTuple(telemetryTypes, fields(r.Outer.Type, r.Outer.Assembly, r.Outer.Method,
		r.Innermost.Type, r.Innermost.Assembly, r.Innermost.Method)...)

	data := r.URL
	if r.Kind == TelemetryDependency {
		data = r.Data
	}
	for i, s := range []string{
		r.OperationName, r.OperationID, r.ParentID, r.ID, r.Name, data, r.Target, r.Source,
		r.Message, r.ProblemID, r.Outer.Message, r.Innermost.Message, wholeJSON(r.Details),
		r.SessionID, r.UserID, r.AuthenticatedID, r.AccountID, wholeJSON(r.Properties), wholeJSON(r.Measurements),
	} {
		m.addText(i, []byte(field(s)))
	}
}

// fields cuts each text as field does.
func fields(texts ...string) []string {
	for i, s := range texts {
		texts[i] = field(s)
	}
	return texts
}

// wholeJSON leaves out JSON that is too long to keep.
func wholeJSON(json string) string {
	if len(json) > MaxField {
		return ""
	}
	return json
}
