package fault

import (
	"context"
	"net"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

// Runtime returns inner as it is while this Set holds faults of it. It is
// called once, before Run.
func (s *Set) Runtime(inner container.Runtime) container.Runtime {
	s.runtime = inner
	r := &engine{Runtime: inner, set: s}
	if gate, ok := inner.(container.Gate); ok {
		return struct {
			*engine
			container.Gate
		}{r, gate}
	}
	return r
}

// outage is a context that is done while the engine is lost.
type outage struct {
	context.Context
	begin context.CancelFunc
}

func newOutage() outage {
	ctx, begin := context.WithCancel(context.Background())
	return outage{ctx, begin}
}

// findEngineLocked begins or ends an outage.
func (s *Set) findEngineLocked() {
	lost, now := false, time.Now()
	for _, f := range s.faults {
		lost = lost || f.Kind == LoseEngine && f.Phase == Active && !f.overAt(now)
	}
	switch {
	case lost:
		s.engine.begin()
	case s.engine.Err() != nil:
		s.engine = newOutage()
	}
}

// loss is done as long as the engine is lost.
func (s *Set) loss() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine
}

var errLost = container.Errorf(container.CodeUnreachable, `"acalocal fault list" shows it`, "the container engine is lost: a fault wants it so")

// engine is a container engine that can be lost.
type engine struct {
	container.Runtime
	set *Set
}

// reach fails while the engine is lost.
func (e *engine) reach() error {
	if e.set.idle() || e.set.loss().Err() == nil {
		return nil
	}
	e.set.take(place{}, always, "keeps the container engine away", LoseEngine)
	return errLost
}

func always(*Fault) bool { return true }

// List implements container.Runtime.
func (e *engine) List(ctx context.Context, env string) ([]container.Status, error) {
	if err := e.reach(); err != nil {
		return nil, err
	}
	return e.Runtime.List(ctx, env)
}

// Create implements container.Runtime.
func (e *engine) Create(ctx context.Context, s container.Spec) (container.ID, error) {
	if err := e.reach(); err != nil {
		return "", err
	}
	return e.Runtime.Create(ctx, s)
}

// Start implements container.Runtime.
func (e *engine) Start(ctx context.Context, id container.ID) error {
	if err := e.reach(); err != nil {
		return err
	}
	return e.Runtime.Start(ctx, id)
}

// Stop implements container.Runtime.
func (e *engine) Stop(ctx context.Context, id container.ID, grace time.Duration) error {
	if err := e.reach(); err != nil {
		return err
	}
	return e.Runtime.Stop(ctx, id, grace)
}

// Remove implements container.Runtime.
func (e *engine) Remove(ctx context.Context, id container.ID) error {
	if err := e.reach(); err != nil {
		return err
	}
	return e.Runtime.Remove(ctx, id)
}

// Exec implements container.Runtime.
func (e *engine) Exec(ctx context.Context, id container.ID, s container.ExecSpec) (int, error) {
	if err := e.reach(); err != nil {
		return 0, err
	}
	return e.Runtime.Exec(ctx, id, s)
}

// Resolve implements container.Runtime.
func (e *engine) Resolve(ctx context.Context, s container.PullSpec) error {
	if err := e.reach(); err != nil {
		return err
	}
	return e.Runtime.Resolve(ctx, s)
}

// Pull implements container.Runtime.
func (e *engine) Pull(ctx context.Context, s container.PullSpec, progress func(container.PullProgress)) (container.Image, error) {
	if err := e.reach(); err != nil {
		return container.Image{}, err
	}
	fits := func(f *Fault) bool { return match(f.Image, s.Image) }
	if f, ok := e.set.take(place{}, fits, "refused to pull "+s.Image, RefusePull); ok {
		return container.Image{}, container.Errorf(container.CodeUnauthorized, `"acalocal fault list" shows it`,
			"pull image %s: unauthorized: the fault '%s' refuses it", s.Image, f.Name)
	}
	return e.Runtime.Pull(ctx, s, progress)
}

// Events implements container.Runtime. The stream ends when the engine is lost.
func (e *engine) Events(ctx context.Context, env string) (<-chan container.Hint, error) {
	if err := e.reach(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(e.set.loss(), cancel)
	context.AfterFunc(ctx, func() { stop() })
	hints, err := e.Runtime.Events(ctx, env)
	if err != nil {
		cancel()
	}
	return hints, err
}

// Logs implements container.Runtime. The reader fails when the engine is lost.
func (e *engine) Logs(ctx context.Context, id container.ID, since time.Time) (container.LogReader, error) {
	if err := e.reach(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	reader, err := e.Runtime.Logs(ctx, id, since)
	if err != nil {
		cancel()
		return nil, err
	}
	lost := e.set.loss()
	stop := context.AfterFunc(lost, cancel)
	return &logReader{reader, lost, func() { stop(); cancel() }}, nil
}

type logReader struct {
	container.LogReader
	lost context.Context
	end  func()
}

// Next implements container.LogReader.
func (r *logReader) Next() (container.LogEntry, error) {
	entry, err := r.LogReader.Next()
	if err != nil && r.lost.Err() != nil {
		return entry, errLost
	}
	return entry, err
}

// Close implements container.LogReader.
func (r *logReader) Close() error {
	r.end()
	return r.LogReader.Close()
}

// Agent implements container.Runtime.
func (e *engine) Agent(ctx context.Context, holder container.ID) (container.Agent, error) {
	if err := e.reach(); err != nil {
		return nil, err
	}
	a, err := e.Runtime.Agent(ctx, holder)
	if err != nil {
		return nil, err
	}
	return agent{a, e}, nil
}

// agent is reached through the engine, and lost with it.
type agent struct {
	container.Agent
	engine *engine
}

// Check implements container.Agent.
func (a agent) Check(ctx context.Context, c container.Check) (container.CheckResult, error) {
	if err := a.engine.reach(); err != nil {
		return container.CheckResult{}, err
	}
	return a.Agent.Check(ctx, c)
}

// Listeners implements container.Agent.
func (a agent) Listeners(ctx context.Context) ([]container.Listener, error) {
	if err := a.engine.reach(); err != nil {
		return nil, err
	}
	return a.Agent.Listeners(ctx)
}

// Dial implements container.Agent.
func (a agent) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	if err := a.engine.reach(); err != nil {
		return nil, err
	}
	return a.Agent.Dial(ctx, host, port)
}
