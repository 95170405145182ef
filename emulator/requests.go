package emulator

import (
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/core"
)

// ApplyRequest asks for an app to become what App says, as a PUT to ARM does.
type ApplyRequest struct {
	// App is the whole definition, validated and with defaults applied.
	App aca.ContainerApp `json:"app"`
	// HostPort is the loopback port of an app with external ingress; 0 lets
	// the emulator keep the port it has, or choose a free one.
	HostPort int `json:"hostPort,omitempty"`
	// LocalImages are the images that were built here and must not be
	// pulled.
	LocalImages []string `json:"localImages,omitempty"`
	// Directories are those of this machine that the app uses.
	Directories Directories `json:"directories,omitzero"`
	// SecretValues are what references to a key vault stand for, by the name of
	// the secret: no key vault is asked.
	SecretValues map[string]string `json:"secretValues,omitempty"`
	// Resiliency is the app's resiliency policy, nil for none. It is a resource
	// of its own on Azure: no revision comes of a change to it.
	Resiliency *aca.ResiliencyPolicy `json:"resiliency,omitempty"`
	// Telemetry is what the environment says about telemetry. It is no part of
	// the app: a change of the variables that come of it replaces the replicas
	// and makes no revision.
	Telemetry aca.EnvironmentTelemetry `json:"telemetry,omitzero"`
	// KeepLocal keeps what a definition that comes by ARM lacks, when the app is
	// there already: its local port, which images are local, the directories of
	// this machine, the values of references to a key vault, the resiliency policy,
	// and what the environment says about telemetry.
	KeepLocal bool `json:"keepLocal,omitempty"`
	// DryRun computes the plan and changes nothing.
	DryRun bool `json:"dryRun,omitempty"`

	edit bool // the definition was read and changed
}

// Directories are the directories of this machine that an app uses. What no
// directory stands for lives in volumes of the container engine: for a storage
// it is one volume that all apps share, removed with the environment. Paths are
// absolute, and exist. A change replaces the replicas and makes no revision.
type Directories struct {
	// Volumes stand for volumes of the template, by volume name.
	Volumes map[string]string `json:"volumes,omitempty"`
	// Storages stand for storages of the environment, by storageName; for a
	// volume that is in Volumes as well, that one counts.
	Storages map[string]string `json:"storages,omitempty"`
	// Mounts are further directories and files.
	Mounts []DirectoryMount `json:"mounts,omitempty"`
	// ReadOnlyStorages are the storages of the access mode ReadOnly.
	ReadOnlyStorages []string `json:"readOnlyStorages,omitempty"`
}

// DirectoryMount puts a directory or file of this machine into a container, in
// the place of a volume that is mounted at the same path.
type DirectoryMount struct {
	// Container is its name.
	Container string `json:"container"`
	// Source is the path on this machine, Target the one in the container.
	Source   string `json:"source"`
	Target   string `json:"target"`
	ReadOnly bool   `json:"readOnly,omitempty"`
}

// toCore is d in the words of the core.
func (d Directories) toCore() core.Directories {
	out := core.Directories{Volumes: d.Volumes, Storages: d.Storages, ReadOnlyStorages: d.ReadOnlyStorages}
	for _, m := range d.Mounts {
		out.Mounts = append(out.Mounts, core.DirectoryMount(m))
	}
	return out
}

// directoriesOf is the inverse of toCore.
func directoriesOf(d core.Directories) Directories {
	out := Directories{Volumes: d.Volumes, Storages: d.Storages, ReadOnlyStorages: d.ReadOnlyStorages}
	for _, m := range d.Mounts {
		out.Mounts = append(out.Mounts, DirectoryMount(m))
	}
	return out
}

// Applied is the answer to an ApplyRequest. As on ACA it comes before the
// revision is ready.
type Applied struct {
	// Revision is the latest revision after the change.
	Revision string `json:"revision"`
	// NewRevision says that the change made Revision.
	NewRevision bool `json:"newRevision"`
	// Plan says what will be done and why, one step a line.
	Plan string `json:"plan"`
}

// ExecTarget names a container to run a command in. Empty fields mean the
// latest active revision, its first replica and its first container.
type ExecTarget struct {
	App, Revision, Replica, Container string
}
