package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/evidence"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/kql"
)

// events answers with the last ?tail= (default 100) of the platform's events of
// all apps, or of ?app= and ?revision=, oldest first.
func (s *server) events(w http.ResponseWriter, r *http.Request) error {
	const most = 10_000
	tail, err := intParam(r, "tail", 100, 1, most)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	f := logsink.Filter{App: q.Get("app"), Revision: q.Get("revision")}
	out := list[Entry]{Value: []Entry{}}
	for row, err := range s.Logs.TailEvents(r.Context(), f, tail, false) {
		if err != nil {
			return err
		}
		out.Value = append(out.Value, eventEntry(row))
	}
	return reply(w, out)
}

// explain answers with the verdict on ?revision= of ?app=, default the latest.
func (s *server) explain(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	app, err := onlyApp(s.Emulator.Snapshot(), q.Get("app"))
	if err != nil {
		return err
	}
	revision := q.Get("revision")
	if revision == "" {
		revision = app.Properties.LatestRevisionName
	}
	rev, err := findRevision(app, revision, "")
	if err != nil {
		return err
	}
	v, err := s.verdict(r.Context(), app, rev.Name)
	if err != nil {
		return err
	}
	return reply(w, v)
}

// verdict explains a revision. It knows no file of the user's, so it has no
// patch.
func (s *server) verdict(ctx context.Context, app *emulator.App, revision string) (explain.Verdict, error) {
	e, err := evidence.Of(ctx, s.ask, app, revision)
	if err != nil {
		return explain.Verdict{}, err
	}
	return explain.Explain(*e), nil
}

// ask runs a query of ours.
func (s *server) ask(ctx context.Context, query string) ([][]json.RawMessage, error) {
	result, err := s.Logs.Ask(ctx, query, time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	switch len(result.Tables) {
	case 0:
		return nil, nil
	case 1:
		return cellsOf(&result.Tables[0]), nil
	}
	return nil, fmt.Errorf("the answer has %d tables", len(result.Tables))
}

// cellsOf are the cells of a table as JSON values.
func cellsOf(t *kql.ResultTable) [][]json.RawMessage {
	rows := make([][]json.RawMessage, 0, t.Rows())
	for row := range t.Each {
		cells := make([]json.RawMessage, len(row))
		for i, v := range row {
			cells[i] = kql.AppendCell(nil, v)
		}
		rows = append(rows, cells)
	}
	return rows
}

// ResetAnswer says what a reset has removed.
type ResetAnswer struct {
	Apps   []string `json:"apps"`
	Faults int      `json:"faults"`
}

// reset makes the environment as it was before the first apply, except for its
// logs and ports, and answers when its apps are gone.
func (s *server) reset(w http.ResponseWriter, r *http.Request) error {
	out := ResetAnswer{Apps: []string{}}
	var err error
	if out.Faults, err = s.Faults.Remove(""); err != nil {
		return err
	}
	snap := s.Emulator.Snapshot()
	for _, c := range snap.RouteConfigs {
		if err := s.Emulator.DeleteRouteConfig(r.Context(), c.Name); err != nil {
			return err
		}
	}
	for _, app := range snap.Apps {
		if err := s.Emulator.Delete(r.Context(), app.Name); err != nil {
			return err
		}
		out.Apps = append(out.Apps, app.Name)
	}
	err = s.await(r.Context(), func(snap *emulator.Snapshot) bool { return len(snap.Apps) == 0 })
	if err != nil {
		return err
	}
	return reply(w, out)
}
