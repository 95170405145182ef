package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/rollout"
	"github.com/acalocal/acalocal/logsink"
)

// WaitAnswer says that what was waited for is so.
type WaitAnswer struct {
	// For is what was waited for: ready, revision or log.
	For string `json:"for"`
	// Revisions are the revisions that are ready.
	Revisions []string `json:"revisions,omitempty"`
	// Waited is how long it took, in milliseconds.
	Waited float64 `json:"waitedMs"`
}

// Limits of how long one call waits.
const (
	usualWait   = time.Minute
	longestWait = time.Hour
)

// wait answers when something is so:
//
//	?for=ready     the latest revision of all apps, or of ?app=, is ready
//	?for=revision  ?revision= is, by its name, its suffix, or the latest one
//	?for=log       a console line or event of ?app= contains ?text=, or ?query=
//	               has a row
//
// ?timeout= is a Go duration, default 1m. It fails with RequestTimeout when
// that is over and with RevisionNotReady as soon as waiting is no use.
func (s *server) wait(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	timeout, err := durationParam(r, "timeout", usualWait, longestWait)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	out := WaitAnswer{For: q.Get("for")}
	begin := time.Now()
	switch out.For {
	case "ready":
		out.Revisions, err = s.awaitReady(ctx, q.Get("app"))
	case "revision":
		out.Revisions, err = s.awaitOne(ctx, q.Get("app"), q.Get("revision"))
	case "log":
		err = s.awaitLog(ctx, q.Get("app"), q.Get("text"), q.Get("query"))
	default:
		return badContent("for", "'%s' is not ready, revision or log.", out.For)
	}
	if err != nil && ctx.Err() != nil && r.Context().Err() == nil {
		return s.tooLate(out, q.Get("app"), timeout)
	}
	if err != nil {
		return err
	}
	out.Waited = milliseconds(time.Since(begin))
	return reply(w, out)
}

// durationParam reads a duration above 0 and up to longest.
func durationParam(r *http.Request, name string, absent, longest time.Duration) (time.Duration, error) {
	v := r.URL.Query().Get(name)
	if v == "" {
		return absent, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 || d > longest {
		return 0, badContent(name, "'%s' is not a duration such as 30s, up to %s.", v, longest)
	}
	return d, nil
}

// tooLate is the error of a wait that was in vain.
func (s *server) tooLate(wanted WaitAnswer, app string, timeout time.Duration) error {
	message := fmt.Sprintf("Waited %s in vain for a row of the logs.", timeout)
	snap := s.Emulator.Snapshot()
	switch only, err := onlyApp(snap, app); {
	case wanted.For == "log":
	case wanted.For == "revision" && err == nil:
		message = fmt.Sprintf("Not ready after %s: %s is %s", timeout, wanted.Revisions[0], rollout.Describe(only, wanted.Revisions[0]))
	default:
		message = fmt.Sprintf("Not ready after %s: %s", timeout, unready(snap, app))
	}
	return &aca.Error{Code: codeTimeout, Message: message, Target: app}
}

// unready describes the apps whose latest revision is not ready.
func unready(snap *emulator.Snapshot, only string) string {
	var lines []string
	for i := range snap.Apps {
		app := &snap.Apps[i]
		revision := app.Properties.LatestRevisionName
		if (only == "" || app.Name == only) && rollout.Judge(app, revision) != rollout.Ready {
			lines = append(lines, revision+" is "+rollout.Describe(app, revision))
		}
	}
	if len(lines) == 0 {
		return "there is no such app."
	}
	return strings.Join(lines, "; ")
}

// awaitReady waits for the latest revision of an app, or of all there are. One
// app at least has to be there.
func (s *server) awaitReady(ctx context.Context, name string) (ready []string, err error) {
	name = strings.ToLower(name)
	var failed *emulator.App
	err = s.await(ctx, func(snap *emulator.Snapshot) bool {
		ready, failed = nil, nil
		waiting := false
		for i := range snap.Apps {
			app := &snap.Apps[i]
			if name != "" && app.Name != name {
				continue
			}
			switch revision := app.Properties.LatestRevisionName; rollout.Judge(app, revision) {
			case rollout.Ready:
				ready = append(ready, revision)
			case rollout.Failing:
				failed = app
			default:
				waiting = true
			}
		}
		return !waiting && (failed != nil || len(ready) > 0)
	})
	if err == nil && failed != nil {
		err = s.notReady(ctx, failed, failed.Properties.LatestRevisionName)
	}
	return ready, err
}

// awaitOne waits for one revision of an app.
func (s *server) awaitOne(ctx context.Context, name, revision string) ([]string, error) {
	var app *emulator.App
	var verdict rollout.Verdict
	var full string
	err := s.await(ctx, func(snap *emulator.Snapshot) bool {
		var err error
		if app, err = onlyApp(snap, name); err != nil {
			return false
		}
		switch full = revision; {
		case full == "":
			full = app.Properties.LatestRevisionName
		case !strings.Contains(full, "--"):
			full = aca.RevisionName(app.Name, full)
		}
		verdict = rollout.Judge(app, full)
		return verdict != rollout.Underway
	})
	if err == nil && verdict == rollout.Failing {
		err = s.notReady(ctx, app, full)
	}
	return []string{full}, err
}

// notReady is the error of a revision for which waiting is no use, with the
// cause where one is known.
func (s *server) notReady(ctx context.Context, app *emulator.App, revision string) error {
	d := ErrorDetail{Code: codeNeverReady, Message: revision + " is " + rollout.Describe(app, revision), Target: revision}
	v, err := s.verdict(ctx, app, revision)
	if err == nil && v.Wrong && v.Rule != explain.Unknown {
		d.Details = []ErrorDetail{{Code: v.Rule, Message: v.Title}}
		d.Inner = &InnerError{Hint: v.Fix}
	}
	return (*detailError)(&d)
}

// lookEvery is how often a query is asked again without a new row that would
// be a reason to: requests announce themselves to nobody.
const lookEvery = time.Second

// awaitLog waits until a query has a row. It is asked again when rows come.
func (s *server) awaitLog(ctx context.Context, app, text, query string) error {
	switch {
	case (text == "") == (query == ""):
		return badContent("text", "Say either a text or a query to wait for.")
	case text != "":
		query = textQuery(app, text)
	}
	wake := make(chan struct{}, 1)
	watching, end := context.WithCancel(ctx)
	entries := merge(watching,
		entriesOf(s.Logs.TailConsole(watching, logsink.Filter{App: app}, 0, true), consoleEntry),
		entriesOf(s.Logs.TailEvents(watching, logsink.Filter{App: app}, 0, true), eventEntry))
	watched := make(chan struct{})
	go func() { // ends with the entries, which end with watching
		defer close(watched)
		for range entries {
			select {
			case wake <- struct{}{}:
			default: // it is awake already
			}
		}
	}()
	defer func() { end(); <-watched }()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		result, err := s.Logs.Ask(ctx, query, time.Time{}, time.Time{})
		if err != nil {
			return queryError(err)
		}
		if len(result.Tables) > 0 && result.Tables[0].Rows() > 0 {
			return nil
		}
		select {
		case <-wake:
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// textQuery asks for a console line or an event that contains a text, with
// regard to case.
func textQuery(app, text string) string {
	q := "union ContainerAppConsoleLogs_CL, ContainerAppSystemLogs_CL"
	if app != "" {
		q += " | where ContainerAppName_s == " + strconv.Quote(app)
	}
	return q + " | where Log_s contains_cs " + strconv.Quote(text) + " | take 1"
}
