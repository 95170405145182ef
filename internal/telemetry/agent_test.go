package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdkresource "go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"

	"github.com/acalocal/acalocal/internal/telemetry/endpoint"
	"github.com/acalocal/acalocal/logsink"
)

// anyKind is a caller whose environment has destinations for everything.
var anyKind = Caller{App: "web", Traces: true, Logs: true, Metrics: true}

// agent serves OTLP over gRPC on loopback and returns its address.
func agent(t testing.TB, o Options) (address string) {
	t.Helper()
	s := httptest.NewUnstartedServer(New(o).Agent())
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func connect(t testing.TB, address string) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // the server ends next
	return c
}

// OpenTelemetry's own SDK finds the agent by the variables that an environment
// gives, and is content with it.
func TestOpenTelemetrySDKOverGRPC(t *testing.T) {
	m := &memory{}
	address := agent(t, Options{Sink: m, Caller: func(context.Context) (Caller, error) { return anyKind, nil }})
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+address+"/")
	resource := sdkresource.NewSchemaless(attribute.String("service.name", "shop"), attribute.String("host.name", "web--1-abc"))
	for _, compression := range []string{"none", "gzip"} {
		t.Run(compression, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
			m.rows = nil
			traces, err := otlptracegrpc.New(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tracing := sdktrace.NewTracerProvider(sdktrace.WithBatcher(traces), sdktrace.WithResource(resource))
			ctx, request := tracing.Tracer("test").Start(t.Context(), "GET /orders", trace.WithSpanKind(trace.SpanKindServer),
				trace.WithAttributes(attribute.String("http.request.method", "GET"), attribute.String("http.route", "/orders"), attribute.Int("http.response.status_code", 200)))
			_, call := tracing.Tracer("test").Start(ctx, "SELECT", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("db.system", "postgresql")))
			call.End()
			request.End()
			if err := tracing.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}

			logs, err := otlploggrpc.New(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			logging := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(logs)), sdklog.WithResource(resource))
			var record log.Record
			record.SetBody(attribute.StringValue("cache miss"))
			record.SetSeverity(log.SeverityWarn)
			logging.Logger("test").Emit(ctx, record)
			if err := logging.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}

			metrics, err := otlpmetricgrpc.New(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			measuring := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics)), sdkmetric.WithResource(resource))
			counter, err := measuring.Meter("test").Int64Counter("orders")
			if err != nil {
				t.Fatal(err)
			}
			counter.Add(ctx, 1)
			if err := measuring.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}

			var got []string
			for _, r := range m.rows {
				if r.App != "web" || r.IKey != endpoint.Key("web") || r.RoleName != "shop" || r.RoleInstance != "web--1-abc" || r.OperationID != request.SpanContext().TraceID().String() {
					t.Errorf("record of %q, key %q, role %q, instance %q, operation %q", r.App, r.IKey, r.RoleName, r.RoleInstance, r.OperationID)
				}
				got = append(got, r.Kind.String()+" "+r.Name+r.Message)
			}
			if diff := cmp.Diff([]string{"dependency SELECT", "request GET /orders", "trace cache miss"}, got); diff != "" {
				t.Error("(-want +got)\n", diff)
			}
		})
	}
}

func tracesOf(spans ...*tracepb.Span) *coltracepb.ExportTraceServiceRequest {
	return &coltracepb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}}}}}
}

// panicking is a sink with a bug.
type panicking struct{}

func (panicking) AppendTelemetry([]logsink.Telemetry) error { panic("no") }

func TestAgentAnswersWithStatusesThatSDKsActUpon(t *testing.T) {
	one := tracesOf(span(t, tracepb.Span_SPAN_KIND_SERVER, "GET /"))
	large := tracesOf(span(t, tracepb.Span_SPAN_KIND_SERVER, strings.Repeat("x", maxBody)))
	for _, c := range []struct {
		name   string
		sink   Sink
		caller Caller
		lost   error // of Caller
		call   func(*grpc.ClientConn) error
		want   string
	}{
		{name: "traces", call: export(one), want: "OK"},
		{name: "nobody known", caller: Caller{Traces: true}, call: export(one), want: "OK"},
		{name: "no destination for traces", caller: Caller{App: "web", Logs: true}, call: export(one),
			want: "Unimplemented unknown service opentelemetry.proto.collector.trace.v1.TraceService"},
		{name: "no destination for logs", caller: Caller{App: "web", Traces: true},
			call: func(c *grpc.ClientConn) error {
				_, err := collogspb.NewLogsServiceClient(c).Export(t.Context(), &collogspb.ExportLogsServiceRequest{})
				return err
			}, want: "Unimplemented unknown service opentelemetry.proto.collector.logs.v1.LogsService"},
		{name: "no destination for metrics", caller: Caller{App: "web", Traces: true},
			call: func(c *grpc.ClientConn) error {
				_, err := colmetricspb.NewMetricsServiceClient(c).Export(t.Context(), &colmetricspb.ExportMetricsServiceRequest{})
				return err
			}, want: "Unimplemented unknown service opentelemetry.proto.collector.metrics.v1.MetricsService"},
		{name: "the engine is away", lost: errors.New("the container engine is away"), call: export(one), want: "Unavailable the container engine is away"},
		{name: "the store is full", sink: &memory{err: errors.New("disk full")}, call: export(one), want: "Unavailable disk full"},
		{name: "a bug", sink: panicking{}, call: export(one), want: "Internal a bug of acalocal"},
		{name: "too large", call: export(large), want: "ResourceExhausted"},
		{name: "too large when unpacked", call: export(large, grpc.UseCompressor(gzip.Name)), want: "ResourceExhausted"},
		{name: "no message", call: func(c *grpc.ClientConn) error {
			return c.Invoke(t.Context(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export", []byte("\xff"), new([]byte), grpc.ForceCodec(bytesCodec{}))
		}, want: "InvalidArgument"},
		{name: "another service", call: func(c *grpc.ClientConn) error {
			return c.Invoke(t.Context(), "/opentelemetry.proto.collector.profiles.v1.ProfilesService/Export", []byte{}, new([]byte), grpc.ForceCodec(bytesCodec{}))
		}, want: "Unimplemented unknown service opentelemetry.proto.collector.profiles.v1.ProfilesService"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.sink == nil {
				c.sink = &memory{}
			}
			if c.caller == (Caller{}) {
				c.caller = anyKind
			}
			address := agent(t, Options{Sink: c.sink, Caller: func(context.Context) (Caller, error) { return c.caller, c.lost }})
			s := status.Convert(c.call(connect(t, address)))
			got := strings.TrimSpace(s.Code().String() + " " + s.Message())
			if got != c.want && (strings.Contains(c.want, " ") || s.Code().String() != c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func export(req *coltracepb.ExportTraceServiceRequest, o ...grpc.CallOption) func(*grpc.ClientConn) error {
	return func(c *grpc.ClientConn) error {
		_, err := coltracepb.NewTraceServiceClient(c).Export(context.Background(), req, o...)
		return err
	}
}

func TestWhatIsTooMuchAtOnceIsRejectedInPart(t *testing.T) {
	m := &memory{}
	conn := connect(t, agent(t, Options{Sink: m, Caller: func(context.Context) (Caller, error) { return anyKind, nil }}))
	message := "no more than 100000 records are taken at once"

	spans := make([]*tracepb.Span, maxRecords+3)
	for i := range spans {
		spans[i] = &tracepb.Span{Name: "s"}
	}
	traces, err := coltracepb.NewTraceServiceClient(conn).Export(t.Context(), tracesOf(spans...))
	if p := traces.GetPartialSuccess(); err != nil || p.GetRejectedSpans() != 3 || p.GetErrorMessage() != message || len(m.rows) != maxRecords {
		t.Errorf("traces: %v, %v, %d kept", traces, err, len(m.rows))
	}

	m.rows = nil
	records := make([]*logspb.LogRecord, maxRecords+2)
	for i := range records {
		records[i] = &logspb.LogRecord{}
	}
	logs, err := collogspb.NewLogsServiceClient(conn).Export(t.Context(), &collogspb.ExportLogsServiceRequest{
		ResourceLogs: []*logspb.ResourceLogs{{ScopeLogs: []*logspb.ScopeLogs{{LogRecords: records}}}},
	})
	if p := logs.GetPartialSuccess(); err != nil || p.GetRejectedLogRecords() != 2 || p.GetErrorMessage() != message || len(m.rows) != maxRecords {
		t.Errorf("logs: %v, %v, %d kept", logs, err, len(m.rows))
	}
}

// waiting is a sink that says when it is entered, and waits.
type waiting struct{ entered, leave chan struct{} }

func (w waiting) AppendTelemetry([]logsink.Telemetry) error {
	w.entered <- struct{}{}
	<-w.leave
	return nil
}

func TestAgentIsUnavailableWhileTooMuchIsUnderWay(t *testing.T) {
	w := waiting{make(chan struct{}), make(chan struct{})}
	conn := connect(t, agent(t, Options{Sink: w, Caller: func(context.Context) (Caller, error) { return anyKind, nil }}))
	one := export(tracesOf(span(t, tracepb.Span_SPAN_KIND_SERVER, "GET /")))
	var calls sync.WaitGroup
	for range maxAtOnce {
		calls.Go(func() {
			if err := one(conn); err != nil {
				t.Error(err)
			}
		})
		<-w.entered
	}
	if err := one(conn); status.Code(err) != codes.Unavailable {
		t.Errorf("one more: %v", err)
	}
	close(w.leave)
	calls.Wait()
}

// The agent on Azure speaks gRPC only, so an SDK that is set to http/protobuf
// fails here as it does there.
func TestAgentSpeaksNoHTTP1(t *testing.T) {
	address := agent(t, Options{Sink: &memory{}})
	resp, err := http.Post(fmt.Sprintf("http://%s/v1/traces", address), "application/x-protobuf", strings.NewReader(""))
	if err == nil {
		_ = resp.Body.Close()
		t.Errorf("answered %s", resp.Status)
	}
}
