package daemon

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/containertest"
)

// lateGates is an engine in memory that takes its time to open a gate: as long
// as the app could use to start.
type lateGates struct {
	*containertest.Runtime
	container.Gate
	t   *testing.T
	app string

	mu      sync.Mutex
	ids     map[container.ID]container.Key // guarded by mu
	started chan struct{}                  // closed when a container of the app starts
	once    sync.Once
}

func (r *lateGates) Create(ctx context.Context, s container.Spec) (container.ID, error) {
	id, err := r.Runtime.Create(ctx, s)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[id] = s.Key
	return id, err
}

func (r *lateGates) Start(ctx context.Context, id container.ID) error {
	r.mu.Lock()
	key := r.ids[id]
	r.mu.Unlock()
	if key.App == r.app && key.Role == container.RoleApp {
		r.once.Do(func() { close(r.started) })
	}
	return r.Runtime.Start(ctx, id)
}

func (r *lateGates) OpenGate(_ context.Context, s container.GateSpec) (container.GateListener, error) {
	select {
	case <-r.started:
		r.t.Errorf("%s starts before the gate of %v is open", r.app, s.Names)
	case <-time.After(300 * time.Millisecond):
	}
	return &fakeGate{conns: make(chan net.Conn), done: make(chan struct{})}, nil
}

func TestContainersStartWhenTheNamesTheyCallAreThere(t *testing.T) {
	for name, apps := range map[string][]emulator.ApplyRequest{
		"another app":             {appWithIngress("web"), appWithIngress("back")},
		"the OpenTelemetry agent": {{App: appWithIngress("back").App, Telemetry: aca.EnvironmentTelemetry{Agent: true, Traces: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.boot(func(o *Options) {
				o.Runtime = &lateGates{Runtime: m.runtime, t: t, app: "back", ids: map[container.ID]container.Key{}, started: make(chan struct{})}
			})
			m.daemon.edge.gates.settle = time.Hour // only what cannot wait
			for _, app := range apps {
				if _, err := m.daemon.Engine.Apply(t.Context(), app); err != nil {
					t.Fatal(err)
				}
			}
			m.waitFor("back is ready", func(s *emulator.Snapshot) bool { a := s.App("back"); return a != nil && a.Local.Ready })
		})
	}
}

func appWithIngress(name string) emulator.ApplyRequest {
	return emulator.ApplyRequest{App: aca.ContainerApp{Name: name, Properties: aca.AppProperties{
		Configuration: aca.Configuration{Ingress: &aca.Ingress{TargetPort: 8000}},
		Template:      aca.Template{Containers: []aca.Container{{Name: "app", Image: "web:1"}}, Scale: &aca.Scale{MinReplicas: new(1)}},
	}}}
}

func TestProgress(t *testing.T) {
	var p progress
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.wait(cancelled, 0); err != nil {
		t.Errorf("0 is reached from the start, and yet: %v", err)
	}
	if err := p.wait(cancelled, 1); err == nil {
		t.Error("1 is not reached")
	}
	waited := make(chan error)
	go func() { waited <- p.wait(t.Context(), 2) }()
	p.reach(1)
	p.reach(3)
	if err := <-waited; err != nil {
		t.Error(err)
	}
	p.reach(1)
	if err := p.wait(cancelled, 3); err != nil {
		t.Errorf("it fell: %v", err)
	}
	p.end()
	if err := p.wait(cancelled, 1<<40); err != nil {
		t.Errorf("after the end: %v", err)
	}
}
