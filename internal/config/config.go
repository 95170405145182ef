// Package config reads the definition of apps from the files people already
// have and turns it into the values of package aca, with a position for
// everything that is wrong.
//
// Load looks, in this order, at what it is given:
//
//	a file         an ACA YAML (or its JSON), a Dockerfile, or an acalocal.yaml
//	a directory    acalocal.yaml with files:, else the first of fileNames, else
//	               a Dockerfile
//	flags only     Overrides.Image
//
// The ACA file stays deployable unchanged: what only matters on this machine
// stands in acalocal.yaml beside it (see docs/acalocal-yaml.md).
package config

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/logsink/kql"
)

// Definition is one environment and its apps, ready to run. Load returns it
// fresh; the caller owns it.
type Definition struct {
	Environment Environment
	Apps        []App    // in the order of the files
	Jobs        []Job    // in the order of the files; they are checked, not run
	Files       []string // every file read, for those who watch for changes
}

// App finds an app by name.
func (d *Definition) App(name string) (app *App, ok bool) {
	for i := range d.Apps {
		if d.Apps[i].Name == name {
			return &d.Apps[i], true
		}
	}
	return nil, false
}

// Environment is what the apps run in.
type Environment struct {
	Name string // local name: one network, one default domain "<name>.localhost"
	// OTLPEndpoint is the base URL of a collector that gets all log rows, or "".
	OTLPEndpoint string
	// IngestionDelay is how old a row is when queries first find it.
	IngestionDelay time.Duration
	// UploadTimes shows when Azure's collector would have sent a row.
	UploadTimes bool
	// StrictTables lets a _CL table exist only from its first row on.
	StrictTables bool
	// QueryLimits are how much queries are answered; what is 0 has its default.
	QueryLimits kql.Limits
	Storages    map[string]string       // directories for storages of the environment, by storage name, absolute
	Resource    *aca.ManagedEnvironment // as the file has it; nil when no file does

	RouteConfigs     []RouteConfig // in the order of the files
	StorageResources []Storage     // as the files have them

	tree *tree // of the resource's document
}

// DynamicJSONColumns reports whether the environment's Log Analytics workspace has
// the fields of JSON lines as columns. Other destinations of logs know no such thing.
func (e *Environment) DynamicJSONColumns() bool {
	if e.Resource == nil || e.Resource.Properties.AppLogsConfiguration == nil {
		return false
	}
	logs := e.Resource.Properties.AppLogsConfiguration
	return logs.Destination == "log-analytics" && logs.LogAnalyticsConfiguration != nil && logs.LogAnalyticsConfiguration.DynamicJSONColumns
}

// App is one app with what only matters on this machine.
type App struct {
	aca.ContainerApp // as the files, acalocal.yaml and flags say; ApplyDefaults has not run

	Builds     map[string]Build // by container: images made here instead of pulled
	Resiliency *Resiliency      // nil without a policy
	Local      Local
	Source     string // the file it comes from, "" for flags alone

	origin origins
}

// Job is one job of the environment.
type Job struct {
	aca.Job
	origin origins
}

// Build says how to make the image of a container.
type Build struct {
	Context    string            // directory, absolute
	Dockerfile string            // absolute
	Target     string            // stage, "" for the last
	Args       map[string]string // build arguments
	Secrets    []BuildSecret
}

// BuildSecret is handed to the build and not kept in the image. Exactly one of
// File and Env is set.
type BuildSecret struct {
	ID   string
	File string // absolute
	Env  string // a variable of the environment of the command
}

// Local is what acalocal.yaml says about an app.
type Local struct {
	HostPort int               // loopback port that stands for the app's https address; 0 means any
	Volumes  map[string]string // directories for volumes, by volume name, absolute
	Storages map[string]string // directories for storages its volumes are of, by storage name, absolute
	Mounts   []Mount           // further directories of this machine

	ReadOnlyStorages []string             // storages its volumes are of that the environment lets nobody write to
	Secrets          map[string]Sensitive // values of secrets, by name

	Telemetry aca.EnvironmentTelemetry // what the environment's definition says about it
}

// Mount puts a directory or file of this machine into a container.
type Mount struct {
	Container string // name
	Source    string // absolute
	Target    string // absolute, in the container
	ReadOnly  bool
}

// Sensitive is text that must not be shown. Only Reveal gives it away; every
// way of printing it gives "***".
type Sensitive struct{ value string }

// Secret wraps text that must not be shown.
func Secret(value string) Sensitive { return Sensitive{value} }

// Reveal is the text itself.
func (s Sensitive) Reveal() string { return s.value }

const redacted = "***"

// Format writes "***" for every verb.
func (Sensitive) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // a fmt.State has nowhere to report to

// MarshalText is "***".
func (Sensitive) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// SecretValue is the value of a secret of the app: the local one, else that of
// the file. ok is false when it has none, as for a key vault reference that
// acalocal.yaml says nothing about.
func (a *App) SecretValue(name string) (value Sensitive, ok bool) {
	if v, ok := a.Local.Secrets[name]; ok {
		return v, true
	}
	for _, s := range a.Properties.Configuration.Secrets {
		if s.Name == name && s.Value != "" {
			return Sensitive{s.Value}, true
		}
	}
	return Sensitive{}, false
}

// Origin says where the value at a path came from.
type Origin struct {
	Kind     OriginKind
	Position Position // for OriginFile and OriginLocal
}

// OriginKind is the kind of place a value comes from.
type OriginKind string

// The kinds, in order of precedence: a flag wins over acalocal.yaml, which wins
// over the definition.
const (
	OriginFlag       OriginKind = "flag"
	OriginLocal      OriginKind = "acalocal.yaml"
	OriginFile       OriginKind = "file"
	OriginDockerfile OriginKind = "Dockerfile"
	OriginDirectory  OriginKind = "directory name"
	OriginDefault    OriginKind = "default"
)

// Origin says where the value at path ("properties.template.containers[0].image")
// came from. What no file or flag gave is OriginDefault.
func (a *App) Origin(path string) Origin { return a.origin.of(path) }

func (o *origins) of(path string) Origin {
	if origin, ok := o.set[strings.ToLower(path)]; ok {
		return origin
	}
	if o.tree != nil {
		if p, ok := o.tree.place(path); ok {
			return Origin{Kind: OriginFile, Position: p.value}
		}
	}
	return Origin{Kind: OriginDefault}
}

// origins remembers where values came from.
type origins struct {
	tree   *tree             // of the document, nil when there is none
	source *sourceFile       // its file, nil when there is none
	set    map[string]Origin // what did not come from the document
	pulled map[string]bool   // containers that are not to be built
}

func (o *origins) note(path aca.Path, origin Origin) {
	if o.set == nil {
		o.set = map[string]Origin{}
	}
	o.set[strings.ToLower(string(path))] = origin
}
