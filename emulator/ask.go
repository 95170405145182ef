package emulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/core"
)

// do runs f on the loop and waits for it. The Snapshot of after the change is
// published before the caller goes on, so callers read what they wrote.
func (e *Engine) do(ctx context.Context, f func(context.Context) error) error {
	answer := make(chan error, 1)
	e.mail.put(func(loop context.Context) {
		err := f(loop)
		e.publish()
		answer <- err
	})
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-e.ended:
	}
	select {
	case err := <-answer: // it was the last thing done
		return err
	default:
		return errEnded
	}
}

// errEnded answers what is asked of an environment that has ended.
var errEnded = errors.New("the environment has ended")

// Apply makes an app become what the request says. It returns once the change
// is planned, before anything runs, as ACA's update does: Succeeded is not
// ready. Errors for the user are *aca.Error.
func (e *Engine) Apply(ctx context.Context, req ApplyRequest) (Applied, error) {
	app := *req.App.Clone()
	aca.DropReadOnly(&app)
	app.DropEnvelope()
	app.ApplyDefaults()
	if problems := aca.Errors(req.resolved(app).Validate()); len(problems) > 0 {
		return Applied{}, problems[0].Err()
	}
	req.giveValues(&app)
	if req.Resiliency != nil {
		if problems := aca.Errors(req.Resiliency.Validate()); len(problems) > 0 {
			return Applied{}, problems[0].Err()
		}
		policy := *req.Resiliency
		aca.DropReadOnly(&policy)
		req.Resiliency = &policy
	}
	if err := e.checkImages(ctx, &req, app); err != nil {
		return Applied{}, err
	}
	spec := core.SpecChanged{App: app, HostPort: req.HostPort, Local: req.LocalImages, Directories: req.Directories.toCore(), Resiliency: req.Resiliency, Telemetry: req.Telemetry, Edit: req.edit || req.KeepLocal}
	var out Applied
	err := e.do(ctx, func(loop context.Context) error {
		if kept, ok := e.state.Kept(app.Name); ok && req.KeepLocal {
			spec.HostPort = cmp.Or(spec.HostPort, kept.HostPort)
			spec.Local = append(slices.Clone(spec.Local), kept.Local...)
			spec.Directories, spec.Resiliency, spec.Telemetry = kept.Directories, kept.Resiliency, kept.Telemetry
			req.SecretValues = kept.Secrets
			req.giveValues(&spec.App)
		}
		if err := e.state.Check(spec); err != nil {
			return err
		}
		out.Plan = e.state.Plan(spec)
		if req.DryRun {
			out.Revision = e.latest(app.Name)
			return nil
		}
		return e.apply(loop, spec, &out)
	})
	return out, err
}

// resolved is app with each reference to a key vault that has a value here
// replaced by that value: a secret has one or the other.
func (req *ApplyRequest) resolved(app aca.ContainerApp) *aca.ContainerApp {
	out := app.Clone()
	for i, s := range out.Properties.Configuration.Secrets {
		if value := req.SecretValues[s.Name]; value != "" && s.KeyVaultURL != "" {
			out.Properties.Configuration.Secrets[i] = aca.Secret{Name: s.Name, Value: value}
		}
	}
	return out
}

// giveValues puts the values of references to a key vault beside them.
func (req *ApplyRequest) giveValues(app *aca.ContainerApp) {
	for i, s := range app.Properties.Configuration.Secrets {
		if s.KeyVaultURL != "" {
			app.Properties.Configuration.Secrets[i].Value = cmp.Or(req.SecretValues[s.Name], s.Value)
		}
	}
}

// apply opens the app's port and changes the app. Loop only.
func (e *Engine) apply(ctx context.Context, spec core.SpecChanged, out *Applied) error {
	in := spec.App.Properties.Configuration.Ingress
	if in != nil && in.External && in.Transport != aca.TransportTCP {
		port, err := e.o.Router.Listen(spec.App.Name, spec.HostPort)
		if err != nil {
			return &aca.Error{Code: "PortInUse", Message: err.Error(), Target: spec.App.Name}
		}
		spec.HostPort = port
	} else {
		e.o.Router.Unlisten(spec.App.Name)
		spec.HostPort = 0
	}
	before := e.latest(spec.App.Name)
	e.handle(ctx, spec)
	out.Revision = e.latest(spec.App.Name)
	out.NewRevision = out.Revision != before
	return nil
}

// latest is the name of an app's latest revision, "" before it has one.
func (e *Engine) latest(app string) string {
	for _, a := range e.state.View(time.Now()) {
		if a.Resource.Name == app {
			return a.Resource.Properties.LatestRevisionName
		}
	}
	return ""
}

// Delete begins to remove an app: it is drained, stopped and forgotten.
func (e *Engine) Delete(ctx context.Context, app string) error {
	return e.do(ctx, func(loop context.Context) error {
		if e.latest(app) == "" {
			return notFound("containerApps", app)
		}
		e.handle(loop, core.SpecRemoved{App: app})
		return nil
	})
}

// ApplyRouteConfig makes a route config of the environment become what c says.
// Errors for the user are *aca.Error.
func (e *Engine) ApplyRouteConfig(ctx context.Context, c aca.HTTPRouteConfig) error {
	aca.DropReadOnly(&c)
	if problems := aca.Errors(c.Validate()); len(problems) > 0 {
		return problems[0].Err()
	}
	return e.do(ctx, func(loop context.Context) error {
		if err := e.state.CheckRouteConfig(c); err != nil {
			return err
		}
		e.handle(loop, core.RouteConfigChanged{Config: c})
		return nil
	})
}

// DeleteRouteConfig removes a route config.
func (e *Engine) DeleteRouteConfig(ctx context.Context, name string) error {
	return e.do(ctx, func(loop context.Context) error {
		if e.build().RouteConfig(name) == nil {
			return notFound("httpRouteConfigs", name)
		}
		e.handle(loop, core.RouteConfigRemoved{Name: name})
		return nil
	})
}

// RestartRevision makes new replicas of a revision, and stops the old ones
// when those are ready. An empty revision means the latest one.
func (e *Engine) RestartRevision(ctx context.Context, app, revision string) error {
	return e.do(ctx, func(loop context.Context) error {
		snapshot := e.build()
		a := snapshot.App(app)
		if a == nil {
			return notFound("containerApps", app)
		}
		if revision == "" {
			revision = a.Properties.LatestRevisionName
		}
		rev := a.Revision(revision)
		switch {
		case rev == nil:
			return notFound("revisions", revision)
		case !rev.Properties.Active || rev.Properties.RunningState == "Deprovisioning":
			return refusedAction("restarting", revision, "revision is not active")
		}
		e.handle(loop, core.RestartRequested{App: app, Revision: revision})
		return nil
	})
}

// refusedAction is what Azure answers when its cluster refuses to do something
// with a revision.
func refusedAction(doing, revision, why string) error {
	return &aca.Error{
		Code:    "RevisionOperationError",
		Message: fmt.Sprintf(`Error %s revision %s. Details Reason: Bad Request. Body: {"error":%q,"success":false}`, doing, revision, why),
		Target:  revision,
	}
}

// SetRevisionActive activates or deactivates a revision: its replicas start
// with the stored template, or stop.
func (e *Engine) SetRevisionActive(ctx context.Context, app, revision string, active bool) error {
	return e.do(ctx, func(loop context.Context) error {
		a := e.build().App(app)
		switch {
		case a == nil:
			return notFound("containerApps", app)
		case a.Revision(revision) == nil:
			return notFound("revisions", revision)
		}
		e.handle(loop, core.ActivationRequested{App: app, Revision: revision, Active: active})
		return nil
	})
}

// SetAppRunning stops or starts an app.
func (e *Engine) SetAppRunning(ctx context.Context, app string, running bool) error {
	return e.do(ctx, func(loop context.Context) error {
		if e.latest(app) == "" {
			return notFound("containerApps", app)
		}
		e.handle(loop, core.RunningRequested{App: app, Running: running})
		return nil
	})
}

func notFound(kind, name string) error {
	return &aca.Error{Code: "ResourceNotFound", Message: fmt.Sprintf("The Resource 'Microsoft.App/%s/%s' was not found.", kind, name), Target: name}
}

// Shutdown drains and removes every app. It returns when nothing of the
// environment is left, and Run with it, or with ctx's error.
func (e *Engine) Shutdown(ctx context.Context) error {
	err := e.do(ctx, func(loop context.Context) error {
		e.handle(loop, core.ShutdownRequested{})
		return nil
	})
	if err != nil {
		return err
	}
	select {
	case <-e.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Snapshot returns the present state, never nil. It must not be changed.
func (e *Engine) Snapshot() *Snapshot { return e.snapshot.Load() }

// Current returns the Snapshot of after everything that happened before the
// call. Rows are stored before the state they tell of is seen, so whoever has
// read a row asks this for the state that goes with it. After the end it is
// the last Snapshot.
func (e *Engine) Current(ctx context.Context) (*Snapshot, error) {
	err := e.do(ctx, func(context.Context) error { return nil })
	if err != nil && !errors.Is(err, errEnded) {
		return nil, err
	}
	return e.Snapshot(), nil
}

// Watch blocks until there is a Snapshot of a generation above since.
func (e *Engine) Watch(ctx context.Context, since uint64) (*Snapshot, error) {
	for {
		e.mu.Lock()
		news := e.news
		e.mu.Unlock()
		if s := e.snapshot.Load(); s.Generation > since {
			return s, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// publish makes the state visible when it changed, and the first time: that
// generation 1 exists says that the environment runs. Loop only.
func (e *Engine) publish() {
	e.writeRows()
	last := e.snapshot.Load()
	next := e.build()
	e.forgetWatches(next)
	e.tries.retain(next.replicas())
	next.Generation = last.Generation
	if last.Generation > 0 && reflect.DeepEqual(last, next) {
		return
	}
	next.Generation++
	e.snapshot.Store(next)
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.news)
	e.news = make(chan struct{})
}

// ProbeAttempts are the attempts of the probes of a revision that are still
// remembered, oldest first: the newest few hundred of each probe since this
// daemon began. The revision need not exist any more.
func (e *Engine) ProbeAttempts(revision string) []ProbeAttempt {
	return e.tries.of(func(replica string) bool { return aca.RevisionOfReplica(replica) == revision })
}

// build is the state as readers get it. Loop only.
func (e *Engine) build() *Snapshot {
	s := &Snapshot{Environment: e.o.Environment, Domain: e.o.Domain, Edge: e.o.Router.Addr(), SecureEdge: e.o.Router.SecureAddr(), API: e.o.API}
	for _, v := range e.state.View(time.Now()) {
		a := App{ContainerApp: v.Resource, Local: LocalApp{Port: v.HostPort, Ready: v.Ready, Problem: v.Problem, RestartPending: v.RestartPending, Telemetry: v.Telemetry}}
		if v.HostPort != 0 {
			a.Local.URL = fmt.Sprintf("http://127.0.0.1:%d", v.HostPort)
		}
		for _, rv := range v.Revisions {
			rev := Revision{Revision: rv.Resource, Serving: rv.Serving}
			for _, r := range rv.Replicas {
				rev.Replicas = append(rev.Replicas, Replica{Replica: r.Resource, Ready: r.Ready, Draining: r.Draining, Local: localReplica(r)})
			}
			a.Revisions = append(a.Revisions, rev)
		}
		s.Apps = append(s.Apps, a)
	}
	for _, v := range e.state.RouteConfigs() {
		s.RouteConfigs = append(s.RouteConfigs, RouteConfig{HTTPRouteConfig: v.Resource, Local: LocalRouteConfig{Problem: v.Problem}})
	}
	return s
}

func localReplica(v core.ReplicaView) LocalReplica {
	var out LocalReplica
	for _, l := range v.Listeners {
		out.Listening = append(out.Listening, Listener(l))
	}
	if t := v.Start; t != nil {
		out.Start = &Start{Schedule: t.Schedule.Seconds(), Create: t.Create.Seconds(), Boot: t.Boot.Seconds(), Probes: t.Probes.Seconds()}
	}
	for _, c := range v.Containers {
		lc := LocalContainer{Name: c.Name, OOMKills: c.OOMKills}
		if c.Last != nil {
			end := End(*c.Last)
			lc.LastEnd = &end
		}
		out.Containers = append(out.Containers, lc)
	}
	return out
}

// Exec runs a command in a running container and returns its exit code.
func (e *Engine) Exec(ctx context.Context, target ExecTarget, s container.ExecSpec) (int, error) {
	id, err := e.Snapshot().locate(target)
	if err != nil {
		return 0, err
	}
	return e.o.Runtime.Exec(ctx, id, s)
}

// locate finds the container of an ExecTarget.
func (s *Snapshot) locate(t ExecTarget) (container.ID, error) {
	a := s.App(t.App)
	if a == nil {
		return "", notFound("containerApps", t.App)
	}
	rev := a.Revision(t.Revision)
	if t.Revision == "" {
		rev = a.Revision(a.Properties.LatestRevisionName)
	}
	if rev == nil {
		return "", notFound("revisions", t.Revision)
	}
	for _, r := range rev.Replicas {
		if t.Replica != "" && r.Name != t.Replica {
			continue
		}
		return r.locate(t.Container)
	}
	return "", &aca.Error{Code: "ResourceNotFound", Message: fmt.Sprintf("Could not find a replica for this app: revision %s has none.", rev.Name), Target: rev.Name}
}

func (r *Replica) locate(name string) (container.ID, error) {
	for _, c := range r.Properties.Containers {
		if name != "" && c.Name != name {
			continue
		}
		if c.RunningState != "Running" {
			return "", &aca.Error{Code: "ClusterExecEndpointWebSocketConnectionError", Message: fmt.Sprintf("Failed to establish a connection with container '%s': %s", c.Name, strings.TrimSuffix(c.RunningStateDetails, ".")), Target: c.Name}
		}
		return container.ID(c.ContainerID), nil
	}
	return "", &aca.Error{Code: "ResourceNotFound", Message: "No such container: " + name, Target: name}
}
