package core

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/scale"
)

// logState is how far the output of a container is stored.
type logState int

const (
	logsFollowing logState = iota + 1
	logsStored
)

// apply takes over what the engine says now. Containers that were touched
// after the listing began are left as they were: their next listing is asked
// for already.
func (e Listed) apply(s *State) {
	if e.Number != 0 && e.Number <= s.listings {
		return // it says what was before
	}
	s.listings = max(s.listings, e.Number)
	first := !s.listed
	s.listed = true
	s.listedSeq = max(s.listedSeq, e.Seq)
	seen := map[container.Key]bool{}
	for _, st := range e.Statuses {
		seen[st.Key] = true
		if s.touched[st.Key] <= e.Seq {
			s.observed[st.Key] = st
		}
	}
	for key := range s.observed {
		if !seen[key] && s.touched[key] <= e.Seq {
			delete(s.observed, key)
		}
	}
	if first {
		s.adopt()
	}
	owned := s.owned()
	for _, key := range s.observedKeys() {
		st := s.observed[key]
		s.followLogs(key, st, owned[key])
		if m := owned[key]; m != nil && m.spec != nil && m.rep.rev.prepared != m.rep {
			s.notice(m, st)
		}
	}
}

// notice compares a container with what was known of it.
func (s *State) notice(m *member, st container.Status) {
	if st.State == container.Created || m.ended || m.done {
		return
	}
	if !m.started {
		m.started = true
		m.waiting = ""
		s.row(m.rep, false, "ContainerCreated", "Created container '"+m.spec.Name+"'")
		s.row(m.rep, false, "ContainerStarted", "Started container '"+m.spec.Name+"'")
		s.withoutProbes(m)
		if m.key.Role == container.RoleApp {
			s.awaitLook(m)
		}
		s.emit(WatchListeners{Replica: m.rep.name, Holder: s.observed[m.rep.holder.key].ID})
	}
	if st.State == container.Exited {
		s.end(m, st)
	}
}

// followLogs orders the output of a container to be stored, once, as soon as
// it has started: also of one that ended before we looked.
func (s *State) followLogs(key container.Key, st container.Status, m *member) {
	if key.Role == container.RoleHolder || st.StartedAt.IsZero() || s.logs[key] != 0 {
		return
	}
	image := st.Image
	if m != nil {
		image = m.spec.Image
	}
	s.logs[key] = logsFollowing
	s.emit(FollowLogs{Key: key, ID: st.ID, Image: image})
}

func (e LogsStored) apply(s *State) { s.logs[e.Key] = logsStored }

func (s *State) observedKeys() []container.Key {
	return slices.SortedFunc(maps.Keys(s.observed), compareKeys)
}

func (s *State) orphanKeys() []container.Key {
	return slices.SortedFunc(maps.Keys(s.orphans), compareKeys)
}

func compareKeys(a, b container.Key) int {
	return cmp.Or(
		strings.Compare(a.Replica, b.Replica),
		strings.Compare(string(a.Role), string(b.Role)),
		strings.Compare(a.Container, b.Container),
		cmp.Compare(a.Attempt, b.Attempt),
	)
}

// apply takes the answer to an order. Only failures change what is known: the
// rest is for the listing to say.
func (e OpFinished) apply(s *State) {
	s.seq++
	s.emit(Relist{})
	for key, o := range s.orphans {
		if o.op == e.Op {
			s.orphanAnswered(key, o, e.Err)
			return
		}
	}
	for key, m := range s.owned() {
		if m.op == e.Op {
			m.op = 0
			if m.opKind != OpPull {
				s.touched[key] = s.seq
			}
			s.answered(m, e)
			return
		}
	}
}

func (s *State) orphanAnswered(key container.Key, o *orphan, err error) {
	o.op = 0
	s.touched[key] = s.seq
	if err != nil {
		o.fails++
		o.retryAt = s.now.Add(retryDelay(o.fails))
	}
}

func (s *State) answered(m *member, e OpFinished) {
	switch {
	case s.preparedAnswered(m, e):
	case e.Err == nil && m.opKind == OpPull:
		m.pulled, m.image, m.opFails = true, e.Image, 0
		s.row(m.rep, false, "PulledImage", pulledText(m.spec.Image, e))
	case e.Err == nil:
		m.opFails = 0
	case m.opKind == OpPull && (container.CodeOf(e.Err) != container.CodeUnreachable || s.engineAnswers(m)):
		s.pullFailed(m, e.Err)
	case m.spec != nil && isCreateFailure(e.Err):
		s.createFailed(m, e.Err)
	default:
		m.opFails++
		m.retryAt = s.now.Add(retryDelay(m.opFails))
	}
}

// engineAnswers tells a registry that cannot be reached from an engine that
// cannot: after a pull that ended so, and another one before it, the engine has
// been listed in between.
func (s *State) engineAnswers(m *member) bool {
	before := m.unreached
	m.unreached = s.seq
	return before != 0 && s.listedSeq >= before
}

func isCreateFailure(err error) bool {
	switch container.CodeOf(err) {
	case container.CodeCreate, container.CodeMount, container.CodePlatform:
		return true
	}
	return false
}

// retryDelay spaces orders the engine refused for reasons of its own.
func retryDelay(fails int) time.Duration {
	return min(250*time.Millisecond<<min(fails, 6), 10*time.Second)
}

func pulledText(image string, e OpFinished) string {
	const mebi = 1 << 20
	size := (e.Image.Size + mebi - 1) / mebi * mebi
	return fmt.Sprintf("Successfully pulled image %q in %s. Image size: %d bytes.", image, goDuration(e.Duration), size)
}

// goDuration prints a pull's duration as captured: whole milliseconds below a
// second, else seconds with two decimals.
func goDuration(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + "s"
}

// apply takes back what an earlier daemon saved.
func (e Recovered) apply(s *State) {
	for _, saved := range e.Apps {
		s.recover(saved)
	}
	for _, c := range e.RouteConfigs {
		s.routeConfigs[c.Name] = c
	}
}

func (s *State) recover(saved SavedApp) *app {
	a := s.apps[saved.App.Name]
	if a == nil {
		a = &app{
			spec:       saved.App,
			hostPort:   saved.HostPort,
			local:      map[string]bool{},
			dirs:       saved.Dirs,
			created:    saved.Created,
			modified:   saved.Modified,
			made:       saved.Made,
			serving:    saved.Serving,
			secrets:    saved.Secrets,
			unresolved: saved.Unresolved,
			removed:    saved.Removed,
			stopped:    saved.Stopped,
			pending:    saved.Pending,
			resiliency: saved.Resiliency,
			telemetry:  saved.Telemetry,
		}
		if a.modified.IsZero() {
			a.modified = a.created
		}
		for _, image := range saved.Local {
			a.local[image] = true
		}
		s.apps[saved.App.Name] = a
	}
	for _, r := range saved.Revisions {
		if a.revision(r.Name) == nil {
			a.revisions = append(a.revisions, s.recoverRevision(a, r))
		}
	}
	slices.SortStableFunc(a.revisions, func(x, y *revision) int { return x.created.Compare(y.created) })
	a.made = max(a.made, saved.Made, len(a.revisions))
	return a
}

func (s *State) recoverRevision(a *app, r SavedRevision) *revision {
	rev := &revision{
		app: a, name: r.Name, created: r.Created, since: r.Since, left: r.Left, health: r.Health,
		active: r.Active, everReady: r.EverReady, restarts: r.Restarts, template: r.Template, scaler: scale.New(s.now),
	}
	if rev.since.IsZero() {
		rev.since = rev.created
	}
	return rev
}

// adopt makes replicas of what an earlier daemon left running. Holders bring
// their app and revision along, in case the history is lost. One that was never
// started is of a replica that nobody saw, or only prepared: it is removed.
func (s *State) adopt() {
	for _, key := range s.observedKeys() {
		if st := s.observed[key]; key.Role == container.RoleHolder && st.State != container.Created {
			s.adoptReplica(key, st)
		}
	}
	for _, a := range s.apps {
		for _, rev := range a.revisions {
			s.adoptTarget(rev)
		}
	}
}

func (s *State) adoptReplica(key container.Key, st container.Status) {
	if s.apps[key.App] == nil || s.apps[key.App].revision(key.Revision) == nil {
		var saved SavedApp
		if json.Unmarshal([]byte(st.Labels[container.LabelState]), &saved) != nil || saved.App.Name != key.App {
			return // not readable: nobody owns it, so it is removed
		}
		s.recover(saved)
	}
	rev := s.apps[key.App].revision(key.Revision)
	if rev == nil {
		return
	}
	r := s.newReplica(rev, key.Replica, st.Labels[labelHash])
	r.created, r.adopted = st.StartedAt, true // it may have been prepared long before
	r.roll, _ = strconv.Atoi(st.Labels[labelRoll])
	r.port, _ = strconv.Atoi(st.Labels[labelPort])
	rev.replicas = append(rev.replicas, r)
	for _, m := range r.members() {
		s.adoptMember(m)
	}
	if s.anyObserved(r.mains) {
		for _, m := range r.inits {
			m.done = true
		}
	}
	slices.SortStableFunc(rev.replicas, func(x, y *replica) int { return x.created.Compare(y.created) })
}

// adoptMember finds the newest attempt of a container. What it did before is
// not told again.
func (s *State) adoptMember(m *member) {
	for key := range s.observed {
		same := key
		same.Attempt = m.key.Attempt
		if same == m.key && key.Attempt > m.key.Attempt {
			m.key.Attempt = key.Attempt
		}
	}
	st, exists := s.observed[m.key]
	if !exists {
		return
	}
	m.pulled = true
	m.backoffs = m.restarts()
	if st.State != container.Created {
		m.started = true
		m.waiting = ""
		s.withoutProbes(m)
	}
}

func (s *State) anyObserved(members []*member) bool {
	for _, m := range members {
		if _, ok := s.observed[m.key]; ok {
			return true
		}
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
