package core

import (
	"fmt"
	"slices"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/probes"
)

// effectiveProbes are the probes that run for a container: the user's and the
// hidden ones, which ask the port the replica was made for.
func (s *State) effectiveProbes(m *member) []aca.Probe {
	if m.key.Role != container.RoleApp {
		return nil
	}
	app := m.rep.rev.app.spec
	app.Properties.Template = m.rep.rev.template
	if in := app.Properties.Configuration.Ingress; in != nil {
		made := *in
		made.TargetPort = m.rep.port
		app.Properties.Configuration.Ingress = &made
	}
	return aca.EffectiveProbes(&app, m.spec.Name)
}

// relistPeriod is how often a kubelet looks which containers run (k8s:
// genericPlegRelistPeriod).
const relistPeriod = time.Second

// withoutProbes passes the gates of a running container that no probe keeps.
func (s *State) withoutProbes(m *member) {
	m.startup, m.ready = true, true
	for _, p := range s.effectiveProbes(m) {
		switch p.Type {
		case aca.Startup:
			m.startup = false
		case aca.Readiness:
			m.ready = false
		}
	}
}

// awaitLook keeps a container that just started, and that neither startup nor
// readiness probe keeps, from being ready until a kubelet would have found it
// running: one that ends at once is never ready, so it takes no traffic from
// the revision before.
func (s *State) awaitLook(m *member) {
	if m.startup && m.ready {
		m.startup, m.ready = false, false
		m.waiting = "ContainerCreating"
		m.lookAt, m.looked = s.now.Add(s.scaled(relistPeriod)), false
	}
}

// foundRunning says that a container runs, and a kubelet would know it.
func (s *State) foundRunning(m *member) bool { return s.running(m) && m.lookAt.IsZero() }

// stepLook is that look: a listing that began at its time or later, so that the
// end of a container that was late to be told of is not missed.
func (s *State) stepLook(m *member) {
	switch {
	case m.lookAt.IsZero() || s.now.Before(m.lookAt):
	case !m.looked:
		m.looked = true
		s.seq++
		s.touched[m.key] = s.seq
		s.emit(Relist{})
	case s.running(m) && !s.stale(m.key):
		m.lookAt, m.waiting = time.Time{}, ""
		m.startup, m.ready = true, true
	}
}

// publishProbes orders the set of probes that should run, when it changed.
func (s *State) publishProbes() {
	var targets []probes.Target
	for _, a := range s.sortedApps() {
		for _, rev := range a.revisions {
			for _, r := range rev.replicas {
				for _, m := range r.mains {
					targets = append(targets, s.targets(m)...)
				}
			}
		}
	}
	text := fmt.Sprint(targetKeys(targets))
	if text == s.probes {
		return
	}
	s.probes = text
	s.emit(SetProbes{targets})
}

// targetKeys is what makes two sets of probes different.
func targetKeys(targets []probes.Target) []string {
	out := make([]string, len(targets))
	for i, t := range targets {
		out[i] = fmt.Sprintf("%s/%s/%s #%d %d %t %+v", t.Replica, t.Container, t.Kind, t.Generation, t.StartedAt.UnixNano(), t.Deleting, checkText(t.Check))
	}
	return out
}

func checkText(c probes.Check) string {
	if c.HTTP != nil {
		return fmt.Sprintf("%+v", *c.HTTP)
	}
	return fmt.Sprintf("%+v", *c.TCP)
}

// shortestPeriod keeps a scaled probe from taking all of a core.
const shortestPeriod = 20 * time.Millisecond

func (s *State) targets(m *member) []probes.Target {
	if !s.running(m) || !m.started || m.ended || m.killed {
		return nil
	}
	var out []probes.Target
	for _, p := range s.effectiveProbes(m) {
		t := target(m, p)
		if s.o.ScaleProbes {
			t.Delay, t.Period = s.scaled(t.Delay), max(s.scaled(t.Period), shortestPeriod)
		}
		t.Eager = !slices.ContainsFunc(m.spec.Probes, func(own aca.Probe) bool { return own.Type == p.Type })
		t.StartedAt = s.observed[m.key].StartedAt
		if t.Check.TCP != nil && t.Check.TCP.Port == 0 {
			continue // the target port is not detected yet
		}
		out = append(out, t)
	}
	return out
}

func target(m *member, p aca.Probe) probes.Target {
	return probes.Target{
		Key:        probes.Key{Replica: m.rep.name, Container: m.spec.Name, Kind: probes.Kind(p.Type)},
		Generation: m.key.Attempt,
		Check:      check(p),
		Delay:      seconds(p.InitialDelaySeconds),
		Period:     seconds(p.PeriodSeconds),
		Timeout:    seconds(p.TimeoutSeconds),
		Success:    *p.SuccessThreshold,
		Failure:    *p.FailureThreshold,
		Deleting:   m.rep.leave != staying,
	}
}

func check(p aca.Probe) probes.Check {
	if p.TCPSocket != nil {
		return probes.Check{TCP: &probes.TCPCheck{Host: p.TCPSocket.Host, Port: p.TCPSocket.Port}}
	}
	h := &probes.HTTPCheck{Scheme: p.HTTPGet.Scheme, Host: p.HTTPGet.Host, Port: p.HTTPGet.Port, Path: p.HTTPGet.Path}
	for _, header := range p.HTTPGet.HTTPHeaders {
		h.Headers = append(h.Headers, probes.Header{Name: header.Name, Value: header.Value})
	}
	return probes.Check{HTTP: h}
}

func seconds(n *int) time.Duration { return time.Duration(*n) * time.Second }

// probeGrace is the grace of a container killed by a probe: the probe's own
// if it has one, else the template's.
func (s *State) probeGrace(m *member) time.Duration {
	for _, p := range m.spec.Probes {
		if p.Type != aca.Readiness && p.TerminationGracePeriodSeconds != nil {
			return time.Duration(*p.TerminationGracePeriodSeconds) * time.Second
		}
	}
	return s.grace(m.rep.rev.template)
}

// apply takes what a probe saw. Answers about an earlier attempt of the
// container are dropped.
func (e ProbeReported) apply(s *State) {
	key := e.Report.Target.Key
	m := s.probed(key)
	if m == nil || m.key.Attempt != e.Report.Target.Generation || m.ended || m.killed {
		return
	}
	for _, row := range probes.Legion.Rows(e.Report) {
		s.row(m.rep, row.Type == "Warning", row.Reason, row.Text)
		m.rep.nextScan = s.now
	}
	m.refused = m.refused || key.Kind == probes.Readiness && e.Report.Result.Outcome == probes.Failure
	switch {
	case e.Report.Edge == probes.Passed && key.Kind == probes.Startup:
		m.startup = true
	case e.Report.Edge == probes.Passed && key.Kind == probes.Readiness:
		m.ready = true
		m.rep.nextScan = s.now
	case e.Report.Edge == probes.Failed && key.Kind == probes.Readiness:
		m.ready = false
	case e.Report.Edge == probes.Failed:
		s.kill(m)
	}
}

func (s *State) probed(key probes.Key) *member {
	if r := s.replica(key.Replica); r != nil {
		return r.member(key.Container)
	}
	return nil
}

func (s *State) replica(name string) *replica {
	for _, a := range s.apps {
		for _, rev := range a.revisions {
			for _, r := range rev.replicas {
				if r.name == name {
					return r
				}
			}
		}
	}
	return nil
}

// scanWhenNeeded asks for the listening sockets of a replica when a probe
// failed or the replica became ready. While containers start, their changes
// are watched anyway.
func (s *State) scanWhenNeeded(r *replica) {
	if r.scanning || r.nextScan.IsZero() || s.now.Before(r.nextScan) {
		return
	}
	r.scanning = true
	r.nextScan = time.Time{}
	s.emit(ScanListeners{Replica: r.name, Holder: s.observed[r.holder.key].ID})
}

// detectedPort is the port taken for an app whose target port is 0: the
// lowest one that is listened on, the platform's own left out.
func detectedPort(listeners []container.Listener) int {
	for _, l := range listeners {
		if l.Port != 36985 && !l.Loopback {
			return l.Port
		}
	}
	return 0
}

// apply compares what is listened on with the target port. The sentence is a
// warning, as on ACA: a slow starter's sidecar may cause it.
func (e ListenersSeen) apply(s *State) {
	r := s.replica(e.Replica)
	if r == nil {
		return
	}
	r.scanning = false
	if e.Err == nil {
		r.listeners = e.Listeners
		s.noteListening(r)
	}
	want := targetPort(r.rev.app)
	in := r.rev.app.spec.Properties.Configuration.Ingress
	switch {
	case in == nil:
	case want == 0 && r.port == 0:
		r.port = detectedPort(r.listeners)
	case want != 0 && !s.ready(r):
		s.noteMismatch(r, want)
	}
}

func (s *State) noteMismatch(r *replica, want int) {
	text := mismatchText(r.listeners, want)
	if text == "" {
		r.rev.mismatch = ""
		return
	}
	if r.rev.mismatch != text {
		r.rev.mismatch = text
		s.row(r, false, "Pending:PortMismatch", text)
	}
}

func mismatchText(listeners []container.Listener, want int) string {
	var ports []int
	for _, l := range listeners {
		if l.Port == want {
			return ""
		}
		if len(ports) == 0 || ports[len(ports)-1] != l.Port {
			ports = append(ports, l.Port)
		}
	}
	switch len(ports) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("The TargetPort %d does not match the listening port %d.", want, ports[0])
	}
	return fmt.Sprintf("The TargetPort %d does not match any of the listening ports: %v.", want, ports)
}
