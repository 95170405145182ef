package explain

import (
	"fmt"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/explain/event"
)

// rule knows one cause. Adding one is one file and one line below.
type rule struct {
	id string
	// find returns the verdict when the cause is sure, else nil.
	find func(*facts) *Verdict
	// checked says what was looked at and found well, "" when there was
	// nothing to look at.
	checked func(*facts) string
}

// rules are in the order of cause: what comes first explains what comes later.
var rules = []rule{
	// The image cannot be had, or does not fit.
	{"image-unauthorized", imageUnauthorized, nil},
	{"architecture", architecture, nil},
	{"image-missing", imageMissing, imageChecked},
	// The container cannot be made.
	{"secret-missing", secretMissing, nil},
	{"volume-mount", volumeMount, nil},
	{"command-missing", commandMissing, createChecked},
	{"create-failure", createFailure, nil},
	// Its process ends.
	{"privileged-port", privilegedPort, nil},
	{"port-in-use", portInUse, nil},
	{"too-many-workers", tooManyWorkers, nil},
	{"out-of-memory", outOfMemory, memoryChecked},
	{"crash-loop", crashLoop, exitsChecked},
	// It runs, and requests do not reach it.
	{"port-mismatch", portMismatch, portChecked},
	{"loopback-bind", loopbackBind, loopbackChecked},
	// It is reached, and does not answer in time.
	{"worker-timeout", workerTimeout, workersChecked},
	{"probe-port", probePort, nil},
	{"probe-path", probePath, nil},
	{"startup-budget", startupBudget, startupChecked},
	{"liveness-during-start", livenessDuringStart, nil},
	{"liveness-kills-busy-app", livenessBusy, livenessChecked},
	{"liveness-dependency", livenessDependency, nil},
	{"readiness-dependency", readinessDependency, readinessChecked},
	// It works, and something about it does not.
	{"sigterm-ignored", sigtermIgnored, sigtermChecked},
	{"telemetry", telemetryOff, telemetryChecked},
	{"opentelemetry", openTelemetryOff, openTelemetryChecked},
}

// Rules are the identifiers of all causes, root causes first.
func Rules() []string {
	var ids []string
	for _, r := range rules {
		ids = append(ids, r.id)
	}
	return ids
}

// withoutCause is the verdict when no rule fits.
func withoutCause(f *facts) Verdict {
	var checked []string
	for _, r := range rules {
		if r.checked == nil {
			continue
		}
		if text := r.checked(f); text != "" {
			checked = append(checked, text)
		}
	}
	p := f.Revision.Properties
	switch {
	case f.ready:
		return Verdict{Rule: Healthy, Title: "nothing is wrong; " + readyText(f), Checked: checked}
	case !p.Active:
		return Verdict{Rule: NotRunning, Title: "the revision is not active, so nothing of it runs", Checked: checked}
	case len(f.live) == 0:
		return Verdict{Rule: NotRunning, Title: "the revision has no replica; the next request or rule starts one", Checked: checked}
	case stillStarting(f):
		return Verdict{Rule: Starting, Title: "still starting, for " + seconds(f.age()) + "; nothing is wrong so far", Why: waitingText(f), Checked: checked}
	}
	v := Verdict{Rule: Unknown, Wrong: true, Title: "not ready, and none of the known causes fits", Why: waitingText(f), Checked: checked}
	for _, e := range last(f.events, 5) {
		v.Evidence = append(v.Evidence, rowLine(e))
	}
	for _, l := range last(f.Console, 5) {
		v.Evidence = append(v.Evidence, outputLine(l))
	}
	v.Evidence = evidence(v.Evidence...)
	v.Fix = "Look at all rows and lines: acalocal logs show -n " + f.App.Name + " --type system --tail 300, and the same without --type."
	return v
}

func readyText(f *facts) string {
	n := 0
	for _, r := range f.live {
		if r.Ready {
			n++
		}
	}
	return fmt.Sprintf("%d of %s ready", n, plural(len(f.live), "replica is", "replicas are"))
}

// stillStarting says that nothing has failed yet beyond the first attempts of
// probes whose budget is not used up.
func stillStarting(f *facts) bool {
	for _, e := range f.events {
		if e.Kind == event.KillBegun || e.Kind == event.NotReady || e.Kind == event.Terminated && e.End != "ManuallyStopped" && e.Code != "0" {
			return false
		}
	}
	return f.age() < startupAllowance(f)
}

// startupAllowance is how long the slowest container may take to start.
func startupAllowance(f *facts) time.Duration {
	most := 30 * time.Second
	for _, c := range f.containers {
		for _, p := range c.probes {
			if p.Type == "Startup" {
				most = max(most, budget(p))
			}
		}
	}
	return most
}

// waitingText says what the containers that are not ready do.
func waitingText(f *facts) string {
	var parts []string
	for _, r := range f.live {
		for _, c := range r.Properties.InitContainers {
			if c.RunningState == "Waiting" || c.RunningState == "Running" {
				parts = append(parts, fmt.Sprintf("Init container %s: %s", c.Name, c.RunningStateDetails))
			}
		}
		for _, c := range r.Properties.Containers {
			switch {
			case c.RunningState != "Running":
				parts = append(parts, fmt.Sprintf("Container %s: %s", c.Name, c.RunningStateDetails))
			case !c.Started:
				parts = append(parts, fmt.Sprintf("Container %s runs; its startup probe has not passed yet.", c.Name))
			case !c.Ready:
				parts = append(parts, fmt.Sprintf("Container %s runs; its readiness probe has not passed yet.", c.Name))
			}
		}
	}
	return strings.Join(parts, " ")
}
