package telemetry

import (
	"encoding/json"
	"maps"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/acalocal/acalocal/logsink"
)

// spanRecords are the records that Azure Monitor's exporters make of a span: a
// request for one that serves, else a dependency, and one for each of its
// events.
// https://github.com/Azure/azure-sdk-for-python/blob/main/sdk/monitor/azure-monitor-opentelemetry-exporter/azure/monitor/opentelemetry/exporter/export/trace/_exporter.py
func spanRecords(from logsink.Telemetry, s *tracepb.Span, asJSON bool) []logsink.Telemetry {
	r, a := from, attributesOf(s.Attributes)
	r.Time, r.Name = unixTime(s.StartTimeUnixNano), s.Name
	if s.EndTimeUnixNano > s.StartTimeUnixNano {
		r.Duration = time.Duration(min(s.EndTimeUnixNano-s.StartTimeUnixNano, 1<<62))
	}
	r.ID, r.OperationID, r.ParentID = id(s.SpanId, asJSON), id(s.TraceId, asJSON), id(s.ParentSpanId, asJSON)
	r.SyntheticSource = a.text("user_agent.synthetic.type")
	r.Properties = a.properties(true)
	r.Success = s.GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR
	switch s.Kind {
	case tracepb.Span_SPAN_KIND_SERVER, tracepb.Span_SPAN_KIND_CONSUMER:
		takeRequest(&r, s, a)
	default:
		takeDependency(&r, s, a)
	}
	records := []logsink.Telemetry{r}
	for _, e := range s.Events {
		records = append(records, eventRecord(from, s, e, asJSON))
	}
	return records
}

// eventRecord is the record of an event in the life of a span.
func eventRecord(from logsink.Telemetry, s *tracepb.Span, e *tracepb.Span_Event, asJSON bool) logsink.Telemetry {
	r, a := from, attributesOf(e.Attributes)
	r.Kind, r.Time, r.Message = logsink.TelemetryTrace, unixTime(e.TimeUnixNano), e.Name
	r.OperationID, r.ParentID = id(s.TraceId, asJSON), id(s.SpanId, asJSON)
	r.Properties = a.properties(false)
	if e.Name == "exception" {
		takeException(&r, a)
	}
	return r
}

// takeRequest fills what a span that serves tells.
func takeRequest(r *logsink.Telemetry, s *tracepb.Span, a attributes) {
	r.Kind, r.OperationName, r.ResultCode = logsink.TelemetryRequest, s.Name, "0"
	if ip := a.text("client.address", "http.client_ip", "net.peer.ip"); ip != "" {
		r.ClientIP = ip
	}
	method := a.text("http.request.method", "http.method")
	if method == "" {
		if code := a.text("rpc.grpc.status_code"); code != "" {
			r.ResultCode = code
		}
		r.Source = a.text("messaging.destination.name", "messaging.destination")
		r.URL = a.text("messaging.url")
		return
	}
	r.URL = requestURL(a)
	if path := a.text("http.route"); path != "" {
		r.OperationName = method + " " + path
	} else if u, err := url.Parse(r.URL); err == nil && u.Path != "" {
		r.OperationName = method + " " + u.Path
	}
	r.Name = r.OperationName
	if code := a.text("http.response.status_code", "http.status_code"); code != "" {
		r.ResultCode = code
		n, err := strconv.Atoi(code)
		r.Success = r.Success && err == nil && n != 0 && n < 400
	}
}

// requestURL is the address that was called, as far as attributes tell.
func requestURL(a attributes) string {
	if whole := a.text("url.full", "http.url"); whole != "" {
		return whole
	}
	scheme, path := a.text("url.scheme", "http.scheme"), a.text("url.path")
	if query := a.text("url.query"); path != "" && query != "" {
		path += "?" + query
	}
	if path == "" {
		path = a.text("http.target")
	}
	host := a.text("http.host")
	if host == "" {
		host = joinPort(a.text("server.address", "net.host.name"), a.text("server.port", "net.host.port"), scheme)
	}
	if scheme == "" || host == "" {
		return path
	}
	return scheme + "://" + host + path
}

// usualPorts are the ports that a target does not show.
var usualPorts = map[string]string{
	"http": "80", "https": "443", "postgresql": "5432", "mysql": "3306", "mariadb": "3306", "mssql": "1433",
	"microsoft.sql_server": "1433", "redis": "6379", "mongodb": "27017", "cassandra": "9042", "oracle": "1521",
}

func joinPort(host, port, of string) string {
	if host == "" || port == "" || port == usualPorts[of] {
		return host
	}
	return net.JoinHostPort(host, port)
}

// sqlSystems are the databases whose type is shown as SQL.
var sqlSystems = []string{"db2", "derby", "mariadb", "mssql", "microsoft.sql_server", "oracle", "sqlite", "other_sql", "hsqldb", "h2"}

// takeDependency fills what any other span tells.
func takeDependency(r *logsink.Telemetry, s *tracepb.Span, a attributes) {
	r.Kind, r.ResultCode = logsink.TelemetryDependency, "0"
	db := a.text("db.system.name", "db.system")
	host, port := a.text("server.address", "net.peer.name", "net.peer.ip"), a.text("server.port", "net.peer.port")
	switch method := a.text("http.request.method", "http.method"); {
	case s.Kind == tracepb.Span_SPAN_KIND_PRODUCER:
		r.DependencyType = "Queue Message"
		r.Target = joinPort(host, port, "")
		if to := a.text("messaging.destination.name", "messaging.destination"); to != "" {
			r.Target = strings.TrimPrefix(r.Target+"/"+to, "/")
		}
	case s.Kind != tracepb.Span_SPAN_KIND_CLIENT:
		if len(s.ParentSpanId) > 0 {
			r.DependencyType = "InProc"
		}
	case method != "":
		takeHTTPCall(r, a, method)
	case db != "":
		r.DependencyType = db
		if slices.Contains(sqlSystems, db) {
			r.DependencyType = "SQL"
		}
		r.Data = a.text("db.query.text", "db.statement", "db.operation.name", "db.operation")
		r.Target = joinPort(host, port, db)
		if name := a.text("db.namespace", "db.name"); name != "" {
			r.Target = strings.TrimPrefix(r.Target+"|"+name, "|")
		}
		if r.Target == "" {
			r.Target = db
		}
	case a.text("rpc.system") != "":
		r.DependencyType, r.Target = a.text("rpc.system"), joinPort(host, port, "")
		if code := a.text("rpc.grpc.status_code"); code != "" {
			r.ResultCode = code
		}
		if r.Target == "" {
			r.Target = r.DependencyType
		}
	default:
		r.DependencyType, r.Target = "N/A", joinPort(host, port, "")
	}
	if peer := a.text("peer.service"); peer != "" {
		r.Target = peer
	}
}

func takeHTTPCall(r *logsink.Telemetry, a attributes, method string) {
	r.DependencyType, r.Data = "HTTP", requestURL(a)
	if u, err := url.Parse(r.Data); err == nil && u.Host != "" {
		r.Target = joinPort(u.Hostname(), u.Port(), u.Scheme)
		path := u.Path
		if path == "" {
			path = "/"
		}
		r.Name = method + " " + path
	}
	if code := a.text("http.response.status_code", "http.status_code"); code != "" {
		r.ResultCode = code
		n, err := strconv.Atoi(code)
		r.Success = r.Success && err == nil && n < 400
	}
}

// standard are the beginnings of the names of attributes that become columns.
var standard = []string{
	"http.", "db.", "rpc.", "net.", "messaging.", "url.", "server.", "client.", "network.", "peer.", "enduser.", "user_agent.",
	"exception.", "microsoft.custom_event.",
}

// properties are the attributes that do not become columns.
func (a attributes) properties(ofSpan bool) string {
	var g bag
	for _, key := range slices.Sorted(maps.Keys(a)) {
		hidden := slices.ContainsFunc(standard, func(s string) bool { return strings.HasPrefix(key, s) })
		if ofSpan && hidden || strings.HasPrefix(key, "exception.") {
			continue
		}
		g.addText(key, valueText(a[key]))
	}
	return g.String()
}

// maxDepth bounds the nesting of values; deeper ones are left out.
const maxDepth = 32

// plain is a value in the types of encoding/json.
func plain(v *commonpb.AnyValue, depth int) any {
	if depth > maxDepth {
		return nil
	}
	switch x := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return x.StringValue
	case *commonpb.AnyValue_BoolValue:
		return x.BoolValue
	case *commonpb.AnyValue_IntValue:
		return x.IntValue
	case *commonpb.AnyValue_DoubleValue:
		if math.IsNaN(x.DoubleValue) || math.IsInf(x.DoubleValue, 0) {
			return valueText(v) // these are no JSON
		}
		return x.DoubleValue
	case *commonpb.AnyValue_BytesValue:
		return x.BytesValue
	case *commonpb.AnyValue_ArrayValue:
		list := []any{}
		for _, item := range x.ArrayValue.GetValues() {
			list = append(list, plain(item, depth+1))
		}
		return list
	case *commonpb.AnyValue_KvlistValue:
		m := map[string]any{}
		for _, kv := range x.KvlistValue.GetValues() {
			m[kv.Key] = plain(kv.Value, depth+1)
		}
		return m
	}
	return nil
}

func marshalled(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // plain has only what JSON has
	}
	return string(b)
}
