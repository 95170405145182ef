package daemon

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/telemetry/endpoint"
	"github.com/acalocal/acalocal/logsink/kql"
)

// gatedRuntime is an engine in memory whose gates are loopback listeners.
type gatedRuntime struct {
	*containertest.Runtime
	opened chan openedGate
}

type openedGate struct {
	spec   container.GateSpec
	addr   string
	closed chan struct{}
}

func (r *gatedRuntime) OpenGate(_ context.Context, s container.GateSpec) (net.Listener, error) {
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
	case <-time.After(30 * time.Second):
		t.Fatal("waited in vain for", what)
		panic("not reached")
	}
}

func TestTelemetryOfAnAppBecomesRows(t *testing.T) {
	m := newMachine(t)
	opened := make(chan openedGate, 1)
	o := m.options()
	o.Runtime = &gatedRuntime{m.runtime, opened}
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended, ready := make(chan error, 1), make(chan struct{})
	go func() { ended <- d.Run(ctx, func() { close(ready) }) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	<-ready
	apply := func(env ...aca.EnvVar) {
		t.Helper()
		app := aca.ContainerApp{Name: "web", Properties: aca.AppProperties{
			Template: aca.Template{Containers: []aca.Container{{Name: "app", Image: "web:1", Env: env}}},
		}}
		if _, err := d.Engine.Apply(ctx, emulator.ApplyRequest{App: app}); err != nil {
			t.Fatal(err)
		}
	}

	apply(aca.EnvVar{Name: endpoint.ConnectionStringVariable, Value: endpoint.ConnectionString("web")})
	gate := received(t, "the gate to be opened", opened)
	want := container.GateSpec{Env: "dev", Names: []string{"telemetry.acalocal.internal"}, Ports: []int{80}}
	if diff := cmp.Diff(want, gate.spec); diff != "" {
		t.Error("gate (-want +got)\n", diff)
	}
	body := `[{"time":"2026-06-26T08:19:07Z","iKey":"` + endpoint.Key("web") + `","data":{"baseType":"RequestData","baseData":{"name":"GET /","duration":"00:00:01"}}}]`
	resp, err := http.Post("http://"+gate.addr+"/v2.1/track", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
	res, err := d.Logs.Query(ctx, `requests | where appName == "web" and name == "GET /" | count`, kql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	res.Tables[0].Each(func(row []kql.Value) bool {
		if row[0].Int != 1 {
			t.Errorf("%d rows, want 1", row[0].Int)
		}
		return true
	})

	apply() // without the variable
	received(t, "the gate to be closed", gate.closed)
	apply(aca.EnvVar{Name: endpoint.OTLPVariable, Value: endpoint.OTLP("web")})
	received(t, "the gate to be opened again", opened)
}
