// Package explain finds the one cause of what is wrong with a revision and
// says what to do about it.
//
//	definition, states, sockets, ─▶ facts ─▶ rules, root causes first ─▶ Verdict
//	system rows, console lines
//
// It is pure: it reads nothing and asks nobody. Rules are in the order of
// cause: an image that is missing explains a container that never starts,
// which explains a port that nobody listens on. The first rule that fits is
// the verdict; the others then tell of consequences. A rule that cannot be
// sure stays silent, because a wrong verdict costs more than none.
package explain

import (
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/explain/event"
)

// Evidence is what is known of one revision. Only App and Revision are
// required; what is missing makes rules silent, not wrong.
type Evidence struct {
	// App is the effective definition; its template is that of the revision.
	App      aca.ContainerApp
	Revision emulator.Revision
	// Now is when the evidence was taken.
	Now time.Time
	// Rows are the system log's, oldest first. The newest few hundred do.
	Rows []event.Row
	// Console is what the containers printed, oldest first.
	Console []Output
	// File is the user's own definition, for a patch.
	File File
	// Telemetry is what of the app's telemetry arrived; nil when nobody
	// counted.
	Telemetry *Telemetry
	// Environment is what the app's environment says about telemetry.
	Environment aca.EnvironmentTelemetry
}

// Output is one line that a container printed.
type Output struct {
	Time      time.Time `json:"time"`
	Replica   string    `json:"replica"`
	Container string    `json:"container"`
	Stderr    bool      `json:"stderr,omitempty"`
	Text      string    `json:"text"`
}

// File is a file of the user's. The zero File is none.
type File struct {
	Path string
	Text []byte
}

// Telemetry counts what an app has sent to Application Insights, or to the
// OpenTelemetry agent of its environment.
type Telemetry struct {
	// Records have arrived since the revision was made, Current of them since
	// the oldest of its replicas was: what the environment gives them may have
	// changed in between.
	Records int `json:"records"`
	Current int `json:"current"`
}

// Of is the evidence that a snapshot holds about a revision of an app, nil
// when it has no such revision. The caller adds what it knows beyond that.
func Of(app *emulator.App, revision string, now time.Time) *Evidence {
	rev := app.Revision(revision)
	if rev == nil {
		return nil
	}
	e := &Evidence{App: app.ContainerApp, Revision: *rev, Now: now, Environment: app.Local.Telemetry}
	e.App.Properties.Template = rev.Properties.Template
	return e
}

// Explain returns the verdict. The same evidence gives the same verdict.
func Explain(e Evidence) Verdict {
	f := newFacts(e)
	for _, r := range rules {
		if v := r.find(f); v != nil {
			v.Rule, v.App, v.Revision, v.Wrong = r.id, e.App.Name, e.Revision.Name, true
			return *v
		}
	}
	v := withoutCause(f)
	v.App, v.Revision = e.App.Name, e.Revision.Name
	return v
}
