package telemetry

import (
	"context"
	"fmt"
	"net/http"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // a compression that SDKs may choose
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/acalocal/acalocal/logsink"
)

// OTLP over gRPC: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc. Messages
// are read and written as over HTTP, whose bytes are the same: the packages of
// the services would bring a gateway from gRPC to HTTP along.

// Caller is who is connected to the agent.
type Caller struct {
	// App is the name of the app, "" when none has that address.
	App string
	// Traces, Logs and Metrics say which of them its environment has a
	// destination for. Others are refused as unknown services, as a collector
	// without a pipeline for them does.
	Traces, Logs, Metrics bool
}

// exporter takes one kind of telemetry. Its errors have a status.
type exporter struct {
	service string
	wanted  func(Caller) bool
	export  func(Caller, []byte) (outcome, error)
}

// Agent is the managed OpenTelemetry agent of an environment: OTLP over gRPC, to
// be served over HTTP/2. It shares the bounds of h. Options.Caller is asked with
// the contexts of its requests.
func (h *Handler) Agent() http.Handler {
	s := grpc.NewServer(grpc.MaxRecvMsgSize(maxBody), grpc.ForceServerCodec(bytesCodec{}))
	for _, x := range []exporter{
		{"trace.v1.TraceService", func(c Caller) bool { return c.Traces }, h.takeTraces},
		{"logs.v1.LogsService", func(c Caller) bool { return c.Logs }, h.takeLogs},
		{"metrics.v1.MetricsService", func(c Caller) bool { return c.Metrics }, func(Caller, []byte) (outcome, error) { return outcome{}, nil }},
	} {
		x.service = "opentelemetry.proto.collector." + x.service
		call := func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			return h.call(ctx, x, decode)
		}
		s.RegisterService(&grpc.ServiceDesc{ServiceName: x.service, Methods: []grpc.MethodDesc{{MethodName: "Export", Handler: call}}}, nil)
	}
	return h.bounded(s.ServeHTTP, refuse) // 429 is Unavailable to a gRPC client, which tries again
}

// call answers one request.
func (h *Handler) call(ctx context.Context, x exporter, decode func(any) error) (answer []byte, err error) {
	defer func() { // gRPC runs this in a goroutine of its own
		if r := recover(); r != nil {
			h.o.Report(fmt.Errorf("bug: %s: %v", x.service, r))
			answer, err = nil, status.Error(codes.Internal, "a bug of acalocal")
		}
	}()
	caller, err := h.o.Caller(ctx)
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	if !x.wanted(caller) {
		return nil, status.Error(codes.Unimplemented, "unknown service "+x.service)
	}
	var body []byte
	if err := decode(&body); err != nil {
		return nil, err
	}
	out, err := x.export(caller, body)
	if err != nil {
		return nil, err
	}
	return out.proto(), nil
}

func (h *Handler) takeTraces(c Caller, body []byte) (outcome, error) {
	var data tracepb.TracesData
	if err := proto.Unmarshal(body, &data); err != nil {
		return outcome{}, status.Error(codes.InvalidArgument, err.Error())
	}
	records, out := spansOf(&data, c.App, false)
	return out, h.keep(records)
}

func (h *Handler) takeLogs(c Caller, body []byte) (outcome, error) {
	var data logspb.LogsData
	if err := proto.Unmarshal(body, &data); err != nil {
		return outcome{}, status.Error(codes.InvalidArgument, err.Error())
	}
	records, out := logRecordsOf(&data, c.App, false)
	return out, h.keep(records)
}

// keep stores records; a failure asks the sender to try again.
func (h *Handler) keep(records []logsink.Telemetry) error {
	if err := h.store(records); err != nil {
		return status.Error(codes.Unavailable, err.Error())
	}
	return nil
}

// bytesCodec leaves messages as they are: what is no protobuf has a status of its
// own in OTLP, which gRPC's codec does not give it.
type bytesCodec struct{}

// Name implements encoding.Codec.
func (bytesCodec) Name() string { return "proto" }

// Marshal implements encoding.Codec.
func (bytesCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }

// Unmarshal implements encoding.Codec; data is the caller's.
func (bytesCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}
