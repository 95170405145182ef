package core

import (
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// replica is one running copy of a revision: a holder and the containers in
// its network namespace.
type replica struct {
	rev     *revision
	name    string
	hash    string // replica-set hash: replicas of another one are being replaced
	roll    int    // restarts of the revision it was made for
	port    int    // target port its default probes use; 0 while it is detected
	created time.Time

	holder *member
	inits  []*member
	mains  []*member

	leave     leaving
	cause     string // why it leaves
	drainBy   time.Time
	woken     time.Time // when a request or a metric asked for it at zero
	listening time.Time // when its target port was first seen listened on
	start     *Start    // once it was ready
	adopted   bool      // an earlier daemon has made it
	listeners []container.Listener
	scanning  bool
	nextScan  time.Time

	spoiled    bool // while it is prepared: it is not as one made now would be
	diskWarned bool // the row about its ephemeral storage was written
	evicted    bool // for being over it
}

// leaving is how far a replica is on its way out.
type leaving int

const (
	staying  leaving = iota
	draining         // out of the table, requests in flight may finish
	stopping         // the stop signal was ordered
)

// member is one container of a replica over all its attempts.
type member struct {
	rep  *replica
	key  container.Key // of the current attempt
	spec *aca.Container

	op       OpID
	opKind   OpKind
	pulled   bool
	image    container.Image
	looking  bool   // the pull under way only looks, for a prepared replica
	made     string // ID of the image its container was created of, "" if adopted
	started  bool   // rows of this attempt's start were written
	ended    bool   // this attempt's end was seen
	done     bool   // an init container that ended with 0
	killed   bool   // a probe threshold ordered its stop
	stopRow  bool   // its wanted stop was logged
	opFails  int
	retryAt  time.Time // nothing is tried before
	again    time.Time // of a killed one: when its back-off ends
	backoffs int       // back-off steps taken in a row
	waiting  string    // reason while waiting, as in state details
	last     *End
	oomKills int
	startup  bool      // the startup probe passed, or there is none
	ready    bool      // the readiness probe passes, or there is none
	refused  bool      // the readiness probe failed in this attempt
	lookAt   time.Time // when it is looked whether one without these probes runs; zero when it was found to
	looked   bool      // the listing for that was asked for

	unreached uint64 // State.seq after the last pull that found registry or engine out of reach
}

// End is how an attempt of a container ended.
type End struct {
	Time     time.Time
	Reason   string
	ExitCode int
	Detail   string
	Forced   bool // killed when the grace of its stop was over
}

func (m *member) restarts() int { return m.key.Attempt - 1 }

// members are the containers that have an image and output.
func (r *replica) members() []*member {
	return append(append([]*member{}, r.inits...), r.mains...)
}

// all are the containers of the replica, the holder first.
func (r *replica) all() []*member {
	return append([]*member{r.holder}, r.members()...)
}

func (r *replica) member(name string) *member {
	for _, m := range r.members() {
		if m.spec.Name == name {
			return m
		}
	}
	return nil
}

// readyIn says that every container runs, is started and is ready, so the
// replica may get requests (k8s: a pod is ready when all containers are).
func (s *State) ready(r *replica) bool {
	if r.leave != staying || !s.running(r.holder) {
		return false
	}
	for _, m := range r.mains {
		if !s.running(m) || m.killed || !m.startup || !m.ready {
			return false
		}
	}
	return true
}

// stale says that the last answer about a container is newer than the last
// listing, so what is known of it may not be true any more.
func (s *State) stale(key container.Key) bool { return s.touched[key] > s.listedSeq }

func (s *State) running(m *member) bool {
	return s.observed[m.key].State == container.Running
}

// assign makes the replica a revision lacks. Its containers follow step by
// step.
func (s *State) assign(rev *revision, hash string) {
	r := s.takePrepared(rev, hash)
	if r == nil {
		r = s.newReplica(rev, s.replicaName(rev, hash), hash)
	}
	r.woken, rev.woken = rev.woken, time.Time{}
	rev.replicas = append(rev.replicas, r)
	s.row(r, false, "AssigningReplica", "Replica '"+r.name+"' has been scheduled to run on a node.")
}

func (s *State) replicaName(rev *revision, hash string) string {
	return aca.ReplicaName(rev.name, hash, s.rng)
}

func (s *State) newReplica(rev *revision, name, hash string) *replica {
	r := &replica{rev: rev, name: name, hash: hash, roll: rev.restarts, port: targetPort(rev.app), created: s.now}
	r.holder = s.newMember(r, container.RoleHolder, nil)
	for i := range rev.template.InitContainers {
		r.inits = append(r.inits, s.newMember(r, container.RoleInit, &rev.template.InitContainers[i]))
	}
	for i := range rev.template.Containers {
		r.mains = append(r.mains, s.newMember(r, container.RoleApp, &rev.template.Containers[i]))
	}
	return r
}

func (s *State) newMember(r *replica, role container.Role, spec *aca.Container) *member {
	m := &member{rep: r, spec: spec, waiting: "PullingImage"}
	m.key = container.Key{App: r.rev.app.spec.Name, Revision: r.rev.name, Replica: r.name, Role: role, Attempt: 1}
	if spec != nil {
		m.key.Container = spec.Name
	}
	return m
}

// reconcileReplica takes a replica one step further.
func (s *State) reconcileReplica(r *replica) {
	switch r.leave {
	case draining:
		if !s.now.Before(r.drainBy) {
			s.stopReplica(r)
		}
	case stopping:
		s.finishReplica(r)
	default:
		s.bringUp(r)
	}
}

// bringUp orders what the replica lacks: the holder and all images at once,
// then the init containers one after the other, then all others together
// (observed: images of all containers are pulled in parallel, before the
// first container starts). Containers are made while the holder starts, and
// start when it runs.
func (s *State) bringUp(r *replica) {
	if s.observed[r.holder.key].State == container.Exited {
		s.leaveNow(r, "its network namespace is gone")
		return
	}
	s.stepHolder(r.holder)
	pulled := true
	for _, m := range r.members() {
		s.stepPull(m)
		pulled = pulled && (m.pulled || m.restarts() > 0)
	}
	if _, made := s.observed[r.holder.key]; !pulled || !made {
		return
	}
	for _, m := range r.inits {
		s.stepMember(m, "init container of a new replica")
		if !m.done {
			return
		}
	}
	for _, m := range r.mains {
		s.stepKill(m)
		s.stepLook(m)
		s.stepMember(m, "container of the replica")
	}
	s.scanWhenNeeded(r)
}

func (s *State) stepHolder(m *member) {
	if m.op != 0 || s.stale(m.key) || s.now.Before(m.retryAt) {
		return
	}
	st, exists := s.observed[m.key]
	switch {
	case !exists:
		s.orderFor(m, Op{Kind: OpCreate, Key: m.key, Spec: s.holderSpec(m.rep), Cause: "replica scheduled"})
	case st.State == container.Created:
		s.orderFor(m, Op{Kind: OpStart, Key: m.key, On: st.ID, Cause: "replica scheduled"})
	}
}

// stepPull orders the image of the next attempt. ACA resolves the tag at
// every container start, restarts included, and logs both rows each time.
func (s *State) stepPull(m *member) {
	if m.op != 0 || m.done || s.now.Before(m.retryAt) {
		return
	}
	if m.ended {
		m.nextAttempt()
	}
	if m.pulled {
		return
	}
	if _, exists := s.observed[m.key]; exists && m.made == "" {
		m.pulled = true // adopted: it was pulled by the daemon before
		return
	}
	s.row(m.rep, false, "PullingImage", "Pulling image '"+m.spec.Image+"'")
	m.waiting = "PullingImage"
	s.orderFor(m, Op{Kind: OpPull, Key: m.key, Pull: s.pullSpec(m), Cause: "image of " + m.spec.Name})
}

// nextAttempt turns to the attempt after one that ended.
func (m *member) nextAttempt() {
	m.key.Attempt++
	m.pulled, m.started, m.ended, m.killed, m.stopRow, m.refused = false, false, false, false, false, false
	m.opFails = 0
}

func (s *State) stepMember(m *member, cause string) {
	if m.op != 0 || m.done || m.ended || !m.pulled || s.stale(m.key) || s.now.Before(m.retryAt) {
		return
	}
	st, exists := s.observed[m.key]
	switch {
	case !exists && m.started:
		s.end(m, container.Status{ExitCode: 137, FinishedAt: s.now}) // removed by hand
	case !exists:
		spec, err := s.memberSpec(m)
		if err != nil {
			s.createFailed(m, err)
			return
		}
		m.made = m.image.ID
		s.orderFor(m, Op{Kind: OpCreate, Key: m.key, Spec: spec, Cause: cause})
	case st.State == container.Created && m.made != "" && m.made != m.image.ID:
		s.orderFor(m, Op{Kind: OpRemove, Key: m.key, On: st.ID, Cause: "its image's name stands for another one by now"})
	case st.State == container.Created && s.running(m.rep.holder):
		s.orderFor(m, Op{Kind: OpStart, Key: m.key, On: st.ID, Cause: cause})
	}
}

func (s *State) orderFor(m *member, o Op) {
	m.op = s.order(o)
	m.opKind = o.Kind
}

// leaveReplica takes a replica out of rotation; it is stopped when its
// requests are done.
func (s *State) leaveReplica(r *replica, cause string) {
	if r.leave != staying {
		return
	}
	r.leave = draining
	r.cause = cause
	r.drainBy = s.now.Add(s.scaled(s.o.DrainGrace))
	s.drains = append(s.drains, r.name)
}

// leaveNow is leaveReplica for a replica that cannot answer any more.
func (s *State) leaveNow(r *replica, cause string) {
	s.leaveReplica(r, cause)
	s.stopReplica(r)
}

// stopReplica signals all containers of the replica at once.
func (s *State) stopReplica(r *replica) {
	r.leave = stopping
	s.emit(Sever{r.name})
	s.finishReplica(r)
}

// finishReplica waits for the containers to end, then lets go of them; what
// is left of them is removed like everything nobody owns.
func (s *State) finishReplica(r *replica) {
	busy := false
	for _, m := range r.members() {
		busy = s.stopMember(m) || busy
	}
	if busy || r.holder.op != 0 || s.stale(r.holder.key) {
		return
	}
	rev := r.rev
	for i, other := range rev.replicas {
		if other == r {
			rev.replicas = append(rev.replicas[:i:i], rev.replicas[i+1:]...)
			break
		}
	}
	s.forgetCounts(r.name)
}

// stopMember orders a container of a leaving replica to stop and says whether
// there is still something to wait for.
func (s *State) stopMember(m *member) bool {
	if m.op != 0 && m.opKind != OpPull || s.stale(m.key) {
		return true
	}
	if !s.running(m) {
		return false
	}
	if !m.stopRow && !m.killed {
		s.row(m.rep, true, "ContainerTerminated", "Container '"+m.spec.Name+"' was terminated with exit code '' and reason 'ManuallyStopped'")
	}
	m.stopRow = true
	if s.now.Before(m.retryAt) && m.opFails > 0 {
		return true
	}
	grace := s.grace(m.rep.rev.template)
	if m.rep.evicted {
		grace = 0
	}
	s.orderFor(m, Op{Kind: OpStop, Key: m.key, On: s.observed[m.key].ID, Grace: grace, Cause: m.rep.cause})
	return true
}
