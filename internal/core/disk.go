package core

import (
	"fmt"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// DiskRead says how many bytes running containers have written into their own
// file systems. One that is not in it counts as nothing.
type DiskRead struct{ Written map[container.ID]int64 }

// apply warns of each replica over its ephemeral storage, once, or evicts it.
func (e DiskRead) apply(s *State) {
	for _, a := range s.sortedApps() {
		for _, rev := range a.revisions {
			for _, r := range rev.replicas {
				if r.leave == staying {
					s.weighDisk(r, e.Written)
				}
			}
		}
	}
}

func (s *State) weighDisk(r *replica, written map[container.ID]int64) {
	excess := s.diskExcess(r, written)
	switch {
	case excess == "":
	case s.o.EnforceEphemeralStorage:
		s.evict(r, excess)
	case !r.diskWarned:
		r.diskWarned = true
		s.write(SystemLog{
			Warning: true, App: r.rev.app.spec.Name, Revision: r.rev.name, Replica: r.name, Reason: "EphemeralStorage", Source: "acalocal",
			Msg: excess + "Azure may evict such a replica; here --enforce-ephemeral-storage does.",
		}, r.name)
	}
}

// diskExcess says in the kubelet's words which limit a replica is over, or "":
// that of one container, by its cores, or that of all, by theirs
// (learn.microsoft.com/azure/container-apps/storage-mounts; the texts, with the
// space at their end: azureossd.github.io, 2025-08-23, and
// github.com/microsoft/azure-container-apps issue 896).
func (s *State) diskExcess(r *replica, written map[container.ID]int64) string {
	var total int64
	for _, m := range r.mains {
		if !s.running(m) {
			continue
		}
		n := written[s.observed[m.key].ID]
		total += n
		if limit, over := overDisk(n, *m.spec); over {
			return fmt.Sprintf("Container %s exceeded its local ephemeral storage limit %q. ", m.spec.Name, limit)
		}
	}
	if limit, over := overDisk(total, r.rev.template.Containers...); over {
		return fmt.Sprintf("Pod ephemeral local storage usage exceeds the total limit of containers %s. ", limit)
	}
	return ""
}

// overDisk says whether n bytes are more than the disk that containers get for
// their cores.
func overDisk(n int64, containers ...aca.Container) (limit string, over bool) {
	limit = aca.EphemeralStorage(aca.TotalResources(&aca.Template{Containers: containers}).CPU)
	size, err := aca.ParseMemory(limit)
	if err != nil {
		panic("bug: ephemeral storage: " + err.Error())
	}
	return limit, n > size
}

// evict kills a replica at once, as the kubelet does for a local limit; the
// revision lacks it from now on. No capture has the rows of today's platform:
// the kubelet's follows those of the ends.
func (s *State) evict(r *replica, why string) {
	r.evicted = true
	for _, m := range r.mains {
		if s.running(m) && !m.killed {
			s.terminatedRow(m, "137", "ProcessExited", "")
			m.stopRow = true
		}
	}
	s.warnRow(r, "Evicted", why)
	s.leaveNow(r, "it is over its ephemeral storage")
}
