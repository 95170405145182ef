package logsink

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// Metric is one value of a metric over one span of time: a row of AzureMetrics.
type Metric struct {
	Time       time.Time // the end of the span; the zero time means now
	ResourceID string
	// Resource is the name of what was measured, ResourceType its type, such
	// as "containerApps".
	Resource, ResourceType string
	// Name and Unit are Azure Monitor's, such as "UsageNanoCores" and "Count".
	Name, Unit string
	// Grain is the length of the span in ISO 8601, such as "PT1M".
	Grain string
	// The aggregations of the values in the span. They keep three decimals.
	Total, Count, Maximum, Minimum, Average float64
}

var metricDef = &tableDef{
	name: "metrics",
	ints: []string{"time", "total", "count", "maximum", "minimum", "average"},
	tuples: [][]string{
		{"resourceID", "resource", "resourceType"},
		{"name", "unit", "grain"},
	},
}

// Numbers of metricDef, in thousandths.
const (
	metricTotal = 1 + iota
	metricCount
	metricMaximum
	metricMinimum
	metricAverage
)

// metricScale is what turns stored numbers into values.
const metricScale = 1000

// AppendMetrics adds rows to the table AzureMetrics and returns when they are
// durable. Errors are as those of AppendEvents.
func (s *Store) AppendMetrics(ms []Metric) error {
	if len(ms) == 0 {
		return nil
	}
	rows := slices.Clone(ms)
	for i := range rows {
		if rows[i].Time.IsZero() {
			rows[i].Time = time.Now()
		}
	}
	if err := s.metric.append(&metrics{rows: rows}); err != nil {
		return fmt.Errorf("log %d metrics: %w", len(rows), err)
	}
	return nil
}

// metrics is rows waiting to be stored.
type metrics struct{ rows []Metric }

func (f *metrics) appendTo(m *memBlock) (more bool) {
	for len(f.rows) > 0 && !m.full() {
		r := &f.rows[0]
		m.addTime(toTicks(r.Time.UnixNano()))
		for i, v := range []float64{r.Total, r.Count, r.Maximum, r.Minimum, r.Average} {
			m.addInt(metricTotal+i, int64(math.Round(v*metricScale)))
		}
		m.addTuple(0, field(r.ResourceID), field(r.Resource), field(r.ResourceType))
		m.addTuple(1, field(r.Name), field(r.Unit), field(r.Grain))
		f.rows = f.rows[1:]
	}
	return len(f.rows) > 0
}

// metricView has the columns of
// https://learn.microsoft.com/azure/azure-monitor/reference/tables/azuremetrics.
// As on Azure rows have no dimensions: those of a metric are added up.
func metricView(o Options) *view {
	const table = "AzureMetrics"
	aggregate := func(name string, col int) viewColumn { return realOf(name, col, metricScale) }
	return &view{name: table, def: metricDef, columns: group(
		constant("TenantId", o.WorkspaceID), constant("SourceSystem", "Azure"), timeOf("TimeGenerated"), nameOf("ResourceId", 0, 0),
		empties("OperationName", "OperationVersion", "Category", "ResultType", "ResultSignature", "ResultDescription"),
		viewColumn{Column: kql.Column{Name: "DurationMs", Type: kql.Long}, origin: fromConstant},
		empties("CallerIPAddress", "CorrelationId", "ResourceGroup"), constant("ResourceProvider", "MICROSOFT.APP"),
		nameOf("Resource", 0, 1), nameOf("ResourceType", 0, 2), nameOf("MetricName", 1, 0),
		aggregate("Total", metricTotal), aggregate("Count", metricCount), aggregate("Maximum", metricMaximum),
		aggregate("Minimum", metricMinimum), aggregate("Average", metricAverage),
		nameOf("TimeGrain", 1, 2), nameOf("UnitName", 1, 1), empties("SubscriptionId"),
		constant("Type", table), nameOf("_ResourceId", 0, 0), empties("_SubscriptionId"),
	)}
}
