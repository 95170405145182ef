package telemetry

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkresource "go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/acalocal/acalocal/internal/telemetry/endpoint"
)

// OpenTelemetry's own SDK finds the endpoint by the variable that the switch sets.
func TestOpenTelemetrySDK(t *testing.T) {
	m, s := start(t)
	t.Setenv(endpoint.OTLPVariable, s.URL+"/apps/web")
	t.Setenv(endpoint.OTLPProtocolVariable, endpoint.OTLPProtocol)
	for _, compression := range []otlptracehttp.Compression{otlptracehttp.NoCompression, otlptracehttp.GzipCompression} {
		m.rows = nil
		exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithCompression(compression))
		if err != nil {
			t.Fatal(err)
		}
		provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter),
			sdktrace.WithResource(sdkresource.NewSchemaless(attribute.String("service.name", "shop"))))
		tracer := provider.Tracer("test")
		ctx, request := tracer.Start(t.Context(), "GET /orders", trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attribute.String("http.request.method", "GET"), attribute.String("http.route", "/orders"), attribute.Int("http.response.status_code", 500)))
		_, call := tracer.Start(ctx, "SELECT", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("db.system", "postgresql")))
		call.End()
		request.RecordError(errors.New("no orders"))
		request.SetStatus(codes.Error, "no orders")
		request.End()
		if err := provider.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []string
		id := request.SpanContext().TraceID().String()
		for _, r := range m.rows {
			if r.App != "web" || r.RoleName != "shop" || r.OperationID != id {
				t.Errorf("record of %q, role %q, operation %q", r.App, r.RoleName, r.OperationID)
			}
			got = append(got, r.Kind.String()+" "+r.Name+r.Message+" "+r.ResultCode)
		}
		want := []string{"dependency SELECT 0", "request GET /orders 500", "exception no orders "}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error("(-want +got)\n", diff)
		}
	}
}
