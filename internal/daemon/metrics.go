package daemon

import (
	"context"
	"net/http"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/metrics"
	"github.com/acalocal/acalocal/logsink"
)

// metricsPath is where the text for Prometheus is.
const metricsPath = "/metrics"

// shortestMinute bounds how often containers are looked at when time is scaled.
const shortestMinute = time.Second

// measure stores the metrics of each minute, in the time of the environment,
// until ctx is done.
func (d *Daemon) measure(ctx context.Context) {
	scale := max(d.o.TimeScale, 1)
	tick := time.NewTicker(max(time.Duration(float64(time.Minute)/scale), shortestMinute))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-tick.C:
			d.storeMetrics(ctx, at)
		}
	}
}

func (d *Daemon) storeMetrics(ctx context.Context, at time.Time) {
	apps, err := d.measured(ctx)
	if err != nil {
		if ctx.Err() == nil {
			d.o.Log.Warn().Err(err).Msg("what containers use is not known: a minute of metrics has no row of it")
		}
		return
	}
	var rows []logsink.Metric
	for _, r := range d.metrics.Minute(apps) {
		rows = append(rows, logsink.Metric{
			Time: at, ResourceID: aca.LocalGroup().App(r.App), Resource: r.App, ResourceType: "containerapps",
			Name: r.Name, Unit: r.Unit, Grain: "PT1M",
			Total: r.Total, Count: r.Count, Maximum: r.Maximum, Minimum: r.Minimum, Average: r.Average,
		})
	}
	if err := d.Logs.AppendMetrics(rows); err != nil {
		d.o.Log.Warn().Err(err).Int("rows", len(rows)).Msg("metrics are lost")
	}
	snapshot := d.Engine.Snapshot()
	d.metrics.Forget(func(app string) bool { return snapshot.App(app) == nil })
}

// measured is every app with what its replicas use now.
func (d *Daemon) measured(ctx context.Context) ([]metrics.App, error) {
	usage, err := d.Engine.Usage(ctx, "", "")
	if err != nil {
		return nil, err
	}
	byReplica := map[string][]emulator.ContainerUsage{}
	for _, u := range usage {
		byReplica[u.Replica] = append(byReplica[u.Replica], u)
	}
	var out []metrics.App
	for _, a := range d.Engine.Snapshot().Apps {
		app := metrics.App{Name: a.Name}
		for _, rev := range a.Revisions {
			for i := range rev.Replicas {
				app.Replicas = append(app.Replicas, replicaMetrics(rev.Name, &rev.Replicas[i], byReplica[rev.Replicas[i].Name]))
			}
		}
		out = append(out, app)
	}
	return out, nil
}

func replicaMetrics(revision string, r *emulator.Replica, usage []emulator.ContainerUsage) metrics.Replica {
	out := metrics.Replica{Revision: revision, Name: r.Name}
	for _, c := range r.Properties.Containers {
		out.Restarts += c.RestartCount
	}
	for _, u := range usage {
		if u.Container == "" {
			out.Network = u.Stats
			continue
		}
		out.Containers = append(out.Containers, metrics.Container{ID: u.ID, Stats: u.Stats, CPU: u.CPU, Memory: u.Memory})
	}
	return out
}

// serveMetrics writes the metrics for Prometheus.
func (d *Daemon) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "metrics are read with GET", http.StatusMethodNotAllowed)
		return
	}
	apps, err := d.measured(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", metrics.ContentType)
	_ = d.metrics.Write(w, apps) // the client has gone
}

// countRequest adds a request to the metrics.
func countRequest(m *metrics.Collector, r ingress.Record) {
	m.Request(metrics.Request{App: r.App, Revision: r.Revision, Status: r.Status, Took: r.Total})
}
