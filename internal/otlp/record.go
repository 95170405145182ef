package otlp

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"github.com/acalocal/acalocal/logsink"
)

// row is a row of the store on its way.
type row struct {
	from   resource
	record *logspb.LogRecord
	seq    uint64
	lost   int64
	size   int
}

// resource is who a row is from, in the words of
// https://opentelemetry.io/docs/specs/semconv/resource/.
type resource struct {
	app, revision, replica, container, containerID, image string
}

func (r resource) attributes(environment string) []*commonpb.KeyValue {
	return pairs(
		"service.name", r.app, "service.namespace", environment, "service.version", r.revision, "service.instance.id", r.replica,
		"cloud.provider", "azure", "cloud.platform", "azure.container_apps",
		"container.name", r.container, "container.id", r.containerID, "container.image.name", r.image,
	)
}

// byResource sorts rows by who they are from, each in their order.
func byResource(environment string, rows []row) []*logspb.ResourceLogs {
	var out []*logspb.ResourceLogs
	index := map[resource]*logspb.ScopeLogs{}
	for _, r := range rows {
		scope := index[r.from]
		if scope == nil {
			scope = &logspb.ScopeLogs{Scope: &commonpb.InstrumentationScope{Name: "acalocal"}}
			index[r.from] = scope
			out = append(out, &logspb.ResourceLogs{
				Resource: &resourcepb.Resource{Attributes: r.from.attributes(environment)}, ScopeLogs: []*logspb.ScopeLogs{scope},
			})
		}
		scope.LogRecords = append(scope.LogRecords, r.record)
	}
	return out
}

// tableAttribute names the Log Analytics table a record is a row of.
const tableAttribute = "azure.table"

func consoleRow(l logsink.ConsoleLine) row {
	c := l.Container
	return row{
		from: resource{c.App, c.Revision, c.Replica, c.Name, c.ID, c.Image},
		record: &logspb.LogRecord{
			TimeUnixNano: nanos(l.Time), ObservedTimeUnixNano: nanos(l.Time), Body: stringValue(l.Text),
			Attributes: pairs(tableAttribute, "ContainerAppConsoleLogs_CL", "log.iostream", l.Stream.String()),
		},
		seq: l.Seq, lost: l.Lost, size: len(l.Text) + 64,
	}
}

func eventRow(l logsink.EventLine) row {
	r := row{
		from: resource{app: l.App, revision: l.Revision, replica: l.Replica},
		record: &logspb.LogRecord{
			TimeUnixNano: nanos(l.Time), ObservedTimeUnixNano: nanos(l.Time), Body: stringValue(l.Msg),
			SeverityNumber: logspb.SeverityNumber_SEVERITY_NUMBER_INFO, SeverityText: l.Type.String(), EventName: valid(l.Reason),
			Attributes: append(pairs(tableAttribute, "ContainerAppSystemLogs_CL", "azure.reason", l.Reason, "azure.event_source", l.Source),
				&commonpb.KeyValue{Key: "azure.count", Value: intValue(int64(l.Count))}),
		},
		seq: l.Seq, lost: l.Lost, size: len(l.Msg) + 128,
	}
	if l.Type == logsink.Warning {
		r.record.SeverityNumber = logspb.SeverityNumber_SEVERITY_NUMBER_WARN
	}
	return r
}

func requestRow(l logsink.RequestLine) row {
	record := &logspb.LogRecord{
		TimeUnixNano: nanos(l.StartTime), ObservedTimeUnixNano: nanos(l.StartTime.Add(l.Duration)),
		Body:           stringValue(fmt.Sprintf("%s %s %d", l.Method, l.Path, l.StatusCode)),
		SeverityNumber: logspb.SeverityNumber_SEVERITY_NUMBER_INFO,
		Attributes: append(pairs(
			tableAttribute, "ContainerAppHTTPLogs", "http.request.method", l.Method, "url.path", l.Path, "server.address", l.Authority,
			"network.protocol.name", l.Protocol, "user_agent.original", l.UserAgent, "client.address", l.XForwardedFor,
			"azure.request_id", l.RequestID, "azure.response_flags", l.ResponseFlags, "azure.response_code_details", l.ResponseCodeDetails,
			"azure.upstream_host", l.UpstreamHost,
		),
			&commonpb.KeyValue{Key: "http.response.status_code", Value: intValue(int64(l.StatusCode))},
			&commonpb.KeyValue{Key: "http.request.body.size", Value: intValue(l.BytesReceived)},
			&commonpb.KeyValue{Key: "http.response.body.size", Value: intValue(l.BytesSent)},
			&commonpb.KeyValue{Key: "http.server.request.duration", Value: doubleValue(l.Duration.Seconds())},
		),
	}
	if id, err := hex.DecodeString(l.TraceID); err == nil && len(id) == 16 {
		record.TraceId = id
	}
	return row{
		from: resource{app: l.App, revision: l.Revision, replica: l.Replica}, record: record,
		seq: l.Seq, lost: l.Lost, size: len(l.Path) + len(l.UserAgent) + 512,
	}
}

// pairs makes attributes of names and texts, alternating; empty ones are left out.
func pairs(list ...string) (out []*commonpb.KeyValue) {
	for i := 0; i < len(list); i += 2 {
		if list[i+1] != "" {
			out = append(out, &commonpb.KeyValue{Key: list[i], Value: stringValue(list[i+1])})
		}
	}
	return out
}

// valid is a text as protobuf takes it: what is not UTF-8 is shown as U+FFFD, as
// in queries.
func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

func stringValue(s string) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: valid(s)}}
}

func intValue(n int64) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: n}}
}

func doubleValue(f float64) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: f}}
}

func nanos(t time.Time) uint64 { return uint64(max(t.UnixNano(), 0)) }

func marshal(data *logspb.LogsData) []byte {
	b, err := proto.Marshal(data)
	if err != nil {
		panic("bug: a record that protobuf cannot write: " + err.Error()) // all texts are valid
	}
	return b
}
