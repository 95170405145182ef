package metrics

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/internal/container"
)

// web is an app of two replicas that each use a quarter of a core and 128 MiB,
// seconds after the start.
func web(seconds int) []App {
	at := time.Date(2026, 6, 1, 8, 0, seconds, 0, time.UTC)
	var out App
	out.Name = "web"
	for i := range 2 {
		out.Replicas = append(out.Replicas, Replica{
			Revision: "web--1", Name: fmt.Sprintf("web--1-%d", i), Restarts: i,
			Containers: []Container{{ID: container.ID(fmt.Sprint(i)), CPU: 0.5, Memory: 512 << 20,
				Stats: container.Stats{At: at, CPU: time.Duration(seconds) * time.Second / 4, WorkingSet: 128 << 20}}},
			Network: container.Stats{At: at, RxBytes: uint64(1000 * seconds), TxBytes: uint64(10 * seconds)},
		})
	}
	return []App{out}
}

func rowText(rows []Row) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%s %s %s total %v count %v max %v min %v avg %v\n", r.App, r.Name, r.Unit, r.Total, r.Count, r.Maximum, r.Minimum, r.Average)
	}
	return b.String()
}

func TestMinuteHasOneRowForEachAppAndMetric(t *testing.T) {
	c := New()
	first := c.Minute(web(0))
	want := `web Replicas Count total 2 count 1 max 2 min 2 avg 2
web RestartCount Count total 1 count 2 max 1 min 0 avg 0.5
web WorkingSetBytes Bytes total 2.68435456e+08 count 2 max 1.34217728e+08 min 1.34217728e+08 avg 1.34217728e+08
web MemoryPercentage Percent total 50 count 2 max 25 min 25 avg 25
`
	if diff := cmp.Diff(want, rowText(first)); diff != "" {
		t.Errorf("first minute, without rates (-want +got):\n%s", diff)
	}
	c.Request(Request{App: "web", Revision: "web--1", Status: 200, Took: 10 * time.Millisecond})
	c.Request(Request{App: "web", Revision: "web--1", Status: 503, Took: 30 * time.Millisecond})
	c.Request(Request{Status: 404}) // for a host nobody has
	want = `web Requests Count total 2 count 2 max 1 min 1 avg 1
web ResponseTime Milliseconds total 40 count 2 max 30 min 10 avg 20
web Replicas Count total 2 count 1 max 2 min 2 avg 2
web RestartCount Count total 1 count 2 max 1 min 0 avg 0.5
web UsageNanoCores NanoCores total 5e+08 count 2 max 2.5e+08 min 2.5e+08 avg 2.5e+08
web WorkingSetBytes Bytes total 2.68435456e+08 count 2 max 1.34217728e+08 min 1.34217728e+08 avg 1.34217728e+08
web CpuPercentage Percent total 100 count 2 max 50 min 50 avg 50
web MemoryPercentage Percent total 50 count 2 max 25 min 25 avg 25
web RxBytes Bytes total 120000 count 2 max 60000 min 60000 avg 60000
web TxBytes Bytes total 1200 count 2 max 600 min 600 avg 600
`
	if diff := cmp.Diff(want, rowText(c.Minute(web(60)))); diff != "" {
		t.Errorf("second minute (-want +got):\n%s", diff)
	}
	want = "web Replicas Count total 0 count 1 max 0 min 0 avg 0\n"
	if diff := cmp.Diff(want, rowText(c.Minute([]App{{Name: "web"}}))); diff != "" {
		t.Errorf("at zero (-want +got):\n%s", diff)
	}
}

func TestPrometheus(t *testing.T) {
	c := New()
	c.Minute(web(0))
	c.Request(Request{App: "web", Revision: "web--1", Status: 200, Took: 10 * time.Millisecond})
	c.Request(Request{App: "web", Revision: "web--1", Status: 201, Took: 30 * time.Millisecond})
	c.Request(Request{App: "web", Revision: `a"b`, Took: time.Second})
	var b strings.Builder
	if err := c.Write(&b, append(web(30), App{Name: "zero"})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# HELP containerapp_requests_total Requests the edge has answered for the app. Azure Monitor: Requests.\n# TYPE containerapp_requests_total counter\n",
		`containerapp_requests_total{app="web",revision="web--1",status_code_category="2xx"} 2` + "\n",
		`containerapp_requests_total{app="web",revision="a\"b",status_code_category="0xx"} 1` + "\n",
		`containerapp_response_time_milliseconds_sum{app="web",revision="web--1",status_code_category="2xx"} 40` + "\n",
		`containerapp_replicas{app="web",revision="web--1"} 2` + "\n",
		`containerapp_replicas{app="zero"} 0` + "\n",
		`containerapp_usage_nanocores{app="web",revision="web--1",replica="web--1-0"} 250000000` + "\n",
		`containerapp_cpu_percentage{app="web",revision="web--1",replica="web--1-1"} 50` + "\n",
		`containerapp_rx_bytes_total{app="web",revision="web--1",replica="web--1-0"} 30000` + "\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("missing %q in\n%s", want, b.String())
		}
	}
	for _, l := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		if fields := strings.Fields(l); !strings.HasPrefix(l, "#") && len(fields) != 2 {
			t.Errorf("not a line of Prometheus: %q", l)
		}
	}
}

// A scrape does not shorten the span of the rows.
func TestReadersHaveSpansOfTheirOwn(t *testing.T) {
	c := New()
	c.Minute(web(0))
	if err := c.Write(new(strings.Builder), web(59)); err != nil {
		t.Fatal(err)
	}
	if got := rowText(c.Minute(web(60))); !strings.Contains(got, "web RxBytes Bytes total 120000") {
		t.Errorf("after a scrape:\n%s", got)
	}
}

func TestForgottenAppsAreNotShown(t *testing.T) {
	c := New()
	c.Request(Request{App: "old", Status: 200})
	c.Forget(func(app string) bool { return app == "old" })
	var b strings.Builder
	if err := c.Write(&b, nil); err != nil || strings.Contains(b.String(), `"old"`) {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func BenchmarkRequest(b *testing.B) {
	c := New()
	for b.Loop() {
		c.Request(Request{App: "web", Revision: "web--1", Status: 200, Took: time.Millisecond})
	}
}
