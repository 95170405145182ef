package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/version"
)

// networkName is the name of an environment's network.
func networkName(env string) string { return "acalocal-" + env }

// EnsureEnvironment implements container.Runtime.
func (e *Engine) EnsureEnvironment(ctx context.Context, env string) error {
	e.envMu.Lock()
	defer e.envMu.Unlock()
	if _, err := e.ensureHolderImage(ctx); err != nil {
		return err
	}
	return e.ensureNetwork(ctx, env)
}

func (e *Engine) ensureNetwork(ctx context.Context, env string) error {
	name := networkName(env)
	r, err := e.client.NetworkInspect(ctx, name, client.NetworkInspectOptions{})
	switch {
	case err == nil && r.Network.Labels[container.LabelEnv] == env:
		return nil
	case err == nil:
		return container.Errorf(container.CodeConflict, fmt.Sprintf(`remove it with "docker network rm %s", or name the environment differently`, name),
			"make network %s: there is one of that name that is not acalocal's", name)
	case !errdefs.IsNotFound(err):
		return e.wrap(err, "make network %s", name)
	}
	ctx, cancel := whole(ctx)
	defer cancel()
	_, err = e.client.NetworkCreate(ctx, name, client.NetworkCreateOptions{
		Driver: "bridge",
		Labels: map[string]string{
			container.LabelSchema:  container.SchemaVersion,
			container.LabelEnv:     env,
			container.LabelVersion: version.Version,
		},
	})
	if err != nil {
		return e.wrap(err, "make network %s", name)
	}
	return nil
}

// RemoveEnvironment implements container.Runtime. It goes on after a failure,
// so that as little as possible stays behind, and returns all of them.
func (e *Engine) RemoveEnvironment(ctx context.Context, env string) error {
	e.envMu.Lock()
	defer e.envMu.Unlock()
	return errors.Join(
		e.removeContainers(ctx, env),
		e.removeVolumes(ctx, envFilter(env)),
		e.removeNetworks(ctx, env),
		e.removeUnusedImages(ctx, builtFor(env)),
		e.removeUnusedImages(ctx, holderImages()),
	)
}

// removeContainers removes the holders last: the others live in their
// namespaces.
func (e *Engine) removeContainers(ctx context.Context, env string) error {
	list, err := e.summaries(ctx, env)
	if err != nil {
		return err
	}
	var errs []error
	for _, holders := range []bool{false, true} {
		for _, c := range list {
			if (c.Labels[container.LabelRole] == string(container.RoleHolder)) == holders {
				errs = append(errs, e.Remove(ctx, container.ID(c.ID)))
			}
		}
	}
	return errors.Join(errs...)
}

func (e *Engine) removeNetworks(ctx context.Context, env string) error {
	list, err := e.client.NetworkList(ctx, client.NetworkListOptions{Filters: envFilter(env)})
	if err != nil {
		return e.wrap(err, "list networks")
	}
	var errs []error
	for _, n := range list.Items {
		_, err := e.client.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		if err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, e.wrap(err, "remove network %s", n.Name))
		}
	}
	return errors.Join(errs...)
}

// builtFor selects the images built for an environment.
func builtFor(env string) client.Filters {
	return make(client.Filters).Add("label", container.LabelBuiltFor+"="+env)
}

// removeUnusedImages removes the images that a filter selects and no container
// runs: one that somebody has started by hand keeps its image.
func (e *Engine) removeUnusedImages(ctx context.Context, filter client.Filters) error {
	images, err := e.client.ImageList(ctx, client.ImageListOptions{Filters: filter})
	if err != nil {
		return e.wrap(err, "list images")
	}
	var errs []error
	for _, i := range images.Items {
		users, err := e.client.ContainerList(ctx, client.ContainerListOptions{
			All: true, Filters: make(client.Filters).Add("ancestor", i.ID),
		})
		if err == nil && len(users.Items) == 0 {
			err = e.removeImage(ctx, i.ID)
		}
		if errdefs.IsConflict(err) { // a container was created meanwhile
			err = nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// removeImage removes an image with all its tags.
func (e *Engine) removeImage(ctx context.Context, id string) error {
	_, err := e.client.ImageRemove(ctx, id, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return e.wrap(err, "remove image %s", id)
	}
	return nil
}
