package docker

import (
	"context"
	"encoding/json"
	"time"

	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// Stats implements container.Runtime. The engine is asked for one sample, which
// it takes at once; with two, as "docker stats" wants them, it waits a second
// in between.
func (e *Engine) Stats(ctx context.Context, id container.ID) (container.Stats, error) {
	r, err := e.client.ContainerStats(ctx, string(id), client.ContainerStatsOptions{})
	if err != nil {
		return container.Stats{}, e.wrap(err, "read what container %s uses", short(id))
	}
	defer r.Body.Close()
	var s apicontainer.StatsResponse
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		return container.Stats{}, e.wrap(err, "read what container %s uses", short(id))
	}
	// Of a container that does not run the engine tells zeros.
	if s.Read.IsZero() || s.Read.Year() <= 1 {
		return container.Stats{}, container.Errorf(container.CodeNotFound, "", "container %s does not run", short(id))
	}
	return statsOf(s), nil
}

// statsOf translates what the engine says. File caches that were not read
// lately are named differently by the two versions of control groups.
func statsOf(s apicontainer.StatsResponse) container.Stats {
	out := container.Stats{
		At:         s.Read,
		CPU:        time.Duration(s.CPUStats.CPUUsage.TotalUsage),
		WorkingSet: int64(s.MemoryStats.Usage),
	}
	for _, name := range []string{"total_inactive_file", "inactive_file"} {
		if cache, ok := s.MemoryStats.Stats[name]; ok {
			out.WorkingSet = max(out.WorkingSet-int64(cache), 0)
			break
		}
	}
	for _, n := range s.Networks {
		out.RxBytes += n.RxBytes
		out.TxBytes += n.TxBytes
	}
	return out
}
