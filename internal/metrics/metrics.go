// Package metrics keeps the metrics of an environment's apps, under the names
// and with the units Azure Monitor has for them, and shows them in two forms:
// rows of AzureMetrics, one a minute for each app and metric, and the text
// format of Prometheus.
//
//	edge ─Request▶ ┐
//	               ├─ Collector ─Minute▶ rows          ─Write▶ text
//	engine ─Sample▶┘
//
// Names: learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-app-containerapps-metrics.
package metrics

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

// Metric is one of Azure Monitor's metrics.
type Metric struct {
	Name, Unit string
	// Help says what it is.
	Help string
}

// The metrics, in the order in which they are shown.
var (
	Requests         = Metric{"Requests", "Count", "Requests the edge has answered for the app."}
	ResponseTime     = Metric{"ResponseTime", "Milliseconds", "Time until a request was answered in full."}
	Replicas         = Metric{"Replicas", "Count", "Replicas of the app."}
	RestartCount     = Metric{"RestartCount", "Count", "Restarts of a replica's containers since it was made."}
	UsageNanoCores   = Metric{"UsageNanoCores", "NanoCores", "Processor a replica uses; a core is 1,000,000,000."}
	WorkingSetBytes  = Metric{"WorkingSetBytes", "Bytes", "Memory a replica uses that cannot be given back."}
	CPUPercentage    = Metric{"CpuPercentage", "Percent", "Processor a replica uses, of what it asked for."}
	MemoryPercentage = Metric{"MemoryPercentage", "Percent", "Memory a replica uses, of what it asked for."}
	RxBytes          = Metric{"RxBytes", "Bytes", "Bytes a replica received."}
	TxBytes          = Metric{"TxBytes", "Bytes", "Bytes a replica sent."}
)

var all = []Metric{Requests, ResponseTime, Replicas, RestartCount, UsageNanoCores, WorkingSetBytes, CPUPercentage, MemoryPercentage, RxBytes, TxBytes}

// App is one app as it is now.
type App struct {
	Name     string
	Replicas []Replica
}

// Replica is one replica with what its containers use.
type Replica struct {
	Revision, Name string
	Restarts       int
	Containers     []Container
	// Network is the replica's network since its start; At is zero when it is
	// not known.
	Network container.Stats
}

// Container is what one container uses, and what it asked for.
type Container struct {
	ID container.ID
	container.Stats
	CPU    float64 // cores; 0 for no limit
	Memory int64   // bytes; 0 for no limit
}

// Request is one answered request.
type Request struct {
	App, Revision string
	Status        int // 0 when the client got no answer
	Took          time.Duration
}

// Collector keeps the metrics of an environment. All methods may be called
// concurrently.
type Collector struct {
	mu       sync.Mutex
	minute   map[key]*values       // of the current minute, guarded by mu
	requests map[requestKey]*tally // since the start, guarded by mu
	rows     sampler               // guarded by mu
	scrapes  sampler               // guarded by mu
}

type key struct {
	app    string
	metric Metric
}

// values aggregates the values of a metric in a span of time.
type values struct{ total, count, highest, lowest float64 }

func (v *values) add(x float64) {
	if v.count == 0 || x > v.highest {
		v.highest = x
	}
	if v.count == 0 || x < v.lowest {
		v.lowest = x
	}
	v.total += x
	v.count++
}

type requestKey struct{ app, revision, category string }

// tally counts requests since the start.
type tally struct {
	count uint64
	took  time.Duration
}

// New returns a Collector without metrics.
func New() *Collector {
	return &Collector{minute: map[key]*values{}, requests: map[requestKey]*tally{}}
}

// Request counts one request. It is cheap enough for every one.
func (c *Collector) Request(r Request) {
	if r.App == "" {
		return // it was for nobody
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(r.App, Requests, 1)
	c.add(r.App, ResponseTime, float64(r.Took)/float64(time.Millisecond))
	k := requestKey{r.App, r.Revision, category(r.Status)}
	t := c.requests[k]
	if t == nil {
		t = &tally{}
		c.requests[k] = t
	}
	t.count++
	t.took += r.Took
}

// category is Azure Monitor's statusCodeCategory.
func category(status int) string {
	switch status / 100 {
	case 1:
		return "1xx"
	case 2:
		return "2xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	case 5:
		return "5xx"
	}
	return "0xx"
}

func (c *Collector) add(app string, m Metric, x float64) {
	k := key{app, m}
	v := c.minute[k]
	if v == nil {
		v = &values{}
		c.minute[k] = v
	}
	v.add(x)
}

// Row is the metric of one app over one span of time.
type Row struct {
	App string
	Metric
	Total, Count, Maximum, Minimum, Average float64
}

// Minute closes a span of time with a look at the apps, and returns its rows by
// app and metric. A metric without a value in the span has no row.
func (c *Collector) Minute(apps []App) []Row {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range apps {
		c.add(a.Name, Replicas, float64(len(a.Replicas)))
	}
	for _, m := range c.rows.measure(apps) {
		c.add(m.app, m.metric, m.value)
	}
	var out []Row
	for k, v := range c.minute {
		out = append(out, Row{App: k.app, Metric: k.metric, Total: v.total, Count: v.count, Maximum: v.highest, Minimum: v.lowest, Average: v.total / v.count})
	}
	clear(c.minute)
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(order(a.Metric), order(b.Metric)))
	})
	return out
}

func order(m Metric) int { return slices.Index(all, m) }

// Forget drops the counters of apps that are gone.
func (c *Collector) Forget(gone func(app string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.requests, func(k requestKey, _ *tally) bool { return gone(k.app) })
}
