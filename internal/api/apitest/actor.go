package apitest

import (
	"context"
	"slices"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
)

// Update implements api.Actor: the definition is taken as it is. A changed
// template makes a revision that is ready at once.
func (e *Emulator) Update(_ context.Context, req emulator.ApplyRequest) (emulator.Applied, error) {
	e.called("update %s dryRun=%t", req.App.Name, req.DryRun)
	old := e.Snapshot().App(req.App.Name)
	if old == nil {
		return emulator.Applied{}, &aca.Error{Code: "ResourceNotFound", Message: "no app " + req.App.Name, Target: req.App.Name}
	}
	applied := emulator.Applied{Revision: old.Properties.LatestRevisionName, Plan: "keep revision " + old.Properties.LatestRevisionName + " (nothing changed in the template)\n"}
	if aca.TemplateHash(&old.Properties.Template) != aca.TemplateHash(&req.App.Properties.Template) {
		suffix := req.App.Properties.Template.RevisionSuffix
		if suffix == "" {
			suffix = aca.CounterSuffix(len(old.Revisions))
		}
		applied = emulator.Applied{Revision: aca.RevisionName(req.App.Name, suffix), NewRevision: true, Plan: "create revision of " + req.App.Name + " (template changed)\n"}
	}
	if !req.DryRun {
		e.Change(func(s *emulator.Snapshot) { *s.App(req.App.Name) = updated(*old, req.App, applied) })
	}
	return applied, nil
}

// updated is an app after an update.
func updated(old emulator.App, app aca.ContainerApp, applied emulator.Applied) emulator.App {
	next := old
	next.ContainerApp = app
	next.Properties.ProvisioningState, next.Properties.RunningStatus = old.Properties.ProvisioningState, old.Properties.RunningStatus
	next.Properties.LatestRevisionName = applied.Revision
	next.Properties.LatestReadyRevisionName = old.Properties.LatestReadyRevisionName
	if applied.NewRevision {
		made := Ready(app, applied.Revision)
		next.ContainerApp = made.ContainerApp
		next.Revisions = append(slices.Clone(old.Revisions), made.Revisions...)
	}
	return next
}

// ApplyRouteConfig implements api.Emulator.
func (e *Emulator) ApplyRouteConfig(_ context.Context, c aca.HTTPRouteConfig) error {
	e.called("route config %s", c.Name)
	e.Change(func(s *emulator.Snapshot) {
		c.Properties.Fqdn = c.Name + "." + s.Domain
		s.RouteConfigs = slices.DeleteFunc(slices.Clone(s.RouteConfigs), func(o emulator.RouteConfig) bool { return o.Name == c.Name })
		s.RouteConfigs = append(s.RouteConfigs, emulator.RouteConfig{HTTPRouteConfig: c})
	})
	return nil
}

// DeleteRouteConfig implements api.Emulator.
func (e *Emulator) DeleteRouteConfig(_ context.Context, name string) error {
	e.called("delete route config %s", name)
	if e.Snapshot().RouteConfig(name) == nil {
		return &aca.Error{Code: "ResourceNotFound", Message: "no route config " + name, Target: name}
	}
	e.Change(func(s *emulator.Snapshot) {
		s.RouteConfigs = slices.DeleteFunc(slices.Clone(s.RouteConfigs), func(o emulator.RouteConfig) bool { return o.Name == name })
	})
	return nil
}

// SetRevisionActive implements api.Actor.
func (e *Emulator) SetRevisionActive(_ context.Context, app, revision string, active bool) error {
	e.called("active %s %s %t", app, revision, active)
	e.Change(func(s *emulator.Snapshot) {
		a := s.App(app)
		a.Revisions = slices.Clone(a.Revisions)
		a.Revision(revision).Properties.Active = active
	})
	return nil
}

// SetAppRunning implements api.Actor.
func (e *Emulator) SetAppRunning(_ context.Context, app string, running bool) error {
	e.called("running %s %t", app, running)
	e.Change(func(s *emulator.Snapshot) {
		s.App(app).Properties.RunningStatus = map[bool]string{true: "Running", false: "Stopped"}[running]
	})
	return nil
}
