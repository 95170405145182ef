package docker

import (
	"context"

	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// Written implements container.Runtime.
func (e *Engine) Written(ctx context.Context, id container.ID) (int64, error) {
	r, err := e.client.ContainerInspect(ctx, string(id), client.ContainerInspectOptions{Size: true})
	if err != nil {
		return 0, e.wrap(err, "read what container %s has written", short(id))
	}
	if r.Container.SizeRw == nil {
		return 0, container.Errorf(container.CodeUnsupported, "", "the engine does not say what container %s has written", short(id))
	}
	return *r.Container.SizeRw, nil
}
