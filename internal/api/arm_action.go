package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
)

// Actor is what an Emulator can do beyond taking definitions. All methods may
// be called concurrently. Errors for the user are *aca.Error.
type Actor interface {
	// Update is Apply for a definition that was read and changed: what the
	// answer to a GET leaves out stays as it is.
	Update(ctx context.Context, req emulator.ApplyRequest) (emulator.Applied, error)
	// SetRevisionActive starts a revision with its stored template, or stops
	// its replicas.
	SetRevisionActive(ctx context.Context, app, revision string, active bool) error
	// SetAppRunning starts or stops a whole app.
	SetAppRunning(ctx context.Context, app string, running bool) error
}

// action is what a POST below a resource does. The answers are those az shows.
type action func(s *server, w http.ResponseWriter, r *http.Request, t target) error

// target is what an action is about.
type target struct {
	path armPath
	app  *emulator.App
	rev  *emulator.Revision // nil for actions on an app
}

// actions lists them by "kind/word" of the path.
var actions = map[string]action{
	"revisions/restart": func(s *server, w http.ResponseWriter, r *http.Request, t target) error {
		if err := s.Emulator.RestartRevision(r.Context(), t.app.Name, t.rev.Name); err != nil {
			return err
		}
		return reply(w, "Restart succeeded")
	},
	"revisions/activate":   setActive(true, "Activate succeeded"),
	"revisions/deactivate": setActive(false, "Deactivate succeeded"),
	"/start":               setRunning(true),
	"/stop":                setRunning(false),
}

// armAction carries out the action a path ends with.
func (s *server) armAction(w http.ResponseWriter, r *http.Request, p armPath) error {
	if r.Method != http.MethodPost {
		return wrongMethod(r, http.MethodPost)
	}
	app, err := findApp(s.Emulator.Snapshot(), p.app, p.resourceGroup)
	if err != nil {
		return err
	}
	t := target{path: p, app: app}
	if p.kind == "revisions" {
		if t.rev, err = findRevision(app, p.revision, p.resourceGroup); err != nil {
			return err
		}
	}
	return actions[p.kind+"/"+p.action](s, w, r, t)
}

// setActive answers once the Snapshot shows the change, so that a client that
// reads after it writes sees what it wrote. In single mode it does not wait:
// there the mode has the last word about which revisions are active.
func setActive(active bool, answer string) action {
	return func(s *server, w http.ResponseWriter, r *http.Request, t target) error {
		if err := s.Emulator.SetRevisionActive(r.Context(), t.app.Name, t.rev.Name, active); err != nil {
			return err
		}
		if t.app.Properties.Configuration.ActiveRevisionsMode == aca.Multiple {
			err := s.await(r.Context(), func(snap *emulator.Snapshot) bool {
				a := snap.App(t.app.Name)
				return a == nil || a.Revision(t.rev.Name) == nil || a.Revision(t.rev.Name).Properties.Active == active
			})
			if err != nil {
				return err
			}
		}
		return reply(w, answer)
	}
}

// setRunning answers with the app, as ARM does.
func setRunning(running bool) action {
	return func(s *server, w http.ResponseWriter, r *http.Request, t target) error {
		if err := s.Emulator.SetAppRunning(r.Context(), t.app.Name, running); err != nil {
			return err
		}
		shown := func(a *emulator.App) bool { return (a.Properties.RunningStatus == "Stopped") == !running }
		err := s.await(r.Context(), func(snap *emulator.Snapshot) bool {
			a := snap.App(t.app.Name)
			return a == nil || shown(a)
		})
		if err != nil {
			return err
		}
		return s.armAnswer(w, r, t.path)
	}
}

// await returns when the Snapshot is as wanted.
func (s *server) await(ctx context.Context, wanted func(*emulator.Snapshot) bool) error {
	for snap := s.Emulator.Snapshot(); !wanted(snap); {
		next, err := s.Emulator.Watch(ctx, snap.Generation)
		if err != nil {
			return err
		}
		snap = next
	}
	return nil
}

// armPatch changes the app by a JSON merge patch (RFC 7396), as ARM's PATCH
// does: objects are merged, lists replaced, null removes.
func (s *server) armPatch(r *http.Request, p armPath) error {
	app, err := findApp(s.Emulator.Snapshot(), p.app, p.resourceGroup)
	if err != nil {
		return err
	}
	var patch map[string]any
	if err := decodeJSON(r.Body, &patch); err != nil {
		return err
	}
	changed, err := patched(app.ContainerApp, patch)
	if err != nil {
		return err
	}
	applied, err := s.Emulator.Update(r.Context(), emulator.ApplyRequest{App: changed})
	if err != nil {
		return err
	}
	return s.awaitRevision(r.Context(), p.app, applied.Revision)
}

// patched is an app after a merge patch; the name cannot be patched.
func patched(app aca.ContainerApp, patch map[string]any) (aca.ContainerApp, error) {
	text, err := json.Marshal(app)
	if err != nil {
		return app, fmt.Errorf("encode app %s: %w", app.Name, err)
	}
	var whole map[string]any
	if err := json.Unmarshal(text, &whole); err != nil {
		return app, fmt.Errorf("read app %s back: %w", app.Name, err)
	}
	text, err = json.Marshal(mergePatch(whole, patch))
	if err != nil {
		return app, fmt.Errorf("encode the patched app %s: %w", app.Name, err)
	}
	out, problems := aca.DecodeJSON[aca.ContainerApp](text)
	out.Name = app.Name
	return out, refuse(problems)
}

// mergePatch is RFC 7396's MergePatch: it may change and return target.
func mergePatch(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	for key, value := range changes {
		if value == nil {
			delete(object, key)
			continue
		}
		object[key] = mergePatch(object[key], value)
	}
	return object
}

// update takes an emulator.ApplyRequest whose definition was read and changed.
func (s *server) update(w http.ResponseWriter, r *http.Request) error {
	var req emulator.ApplyRequest
	if err := decodeJSON(r.Body, &req); err != nil {
		return err
	}
	applied, err := s.Emulator.Update(r.Context(), req)
	if err != nil {
		return err
	}
	return reply(w, applied)
}
