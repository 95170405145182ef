package explain

import (
	"fmt"
	"strconv"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/explain/event"
)

// livenessKill is a container that its liveness probe restarted, the newest
// restart, and the failures that led to it.
func (f *facts) livenessKill() (c *containerFacts, kill event.Event, failures []event.Event) {
	for _, c := range f.containers {
		kills := c.kills(aca.Liveness)
		if len(kills) == 0 || c.steady(f) {
			continue
		}
		kill := kills[len(kills)-1]
		for _, e := range f.failures(aca.Liveness) {
			if e.Replica == kill.Replica && !e.Time.After(kill.Time) {
				failures = append(failures, e)
			}
		}
		if p := c.probe(aca.Liveness); p != nil {
			return c, kill, last(failures, *p.FailureThreshold)
		}
	}
	return nil, event.Event{}, nil
}

// wasReady says that the attempt that a kill ended had been ready before its
// liveness probe began to fail.
func (f *facts) wasReady(c *containerFacts, kill event.Event, failures []event.Event) bool {
	start := c.startBefore(kill.Time, kill.Replica)
	if len(failures) == 0 {
		return false
	}
	p := c.probe(aca.Liveness)
	firstPossible := start.Add(time.Duration(*p.InitialDelaySeconds+*p.PeriodSeconds+*p.TimeoutSeconds) * time.Second)
	if failures[0].Time.After(firstPossible) {
		return true // it had passed at least once
	}
	for _, e := range f.events {
		if e.Kind == event.Ready && e.Time.After(start) && e.Time.Before(failures[0].Time) {
			return true
		}
	}
	return false
}

// livenessDuringStart: without a startup probe that covers the start, liveness
// begins while the app is still loading.
func livenessDuringStart(f *facts) *Verdict {
	c, kill, failures := f.livenessKill()
	if c == nil || f.wasReady(c, kill, failures) {
		return nil
	}
	p := *c.probe(aca.Liveness)
	start := c.startBefore(kill.Time, kill.Replica)
	v := &Verdict{
		Title: fmt.Sprintf("the liveness probe restarts container %s after %s, while it is still starting", c.Name, seconds(kill.Time.Sub(start).Round(100*time.Millisecond))),
		Why: fmt.Sprintf("No startup probe holds the liveness probe (%s) back, so it begins %d s after the start and gives up after %d failures. The container never gets further than that.",
			describe(p), *p.InitialDelaySeconds, *p.FailureThreshold),
		Evidence: evidence(append(rowLines(failures), rowLine(kill))...),
	}
	need, said := c.startupNeed(f, probePortOf(p))
	if need > 0 {
		v.Evidence = evidence(append(v.Evidence, outputLine(said))...)
	}
	if c.hasProbe(aca.Startup) {
		v.Why = fmt.Sprintf("The startup probe passes before the liveness probe (%s) can: it asks for less.", describe(p))
		v.Fix = "Let the startup probe ask the same path and port as the liveness probe."
		return v
	}
	v.Fix = "Add a startup probe that asks the same and allows for the whole start; liveness then waits for it."
	threshold := max(int((need+need/4)/(5*time.Second))+1, 24)
	patch := f.newPatch()
	patch.addProbe(c.Name, append(append([]string{"type: Startup"}, probeLines(p)...),
		"periodSeconds: 5", "timeoutSeconds: "+strconv.Itoa(*p.TimeoutSeconds), "failureThreshold: "+strconv.Itoa(threshold)))
	v.Patch = patch.diff()
	return v
}

// probeLines is what a probe asks, as YAML.
func probeLines(p aca.Probe) []string {
	if p.HTTPGet != nil {
		return []string{"httpGet:", "  path: " + p.HTTPGet.Path, "  port: " + strconv.Itoa(p.HTTPGet.Port)}
	}
	return []string{"tcpSocket:", "  port: " + strconv.Itoa(probePortOf(p))}
}

// livenessBusy: the app was ready, and then did not answer in time.
func livenessBusy(f *facts) *Verdict {
	c, kill, failures := f.livenessKill()
	if c == nil || !timedOut(failures) {
		return nil
	}
	p := *c.probe(aca.Liveness)
	v := &Verdict{
		Title: fmt.Sprintf("the liveness probe restarts container %s while it is busy: no answer within %s", c.Name, plural(*p.TimeoutSeconds, "second", "seconds")),
		Why: fmt.Sprintf("The container was up, and then %s was not answered within timeoutSeconds %d, %d times in a row. "+
			"Probes wait in the same queue as requests: when all workers are busy, the probe waits too, and the restart ends the requests that were being worked on.",
			describe(p), *p.TimeoutSeconds, *p.FailureThreshold),
		Evidence: evidence(append(rowLines(failures), rowLine(kill))...),
		Fix:      "Give the app more workers or threads, so that one is free for the probe; make the handler cheap; or raise timeoutSeconds and failureThreshold of the liveness probe. Readiness, not liveness, is for taking a busy replica out of rotation.",
	}
	patch := f.newPatch()
	if patch.setProbe(c.Name, "Liveness", "timeoutSeconds", strconv.Itoa(min(max(3*(*p.TimeoutSeconds), 10), 240))) {
		patch.setProbe(c.Name, "Liveness", "failureThreshold", strconv.Itoa(min(max(2*(*p.FailureThreshold), 6), 30)))
	}
	v.Patch = patch.diff()
	return v
}

func timedOut(failures []event.Event) bool {
	n := 0
	for _, e := range failures {
		if e.Timeout > 0 {
			n++
		}
	}
	return n > 0 && 2*n >= len(failures)
}

// livenessDependency: the app was ready, and then answered its liveness probe
// with an error, or not at all.
func livenessDependency(f *facts) *Verdict {
	c, kill, failures := f.livenessKill()
	if c == nil || len(failures) == 0 {
		return nil
	}
	p := *c.probe(aca.Liveness)
	status := failures[len(failures)-1].Status
	v := &Verdict{Evidence: evidence(append(rowLines(failures), rowLine(kill))...)}
	if len(status) == 3 {
		v.Title = fmt.Sprintf("the liveness probe restarts container %s because %s answers %s", c.Name, p.HTTPGet.Path, status)
		v.Why = "The app runs and answers, and says that it is not well; a restart helps only if the fault is in the process itself. " +
			"A liveness path that asks a database or another service turns each of their outages into a restart loop."
		v.Fix = "Let liveness ask a path that looks at the process alone, and ask about dependencies in the readiness probe."
		return v
	}
	v.Title = fmt.Sprintf("the liveness probe restarts container %s because it stopped accepting connections", c.Name)
	v.Why = fmt.Sprintf("The container was up, and then %s was refused %d times in a row, although its process went on.", describe(p), *p.FailureThreshold)
	v.Fix = "Look at what the app printed before the first failure: acalocal logs show -n " + f.App.Name + " --tail 100."
	return v
}

func livenessChecked(f *facts) string {
	for _, c := range f.containers {
		if c.main && c.ready && c.probe(aca.Liveness) != nil {
			return "the liveness probe has not restarted it"
		}
	}
	return ""
}

// readinessDependency: the app is up and says, or shows, that it cannot serve.
// Nothing is restarted for that.
func readinessDependency(f *facts) *Verdict {
	for _, c := range f.containers {
		p := c.probe(aca.Readiness)
		if p == nil {
			continue
		}
		crossed := c.find(func(e event.Event) bool { return e.Kind == event.NotReady })
		failures := f.recentFailures(*p)
		now := !c.ready && c.running && len(failures) == *p.FailureThreshold && f.fails(c, *p)
		if !now && len(crossed) < 2 || len(failures) == 0 {
			continue
		}
		v := &Verdict{Evidence: evidence(append(rowLines(last(failures, 2)), rowLines(last(crossed, 1))...)...)}
		how := "refuses the connection"
		switch newest := failures[len(failures)-1]; {
		case newest.Timeout > 0:
			how = fmt.Sprintf("is not answered within %s", plural(*p.TimeoutSeconds, "second", "seconds"))
		case len(newest.Status) == 3:
			how = "answers " + newest.Status
		case p.HTTPGet != nil:
			how = "gets no HTTP answer"
		}
		v.Title = fmt.Sprintf("container %s runs but is not ready: %s %s", c.Name, describe(*p), how)
		if !now {
			v.Title = fmt.Sprintf("container %s goes in and out of readiness: %s %s now and then", c.Name, describe(*p), how)
		}
		v.Why = "The process is up, so nothing is restarted; the replica gets no requests while its readiness probe fails, and gets them again by itself when the probe passes. " +
			"Most often the path asks a dependency (a database, a migration, another app) that is not there."
		v.Fix = "Look at what the app says about it: acalocal logs show -n " + f.App.Name + " --tail 100. Bring the dependency up, or let readiness ask only what the app cannot serve without."
		return v
	}
	return nil
}

func readinessChecked(f *facts) string {
	for _, c := range f.containers {
		if p := c.probe(aca.Readiness); c.main && c.ready && p != nil {
			return "the readiness probe passes: " + describe(*p)
		}
	}
	return ""
}
