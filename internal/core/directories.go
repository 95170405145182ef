package core

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// Directories are the directories of this machine that an app uses: in the
// place of volumes and of the environment's storages, and beside them. They are
// no part of its template, so no revision comes of a change to them. Paths are
// absolute.
type Directories struct {
	Volumes  map[string]string `json:"volumes,omitempty"`  // by volume name; they win over Storages
	Storages map[string]string `json:"storages,omitempty"` // by storageName
	Mounts   []DirectoryMount  `json:"mounts,omitempty"`
	// ReadOnlyStorages may not be written to, by storageName.
	ReadOnlyStorages []string `json:"readOnlyStorages,omitempty"`
}

// DirectoryMount puts a directory or file of this machine into a container.
type DirectoryMount struct {
	Container string `json:"container"`
	Source    string `json:"source"`
	Target    string `json:"target"`
	ReadOnly  bool   `json:"readOnly,omitempty"`
}

// of is the directory that stands for a volume, "" when none does.
func (d Directories) of(v *aca.Volume) string {
	if dir := d.Volumes[v.Name]; dir != "" || v.StorageName == "" {
		return dir
	}
	return d.Storages[v.StorageName]
}

// more are the further mounts of a container. One at the path of a volume takes
// its place: it says what is wanted on this machine.
func (d Directories) more(name string, mounts []container.Mount) []container.Mount {
	for _, m := range d.Mounts {
		if m.Container != name {
			continue
		}
		mounts = slices.DeleteFunc(mounts, func(other container.Mount) bool { return other.Target == m.Target })
		mounts = append(mounts, container.Mount{Type: container.MountBind, Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly})
	}
	return mounts
}

// digest tells two sets of directories apart, "" for none.
func (d Directories) digest() string {
	if len(d.Volumes) == 0 && len(d.Storages) == 0 && len(d.Mounts) == 0 && len(d.ReadOnlyStorages) == 0 {
		return ""
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic("bug: directories cannot be written: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// readOnly says that a volume is mounted read-only: its storage has the access
// mode ReadOnly, or it has the one mount option of SMB and NFS that means the
// same for a local directory
// (learn.microsoft.com/azure/container-apps/storage-mounts).
func (d Directories) readOnly(v *aca.Volume) bool {
	if slices.Contains(d.ReadOnlyStorages, v.StorageName) {
		return true
	}
	return slices.ContainsFunc(strings.Split(v.MountOptions, ","), func(o string) bool { return strings.TrimSpace(o) == "ro" })
}
