package telemetry

import (
	"encoding/base64"
	"encoding/hex"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/acalocal/acalocal/internal/telemetry/endpoint"
	"github.com/acalocal/acalocal/logsink"
)

// OTLP over HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp. A request
// for export has the same bytes as the data it carries, and an answer without a
// word is none at all in protobuf.

// traces takes spans.
func (h *Handler) traces(w http.ResponseWriter, r *http.Request) {
	var data tracepb.TracesData
	if asJSON, ok := h.decode(w, r, &data); ok {
		records, out := spansOf(&data, h.appOf(r), asJSON)
		h.export(w, r, asJSON, records, out)
	}
}

// spansOf are the records of spans that an app has sent.
func spansOf(data *tracepb.TracesData, app string, asJSON bool) (records []logsink.Telemetry, out outcome) {
	out.field = "rejectedSpans"
	for _, rs := range data.ResourceSpans {
		from := senderOf(app, attributesOf(rs.GetResource().GetAttributes()))
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				if len(records) >= maxRecords {
					out.rejected++
					continue
				}
				records = append(records, spanRecords(from, s, asJSON)...)
			}
		}
	}
	return records, out
}

// logs takes log records.
func (h *Handler) logs(w http.ResponseWriter, r *http.Request) {
	var data logspb.LogsData
	if asJSON, ok := h.decode(w, r, &data); ok {
		records, out := logRecordsOf(&data, h.appOf(r), asJSON)
		h.export(w, r, asJSON, records, out)
	}
}

// logRecordsOf are the records of log records that an app has sent.
func logRecordsOf(data *logspb.LogsData, app string, asJSON bool) (records []logsink.Telemetry, out outcome) {
	out.field = "rejectedLogRecords"
	for _, rl := range data.ResourceLogs {
		from := senderOf(app, attributesOf(rl.GetResource().GetAttributes()))
		for _, sl := range rl.ScopeLogs {
			for _, l := range sl.LogRecords {
				if len(records) >= maxRecords {
					out.rejected++
					continue
				}
				records = append(records, logRecord(from, l, asJSON))
			}
		}
	}
	return records, out
}

// metrics are accepted and not kept.
func (h *Handler) metrics(w http.ResponseWriter, r *http.Request) {
	if _, err := readBody(r); err != nil {
		refuse(w, r, statusOf(err), err)
		return
	}
	outcome{}.write(w, isJSON(r))
}

func isJSON(r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // what is none is not JSON
	return kind == "application/json"
}

// decode reads a request for export; when it cannot, it answers.
func (h *Handler) decode(w http.ResponseWriter, r *http.Request, data proto.Message) (asJSON, ok bool) {
	asJSON = isJSON(r)
	body, err := readBody(r)
	if err == nil && asJSON {
		err = protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, data)
	} else if err == nil {
		err = proto.Unmarshal(body, data)
	}
	if err != nil {
		refuse(w, r, statusOf(err), err)
		return asJSON, false
	}
	return asJSON, true
}

// export stores records and answers.
func (h *Handler) export(w http.ResponseWriter, r *http.Request, asJSON bool, records []logsink.Telemetry, out outcome) {
	if err := h.store(records); err != nil {
		refuse(w, r, http.StatusServiceUnavailable, err)
		return
	}
	out.write(w, asJSON)
}

// attributes are those of a resource, a span or a log record.
type attributes map[string]*commonpb.AnyValue

func attributesOf(list []*commonpb.KeyValue) attributes {
	m := attributes{}
	for _, kv := range list {
		if kv.GetValue() != nil {
			m[kv.Key] = kv.Value
		}
	}
	return m
}

// text returns the first of the named attributes that is there: semantic
// conventions have renamed many.
func (a attributes) text(names ...string) string {
	for _, name := range names {
		if v, ok := a[name]; ok {
			if s := valueText(v); s != "" {
				return s
			}
		}
	}
	return ""
}

// valueText is a value as properties show it: texts as they are, lists and maps
// as JSON.
func valueText(v *commonpb.AnyValue) string {
	switch x := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return x.StringValue
	case *commonpb.AnyValue_BoolValue:
		return strconv.FormatBool(x.BoolValue)
	case *commonpb.AnyValue_IntValue:
		return strconv.FormatInt(x.IntValue, 10)
	case *commonpb.AnyValue_DoubleValue:
		return strconv.FormatFloat(x.DoubleValue, 'g', -1, 64)
	case *commonpb.AnyValue_BytesValue:
		return base64.StdEncoding.EncodeToString(x.BytesValue)
	case nil:
		return ""
	}
	return marshalled(plain(v, 0))
}

// appOf is the app whose endpoint was called, "" when there is none.
func (h *Handler) appOf(r *http.Request) string {
	if app := r.PathValue("app"); app != "" && h.o.App(endpoint.Key(app)) == app {
		return app
	}
	return ""
}

// senderOf is what all records of a resource have in common.
func senderOf(app string, a attributes) logsink.Telemetry {
	t := logsink.Telemetry{ClientType: "PC", ClientIP: "0.0.0.0"}
	if app != "" {
		t.App, t.IKey = app, endpoint.Key(app)
	}
	t.RoleName = a.text("service.name")
	if t.RoleName == "" {
		t.RoleName = "unknown_service"
	}
	if namespace := a.text("service.namespace"); namespace != "" {
		t.RoleName = namespace + "." + t.RoleName
	}
	t.RoleInstance = a.text("service.instance.id", "host.name", "k8s.pod.name")
	t.AppVersion = a.text("service.version")
	t.SDKVersion = a.text("telemetry.sdk.language")
	if version := a.text("telemetry.sdk.version"); version != "" {
		t.SDKVersion += ":otel" + version
	}
	return t
}

// id writes a trace or span id. In JSON these bytes alone are hexadecimal, which
// a reader of protobuf's JSON takes for base64.
func id(b []byte, asJSON bool) string {
	if !asJSON {
		return nonZero(hex.EncodeToString(b))
	}
	return nonZero(strings.ToLower(base64.StdEncoding.EncodeToString(b)))
}

// nonZero is "" for an id of zeros, which says that there is none.
func nonZero(id string) string {
	for _, c := range id {
		if c != '0' {
			return id
		}
	}
	return ""
}

// unixTime converts nanoseconds since 1970; 0 is no time.
func unixTime(ns uint64) time.Time {
	if ns == 0 || ns > 1<<62 {
		return time.Time{}
	}
	return time.Unix(0, int64(ns))
}

// otelSeverity maps severity numbers of OpenTelemetry: four to a level, debug
// and trace together.
func otelSeverity(n logspb.SeverityNumber) logsink.Severity {
	if n < logspb.SeverityNumber_SEVERITY_NUMBER_INFO {
		return logsink.SeverityVerbose
	}
	return min(logsink.SeverityInformation+logsink.Severity((n-logspb.SeverityNumber_SEVERITY_NUMBER_INFO)/4), logsink.SeverityCritical)
}

// logRecord is the record of AppTraces, AppExceptions or AppEvents that Azure
// Monitor's exporters make of a log record.
func logRecord(from logsink.Telemetry, l *logspb.LogRecord, asJSON bool) logsink.Telemetry {
	r, a := from, attributesOf(l.Attributes)
	r.Kind, r.Time = logsink.TelemetryTrace, unixTime(l.TimeUnixNano)
	if r.Time.IsZero() {
		r.Time = unixTime(l.ObservedTimeUnixNano)
	}
	r.OperationID, r.ParentID = id(l.TraceId, asJSON), id(l.SpanId, asJSON)
	r.Severity, r.Message = otelSeverity(l.SeverityNumber), valueText(l.Body)
	r.Properties = a.properties(false)
	if a.text("exception.type", "exception.message") != "" {
		takeException(&r, a)
	} else if event := a.text("microsoft.custom_event.name"); event != "" {
		r.Kind, r.Name = logsink.TelemetryEvent, event
	}
	return r
}

// takeException makes r a record of the exception that attributes tell of.
func takeException(r *logsink.Telemetry, a attributes) {
	r.Kind = logsink.TelemetryException
	x := exceptionData{Type: "Exception", Message: "Exception", Stack: text(a.text("exception.stacktrace"))}
	if s := a.text("exception.type"); s != "" {
		x.Type = text(s)
	}
	if s := a.text("exception.message"); s != "" {
		x.Message = text(s)
	}
	takeExceptions(r, []exceptionData{x})
}
