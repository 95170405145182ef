package emulator

import (
	"slices"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/google/go-cmp/cmp"
)

// agentVariables are those of the OpenTelemetry agent in the container of the
// only replica there is, and the replica's name.
func (w *world) agentVariables() (variables []string, replica string) {
	w.Helper()
	_, replica = w.mounts()
	for _, rev := range w.engine.Snapshot().App("web").Revisions {
		if r := rev.Replica(replica); r != nil {
			spec, ok := w.runtime.Spec(container.ID(r.Properties.Containers[0].ContainerID))
			if !ok {
				w.Fatalf("no container of replica %s", replica)
			}
			variables = slices.DeleteFunc(slices.Clone(spec.Variables), func(v string) bool { return !strings.Contains(v, "OT") || !strings.Contains(v, "EL_") })
		}
	}
	return variables, replica
}

func TestChangedAgentReplacesReplicasAndMakesNoRevision(t *testing.T) {
	inBubble(t, func(w *world) {
		app := w.app("web:1")
		app.Properties.Template.Containers[0].Env = []aca.EnvVar{
			{Name: "OTEL_EXPORTER_OTLP_PROTOCOL", Value: "mine"},
			{Name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", Value: "$(CONTAINERAPP_OTEL_TRACING_GRPC_ENDPOINT)"},
		}
		apply := func(t aca.EnvironmentTelemetry) Applied {
			w.Helper()
			out, err := w.engine.Apply(w.Context(), ApplyRequest{App: app, Telemetry: t})
			if err != nil {
				w.Fatal(err)
			}
			return out
		}
		apply(aca.EnvironmentTelemetry{Agent: true})
		_, first := w.agentVariables()
		if out := apply(aca.EnvironmentTelemetry{Agent: true, AppInsights: true}); strings.Contains(out.Plan, "replace") {
			w.Errorf("a change without variables: %s", out.Plan)
		}
		out := apply(aca.EnvironmentTelemetry{Agent: true, Traces: true})
		if out.NewRevision || out.Plan != "replace the replicas of "+out.Revision+" (the variables of the environment's OpenTelemetry agent changed)\n" {
			w.Errorf("applied %+v", out)
		}
		w.waitFor("the first replica is gone", func(s *Snapshot) bool { return s.App("web").Revision(out.Revision).Replica(first) == nil })
		want := []string{
			"OTEL_EXPORTER_OTLP_ENDPOINT=http://otel.service.k8se-apps:4317/",
			"OTEL_EXPORTER_OTLP_PROTOCOL=mine",
			"CONTAINERAPP_OTEL_TRACING_GRPC_ENDPOINT=http://otel.service.k8se-apps:4317/v1/traces/",
			"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://otel.service.k8se-apps:4317/v1/traces/",
		}
		got, second := w.agentVariables()
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("variables (-want +got):\n%s", diff)
		}

		// Readers of the app do not see where the variables come from; what they
		// send back keeps them.
		changed := *w.engine.Snapshot().App("web").ContainerApp.Clone()
		for name, back := range map[string]func() (Applied, error){
			"Update":           func() (Applied, error) { return w.engine.Update(w.Context(), ApplyRequest{App: changed}) },
			"Apply, KeepLocal": func() (Applied, error) { return w.engine.Apply(w.Context(), ApplyRequest{App: app, KeepLocal: true}) },
		} {
			if out, err := back(); err != nil || strings.Contains(out.Plan, "replace") || out.NewRevision {
				w.Errorf("%s: %+v, %v", name, out, err)
			}
		}

		w.stop()
		w.boot()
		got, third := w.agentVariables()
		if diff := cmp.Diff(want, got); diff != "" || third != second {
			w.Errorf("replica %s became %s with the next daemon, variables (-want +got):\n%s", second, third, diff)
		}
		if got := w.engine.Snapshot().App("web").Local.Telemetry; got != (aca.EnvironmentTelemetry{Agent: true, Traces: true}) {
			w.Errorf("the next daemon shows %+v", got)
		}
	})
}
