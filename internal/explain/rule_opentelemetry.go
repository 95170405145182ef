package explain

import (
	"fmt"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// Variables of OpenTelemetry's SDKs, and the one of Container Apps that they do
// not read.
const (
	otlpTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	agentTraces        = "CONTAINERAPP_OTEL_TRACING_GRPC_ENDPOINT"
)

var (
	// toLocalhost is what SDKs say when they send to where they do without an
	// endpoint and nobody is.
	toLocalhost = lazyregexp.New(`(?i)(?:unavailable|refused|failed|error).*` + localEndpoint + `|` + localEndpoint + `.*(?:unavailable|refused|failed|error)`)
	// refusedTraces is what they say when a collector has no pipeline for traces.
	refusedTraces = lazyregexp.New(`(?i)unimplemented.*\b(?:traces?|spans?)|\b(?:traces?|spans?)\b.*unimplemented|unknown service opentelemetry\.proto\.collector\.trace`)
)

// localEndpoint is where SDKs send without an endpoint.
const localEndpoint = `(?:localhost|127\.0\.0\.1|\[::1\]|0:0:0:0:0:0:0:1).{0,4}431[78]\b`

// openTelemetryOff: an app means to send traces by OTLP, and they have no
// endpoint, or the environment's agent has no destination for them. Apps that
// neither say so nor have a variable of the SDK are left alone.
func openTelemetryOff(f *facts) *Verdict {
	if !f.ready {
		return nil
	}
	for _, c := range f.containers {
		if c.init {
			continue
		}
		if v := f.tracesWithoutDestination(c); v != nil {
			return v
		}
		if v := f.tracesWithoutEndpoint(c); v != nil {
			return v
		}
	}
	return nil
}

// tracesWithoutDestination: tracesConfiguration.destinations is empty.
func (f *facts) tracesWithoutDestination(c *containerFacts) *Verdict {
	lines := c.linesThat(refusedTraces)
	if !f.Environment.Agent || f.Environment.Traces || len(lines) == 0 && (!c.wantsOTLP() || c.hasEndpoint() || f.arrives()) {
		return nil
	}
	return &Verdict{
		Title: "traces have no destination: the environment's OpenTelemetry agent takes none",
		Why: fmt.Sprintf("Container %s sends by OpenTelemetry, but openTelemetryConfiguration.tracesConfiguration of the environment names no destination, "+
			"so nothing leads traces to the agent, and it refuses those that come. The app works; AppRequests and AppDependencies stay empty.", c.Name),
		Evidence: append(c.otelEvidence(), lastLines(lines)...),
		Fix:      "Name a destination under tracesConfiguration.destinations of the environment.",
	}
}

// tracesWithoutEndpoint: SDKs then send to localhost.
func (f *facts) tracesWithoutEndpoint(c *containerFacts) *Verdict {
	lines := c.linesThat(toLocalhost)
	given := len(f.Environment.Env()) > 0 && !f.Environment.Strict
	if c.hasEndpoint() || given || f.arrives() || f.hasCollector() {
		return nil
	}
	half := f.Environment.Strict && f.Environment.Traces
	if len(lines) == 0 && !(half && c.wantsOTLP()) {
		return nil
	}
	v := &Verdict{
		Title: fmt.Sprintf("traces go to localhost, where nobody is: %s is not set", aca.OTLPEndpointVariable),
		Why: fmt.Sprintf("Container %s sends by OpenTelemetry, whose SDKs send to localhost unless a variable says where. The environment has no OpenTelemetry agent "+
			"that would set it. The app works; AppRequests and AppDependencies stay empty.", c.Name),
		Evidence: append(c.otelEvidence(), lastLines(lines)...),
		Fix: fmt.Sprintf("Give the environment openTelemetryConfiguration with a destination for traces, or set %s to a collector of your own.",
			aca.OTLPEndpointVariable),
	}
	if half {
		patch := f.newPatch()
		patch.setEnv(c.Name, aca.OTLPProtocolVariable, "grpc")
		patch.setEnv(c.Name, aca.OTLPEndpointVariable, "$("+agentTraces+")")
		v.Why = fmt.Sprintf("Container %s sends by OpenTelemetry, whose SDKs send to localhost unless that variable says where. The environment's OpenTelemetry agent gives %s, "+
			"which no SDK reads, and not the standard one, as environments on Azure were seen to do. The app works; AppRequests and AppDependencies stay empty.", c.Name, agentTraces)
		v.Fix = fmt.Sprintf("Set %s to $(%s), and %s to grpc. In Go, cut the path off: its exporter takes it for a part of the address.",
			aca.OTLPEndpointVariable, agentTraces, aca.OTLPProtocolVariable)
		v.Patch = patch.diff()
	}
	return v
}

// arrives says that records of the replicas that are there have come.
func (f *facts) arrives() bool { return f.Telemetry != nil && f.Telemetry.Current > 0 }

// hasCollector says that something in the replica listens where SDKs send without
// an endpoint, such as a sidecar.
func (f *facts) hasCollector() bool {
	grpc, _ := f.listensOn(4317)
	http, _ := f.listensOn(4318)
	return grpc || http
}

// hasEndpoint says that the container's own variables say where traces go.
func (c *containerFacts) hasEndpoint() bool {
	return hasEnv(c.Container, aca.OTLPEndpointVariable) || hasEnv(c.Container, otlpTracesEndpoint)
}

// wantsOTLP says that variables of the container are for an SDK that exports by
// OTLP.
func (c *containerFacts) wantsOTLP() bool {
	if strings.EqualFold(envValue(c.Container, "OTEL_SDK_DISABLED"), "true") {
		return false
	}
	if to := envValue(c.Container, "OTEL_TRACES_EXPORTER"); to != "" && !strings.Contains(to, "otlp") {
		return false
	}
	return len(c.otelEvidence()) > 0
}

// otelEvidence names the variables of the container that an SDK reads.
func (c *containerFacts) otelEvidence() (lines []Line) {
	for _, v := range c.Env {
		if strings.HasPrefix(v.Name, "OTEL_") {
			lines = append(lines, Line{Text: v.Name + " is set"})
		}
	}
	return lines
}

// lastLines is the last of some lines, as evidence.
func lastLines(lines []Output) []Line {
	var out []Line
	for _, l := range last(lines, 1) {
		out = append(out, outputLine(l))
	}
	return out
}

func openTelemetryChecked(f *facts) string {
	if !f.Environment.Agent {
		return ""
	}
	var kinds []string
	for _, kind := range []struct {
		name string
		has  bool
	}{{"traces", f.Environment.Traces}, {"logs", f.Environment.Logs}, {"metrics", f.Environment.Metrics}} {
		if kind.has {
			kinds = append(kinds, kind.name)
		}
	}
	if len(kinds) == 0 {
		return "the OpenTelemetry agent of the environment has no destination for anything"
	}
	text := "the OpenTelemetry agent of the environment takes " + strings.Join(kinds, ", ")
	for _, l := range f.telemetryArrived() {
		text += "; " + l.Text
	}
	return text
}
