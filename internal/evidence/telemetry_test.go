package evidence

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/telemetry/endpoint"
	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/kql"
)

func TestTelemetryIsCountedFromTheRevisionOn(t *testing.T) {
	s, err := logsink.Open(logsink.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	made := time.Date(2026, 6, 26, 8, 19, 7, 0, time.UTC)
	err = s.AppendTelemetry([]logsink.Telemetry{
		{Kind: logsink.TelemetryRequest, Time: made.Add(-time.Second), IKey: endpoint.Key("web")},
		{Kind: logsink.TelemetryRequest, Time: made, IKey: endpoint.Key("web")},
		{Kind: logsink.TelemetryTrace, Time: made.Add(time.Second), IKey: endpoint.Key("web"), RoleInstance: "web--2-6bffcf46d6-j79zb"},
		{Kind: logsink.TelemetryTrace, Time: made.Add(time.Second), IKey: endpoint.Key("web"), RoleInstance: "web--1-6bffcf46d6-j79zb"},
		{Kind: logsink.TelemetryTrace, Time: made.Add(time.Second), IKey: endpoint.Key("other")},
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(ctx context.Context, query string) (rows [][]json.RawMessage, err error) {
		res, err := s.Query(ctx, query, kql.Options{})
		if err != nil {
			return nil, err
		}
		res.Tables[0].Each(func(row []kql.Value) bool {
			var cells []json.RawMessage
			for _, v := range row {
				cells = append(cells, json.RawMessage(v.String()))
			}
			rows = append(rows, cells)
			return true
		})
		return rows, nil
	}
	app := &emulator.App{}
	app.Name = "web"
	revision := &emulator.Revision{Revision: aca.Revision{Name: "web--2"}}
	revision.Properties.CreatedTime = made
	for value, want := range map[string]int{endpoint.ConnectionString("web"): 2, "InstrumentationKey=" + strings.Repeat("0", 36): -1} {
		revision.Properties.Template.Containers = []aca.Container{{Env: []aca.EnvVar{{Name: endpoint.ConnectionStringVariable, Value: value}}}}
		got, err := telemetryOf(t.Context(), ask, app, revision)
		if err != nil {
			t.Fatal(err)
		}
		if n := -1; got == nil && want != n || got != nil && got.Records != want {
			t.Errorf("%s: %v, want %d", value, got, want)
		}
	}

	// The variables of the environment's OpenTelemetry agent are no part of the
	// revision.
	app.Local.Telemetry = aca.EnvironmentTelemetry{Agent: true, Traces: true}
	revision.Properties.Template.Containers[0].Env = nil
	if got, err := telemetryOf(t.Context(), ask, app, revision); err != nil || got == nil || *got != (explain.Telemetry{Records: 2, Current: 2}) {
		t.Errorf("with an agent: %v, %v, want 2", got, err)
	}
	younger := emulator.Replica{Replica: aca.Replica{Properties: aca.ReplicaProperties{CreatedTime: made.Add(time.Second)}}}
	leaving := emulator.Replica{Replica: aca.Replica{Properties: aca.ReplicaProperties{CreatedTime: made}}, Draining: true}
	revision.Replicas = []emulator.Replica{leaving, younger}
	if got, err := telemetryOf(t.Context(), ask, app, revision); err != nil || got == nil || *got != (explain.Telemetry{Records: 2, Current: 1}) {
		t.Errorf("with a younger replica: %v, %v, want 2, 1", got, err)
	}
}
