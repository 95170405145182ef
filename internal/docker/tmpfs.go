package docker

import (
	"github.com/moby/moby/api/types/mount"

	"github.com/acalocal/acalocal/internal/container"
)

// tmpfsMount is an empty memory file system.
func tmpfsMount(_ container.Spec, m container.Mount) mountSpec {
	return mountSpec{Type: mount.TypeTmpfs, Target: m.Target, ReadOnly: m.ReadOnly}
}
