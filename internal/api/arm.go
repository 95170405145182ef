package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
)

// maxBody bounds the body of a request. ARM takes 4 MB.
const maxBody = 4 << 20

// list is ARM's envelope around several resources.
type list[T any] struct {
	Value []T `json:"value"`
}

// serveARM answers a request for apps, revisions, replicas, environments or route
// configs.
func (s *server) serveARM(w http.ResponseWriter, r *http.Request, p armPath) error {
	switch {
	case p.kind == environments:
		return s.armEnvironment(w, r, p)
	case p.kind == routeConfigs:
		return s.armRouteConfig(w, r, p)
	case p.action != "":
		return s.armAction(w, r, p)
	case p.app != "" && p.kind == "":
		return s.armApp(w, r, p)
	case r.Method != http.MethodGet:
		return wrongMethod(r, http.MethodGet)
	}
	return s.armAnswer(w, r, p)
}

// armRead returns the resource or list a GET asks for.
func (s *server) armRead(ctx context.Context, p armPath) (any, error) {
	snap, err := s.Emulator.Current(ctx)
	if err != nil {
		return nil, err
	}
	if p.app == "" {
		return list[aca.ContainerApp]{collect(snap.Apps, func(a *emulator.App) aca.ContainerApp { return a.In(p.group()) })}, nil
	}
	app, err := findApp(snap, p.app, p.resourceGroup)
	switch {
	case err != nil:
		return nil, err
	case p.kind == "":
		return app.In(p.group()), nil
	case p.revision == "":
		return list[aca.Revision]{collect(app.Revisions, func(r *emulator.Revision) aca.Revision { return r.In(p.group()) })}, nil
	}
	rev, err := findRevision(app, p.revision, p.resourceGroup)
	switch {
	case err != nil:
		return nil, err
	case p.kind == "revisions":
		return rev.In(p.group()), nil
	case p.replica == "":
		return list[aca.Replica]{collect(rev.Replicas, func(r *emulator.Replica) aca.Replica { return r.In(p.group()) })}, nil
	}
	rep, err := findReplica(app, rev, p.replica, p.resourceGroup)
	if err != nil {
		return nil, err
	}
	return rep.In(p.group()), nil
}

// armApp answers requests for one app.
func (s *server) armApp(w http.ResponseWriter, r *http.Request, p armPath) error {
	switch r.Method {
	case http.MethodGet:
	case http.MethodPut:
		if err := s.armPut(r, p); err != nil {
			return err
		}
	case http.MethodPatch:
		if err := s.armPatch(r, p); err != nil {
			return err
		}
	case http.MethodDelete:
		return s.armDelete(w, r, p)
	default:
		return wrongMethod(r, "GET, PUT, PATCH and DELETE")
	}
	return s.armAnswer(w, r, p)
}

// armAnswer answers with the resource or list of a path.
func (s *server) armAnswer(w http.ResponseWriter, r *http.Request, p armPath) error {
	body, err := s.armRead(r.Context(), p)
	if err != nil {
		return err
	}
	return reply(w, aca.Answer(body))
}

// armPut makes the app what the body says. The name in the path counts: ARM
// ignores the one in the body.
func (s *server) armPut(r *http.Request, p armPath) error {
	app, err := decodeApp(r.Body, p.app)
	if err != nil {
		return err
	}
	applied, err := s.Emulator.Apply(r.Context(), emulator.ApplyRequest{App: app, KeepLocal: true})
	if err != nil {
		return err
	}
	return s.awaitRevision(r.Context(), p.app, applied.Revision)
}

// awaitRevision returns when the Snapshot shows what was applied: the emulator
// answers when a change is planned, which is a moment before it is published.
func (s *server) awaitRevision(ctx context.Context, app, revision string) error {
	return s.await(ctx, func(snap *emulator.Snapshot) bool {
		a := snap.App(app)
		return a != nil && a.Properties.LatestRevisionName == revision
	})
}

func (s *server) armDelete(w http.ResponseWriter, r *http.Request, p armPath) error {
	if s.Emulator.Snapshot().App(p.app) == nil {
		w.WriteHeader(http.StatusNoContent) // deleting what is not there is no error
		return nil
	}
	if err := s.Emulator.Delete(r.Context(), p.app); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// readBody reads a whole request body.
func readBody(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	switch {
	case err != nil:
		return nil, badContent("", "The request body cannot be read: %v.", err)
	case len(b) > maxBody:
		return nil, badContent("", "The request body is larger than %d bytes.", maxBody)
	}
	return b, nil
}

// decodeJSON reads a request body of our own making into v.
func decodeJSON(r io.Reader, v any) error {
	b, err := readBody(r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return badContent("", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	return nil
}

// decodeStrict is decodeJSON for bodies that people write: a field that is not
// known is more likely misspelt than meant for a later version.
func decodeStrict(r io.Reader, v any) error {
	b, err := readBody(r)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return badContent("", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	return nil
}

// collect maps the items of a list; a list of nothing is [], not null.
func collect[T, U any](items []T, f func(*T) U) []U {
	out := make([]U, 0, len(items))
	for i := range items {
		out = append(out, f(&items[i]))
	}
	return out
}
