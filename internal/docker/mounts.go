package docker

import (
	"context"
	"path"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"

	"github.com/acalocal/acalocal/internal/container"
)

type mountSpec = mount.Mount

// subpathVersion is the first API version that mounts a part of a volume.
const subpathVersion = "1.45"

// mounts translates the mounts of a container.
func (e *Engine) mounts(ctx context.Context, s container.Spec) (mountSet, error) {
	var set mountSet
	for _, m := range s.Mounts {
		switch m.Type {
		case container.MountBind:
			set.mounts = append(set.mounts, mountSpec{
				Type: mount.TypeBind, Source: hostPath(m.Source, m.SubPath), Target: m.Target, ReadOnly: m.ReadOnly,
			})
		case container.MountTmpfs:
			set.mounts = append(set.mounts, tmpfsMount(s, m))
		case container.MountVolume:
			if err := e.volumeMount(ctx, &set, s.Env, m); err != nil {
				return mountSet{}, err
			}
		default:
			return mountSet{}, container.Errorf(container.CodeMount, "", "mount %s: unknown type %q", m.Target, m.Type)
		}
	}
	return set, nil
}

// volumeMount mounts a named volume, which the engine makes when it is missing,
// with our label so that it goes with the environment.
func (e *Engine) volumeMount(ctx context.Context, set *mountSet, env string, m container.Mount) error {
	labels := map[string]string{container.LabelEnv: env, container.LabelSchema: container.SchemaVersion}
	if m.SubPath == "" || versions.GreaterThanOrEqualTo(e.client.ClientVersion(), subpathVersion) {
		set.mounts = append(set.mounts, mountSpec{
			Type: mount.TypeVolume, Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly,
			VolumeOptions: &mount.VolumeOptions{Labels: labels, Subpath: m.SubPath},
		})
		return nil
	}
	// An older engine mounts only whole volumes, but says where they lie.
	v, err := e.client.VolumeCreate(ctx, client.VolumeCreateOptions{Name: m.Source, Labels: labels})
	if err != nil {
		return e.wrap(err, "make volume %s", m.Source)
	}
	if v.Volume.Mountpoint == "" {
		return container.Errorf(container.CodeMount, "upgrade Docker to 26 or later",
			"mount %s: this engine cannot mount a part of volume %s", m.Target, m.Source)
	}
	bind := path.Join(v.Volume.Mountpoint, path.Join("/", m.SubPath)) + ":" + m.Target
	if m.ReadOnly {
		bind += ":ro"
	}
	set.binds = append(set.binds, bind)
	return nil
}
