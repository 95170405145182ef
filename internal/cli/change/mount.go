package change

import (
	"errors"
	"fmt"
	"slices"

	"github.com/acalocal/acalocal/emulator/aca"
)

// MountSecrets returns the volumes and mounts with which a container that has
// the given ones has all secrets of its app below path: the volume of secrets
// it has moves there, without one it gets a new one. As with az, a container
// with other mounts is refused.
func MountSecrets(volumes []aca.Volume, mounts []aca.VolumeMount, path string) ([]aca.Volume, []aca.VolumeMount, error) {
	volumes, mounts = slices.Clone(volumes), slices.Clone(mounts)
	switch len(mounts) {
	case 0:
		name := secretVolumeName(volumes)
		return append(volumes, aca.Volume{Name: name, StorageType: "Secret"}), []aca.VolumeMount{{VolumeName: name, MountPath: path}}, nil
	case 1:
		i := volumeIndex(volumes, mounts[0].VolumeName)
		if i < 0 || volumes[i].StorageType != "Secret" {
			return nil, nil, fmt.Errorf("the container's mount %s is no volume of secrets", mounts[0].VolumeName)
		}
		mounts[0].MountPath = path
		return volumes, mounts, nil
	}
	return nil, nil, errors.New("the container has more than one mount")
}

// secretVolumeName is a name that no volume has.
func secretVolumeName(volumes []aca.Volume) string {
	name := "secret-volume"
	for n := 2; volumeIndex(volumes, name) >= 0; n++ {
		name = fmt.Sprintf("secret-volume-%d", n)
	}
	return name
}

func volumeIndex(volumes []aca.Volume, name string) int {
	return slices.IndexFunc(volumes, func(v aca.Volume) bool { return v.Name == name })
}
