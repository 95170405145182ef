package docker

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"sync"

	"github.com/containerd/errdefs"
	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// entryCache remembers what paths of images are. Images never change, so it
// never goes out of date.
type entryCache struct {
	mu     sync.Mutex
	images map[string]*imageEntries // by ID, guarded by mu
}

// maxEntryImages bounds the cache; it is emptied when it is full.
const maxEntryImages = 32

func (c *entryCache) of(image string) *imageEntries {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.images[image] == nil {
		if len(c.images) >= maxEntryImages {
			c.images = nil
		}
		if c.images == nil {
			c.images = map[string]*imageEntries{}
		}
		c.images[image] = &imageEntries{image: image, found: map[string]*tar.Header{}}
	}
	return c.images[image]
}

// imageEntries are those of one image.
type imageEntries struct {
	image string
	mu    sync.Mutex
	found map[string]*tar.Header // nil: there is nothing at the path; guarded by mu
}

// lookUp returns the entries at paths. An engine shows the files of an image
// only in a container, so one is made that never runs. It asks for one at a
// time, and is CodeUnsupported when that would be more often than most.
func (i *imageEntries) lookUp(ctx context.Context, e *Engine, env string, paths map[string]bool, most int) (map[string]*tar.Header, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var missing []string
	for p := range paths {
		if _, known := i.found[p]; !known {
			missing = append(missing, p)
		}
	}
	slices.Sort(missing) // a directory comes before what is in it
	if len(missing) > 0 {
		if err := i.read(ctx, e, env, missing, most); err != nil {
			return nil, err
		}
	}
	out := map[string]*tar.Header{}
	for p := range paths {
		out[p] = i.found[p]
	}
	return out, nil
}

func (i *imageEntries) read(ctx context.Context, e *Engine, env string, paths []string, most int) error {
	r, err := e.create(ctx, client.ContainerCreateOptions{
		Config: &apicontainer.Config{Image: i.image, Cmd: []string{"-"}, Labels: helperLabels(env)},
	})
	if err != nil {
		return err
	}
	defer e.removeHelper(ctx, container.ID(r.ID))
	for _, p := range paths {
		parent, known := i.found[path.Dir(p)]
		if known && (parent == nil || parent.Typeflag != tar.TypeDir) {
			i.found[p] = nil
			continue
		}
		if most--; most < 0 {
			return unsupported("too much of %s would have to be looked at", i.image)
		}
		if i.found[p], err = e.entry(ctx, r.ID, p); err != nil {
			return err
		}
	}
	return nil
}

// entry is what a container has at a path, nil when that is nothing. The engine
// would send all that is below it; the first header is enough.
func (e *Engine) entry(ctx context.Context, id, path string) (*tar.Header, error) {
	r, err := e.client.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: path})
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Content.Close()
	h, err := tar.NewReader(r.Content).Next()
	if errors.Is(err, io.EOF) {
		return nil, io.ErrUnexpectedEOF
	}
	return h, err
}
