package metrics

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// names are the metrics in Prometheus' way of writing: with a prefix, a base
// unit where there is one, and _total for counters.
var names = map[Metric]string{
	Replicas:         "containerapp_replicas",
	RestartCount:     "containerapp_restart_count",
	UsageNanoCores:   "containerapp_usage_nanocores",
	WorkingSetBytes:  "containerapp_working_set_bytes",
	CPUPercentage:    "containerapp_cpu_percentage",
	MemoryPercentage: "containerapp_memory_percentage",
}

// ContentType is that of the text Write writes.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Write looks at the apps and writes all metrics as text for Prometheus. Rates
// are over the time since the last Write, else since the last Minute.
func (c *Collector) Write(w io.Writer, apps []App) error {
	c.mu.Lock()
	if c.scrapes.cpu == nil {
		c.scrapes = sampler{cpu: maps.Clone(c.rows.cpu), network: maps.Clone(c.rows.network)}
	}
	measured := c.scrapes.measure(apps)
	requests := map[requestKey]tally{}
	for k, t := range c.requests {
		requests[k] = *t
	}
	c.mu.Unlock()

	var b strings.Builder
	writeRequests(&b, requests)
	family(&b, names[Replicas], "gauge", Replicas)
	for _, a := range apps {
		perRevision := map[string]int{}
		for _, r := range a.Replicas {
			perRevision[r.Revision]++
		}
		if len(perRevision) == 0 {
			line(&b, names[Replicas], 0, "app", a.Name)
		}
		for _, revision := range slices.Sorted(maps.Keys(perRevision)) {
			line(&b, names[Replicas], float64(perRevision[revision]), "app", a.Name, "revision", revision)
		}
	}
	for _, m := range all {
		if name, ok := names[m]; ok && m != Replicas {
			family(&b, name, "gauge", m)
			for _, v := range measured {
				if v.metric == m {
					line(&b, name, v.value, "app", v.app, "revision", v.revision, "replica", v.replica)
				}
			}
		}
	}
	writeNetwork(&b, apps)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeRequests(b *strings.Builder, requests map[requestKey]tally) {
	keys := slices.SortedFunc(maps.Keys(requests), func(x, y requestKey) int {
		return cmp.Or(cmp.Compare(x.app, y.app), cmp.Compare(x.revision, y.revision), cmp.Compare(x.category, y.category))
	})
	labels := func(k requestKey) []string {
		return []string{"app", k.app, "revision", k.revision, "status_code_category", k.category}
	}
	family(b, "containerapp_requests_total", "counter", Requests)
	for _, k := range keys {
		line(b, "containerapp_requests_total", float64(requests[k].count), labels(k)...)
	}
	family(b, "containerapp_response_time_milliseconds", "summary", ResponseTime)
	for _, k := range keys {
		line(b, "containerapp_response_time_milliseconds_sum", requests[k].took.Seconds()*1000, labels(k)...)
		line(b, "containerapp_response_time_milliseconds_count", float64(requests[k].count), labels(k)...)
	}
}

// writeNetwork writes the counters of networks as they are: Prometheus makes
// rates itself.
func writeNetwork(b *strings.Builder, apps []App) {
	for _, m := range []Metric{RxBytes, TxBytes} {
		name := map[Metric]string{RxBytes: "containerapp_rx_bytes_total", TxBytes: "containerapp_tx_bytes_total"}[m]
		family(b, name, "counter", m)
		for _, a := range apps {
			for _, r := range a.Replicas {
				if r.Network.At.IsZero() {
					continue
				}
				n := r.Network.RxBytes
				if m == TxBytes {
					n = r.Network.TxBytes
				}
				line(b, name, float64(n), "app", a.Name, "revision", r.Revision, "replica", r.Name)
			}
		}
	}
}

func family(b *strings.Builder, name, kind string, m Metric) {
	fmt.Fprintf(b, "# HELP %s %s Azure Monitor: %s.\n# TYPE %s %s\n", name, m.Help, m.Name, name, kind)
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// line writes one value; labels are names and values in turn.
func line(b *strings.Builder, name string, value float64, labels ...string) {
	b.WriteString(name + "{")
	for i := 0; i < len(labels); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(labels[i] + `="` + escape.Replace(labels[i+1]) + `"`)
	}
	b.WriteString("} " + strconv.FormatFloat(value, 'f', -1, 64) + "\n")
}
