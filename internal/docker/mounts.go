package docker

import (
	"context"
	"path"
	"path/filepath"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client/pkg/versions"

	"github.com/acalocal/acalocal/internal/container"
)

// mountSet is the two ways in which an engine takes mounts.
type mountSet struct {
	binds  []string
	mounts []mount.Mount
}

// mounts translates the mounts of a container, and makes the volumes in them.
func (e *Engine) mounts(ctx context.Context, s container.Spec) (mountSet, error) {
	var set mountSet
	for i, m := range s.Mounts {
		if err := e.addMount(ctx, &set, s, i, m); err != nil {
			return mountSet{}, err
		}
	}
	return set, nil
}

func (e *Engine) addMount(ctx context.Context, set *mountSet, s container.Spec, i int, m container.Mount) error {
	switch {
	case m.Type == container.MountBind:
		set.mounts = append(set.mounts, mount.Mount{
			Type: mount.TypeBind, Source: filepath.Join(m.Source, filepath.FromSlash(m.SubPath)),
			Target: m.Target, ReadOnly: m.ReadOnly,
		})
		return nil
	case m.Type == container.MountVolume:
		name := volumeName(s.Env, m.Source)
		if err := e.ensureVolume(ctx, name, volumeLabels(s, m)); err != nil {
			return err
		}
		if sub := path.Clean("/" + m.SubPath); sub != "/" {
			if err := e.makeSubPath(ctx, name, s.Env, sub); err != nil {
				return err
			}
		}
		return e.mountVolume(ctx, set, name, m)
	case m.Type == container.MountTmpfs && len(m.Files) == 0:
		set.mounts = append(set.mounts, mount.Mount{Type: mount.TypeTmpfs, Target: m.Target, ReadOnly: m.ReadOnly})
		return nil
	case m.Type == container.MountTmpfs:
		name := filesVolume(s, i)
		if err := e.fillFiles(ctx, name, fileLabels(s), m.Files); err != nil {
			return err
		}
		return e.mountVolume(ctx, set, name, m)
	}
	return container.Errorf(container.CodeMount, "", "mount %s: unknown type %q", m.Target, m.Type)
}

// subpathVersion is the first API version that mounts a part of a volume.
const subpathVersion = "1.45"

// mountVolume mounts a volume that exists. What the image has in its place is
// hidden, not copied, as on ACA.
func (e *Engine) mountVolume(ctx context.Context, set *mountSet, name string, m container.Mount) error {
	if m.SubPath == "" || versions.GreaterThanOrEqualTo(e.client.ClientVersion(), subpathVersion) {
		set.mounts = append(set.mounts, mount.Mount{
			Type: mount.TypeVolume, Source: name, Target: m.Target, ReadOnly: m.ReadOnly,
			VolumeOptions: &mount.VolumeOptions{NoCopy: true, Subpath: m.SubPath},
		})
		return nil
	}
	// An older engine mounts only whole volumes, but says where they lie.
	point, err := e.mountpoint(ctx, name)
	if err != nil {
		return err
	}
	if point == "" {
		return container.Errorf(container.CodeMount, "upgrade Docker to 26 or later",
			"mount %s: this engine cannot mount a part of volume %s", m.Target, name)
	}
	bind := path.Join(point, path.Join("/", m.SubPath)) + ":" + m.Target
	if m.ReadOnly {
		bind += ":ro"
	}
	set.binds = append(set.binds, bind)
	return nil
}
