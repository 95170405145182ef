// Package event reads the rows of the system log back into what happened. The
// texts are those of workload-profile environments, as captured from running
// apps; a row that is not known is of kind Other and keeps its text.
package event

import (
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// Row is one row of the system log about a revision.
type Row struct {
	Time    time.Time `json:"time"`
	Warning bool      `json:"warning,omitempty"`
	Replica string    `json:"replica,omitempty"` // "" when the row is about the revision or the app
	Reason  string    `json:"reason"`
	Text    string    `json:"text"`
	Count   int       `json:"count"` // how often this text has been seen, this time included
}

// Kind says what a row tells.
type Kind int

// The kinds of rows.
const (
	Other            Kind = iota
	Scheduled             // a replica was assigned
	Pulling               // Image
	Pulled                // Image, Took
	PullUnauthorized      // the registry refused
	Created               // Container
	Started               // Container
	ProbeFailed           // Probe, and Status or Timeout
	KillBegun             // Container, Probe: its threshold was reached
	NotReady              // Container: the readiness threshold was reached
	Terminated            // Container, Code, End, Detail
	Exited                // Container, Code: the real end after a kill
	PortMismatch          // Target, Listening
	Ready                 // the revision is ready for the first time
	Traffic               // the revision gets the traffic
	Retired               // its scaler has stopped
	ColdStart             // Cold: a replica that came up from zero is ready
)

// Event is a row and what it tells. Which of the fields after Kind are set
// depends on Kind.
type Event struct {
	Row
	Kind      Kind
	Container string
	Image     string
	Took      time.Duration // of a pull
	Probe     string        // Startup, Liveness or Readiness
	Status    string        // "1" for a refused connection, "" for no HTTP answer, else the HTTP status
	Timeout   time.Duration // of a probe that timed out, else 0
	Code      string        // exit code, "" while the kill has only begun
	End       string        // ACA's reason: ProcessExited, ProbeFailure, ManuallyStopped, …
	Detail    string        // the engine's or the registry's words
	Target    int           // port
	Listening []int         // ports
	Cold      Parts
}

// Parts are where the time of a start went, one after the other.
type Parts struct{ Schedule, Create, Boot, Probes time.Duration }

// Total is the whole of it.
func (p Parts) Total() time.Duration { return p.Schedule + p.Create + p.Boot + p.Probes }

// pattern reads one kind of text.
type pattern struct {
	reason string // "" for any
	text   *lazyregexp.Regexp
	read   func(e *Event, m []string)
}

var patterns = []pattern{
	{"AssigningReplica", lazyregexp.New(`^Replica '`), kind(Scheduled)},
	{"PullingImage", lazyregexp.New(`^Pulling image ['"](.*)['"]$`), func(e *Event, m []string) { e.Kind, e.Image = Pulling, m[1] }},
	{"PulledImage", lazyregexp.New(`^Successfully pulled image ['"](.*)['"] in ([0-9a-zµ.]+?)\.?(?: Image size:.*)?$`), readPulled},
	{"ImagePullUnauthorized", lazyregexp.New(`^`), kind(PullUnauthorized)},
	{"ContainerCreated", lazyregexp.New(`^Created container '(.*)'$`), inContainer(Created)},
	{"ContainerStarted", lazyregexp.New(`^Started container '(.*)'$`), inContainer(Started)},
	{"ProbeFailed", lazyregexp.New(`^Probe of (StartUp|Liveness|Readiness) failed with status code: ?(.*)$`), func(e *Event, m []string) {
		e.Kind, e.Probe, e.Status = ProbeFailed, probeOf(m[1]), m[2]
	}},
	{"ProbeFailed", lazyregexp.New(`^Probe of (StartUp|Liveness|Readiness) failed with timeout in (\d{1,6}) seconds\.$`), readTimeout},
	{"ProbeFailed", lazyregexp.New(`^Container (.*) failed (startup|liveness) probe, will be restarted$`), func(e *Event, m []string) {
		e.Kind, e.Container, e.Probe = KillBegun, m[1], probeOf(m[2])
	}},
	{"ProbeFailed", lazyregexp.New(`^Container (.*) failed readiness probe$`), inContainer(NotReady)},
	{"ContainerTerminated", lazyregexp.New(`(?s)^Container '(.*?)' was terminated with exit code '(.*?)' and reason '(.*?)'(?:\. ?(.*))?$`), func(e *Event, m []string) {
		e.Kind, e.Container, e.Code, e.End, e.Detail = Terminated, m[1], m[2], m[3], m[4]
	}},
	{"ProcessExited", lazyregexp.New(`^Container '(.*)' was terminated with exit code '(.*)'$`), func(e *Event, m []string) {
		e.Kind, e.Container, e.Code = Exited, m[1], m[2]
	}},
	{"Pending:PortMismatch", lazyregexp.New(`^The TargetPort (\d+) does not match (?:the listening port (\d+)|any of the listening ports: \[([\d ]*)\])\.$`), readMismatch},
	{"RevisionReady", lazyregexp.New(`^Successfully provisioned revision`), kind(Ready)},
	{"RevisionUpdate", lazyregexp.New(`^Setting traffic weight of '100%'`), kind(Traffic)},
	{"ColdStart", lazyregexp.New(`^Replica '.*' was ready \S+ after the app was asked for at zero: schedule (\S+), create (\S+), boot (\S+), probes (\S+)\.$`), readColdStart},
	{"KEDAScalersStopped", lazyregexp.New(`^`), kind(Retired)},
}

// Parse says what a row tells. It never fails.
func Parse(r Row) Event {
	e := Event{Row: r}
	for _, p := range patterns {
		if p.reason != r.Reason {
			continue
		}
		if m := p.text.FindStringSubmatch(r.Text); m != nil {
			p.read(&e, m)
			return e
		}
	}
	return e
}

// ParseAll is Parse for each row.
func ParseAll(rows []Row) []Event {
	out := make([]Event, len(rows))
	for i, r := range rows {
		out[i] = Parse(r)
	}
	return out
}

func kind(k Kind) func(*Event, []string) { return func(e *Event, _ []string) { e.Kind = k } }

func inContainer(k Kind) func(*Event, []string) {
	return func(e *Event, m []string) { e.Kind, e.Container = k, m[1] }
}

// readPulled keeps a duration it cannot read as 0: the pull still happened.
func readPulled(e *Event, m []string) {
	e.Kind, e.Image = Pulled, m[1]
	e.Took, _ = time.ParseDuration(m[2])
}

func readTimeout(e *Event, m []string) {
	e.Kind, e.Probe = ProbeFailed, probeOf(m[1])
	seconds, _ := strconv.Atoi(m[2]) // at most six digits: the pattern says so
	e.Timeout = time.Duration(seconds) * time.Second
}

func readMismatch(e *Event, m []string) {
	e.Kind = PortMismatch
	e.Target, _ = strconv.Atoi(m[1]) // digits: a number too large for a port is no port
	for _, word := range strings.Fields(m[2] + " " + m[3]) {
		if port, err := strconv.Atoi(word); err == nil {
			e.Listening = append(e.Listening, port)
		}
	}
}

// readColdStart takes a part it cannot read for none: the row is our own.
func readColdStart(e *Event, m []string) {
	e.Kind = ColdStart
	for i, part := range []*time.Duration{&e.Cold.Schedule, &e.Cold.Create, &e.Cold.Boot, &e.Cold.Probes} {
		*part, _ = time.ParseDuration(m[i+1])
	}
}

// probeOf is the type of a probe by any of its spellings.
func probeOf(word string) string {
	switch strings.ToLower(word) {
	case "startup":
		return "Startup"
	case "liveness":
		return "Liveness"
	}
	return "Readiness"
}
