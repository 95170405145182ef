package emulator

import "github.com/acalocal/acalocal/emulator/aca"

// ApplyRequest asks for an app to become what App says, as a PUT to ARM does.
type ApplyRequest struct {
	// App is the whole definition, validated and with defaults applied.
	App aca.ContainerApp
	// HostPort is the loopback port of an app with external ingress; 0 lets
	// the emulator keep the port it has, or choose a free one.
	HostPort int
	// LocalImages are the images that were built here and must not be
	// pulled.
	LocalImages []string
	// DryRun computes the plan and changes nothing.
	DryRun bool
}

// Applied is the answer to an ApplyRequest. As on ACA it comes before the
// revision is ready.
type Applied struct {
	// Revision is the latest revision after the change.
	Revision string
	// NewRevision says that the change made Revision.
	NewRevision bool
	// Plan says what will be done and why, one step a line.
	Plan string
}

// ExecTarget names a container to run a command in. Empty fields mean the
// latest active revision, its first replica and its first container.
type ExecTarget struct {
	App, Revision, Replica, Container string
}
