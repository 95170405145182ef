package docker

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/acalocal/acalocal/internal/container"
)

// image describes an image present in the engine.
func (e *Engine) image(ctx context.Context, name string) (container.Image, error) {
	r, err := e.client.ImageInspect(ctx, name)
	if errdefs.IsNotFound(err) {
		return container.Image{}, container.Errorf(container.CodeNotFound, "", "image %s is not in the engine", name)
	}
	if err != nil {
		return container.Image{}, e.wrap(err, "look at image %s", name)
	}
	image := container.Image{
		ID:       r.ID,
		Size:     r.Size,
		Platform: r.Os + "/" + r.Architecture,
	}
	if r.Config != nil {
		describe(&image, r.Config)
	}
	return image, nil
}

func describe(i *container.Image, c *dockerspec.DockerOCIImageConfig) {
	i.StopSignal = c.StopSignal
	i.Entrypoint = c.Entrypoint
	i.Cmd = c.Cmd
	i.User = c.User
	for port := range c.ExposedPorts {
		number, protocol, _ := strings.Cut(port, "/")
		n, err := strconv.Atoi(number)
		if err == nil && (protocol == "" || protocol == "tcp") {
			i.Ports = append(i.Ports, n)
		}
	}
	slices.Sort(i.Ports)
}
