package probes

import (
	"strconv"
	"strings"
	"time"
)

// Dialect is the back end whose log rows are written.
type Dialect string

// The dialects. Legion is what environments with workload profiles write, the
// default today; Kubelet is what older Consumption-only environments write.
const (
	Legion  Dialect = "Legion"
	Kubelet Dialect = "Kubelet"
)

// Row is one system log row that a report causes.
type Row struct {
	Reason string // column Reason_s
	Type   string // column Type_s: "Warning" or "Normal"
	Text   string // column Log_s
}

// Rows returns the rows that r causes, in the order they are written: first the
// attempt's, then the threshold's. Successes and errors of the prober write
// none. The texts are those captured from running apps; Azure documents none.
func (d Dialect) Rows(r Report) []Row {
	if r.Result.Outcome != Failure {
		return nil
	}
	if d == Kubelet {
		return kubeletRows(r)
	}
	return legionRows(r)
}

func legionRows(r Report) []Row {
	t := r.Target
	rows := []Row{warning(attemptText(t, r.Result))}
	if r.Edge != Failed {
		return rows
	}
	if t.Kind == Readiness {
		return append(rows, warning(thresholdText(t)), warning("Container "+t.Container+" failed readiness probe"))
	}
	return append(rows, warning(restartText(t)))
}

func kubeletRows(r Report) []Row {
	t := r.Target
	rows := []Row{{"ReplicaUnhealthy", "Warning", string(t.Kind) + " probe failed: " + r.Result.Detail}}
	if r.Edge != Failed || t.Kind == Readiness {
		return rows
	}
	return append(rows, Row{"StoppingContainer", "Normal", restartText(t)})
}

// StartedRow returns the row that says a probe's worker has begun. Only some
// captures show it, one per probed container.
func StartedRow(k Kind) Row {
	return Row{"ProbeStarted", "Normal", "Probe started from stage " + k.LogName()}
}

// KilledRow returns the row written in the same millisecond as a startup or
// liveness threshold: the kill begins, so there is no exit code yet.
func KilledRow(container string) Row {
	return Row{"ContainerTerminated", "Warning", "Container '" + container + "' was terminated with exit code '' and reason 'ProbeFailure'"}
}

func warning(text string) Row { return Row{"ProbeFailed", "Warning", text} }

// attemptText says why an attempt failed. A timeout of one second reads "in 1
// seconds", too; an HTTP probe without an answer ends in a space.
func attemptText(t Target, r Result) string {
	begin := "Probe of " + t.Kind.LogName() + " failed with "
	if r.Timeout {
		return begin + "timeout in " + wholeSeconds(t.Timeout) + " seconds."
	}
	return begin + "status code: " + r.Status
}

func thresholdText(t Target) string {
	kind := t.Kind.LogName()
	return kind + " Probe of " + kind + " reached failure threshold " + strconv.Itoa(t.Failure) + ", changing status to Failure."
}

func restartText(t Target) string {
	return "Container " + t.Container + " failed " + strings.ToLower(string(t.Kind)) + " probe, will be restarted"
}

// wholeSeconds prints d in seconds, rounded up.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
