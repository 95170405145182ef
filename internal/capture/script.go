package capture

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/agent/standin"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/explain/event"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// Part is what a container did, for one that stands in for it.
type Part struct {
	Script standin.Script
	// Command is the first word of its command; Broken says that it could not
	// be started.
	Command string
	Broken  container.Broken
	// NoImage says that its image could not be had: nothing stands in for it,
	// and the pull fails again.
	NoImage bool
}

// maxStarts bounds how many different starts a script has. The last one is
// repeated.
const maxStarts = 8

// Parts are what the containers of the captured revision did, by name.
func (f *File) Parts() map[string]Part {
	events := event.ParseAll(f.Rows)
	replica := f.replica(events)
	out := map[string]Part{}
	t := f.App.Revision(f.Revision).Properties.Template
	for _, list := range [][]aca.Container{t.InitContainers, t.Containers} {
		for i := range list {
			l := f.lifeOf(&list[i], replica, events)
			out[list[i].Name] = f.part(&list[i], replica, l, events)
		}
	}
	return out
}

func (f *File) part(c *aca.Container, replica string, l *life, events []event.Event) Part {
	p := Part{}
	if len(c.Command) > 0 {
		p.Command = c.Command[0]
	}
	switch {
	case l.failure != nil && l.failure.End == "ImagePullFailure":
		p.NoImage = true
		return p
	case l.failure != nil:
		p.Broken, p.Command = whyBroken(l.failure.Detail, p.Command)
	}
	ports := f.ports(c, replica, l, events)
	starts := l.starts
	if len(starts) > maxStarts {
		starts = append(slices.Clone(starts[:maxStarts-1]), starts[len(starts)-1])
	}
	for i := range starts {
		p.Script.Attempts = append(p.Script.Attempts, l.attempt(&starts[i], ports, f))
	}
	l.hog(p.Script.Attempts, starts)
	return p
}

// program finds the program an engine could not start: exec: "X": …
var program = lazyregexp.New(`exec: "([^"]+)"`)

func whyBroken(detail, command string) (container.Broken, string) {
	if m := program.FindStringSubmatch(detail); m != nil {
		command = m[1]
	}
	switch {
	case strings.Contains(detail, "permission denied"):
		return container.BrokenPermission, command
	case strings.Contains(detail, "exec format error"):
		return container.BrokenFormat, command
	case strings.Contains(detail, "no such file") || strings.Contains(detail, "not found"):
		return container.BrokenMissing, command
	}
	return "", command // a volume or a secret: it fails again by itself
}

// ports are the TCP ports a container listened on, and whether on loopback
// alone. Sockets belong to a replica: one that no probe has found in another
// container is the main one's.
func (f *File) ports(c *aca.Container, replica string, l *life, events []event.Event) map[int]bool {
	out := map[int]bool{}
	for _, a := range l.attempts {
		if accepted(a) {
			out[a.Port] = false
		}
	}
	seen := map[int]bool{}
	if rep := f.App.Revision(f.Revision).Replica(replica); rep != nil {
		for _, s := range rep.Local.Listening {
			seen[s.Port] = s.Loopback
		}
	}
	for _, e := range events {
		if e.Kind == event.PortMismatch && e.Replica == replica {
			for _, port := range e.Listening {
				if _, known := seen[port]; !known {
					seen[port] = false
				}
			}
		}
	}
	for port, loopback := range seen {
		if _, mine := out[port]; mine || f.listener(port, replica, l) == c.Name {
			out[port] = loopback
		}
	}
	return out
}

// listener guesses whose a socket is.
func (f *File) listener(port int, replica string, l *life) string {
	app := f.App.ContainerApp
	app.Properties.Template = f.App.Revision(f.Revision).Properties.Template
	for _, a := range f.Attempts {
		if a.Replica == replica && a.Port == port && accepted(a) {
			return a.Container
		}
	}
	for _, line := range f.Console {
		if line.Replica == replica && mentions(line.Text, port) {
			return line.Container
		}
	}
	if main := app.MainContainer(); main != "" {
		return main
	}
	return app.Properties.Template.Containers[0].Name
}

// mentions says that a line names a port: ":8000" or "port 8000".
func mentions(text string, port int) bool {
	n := strconv.Itoa(port)
	for _, before := range []string{":", "port ", "port: ", "port="} {
		if i := strings.Index(text, before+n); i >= 0 {
			rest := text[i+len(before)+len(n):]
			if rest == "" || rest[0] < '0' || rest[0] > '9' {
				return true
			}
		}
	}
	return false
}

// accepted says that an attempt shows a connection that was accepted.
func accepted(a emulator.ProbeAttempt) bool {
	if a.Path == "" {
		return a.Passed
	}
	return a.Passed || a.Status != "" || a.Timeout
}

// attempt is the script of one start.
func (l *life) attempt(s *start, ports map[int]bool, f *File) standin.Attempt {
	var out standin.Attempt
	since := func(t time.Time) time.Duration { return max(t.Sub(s.begin), 0).Round(time.Millisecond) }
	for port, loopback := range ports {
		if at, ok := l.listensAt(s, port); ok {
			out.Listens = append(out.Listens, standin.Listen{At: at, Port: port, Loopback: loopback})
		}
	}
	slices.SortFunc(out.Listens, func(a, b standin.Listen) int { return a.Port - b.Port })
	out.Answers = append(f.answersToRequests(s), l.answers(s)...)
	for _, line := range l.linesOf(s) {
		out.Prints = append(out.Prints, standin.Print{At: since(line.Time), Stderr: line.Stderr, Text: line.Text})
	}
	if code, err := strconv.Atoi(s.code); err == nil && !s.end.IsZero() {
		out.Exit = &standin.Exit{At: since(s.end), Code: code & 0xff}
	}
	switch {
	case s.ignored || l.last != nil && l.last.Forced:
		out.Stop = &standin.Stop{After: standin.Never}
	case l.last != nil && (l.last.Reason == "ManuallyStopped" || l.last.Reason == "ProbeFailure"):
		out.Stop = &standin.Stop{Code: l.last.ExitCode & 0xff}
	}
	return out
}

// linesOf are the lines of a start. Its first ones may be older than the row
// that tells of it.
func (l *life) linesOf(s *start) []explain.Output {
	var out []explain.Output
	from := time.Time{}
	for _, other := range l.starts {
		if other.begin.Before(s.begin) {
			from = other.end
			if from.IsZero() {
				from = other.stopped
			}
		}
	}
	for _, line := range l.lines {
		if line.Time.After(from) && line.Time.Before(s.until) {
			out = append(out, line)
		}
	}
	return out
}

// listensAt is when a port was first listened on after a start. Where no
// attempt asked that port, the line that names it tells, or else the start.
func (l *life) listensAt(s *start, port int) (time.Duration, bool) {
	asked := false
	var refused time.Time
	for _, a := range l.attempts {
		if a.Port != port || !s.within(a.Time) {
			continue
		}
		asked = true
		if accepted(a) {
			begun := a.Time.Add(-time.Duration(a.Milliseconds * float64(time.Millisecond)))
			if begun.Before(refused) {
				begun = refused
			}
			return max(begun.Sub(s.begin), 0).Round(time.Millisecond), true
		}
		refused = a.Time.Add(time.Millisecond)
	}
	if asked {
		return 0, false
	}
	for _, line := range l.linesOf(s) {
		if mentions(line.Text, port) {
			return max(line.Time.Sub(s.begin), 0).Round(time.Millisecond), true
		}
	}
	return 0, s.end.IsZero() || s.end.Sub(s.begin) > time.Second
}

// slowAnswer is from where on the time of an answer is worth repeating.
const slowAnswer = 50 * time.Millisecond

// answers are how the paths of HTTP probes were answered, each time the answer
// changed: midway between the attempts before and after.
func (l *life) answers(s *start) []standin.Answer {
	var out []standin.Answer
	last, at := map[string]standin.Answer{}, map[string]time.Time{}
	for _, a := range l.attempts {
		if a.Path == "" || !s.within(a.Time) || !accepted(a) {
			continue
		}
		took := time.Duration(a.Milliseconds * float64(time.Millisecond))
		n := standin.Answer{Path: a.Path, Status: statusOf(a)}
		switch {
		case a.Timeout:
			n.Delay, n.Status = standin.Never, 200
		case took >= slowAnswer:
			n.Delay = took.Round(time.Millisecond)
		}
		before, known := last[a.Path]
		if known && before.Status == n.Status && (before.Delay == standin.Never) == (n.Delay == standin.Never) {
			at[a.Path] = a.Time
			continue
		}
		last[a.Path] = n
		if known {
			begun := a.Time.Add(-took)
			n.From = max(at[a.Path].Add(begun.Sub(at[a.Path])/2).Sub(s.begin), 0).Round(time.Millisecond)
		}
		at[a.Path] = a.Time
		out = append(out, n)
	}
	return out
}

// statusOf is the HTTP status of an attempt, 200 when it passed without one
// being known, 0 when there was no answer in HTTP.
func statusOf(a emulator.ProbeAttempt) int {
	if n, err := strconv.Atoi(a.Status); err == nil {
		return n
	}
	if a.Passed {
		return 200
	}
	return 0
}

// answersToRequests are how the app answered requests that the edge passed on,
// the last answer of each path. Answers of the edge itself are left out.
func (f *File) answersToRequests(s *start) []standin.Answer {
	var out []standin.Answer
	for _, r := range f.Requests {
		if r.Flag != "" || r.Status < 200 || r.Revision != f.Revision || !s.within(r.Time) {
			continue
		}
		n := standin.Answer{Path: r.Path, Status: r.Status}
		if took := time.Duration((r.Total - r.Hold) * float64(time.Millisecond)); took >= slowAnswer {
			n.Delay = took.Round(time.Millisecond)
		}
		out = slices.DeleteFunc(out, func(o standin.Answer) bool { return o.Path == n.Path })
		out = append(out, n)
	}
	return out
}

// Of memory kills: how long before its end a process began to take memory, and
// how many children are killed at most.
const (
	hogBefore = 500 * time.Millisecond
	maxHogs   = 5
)

// killLine is what Gunicorn prints of a worker that was killed.
var killLine = lazyregexp.New(`was sent SIGKILL|Perhaps out of memory|due to signal 9`)

// hog lets processes run into the memory limit where they did: the first one
// where its end was that of one killed for memory, else a child.
func (l *life) hog(attempts []standin.Attempt, starts []start) {
	left := l.oomKills
	for i := range attempts {
		if e := attempts[i].Exit; e != nil && e.Code == 137 && left > 0 {
			attempts[i].Hogs = append(attempts[i].Hogs, standin.Hog{At: max(e.At-hogBefore, 0)})
			attempts[i].Exit = nil
			left--
		}
	}
	if left <= 0 || len(attempts) == 0 || len(starts) != len(attempts) {
		return
	}
	a := &attempts[len(attempts)-1]
	if len(a.Hogs) > 0 {
		return
	}
	var times []time.Duration
	for _, p := range a.Prints {
		if killLine.MatchString(p.Text) {
			times = append(times, max(p.At-hogBefore, 0))
		}
	}
	for n := len(times); n < min(left, maxHogs); n++ {
		times = append(times, time.Duration(n+1)*time.Second)
	}
	for _, at := range times[:min(len(times), left, maxHogs)] {
		a.Hogs = append(a.Hogs, standin.Hog{At: at, Child: true})
	}
}

// StandInTag names the image that stands in for a container's.
func StandInTag(environment, container string) string {
	return fmt.Sprintf("acalocal/replay-%s-%s:1", environment, container)
}
