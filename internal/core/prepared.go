package core

import (
	"slices"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container"
)

// A revision at zero that requests wake has its next replica prepared: the
// containers are created, and none of them was ever started. They use no memory
// and no processor, no view and no row tells of them, and who wakes the
// revision need not wait for their creation.
//
// A prepared replica is only used as it would be made now. Everything that may
// have changed since spoils it, except what an image's name stands for, which
// the pull of every start asks. A daemon that finds containers that were never
// started removes them.

// prepareReplicas takes one revision one step further when the engine has
// nothing else to do: nobody waits for it.
func (s *State) prepareReplicas() {
	rev := s.nextUnprepared()
	if rev == nil || s.Busy() || len(s.orphans) > 0 {
		return
	}
	if rev.prepared == nil {
		hash := s.replicaSet(rev)
		rev.prepared = s.newReplica(rev, s.replicaName(rev, hash), hash)
	}
	s.prepare(rev.prepared)
}

func (s *State) nextUnprepared() *revision {
	for _, a := range s.sortedApps() {
		for _, rev := range a.revisions {
			if s.unprepared(rev) && s.sleeps(rev) {
				return rev
			}
		}
	}
	return nil
}

// sleeps says that a revision is at zero and that a request would wake it.
func (s *State) sleeps(rev *revision) bool {
	a := rev.app
	return rev.active && len(rev.replicas) == 0 && s.desired(rev) == 0 && rev.wakes() &&
		a.spec.Properties.Configuration.Ingress != nil &&
		slices.ContainsFunc(s.split(a), func(w ingress.Weight) bool { return w.Revision == rev.name && w.Weight > 0 })
}

// checkPrepared forgets the prepared replica of a revision once it is of no use
// and no order for it is under way: what is left of it is removed like
// everything nobody owns.
func (s *State) checkPrepared(rev *revision) {
	r := rev.prepared
	if r == nil && !rev.bare {
		return
	}
	asleep := s.sleeps(rev)
	rev.bare = rev.bare && asleep
	if r == nil {
		return
	}
	busy := false
	for _, m := range r.all() {
		st, exists := s.observed[m.key]
		r.spoiled = r.spoiled || exists && st.State != container.Created
		busy = busy || m.op != 0 || s.stale(m.key)
	}
	r.spoiled = r.spoiled || !asleep || r.hash != s.replicaSet(rev) || r.roll != rev.restarts
	if r.spoiled && !busy {
		rev.prepared = nil
	}
}

// unprepared says that a revision lacks something of its prepared replica.
func (s *State) unprepared(rev *revision) bool {
	r := rev.prepared
	if r == nil || r.spoiled || rev.bare {
		return r == nil && !rev.bare
	}
	return slices.ContainsFunc(r.all(), func(m *member) bool {
		_, exists := s.observed[m.key]
		return !exists
	})
}

// prepare orders the next thing a prepared replica lacks: its holder, then for
// each container a look at the image, which is never pulled for this, and the
// container.
func (s *State) prepare(r *replica) {
	for _, m := range r.all() {
		if s.stale(m.key) {
			return
		}
		if _, exists := s.observed[m.key]; exists {
			continue
		}
		const cause = "the next replica of a revision at zero"
		switch {
		case m == r.holder:
			s.orderFor(m, Op{Kind: OpCreate, Key: m.key, Spec: s.holderSpec(r), Cause: cause})
		case m.image.ID == "":
			m.looking = true
			look := s.pullSpec(m)
			look.Policy = container.PullNever
			s.orderFor(m, Op{Kind: OpPull, Key: m.key, Pull: look, Cause: cause})
		default:
			spec, err := s.memberSpec(m)
			if err != nil { // told of when the replica is wanted
				s.spoil(r)
				return
			}
			m.made = m.image.ID
			s.orderFor(m, Op{Kind: OpCreate, Key: m.key, Spec: spec, Cause: cause})
		}
		return
	}
}

// spoil gives up preparing a replica until its revision was awake again.
func (s *State) spoil(r *replica) { r.spoiled, r.rev.bare = true, true }

// preparedAnswered takes the answer to an order that nobody waits for, and says
// whether it was one.
func (s *State) preparedAnswered(m *member, e OpFinished) bool {
	looked := m.looking
	m.looking = false
	if looked && e.Err == nil {
		m.image = e.Image
	}
	if m.rep.rev.prepared != m.rep {
		return looked // it is wanted by now: the real pull follows
	}
	if e.Err != nil {
		s.spoil(m.rep)
	}
	return true
}

// takePrepared is the prepared replica of a revision when it is as one made now
// would be, else nil.
func (s *State) takePrepared(rev *revision, hash string) *replica {
	r := rev.prepared
	if r == nil || r.spoiled || r.hash != hash || r.roll != rev.restarts {
		return nil
	}
	rev.prepared = nil
	r.created = s.now
	return r
}
