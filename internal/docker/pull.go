package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// Pull implements container.Runtime.
func (e *Engine) Pull(ctx context.Context, s container.PullSpec, progress func(container.PullProgress)) (container.Image, error) {
	if s.Policy != container.PullAlways {
		image, err := e.image(ctx, s.Image)
		if err == nil || s.Policy == container.PullNever || container.CodeOf(err) != container.CodeNotFound {
			return image, err
		}
	}
	if err := e.pull(ctx, s, progress); err != nil {
		return container.Image{}, e.wrapPull(err, s.Image)
	}
	return e.image(ctx, s.Image)
}

// Resolve implements container.Runtime.
func (e *Engine) Resolve(ctx context.Context, s container.PullSpec) error {
	if s.Policy != container.PullAlways {
		_, err := e.image(ctx, s.Image)
		if err == nil || s.Policy == container.PullNever || container.CodeOf(err) != container.CodeNotFound {
			return err
		}
	}
	auth, err := e.pullAuth(ctx, s)
	if err == nil {
		_, err = e.client.DistributionInspect(ctx, s.Image, client.DistributionInspectOptions{EncodedRegistryAuth: auth})
	}
	switch {
	case err == nil:
		return nil
	case errdefs.IsNotFound(err) && !containsAny(err.Error(), []string{"unknown", "does not exist"}):
		return fmt.Errorf("look up image %s: %w", s.Image, plain(err)) // an engine that cannot ask registries
	}
	return e.wrapPull(err, s.Image)
}

// pullAuth returns the header that logs the engine in to the image's registry.
func (e *Engine) pullAuth(ctx context.Context, s container.PullSpec) (string, error) {
	ref, err := reference.ParseNormalizedNamed(s.Image)
	if err != nil {
		return "", container.Errorf(container.CodeImageMissing, "an image looks like registry.example.com/team/app:tag",
			"%q is not the name of an image", s.Image)
	}
	return e.registryAuth(ctx, reference.Domain(ref), s.Credentials)
}

func (e *Engine) pull(ctx context.Context, s container.PullSpec, progress func(container.PullProgress)) error {
	auth, err := e.pullAuth(ctx, s)
	if err != nil {
		return err
	}
	r, err := e.client.ImagePull(ctx, s.Image, client.ImagePullOptions{RegistryAuth: auth})
	if err != nil {
		return err
	}
	sum := layerSum{layers: map[string]container.PullProgress{}}
	for m, err := range r.JSONMessages(ctx) {
		if err != nil {
			return err
		}
		if m.Error != nil {
			return m.Error
		}
		if sum.add(m) && progress != nil {
			progress(sum.total)
		}
	}
	return ctx.Err()
}

// layerSum adds up the downloads of all layers.
type layerSum struct {
	layers map[string]container.PullProgress
	total  container.PullProgress
}

// add applies one message and says whether the sum has changed.
func (s *layerSum) add(m jsonstream.Message) bool {
	before, now := s.layers[m.ID], s.layers[m.ID]
	switch {
	case m.ID == "":
		return false
	case m.Status == "Downloading" && m.Progress != nil:
		now = container.PullProgress{Done: m.Progress.Current, Total: max(m.Progress.Total, m.Progress.Current)}
	case m.Status == "Download complete" || m.Status == "Pull complete":
		now.Done = now.Total
	}
	if now == before {
		return false
	}
	s.layers[m.ID] = now
	s.total.Done += now.Done - before.Done
	s.total.Total += now.Total - before.Total
	return true
}

// wrapPull tells the failures of a registry apart by their words: that is all
// the engine passes on.
func (e *Engine) wrapPull(err error, image string) error {
	if container.CodeOf(err) != "" || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || client.IsErrConnectionFailed(err) {
		return e.wrap(err, "pull image %s", image)
	}
	code, hint := classifyPull(err.Error())
	if code == "" {
		return fmt.Errorf("pull image %s: %w", image, plain(err))
	}
	return container.Errorf(code, hint, "pull image %s: %w", image, plain(err))
}

// classifyPull finds the code of what an engine says about a registry.
func classifyPull(text string) (code container.Code, hint string) {
	for _, w := range pullWords {
		if containsAny(text, w.any) {
			return w.code, w.hint
		}
	}
	return "", ""
}

// pullWords are what registries say by way of the engine, most telling first.
var pullWords = []struct {
	code container.Code
	hint string
	any  []string
}{
	{container.CodeDiskFull, `free space with "docker system prune"`,
		[]string{"no space left on device", "disk quota exceeded"}},
	{container.CodePlatform, `build or choose an image for this platform`,
		[]string{"no matching manifest for", "does not match the specified platform", "no match for platform"}},
	{container.CodeImageMissing, `check the name; a private image needs "docker login" or registry credentials in the app`,
		[]string{"repository does not exist or may require"}},
	{container.CodeUnauthorized, `log in with "docker login", or give the app registry credentials`,
		[]string{"unauthorized", "authentication required", "no basic auth credentials", "denied", "403 Forbidden", "401 Unauthorized"}},
	{container.CodeImageMissing, "check the name and the tag",
		[]string{"manifest unknown", "not found", "name unknown", "404 Not Found"}},
	{container.CodeUnreachable, "check the network, the proxy of the engine and the registry's name",
		[]string{"no such host", "connection refused", "i/o timeout", "TLS handshake timeout", "network is unreachable",
			"server misbehaving", "Client.Timeout exceeded", "x509:", "dial tcp", "context deadline exceeded", "EOF"}},
}
