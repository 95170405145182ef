package probes

// Tracker counts the outcomes of one probe against its thresholds. It is pure:
// no clock, no goroutine. The zero value is not usable; see NewTracker.
//
// The rules are kubelet's (pkg/kubelet/prober/worker.go): only consecutive
// equal outcomes count, another one begins a run of 1, and the state changes
// when the run reaches the threshold of its outcome.
type Tracker struct {
	success, failure int
	last             Outcome
	run              int
	state            Edge
	crossed          bool // the state was reached by crossing a threshold, or needs no crossing
}

// NewTracker returns the tracker of a container that has just started: its
// readiness stands at failed, its liveness at passed, its startup is unknown.
// success and failure are the thresholds; below 1 they count as 1.
func NewTracker(kind Kind, success, failure int) *Tracker {
	t := &Tracker{success: max(success, 1), failure: max(failure, 1)}
	switch kind {
	case Readiness:
		// Not crossed: Azure logs "reached failure threshold 3, changing
		// status to Failure" for a container that was never ready, too.
		t.state = Failed
	case Liveness:
		t.state, t.crossed = Passed, true
	}
	return t
}

// Observe counts o. It returns the length of the run of equal outcomes that o
// ends, and the threshold it crossed. An Error changes nothing and returns 0.
func (t *Tracker) Observe(o Outcome) (run int, edge Edge) {
	if o == Error {
		return 0, None
	}
	if o != t.last {
		t.last, t.run = o, 0
	}
	t.run++
	to, threshold := Passed, t.success
	if o == Failure {
		to, threshold = Failed, t.failure
	}
	if t.run < threshold || (t.state == to && t.crossed) {
		return t.run, None
	}
	t.state, t.crossed = to, true
	return t.run, to
}

// State returns where the probe stands: Passed, Failed, or None for a startup
// probe that has crossed no threshold yet.
func (t *Tracker) State() Edge { return t.state }
