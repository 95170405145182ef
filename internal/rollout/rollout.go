// Package rollout says how the roll-out of a revision is doing, from a snapshot.
package rollout

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
)

// Verdict is what can be said about a roll-out so far.
type Verdict int

// The verdicts.
const (
	Underway Verdict = iota // neither of the others yet
	Ready                   // the revision is ready, or scaled to zero
	Failing                 // ACA calls it Failed or Degraded: waiting is no use
)

// Judge says how the roll-out of a revision is doing.
func Judge(app *emulator.App, revision string) Verdict {
	rev := app.Revision(revision)
	if rev == nil {
		return Underway
	}
	p := rev.Properties
	switch {
	case p.ProvisioningState == "Failed", p.RunningState == "Failed", p.RunningState == "Degraded":
		return Failing
	case p.RunningState == "ScaledToZero", isReady(app, rev):
		return Ready
	}
	return Underway
}

// isReady reports whether a revision answers requests: the latest one when it
// has become the app's ready one, an older one while it serves or, where several
// are active, can be reached.
func isReady(app *emulator.App, rev *emulator.Revision) bool {
	switch mode := app.Properties.Configuration.ActiveRevisionsMode; {
	case rev.Name == app.Properties.LatestReadyRevisionName:
	case rev.Name == app.Properties.LatestRevisionName:
		return false
	case rev.Serving == 0 && mode != aca.Multiple && mode != aca.Labels:
		return false
	}
	for _, rep := range rev.Replicas {
		if rep.Ready && !rep.Draining {
			return true
		}
	}
	return false
}

// Describe says where a revision stands, in ACA's words:
// "Activating, health None: The TargetPort 9999 does not match the listening
// port 8000." Without a problem it says what its containers wait for.
func Describe(app *emulator.App, revision string) string {
	rev := app.Revision(revision)
	if rev == nil {
		return "not there yet"
	}
	p := rev.Properties
	words := cmp.Or(p.RunningState, "-")
	if p.ProvisioningState != "Provisioned" && p.ProvisioningState != "" {
		words += ", provisioning " + p.ProvisioningState
	}
	words += ", health " + cmp.Or(p.HealthState, "-")
	if why := reason(app, rev); why != "" {
		words += ": " + why
	}
	return words
}

// reason is the best explanation there is of a revision's state.
func reason(app *emulator.App, rev *emulator.Revision) string {
	if app.Local.Problem != "" && rev.Name == app.Properties.LatestRevisionName {
		return app.Local.Problem
	}
	for _, why := range []string{rev.Properties.RunningStateDetails, rev.Properties.ProvisioningError} {
		if why != "" {
			return why
		}
	}
	return waitingFor(rev)
}

// waitingFor says what the containers of a revision that is not ready do.
func waitingFor(rev *emulator.Revision) string {
	var waits []string
	for _, rep := range rev.Replicas {
		if rep.Ready || rep.Draining {
			continue
		}
		for _, c := range append(rep.Properties.InitContainers, rep.Properties.Containers...) {
			switch {
			case c.RunningState == "Waiting" && c.RunningStateDetails != "":
				waits = append(waits, fmt.Sprintf("container '%s': %s", c.Name, c.RunningStateDetails))
			case c.RunningState == "Running" && !c.Started:
				waits = append(waits, fmt.Sprintf("container '%s' runs, its startup probe has not passed yet", c.Name))
			case c.RunningState == "Running" && !c.Ready:
				waits = append(waits, fmt.Sprintf("container '%s' runs, its readiness probe has not passed yet", c.Name))
			}
		}
	}
	return strings.Join(waits, "; ")
}
