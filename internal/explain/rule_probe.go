package explain

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/explain/event"
)

// budget is how long a probe lets a container fail from its start: the rule of
// thumb is initialDelaySeconds + periodSeconds × failureThreshold.
func budget(p aca.Probe) time.Duration {
	return time.Duration(*p.InitialDelaySeconds+*p.PeriodSeconds**p.FailureThreshold) * time.Second
}

// probePortOf is the port a probe asks.
func probePortOf(p aca.Probe) int {
	switch {
	case p.HTTPGet != nil:
		return p.HTTPGet.Port
	case p.TCPSocket != nil:
		return p.TCPSocket.Port
	}
	return 0
}

// describe says what a probe does: "GET /health on port 8000".
func describe(p aca.Probe) string {
	if p.HTTPGet != nil {
		return fmt.Sprintf("GET %s on port %d", p.HTTPGet.Path, p.HTTPGet.Port)
	}
	return fmt.Sprintf("a connection to port %d", probePortOf(p))
}

// fails says that a probe of a container is failing: it ordered a restart, or
// its newest failures are not older than a few of its periods.
func (f *facts) fails(c *containerFacts, p aca.Probe) bool {
	if p.Type == aca.Startup && c.ready {
		return false // it got there in the end
	}
	if len(c.kills(p.Type)) > 0 && !c.steady(f) {
		return true
	}
	failed := f.failures(p.Type)
	if len(failed) < *p.FailureThreshold || c.ready {
		return false
	}
	return f.Now.Sub(failed[len(failed)-1].Time) <= 3*time.Duration(*p.PeriodSeconds+*p.TimeoutSeconds)*time.Second
}

// steady says that a container is well and has been for a while.
func (c *containerFacts) steady(f *facts) bool {
	return c.ready && f.Now.Sub(c.lastStart()) >= recent
}

// recentFailures are the newest failures of a probe, as many as its threshold.
func (f *facts) recentFailures(p aca.Probe) []event.Event {
	return last(f.failures(p.Type), *p.FailureThreshold)
}

// probeFailing yields each probe of the user's that is failing.
func (f *facts) probeFailing(check func(c *containerFacts, p aca.Probe) *Verdict) *Verdict {
	for _, c := range f.containers {
		for _, p := range c.probes {
			if !f.fails(c, p) {
				continue
			}
			if v := check(c, p); v != nil {
				return v
			}
		}
	}
	return nil
}

// probePort: a probe asks a port that nobody listens on, while the app listens
// on its own.
func probePort(f *facts) *Verdict {
	return f.probeFailing(func(c *containerFacts, p aca.Probe) *Verdict {
		port := probePortOf(p)
		found, _ := f.listensOn(port)
		own, sure := f.appPort(c)
		if target := f.targetPort(); target != 0 && target != port {
			if ok, _ := f.listensOn(target); ok {
				own, sure = target, true
			}
		}
		refused := !slices.ContainsFunc(f.recentFailures(p), func(e event.Event) bool { return e.Timeout != 0 || len(e.Status) == 3 })
		if found || !sure || own == port || !refused || c.announcedPort(port) != nil {
			return nil
		}
		patch := f.newPatch()
		for _, form := range []string{"httpGet", "tcpSocket"} {
			patch.set(patch.container(c.Name, "probes", "type="+string(p.Type), form, "port"), strconv.Itoa(own))
		}
		lines := append(rowLines(last(f.recentFailures(p), 1)), f.socketLine())
		return &Verdict{
			Title: fmt.Sprintf("the %s probe asks port %d, but the app listens on %d", lower(p.Type), port, own),
			Why: fmt.Sprintf("Nothing listens on port %d of the replica, so the probe is refused each time and %s. "+
				"The deployment itself succeeds: provisioning and health are different things.", port, effect(p.Type)),
			Evidence: evidence(lines...),
			Fix:      fmt.Sprintf("Let the probe ask port %d.", own),
			Patch:    patch.diff(),
		}
	})
}

// probePath: the app answers a startup or liveness probe from the first
// attempt on, and with an error.
func probePath(f *facts) *Verdict {
	return f.probeFailing(func(c *containerFacts, p aca.Probe) *Verdict {
		if p.HTTPGet == nil || p.Type == aca.Readiness || p.Type == aca.Liveness && f.everReady {
			return nil
		}
		statuses := filter(f.recentFailures(p), func(e event.Event) bool { return len(e.Status) == 3 })
		if len(statuses) == 0 || len(statuses) < (len(f.recentFailures(p))+1)/2 {
			return nil
		}
		status := statuses[len(statuses)-1].Status
		v := &Verdict{
			Title: fmt.Sprintf("the %s probe asks %s, and the app answers %s", lower(p.Type), p.HTTPGet.Path, status),
			Why: fmt.Sprintf("The app runs and answers on port %d, but %s is an error to the probe: only 200 to 399 count as healthy. So %s.",
				p.HTTPGet.Port, status, effect(p.Type)),
			Evidence: evidence(append(rowLines(last(statuses, 2)), rowLines(last(c.kills(p.Type), 1))...)...),
			Fix:      "Let the probe ask a path that answers 200 without authentication and without asking other services.",
		}
		if status == "404" {
			v.Fix = fmt.Sprintf("Let the probe ask a path that exists (%s does not), and that answers without asking other services.", p.HTTPGet.Path)
		}
		return v
	})
}

// effect is what a probe of a type does at its threshold.
func effect(kind aca.ProbeType) string {
	if kind == aca.Readiness {
		return "the replica gets no requests"
	}
	return "the container is restarted again and again"
}

func lower(kind aca.ProbeType) string { return strings.ToLower(string(kind)) }

func rowLines(events []event.Event) []Line {
	var lines []Line
	for _, e := range events {
		lines = append(lines, rowLine(e))
	}
	return lines
}

// startupBudget: the startup probe restarts the container before it is up.
func startupBudget(f *facts) *Verdict {
	for _, c := range f.containers {
		p := c.probe(aca.Startup)
		kills := c.kills(aca.Startup)
		if p == nil || len(kills) == 0 || c.ready {
			continue
		}
		allowed := budget(*p)
		v := &Verdict{Evidence: evidence(append(append(rowLines(last(f.failures(aca.Startup), 1)), rowLines(last(kills, 1))...), f.socketLine())...)}
		need, said := c.startupNeed(f, probePortOf(*p))
		switch {
		case need > 0:
			v.Title = fmt.Sprintf("container %s needs %s to start, the startup budget is %s", c.Name, seconds(need), seconds(allowed))
			v.Evidence = evidence(append(v.Evidence, outputLine(said))...)
		default:
			v.Title = fmt.Sprintf("container %s needs more than %s to start, which is the startup budget", c.Name, seconds(allowed))
			need = 2 * allowed
		}
		v.Why = fmt.Sprintf("The startup probe (%s) may fail for initialDelaySeconds + periodSeconds × failureThreshold = %d + %d × %d = %d s; then the container is stopped and started anew, "+
			"with a wait that grows each time, so it never gets further.",
			describe(*p), *p.InitialDelaySeconds, *p.PeriodSeconds, *p.FailureThreshold, int(allowed.Seconds()))
		v.Fix, v.Patch = f.largerBudget(c, *p, need)
		if found, _ := f.listensOn(probePortOf(*p)); !found && said.Text == "" && len(f.listening()) == 0 {
			v.Fix += " If it is not meant to listen at all, remove the ingress."
		}
		return v
	}
	return nil
}

// startupNeed is how long an attempt took until it said that it listens, 0 when
// none ever did.
func (c *containerFacts) startupNeed(f *facts, port int) (time.Duration, Output) {
	list, lines := c.announcedBy()
	for i := len(list) - 1; i >= 0; i-- {
		start := c.startBefore(lines[i].Time, lines[i].Replica)
		if list[i].port != port || start.IsZero() {
			continue
		}
		if need := lines[i].Time.Sub(start); need > 0 {
			return need, lines[i]
		}
	}
	return 0, Output{}
}

// margin is what is added to a measured start.
const margin = 1.25

// maxPeriod is the largest period the fix proposes, and maxThreshold the
// largest failureThreshold of a startup probe.
const (
	maxPeriod    = 10
	maxThreshold = 240
)

// largerBudget proposes a failureThreshold that gives a start enough time.
func (f *facts) largerBudget(c *containerFacts, p aca.Probe, need time.Duration) (fix, diff string) {
	period := *p.PeriodSeconds
	threshold := int(math.Ceil((need.Seconds()*margin - float64(*p.InitialDelaySeconds)) / float64(period)))
	if threshold > maxThreshold {
		period = maxPeriod
		threshold = min(int(math.Ceil(need.Seconds()*margin/float64(period))), maxThreshold)
	}
	fits := *p.InitialDelaySeconds + period*threshold
	fix = fmt.Sprintf("Give it %d s: failureThreshold %d with periodSeconds %d fits; or start faster.", fits, threshold, period)
	patch := f.newPatch()
	if c.hasProbe(aca.Startup) {
		patch.setProbe(c.Name, "Startup", "failureThreshold", strconv.Itoa(threshold))
		if period != *p.PeriodSeconds {
			patch.setProbe(c.Name, "Startup", "periodSeconds", strconv.Itoa(period))
		}
		return fix, patch.diff()
	}
	patch.addProbe(c.Name, []string{"type: Startup", "tcpSocket:", "  port: " + strconv.Itoa(probePortOf(p)),
		"periodSeconds: " + strconv.Itoa(period), "failureThreshold: " + strconv.Itoa(threshold)})
	return fix, patch.diff()
}

// hasProbe says that the user wrote a probe of that type.
func (c *containerFacts) hasProbe(kind aca.ProbeType) bool {
	return slices.ContainsFunc(c.Probes, func(p aca.Probe) bool { return p.Type == kind })
}

// addProbe adds a probe, given by its lines, to a container.
func (p *patch) addProbe(container string, item []string) {
	if list := p.container(container, "probes"); list != nil {
		p.addItem(list, item...)
		return
	}
	p.addKey(p.container(container), append([]string{"probes:"}, dashed("  ", item)...)...)
}

func startupChecked(f *facts) string {
	if !f.ready {
		return ""
	}
	for _, c := range f.containers {
		p := c.probe(aca.Startup)
		if p == nil || !c.main {
			continue
		}
		if need, _ := c.startupNeed(f, probePortOf(*p)); need > 0 {
			return fmt.Sprintf("it started in %s, the startup budget is %s", seconds(need), seconds(budget(*p)))
		}
		return "the startup probe passed within its budget of " + seconds(budget(*p))
	}
	return ""
}
