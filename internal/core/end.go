package core

import (
	"fmt"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/probes"
)

// The restart back-off: 10 s, doubled each time, at most 300 s, also before
// the first restart, without a limit of retries, and from the start again
// after ten minutes of running. Counted from the termination row (observed:
// 10, 20, 40, 81, 160, 300).
const (
	firstBackoff = 10 * time.Second
	lastBackoff  = 300 * time.Second
	backoffReset = 10 * time.Minute
	// createBackoff is what a failed creation waits on top (observed 18, 28,
	// 48 s).
	createBackoff = 8 * time.Second
)

func backoff(step int) time.Duration {
	if step >= 5 {
		return lastBackoff
	}
	return firstBackoff << step
}

// end notes that the current attempt of a container ended.
func (s *State) end(m *member, st container.Status) {
	m.ended = true
	m.lookAt = time.Time{}
	m.startup, m.ready = false, false
	end := &End{Time: st.FinishedAt, Reason: "ProcessExited", ExitCode: st.ExitCode}
	m.last = end
	switch {
	case m.killed: // its row was written when the kill began
		m.retryAt = m.again
		end.Reason, end.Forced = "ProbeFailure", st.ExitCode == 137
		if end.Forced {
			s.exitedRow(m)
		}
		return
	case m.rep.evicted && m.stopRow: // its row was written with that of the eviction
		return
	case m.rep.leave != staying || m.stopRow:
		end.Reason, end.Forced = "ManuallyStopped", st.ExitCode == 137 && s.grace(m.rep.rev.template) > 0
		if end.Forced {
			s.exitedRow(m)
		}
		return
	}
	s.terminatedRow(m, fmt.Sprint(st.ExitCode), end.Reason, "")
	if m.key.Role == container.RoleInit && st.ExitCode == 0 {
		m.done = true
		return
	}
	if !st.StartedAt.IsZero() && st.FinishedAt.Sub(st.StartedAt) >= s.scaled(backoffReset) {
		m.backoffs = 0
	}
	s.backOff(m, 0)
}

// exitedRow tells of the real end of a container that was killed at the end of
// its grace: the row before it was written when the stop began. Captured after
// liveness kills; after other stops it is inferred, and it is all that is left
// of a replica that ignored its signal.
func (s *State) exitedRow(m *member) {
	s.warnRow(m.rep, "ProcessExited", fmt.Sprintf("Container '%s' was terminated with exit code '137'", m.spec.Name))
}

// backOff makes a container wait before its next attempt.
func (s *State) backOff(m *member, extra time.Duration) {
	m.waiting = "CrashLoopBackOff"
	m.retryAt = s.now.Add(s.scaled(backoff(m.backoffs) + extra))
	m.backoffs++
}

// kill stops a container whose startup or liveness threshold was reached. The
// termination row and the back-off count from here, not from its end.
func (s *State) kill(m *member) {
	m.killed = true
	m.lookAt = time.Time{}
	m.startup, m.ready = false, false
	m.last = &End{Time: s.now, Reason: "ProbeFailure"}
	row := probes.KilledRow(m.spec.Name)
	s.row(m.rep, row.Type == "Warning", row.Reason, row.Text)
	st := s.observed[m.key]
	if s.now.Sub(st.StartedAt) >= s.scaled(backoffReset) {
		m.backoffs = 0
	}
	s.backOff(m, 0)
	m.retryAt, m.again = s.now, m.retryAt
}

// stepKill repeats the order to stop until the container ended.
func (s *State) stepKill(m *member) {
	if !m.killed || m.ended || m.op != 0 || s.stale(m.key) || s.now.Before(m.retryAt) || !s.running(m) {
		return
	}
	s.orderFor(m, Op{Kind: OpStop, Key: m.key, On: s.observed[m.key].ID, Grace: s.probeGrace(m), Cause: "probe failed"})
}

// createFailed notes that an attempt could not be made to run. The attempt is
// given up; the next one waits somewhat longer than a restart does.
func (s *State) createFailed(m *member, err error) {
	m.ended = true
	said := container.WordsOf(err) // the same each time: its occurrences are counted
	reason, detail := "ContainerCreateFailure", `. Status(StatusCode="Unknown", Detail="`+said+`")`
	if container.CodeOf(err) == container.CodeMount {
		reason, detail = "VolumeMountFailure", ". "+said
	}
	m.last = &End{Time: s.now, Reason: reason, ExitCode: 1, Detail: said}
	s.terminatedRow(m, "1", reason, detail)
	s.backOff(m, createBackoff)
}

// pullFailed notes that the image could not be had. Nothing was created, so
// the attempt stays.
func (s *State) pullFailed(m *member, err error) {
	m.last = &End{Time: s.now, Reason: "ImagePullFailure", Detail: err.Error()}
	detail := ""
	switch container.CodeOf(err) {
	case container.CodeUnauthorized:
		s.row(m.rep, false, "ImagePullUnauthorized", "Container pull image failed with unauthorized error.")
	default:
		detail = fmt.Sprintf(". Image %s not found in registry. ErrorMessage=Image not found or access denied. Error: %s", m.spec.Image, oneLine(err.Error()))
	}
	s.terminatedRow(m, "", "ImagePullFailure", detail)
	s.backOff(m, 0)
	m.waiting = "ImagePullBackOff"
}

func (s *State) terminatedRow(m *member, code, reason, detail string) {
	s.warnRow(m.rep, "ContainerTerminated",
		fmt.Sprintf("Container '%s' was terminated with exit code '%s' and reason '%s'%s", m.spec.Name, code, reason, detail))
}

func (e OOMSeen) apply(s *State) {
	if m := s.owned()[e.Key]; m != nil {
		m.oomKills++
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
