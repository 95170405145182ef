package emulator

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// ContainerUsage is what one running container uses, and what it asked for.
type ContainerUsage struct {
	App, Revision, Replica string
	// Container is its name in the template, "" for the replica's network.
	Container string
	ID        container.ID
	// Stats has the bytes of the network only where Container is "".
	Stats container.Stats
	// CPU is in cores, Memory in bytes; 0 where nothing was asked for.
	CPU    float64
	Memory int64
}

// usagesAtOnce bounds how many containers are looked at in parallel.
const usagesAtOnce = 8

// Usage reads what the containers of a revision use now; empty names mean all.
// Replicas on their way out are left out, and so is what ends meanwhile. It
// costs one call to the container engine for each container, and one more for
// each replica's network.
func (e *Engine) Usage(ctx context.Context, app, revision string) ([]ContainerUsage, error) {
	all := e.running(app, revision)
	got := make([]bool, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(usagesAtOnce)
	for i := range all {
		group.Go(func() (err error) {
			all[i].Stats, err = e.o.Runtime.Stats(ctx, all[i].ID)
			got[i] = err == nil
			if container.CodeOf(err) == container.CodeNotFound {
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	i := -1
	return slices.DeleteFunc(all, func(ContainerUsage) bool { i++; return !got[i] }), nil
}

// running are the containers to look at, without their usage.
func (e *Engine) running(app, revision string) []ContainerUsage {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []ContainerUsage
	for _, a := range e.Snapshot().Apps {
		for _, rev := range a.Revisions {
			if app != "" && a.Name != app || revision != "" && rev.Name != revision {
				continue
			}
			for _, r := range rev.Replicas {
				if holder, ok := e.holders[r.Name]; ok && !r.Draining {
					out = append(out, ContainerUsage{App: a.Name, Revision: rev.Name, Replica: r.Name, ID: holder})
					out = append(out, containersOf(a.Name, &rev, &r)...)
				}
			}
		}
	}
	return out
}

func containersOf(app string, rev *Revision, r *Replica) []ContainerUsage {
	var out []ContainerUsage
	for _, c := range r.Properties.Containers {
		if c.ContainerID == "" || c.RunningState != "Running" {
			continue
		}
		u := ContainerUsage{App: app, Revision: rev.Name, Replica: r.Name, Container: c.Name, ID: container.ID(c.ContainerID)}
		for _, spec := range rev.Properties.Template.Containers {
			if spec.Name == c.Name && spec.Resources != nil {
				u.CPU = spec.Resources.CPU
				u.Memory, _ = aca.ParseMemory(spec.Resources.Memory) // validated when it was applied
			}
		}
		out = append(out, u)
	}
	return out
}
