// Package apitest holds a fake emulator for tests of what stands before and
// behind the API: it keeps state, obeys the contract of api.Emulator, and runs
// no container.
package apitest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/container"
)

var _ api.Emulator = (*Emulator)(nil)

// Emulator is a fake emulator. Its methods may be called concurrently.
type Emulator struct {
	mu      sync.Mutex
	snap    *emulator.Snapshot // guarded by mu; never changed, only replaced
	changed chan struct{}      // guarded by mu; closed when snap is replaced
	calls   []string           // guarded by mu
}

// New returns a fake whose state is snap.
func New(snap *emulator.Snapshot) *Emulator {
	own := *snap
	fillEnvelopes(&own)
	return &Emulator{snap: &own, changed: make(chan struct{})}
}

// fillEnvelopes puts around all resources of a state what is answered of them.
// Everything belongs to the user "me" and is unchanged since it was created.
func fillEnvelopes(s *emulator.Snapshot) {
	s.Apps = slices.Clone(s.Apps)
	for i := range s.Apps {
		a := &s.Apps[i]
		a.FillEnvelope(s.Environment, aca.NewSystemData("me", Created, Created))
		a.Revisions = slices.Clone(a.Revisions)
		for j := range a.Revisions {
			rev := &a.Revisions[j]
			rev.FillEnvelope(a.Name)
			rev.Replicas = slices.Clone(rev.Replicas)
			for k := range rev.Replicas {
				rev.Replicas[k].FillEnvelope(a.Name, rev.Name)
			}
		}
	}
	s.RouteConfigs = slices.Clone(s.RouteConfigs)
	for i := range s.RouteConfigs {
		s.RouteConfigs[i].FillEnvelope(s.Environment)
	}
}

// Calls returns what was asked for so far, one line a call.
func (e *Emulator) Calls() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

func (e *Emulator) called(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, fmt.Sprintf(format, args...))
}

// Change replaces the state by an edited copy of the next generation. The
// copy's list of apps is its own, what the apps point to is shared.
func (e *Emulator) Change(edit func(*emulator.Snapshot)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := *e.snap
	next.Apps = slices.Clone(next.Apps)
	edit(&next)
	fillEnvelopes(&next)
	next.Generation++
	e.snap = &next
	close(e.changed)
	e.changed = make(chan struct{})
}

// Snapshot implements api.Emulator.
func (e *Emulator) Snapshot() *emulator.Snapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.snap
}

// Current implements api.Emulator.
func (e *Emulator) Current(context.Context) (*emulator.Snapshot, error) { return e.Snapshot(), nil }

// Watch implements api.Emulator.
func (e *Emulator) Watch(ctx context.Context, since uint64) (*emulator.Snapshot, error) {
	for {
		e.mu.Lock()
		snap, changed := e.snap, e.changed
		e.mu.Unlock()
		if snap.Generation > since {
			return snap, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Apply implements api.Emulator: the app appears with one revision, ready at
// once. Definitions that differ make a new revision.
func (e *Emulator) Apply(_ context.Context, req emulator.ApplyRequest) (emulator.Applied, error) {
	e.called("apply %s hostPort=%d local=%v dryRun=%t", req.App.Name, req.HostPort, req.LocalImages, req.DryRun)
	revision := aca.RevisionName(req.App.Name, "0000001")
	applied := emulator.Applied{Revision: revision, NewRevision: true, Plan: "create replica of " + revision + ": new revision\n"}
	if req.DryRun {
		return applied, nil
	}
	app := Ready(req.App, revision)
	app.Local.Port = req.HostPort
	e.Change(func(s *emulator.Snapshot) {
		s.Apps = slices.DeleteFunc(s.Apps, func(a emulator.App) bool { return a.Name == req.App.Name })
		s.Apps = append(s.Apps, app)
	})
	return applied, nil
}

// Delete implements api.Emulator.
func (e *Emulator) Delete(_ context.Context, app string) error {
	e.called("delete %s", app)
	e.Change(func(s *emulator.Snapshot) {
		s.Apps = slices.DeleteFunc(s.Apps, func(a emulator.App) bool { return a.Name == app })
	})
	return nil
}

// RestartRevision implements api.Emulator.
func (e *Emulator) RestartRevision(_ context.Context, app, revision string) error {
	e.called("restart %s %q", app, revision)
	return nil
}

// ProbeAttempts implements api.Emulator: one attempt that passed, on the first
// replica.
func (e *Emulator) ProbeAttempts(revision string) []emulator.ProbeAttempt {
	for _, a := range e.Snapshot().Apps {
		if rev := a.Revision(revision); rev != nil && len(rev.Replicas) > 0 {
			r := rev.Replicas[0]
			return []emulator.ProbeAttempt{{Replica: r.Name, Container: "app", Probe: "Startup", Start: 1, Time: r.Properties.CreatedTime, Passed: true, Port: 8000}}
		}
	}
	return nil
}

// Exec implements api.Emulator with a few commands of its own:
//
//	cat             copies stdin to stdout
//	warn WORD       writes WORD to stderr
//	exit N          ends with that exit code
//	size            prints the terminal's size, then each change, to the end of stdin
//	fail            is not there
//	noexec          cannot be run
//	anything else   is printed
func (e *Emulator) Exec(ctx context.Context, t emulator.ExecTarget, s container.ExecSpec) (int, error) {
	e.called("exec %s/%s/%s %q tty=%t", t.Revision, t.Replica, t.Container, s.Command, s.TTY)
	switch s.Command[0] {
	case "cat":
		_, err := io.Copy(s.Stdout, s.Stdin)
		return 0, err
	case "warn":
		_, err := fmt.Fprintln(s.Stderr, s.Command[1])
		return 0, err
	case "exit":
		return strconv.Atoi(s.Command[1])
	case "size":
		return 0, printSizes(ctx, s)
	case "fail":
		return 0, container.Errorf(container.CodeNoProgram, "name a program that is in the image", "exec: %q: executable file not found in $PATH", "fail")
	case "noexec":
		return 0, container.Errorf(container.CodeCreate, "", "exec: %q: permission denied", "noexec")
	}
	_, err := fmt.Fprintln(s.Stdout, s.Command)
	return 0, err
}

func printSizes(ctx context.Context, s container.ExecSpec) error {
	fmt.Fprintf(s.Stdout, "%dx%d\n", s.Width, s.Height)
	for {
		select {
		case size, ok := <-s.Resize:
			if !ok {
				return nil
			}
			if _, err := fmt.Fprintf(s.Stdout, "%dx%d\n", size.Width, size.Height); err != nil {
				return err
			}
			if size.Width == 1 {
				return nil // the test has seen enough
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Created is the time everything in the fake was created.
var Created = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// Ready returns an app as it is when its one revision has one ready replica.
func Ready(app aca.ContainerApp, revision string) emulator.App {
	app.Properties.ProvisioningState = "Succeeded"
	app.Properties.RunningStatus = "Running"
	app.Properties.LatestRevisionName = revision
	app.Properties.LatestReadyRevisionName = revision
	name := "app"
	if cs := app.Properties.Template.Containers; len(cs) > 0 {
		name = cs[0].Name
	}
	rev := emulator.Revision{Serving: 100, Revision: aca.Revision{Name: revision, Properties: aca.RevisionProperties{
		Active: true, CreatedTime: Created, HealthState: "Healthy", ProvisioningState: "Provisioned", Replicas: 1,
		RunningState: "Running", Template: app.Properties.Template, TrafficWeight: 100,
	}}}
	rev.Replicas = []emulator.Replica{{Ready: true, Replica: aca.Replica{Name: revision + "-7d9c6b5f4-x2k8p", Properties: aca.ReplicaProperties{
		CreatedTime: Created, RunningState: "Running",
		Containers: []aca.ReplicaContainer{{
			Name: name, ContainerID: "containerd://4f1d", Ready: true, Started: true, RunningState: "Running",
			RunningStateDetails: "Container started at: 3/1/2026 8:00:00 AM.",
		}},
	}}}}
	return emulator.App{
		ContainerApp: app,
		Local:        emulator.LocalApp{URL: "http://127.0.0.1:20080", Port: 20080, Ready: true},
		Revisions:    []emulator.Revision{rev},
	}
}

// OneApp is an environment with one ready app called web.
func OneApp() *emulator.Snapshot {
	app := aca.ContainerApp{Name: "web", Type: "Microsoft.App/containerApps"}
	app.Properties.Template.Containers = []aca.Container{{Name: "web", Image: "web:1"}, {Name: "side", Image: "side:1"}}
	app.Properties.Configuration.ActiveRevisionsMode = aca.Single
	app.Properties.Configuration.Ingress = &aca.Ingress{External: true, TargetPort: 8000, Transport: aca.TransportAuto}
	return &emulator.Snapshot{
		Generation: 1, Environment: "local", Domain: "local.localhost", Edge: "127.0.0.1:8080",
		Apps: []emulator.App{Ready(app, "web--abc1234")},
	}
}

// Managed is the environment of a state as a resource.
func Managed(s *emulator.Snapshot) aca.ManagedEnvironment {
	return aca.NewManagedEnvironment(s.Environment, s.Domain, "127.0.0.1", "ws", aca.NewSystemData("me", Created, Created))
}
