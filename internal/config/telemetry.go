package config

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/telemetry/endpoint"
)

// applyTelemetry makes all apps send their telemetry to the environment, when a
// flag or acalocal.yaml says so. A connection string of the definition gives
// way, so that trying an app leaves no trace in the resource of a deployed one;
// a collector that it names stays.
func (l *loader) applyTelemetry() {
	from := Origin{Kind: OriginFlag}
	if !l.overrides.Telemetry {
		if l.local == nil || !l.local.Telemetry {
			return
		}
		place, _ := l.local.tree.place("telemetry")
		from = Origin{OriginLocal, place.value}
	}
	for i := range l.def.Apps {
		app := &l.def.Apps[i]
		for _, name := range containerNames(&app.ContainerApp) {
			c, at := findContainer(app, name)
			app.sendTelemetry(c, at, from)
		}
	}
}

// applyAgent tells all apps what the definition of the environment says about
// telemetry, so that they get the variables of its OpenTelemetry agent.
func (l *loader) applyAgent() {
	env := l.def.Environment.Resource
	if env == nil {
		return
	}
	t := env.Properties.Telemetry()
	t.Strict = t.Agent && (l.overrides.StrictOTel || l.local != nil && l.local.StrictOTel)
	for i := range l.def.Apps {
		l.def.Apps[i].Local.Telemetry = t
	}
}

// agentVariables are the variables that the environment's OpenTelemetry agent
// gives a container: those that it does not have already.
func (a *App) agentVariables(c *aca.Container) map[string]string {
	vars := map[string]string{}
	for _, v := range a.Local.Telemetry.Env() {
		if !slices.ContainsFunc(c.Env, func(own aca.EnvVar) bool { return own.Name == v.Name }) {
			vars[v.Name] = v.Value
		}
	}
	return vars
}

// agentOrigin is where the environment says that there is an agent.
func (e *Environment) agentOrigin() Origin {
	return Origin{Kind: OriginFile, Position: placeIn(e.tree, "properties.openTelemetryConfiguration")}
}

// applyOTLP takes the collector that acalocal.yaml names.
func (l *loader) applyOTLP(local *localFile) {
	if local.OTLPEndpoint == "" {
		return
	}
	if u, err := url.Parse(local.OTLPEndpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		l.localProblem(local, "otlpEndpoint", fmt.Sprintf("%q is not the URL of a collector", local.OTLPEndpoint), "for example http://localhost:4318")
		return
	}
	l.def.Environment.OTLPEndpoint = local.OTLPEndpoint
}

// sendTelemetry sets the variables that lead the SDKs in a container.
func (a *App) sendTelemetry(c *aca.Container, at aca.Path, from Origin) {
	set := func(name, value string) {
		i := slices.IndexFunc(c.Env, func(v aca.EnvVar) bool { return v.Name == name })
		if i >= 0 {
			c.Env[i].SecretRef = "" // ours is none, and a place for one would make it one
		}
		a.setEnv(c, at, aca.EnvVar{Name: name, Value: value}, from)
	}
	set(endpoint.ConnectionStringVariable, endpoint.ConnectionString(a.Name))
	if !slices.ContainsFunc(c.Env, func(v aca.EnvVar) bool { return v.Name == endpoint.OTLPVariable }) {
		set(endpoint.OTLPVariable, endpoint.OTLP(a.Name))
		set(endpoint.OTLPProtocolVariable, endpoint.OTLPProtocol)
	}
}

// MaxIngestionDelay is the longest delay of log rows that can be asked for.
const MaxIngestionDelay = 24 * time.Hour

// ParseIngestionDelay reads a delay of log rows, such as "2m".
func ParseIngestionDelay(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > MaxIngestionDelay {
		return 0, fmt.Errorf("%q is not a duration from 0s to 24h", s)
	}
	return d, nil
}

// applyLateTables takes how late acalocal.yaml wants rows and tables to be.
func (l *loader) applyLateTables(local *localFile) {
	l.def.Environment.StrictTables, l.def.Environment.UploadTimes = local.StrictTables, local.UploadTimes
	if local.IngestionDelay == "" {
		return
	}
	d, err := ParseIngestionDelay(local.IngestionDelay)
	if err != nil {
		l.localProblem(local, "ingestionDelay", err.Error(), "for example 2m")
		return
	}
	l.def.Environment.IngestionDelay = d
}
