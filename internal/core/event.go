package core

import (
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/probes"
)

// Event is one fact. Its fields are not changed once it was handed over.
type Event interface{ apply(*State) }

// SpecChanged says what an app should be from now on. The definition is
// validated and has its defaults.
type SpecChanged struct {
	App      aca.ContainerApp
	HostPort int
	Local    []string // images built here, never pulled
	// Directories are those of this machine it uses.
	Directories Directories
	// Resiliency is its policy, nil for none.
	Resiliency *aca.ResiliencyPolicy
	// Telemetry is that of the environment.
	Telemetry aca.EnvironmentTelemetry
	// Edit is a change to what is there. A definition that comes whole wants the
	// app to run, so its latest revision is activated again; an edit leaves a
	// revision that was deactivated as it is.
	Edit bool
}

// SpecRemoved says that an app is no longer wanted.
type SpecRemoved struct{ App string }

// RestartRequested asks for new replicas of a revision, made before the old
// ones stop.
type RestartRequested struct{ App, Revision string }

// ActivationRequested activates or deactivates one revision.
type ActivationRequested struct {
	App, Revision string
	Active        bool
}

// RunningRequested stops or starts a whole app.
type RunningRequested struct {
	App     string
	Running bool
}

// Recovered brings back what SaveApp and SaveRouteConfigs saved, before the
// first Listed.
type Recovered struct {
	Apps         []SavedApp
	RouteConfigs []aca.HTTPRouteConfig
}

// Listed is every container of the environment as seen now.
type Listed struct {
	Statuses []container.Status
	Seq      uint64 // State.Seq when the listing began
	// Number grows with each listing, in the order in which they looked. One
	// that comes after a later one is dropped; 0 is never dropped.
	Number uint64
}

// OpFinished is the answer to RunOp. A nil Err says that the engine agreed;
// an error does not say that nothing happened.
type OpFinished struct {
	Op       OpID
	At       time.Time
	Image    container.Image // of a pull
	Duration time.Duration
	Err      error
}

// ProbeReported is a failed attempt or a crossed threshold.
type ProbeReported struct{ Report probes.Report }

// ListenersSeen is the answer to ScanListeners.
type ListenersSeen struct {
	Replica   string
	Listeners []container.Listener
	Err       error
}

// OOMSeen says that the kernel killed a process of a container for memory. The
// container itself may go on.
type OOMSeen struct{ Key container.Key }

// DrainFinished says that no request is in flight to a replica that left the
// table.
type DrainFinished struct{ Replica string }

// LogsStored says that all output of a container that ended is stored.
type LogsStored struct{ Key container.Key }

// TimerFired says that the time given by SetTimer has come.
type TimerFired struct{}

// ShutdownRequested asks for everything to be drained and removed.
type ShutdownRequested struct{}
