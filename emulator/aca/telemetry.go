package aca

import (
	"fmt"
	"slices"
	"strings"
)

// AppInsightsConfiguration names the Application Insights resource that the
// managed OpenTelemetry agent of an environment sends to. It is a destination
// only: apps do not get the connection string
// (https://learn.microsoft.com/azure/container-apps/opentelemetry-agents).
type AppInsightsConfiguration struct {
	ConnectionString string `json:"connectionString,omitempty"`
}

// OpenTelemetryConfiguration says where the managed OpenTelemetry agent of an
// environment sends what apps send to it.
type OpenTelemetryConfiguration struct {
	DestinationsConfiguration *DestinationsConfiguration `json:"destinationsConfiguration,omitempty"`
	TracesConfiguration       *TracesConfiguration       `json:"tracesConfiguration,omitempty"`
	LogsConfiguration         *LogsConfiguration         `json:"logsConfiguration,omitempty"`
	MetricsConfiguration      *MetricsConfiguration      `json:"metricsConfiguration,omitempty"`
}

// DestinationsConfiguration are the destinations of an agent beside Application
// Insights.
type DestinationsConfiguration struct {
	DataDogConfiguration *DataDogConfiguration `json:"dataDogConfiguration,omitempty"`
	OTLPConfigurations   []OTLPConfiguration   `json:"otlpConfigurations,omitempty"`
}

// DataDogConfiguration is an account of Datadog. Key is never answered.
type DataDogConfiguration struct {
	Site string `json:"site,omitempty"`
	Key  string `json:"key,omitempty"`
}

// OTLPConfiguration is an endpoint that takes OTLP.
type OTLPConfiguration struct {
	Name     string       `json:"name,omitempty"`
	Endpoint string       `json:"endpoint,omitempty"`
	Insecure bool         `json:"insecure,omitempty"`
	Headers  []OTLPHeader `json:"headers,omitempty"`
}

// OTLPHeader goes with everything that is sent to an endpoint. Value is never
// answered.
type OTLPHeader struct {
	Key   string `json:"key,omitempty"`
	Value string `json:"value,omitempty"`
}

// TracesConfiguration names the destinations of traces.
type TracesConfiguration struct {
	IncludeDapr  bool     `json:"includeDapr,omitempty"`
	Destinations []string `json:"destinations,omitempty"`
}

// LogsConfiguration names the destinations of logs.
type LogsConfiguration struct {
	Destinations []string `json:"destinations,omitempty"`
}

// MetricsConfiguration names the destinations of metrics.
type MetricsConfiguration struct {
	IncludeKeda  bool     `json:"includeKeda,omitempty"`
	Destinations []string `json:"destinations,omitempty"`
}

// The destinations that have a name of their own.
const (
	destinationAppInsights = "appInsights"
	destinationDataDog     = "dataDog"
)

// signal is one kind of telemetry with the names of its destinations.
type signal struct {
	name, field  string // "traces", "tracesConfiguration"
	destinations []string
}

func (c *OpenTelemetryConfiguration) signals() []signal {
	out := []signal{{"traces", "tracesConfiguration", nil}, {"logs", "logsConfiguration", nil}, {"metrics", "metricsConfiguration", nil}}
	if c == nil {
		return out
	}
	if c.TracesConfiguration != nil {
		out[0].destinations = c.TracesConfiguration.Destinations
	}
	if c.LogsConfiguration != nil {
		out[1].destinations = c.LogsConfiguration.Destinations
	}
	if c.MetricsConfiguration != nil {
		out[2].destinations = c.MetricsConfiguration.Destinations
	}
	return out
}

// validateTelemetry warns of destinations that nothing will reach.
func (p *EnvironmentProperties) validateTelemetry(ps *problems) {
	c := p.OpenTelemetryConfiguration
	if c == nil {
		return
	}
	known := []string{destinationAppInsights, destinationDataDog}
	has := map[string]bool{destinationAppInsights: p.AppInsightsConfiguration != nil}
	if d := c.DestinationsConfiguration; d != nil {
		has[destinationDataDog] = d.DataDogConfiguration != nil
		for _, o := range d.OTLPConfigurations {
			known, has[o.Name] = append(known, o.Name), true
		}
	}
	for _, s := range c.signals() {
		for i, name := range s.destinations {
			path := Path("properties.openTelemetryConfiguration").Field(s.field).Field("destinations").Index(i)
			switch {
			case !slices.Contains(known, name):
				ps.warnf(path, "no destination is called %q; known are %s", clip(name), strings.Join(known, ", "))
			case s.name == "metrics" && name == destinationAppInsights:
				ps.warnf(path, "Application Insights takes no metrics from the OpenTelemetry agent")
			case s.name == "logs" && name == destinationDataDog:
				ps.warnf(path, "Datadog takes no logs from the OpenTelemetry agent")
			case !has[name]:
				ps.warnf(path, "the destination %q is not configured", name)
			}
		}
	}
}

// EnvironmentTelemetry is what the definition of an environment says about the
// telemetry of its apps, as far as they notice it. The zero value is an
// environment without a managed OpenTelemetry agent.
type EnvironmentTelemetry struct {
	// AppInsights says that the environment names an Application Insights
	// resource; apps do not get its connection string. The string itself is
	// write-only on Azure, so an exported definition lacks it.
	AppInsights bool `json:"appInsights,omitempty"`
	// Agent says that there is a managed OpenTelemetry agent; Traces, Logs and
	// Metrics that it has a destination for them.
	Agent   bool `json:"agent,omitempty"`
	Traces  bool `json:"traces,omitempty"`
	Logs    bool `json:"logs,omitempty"`
	Metrics bool `json:"metrics,omitempty"`
	// Strict leaves out the variables that SDKs read by themselves, as
	// environments were seen to do that have the others.
	Strict bool `json:"strict,omitempty"`
}

// Telemetry is what the environment says about the telemetry of its apps.
func (p *EnvironmentProperties) Telemetry() EnvironmentTelemetry {
	t := EnvironmentTelemetry{AppInsights: p.AppInsightsConfiguration != nil}
	if c := p.OpenTelemetryConfiguration; c != nil {
		s := c.signals()
		t.Agent, t.Traces, t.Logs, t.Metrics = true, len(s[0].destinations) > 0, len(s[1].destinations) > 0, len(s[2].destinations) > 0
	}
	return t
}

// Where apps of an environment find its managed OpenTelemetry agent. It takes
// OTLP over gRPC only.
const (
	OpenTelemetryAgentHost = "otel.service.k8se-apps"
	OpenTelemetryAgentPort = 4317
)

// The variables that lead SDKs of OpenTelemetry to an endpoint.
const (
	OTLPEndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT"
	OTLPProtocolVariable = "OTEL_EXPORTER_OTLP_PROTOCOL"
)

// Env are the variables that lead apps to the agent, none while it has no
// destination. The documentation gives the ones for a single kind of telemetry
// the port 43178; environments were seen to have 4317 in all of them.
func (t EnvironmentTelemetry) Env() []EnvVar {
	base := fmt.Sprintf("http://%s:%d/", OpenTelemetryAgentHost, OpenTelemetryAgentPort)
	var env []EnvVar
	if !t.Strict && (t.Traces || t.Logs || t.Metrics) {
		env = append(env, EnvVar{Name: OTLPEndpointVariable, Value: base}, EnvVar{Name: OTLPProtocolVariable, Value: "grpc"})
	}
	for _, of := range []struct {
		set        bool
		name, path string
	}{
		{t.Traces, "CONTAINERAPP_OTEL_TRACING_GRPC_ENDPOINT", "v1/traces/"},
		{t.Logs, "CONTAINERAPP_OTEL_LOGGING_GRPC_ENDPOINT", "v1/logs/"},
		{t.Metrics, "CONTAINERAPP_OTEL_METRIC_GRPC_ENDPOINT", "v1/metrics/"},
	} {
		if of.set {
			env = append(env, EnvVar{Name: of.name, Value: base + of.path})
		}
	}
	return env
}
