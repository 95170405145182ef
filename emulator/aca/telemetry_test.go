package aca

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVariablesOfTheOpenTelemetryAgent(t *testing.T) {
	const (
		endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://otel.service.k8se-apps:4317/"
		protocol = "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"
		traces   = "CONTAINERAPP_OTEL_TRACING_GRPC_ENDPOINT=http://otel.service.k8se-apps:4317/v1/traces/"
		logs     = "CONTAINERAPP_OTEL_LOGGING_GRPC_ENDPOINT=http://otel.service.k8se-apps:4317/v1/logs/"
		metrics  = "CONTAINERAPP_OTEL_METRIC_GRPC_ENDPOINT=http://otel.service.k8se-apps:4317/v1/metrics/"
	)
	to := []string{"otlp"}
	all := OpenTelemetryConfiguration{TracesConfiguration: &TracesConfiguration{Destinations: to}, LogsConfiguration: &LogsConfiguration{Destinations: to},
		MetricsConfiguration: &MetricsConfiguration{Destinations: to}}
	for _, c := range []struct {
		name   string
		env    EnvironmentProperties
		strict bool
		want   []string
	}{
		{"no agent", EnvironmentProperties{AppInsightsConfiguration: &AppInsightsConfiguration{"InstrumentationKey=0"}}, false, nil},
		{"no destination", EnvironmentProperties{OpenTelemetryConfiguration: &OpenTelemetryConfiguration{TracesConfiguration: &TracesConfiguration{}}}, false, nil},
		{"all", EnvironmentProperties{OpenTelemetryConfiguration: &all}, false, []string{endpoint, protocol, traces, logs, metrics}},
		{"all, strict", EnvironmentProperties{OpenTelemetryConfiguration: &all}, true, []string{traces, logs, metrics}},
		{"logs alone", EnvironmentProperties{OpenTelemetryConfiguration: &OpenTelemetryConfiguration{LogsConfiguration: all.LogsConfiguration}}, false,
			[]string{endpoint, protocol, logs}},
	} {
		telemetry := c.env.Telemetry()
		telemetry.Strict = c.strict
		var got []string
		for _, v := range PlatformEnv(EnvFacts{NoKubernetes: true, Telemetry: telemetry})[5:] {
			got = append(got, v.Name+"="+v.Value)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
