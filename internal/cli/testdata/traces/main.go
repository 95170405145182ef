// Command traces is what a Docker script runs to see the OpenTelemetry agent from
// inside: it sends one trace by OpenTelemetry's own SDK, which knows nothing but
// the variables of the container.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fmt.Println("protocol", os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"))
	if err := send(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "traces export:", err)
	} else {
		fmt.Println("sent")
	}
	<-ctx.Done()
}

func send(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	exporter, err := otlptracegrpc.New(ctx)
	if err != nil {
		return err
	}
	provider := sdktrace.NewTracerProvider()
	// Without a batch in between, the error of the export is the answer.
	spans := &kept{}
	provider.RegisterSpanProcessor(sdktrace.NewSimpleSpanProcessor(spans))
	tracer := provider.Tracer("traces")
	parent, request := tracer.Start(ctx, "GET /orders", trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", "GET"), attribute.String("http.route", "/orders"), attribute.Int("http.response.status_code", 200)))
	_, call := tracer.Start(parent, "SELECT orders", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("db.system", "postgresql")))
	call.End()
	request.End()
	if err := exporter.ExportSpans(ctx, spans.list); err != nil {
		return err
	}
	return exporter.Shutdown(ctx)
}

// kept is an exporter that keeps spans.
type kept struct{ list []sdktrace.ReadOnlySpan }

func (k *kept) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	k.list = append(k.list, spans...)
	return nil
}

func (k *kept) Shutdown(context.Context) error { return nil }
