package metrics

import (
	"github.com/acalocal/acalocal/internal/container"
)

// sampler turns counters since a container's start into rates and differences.
// Each reader has its own, or they would shorten each other's spans.
type sampler struct {
	cpu     map[container.ID]container.Stats // by container
	network map[string]container.Stats       // by replica
}

// measured is one value of a replica.
type measured struct {
	app, revision, replica string
	metric                 Metric
	value                  float64
}

// measure returns what the replicas used since the measurement before. What has
// no earlier one has no rate yet.
func (s *sampler) measure(apps []App) []measured {
	next := sampler{cpu: map[container.ID]container.Stats{}, network: map[string]container.Stats{}}
	var out []measured
	for _, a := range apps {
		for i := range a.Replicas {
			out = append(out, s.replica(a.Name, &a.Replicas[i], &next)...)
		}
	}
	*s = next
	return out
}

func (s *sampler) replica(app string, r *Replica, next *sampler) (out []measured) {
	add := func(m Metric, v float64) { out = append(out, measured{app, r.Revision, r.Name, m, v}) }
	add(RestartCount, float64(r.Restarts))
	var cores, cpu, set, memory float64
	rated := len(r.Containers) > 0
	for _, c := range r.Containers {
		next.cpu[c.ID] = c.Stats
		n, ok := rate(s.cpu[c.ID], c.Stats)
		rated = rated && ok
		cores += n
		cpu += c.CPU
		set += float64(c.WorkingSet)
		memory += float64(c.Memory)
	}
	if rated {
		add(UsageNanoCores, cores*1e9)
		if cpu > 0 {
			add(CPUPercentage, 100*cores/cpu)
		}
	}
	if len(r.Containers) > 0 {
		add(WorkingSetBytes, set)
		if memory > 0 {
			add(MemoryPercentage, 100*set/memory)
		}
	}
	if !r.Network.At.IsZero() {
		next.network[r.Name] = r.Network
		if before, ok := s.network[r.Name]; ok && r.Network.RxBytes >= before.RxBytes && r.Network.TxBytes >= before.TxBytes {
			add(RxBytes, float64(r.Network.RxBytes-before.RxBytes))
			add(TxBytes, float64(r.Network.TxBytes-before.TxBytes))
		}
	}
	return out
}

// rate is the cores used on average between two readings; ok is false when
// there is no earlier one.
func rate(before, now container.Stats) (cores float64, ok bool) {
	took := now.At.Sub(before.At)
	if before.At.IsZero() || took <= 0 || now.CPU < before.CPU {
		return 0, false
	}
	return float64(now.CPU-before.CPU) / float64(took), true
}
