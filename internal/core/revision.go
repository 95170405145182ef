package core

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/scale"
)

// revision is an immutable snapshot of a template and the replicas made of it,
// oldest first.
type revision struct {
	app       *app
	name      string
	template  aca.Template
	created   time.Time
	since     time.Time // when it last began to become ready: made, or activated
	left      time.Time // when it was last deactivated, zero if never
	health    string    // as it was then, "" for Healthy
	active    bool
	everReady bool
	restarts  int // re-rolls asked for by restart
	scaler    *scale.Scaler
	target    int                     // replicas the scaler decided on
	read      map[string]scale.Sample // metrics of its triggers, by rule
	triggers  map[string]triggerState // what was told of them, by rule
	woken     time.Time               // from zero, until a replica is made for it
	checked   time.Time               // when its triggers were last found missing
	replicas  []*replica
	prepared  *replica // the next one, while the revision is at zero
	bare      bool     // preparing it failed; not tried again before it was awake
	mismatch  string   // the target port sentence, once seen
	hash      string   // replica-set hash for hashPort and hashMore
	hashPort  int
	hashMore  string // digests of directories and variables
}

func (e SpecChanged) apply(s *State) {
	a := s.apps[e.App.Name]
	if a == nil {
		a = &app{created: s.now}
		s.apps[e.App.Name] = a
	}
	s.update(a, e)
}

// update makes an app what e says. A changed template makes a revision,
// anything else applies to those there are
// (learn.microsoft.com/azure/container-apps/revisions).
func (s *State) update(a *app, e SpecChanged) {
	existed := a.latest() != nil
	if a.secrets != "" && a.secrets != secretDigest(e.App) {
		a.pending = true
	}
	if existed {
		a.keepLabels(&e.App)
	}
	if a.removed {
		a.created = s.now // it is another app of that name
	}
	if !existed || a.removed || a.differs(e) {
		a.modified = s.now
	}
	a.spec, a.hostPort, a.removed = e.App, e.HostPort, false
	a.unresolved = unresolved(e.App)
	a.secrets, a.dirs, a.resiliency, a.telemetry = secretDigest(e.App), e.Directories, e.Resiliency, e.Telemetry
	a.local = map[string]bool{}
	for _, image := range e.Local {
		a.local[image] = true
	}
	for _, rev := range a.revisions {
		if rev.prepared != nil {
			rev.prepared.spoiled = true // secrets, directories, labels are of before
		}
	}
	if existed {
		s.appRow(a, a.latest(), "ContainerAppUpdate", "Updating containerApp: "+a.spec.Name)
	}
	if s.changesTemplate(a, e) {
		s.newRevision(a)
		return
	}
	latest := a.latest()
	if !latest.active && (!e.Edit || a.mode() == aca.Single) {
		s.activate(latest)
	}
	s.revRow(latest, "RevisionUpdate", "Revision '"+latest.name+"' updated. No new revision was provisioned.")
	s.appRow(a, nil, "ContainerAppReady", "No revision restart or provisioning was needed.")
	s.save(a)
}

// differs says that a definition, or what comes along with it, is not what the
// app is made of.
func (a *app) differs(e SpecChanged) bool {
	return a.secrets != secretDigest(e.App) || a.dirs.digest() != e.Directories.digest() ||
		telemetryDigest(a.telemetry) != telemetryDigest(e.Telemetry) || !samePolicy(a.resiliency, e.Resiliency) ||
		specText(a.spec) != specText(e.App)
}

// specText is a definition without the values of secrets. Two are compared as
// text: one that was saved and read has nil where there was an empty list.
func specText(app aca.ContainerApp) string {
	text, err := json.Marshal(redacted(app))
	if err != nil {
		panic("bug: an app that was read cannot be written: " + err.Error())
	}
	return string(text)
}

// newRevision snapshots the app's template. The rows are those of a captured
// roll-out; the first revision of an app has no RevisionCreation, and later
// ones carry the previous revision in the revision column.
func (s *State) newRevision(a *app) {
	previous := a.latest()
	rev := &revision{app: a, name: s.revisionName(a), template: a.spec.Properties.Template, created: s.now, since: s.now, active: true, scaler: scale.New(s.now)}
	rev.target = max(rev.template.Scale.Min(), 1)
	a.made++
	a.pending = false
	a.revisions = append(a.revisions, rev)
	if label := a.spec.Properties.Configuration.TargetLabel; a.mode() == aca.Labels && !a.hasLabel(label) && (a.labelled() || s.latestReady(a) == nil) {
		a.moveLabel(label, rev.name) // nothing there yet to keep serving
	}
	s.scaleRow(rev)
	if previous != nil {
		s.appRow(a, previous, "RevisionCreation", "Creating a new revision: "+rev.name)
	}
	if a.mode() == aca.Single {
		s.appRow(a, nil, "RollingRevisionCompleted", "Rolling Transition: Successfully completed rolling over existing to latest revision for containerApp: "+a.spec.Name)
	}
	s.builtRows(rev)
	s.scalerRow(rev, false, "KEDAScalersStarted", "KEDA is starting a watch for revision '"+rev.name+"' to monitor scale operations for this revision")
	a.updates = true
	s.save(a)
}

// revisionName follows the captures: the suffix of the template if it has
// one, else seven random characters for the first revision and a counter of
// the app's revisions for later ones, never reused.
func (s *State) revisionName(a *app) string {
	if suffix := a.spec.Properties.Template.RevisionSuffix; suffix != "" {
		return aca.RevisionName(a.spec.Name, suffix)
	}
	if a.made == 0 {
		return aca.RevisionName(a.spec.Name, aca.FirstRevisionSuffix(s.rng))
	}
	for n := a.made; ; n++ {
		name := aca.RevisionName(a.spec.Name, aca.CounterSuffix(n))
		if a.revision(name) == nil {
			return name
		}
	}
}

func (a *app) mode() aca.RevisionsMode {
	return cmp.Or(a.spec.Properties.Configuration.ActiveRevisionsMode, aca.Single)
}

func (e SpecRemoved) apply(s *State) {
	if a := s.apps[e.App]; a != nil {
		a.removed = true
		s.save(a)
	}
}

func (e RestartRequested) apply(s *State) {
	a := s.apps[e.App]
	if a == nil {
		return
	}
	if rev := a.revision(e.Revision); rev != nil {
		rev.restarts++
		a.pending = false
		s.save(a)
	}
}

// apply activates or deactivates a revision. In single mode only the latest
// revision and the one that serves stay active, whatever is asked.
func (e ActivationRequested) apply(s *State) {
	a := s.apps[e.App]
	if a == nil {
		return
	}
	rev := a.revision(e.Revision)
	switch {
	case rev == nil || rev.active == e.Active:
	case e.Active:
		s.activate(rev)
		s.save(a)
	default:
		s.deactivate(rev)
	}
}

// activate brings a revision back as if it were new: it has to become ready
// once more before it counts as the latest ready one.
func (s *State) activate(rev *revision) {
	rev.active, rev.everReady = true, false
	rev.target = max(rev.template.Scale.Min(), 1)
	rev.scaler.Touch(s.now)
	rev.since = s.now // the deadline for becoming ready counts anew
	s.scalerRow(rev, false, "KEDAScalersStarted", "KEDA is starting a watch for revision '"+rev.name+"' to monitor scale operations for this revision")
}

// apply stops or starts an app. While it is stopped its hosts answer the 404
// page; its revisions stay what they were.
func (e RunningRequested) apply(s *State) {
	a := s.apps[e.App]
	if a == nil || a.stopped == !e.Running {
		return
	}
	a.stopped = !e.Running
	for _, rev := range a.revisions {
		rev.target = max(rev.target, 1)
		rev.scaler.Touch(s.now)
	}
	if e.Running {
		s.appRow(a, nil, "ContainerAppReady", "Successfully updated running state to Running for containerApp: "+a.spec.Name)
	}
	s.save(a)
}

func (ShutdownRequested) apply(s *State) {
	s.closing = true
	for _, a := range s.sortedApps() {
		a.removed = true
		s.save(a)
	}
	if len(s.routeConfigs) > 0 {
		clear(s.routeConfigs)
		s.saveRouteConfigs()
	}
}

// reconcileApp decides what an app should have and orders the difference.
func (s *State) reconcileApp(a *app) {
	s.chooseActive(a)
	for _, rev := range a.revisions {
		s.scaleRevision(rev)
	}
	s.finishUpdate(a)
	for _, rev := range a.revisions {
		s.stepRevision(rev)
	}
	s.purge(a)
	if a.removed && !s.remains(a) {
		delete(s.apps, a.spec.Name)
		s.forgetCounts(a.spec.Name)
		s.emit(ForgetApp{a.spec.Name})
	}
}

// remains says that something of an app is still there. Until nothing is, the
// app is remembered as removed: a daemon that finds a holder of an app it never
// heard of takes the app for wanted.
func (s *State) remains(a *app) bool {
	for _, rev := range a.revisions {
		if !rev.empty() {
			return true
		}
	}
	for key := range s.observed {
		if key.App == a.spec.Name {
			return true
		}
	}
	return false
}

// chooseActive applies the revision mode. In single mode the latest revision
// is active, and so is the one that serves until the latest one is ready: a
// failing revision never takes traffic from the old one.
func (s *State) chooseActive(a *app) {
	if a.removed {
		for _, rev := range a.revisions {
			rev.active = false
		}
		return
	}
	if a.mode() == aca.Labels {
		s.labelFirst(a)
		s.keepLabelled(a)
	}
	latest := a.latest()
	if a.serving != "" && a.revision(a.serving) == nil {
		a.serving = "" // it was known to a history that is lost
	}
	if a.mode() != aca.Single {
		// Back in single mode the latest ready one stays.
		if latest != nil {
			s.serve(a, s.stays(a))
		}
		return
	}
	if a.serving == "" && latest != nil {
		s.serve(a, s.trafficRevision(a, aca.TrafficWeight{LatestRevision: true}))
	}
	if latest != nil && a.serving != latest.name && s.provisioned(latest) {
		s.switchTo(a, latest)
	}
	for _, rev := range a.revisions {
		keep := rev == latest || rev.name == a.serving
		if rev.active && !keep {
			s.deactivate(rev)
		}
	}
}

// stays is the revision that serves first when an app comes back to single
// mode: the latest ready one, unless that is down and another answers.
func (s *State) stays(a *app) string {
	name := s.trafficRevision(a, aca.TrafficWeight{LatestRevision: true})
	if rev := a.revision(name); rev.active && (s.desired(rev) == 0 || len(s.readyReplicas(rev)) > 0) {
		return name
	}
	for _, rev := range slices.Backward(a.revisions) {
		if rev.active && len(s.readyReplicas(rev)) > 0 {
			return rev.name
		}
	}
	return name
}

func (a *app) hasLabel(label string) bool {
	return slices.ContainsFunc(trafficOf(a), func(w aca.TrafficWeight) bool { return w.Label == label })
}

// labelled says that some revision has a label.
func (a *app) labelled() bool {
	return slices.ContainsFunc(trafficOf(a), func(w aca.TrafficWeight) bool { return w.Label != "" })
}

// keepLabels carries the labels of an app in labels mode over to a definition
// that says nothing about traffic.
func (a *app) keepLabels(spec *aca.ContainerApp) {
	old, in := a.spec.Properties.Configuration.Ingress, spec.Properties.Configuration.Ingress
	if a.mode() != aca.Labels || spec.Properties.Configuration.ActiveRevisionsMode != aca.Labels ||
		old == nil || in == nil || !defaultTraffic(in.Traffic) {
		return
	}
	kept := *in
	kept.Traffic = old.Traffic
	spec.Properties.Configuration.Ingress = &kept
}

// defaultTraffic says that a definition asked for nothing.
func defaultTraffic(ws []aca.TrafficWeight) bool {
	return len(ws) == 0 || len(ws) == 1 && ws[0] == aca.TrafficWeight{LatestRevision: true, Weight: 100}
}

// moveLabel points a label at a revision, in a copy of the app's traffic.
func (a *app) moveLabel(label, revision string) {
	in := a.spec.Properties.Configuration.Ingress
	if in == nil || label == "" {
		return
	}
	moved := *in
	moved.Traffic = slices.Clone(in.Traffic)
	i := slices.IndexFunc(moved.Traffic, func(w aca.TrafficWeight) bool { return w.Label == label })
	if i < 0 {
		moved.Traffic = append(moved.Traffic, aca.TrafficWeight{Label: label})
		i = len(moved.Traffic) - 1
	}
	moved.Traffic[i].RevisionName, moved.Traffic[i].LatestRevision = revision, false
	a.spec.Properties.Configuration.Ingress = &moved
}

// labelFirst gives the target label of an app that has come to labels mode
// without any to its ready revision. Else that one would be shut down for want
// of a label as soon as another is made.
func (s *State) labelFirst(a *app) {
	if a.labelled() {
		return
	}
	if rev := s.latestReady(a); rev != nil && rev.everReady {
		a.moveLabel(a.spec.Properties.Configuration.TargetLabel, rev.name)
		s.save(a)
	}
}

// keepLabelled deactivates, in labels mode, the revisions no label points at
// (learn.microsoft.com/azure/container-apps/deployment-labels).
func (s *State) keepLabelled(a *app) {
	labelled := map[string]bool{}
	for _, w := range trafficOf(a) {
		if w.Label != "" {
			labelled[s.trafficRevision(a, w)] = true
		}
	}
	for _, rev := range a.revisions {
		if rev.active && !labelled[rev.name] && rev != a.latest() {
			s.deactivate(rev)
		}
	}
}

// provisioned says that a revision may take over in single mode: it has as
// many ready replicas as the one that serves, within its own bounds.
func (s *State) provisioned(rev *revision) bool {
	return len(s.readyReplicas(rev)) >= s.desired(rev)
}

func (s *State) serve(a *app, revision string) {
	if a.serving != revision {
		a.serving = revision
		s.save(a)
	}
}

func (s *State) switchTo(a *app, rev *revision) {
	s.takeOver(a, rev)
	s.serve(a, rev.name)
	s.revRow(rev, "RevisionUpdate", "Setting traffic weight of '100%' for revision '"+rev.name+"'")
	s.appRow(a, nil, "RevisionDeactivating", "Deactivating old revisions for ContainerApp '"+a.spec.Name+"'")
	s.appRow(a, nil, "ContainerAppReady", "Successfully updated containerApp: "+a.spec.Name)
}

func (s *State) deactivate(rev *revision) {
	rev.left, rev.health = s.now, s.revisionState(rev).health
	rev.active = false
	s.save(rev.app)
	s.scalerRow(rev, false, "KEDAScalersStopped", "KEDA is stopping the watch for revision '"+rev.name+"' to monitor scale operations for this revision")
	s.scalerRow(rev, true, "ScaledObjectDeleted", "ScaledObject was removed from KEDA watch and would not be auto-scaled.")
}

// desired is the number of replicas a revision should have. While another
// revision serves, a new one comes up with as many as that has.
func (s *State) desired(rev *revision) int {
	if !rev.active || rev.app.stopped {
		return 0
	}
	_, high := scaleBounds(rev.template)
	n := rev.target
	if a := rev.app; a.mode() == aca.Single && a.serving != rev.name {
		if old := a.revision(a.serving); old != nil {
			n = max(n, len(s.readyReplicas(old)))
		}
	}
	return min(n, high)
}

func (s *State) readyReplicas(rev *revision) []*replica {
	var out []*replica
	for _, r := range rev.replicas {
		if s.ready(r) {
			out = append(out, r)
		}
	}
	return out
}

// scaleRevision decides which replicas a revision should have. Replicas of an
// older replica set leave when as many new ones are ready, so a re-roll (a
// restart, a changed target port) never lowers what serves.
func (s *State) scaleRevision(rev *revision) {
	hash := s.replicaSet(rev)
	want := s.desired(rev)
	var current, old []*replica
	for _, r := range rev.replicas {
		switch {
		case r.leave != staying:
		case r.hash == hash && r.roll == rev.restarts:
			current = append(current, r)
		default:
			old = append(old, r)
		}
	}
	for n := len(current); n < want; n++ {
		s.assign(rev, hash)
	}
	for _, r := range s.surplus(current, want) {
		s.leaveReplica(r, s.leaveCause(rev, "scaled in"))
	}
	replaced := s.countReady(current) >= want
	for _, r := range old {
		if replaced || !s.ready(r) && s.countReady(old) > 0 {
			s.leaveReplica(r, s.leaveCause(rev, "replaced by a new replica set"))
		}
	}
}

// stepRevision takes the replicas of a revision one step further.
func (s *State) stepRevision(rev *revision) {
	for _, r := range slices.Clone(rev.replicas) {
		s.reconcileReplica(r)
		s.noteStart(r)
	}
	s.noteReady(rev)
	s.checkPrepared(rev)
}

func (s *State) leaveCause(rev *revision, cause string) string {
	switch {
	case s.closing:
		return "environment is going down"
	case rev.app.removed:
		return "app was removed"
	case rev.app.stopped:
		return "app was stopped"
	case !rev.active:
		return "revision was retired"
	}
	return cause
}

func (s *State) countReady(rs []*replica) int {
	n := 0
	for _, r := range rs {
		if s.ready(r) {
			n++
		}
	}
	return n
}

// surplus are the replicas beyond want: those that are not ready first, then
// the newest.
func (s *State) surplus(rs []*replica, want int) []*replica {
	if len(rs) <= want {
		return nil
	}
	kept := slices.Clone(rs)
	slices.SortStableFunc(kept, func(x, y *replica) int { return compareBool(s.ready(y), s.ready(x)) })
	return kept[want:]
}

func compareBool(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return 1
	}
	return -1
}

func (s *State) noteReady(rev *revision) {
	if rev.everReady || !rev.active || len(s.readyReplicas(rev)) == 0 || !s.provisioned(rev) {
		return
	}
	rev.everReady = true
	rev.mismatch = ""
	if rev.app.mode() == aca.Labels {
		rev.app.moveLabel(rev.app.spec.Properties.Configuration.TargetLabel, rev.name)
	}
	s.save(rev.app)
	s.revRow(rev, "RevisionReady", "Successfully provisioned revision '"+rev.name+"'")
}

// finishUpdate writes the controller rows that follow the scheduling of the
// first replica and come before anything runs, so "Successfully updated" does
// not mean ready (observed in every captured roll-out).
func (s *State) finishUpdate(a *app) {
	if !a.updates || a.latest() == nil {
		return
	}
	a.updates = false
	latest := a.latest()
	s.revRow(latest, "RevisionUpdate", "Updating revision : "+latest.name)
	if a.serving != "" && a.serving != latest.name {
		s.revRow(a.revision(a.serving), "RevisionUpdate", "Setting traffic weight of '100%' for revision '"+a.serving+"'")
	}
	s.revRow(latest, "RevisionUpdate", "Revision '"+latest.name+"' updated. No new revision was provisioned.")
	if a.mode() == aca.Single {
		s.appRow(a, nil, "RevisionDeactivating", "Deactivating old revisions for ContainerApp '"+a.spec.Name+"'")
	}
	s.appRow(a, nil, "ContainerAppReady", "Successfully updated containerApp: "+a.spec.Name)
}

// purge drops the oldest inactive revisions beyond the limit of the app. Those
// that the traffic names stay: without them no change of the app would be
// accepted any more.
func (s *State) purge(a *app) {
	limit := 100
	if n := a.spec.Properties.Configuration.MaxInactiveRevisions; n != nil {
		limit = *n
	}
	inactive := 0
	for _, rev := range a.revisions {
		if !rev.active && rev.empty() {
			inactive++
		}
	}
	a.revisions = slices.DeleteFunc(a.revisions, func(rev *revision) bool {
		if inactive <= limit || rev.active || !rev.empty() || rev == a.latest() || a.names(rev) {
			return false
		}
		inactive--
		return true
	})
}

// names says that an entry of the app's traffic names a revision.
func (a *app) names(rev *revision) bool {
	return slices.ContainsFunc(trafficOf(a), func(w aca.TrafficWeight) bool { return w.RevisionName == rev.name })
}

// empty says that a revision has no replica, and none prepared.
func (r *revision) empty() bool { return len(r.replicas) == 0 && r.prepared == nil }

// replicaSet is the hash shared by all replicas of one configuration: it
// changes with the target port, and comes back when the port does (observed).
func (s *State) replicaSet(rev *revision) string {
	port, more := targetPort(rev.app), rev.app.dirs.digest()+telemetryDigest(rev.app.telemetry)
	if rev.hash == "" || rev.hashPort != port || rev.hashMore != more {
		rev.hash, rev.hashPort, rev.hashMore = aca.ReplicaSetHash(&rev.template, port, more), port, more
	}
	return rev.hash
}

// telemetryDigest tells the variables apart that the environment's OpenTelemetry
// agent gives, "" for none.
func telemetryDigest(t aca.EnvironmentTelemetry) string {
	var b strings.Builder
	for _, v := range t.Env() {
		b.WriteString(v.Name + "=" + v.Value + "\n")
	}
	return b.String()
}

func targetPort(a *app) int {
	if in := a.spec.Properties.Configuration.Ingress; in != nil {
		return in.TargetPort
	}
	return 0
}

// scaleBounds are minReplicas and maxReplicas with ACA's defaults.
func scaleBounds(t aca.Template) (low, high int) {
	return t.Scale.Min(), max(t.Scale.Max(), 1)
}

func (s *State) grace(t aca.Template) time.Duration {
	if n := t.TerminationGracePeriodSeconds; n != nil {
		return time.Duration(*n) * time.Second
	}
	return 30 * time.Second
}

// orphan is a container of ours that no replica owns: an earlier attempt, or
// what is left of a replica that is gone.
type orphan struct {
	op      OpID
	retryAt time.Time
	fails   int
}

// reconcileOrphans removes what nobody owns, once its output is stored.
// Holders go last: the others are in their namespace.
func (s *State) reconcileOrphans() {
	owned := s.owned()
	for _, key := range s.observedKeys() {
		if owned[key] != nil {
			continue
		}
		if s.orphans[key] == nil {
			s.orphans[key] = &orphan{}
		}
	}
	for _, key := range s.orphanKeys() {
		s.removeOrphan(key, s.orphans[key])
	}
}

func (s *State) removeOrphan(key container.Key, o *orphan) {
	st, exists := s.observed[key]
	if !exists {
		if o.op == 0 {
			delete(s.orphans, key)
			delete(s.touched, key)
			delete(s.logs, key)
		}
		return
	}
	if o.op != 0 || s.stale(key) || s.now.Before(o.retryAt) {
		return
	}
	switch {
	case key.Role == container.RoleHolder && s.hasOthers(key):
	case key.Role != container.RoleHolder && st.State == container.Running:
		o.op = s.order(Op{Kind: OpStop, Key: key, On: st.ID, Grace: 30 * time.Second, Cause: "nobody owns it"})
	case s.logs[key] == logsFollowing:
	default:
		o.op = s.order(Op{Kind: OpRemove, Key: key, On: st.ID, Cause: "nobody owns it"})
	}
}

// hasOthers says that containers live in the namespace of a holder.
func (s *State) hasOthers(holder container.Key) bool {
	for key := range s.observed {
		if key.Replica == holder.Replica && key.Role != container.RoleHolder {
			return true
		}
	}
	return false
}

// owned are the containers that live replicas own, with their members.
func (s *State) owned() map[container.Key]*member {
	out := map[container.Key]*member{}
	for _, a := range s.apps {
		for _, rev := range a.revisions {
			for _, r := range rev.replicas {
				r.own(out)
			}
			if rev.prepared != nil {
				rev.prepared.own(out)
			}
		}
	}
	return out
}

func (r *replica) own(out map[container.Key]*member) {
	for _, m := range r.all() {
		out[m.key] = m
	}
}
