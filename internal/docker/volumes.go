package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// volumeName is the engine's name of a volume: those of two environments must
// not meet.
func volumeName(env, source string) string { return "acalocal-" + env + "-" + source }

// volumeLabels let a volume go with its environment. One that is named after
// the replica, an EmptyDir, goes with the replica's holder.
func volumeLabels(s container.Spec, m container.Mount) map[string]string {
	labels := map[string]string{container.LabelSchema: container.SchemaVersion, container.LabelEnv: s.Env}
	if strings.HasPrefix(m.Source, s.Key.Replica+".") {
		labels[container.LabelReplica] = s.Key.Replica
	}
	return labels
}

// fileLabels let the volume of a container's files go with the container.
func fileLabels(s container.Spec) map[string]string {
	return map[string]string{
		container.LabelSchema:    container.SchemaVersion,
		container.LabelEnv:       s.Env,
		container.LabelContainer: s.Key.Name(s.Env),
	}
}

// filesVolume names the volume of the files of a container's i-th mount.
func filesVolume(s container.Spec, i int) string {
	return fmt.Sprintf("%s.files%d", s.Key.Name(s.Env), i)
}

// ensureVolume makes a volume, if missing, that everyone may write to. That is
// how EmptyDir and Azure Files are mounted, so an image whose user is not root
// can use them; the engine's own volumes belong to root.
func (e *Engine) ensureVolume(ctx context.Context, name string, labels map[string]string) error {
	_, err := e.client.VolumeInspect(ctx, name, client.VolumeInspectOptions{})
	if err == nil {
		return nil
	}
	if !errdefs.IsNotFound(err) {
		return e.wrap(err, "make volume %s", name)
	}
	return e.fillVolume(ctx, name, labels, 0o777, nil)
}

// fillFiles makes a volume that holds files for everyone to read. It is on the
// engine's disk, where the engine keeps the environment variables of its
// containers as well, and is removed with the container: see decision 0602.
func (e *Engine) fillFiles(ctx context.Context, name string, labels map[string]string, files map[string][]byte) error {
	return e.fillVolume(ctx, name, labels, 0o755, files)
}

// fillRoot is where a volume is mounted to be filled.
const fillRoot = "/volume"

// fillVolume makes a volume with a mode and files, by way of a container that
// never runs: an engine copies into a volume only through one.
func (e *Engine) fillVolume(ctx context.Context, name string, labels map[string]string, mode int64, files map[string][]byte) (err error) {
	defer func() {
		if err != nil {
			err = e.wrap(err, "fill volume %s", name)
		}
	}()
	making, cancel := whole(ctx)
	defer cancel()
	if _, err := e.client.VolumeCreate(making, client.VolumeCreateOptions{Name: name, Labels: labels}); err != nil {
		return err
	}
	archive, err := directory(mode, files)
	if err != nil {
		return err
	}
	return e.copyIntoVolume(ctx, name, labels[container.LabelEnv], archive)
}

// makeSubPath makes a part of a volume that everyone may write to, as the
// volume itself: a kubelet makes what a subPath names, an engine only sometimes,
// and then for root alone. What is in a part that is there stays.
func (e *Engine) makeSubPath(ctx context.Context, name, env, sub string) error {
	archive, err := subPath(sub)
	if err == nil {
		err = e.copyIntoVolume(ctx, name, env, archive)
	}
	if err != nil {
		return e.wrap(err, "make %s in volume %s", sub, name)
	}
	return nil
}

// copyIntoVolume copies an archive of fillRoot into a volume.
func (e *Engine) copyIntoVolume(ctx context.Context, name, env string, archive io.Reader) error {
	c, err := e.createOurs(ctx, client.ContainerCreateOptions{
		Config: &apicontainer.Config{Labels: helperLabels(env)},
		HostConfig: &apicontainer.HostConfig{
			NetworkMode: "none",
			Mounts:      []mount.Mount{{Type: mount.TypeVolume, Source: name, Target: fillRoot}},
		},
	})
	if err != nil {
		return err
	}
	defer e.removeHelper(ctx, container.ID(c.ID))
	// From the root, because an engine leaves the mode of the directory alone
	// that it copies to.
	_, err = e.client.CopyToContainer(ctx, c.ID, client.CopyToContainerOptions{DestinationPath: "/", Content: archive})
	return err
}

// directory is an archive of fillRoot and the files in it.
func directory(mode int64, files map[string][]byte) (io.Reader, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: fillRoot[1:] + "/", Mode: mode, Typeflag: tar.TypeDir}); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.WriteHeader(&tar.Header{Name: path.Join(fillRoot[1:], name), Mode: 0o444, Size: int64(len(files[name])), Typeflag: tar.TypeReg}); err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	return &b, w.Close()
}

// subPath is an archive of the directories that lead to a part of fillRoot.
func subPath(sub string) (io.Reader, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	at := fillRoot[1:]
	for _, part := range strings.Split(strings.Trim(path.Clean("/"+sub), "/"), "/") {
		at = path.Join(at, part)
		if err := w.WriteHeader(&tar.Header{Name: at + "/", Mode: 0o777, Typeflag: tar.TypeDir}); err != nil {
			return nil, err
		}
	}
	return &b, w.Close()
}

// mountpoint is where the engine keeps a volume, "" when it does not say.
func (e *Engine) mountpoint(ctx context.Context, name string) (string, error) {
	v, err := e.client.VolumeInspect(ctx, name, client.VolumeInspectOptions{})
	if err != nil {
		return "", e.wrap(err, "look at volume %s", name)
	}
	return v.Volume.Mountpoint, nil
}

// removeVolumesOf removes the volumes that go with a container of ours.
func (e *Engine) removeVolumesOf(ctx context.Context, name string, labels map[string]string) error {
	if isHelper(labels) || labels[container.LabelEnv] == "" {
		return nil
	}
	what := container.LabelContainer + "=" + name
	if labels[container.LabelRole] == string(container.RoleHolder) {
		what = container.LabelReplica + "=" + labels[container.LabelReplica]
	}
	return e.removeVolumes(ctx, envFilter(labels[container.LabelEnv]).Add("label", what))
}

// removeVolumes removes the volumes a filter selects. One that is in use stays
// until the environment goes.
func (e *Engine) removeVolumes(ctx context.Context, filter client.Filters) error {
	list, err := e.client.VolumeList(ctx, client.VolumeListOptions{Filters: filter})
	if err != nil {
		return e.wrap(err, "list volumes")
	}
	var errs []error
	for _, v := range list.Items {
		_, err := e.client.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{Force: true})
		if err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, e.wrap(err, "remove volume %s", v.Name))
		}
	}
	return errors.Join(errs...)
}
