// Package fault breaks an environment on purpose, so that a test can see what
// its app makes of it.
//
//	           ┌─ Runtime ──▶ container engine   refuse-pull, lose-engine
//	Set ──wraps┼─ Checker ──▶ probes             fail-probe, delay-probe
//	 │         └─ Request ──▶ edge to replica    slow-link, cut-link
//	 └─ strikes by itself                        kill-replica, exhaust-memory
//
// A fault either stands for a while, and then concerns what passes the place
// it is at, or strikes at moments. Everything it does is reported as an Event.
// Without a fault the wrapped parts behave as if they were not wrapped.
package fault

import (
	"cmp"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Kind is what a fault does.
type Kind string

// The kinds of faults.
const (
	// KillReplica ends a replica at once, as a lost node does; with Container,
	// only that container, as a crash does.
	KillReplica Kind = "kill-replica"
	// FailProbe makes attempts of probes fail: HTTP ones with status 503.
	FailProbe Kind = "fail-probe"
	// DelayProbe makes attempts of probes take Delay longer; beyond their
	// timeout they fail.
	DelayProbe Kind = "delay-probe"
	// SlowLink makes requests wait for Delay on their way to a replica.
	SlowLink Kind = "slow-link"
	// CutLink breaks the connections that requests would take to a replica. The
	// edge tries again, as it always does.
	CutLink Kind = "cut-link"
	// ExhaustMemory takes memory in a container until the kernel kills its
	// first process. The container needs a limit, sh and tail.
	ExhaustMemory Kind = "exhaust-memory"
	// RefusePull makes the registry refuse an image, even one that is there.
	RefusePull Kind = "refuse-pull"
	// LoseEngine makes the container engine unreachable. What runs goes on.
	LoseEngine Kind = "lose-engine"
)

// Kinds are all kinds, in the order of the documentation.
var Kinds = []Kind{KillReplica, FailProbe, DelayProbe, SlowLink, CutLink, ExhaustMemory, RefusePull, LoseEngine}

// strikes says that a fault of this kind happens at moments rather than stands.
func (k Kind) strikes() bool { return k == KillReplica || k == ExhaustMemory }

// Fault is one fault. The zero value of a field that chooses something chooses
// everything, and patterns are those of path.Match: "web-*".
type Fault struct {
	// Name is unique; without one, a fault is called after its kind.
	Name string `json:"name,omitempty"`
	Kind Kind   `json:"kind"`

	App       string `json:"app,omitempty"`       // pattern
	Revision  string `json:"revision,omitempty"`  // pattern
	Replica   string `json:"replica,omitempty"`   // pattern
	Container string `json:"container,omitempty"` // pattern
	Image     string `json:"image,omitempty"`     // pattern, of RefusePull
	// Probe is Liveness, Readiness or Startup.
	Probe string `json:"probe,omitempty"`
	// Request chooses the requests that a fault of a link concerns.
	Request Request `json:"request,omitzero"`

	// After is how long after it was added the fault begins; 0 is at once.
	After Duration `json:"after,omitzero"`
	// For is how long it stands; 0 is until it is removed.
	For Duration `json:"for,omitzero"`
	// Every repeats a strike; 0 strikes once.
	Every Duration `json:"every,omitzero"`
	// Times is how often it happens at most; 0 is no limit.
	Times int `json:"times,omitempty"`
	// Percent of the occasions are taken, drawn by Seed; 0 is all of them. The
	// same seed takes the same ones of a sequence.
	Percent float64 `json:"percent,omitempty"`
	Seed    uint64  `json:"seed,omitempty"`
	// Delay is how much longer something takes.
	Delay Duration `json:"delay,omitzero"`
}

// Request chooses requests. Empty fields match all.
type Request struct {
	Method string `json:"method,omitempty"`
	// Path is a pattern for the path without the query. One that ends in "/**"
	// matches everything below.
	Path string `json:"path,omitempty"`
	// Header is "Name: value", or "Name" for any value.
	Header string `json:"header,omitempty"`
}

// Duration is a time.Duration whose JSON is text such as "1.5s".
type Duration time.Duration

// String is d as package time writes it.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Check says why a fault cannot be, or nil. Errors are *aca.Error.
func (f Fault) Check() error {
	if !slices.Contains(Kinds, f.Kind) {
		return bad("kind", "there is no fault %q; there are %s", f.Kind, joined(Kinds))
	}
	for _, p := range []struct{ field, pattern string }{
		{"app", f.App}, {"revision", f.Revision}, {"replica", f.Replica}, {"container", f.Container}, {"image", f.Image}, {"request.path", f.Request.Path},
	} {
		if _, err := path.Match(p.pattern, ""); err != nil {
			return bad(p.field, "%q is not a pattern: %v", p.pattern, err)
		}
	}
	for _, d := range []struct {
		field string
		value Duration
	}{{"after", f.After}, {"for", f.For}, {"every", f.Every}, {"delay", f.Delay}} {
		if d.value < 0 {
			return bad(d.field, "%s is negative", d.value)
		}
	}
	if f.Percent < 0 || f.Percent > 100 {
		return bad("percent", "%v is not between 0 and 100", f.Percent)
	}
	if f.Times < 0 {
		return bad("times", "%d is negative", f.Times)
	}
	return f.checkKind()
}

// shortestEvery bounds how fast strikes may follow each other.
const shortestEvery = Duration(100 * time.Millisecond)

// checkKind refuses what a kind needs and lacks, or has and does not heed.
func (f Fault) checkKind() error {
	probe := f.Kind == FailProbe || f.Kind == DelayProbe
	link := f.Kind == SlowLink || f.Kind == CutLink
	switch {
	case f.Probe != "" && !probe:
		return bad("probe", "a %s is not about probes", f.Kind)
	case f.Probe != "" && !slices.Contains([]string{"Liveness", "Readiness", "Startup"}, f.Probe):
		return bad("probe", "%q is not Liveness, Readiness or Startup", f.Probe)
	case f.Request != Request{} && !link:
		return bad("request", "a %s is not about requests", f.Kind)
	case f.Container != "" && link:
		return bad("container", "a link leads to a replica, not to one of its containers")
	case (f.Kind == DelayProbe || f.Kind == SlowLink) && f.Delay == 0:
		return bad("delay", "a %s needs a delay", f.Kind)
	case f.Delay != 0 && f.Kind != DelayProbe && f.Kind != SlowLink:
		return bad("delay", "a %s has no delay", f.Kind)
	case f.Every != 0 && !f.Kind.strikes():
		return bad("every", "a %s stands for a while and does not repeat", f.Kind)
	case f.Every != 0 && f.Every < shortestEvery:
		return bad("every", "%s is shorter than %s", f.Every, shortestEvery)
	case f.For != 0 && f.Kind.strikes() && f.Every == 0:
		return bad("for", "a %s that is not repeated lasts no time", f.Kind)
	case f.Image != "" && f.Kind != RefusePull:
		return bad("image", "a %s is not about images", f.Kind)
	case f.Kind == RefusePull && f.App+f.Revision+f.Replica+f.Container != "":
		return bad("app", "a registry is asked for an image, whichever app wants it: name the image")
	case f.Kind == LoseEngine && f.For == 0:
		return bad("for", "an engine is lost for a while: say for how long")
	case f.Kind == LoseEngine && f.App+f.Revision+f.Replica+f.Container != "":
		return bad("app", "the engine is lost for all apps")
	case f.Kind == LoseEngine && (f.Percent != 0 || f.Times != 0):
		return bad("percent", "the engine is lost as a whole or not at all")
	}
	return nil
}

func bad(field, format string, args ...any) error {
	return &aca.Error{Code: "InvalidRequestContent", Message: "fault: " + fmt.Sprintf(format, args...) + ".", Target: field}
}

func joined(kinds []Kind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// String is f in one line, without what it leaves open.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(string(f.Kind))
	say := func(name, value string) {
		if value != "" {
			b.WriteString(" " + name + "=" + value)
		}
	}
	say("app", f.App)
	say("revision", f.Revision)
	say("replica", f.Replica)
	say("container", f.Container)
	say("image", f.Image)
	say("probe", f.Probe)
	say("method", f.Request.Method)
	say("path", f.Request.Path)
	say("header", f.Request.Header)
	for _, d := range []struct {
		name  string
		value Duration
	}{{"after", f.After}, {"for", f.For}, {"every", f.Every}, {"delay", f.Delay}} {
		if d.value != 0 {
			say(d.name, d.value.String())
		}
	}
	if f.Times != 0 {
		say("times", fmt.Sprint(f.Times))
	}
	if f.Percent != 0 {
		say("percent", fmt.Sprint(f.Percent))
		say("seed", fmt.Sprint(f.Seed))
	}
	return b.String()
}

// place is where something is about to happen.
type place struct{ app, revision, replica, container string }

// placeOf takes the name of a replica apart: "<app>--<suffix>-<hash>-<random>".
func placeOf(replica, container string) place {
	p := place{replica: replica, container: container, revision: replica}
	p.app, _, _ = strings.Cut(replica, "--")
	for range 2 {
		if i := strings.LastIndexByte(p.revision, '-'); i > 0 {
			p.revision = p.revision[:i]
		}
	}
	return p
}

func (f *Fault) matches(p place) bool {
	return match(f.App, p.app) && match(f.Revision, p.revision) && match(f.Replica, p.replica) && match(f.Container, p.container)
}

// match says that a pattern, which was checked, fits; "" fits everything.
func match(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	ok, _ := path.Match(pattern, name)
	return ok
}

func (m Request) matches(r *http.Request) bool {
	if m == (Request{}) {
		return true
	}
	if r == nil { // a raw TCP connection
		return false
	}
	return (m.Method == "" || strings.EqualFold(m.Method, r.Method)) && m.matchesPath(r.URL.Path) && m.matchesHeader(r.Header)
}

func (m Request) matchesPath(p string) bool {
	if below, ok := strings.CutSuffix(m.Path, "/**"); ok {
		return p == below || strings.HasPrefix(p, below+"/")
	}
	return match(m.Path, cmp.Or(p, "/"))
}

func (m Request) matchesHeader(h http.Header) bool {
	name, value, valued := strings.Cut(m.Header, ":")
	values := h.Values(strings.TrimSpace(name))
	switch {
	case m.Header == "":
		return true
	case valued:
		return slices.Contains(values, strings.TrimSpace(value))
	}
	return len(values) > 0
}
