package scale

import (
	"fmt"
	"math"
	"testing"
	"time"
)

var start = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

func http(value, target float64) Sample {
	return Sample{Rule: "http-scaler", Kind: Average, Value: value, Target: target}
}

// Each case is one decision from a fresh scaler, named after what it proves.
func TestDecideOnce(t *testing.T) {
	for _, c := range []struct {
		name    string
		set     Settings
		current int
		samples []Sample
		want    Decision
	}{
		{"60 at a time with target 10 are 6 replicas in one step", Settings{Max: 10, Cooldown: Window}, 1, []Sample{http(60, 10)}, Decision{6, "http-scaler"}},
		{"80 at a time stop at the maximum", Settings{Max: 5, Cooldown: Window}, 1, []Sample{http(80, 10)}, Decision{5, "http-scaler"}},
		{"below one target is one replica", Settings{Max: 10, Cooldown: Window}, 1, []Sample{http(3, 10)}, Decision{1, "http-scaler"}},
		{"a high threshold changes nothing", Settings{Max: 10, Cooldown: Window}, 1, []Sample{http(60, 500)}, Decision{1, "http-scaler"}},
		{"no load stays at the minimum", Settings{Min: 2, Max: 10}, 2, []Sample{http(0, 10)}, Decision{2, ""}},
		{"100 messages with target 5 are 20, capped at 10", Settings{Max: 10}, 1, []Sample{{Rule: "q", Kind: Average, Value: 100, Target: 5}}, Decision{10, "q"}},
		{"the largest rule wins", Settings{Max: 10}, 1, []Sample{http(20, 10), {Rule: "q", Kind: Average, Value: 30, Target: 5}}, Decision{6, "q"}},
		{"utilization is relative to what runs", Settings{Min: 1, Max: 10}, 4, []Sample{{Rule: "cpu", Kind: Utilization, Value: 90, Target: 60}}, Decision{6, "cpu"}},
		{"replicas without metrics ask for no further ones", Settings{Min: 1, Max: 10}, 3, []Sample{{Rule: "cpu", Kind: Utilization, Value: 90, Target: 60, Over: 2}}, Decision{3, "cpu"}},
		{"more are added for what is measured alone", Settings{Min: 1, Max: 10}, 3, []Sample{{Rule: "cpu", Kind: Utilization, Value: 120, Target: 60, Over: 2}}, Decision{4, "cpu"}},
		{"idle ones do not turn a rise into a fall", Settings{Min: 1, Max: 10}, 8, []Sample{{Rule: "cpu", Kind: Utilization, Value: 90, Target: 60, Over: 2}}, Decision{8, "cpu"}},
		{"replicas without metrics are kept on the way down", Settings{Min: 1, Max: 10}, 4, []Sample{{Rule: "cpu", Kind: Utilization, Value: 30, Target: 60, Over: 2}}, Decision{3, "cpu"}},
		{"a rule at its activation value does not wake", Settings{Max: 10}, 0, []Sample{{Rule: "q", Kind: Average, Value: 0, Target: 5}}, Decision{0, ""}},
		{"a rule above its activation value wakes", Settings{Max: 10}, 0, []Sample{{Rule: "q", Kind: Average, Value: 6, Activation: 5, Target: 100}}, Decision{1, "q"}},
		{"a rule without metric takes nothing away", Settings{Max: 10}, 3, []Sample{{Rule: "q", Failed: true}}, Decision{3, ""}},
		{"a metric below its activation value does not wake, whatever it asks for", Settings{Max: 10}, 0, []Sample{{Rule: "q", Kind: Average, Value: 4, Activation: 5, Target: 1}}, Decision{}},
		{"an app at zero comes back with one replica, then by the rules", Settings{Max: 10}, 0, []Sample{http(100, 10)}, Decision{1, "http-scaler"}},
		{"an app with a minimum comes back with that", Settings{Min: 3, Max: 10}, 0, []Sample{http(100, 10)}, Decision{3, "http-scaler"}},
		{"cpu alone keeps one replica", Settings{Max: 10}, 1, []Sample{{Rule: "cpu", Kind: Utilization, Value: 0, Target: 60}}, Decision{1, ""}},
		{"cpu beside http lets the app sleep", Settings{Max: 10}, 1, []Sample{{Rule: "cpu", Kind: Utilization, Value: 50, Target: 60}, http(0, 10)}, Decision{}},
		{"utilization of 30 with target 60 halves", Settings{Max: 10, Cooldown: Window}, 4, []Sample{http(1, 10), {Rule: "cpu", Kind: Utilization, Value: 30, Target: 60}}, Decision{2, "cpu"}},
		{"a metric type of Value scales what runs by the ratio", Settings{Max: 10}, 2, []Sample{{Rule: "p", Kind: Value, Value: 30, Target: 10}}, Decision{6, "p"}},
		{"a rule that says it is active wakes without a value", Settings{Max: 10}, 0, []Sample{{Rule: "e", Kind: Average, Active: true, Target: 10}}, Decision{1, ""}},
		{"a rule that says it is not active lets the app sleep", Settings{Max: 10}, 3, []Sample{{Rule: "e", Kind: Average, Value: 30, Activation: math.Inf(1), Target: 10}}, Decision{}},
		{"a metric that fails does not put the app to sleep", Settings{Max: 10}, 1, []Sample{http(0, 10), {Rule: "q", Kind: Average, Failed: true}}, Decision{1, ""}},
		{"0.3 by 0.1 is 3", Settings{Max: 10}, 1, []Sample{http(0.3, 0.1)}, Decision{3, "http-scaler"}},
		{"documented steps go to 4 first", Settings{Max: 100, Steps: true}, 1, []Sample{http(1000, 10)}, Decision{4, "http-scaler"}},
		{"documented steps double then", Settings{Max: 100, Steps: true}, 8, []Sample{http(1000, 10)}, Decision{16, "http-scaler"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(start.Add(-time.Hour))
			if got := s.Decide(start, c.set, c.current, c.samples); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// run decides every interval over a load curve and returns the replicas.
func run(set Settings, current int, load func(time.Duration) float64, d time.Duration) map[time.Duration]int {
	s := New(start)
	out := map[time.Duration]int{}
	for t := time.Duration(0); t <= d; t += Interval {
		current = s.Decide(start.Add(t), set, current, []Sample{http(load(t), 10)}).Replicas
		out[t] = current
	}
	return out
}

func until(end time.Duration, value float64) func(time.Duration) float64 {
	return func(t time.Duration) float64 {
		if t < end {
			return value
		}
		return 0
	}
}

func TestScaleDownWaitsForTheWindow(t *testing.T) {
	got := run(Settings{Min: 1, Max: 10, Cooldown: Window}, 1, until(time.Minute, 60), 10*time.Minute)
	last := time.Minute - Interval // of load
	if n := got[last+Window]; n != 6 {
		t.Errorf("at the end of the window %d replicas, want 6", n)
	}
	if n := got[last+Window+Interval]; n != 1 {
		t.Errorf("after the window %d replicas, want 1", n)
	}
}

func TestToZeroOnlyAfterTheCooldown(t *testing.T) {
	got := run(Settings{Max: 10, Cooldown: 600 * time.Second}, 1, until(time.Minute, 5), 20*time.Minute)
	last := time.Minute - Interval
	if n := got[last+600*time.Second-Interval]; n != 1 {
		t.Errorf("before the cool-down is over %d replicas, want 1", n)
	}
	if n := got[last+600*time.Second]; n != 0 {
		t.Errorf("after the cool-down %d replicas, want 0", n)
	}
}

// The cool-down alone decides about zero: KEDA sets the number of replicas to
// zero past the window that holds back smaller steps.
func TestToZeroFromManyAfterAShortCooldown(t *testing.T) {
	got := run(Settings{Max: 10, Cooldown: 60 * time.Second}, 1, until(time.Minute, 60), 10*time.Minute)
	last := time.Minute - Interval
	if n := got[last+60*time.Second-Interval]; n != 6 {
		t.Errorf("before the cool-down is over %d replicas, want 6", n)
	}
	if n := got[last+60*time.Second]; n != 0 {
		t.Errorf("after the cool-down %d replicas, want 0", n)
	}
}

// minReplicas 5 → 2 without load: the new revision took over with five, and
// keeps them for the window.
func TestReplicasTakenOverStayForTheWindow(t *testing.T) {
	s := New(start)
	s.Keep(start, 5)
	for d := Interval; d <= Window+Interval; d += Interval {
		want := 5
		if d > Window {
			want = 2
		}
		if n := s.Decide(start.Add(d), Settings{Min: 2, Max: 10, Cooldown: Window}, 5, []Sample{http(0, 10)}).Replicas; n != want {
			t.Fatalf("after %v %d replicas, want %d", d, n, want)
		}
	}
}

func TestDocumentedStepsUpToTheMaximum(t *testing.T) {
	s, n := New(start), 1
	var steps []int
	for i := range 5 {
		n = s.Decide(start.Add(time.Duration(i)*Interval), Settings{Min: 1, Max: 32, Steps: true}, n, []Sample{http(1000, 10)}).Replicas
		steps = append(steps, n)
	}
	if got, want := fmt.Sprint(steps), "[4 8 16 32 32]"; got != want {
		t.Errorf("from 1 by %s, want %s", got, want)
	}
}

func TestADayHasADecisionEveryFifteenSeconds(t *testing.T) {
	got := run(Settings{Max: 10, Cooldown: Window}, 0, func(d time.Duration) float64 {
		return 50 * (1 + math.Sin(2*math.Pi*d.Hours()/24))
	}, 24*time.Hour)
	if len(got) != 24*60*4+1 {
		t.Errorf("%d decisions in a day", len(got))
	}
}

func TestOpenStreamsKeepReplicas(t *testing.T) {
	got := run(Settings{Max: 10, Cooldown: Window}, 1, func(time.Duration) float64 { return 95 }, 30*time.Minute)
	if n := got[30*time.Minute]; n != 10 {
		t.Errorf("%d replicas while streams are open, want 10", n)
	}
}

func TestHTTPMetricIsTheLargerOfRateAndInFlight(t *testing.T) {
	for _, c := range []struct {
		finished uint64
		inFlight int
		want     float64
	}{{150, 3, 10}, {15, 60, 60}, {0, 0, 0}} {
		if got := HTTPMetric(c.finished, Interval, c.inFlight); got != c.want {
			t.Errorf("%d finished, %d in flight: %v, want %v", c.finished, c.inFlight, got, c.want)
		}
	}
}

func BenchmarkThousandApps(b *testing.B) {
	scalers := make([]*Scaler, 1000)
	for i := range scalers {
		scalers[i] = New(start)
	}
	set := Settings{Max: 10, Cooldown: Window}
	now := start
	for b.Loop() {
		now = now.Add(Interval)
		for i, s := range scalers {
			s.Decide(now, set, 1, []Sample{http(float64(i%100), 10)})
		}
	}
}

func ExampleScaler() {
	s := New(start)
	d := s.Decide(start, Settings{Max: 10, Cooldown: Window}, 1, []Sample{http(42, 10)})
	fmt.Println(d.Replicas, d.Rule)
	// Output: 5 http-scaler
}
