package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/containertest"
)

// sleepy is a daemon in whose time half a minute takes a second, with an app
// that goes to zero after that.
func sleepy(t *testing.T, scale *aca.Scale) *machine {
	m := newMachine(t)
	m.scale = 30
	cooldown := 30
	scale.CooldownPeriod = &cooldown
	m.runtime = containertest.NewRuntime(map[string]containertest.Program{"web:1": {Listens: []int{8000}, ListenAfter: 200 * time.Millisecond}})
	m.boot()
	app := aca.ContainerApp{Name: "web", Properties: aca.AppProperties{
		Configuration: aca.Configuration{Ingress: &aca.Ingress{External: true, TargetPort: 8000}},
		Template: aca.Template{
			Containers: []aca.Container{{Name: "app", Image: "web:1", Resources: &aca.Resources{CPU: 0.5, Memory: "1Gi"}}},
			Scale:      scale,
		},
	}}
	if _, err := m.daemon.Engine.Apply(t.Context(), emulator.ApplyRequest{App: app}); err != nil {
		t.Fatal(err)
	}
	m.waitFor("web is ready", webReady)
	return m
}

func state(s *emulator.Snapshot) string {
	if a := s.App("web"); a != nil && len(a.Revisions) > 0 {
		return a.Revisions[len(a.Revisions)-1].Properties.RunningState
	}
	return ""
}

// asleep also waits for the last replica to be gone.
func asleep(s *emulator.Snapshot) bool {
	a := s.App("web")
	return state(s) == "ScaledToZero" && len(a.Revisions[len(a.Revisions)-1].Replicas) == 0
}

// column is the first column of a query's answer, as text.
func (m *machine) column(query string) []string {
	m.Helper()
	answer, err := client.New(m.daemon.files).Query(m.Context(), api.QueryBody{Query: query})
	if err != nil {
		m.Fatal(err)
	}
	var out []string
	for _, row := range answer.Tables[0].Rows {
		var v any
		if err := json.Unmarshal(row[0], &v); err != nil {
			m.Fatal(err)
		}
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// systemRows are the rows of a reason, oldest first.
func (m *machine) systemRows(reason string) []string {
	m.Helper()
	return m.column(`ContainerAppSystemLogs_CL | where Reason_s == "` + reason + `" | order by _seq_d asc | project Log_s`)
}

// A burst of a thousand requests on an app at zero is held and answered by the
// first replica, none lost; after the cool-down the app is at zero again.
func TestBurstOnAnAppAtZeroIsAnswered(t *testing.T) {
	m := sleepy(t, &aca.Scale{MinReplicas: new(int)})
	s := m.waitFor("the app is at zero", asleep)
	url := s.App("web").Local.URL
	const burst = 1000
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: burst, MaxIdleConnsPerHost: burst}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	var answered atomic.Int64
	var wrong sync.Map
	var all sync.WaitGroup
	for range burst {
		all.Go(func() {
			resp, err := client.Get(url)
			if err != nil {
				wrong.Store(err.Error(), true)
				return
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
				wrong.Store(fmt.Sprint(resp.Status, err), true)
				return
			}
			answered.Add(1)
		})
	}
	all.Wait()
	wrong.Range(func(what, _ any) bool { t.Error(what); return true })
	if n := answered.Load(); n != burst {
		t.Errorf("%d of %d requests were answered", n, burst)
	}
	if rows := m.systemRows("KEDAScaleTargetActivated"); len(rows) != 1 || !strings.HasSuffix(rows[0], " from 0 to 1, triggered by ") {
		t.Errorf("rows of the activation: %q", rows)
	}
	cold := regexp.MustCompile(`^Replica 'web--\S+' was ready (\S+) after the app was asked for at zero: schedule \S+, create \S+, boot \S+, probes \S+\.$`)
	if rows := m.systemRows("ColdStart"); len(rows) != 1 || !cold.MatchString(rows[0]) {
		t.Errorf("rows of the cold start: %q", rows)
	}
	m.waitFor("the app is at zero again", asleep)
	if rows := m.systemRows("KEDAScaleTargetDeactivated"); len(rows) != 2 {
		t.Errorf("rows of the deactivations: %q", rows)
	}
	m.stop()
}

// The parts of a start add up, and the program's own is the largest here.
func TestStartIsSplitIntoItsParts(t *testing.T) {
	m := sleepy(t, &aca.Scale{MinReplicas: new(int)})
	s := m.waitFor("the app is at zero", asleep)
	began := time.Now()
	if got := m.get(s.App("web").Local.URL, ""); !strings.HasPrefix(got, "200") {
		t.Fatalf("the first request is answered %q", got)
	}
	took := time.Since(began).Seconds()
	var start *emulator.Start // requests are answered a moment before the state is told
	m.waitFor("the start is measured", func(s *emulator.Snapshot) bool {
		for _, r := range s.App("web").Revisions[0].Replicas {
			start = r.Local.Start
		}
		return start != nil
	})
	sum := start.Schedule + start.Create + start.Boot + start.Probes
	if sum <= 0 || sum > took || start.Boot < 0.15 || start.Schedule < 0 || start.Create < 0 || start.Probes < 0 {
		t.Errorf("parts %+v of a request that took %.3f s, with a program that listens after 0.2 s", *start, took)
	}
	m.stop()
}

// Who gives up waiting frees the place.
func TestClientsThatGoFreeTheirPlace(t *testing.T) {
	m := sleepy(t, &aca.Scale{MinReplicas: new(int)})
	s := m.waitFor("the app is at zero", asleep)
	m.runtime.Refuse(func(op string, key container.Key) error {
		if op == "create" {
			return fmt.Errorf("no room")
		}
		return nil
	})
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for range 50 {
		all.Go(func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.App("web").Local.URL, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
				resp.Body.Close()
				t.Errorf("answered %s without a replica", resp.Status)
			}
		})
	}
	held := func(n int) func() bool {
		return func() bool {
			for _, l := range m.daemon.edge.Stats() {
				if l.App == "web" {
					return l.Held == n
				}
			}
			return false
		}
	}
	m.eventually("50 requests are held", held(50))
	cancel()
	all.Wait()
	m.eventually("no request is held", held(0))
	m.stop()
}

// eventually waits for what nobody tells of.
func (m *machine) eventually(what string, cond func() bool) {
	m.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-late:
			m.Fatalf("waited in vain until %s", what)
		}
	}
}

// A CPU rule counts what the container engine tells: 90 % with target 60 of two
// replicas are three, and then 60 % of three are three.
func TestCPURuleScalesByTheEnginesStats(t *testing.T) {
	two, ten := 2, 10
	rule := aca.ScaleRule{Name: "cpu", Custom: &aca.CustomScaleRule{Type: "cpu", Metadata: map[string]string{"type": "Utilization", "value": "60"}}}
	m := sleepy(t, &aca.Scale{MinReplicas: &two, MaxReplicas: &ten, Rules: []aca.ScaleRule{rule}})
	work := sharedWork{cores: 0.9, used: map[container.Key]container.Stats{}}
	m.runtime.Use(work.stats)
	m.waitFor("a third replica is ready", func(s *emulator.Snapshot) bool {
		return len(s.App("web").Revisions[0].Replicas) >= 3
	})
	m.eventually("it takes its share", func() bool { return work.workers() >= 3 })
	if n := len(m.daemon.Engine.Snapshot().App("web").Revisions[0].Replicas); n != 3 {
		t.Errorf("%d replicas, want 3", n)
	}
	if rows := m.systemRows("SuccessfulRescale"); len(rows) == 0 || !strings.Contains(rows[0], "by the scaler: cpu.") {
		t.Errorf("rows %q", rows)
	}
	m.stop()
}

// sharedWork is work that keeps some cores busy, in equal parts by all containers
// that were ever looked at.
type sharedWork struct {
	cores float64
	mu    sync.Mutex
	used  map[container.Key]container.Stats
}

func (w *sharedWork) workers() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.used)
}

func (w *sharedWork) stats(k container.Key) container.Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	if k.Role != container.RoleApp {
		return container.Stats{} // a holder works on nothing
	}
	now := time.Now()
	s, known := w.used[k]
	if !known {
		s.At = now
		w.used[k] = s
	}
	s.CPU += time.Duration(float64(now.Sub(s.At)) * w.cores / float64(len(w.used)))
	s.At = now
	w.used[k] = s
	return s
}

func TestMetricsInBothForms(t *testing.T) {
	one := 1
	m := sleepy(t, &aca.Scale{MinReplicas: &one})
	began := time.Now()
	m.runtime.Use(func(k container.Key) container.Stats {
		return container.Stats{CPU: time.Since(began) / 8, WorkingSet: 256 << 20, RxBytes: 10, TxBytes: 20}
	})
	url := m.daemon.Engine.Snapshot().App("web").Local.URL
	for range 3 {
		m.get(url, "")
	}
	m.eventually("every metric has a row", func() bool { return len(m.column(`AzureMetrics | distinct MetricName`)) == 10 })
	if got := m.column(`AzureMetrics | where MetricName == "Requests" | summarize sum(Total)`); !slices.Equal(got, []string{"3"}) {
		t.Errorf("requests %v, want 3", got)
	}
	if got := m.column(`AzureMetrics | where MetricName == "MemoryPercentage" | distinct Average`); !slices.Contains(got, "25") {
		t.Errorf("memory %v, want 25 %%", got)
	}
	text := m.get("http://"+m.daemon.api.Addr().String()+"/metrics", "")
	for _, want := range []string{
		`containerapp_requests_total{app="web",revision="web--`, `status_code_category="2xx"} 3`, `containerapp_replicas{app="web",`,
		`containerapp_working_set_bytes{app="web",`, `} 268435456`, `containerapp_rx_bytes_total{`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %q in\n%s", want, text)
		}
	}
	m.stop()
}

// A rule reaches what runs in the environment by the name apps know it by, and
// wakes an app without ingress.
func TestRuleReachesAnAppOfTheEnvironmentByName(t *testing.T) {
	one := 1
	m := sleepy(t, &aca.Scale{MinReplicas: &one}) // web, which answers as Prometheus
	var value atomic.Int64
	m.runtime.Serve("web:1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"data":{"resultType":"scalar","result":[1,"%d"]}}`, value.Load())
	}))
	cooldown := 30
	worker := aca.ContainerApp{Name: "worker", Properties: aca.AppProperties{
		Configuration: aca.Configuration{Secrets: []aca.Secret{{Name: "who", Value: "me"}}},
		Template: aca.Template{
			Containers: []aca.Container{{Name: "app", Image: "web:1"}},
			Scale: &aca.Scale{MinReplicas: new(int), CooldownPeriod: &cooldown, Rules: []aca.ScaleRule{{Name: "jobs", Custom: &aca.CustomScaleRule{
				Type:     "prometheus",
				Metadata: map[string]string{"serverAddress": "http://web", "query": "jobs", "threshold": "10", "authModes": "basic"},
				Auth:     []aca.ScaleRuleAuth{{SecretRef: "who", TriggerParameter: "username"}},
			}}}},
		},
	}}
	if _, err := m.daemon.Engine.Apply(t.Context(), emulator.ApplyRequest{App: worker}); err != nil {
		t.Fatal(err)
	}
	ready := func(n int) func(*emulator.Snapshot) bool {
		return func(s *emulator.Snapshot) bool {
			a := s.App("worker")
			if a == nil || len(a.Revisions) == 0 {
				return false
			}
			got := 0
			for _, r := range a.Revisions[0].Replicas {
				if r.Ready && !r.Draining {
					got++
				}
			}
			return got == n
		}
	}
	m.waitFor("worker is ready", ready(1))
	m.waitFor("worker is at zero", ready(0))
	value.Store(25)
	m.waitFor("25 by 10 are three replicas", ready(3))
	if rows := m.systemRows("KEDAScalerFailed"); len(rows) > 0 {
		t.Errorf("rows %q", rows)
	}
	m.stop()
}
