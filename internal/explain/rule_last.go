package explain

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/acalocal/acalocal/internal/explain/event"
)

// sigtermIgnored: the container did not end on its stop signal and was killed
// when the grace period was over. That is no cause for an app that does not
// become ready.
func sigtermIgnored(f *facts) *Verdict {
	if !f.ready && f.Revision.Properties.Active && len(f.live) > 0 {
		return nil
	}
	grace := f.App.Properties.Template.GracePeriod()
	for _, c := range f.containers {
		lines, ok := c.forcedEnd()
		if !ok || grace == 0 {
			continue
		}
		why := fmt.Sprintf("Container %s was asked to stop and still ran after terminationGracePeriodSeconds %d, so it was killed: requests in flight are lost, and each stop takes the whole grace period. ",
			c.Name, int(grace.Seconds()))
		fix := "Handle SIGTERM in the first process: name it in the exec form (CMD [\"gunicorn\", …]), or in a script end with exec, or trap TERM and pass it on."
		if shell := c.shellCommand(); shell != "" {
			why += fmt.Sprintf("Its first process is a shell (%s), which does not pass the signal on.", shell)
			fix = "Put exec before the program in the shell command, or name the program itself in command and args."
		} else {
			why += "A first process without a handler ignores SIGTERM, and a shell does not pass it on to its child."
		}
		return &Verdict{
			Title:    fmt.Sprintf("container %s does not end on SIGTERM and is killed after %s", c.Name, seconds(grace)),
			Why:      why,
			Evidence: lines,
			Fix:      fix,
		}
	}
	return nil
}

// forcedEnd says that the newest stop of a container ended in a kill.
func (c *containerFacts) forcedEnd() ([]Line, bool) {
	killed := c.find(func(e event.Event) bool { return e.Kind == event.Exited && e.Code == "137" })
	for i := len(killed) - 1; i >= 0; i-- {
		if stop := c.stopBefore(killed[i]); stop != nil {
			return evidence(rowLine(*stop), rowLine(killed[i])), true
		}
	}
	for _, end := range c.ends {
		if end.Forced {
			return evidence(Line{Time: end.Time, Text: fmt.Sprintf("container %s was killed after its grace period, exit code %d", c.Name, end.ExitCode)}), true
		}
	}
	return nil, false
}

// stopBefore is the row of the stop that a kill completed.
func (c *containerFacts) stopBefore(kill event.Event) *event.Event {
	for i := len(c.events) - 1; i >= 0; i-- {
		e := &c.events[i]
		if e.Replica == kill.Replica && e.Kind == event.Terminated && !e.Time.After(kill.Time) {
			if e.End == "ManuallyStopped" || e.End == "ProbeFailure" {
				return e
			}
			return nil
		}
	}
	return nil
}

// shellCommand is the shell that a definition wraps its command in, "" if it
// does not, or if the shell is told to replace itself.
func (c *containerFacts) shellCommand() string {
	words := append(append([]string{}, c.Command...), c.Args...)
	for i, w := range words {
		name := w[strings.LastIndexByte(w, '/')+1:]
		if (name == "sh" || name == "bash" || name == "ash") && i+2 < len(words) && words[i+1] == "-c" {
			if strings.HasPrefix(strings.TrimSpace(words[i+2]), "exec ") {
				return ""
			}
			return clipTitle(w + " -c " + words[i+2])
		}
	}
	return ""
}

func sigtermChecked(f *facts) string {
	for _, c := range f.containers {
		if len(c.terminated("ManuallyStopped"))+len(c.terminated("ProbeFailure")) > 0 {
			return "containers that were stopped ended within their grace period"
		}
	}
	return ""
}

// The variables that Application Insights in Python apps looks at; the second
// is a convention of the reference app of the community's Container Apps guide
// (github.com/yeongseon/azure-container-apps-practical-guide, apps/python).
const (
	connectionString = "APPLICATIONINSIGHTS_CONNECTION_STRING"
	telemetryMode    = "TELEMETRY_MODE"
)

// telemetryOff: the definition means to send telemetry and leaves out half of
// what that takes. An app that names neither variable is left alone, and so is
// one with another trouble.
func telemetryOff(f *facts) *Verdict {
	if !f.ready || f.Telemetry != nil && f.Telemetry.Records > 0 {
		return nil
	}
	for _, c := range f.containers {
		mode := envValue(c.Container, telemetryMode)
		on := strings.EqualFold(mode, "advanced")
		hasString := hasEnv(c.Container, connectionString)
		switch {
		case c.init:
		case hasString && !on:
			return f.modeMissing(c, mode)
		case !hasString && (on || c.complainsOfString()):
			why := fmt.Sprintf("Container %s is told to send traces, and does not know the Application Insights resource they belong to. ", c.Name)
			if f.Environment.AppInsights {
				why += "The connection string under appInsightsConfiguration of the environment is for its OpenTelemetry agent; apps do not get it, here as on Azure. "
			}
			return &Verdict{
				Title:    fmt.Sprintf("telemetry has nowhere to go: %s is not set", connectionString),
				Why:      why + "The app works; AppRequests and AppTraces stay empty.",
				Evidence: c.telemetryEvidence(),
				Fix:      fmt.Sprintf("Set %s to the connection string of the resource, from a secret.", connectionString),
			}
		}
	}
	return nil
}

func (f *facts) modeMissing(c *containerFacts, mode string) *Verdict {
	state := "is not set"
	if mode != "" {
		state = "is " + mode
	}
	patch := f.newPatch()
	patch.setEnv(c.Name, telemetryMode, "advanced")
	return &Verdict{
		Title: fmt.Sprintf("telemetry is most likely off: there is a connection string, and %s %s", telemetryMode, state),
		Why: fmt.Sprintf("Container %s has %s, but an app that guards its telemetry with %s sends traces only when that is \"advanced\"; without it it counts as \"basic\". "+
			"The app works; AppRequests and AppTraces stay empty.", c.Name, connectionString, telemetryMode),
		Evidence: append(c.telemetryEvidence(), f.telemetryArrived()...),
		Fix:      fmt.Sprintf("Set %s to advanced. An app that does not read it is not affected.", telemetryMode),
		Patch:    patch.diff(),
	}
}

// telemetryArrived says what arrived at the endpoint of the environment, when
// that is where the app sends it.
func (f *facts) telemetryArrived() []Line {
	if f.Telemetry == nil {
		return nil
	}
	return []Line{{Text: plural(f.Telemetry.Records, "record has", "records have") + " arrived since the revision was made"}}
}

func (c *containerFacts) telemetryEvidence() []Line {
	var lines []Line
	for _, v := range c.Env {
		switch {
		case v.Name == connectionString && v.SecretRef != "":
			lines = append(lines, Line{Text: fmt.Sprintf("%s comes from the secret %s", v.Name, v.SecretRef)})
		case v.Name == connectionString:
			lines = append(lines, Line{Text: v.Name + " is set"})
		case v.Name == telemetryMode:
			lines = append(lines, Line{Text: v.Name + " is " + v.Value})
		}
	}
	for _, l := range last(c.stringComplaints(), 1) {
		lines = append(lines, outputLine(l))
	}
	return evidence(lines...)
}

// stringComplaints are lines in which an SDK misses its connection string. An
// app that says that its telemetry is off does not miss it.
func (c *containerFacts) stringComplaints() []Output {
	return filter(c.lines, func(l Output) bool {
		return containsAny(l.Text, "Instrumentation key cannot be none or empty", "connection string is not set", "A connection string was not found") &&
			!containsAny(strings.ToLower(l.Text), "telemetry is off", "telemetry is disabled", "telemetry disabled")
	})
}

func (c *containerFacts) complainsOfString() bool { return len(c.stringComplaints()) > 0 }

func telemetryChecked(f *facts) string {
	for _, c := range f.containers {
		switch {
		case hasEnv(c.Container, connectionString):
			text := fmt.Sprintf("telemetry: %s is set and %s is %s", connectionString, telemetryMode, cmp.Or(envValue(c.Container, telemetryMode), "not"))
			for _, l := range f.telemetryArrived() {
				text += "; " + l.Text
			}
			return text
		case hasEnv(c.Container, telemetryMode):
			return fmt.Sprintf("telemetry: %s is %s", telemetryMode, envValue(c.Container, telemetryMode))
		}
	}
	if f.Environment.Agent {
		return "" // that rule says what is asked for
	}
	return fmt.Sprintf("telemetry is not asked for: neither %s nor %s is set", connectionString, telemetryMode)
}
