package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/explain/event"
)

// facts is the evidence in the order rules ask for it.
type facts struct {
	Evidence
	events     []event.Event
	containers []*containerFacts // init containers first
	ready      bool              // a replica answers
	everReady  bool
	live       []emulator.Replica // that are not on their way out
}

// containerFacts is what is known of one container over all replicas and
// attempts.
type containerFacts struct {
	aca.Container
	init, main bool
	probes     []aca.Probe // effective ones
	events     []event.Event
	lines      []Output
	oomKills   int
	ends       []emulator.End // the last of each replica
	running    bool           // in some live replica
	ready      bool
	restarts   int
}

func newFacts(e Evidence) *facts {
	f := &facts{Evidence: e, events: event.ParseAll(e.Rows)}
	for _, ev := range f.events {
		f.everReady = f.everReady || ev.Kind == event.Ready
	}
	for _, r := range e.Revision.Replicas {
		if !r.Draining {
			f.live = append(f.live, r)
			f.ready = f.ready || r.Ready
		}
	}
	f.everReady = f.everReady || f.ready
	t := e.App.Properties.Template
	for _, c := range t.InitContainers {
		f.containers = append(f.containers, f.collect(c, true))
	}
	for _, c := range t.Containers {
		f.containers = append(f.containers, f.collect(c, false))
	}
	return f
}

func (f *facts) collect(c aca.Container, init bool) *containerFacts {
	out := &containerFacts{Container: c, init: init, main: !init && f.App.MainContainer() == c.Name}
	if !init {
		out.probes = aca.EffectiveProbes(&f.App, c.Name)
	}
	for _, ev := range f.events {
		if ev.Container == c.Name {
			out.events = append(out.events, ev)
		}
	}
	for _, l := range f.Console {
		if l.Container == c.Name {
			out.lines = append(out.lines, l)
		}
	}
	for _, r := range f.Revision.Replicas {
		out.addReplica(r)
	}
	return out
}

func (c *containerFacts) addReplica(r emulator.Replica) {
	for _, lc := range r.Local.Containers {
		if lc.Name == c.Name {
			c.oomKills += lc.OOMKills
			if lc.LastEnd != nil {
				c.ends = append(c.ends, *lc.LastEnd)
			}
		}
	}
	if r.Draining {
		return
	}
	for _, rc := range slices.Concat(r.Properties.InitContainers, r.Properties.Containers) {
		if rc.Name == c.Name {
			c.running = c.running || rc.RunningState == "Running"
			c.ready = c.ready || rc.Ready
			c.restarts += rc.RestartCount
		}
	}
}

// mainContainer is the one that requests are meant for, nil without any.
func (f *facts) mainContainer() *containerFacts {
	for _, c := range f.containers {
		if c.main {
			return c
		}
	}
	return nil
}

// targetPort is the port requests go to, 0 without ingress and while it is
// detected.
func (f *facts) targetPort() int {
	if in := f.App.Properties.Configuration.Ingress; in != nil {
		return in.TargetPort
	}
	return 0
}

// listening are the sockets of the live replicas, by port; a port is loopback
// only when it is so everywhere.
func (f *facts) listening() []emulator.Listener {
	public := map[int]bool{}
	for _, r := range f.live {
		for _, l := range r.Local.Listening {
			public[l.Port] = public[l.Port] || !l.Loopback
		}
	}
	var out []emulator.Listener
	for port, open := range public {
		out = append(out, emulator.Listener{Port: port, Loopback: !open})
	}
	slices.SortFunc(out, func(a, b emulator.Listener) int { return cmp.Compare(a.Port, b.Port) })
	return out
}

// listensOn says whether something listens on a port, and whether on loopback
// only.
func (f *facts) listensOn(port int) (found, loopback bool) {
	for _, l := range f.listening() {
		if l.Port == port {
			return true, l.Loopback
		}
	}
	return false, false
}

// age is how long the oldest live replica has been there.
func (f *facts) age() time.Duration {
	oldest := time.Duration(0)
	for _, r := range f.live {
		oldest = max(oldest, f.Now.Sub(r.Properties.CreatedTime))
	}
	return oldest
}

// probe is the effective probe of a type, or nil.
func (c *containerFacts) probe(kind aca.ProbeType) *aca.Probe {
	for i := range c.probes {
		if c.probes[i].Type == kind {
			return &c.probes[i]
		}
	}
	return nil
}

// find are the events of a container that fit.
func (c *containerFacts) find(fits func(event.Event) bool) []event.Event {
	return filter(c.events, fits)
}

func filter[T any](in []T, fits func(T) bool) []T {
	var out []T
	for _, v := range in {
		if fits(v) {
			out = append(out, v)
		}
	}
	return out
}

// terminated are the ends of a container for one of ACA's reasons.
func (c *containerFacts) terminated(reason string) []event.Event {
	return c.find(func(e event.Event) bool { return e.Kind == event.Terminated && e.End == reason })
}

// kills are the restarts that a probe of a type ordered.
func (c *containerFacts) kills(kind aca.ProbeType) []event.Event {
	return c.find(func(e event.Event) bool { return e.Kind == event.KillBegun && e.Probe == string(kind) })
}

// failures are the failed attempts of a probe type. Rows do not name the
// container; with several that have such a probe, nothing is sure.
func (f *facts) failures(kind aca.ProbeType) []event.Event {
	return filter(f.events, func(e event.Event) bool { return e.Kind == event.ProbeFailed && e.Probe == string(kind) })
}

// lastStart is when a container last started, zero when no row says so.
func (c *containerFacts) lastStart() time.Time {
	for _, e := range slices.Backward(c.events) {
		if e.Kind == event.Started {
			return e.Time
		}
	}
	return time.Time{}
}

// startBefore is when the attempt began that was running at a time.
func (c *containerFacts) startBefore(t time.Time, replica string) time.Time {
	var start time.Time
	for _, e := range c.events {
		if e.Kind == event.Started && e.Replica == replica && !e.Time.After(t) {
			start = e.Time
		}
	}
	return start
}

// matching are the last few lines of a container that contain a word.
func (c *containerFacts) matching(word string) []Output {
	return filter(c.lines, func(l Output) bool { return strings.Contains(l.Text, word) })
}

// Evidence lines of events and output.

func rowLine(e event.Event) Line {
	text := e.Text
	if e.Count > 1 {
		text += fmt.Sprintf(" (×%d)", e.Count)
	}
	return Line{Time: e.Time, Text: clip(text)}
}

func outputLine(l Output) Line { return Line{Time: l.Time, Text: l.Container + " | " + clip(l.Text)} }

// clip keeps evidence on one line of bearable length. What an engine has to
// say stands at the end of its words, what a row is about at the beginning.
func clip(text string) string {
	text = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "?")
	const head, tail = 100, 130
	runes := []rune(text)
	if len(runes) > head+tail+1 {
		return string(runes[:head]) + "…" + string(runes[len(runes)-tail:])
	}
	return text
}

// evidence sorts lines by time, those without one last, and keeps the few
// first and last of many.
func evidence(lines ...Line) []Line {
	slices.SortStableFunc(lines, func(a, b Line) int {
		switch {
		case a.Time.IsZero() || b.Time.IsZero():
			return cmp.Compare(boolInt(a.Time.IsZero()), boolInt(b.Time.IsZero()))
		}
		return a.Time.Compare(b.Time)
	})
	return slices.Compact(lines)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// last are the last n of a list.
func last[T any](list []T, n int) []T { return list[max(len(list)-n, 0):] }

// seconds prints a duration as people say it: "41 s", "0.5 s", "4 min 1 s".
func seconds(d time.Duration) string {
	switch {
	case d < 10*time.Second && d%time.Second != 0:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute*2:
		return fmt.Sprintf("%d s", int(d.Round(time.Second)/time.Second))
	}
	d = d.Round(time.Second)
	if rest := d % time.Minute; rest != 0 {
		return fmt.Sprintf("%d min %d s", d/time.Minute, rest/time.Second)
	}
	return fmt.Sprintf("%d min", d/time.Minute)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
