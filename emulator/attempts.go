package emulator

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/acalocal/acalocal/probes"
)

// ProbeAttempt is one attempt of a probe.
type ProbeAttempt struct {
	Replica   string      `json:"replica"`
	Container string      `json:"container"`
	Probe     probes.Kind `json:"probe"`
	// Start counts the starts of the container, from 1.
	Start int `json:"start"`
	// Time is when the answer came; for a timeout that is its end.
	Time time.Time `json:"time"`
	// Milliseconds is how long the attempt took.
	Milliseconds float64 `json:"milliseconds"`
	Passed       bool    `json:"passed"`
	// Status is what the platform prints after "status code: ": the HTTP
	// status, "" when no HTTP answer came, "1" when a TCP connect failed.
	Status string `json:"status,omitempty"`
	// Timeout says that the time of the attempt was over.
	Timeout bool `json:"timeout,omitempty"`
	// Detail is the exact error of one that failed.
	Detail string `json:"detail,omitempty"`
	// Path and Port are what was asked; Path is "" for a TCP connect.
	Path string `json:"path,omitempty"`
	Port int    `json:"port"`
}

// Bounds of what is remembered: the newest attempts of each probe, and those
// of the last few replicas that are gone. The platform keeps none of those
// that pass; its rows of the others are in the system log for good.
const (
	maxAttempts     = 256
	maxGoneReplicas = 32
)

// attempts remembers what probes have seen. It may be used concurrently.
type attempts struct {
	mu   sync.Mutex
	kept map[probes.Key]*attemptRing // guarded by mu
	gone []string                    // replicas without probes, oldest first; guarded by mu
}

// attemptRing are the newest attempts of one probe.
type attemptRing struct {
	list []attempt
	next int // where the next one goes, once list is full
}

// attempt is the part of a Report that is kept.
type attempt struct {
	at      time.Time
	took    time.Duration
	start   int
	outcome probes.Outcome
	status  string
	detail  string
	timeout bool
	path    string
	port    int
}

// add remembers one attempt. One that could not be made says nothing about the
// container and is left out.
func (a *attempts) add(r probes.Report) {
	if r.Result.Outcome == probes.Error {
		return
	}
	one := attempt{at: r.At, took: r.Result.Duration, start: r.Target.Generation, outcome: r.Result.Outcome,
		status: r.Result.Status, detail: r.Result.Detail, timeout: r.Result.Timeout}
	if h := r.Target.Check.HTTP; h != nil {
		one.path, one.port = cmp.Or(h.Path, "/"), h.Port
	} else {
		one.port = r.Target.Check.TCP.Port
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept == nil {
		a.kept = map[probes.Key]*attemptRing{}
	}
	ring := a.kept[r.Target.Key]
	if ring == nil {
		ring = &attemptRing{}
		a.kept[r.Target.Key] = ring
	}
	if len(ring.list) < maxAttempts {
		ring.list = append(ring.list, one)
		return
	}
	ring.list[ring.next] = one
	ring.next = (ring.next + 1) % maxAttempts
}

// retain forgets replicas that are gone, the oldest first, beyond a few.
func (a *attempts) retain(alive map[string]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key := range a.kept {
		if !alive[key.Replica] && !slices.Contains(a.gone, key.Replica) {
			a.gone = append(a.gone, key.Replica)
		}
	}
	drop := a.gone[:max(len(a.gone)-maxGoneReplicas, 0)]
	if len(drop) == 0 {
		return
	}
	for key := range a.kept {
		if slices.Contains(drop, key.Replica) {
			delete(a.kept, key)
		}
	}
	a.gone = slices.Clone(a.gone[len(drop):])
}

// of are the attempts on the replicas for which want is true, oldest first.
func (a *attempts) of(want func(replica string) bool) []ProbeAttempt {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []ProbeAttempt
	for key, ring := range a.kept {
		if !want(key.Replica) {
			continue
		}
		for _, one := range ring.list {
			out = append(out, ProbeAttempt{
				Replica: key.Replica, Container: key.Container, Probe: key.Kind, Start: one.start,
				Time: one.at, Milliseconds: float64(one.took.Microseconds()) / 1000, Passed: one.outcome == probes.Success,
				Status: one.status, Timeout: one.timeout, Detail: one.detail, Path: one.path, Port: one.port,
			})
		}
	}
	slices.SortFunc(out, func(x, y ProbeAttempt) int {
		return cmp.Or(x.Time.Compare(y.Time), cmp.Compare(x.Replica, y.Replica), cmp.Compare(x.Container, y.Container), cmp.Compare(x.Probe, y.Probe))
	})
	return out
}
