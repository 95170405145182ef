package docker

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/acalocal/acalocal/internal/container"
)

// inspectsAtOnce bounds how many containers are looked at in parallel.
const inspectsAtOnce = 8

// List implements container.Runtime, sorted by the containers' names. Those
// whose labels another version has written are left out, with a warning in the
// log.
func (e *Engine) List(ctx context.Context, env string) ([]container.Status, error) {
	summaries, err := e.summaries(ctx, env)
	if err != nil {
		return nil, err
	}
	found := make([]*container.Status, len(summaries))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inspectsAtOnce)
	for i, s := range summaries {
		group.Go(func() (err error) {
			found[i], err = e.status(ctx, s)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, e.wrap(err, "list containers")
	}
	e.resting.keepOnly(summaries)
	all := make([]container.Status, 0, len(found))
	for _, s := range found {
		if s != nil {
			all = append(all, *s)
		}
	}
	slices.SortFunc(all, func(a, b container.Status) int {
		return strings.Compare(a.Key.Name(env), b.Key.Name(env))
	})
	return all, nil
}

// summaries lists the containers with the environment's label.
func (e *Engine) summaries(ctx context.Context, env string) ([]apicontainer.Summary, error) {
	list, err := e.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: envFilter(env)})
	if err != nil {
		return nil, e.wrap(err, "list containers")
	}
	return list.Items, nil
}

func envFilter(env string) client.Filters {
	return make(client.Filters).Add("label", container.LabelEnv+"="+env)
}

// status returns the state of one container, nil when it is none of ours or
// has gone since it was listed.
func (e *Engine) status(ctx context.Context, s apicontainer.Summary) (*container.Status, error) {
	if isHelper(s.Labels) || s.State == apicontainer.StateRemoving {
		return nil, nil
	}
	_, key, err := container.DecodeLabels(s.Labels)
	if err != nil {
		e.log.Warn().Err(err).Str("container", s.ID).Msg("container left alone")
		return nil, nil
	}
	if st, ok := e.resting.get(s); ok {
		return &st, nil
	}
	r, err := e.client.ContainerInspect(ctx, s.ID, client.ContainerInspectOptions{})
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	st := statusOf(key, r.Container)
	if key.Role == container.RoleHolder && st.State == container.Running {
		st.Address = e.directAddress(ctx, r.Container)
	}
	e.resting.put(st)
	return &st, nil
}

// statusOf translates what the engine says of a container.
func statusOf(key container.Key, c apicontainer.InspectResponse) container.Status {
	st := container.Status{
		Key:       key,
		ID:        container.ID(c.ID),
		CreatedAt: parseTime(c.Created),
	}
	if c.Config != nil {
		st.Image, st.Labels = c.Config.Image, c.Config.Labels
	}
	if c.State == nil {
		st.State = container.Created
		return st
	}
	st.State = stateOf(c.State.Status)
	st.StartedAt = parseTime(c.State.StartedAt)
	st.OOMKilled = c.State.OOMKilled
	st.Error = c.State.Error
	if st.State != container.Running {
		st.ExitCode = c.State.ExitCode
		st.FinishedAt = parseTime(c.State.FinishedAt)
	}
	return st
}

func stateOf(s apicontainer.ContainerState) container.State {
	switch s {
	case apicontainer.StateCreated:
		return container.Created
	case apicontainer.StateRunning, apicontainer.StatePaused, apicontainer.StateRestarting:
		return container.Running
	}
	return container.Exited
}

// parseTime reads the engine's time; its year 1 is our zero, and so is what is
// no time.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}

// holderAddr returns the address and the network of a running holder.
func holderAddr(c apicontainer.InspectResponse) (addr netip.Addr, network string) {
	if c.NetworkSettings == nil {
		return netip.Addr{}, ""
	}
	for _, n := range c.NetworkSettings.Networks {
		if n != nil && n.IPAddress.IsValid() {
			return n.IPAddress, n.NetworkID
		}
	}
	return netip.Addr{}, ""
}

// statusCache remembers containers that do not run: they change only when they
// are started, and the engine lists that. A look at one that is being started
// would wait for its start, and the whole listing with it.
type statusCache struct {
	mu  sync.Mutex
	all map[container.ID]container.Status // guarded by mu
}

// get returns the remembered status, if the state listed is still the same.
func (c *statusCache) get(s apicontainer.Summary) (container.Status, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	st, ok := c.all[container.ID(s.ID)]
	return st, ok && stateOf(s.State) == st.State
}

func (c *statusCache) put(st container.Status) {
	if st.State == container.Running {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[container.ID]container.Status{}
	}
	c.all[st.ID] = st
}

// forget makes the next listing look again.
func (c *statusCache) forget(id container.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, id)
}

// keepOnly forgets containers that are not listed any more.
func (c *statusCache) keepOnly(listed []apicontainer.Summary) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := make(map[container.ID]container.Status, len(c.all))
	for _, s := range listed {
		if st, ok := c.all[container.ID(s.ID)]; ok {
			kept[st.ID] = st
		}
	}
	c.all = kept
}
