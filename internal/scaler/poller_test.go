package scaler

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/scale"
)

// run polls triggers until the test ends.
func run(t *testing.T, o Options, reports chan<- scale.TriggerReport, triggers ...scale.Trigger) *Poller {
	p := NewPoller(o)
	p.Set(triggers)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx, func(r scale.TriggerReport) { reports <- r })
	}()
	t.Cleanup(func() { cancel(); <-done })
	return p
}

// usage is one container that uses half a core of two and 300 MiB of 1 GiB.
func usage(now func() time.Time) func(context.Context, string, string) ([]Usage, error) {
	began := now()
	return func(context.Context, string, string) ([]Usage, error) {
		at := now()
		return []Usage{{Container: "app", ID: "1", RequestCPU: 2, RequestMemory: 1 << 30,
			Stats: container.Stats{At: at, CPU: at.Sub(began) / 2, WorkingSet: 300 << 20}}}, nil
	}
}

func TestTriggersAreReadAtOnceAndAtTheirInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reports := make(chan scale.TriggerReport, 16)
		fast, slow := trigger("memory", "type=Utilization", "value=60"), trigger("memory", "metricType=Utilization", "value=60")
		fast.Interval, slow.Rule = 15*time.Second, "slow"
		p := run(t, Options{Usage: usage(time.Now)}, reports, fast, slow)
		time.Sleep(61 * time.Second)
		if got := count(reports); got["r"] != 5 || got["slow"] != 3 {
			t.Errorf("after a minute %v, want 5 of r and 3 of slow", got)
		}
		slow.Interval = time.Second
		p.Set([]scale.Trigger{fast, slow})
		time.Sleep(10*time.Second + 500*time.Millisecond)
		if got := count(reports); got["r"] != 0 || got["slow"] != 11 {
			t.Errorf("in the 10 s after a change of slow %v, want none of r and 11 of slow", got)
		}
		p.Set(nil)
		synctest.Wait()
		count(reports)
		time.Sleep(time.Minute)
		if got := count(reports); len(got) != 0 {
			t.Errorf("without triggers %v", got)
		}
	})
}

func count(reports <-chan scale.TriggerReport) map[string]int {
	out := map[string]int{}
	for {
		select {
		case r := <-reports:
			out[r.Rule]++
		default:
			return out
		}
	}
}

func TestMistakesAreReportedAsFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reports := make(chan scale.TriggerReport, 16)
		run(t, Options{}, reports, trigger("azure-queue", "queueName=q"))
		time.Sleep(31 * time.Second)
		for range 2 {
			if r := <-reports; !r.Sample.Failed || r.Err != "error parsing azure queue metadata: no connection setting given" {
				t.Errorf("report %+v", r)
			}
		}
	})
}

// Half a core of two is 25 %; the first reading has nothing to compare with.
func TestCPUAndMemory(t *testing.T) {
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	o := Options{Usage: usage(func() time.Time { return now })}
	for _, c := range []struct {
		trigger scale.Trigger
		want    scale.Sample
	}{
		{trigger("cpu", "type=Utilization", "value=60"), scale.Sample{Kind: scale.Utilization, Value: 25, Target: 60, Over: 1}},
		{trigger("cpu", "metricType=AverageValue", "value=250m"), scale.Sample{Kind: scale.Utilization, Value: 0.5, Target: 0.25, Over: 1}},
		{trigger("memory", "type=Utilization", "value=60"), scale.Sample{Kind: scale.Utilization, Value: 100 * 300.0 / 1024, Target: 60, Over: 1}},
		{trigger("memory", "metricType=AverageValue", "value=200Mi"), scale.Sample{Kind: scale.Utilization, Value: 300 << 20, Target: 200 << 20, Over: 1}},
		{trigger("memory", "metricType=AverageValue", "value=200Mi", "containerName=app"), scale.Sample{Kind: scale.Utilization, Value: 300 << 20, Target: 200 << 20, Over: 1}},
	} {
		s, err := New(c.trigger, o)
		if err != nil {
			t.Fatal(err)
		}
		first, err := s.Read(t.Context())
		if c.trigger.Type == "cpu" && (err == nil || !slices.Contains([]string{
			"failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API",
			"failed to get cpu usage: unable to get metrics for resource cpu: no metrics returned from resource metrics API",
		}, err.Error())) {
			t.Errorf("first %+v, %v", first, err)
		}
		now = now.Add(15 * time.Second)
		if got, err := s.Read(t.Context()); err != nil || got != c.want {
			t.Errorf("%v: %+v, %v, want %+v", c.trigger.Metadata, got, err, c.want)
		}
	}
	none := Options{Usage: func(context.Context, string, string) ([]Usage, error) { return nil, nil }}
	_, err := read(t, none, trigger("memory", "type=Utilization", "value=60"))
	if want := "failed to get memory usage: unable to get metrics for resource memory: no metrics returned from resource metrics API"; err == nil || err.Error() != want {
		t.Errorf("without replicas %v", err)
	}
}

// Two replicas of an app and a sidecar: the percentage is of all requests
// together, a quantity is per replica.
func TestUtilizationIsOverAllContainersOfAllReplicas(t *testing.T) {
	o := Options{Usage: func(context.Context, string, string) ([]Usage, error) {
		at := container.Stats{At: time.Now()}
		app, side := at, at
		app.WorkingSet, side.WorkingSet = 600, 100
		return []Usage{
			{Container: "app", ID: "1", Stats: app, RequestMemory: 1000}, {Container: "side", ID: "2", Stats: side, RequestMemory: 400},
			{Container: "app", ID: "3", Stats: app, RequestMemory: 1000}, {Container: "side", ID: "4", Stats: side, RequestMemory: 400},
		}, nil
	}}
	wantSample(t, o, trigger("memory", "type=Utilization", "value=80"), scale.Sample{Kind: scale.Utilization, Value: 50, Target: 80, Over: 2})
	wantSample(t, o, trigger("memory", "type=Utilization", "value=80", "containerName=side"), scale.Sample{Kind: scale.Utilization, Value: 25, Target: 80, Over: 2})
	wantSample(t, o, trigger("memory", "metricType=AverageValue", "value=500"), scale.Sample{Kind: scale.Utilization, Value: 700, Target: 500, Over: 2})
}

func TestSeveralPollersAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			p := NewPoller(Options{Usage: func(context.Context, string, string) ([]Usage, error) { return nil, errors.New("away") }})
			ctx, cancel := context.WithCancel(t.Context())
			seen := make(chan scale.TriggerReport, 1)
			var running sync.WaitGroup
			running.Go(func() {
				p.Run(ctx, func(r scale.TriggerReport) {
					select {
					case seen <- r:
					default:
					}
				})
			})
			p.Set([]scale.Trigger{trigger("cpu", "type=Utilization", "value=60")})
			if r := <-seen; r.Err != "away" || r.Sample.Kind != scale.Utilization {
				t.Errorf("report %+v", r)
			}
			cancel()
			running.Wait()
		})
	}
	wg.Wait()
}
