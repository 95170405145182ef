package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/explain/event"
)

// settled is how long a container without a word about its port must have run
// before what it listens on counts as final.
const settled = 5 * time.Second

// portMismatch: nothing listens on the target port, something does on another
// one.
func portMismatch(f *facts) *Verdict {
	target, c := f.targetPort(), f.mainContainer()
	if target == 0 || c == nil {
		return nil
	}
	listening := f.listening()
	if found, _ := f.listensOn(target); found || len(listening) == 0 || c.announcedPort(target) != nil || !f.mayJudgePorts(c) {
		return nil
	}
	port, sure := f.appPort(c)
	v := &Verdict{Evidence: f.portEvidence(c)}
	if !sure {
		v.Title = fmt.Sprintf("targetPort is %d, but the app listens on %s", target, portList(listening, func(l emulator.Listener) string { return strconv.Itoa(l.Port) }))
		v.Why = fmt.Sprintf("Requests and the hidden probes go to port %d of the replica, where nothing listens.", target)
		v.Fix = "Set ingress.targetPort to the port that answers HTTP."
		return v
	}
	v.Title = fmt.Sprintf("targetPort is %d, but the app listens on %d", target, port)
	v.Why = fmt.Sprintf("Requests and the hidden probes go to port %d of the replica, where nothing listens, so %s.", target, consequence(f))
	v.Fix = fmt.Sprintf("Set ingress.targetPort to %d, or let the app listen on %d. Changing the ingress makes no new revision.", port, target)
	if _, loopback := f.listensOn(port); loopback {
		v.Why += fmt.Sprintf(" And it listens on %d for the replica itself only (127.0.0.1).", port)
		v.Fix = fmt.Sprintf("Let the app listen on 0.0.0.0 instead of 127.0.0.1, and set ingress.targetPort to %d.", port)
	}
	v.Patch = f.targetPortPatch(c, target, port)
	return v
}

func consequence(f *facts) string {
	if f.ready {
		return "each is refused although the probes pass"
	}
	return "the startup probe never passes and requests are held until they time out"
}

// mayJudgePorts says that what is listened on is not just the beginning: the
// app has said where it listens, or was killed for not answering, or is ready,
// or is alone in its replica and has had a moment.
func (f *facts) mayJudgePorts(c *containerFacts) bool {
	if list, _ := c.announcedBy(); len(list) > 0 || f.ready || len(c.kills(aca.Startup)) > 0 {
		return true
	}
	start := c.lastStart()
	return len(f.App.Properties.Template.Containers) == 1 && !start.IsZero() && f.Now.Sub(start) >= settled
}

// appPort is the port the app listens on when that is sure: the one it says
// itself, or the only one there is.
func (f *facts) appPort(c *containerFacts) (port int, sure bool) {
	listening := f.listening()
	list, _ := c.announcedBy()
	for _, a := range slices.Backward(list) {
		if slices.ContainsFunc(listening, func(l emulator.Listener) bool { return l.Port == a.port }) {
			return a.port, true
		}
	}
	if len(listening) == 1 {
		return listening[0].Port, true
	}
	return 0, false
}

func (f *facts) portEvidence(c *containerFacts) []Line {
	var lines []Line
	for _, e := range last(filter(f.events, func(e event.Event) bool { return e.Kind == event.PortMismatch }), 1) {
		lines = append(lines, rowLine(e))
	}
	if !f.ready {
		lines = append(lines, rowLines(last(f.failures(aca.Startup), 1))...)
	}
	if _, said := c.announcedBy(); len(said) > 0 {
		lines = append(lines, outputLine(said[len(said)-1]))
	}
	lines = append(lines, f.socketLine())
	return evidence(lines...)
}

// socketLine says what is listened on in the replica.
func (f *facts) socketLine() Line {
	listening := f.listening()
	if len(listening) == 0 {
		return Line{Text: "nothing listens in the replica"}
	}
	return Line{Text: "listening in the replica: " + portList(listening, func(l emulator.Listener) string {
		if l.Loopback {
			return fmt.Sprintf("127.0.0.1:%d", l.Port)
		}
		return fmt.Sprintf("0.0.0.0:%d", l.Port)
	})}
}

func portList(ports []emulator.Listener, text func(emulator.Listener) string) string {
	var words []string
	for _, l := range ports {
		words = append(words, text(l))
	}
	if n := len(words); n > 2 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, " and ")
}

// targetPortPatch changes the target port, and the probes that ask the old one.
func (f *facts) targetPortPatch(c *containerFacts, old, port int) string {
	p := f.newPatch()
	ingress := p.find("properties", "configuration", "ingress")
	if ingress == nil || !p.set(child(ingress, "targetPort"), strconv.Itoa(port)) {
		return ""
	}
	for _, probe := range c.Probes {
		for _, form := range []string{"httpGet", "tcpSocket"} {
			n := p.container(c.Name, "probes", "type="+string(probe.Type), form, "port")
			if n != nil && n.Value == strconv.Itoa(old) {
				p.set(n, strconv.Itoa(port))
			}
		}
	}
	return p.diff()
}

func portChecked(f *facts) string {
	target := f.targetPort()
	if found, _ := f.listensOn(target); target != 0 && found {
		return fmt.Sprintf("targetPort %d is listened on", target)
	}
	if f.App.Properties.Configuration.Ingress == nil {
		return "the app has no ingress, so no port is expected"
	}
	return ""
}

// loopbackBind: the target port is listened on, but only replica itself can
// connect. Probes come from inside and may pass; requests never arrive
// (https://azureossd.github.io/2023/03/22/Troubleshooting-ingress-issues-on-Azure-Container-Apps/).
func loopbackBind(f *facts) *Verdict {
	target, c := f.targetPort(), f.mainContainer()
	if target == 0 || c == nil {
		return nil
	}
	found, loopback := f.listensOn(target)
	if !found || !loopback {
		return nil
	}
	lines := []Line{f.socketLine()}
	if said := c.announcedPort(target); said != nil {
		lines = append(lines, outputLine(*said))
	}
	return &Verdict{
		Title: fmt.Sprintf("the app listens on 127.0.0.1:%d only, where requests cannot reach it", target),
		Why: fmt.Sprintf("Requests come to the replica's address from outside, and the app accepts connections from the replica itself alone. "+
			"Port %d is right; the address is not. Development servers bind 127.0.0.1 unless told otherwise.", target),
		Evidence: evidence(lines...),
		Fix:      bindFix(c, target),
	}
}

// bindFix names the option of the server that announced itself.
func bindFix(c *containerFacts, port int) string {
	for _, s := range []struct{ word, option string }{
		{"Uvicorn running", "uvicorn --host 0.0.0.0"},
		{"Starting gunicorn", fmt.Sprintf("gunicorn --bind 0.0.0.0:%d", port)},
		{"Serving Flask app", "flask run --host 0.0.0.0"},
		{"development server at", fmt.Sprintf("manage.py runserver 0.0.0.0:%d", port)},
		{"Now listening on:", fmt.Sprintf("ASPNETCORE_URLS=http://+:%d", port)},
	} {
		if len(c.matching(s.word)) > 0 {
			return "Let the app listen on all addresses: " + s.option + "."
		}
	}
	return fmt.Sprintf("Let the app listen on 0.0.0.0:%d.", port)
}

func loopbackChecked(f *facts) string {
	if found, loopback := f.listensOn(f.targetPort()); found && !loopback {
		return fmt.Sprintf("port %d accepts connections from outside the replica", f.targetPort())
	}
	return ""
}
