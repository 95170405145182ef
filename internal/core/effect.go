package core

import (
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/scale"
	"github.com/acalocal/acalocal/probes"
)

// Effect is one order to the world outside.
type Effect interface{ effect() }

// RunOp orders one operation of the container engine.
type RunOp struct{ Op Op }

// Relist asks for a Listed; several in one go are one.
type Relist struct{}

// SetProbes replaces the set of probes that should run.
type SetProbes struct{ Targets []probes.Target }

// SetTriggers replaces the set of triggers whose metrics should be read.
type SetTriggers struct{ Triggers []scale.Trigger }

// PublishTable replaces the routing.
type PublishTable struct{ Table ingress.Table }

// Drain asks for DrainFinished once no request to the replica is in flight. A
// table without it was published before.
type Drain struct{ Replica string }

// Sever closes what is still open to a replica when its grace is over: upgraded
// and raw connections, whose end nobody else knows.
type Sever struct{ Replica string }

// FollowLogs asks for the output of a container to be stored, from where
// storing it last stopped, and for LogsStored at its end.
type FollowLogs struct {
	Key   container.Key
	ID    container.ID
	Image string // as the user named it
}

// ScanListeners asks for the listening sockets of a replica.
type ScanListeners struct {
	Replica string
	Holder  container.ID
}

// WatchListeners asks for ListenersSeen whenever the listening sockets of a
// replica change, until it is ready or gone.
type WatchListeners struct {
	Replica string
	Holder  container.ID
}

// SystemLog is one row of the platform's own log.
type SystemLog struct {
	Time                   time.Time
	Warning                bool
	App, Revision, Replica string // "" where not applicable
	Reason, Source, Msg    string
	Count                  int
}

// EmitSystemLog writes one row.
type EmitSystemLog struct{ Row SystemLog }

// SetTimer asks for TimerFired at a time. It replaces the timer set before;
// the zero time clears it.
type SetTimer struct{ At time.Time }

// SaveApp keeps what a daemon needs to carry on with an app after a crash.
type SaveApp struct{ App SavedApp }

// ForgetApp drops what SaveApp kept.
type ForgetApp struct{ App string }

// SaveRouteConfigs keeps the route configs of the environment, all of them;
// none are to be forgotten.
type SaveRouteConfigs struct{ Configs []aca.HTTPRouteConfig }

// Finished says that a shutdown is complete: nothing of ours is left.
type Finished struct{}

func (SaveRouteConfigs) effect() {}
func (RunOp) effect()            {}
func (Relist) effect()           {}
func (SetProbes) effect()        {}
func (SetTriggers) effect()      {}
func (PublishTable) effect()     {}
func (Drain) effect()            {}
func (Sever) effect()            {}
func (FollowLogs) effect()       {}
func (ScanListeners) effect()    {}
func (WatchListeners) effect()   {}
func (EmitSystemLog) effect()    {}
func (SetTimer) effect()         {}
func (SaveApp) effect()          {}
func (ForgetApp) effect()        {}
func (Finished) effect()         {}

// SavedApp is an app without the values of its secrets, and its revisions.
type SavedApp struct {
	App        aca.ContainerApp         `json:"app"`
	HostPort   int                      `json:"hostPort,omitempty"`
	Local      []string                 `json:"localImages,omitempty"`
	Dirs       Directories              `json:"directories,omitzero"`
	Created    time.Time                `json:"created"`
	Modified   time.Time                `json:"modified,omitzero"` // zero in files of earlier versions
	Made       int                      `json:"made"`
	Serving    string                   `json:"serving,omitempty"`
	Secrets    string                   `json:"secrets,omitempty"` // digest of the values
	Removed    bool                     `json:"removed,omitempty"` // it is being taken down
	Stopped    bool                     `json:"stopped,omitempty"` // by the user, until started again
	Pending    bool                     `json:"restartPending,omitempty"`
	Unresolved []string                 `json:"unresolvedSecrets,omitempty"`
	Resiliency *aca.ResiliencyPolicy    `json:"resiliency,omitempty"`
	Telemetry  aca.EnvironmentTelemetry `json:"telemetry,omitzero"`
	Revisions  []SavedRevision          `json:"revisions"`
}

// SavedRevision is a revision without its replicas.
type SavedRevision struct {
	Name      string       `json:"name"`
	Created   time.Time    `json:"created"`
	Since     time.Time    `json:"since,omitzero"` // activated; zero when it never was again
	Left      time.Time    `json:"left,omitzero"`  // deactivated
	Health    string       `json:"health,omitempty"`
	Active    bool         `json:"active"`
	EverReady bool         `json:"everReady,omitempty"`
	Restarts  int          `json:"restarts,omitempty"`
	Template  aca.Template `json:"template"`
}
