package core

import (
	"fmt"

	"github.com/acalocal/acalocal/internal/container"
)

// Broken lists what should never be true after a Handle, one sentence each.
// The simulation calls it after every step; nil is what it hopes for.
func (s *State) Broken() []string {
	var out []string
	names := map[string]bool{}
	owned := s.owned()
	for _, a := range s.apps {
		for _, rev := range a.revisions {
			for _, r := range rev.replicas {
				if names[r.name] {
					out = append(out, "two replicas are named "+r.name)
				}
				names[r.name] = true
			}
		}
		if a.serving != "" && a.revision(a.serving) == nil {
			out = append(out, "app "+a.spec.Name+" is served by the unknown revision "+a.serving)
		}
	}
	for key := range s.observed {
		if s.listed && owned[key] == nil && s.orphans[key] == nil {
			out = append(out, fmt.Sprintf("container %s is neither known nor being removed", key.Name(s.o.Environment)))
		}
	}
	if err := s.routing().Validate(); err != nil {
		out = append(out, "routing: "+err.Error())
	}
	return out
}

// Busy says that an order waits for its answer.
func (s *State) Busy() bool {
	for _, m := range s.owned() {
		if m.op != 0 {
			return true
		}
	}
	for _, o := range s.orphans {
		if o.op != 0 {
			return true
		}
	}
	return false
}

// Owner names the replica that owns a container and whether the container is
// its current attempt.
func (s *State) Owner(key container.Key) (replica string, current bool) {
	if m := s.owned()[key]; m != nil {
		return m.rep.name, true
	}
	return key.Replica, false
}
