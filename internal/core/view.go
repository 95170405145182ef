package core

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// AppView is one app as it is now, in ARM's words.
type AppView struct {
	Resource       aca.ContainerApp
	HostPort       int
	Ready          bool   // requests are answered rather than held
	Problem        string // one sentence about the latest revision, or ""
	RestartPending bool
	Telemetry      aca.EnvironmentTelemetry
	Revisions      []RevisionView
}

// RevisionView is one revision as it is now.
type RevisionView struct {
	Resource aca.Revision
	Serving  int // percent of the app's requests it really gets
	Replicas []ReplicaView
}

// ReplicaView is one replica as it is now.
type ReplicaView struct {
	Resource   aca.Replica
	Ready      bool
	Draining   bool
	Start      *Start               // nil until it was ready, and of adopted ones
	Listeners  []container.Listener // when last looked at
	Containers []MemberView
}

// MemberView is the past of one container.
type MemberView struct {
	Name     string
	OOMKills int
	Last     *End // nil before the first end
}

// View is all state in the words users know, apps sorted by name. It shares
// nothing with the State that changes.
func (s *State) View(now time.Time) []AppView {
	s.now = now
	var out []AppView
	for _, a := range s.sortedApps() {
		out = append(out, s.viewApp(a))
	}
	return out
}

func (s *State) viewApp(a *app) AppView {
	v := AppView{Resource: redacted(a.spec), HostPort: a.hostPort, RestartPending: a.pending, Telemetry: a.telemetry}
	serving := map[string]int{}
	for _, w := range s.split(a) {
		serving[w.Revision] = w.Weight
	}
	for _, rev := range a.revisions {
		rv := s.viewRevision(rev)
		rv.Serving = serving[rev.name]
		v.Ready = v.Ready || rv.Serving > 0 && len(s.readyReplicas(rev)) > 0
		v.Revisions = append(v.Revisions, rv)
	}
	s.fillReadOnly(a, &v)
	if latest := a.latest(); latest != nil {
		v.Problem = s.problem(latest)
	}
	return v
}

func (s *State) fillReadOnly(a *app, v *AppView) {
	p := &v.Resource.Properties
	v.Resource.FillEnvelope(s.o.Environment, aca.NewSystemData(s.o.User, a.created, a.modified))
	p.ProvisioningState = "Succeeded"
	p.RunningStatus = "Running"
	if a.stopped {
		p.RunningStatus = "Stopped"
	}
	if a.removed {
		p.ProvisioningState, p.RunningStatus = "Deleting", "Stopped"
	}
	if latest := a.latest(); latest != nil {
		p.LatestRevisionName = latest.name
		p.LatestRevisionFqdn = s.fqdn(a, latest.name)
		p.LatestReadyRevisionName = latest.name // of an app never ready it names the latest (observed)
	}
	if ready := s.latestReady(a); ready != nil {
		p.LatestReadyRevisionName = ready.name
	}
	if in := p.Configuration.Ingress; in != nil {
		full := *in
		full.Fqdn = s.fqdn(a, a.spec.Name)
		full.Traffic = trafficOf(a)
		p.Configuration.Ingress = &full
	}
}

// fqdn is the host of an app or of one of its revisions, "" without ingress.
func (s *State) fqdn(a *app, name string) string {
	in := a.spec.Properties.Configuration.Ingress
	switch {
	case in == nil:
		return ""
	case in.External:
		return name + "." + s.o.Domain
	}
	return name + ".internal." + s.o.Domain
}

// weight is the share an app's traffic wishes for a revision: while a new one
// fails it shows 100 although the old one serves, and an inactive one shows
// nothing of the share of the latest (both observed).
func (s *State) weight(rev *revision) int {
	total := 0
	for _, w := range trafficOf(rev.app) {
		name := w.RevisionName
		if w.LatestRevision {
			name = rev.app.latestActive().name
		}
		if name == rev.name {
			total += w.Weight
		}
	}
	return total
}

func (s *State) viewRevision(rev *revision) RevisionView {
	st := s.revisionState(rev)
	v := RevisionView{Resource: aca.Revision{
		Name: rev.name,
		Properties: aca.RevisionProperties{
			Active:              rev.active || len(rev.replicas) > 0,
			CreatedTime:         rev.created,
			LastActiveTime:      rev.lastActive(),
			Fqdn:                s.fqdn(rev.app, rev.name),
			HealthState:         st.health,
			ProvisioningError:   st.err,
			ProvisioningState:   st.provisioning,
			Replicas:            len(rev.replicas),
			RunningState:        st.running,
			RunningStateDetails: st.details,
			Template:            asWritten(rev.template),
			TrafficWeight:       s.weight(rev),
		},
	}}
	v.Resource.FillEnvelope(rev.app.spec.Name)
	for _, r := range rev.replicas {
		v.Replicas = append(v.Replicas, s.viewReplica(r))
	}
	return v
}

// asWritten is a template as a revision shows it: what has its default there
// stays null, where the app shows the value (observed).
func asWritten(t aca.Template) aca.Template {
	if t.Scale == nil {
		return t
	}
	shown := *t.Scale
	dropDefault(&shown.CooldownPeriod, aca.DefaultCooldownPeriod)
	dropDefault(&shown.PollingInterval, aca.DefaultPollingInterval)
	t.Scale = &shown
	return t
}

func dropDefault(field **int, value int) {
	if *field != nil && **field == value {
		*field = nil
	}
}

// lastActive is when an inactive revision was last active.
func (r *revision) lastActive() time.Time {
	if r.active {
		return time.Time{}
	}
	return r.left
}

// words are the status words of a revision, kept apart as ACA does.
type words struct {
	provisioning, running, health string
	details, err                  string
}

// revisionState derives the words from what is known; the table is
// revisions-and-traffic §8.2 of the published captures.
func (s *State) revisionState(rev *revision) words {
	w := words{provisioning: "Provisioned", running: "Activating", health: "None", details: rev.mismatch}
	ready, want := len(s.readyReplicas(rev)), s.desired(rev)
	_, high := scaleBounds(rev.template)
	switch before := cmp.Or(rev.health, "Healthy"); {
	case !rev.active && len(rev.replicas) > 0:
		return words{provisioning: "Provisioned", running: "Deprovisioning", health: before}
	case !rev.active:
		return words{provisioning: "Provisioned", running: "Stopped", health: before} // kept from before (observed)
	case want == 0 && !rev.app.stopped:
		return words{provisioning: "Provisioned", running: "ScaledToZero", health: "Healthy"}
	case want == 0:
		return words{provisioning: "Provisioned", running: "Stopped", health: "Healthy"}
	case ready >= want && s.rollFailed(rev):
		w.running, w.health = "Failed", "Unhealthy"
		return w
	case ready >= want && want >= high:
		return words{provisioning: "Provisioned", running: "RunningAtMaxScale", health: "Healthy"}
	case ready >= want:
		return words{provisioning: "Provisioned", running: "Running", health: "Healthy"}
	}
	late := s.now.Sub(rev.since) >= s.scaled(progressDeadline)
	if failed := s.failing(rev); failed != nil {
		w.running, w.health = "Failed", "Unhealthy"
		s.describeFailure(rev, failed, late, &w)
		return w
	}
	if s.startedUp(rev) {
		w.health = "Healthy" // only readiness fails (observed)
		return w
	}
	if late {
		w.running, w.health = "Degraded", "Unhealthy"
		w.details = deadlineText(ready, want, rev.mismatch)
	}
	return w
}

// rollFailed says that the replicas a re-roll made, after a change of the
// target port, are in a restart loop: then the revision counts as failed
// although the replica from before is ready (observed 261 to 277 s after the
// change).
func (s *State) rollFailed(rev *revision) bool {
	hash := s.replicaSet(rev)
	for _, r := range rev.replicas {
		if r.leave != staying || r.hash != hash || s.ready(r) {
			continue
		}
		for _, m := range r.mains {
			if m.last != nil && !s.recovered(m) {
				return true
			}
		}
	}
	return false
}

// failing is the first container of a revision that is in a restart loop: its
// last end was an error, or its image cannot be had. The first end alone is
// one only while the back-off after it runs.
func (s *State) failing(rev *revision) *member {
	for _, r := range rev.replicas {
		for _, m := range r.members() {
			if r.leave == staying && m.last != nil && !m.done && m.waiting != "PullingImage" && !s.recovered(m) {
				return m
			}
		}
	}
	return nil
}

// recovered says that a container is well again after its last end.
func (s *State) recovered(m *member) bool {
	return s.running(m) && !m.killed && m.startup && m.ready
}

func (s *State) describeFailure(rev *revision, m *member, late bool, w *words) {
	n := len(rev.replicas)
	switch {
	case m.last.Reason == "ImagePullFailure":
		w.details = fmt.Sprintf("%d/%d Pending:ImagePullBackOff on legion", n, n)
		w.err = "Pending:ImagePullBackOff on legion"
	default:
		w.details = fmt.Sprintf("%d/%d Container crashing: %s", n, n, m.spec.Name)
		w.err = "Container crashing: " + m.spec.Name
	}
	w.provisioning = "Failed"
	if rev.mismatch != "" {
		w.details = rev.mismatch + " " + w.details
	}
}

func deadlineText(ready, want int, mismatch string) string {
	text := fmt.Sprintf("Deployment Progress Deadline Exceeded. %d/%d replicas ready.", ready, want)
	return strings.TrimSpace(text + " " + mismatch)
}

// startedUp says that the startup probes of all containers passed, so only
// readiness is missing.
func (s *State) startedUp(rev *revision) bool {
	for _, r := range rev.replicas {
		for _, m := range r.mains {
			if !s.running(m) || !m.startup {
				return false
			}
		}
	}
	return len(rev.replicas) > 0
}

func (s *State) viewReplica(r *replica) ReplicaView {
	v := ReplicaView{Ready: s.ready(r), Draining: r.leave != staying, Listeners: r.listeners, Start: r.start}
	for _, m := range r.members() {
		v.Containers = append(v.Containers, MemberView{Name: m.spec.Name, OOMKills: m.oomKills, Last: m.last})
	}
	v.Resource = aca.Replica{
		Name: r.name,
		Properties: aca.ReplicaProperties{
			CreatedTime:    r.created,
			RunningState:   "Running",
			Containers:     []aca.ReplicaContainer{},
			InitContainers: []aca.ReplicaContainer{},
		},
	}
	v.Resource.FillEnvelope(r.rev.app.spec.Name, r.rev.name)
	for _, m := range r.inits {
		v.Resource.Properties.InitContainers = append(v.Resource.Properties.InitContainers, s.viewMember(m))
	}
	for _, m := range r.mains {
		if !s.foundRunning(m) {
			v.Resource.Properties.RunningState = "NotRunning"
		}
		v.Resource.Properties.Containers = append(v.Resource.Properties.Containers, s.viewMember(m))
	}
	return v
}

func (s *State) viewMember(m *member) aca.ReplicaContainer {
	st := s.observed[m.key]
	c := aca.ReplicaContainer{
		Name:         m.spec.Name,
		ContainerID:  string(st.ID),
		Ready:        m.ready && st.State == container.Running && !m.killed,
		Started:      m.startup && st.State == container.Running && !m.killed,
		RestartCount: m.restarts(),
	}
	switch {
	case m.done:
		c.RunningState = "Terminated"
		c.RunningStateDetails = "Container terminated with exit code 0."
	case s.foundRunning(m) && !m.killed:
		c.RunningState = "Running"
		c.RunningStateDetails = "Container started at: " + st.StartedAt.UTC().Format("1/2/2006 3:04:05 PM") + "."
	default:
		c.RunningState = "Waiting"
		c.RunningStateDetails = "Container is waiting with reason: " + waitingReason(m) + " on legion."
	}
	return c
}

func waitingReason(m *member) string {
	if m.waiting == "" || m.killed {
		return "CrashLoopBackOff"
	}
	return m.waiting
}

// problem says in one sentence why a revision is not ready, or why it is not
// reached although it is; else "".
func (s *State) problem(rev *revision) string {
	if !rev.active {
		return ""
	}
	if s.provisioned(rev) {
		return s.loopbackOnly(rev)
	}
	st := s.revisionState(rev)
	switch {
	case st.details != "":
		return st.details
	case s.refused(rev):
		return "The readiness probe does not succeed."
	}
	return ""
}

// loopbackOnly is the sentence about a target port that a replica listens on
// inside its own network only. Probes reach such a port, here as on Azure, so
// the revision is ready; no request does.
func (s *State) loopbackOnly(rev *revision) string {
	if rev.app.spec.Properties.Configuration.Ingress == nil {
		return ""
	}
	for _, r := range rev.replicas {
		port := cmp.Or(targetPort(rev.app), r.port)
		if r.leave == staying && onLoopbackOnly(r.listeners, port) {
			return fmt.Sprintf("The TargetPort %d is listened on by 127.0.0.1 only; the edge cannot reach it.", port)
		}
	}
	return ""
}

// onLoopbackOnly says that a port is listened on, and on loopback alone.
func onLoopbackOnly(listeners []container.Listener, port int) bool {
	found := false
	for _, l := range listeners {
		if l.Port == port && !l.Loopback {
			return false
		}
		found = found || l.Port == port
	}
	return found
}

// refused says that a readiness probe of a revision failed.
func (s *State) refused(rev *revision) bool {
	for _, r := range rev.replicas {
		for _, m := range r.mains {
			if m.refused && !m.ready {
				return true
			}
		}
	}
	return false
}
