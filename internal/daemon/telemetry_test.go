package daemon

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/telemetry/endpoint"
	"github.com/acalocal/acalocal/logsink/kql"
)

// gatedRuntime is an engine in memory whose gates are loopback listeners, which
// the app "web" calls.
type gatedRuntime struct {
	*containertest.Runtime
	opened chan openedGate
}

func (r *gatedRuntime) Caller(_ context.Context, env string, addr netip.Addr) (container.Key, bool, error) {
	if env != "dev" || !addr.IsLoopback() {
		return container.Key{}, false, nil
	}
	return container.Key{App: "web", Role: container.RoleHolder}, true, nil
}

type openedGate struct {
	spec   container.GateSpec
	addr   string
	closed chan struct{}
}

func (r *gatedRuntime) OpenGate(_ context.Context, s container.GateSpec) (container.GateListener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := openedGate{s, l.Addr().String(), make(chan struct{})}
	r.opened <- g
	return &gatedListener{l, g.closed}, nil
}

type gatedListener struct {
	net.Listener
	closed chan struct{}
}

func (l *gatedListener) Answer(context.Context, []int, []int) error { return nil }

func (l *gatedListener) Close() error {
	close(l.closed)
	return l.Listener.Close()
}

// received waits for something that happens.
func received[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain for", what)
		panic("not reached")
	}
}

// gatedDaemon is a daemon whose gates come by opened.
func gatedDaemon(t *testing.T) (d *Daemon, opened chan openedGate) {
	t.Helper()
	m := newMachine(t)
	opened = make(chan openedGate, 1)
	o := m.options()
	o.Runtime = &gatedRuntime{m.runtime, opened}
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended, ready := make(chan error, 1), make(chan struct{})
	go func() { ended <- d.Run(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-ready
	return d, opened
}

func applyWeb(t *testing.T, d *Daemon, telemetry aca.EnvironmentTelemetry, env ...aca.EnvVar) {
	t.Helper()
	app := aca.ContainerApp{Name: "web", Properties: aca.AppProperties{
		Template: aca.Template{Containers: []aca.Container{{Name: "app", Image: "web:1", Env: env}}},
	}}
	if _, err := d.Engine.Apply(t.Context(), emulator.ApplyRequest{App: app, Telemetry: telemetry}); err != nil {
		t.Fatal(err)
	}
}

// counted is the only number in the answer to a query.
func counted(t *testing.T, d *Daemon, query string) (n int64) {
	t.Helper()
	res, err := d.Logs.Query(t.Context(), query, kql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	res.Tables[0].Each(func(row []kql.Value) bool {
		n = row[0].Int
		return true
	})
	return n
}

func TestTelemetryOfAnAppBecomesRows(t *testing.T) {
	d, opened := gatedDaemon(t)
	apply := func(env ...aca.EnvVar) { applyWeb(t, d, aca.EnvironmentTelemetry{}, env...) }

	apply(aca.EnvVar{Name: endpoint.ConnectionStringVariable, Value: endpoint.ConnectionString("web")})
	gate := received(t, "the gate to be opened", opened)
	want := container.GateSpec{Env: "dev", Names: []string{"telemetry.acalocal.internal"}, Ports: []int{80}}
	if diff := cmp.Diff(want, gate.spec); diff != "" {
		t.Error("gate (-want +got)\n", diff)
	}
	body := `[{"time":"` + time.Now().UTC().Format(time.RFC3339) + `","iKey":"` + endpoint.Key("web") + `","data":{"baseType":"RequestData","baseData":{"name":"GET /","duration":"00:00:01"}}}]`
	resp, err := http.Post("http://"+gate.addr+"/v2.1/track", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
	if n := counted(t, d, `requests | where appName == "web" and name == "GET /" | count`); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}

	apply() // without the variable
	received(t, "the gate to be closed", gate.closed)
	apply(aca.EnvVar{Name: endpoint.OTLPVariable, Value: endpoint.OTLP("web")})
	received(t, "the gate to be opened again", opened)
}

func TestOpenTelemetryAgentKnowsAppsByTheirAddress(t *testing.T) {
	d, opened := gatedDaemon(t)
	applyWeb(t, d, aca.EnvironmentTelemetry{Agent: true, Traces: true})
	gate := received(t, "the gate to be opened", opened)
	want := container.GateSpec{Env: "dev", Names: []string{"otel.service.k8se-apps"}, Ports: []int{4317}}
	if diff := cmp.Diff(want, gate.spec); diff != "" {
		t.Error("gate (-want +got)\n", diff)
	}
	exporter, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint(gate.addr), otlptracegrpc.WithInsecure())
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	_, span := provider.Tracer("test").Start(t.Context(), "work", trace.WithSpanKind(trace.SpanKindServer))
	span.End()
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := counted(t, d, `requests | where appName == "web" and name == "work" | count`); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}

	// The environment has no destination for logs.
	logs, err := otlploggrpc.New(t.Context(), otlploggrpc.WithEndpoint(gate.addr), otlploggrpc.WithInsecure())
	if err != nil {
		t.Fatal(err)
	}
	if err := logs.Export(t.Context(), make([]sdklog.Record, 1)); status.Code(err) != codes.Unimplemented {
		t.Errorf("logs: %v", err)
	}
	if err := logs.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}

	applyWeb(t, d, aca.EnvironmentTelemetry{Agent: true})
	received(t, "the gate to be closed", gate.closed)
}
