package logsink

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMetricsAreRowsOfAzureMetrics(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir, WorkspaceID: "ws"})
	at := time.Date(2026, 6, 1, 8, 1, 0, 0, time.UTC)
	row := Metric{Time: at, ResourceID: "/subscriptions/x/containerApps/web", Resource: "web", ResourceType: "containerApps", Name: "UsageNanoCores", Unit: "NanoCores", Grain: "PT1M",
		Total: 12.5e6, Count: 2, Maximum: 10e6, Minimum: 2.5e6, Average: 6.25e6}
	requests := row
	requests.Name, requests.Unit, requests.Total, requests.Average = "Requests", "Count", 30, 1.0/3
	if err := s.AppendMetrics([]Metric{row, requests}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, Options{Dir: dir, WorkspaceID: "ws"})
	for query, want := range map[string][]string{
		`AzureMetrics | where MetricName == "UsageNanoCores" | project Resource, Total, Count, Maximum, Minimum, Average, TimeGrain, UnitName, ResourceProvider`: {
			"web | 12500000 | 2 | 10000000 | 2500000 | 6250000 | PT1M | NanoCores | MICROSOFT.APP"},
		`AzureMetrics | where Total < 31 | project MetricName, Average, TimeGenerated, _ResourceId`: {
			"Requests | 0.333 | 2026-06-01T08:01:00.0000000Z | /subscriptions/x/containerApps/web"},
		`AzureMetrics | summarize sum(Count), max(Maximum) by Type`: {"AzureMetrics | 4 | 10000000"},
	} {
		if diff := cmp.Diff(want, answer(t, s.Catalog(), query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}
