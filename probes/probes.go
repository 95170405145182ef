package probes

import (
	"context"
	"time"

	"github.com/acalocal/acalocal/probes/check"
)

// Kind is the type of a probe.
type Kind string

// The three kinds of probe.
const (
	Startup   Kind = "Startup"
	Readiness Kind = "Readiness"
	Liveness  Kind = "Liveness"
)

// LogName is how the platform's log rows spell k: StartUp, Readiness, Liveness.
func (k Kind) LogName() string {
	if k == Startup {
		return "StartUp"
	}
	return string(k)
}

// Key names one probe of one container of one replica.
type Key struct {
	Replica   string
	Container string
	Kind      Kind
}

// Check, HTTPCheck, TCPCheck, Header, Outcome and Result are the words of
// package check, which runs inside the replica.
type (
	Check     = check.Check
	HTTPCheck = check.HTTP
	TCPCheck  = check.TCP
	Header    = check.Header
	Outcome   = check.Outcome
	Result    = check.Result
)

// The outcomes of one attempt. Error is no verdict about the container: the
// attempt could not be made.
const (
	Success = check.Success
	Failure = check.Failure
	Error   = check.Error
)

// Target is one probe that should be running: the container runs, and this is
// how it is to be asked.
type Target struct {
	Key
	// Generation counts the starts of the container. Another one is another
	// process: a new rhythm, all counters at 0, the startup gate shut again.
	Generation int
	// StartedAt is when this generation started, by the container engine. The
	// probe ticks at StartedAt + n*Period. A time in the future counts as now.
	StartedAt time.Time
	Check     Check
	Delay     time.Duration // initialDelaySeconds: no attempt while the container is younger; 0 or more
	Period    time.Duration // periodSeconds; more than 0
	Timeout   time.Duration // timeoutSeconds, for connect and answer together; more than 0
	Success   int           // successThreshold; 1 or more
	Failure   int           // failureThreshold; 1 or more
	// Eager lets an early attempt (see Prober.Nudge) come before Delay. It is
	// for probes nobody configured: their delay is no promise to anybody.
	Eager bool
	// Deleting says the replica is being deleted: its startup and liveness
	// probes stop, its readiness probe goes on.
	Deleting bool
}

// Edge says that a threshold was crossed.
type Edge string

// The edges. The zero value, None, says that no threshold was crossed.
const (
	None   Edge = ""
	Passed Edge = "Passed"
	Failed Edge = "Failed"
)

// Report tells of one attempt that failed, or crossed a threshold, or both.
// An attempt that succeeded and crossed nothing is not reported.
type Report struct {
	Target  Target    // as given to Set when this probe began
	At      time.Time // when the result came; for a timeout that is its end
	Result  Result
	Run     int  // consecutive attempts with this outcome, this one included; 0 for Error
	Edge    Edge // the threshold this attempt crossed
	Attempt int  // number of this attempt in its generation, from 1; the tries of one tick count once
}

// Checker makes one attempt.
//
// Check returns when the answer is known or t.Timeout has passed, and then says
// Timeout itself; ctx ends somewhat later, or when the probe is no longer
// wanted. When the attempt could not be made (say, the replica's agent does not
// answer) the outcome is Error. Check is called concurrently for different
// targets, never twice at once for one Key.
type Checker interface {
	Check(ctx context.Context, t Target) Result
}
