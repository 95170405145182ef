package emulator

import (
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Snapshot is one immutable view of all state, as of one generation. Readers
// share it and must not change it.
type Snapshot struct {
	// Generation grows with every change; equal generations are equal.
	Generation  uint64 `json:"generation"`
	Environment string `json:"environment"`
	// Domain is the environment's default domain, "<environment>.localhost".
	Domain string `json:"defaultDomain"`
	// Edge is the address of the listener that stands for port 80.
	Edge string `json:"edge"`
	// SecureEdge is the address of the one that stands for port 443.
	SecureEdge string `json:"secureEdge,omitempty"`
	// API is the base URL of the local API and the pages, on loopback; "" when
	// there is none.
	API  string `json:"api,omitempty"`
	Apps []App  `json:"apps"`
	// RouteConfigs are the httpRouteConfigs of the environment, by name.
	RouteConfigs []RouteConfig `json:"httpRouteConfigs,omitempty"`
}

// RouteConfig is one route config as it is now, its read-only fields filled in.
type RouteConfig struct {
	aca.HTTPRouteConfig
	Local LocalRouteConfig `json:"local"`
}

// LocalRouteConfig is what exists only on this machine.
type LocalRouteConfig struct {
	// Problem is one sentence about what the route config names and is not
	// there; "" while there is nothing to say.
	Problem string `json:"problem,omitempty"`
}

// App is one app as it is now.
type App struct {
	// ContainerApp is the effective definition with its read-only fields
	// filled in and without the values of its secrets.
	aca.ContainerApp
	Local     LocalApp   `json:"local"`
	Revisions []Revision `json:"revisions"`
}

// LocalApp is what exists only on this machine.
type LocalApp struct {
	// URL and Port are the loopback address that stands for the app's
	// https address; empty and 0 without external ingress.
	URL  string `json:"url,omitempty"`
	Port int    `json:"port,omitempty"`
	// Ready says that requests are answered rather than held.
	Ready bool `json:"ready"`
	// Problem is one sentence saying why the latest revision is not ready or,
	// although it is, not reached;
	// "" while there is nothing to say.
	Problem string `json:"problem,omitempty"`
	// RestartPending says that a changed secret waits for a restart.
	RestartPending bool `json:"restartPending,omitempty"`
	// Telemetry is what the environment of its definition says about telemetry.
	Telemetry aca.EnvironmentTelemetry `json:"telemetry,omitzero"`
}

// Revision is one revision as it is now.
type Revision struct {
	aca.Revision
	// Serving is the share of the app's requests it really gets, in
	// percent; TrafficWeight is only the wish, as on ACA.
	Serving  int       `json:"serving"`
	Replicas []Replica `json:"replicas"`
}

// Replica is one replica as it is now.
type Replica struct {
	aca.Replica
	// Ready says that all containers are started and ready.
	Ready bool `json:"ready"`
	// Draining says that the replica is on its way out.
	Draining bool         `json:"draining"`
	Local    LocalReplica `json:"local"`
}

// LocalReplica is what the emulator knows of a replica beyond what ACA shows.
type LocalReplica struct {
	// Listening are the TCP sockets its processes listened on when last
	// looked at, by port. They are looked at when a container starts, when a
	// probe fails, and when the replica becomes ready.
	Listening []Listener `json:"listening,omitempty"`
	// Start is how long it took to become ready; nil until then, and of
	// replicas that an earlier daemon has made.
	Start *Start `json:"start,omitempty"`
	// Containers tell of ends and of memory, init containers first.
	Containers []LocalContainer `json:"containers"`
}

// Start is how long a replica took from being asked for to being ready, in four
// parts that follow each other, in seconds.
type Start struct {
	Schedule float64 `json:"scheduleSeconds"` // to decide
	Create   float64 `json:"createSeconds"`   // images, containers, init containers
	Boot     float64 `json:"bootSeconds"`     // the program's own, until it listened
	Probes   float64 `json:"probesSeconds"`
}

// Listener is one listening TCP socket of a replica.
type Listener struct {
	Port int `json:"port"`
	// Loopback says that only the replica itself can connect.
	Loopback bool `json:"loopback,omitempty"`
}

// LocalContainer is the past of one container of a replica.
type LocalContainer struct {
	Name string `json:"name"`
	// OOMKills counts processes of the container that the kernel killed for
	// memory, its first process or others. ACA shows neither.
	OOMKills int `json:"oomKills,omitempty"`
	// LastEnd is how the last attempt ended; nil before the first end.
	LastEnd *End `json:"lastEnd,omitempty"`
}

// End is one end of a container.
type End struct {
	Time time.Time `json:"time"`
	// Reason is ACA's: ProcessExited, ProbeFailure, ManuallyStopped,
	// ImagePullFailure, ContainerCreateFailure or VolumeMountFailure.
	Reason   string `json:"reason"`
	ExitCode int    `json:"exitCode"`
	// Detail is the engine's or the registry's own words, "" for a plain exit.
	Detail string `json:"detail,omitempty"`
	// Forced says that the container ignored its stop signal and was killed
	// when the grace period was over.
	Forced bool `json:"forced,omitempty"`
}

// replicas are the names of all replicas.
func (s *Snapshot) replicas() map[string]bool {
	names := map[string]bool{}
	for i := range s.Apps {
		for _, rev := range s.Apps[i].Revisions {
			for _, r := range rev.Replicas {
				names[r.Name] = true
			}
		}
	}
	return names
}

// App returns the app of that name, or nil.
func (s *Snapshot) App(name string) *App {
	for i := range s.Apps {
		if s.Apps[i].Name == name {
			return &s.Apps[i]
		}
	}
	return nil
}

// RouteConfig returns the route config of that name, or nil.
func (s *Snapshot) RouteConfig(name string) *RouteConfig {
	for i := range s.RouteConfigs {
		if s.RouteConfigs[i].Name == name {
			return &s.RouteConfigs[i]
		}
	}
	return nil
}

// Revision returns the revision of that name, or nil.
func (a *App) Revision(name string) *Revision {
	for i := range a.Revisions {
		if a.Revisions[i].Name == name {
			return &a.Revisions[i]
		}
	}
	return nil
}

// Replica returns the replica of that name, or nil.
func (r *Revision) Replica(name string) *Replica {
	for i := range r.Replicas {
		if r.Replicas[i].Name == name {
			return &r.Replicas[i]
		}
	}
	return nil
}
