package probes

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const sec = time.Second

// script is a Checker that answers each kind of probe from a list of letters,
// the last one for ever: S success, F failure, E error, T timeout, L success
// after seven seconds, V timeout heard of late, H nothing until given up, P panic. It writes down when
// it was asked.
type script struct {
	start   time.Time
	answers map[Kind]string

	mu    sync.Mutex
	asked map[Kind][]string
	count map[Kind]int
	busy  map[Key]bool
	fault string
}

func newScript(answers map[Kind]string) *script {
	return &script{
		start: time.Now(), answers: answers,
		asked: map[Kind][]string{}, count: map[Kind]int{}, busy: map[Key]bool{},
	}
}

func (s *script) Check(ctx context.Context, t Target) Result {
	letter := s.begin(t)
	defer s.end(t)
	switch letter {
	case 'S':
		return Result{Outcome: Success}
	case 'F':
		return Result{Outcome: Failure, Status: "1"}
	case 'E':
		return Result{Outcome: Error}
	case 'T':
		sleep(ctx, t.Timeout)
		return Result{Outcome: Failure, Timeout: true}
	case 'L':
		sleep(ctx, 7*sec)
		return Result{Outcome: Success}
	case 'V':
		time.Sleep(4500 * time.Millisecond)
		return Result{Outcome: Failure, Timeout: true}
	case 'H':
		<-ctx.Done()
		return Result{Outcome: Error}
	}
	panic("no answer")
}

func (s *script) begin(t Target) byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[t.Key] {
		s.fault = fmt.Sprintf("%v asked while an attempt was under way", t.Key)
	}
	s.busy[t.Key] = true
	s.asked[t.Kind] = append(s.asked[t.Kind], since(s.start))
	letters := s.answers[t.Kind]
	letter := letters[min(s.count[t.Kind], len(letters)-1)]
	s.count[t.Kind]++
	return letter
}

func (s *script) end(t Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy[t.Key] = false
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func since(t time.Time) string { return time.Since(t).String() }

// world is a Prober at work inside a synctest bubble.
type world struct {
	*Prober
	*script
	mu      sync.Mutex
	reports []string
}

// begin starts a Prober; it ends with the bubble.
func begin(t *testing.T, answers map[Kind]string) *world {
	w := &world{script: newScript(answers)}
	w.Prober = New(w.script, w.hear)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if w.fault != "" {
			t.Error(w.fault)
		}
	})
	return w
}

func (w *world) hear(r Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := fmt.Sprintf("%s %s %d:%s %d", since(w.start), r.Target.Kind, r.Attempt, r.Result.Outcome, r.Run)
	w.reports = append(w.reports, strings.TrimSpace(line+" "+string(r.Edge)))
}

// after lets virtual time pass until d after the beginning, and settles.
func (w *world) after(d time.Duration) {
	time.Sleep(time.Until(w.start.Add(d)))
	synctest.Wait()
}

func (w *world) askedText(k Kind) string {
	w.script.mu.Lock()
	defer w.script.mu.Unlock()
	return strings.Join(w.asked[k], " ")
}

func (w *world) reportText() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.reports, "\n")
}

// probe returns a target of container app that started age ago.
func probe(k Kind, age, delay, period, timeout time.Duration, failure int) Target {
	return Target{
		Key:        Key{Replica: "web--k3x1-0", Container: "app", Kind: k},
		Generation: 1, StartedAt: time.Now().Add(-age),
		Check: Check{TCP: &TCPCheck{Port: 80}},
		Delay: delay, Period: period, Timeout: timeout, Success: 1, Failure: failure,
	}
}

// spec is a probe without the moment its container started.
type spec struct {
	kind                   Kind
	delay, period, timeout time.Duration
	failure                int
}

func TestWhenAttemptsAreMade(t *testing.T) {
	one := func(k Kind, delay, period, timeout time.Duration, failure int) []spec {
		return []spec{{k, delay, period, timeout, failure}}
	}
	var (
		slowStart = spec{Startup, 0, 4 * sec, sec, 30}
		ready     = spec{Readiness, 0, 5 * sec, sec, 3}
		lateReady = spec{Readiness, 20 * sec, 5 * sec, sec, 3}
		live      = spec{Liveness, 0, 10 * sec, sec, 3}
	)
	for _, c := range []struct {
		row     string
		age     time.Duration // of the container when the prober learns of it
		specs   []spec
		answers map[Kind]string
		until   time.Duration
		kind    Kind
		want    string // when attempts of kind were made
	}{
		{"no delay: at once, then every period", 0, one(Liveness, 0, 5*sec, sec, 3), nil, 16 * sec, Liveness, "0s 5s 10s 15s"},
		{"default startup: delay 1 period 1", 0, one(Startup, sec, sec, 3*sec, 240), map[Kind]string{Startup: "FFFS"}, 9 * sec, Startup, "1s 2s 3s 4s"},
		{"first attempt is on the first tick at which age reaches the delay", 0, one(Readiness, 3*sec, 5*sec, sec, 48), nil, 11 * sec, Readiness, "5s 10s"},
		{"ticks are anchored at container start", 300 * time.Millisecond, one(Liveness, 0, 5*sec, sec, 3), nil, 11 * sec, Liveness, "0s 4.7s 9.7s"},
		{"a container adopted late is asked at once", 62 * sec, one(Readiness, 3*sec, 5*sec, sec, 3), nil, 9 * sec, Readiness, "0s 3s 8s"},
		{"a start in the future counts as now", -time.Hour, one(Liveness, 0, 5*sec, sec, 3), nil, 6 * sec, Liveness, "0s 5s"},
		{"slow timeouts do not stretch the period", 0, one(Liveness, 0, 5*sec, 2*sec, 9), map[Kind]string{Liveness: "T"}, 12 * sec, Liveness, "0s 5s 10s"},
		{"a timeout as long as the period does not stretch it either", 0, one(Readiness, 0, 5*sec, 5*sec, 48), map[Kind]string{Readiness: "T"}, 12 * sec, Readiness, "0s 5s 10s"},
		{"the next tick is dropped while one runs", 0, one(Readiness, 0, 5*sec, 9*sec, 3), map[Kind]string{Readiness: "L"}, 22 * sec, Readiness, "0s 10s 20s"},
		{"liveness does not run until startup has passed, then at once", 0, []spec{slowStart, live}, map[Kind]string{Startup: "FFFS"}, 25 * sec, Liveness, "12s 20s"},
		{"readiness does not run until startup has passed, then at once", 0, []spec{slowStart, ready}, map[Kind]string{Startup: "FFFS"}, 21 * sec, Readiness, "12s 15s 20s"},
		{"delay counts from container start, not from startup success", 0, []spec{slowStart, lateReady}, map[Kind]string{Startup: "FFFS"}, 26 * sec, Readiness, "20s 25s"},
		{"after success the startup worker idles", 0, []spec{slowStart}, map[Kind]string{Startup: "FS"}, 60 * sec, Startup, "0s 4s"},
		{"after failure the startup worker holds", 0, one(Startup, 0, 5*sec, sec, 3), map[Kind]string{Startup: "F"}, 60 * sec, Startup, "0s 5s 10s"},
		{"after failure the liveness worker holds", 0, one(Liveness, 0, 10*sec, sec, 3), map[Kind]string{Liveness: "F"}, 90 * sec, Liveness, "0s 10s 20s"},
		{"readiness is asked for ever", 0, one(Readiness, 0, 5*sec, sec, 2), map[Kind]string{Readiness: "F"}, 21 * sec, Readiness, "0s 5s 10s 15s 20s"},
		{"a prober error is tried three times within the tick", 0, one(Liveness, 0, 10*sec, sec, 1), map[Kind]string{Liveness: "EEEES"}, 11 * sec, Liveness, "0s 0s 0s 10s 10s"},
		{"a checker that hangs is given up two seconds after the timeout", 0, one(Liveness, 0, 10*sec, sec, 1), map[Kind]string{Liveness: "HHHS"}, 11 * sec, Liveness, "0s 3s 6s 10s"},
		{"a timeout heard of very late is not caught up", 0, one(Liveness, 0, sec, 500*time.Millisecond, 9), map[Kind]string{Liveness: "VS"}, 7 * sec, Liveness, "0s 5s 6s 7s"},
		{"without a startup probe all begin at once", 0, []spec{ready, live}, nil, 4 * sec, Liveness, "0s"},
	} {
		t.Run(c.row, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := begin(t, withDefaults(c.answers))
				var targets []Target
				for _, s := range c.specs {
					targets = append(targets, probe(s.kind, c.age, s.delay, s.period, s.timeout, s.failure))
				}
				w.Set(targets)
				w.after(c.until)
				if diff := cmp.Diff(c.want, w.askedText(c.kind)); diff != "" {
					t.Errorf("attempts of %s (-want +got):\n%s", c.kind, diff)
				}
			})
		})
	}
}

// withDefaults lets every kind that answers does not name succeed.
func withDefaults(answers map[Kind]string) map[Kind]string {
	all := map[Kind]string{Startup: "S", Readiness: "S", Liveness: "S"}
	for k, v := range answers {
		all[k] = v
	}
	return all
}

func TestWhatIsReported(t *testing.T) {
	for _, c := range []struct {
		row     string
		specs   []spec
		answers map[Kind]string
		until   time.Duration
		want    string
	}{
		{
			"startup to a missing path is killed at failures 0, 5 and 10 s",
			[]spec{{Startup, 0, 5 * sec, sec, 3}, {Liveness, 0, 10 * sec, sec, 3}},
			map[Kind]string{Startup: "F"}, 30 * sec,
			"0s Startup 1:Failure 1\n5s Startup 2:Failure 2\n10s Startup 3:Failure 3 Failed",
		},
		{
			"a liveness handler slower than its timeout: rows at start + timeout",
			[]spec{{Liveness, 0, 10 * sec, 5 * sec, 3}},
			map[Kind]string{Liveness: "T"}, 60 * sec,
			"5s Liveness 1:Failure 1\n15s Liveness 2:Failure 2\n25s Liveness 3:Failure 3 Failed",
		},
		{
			"successful attempts are not reported, the threshold is",
			[]spec{{Readiness, 0, 5 * sec, sec, 3}},
			nil, 60 * sec,
			"0s Readiness 1:Success 1 Passed",
		},
		{
			"startup's pass comes before the first word of the others",
			[]spec{{Startup, sec, sec, sec, 240}, {Readiness, 0, 5 * sec, sec, 3}, {Liveness, 0, 10 * sec, sec, 3}},
			map[Kind]string{Startup: "FS"}, 9 * sec,
			"1s Startup 1:Failure 1\n2s Startup 2:Success 1 Passed\n2s Readiness 1:Success 1 Passed",
		},
		{
			"flapping readiness never reaches its threshold",
			[]spec{{Readiness, 0, 5 * sec, sec, 3}},
			map[Kind]string{Readiness: "SFFSFFS"}, 60 * sec,
			"0s Readiness 1:Success 1 Passed\n5s Readiness 2:Failure 1\n10s Readiness 3:Failure 2\n20s Readiness 5:Failure 1\n25s Readiness 6:Failure 2",
		},
		{
			"readiness goes out and comes back by itself",
			[]spec{{Readiness, 0, 5 * sec, sec, 2}},
			map[Kind]string{Readiness: "SFFS"}, 60 * sec,
			"0s Readiness 1:Success 1 Passed\n5s Readiness 2:Failure 1\n10s Readiness 3:Failure 2 Failed\n15s Readiness 4:Success 1 Passed",
		},
		{
			"liveness without startup protection kills a slow app after its third timeout",
			[]spec{{Liveness, 10 * sec, 5 * sec, 2 * sec, 3}},
			map[Kind]string{Liveness: "T"}, 60 * sec,
			"12s Liveness 1:Failure 1\n17s Liveness 2:Failure 2\n22s Liveness 3:Failure 3 Failed",
		},
		{
			"an error counts for nothing",
			[]spec{{Liveness, 0, 10 * sec, sec, 2}},
			map[Kind]string{Liveness: "FEEEFS"}, 25 * sec,
			"0s Liveness 1:Failure 1\n10s Liveness 2:Error 0\n20s Liveness 3:Failure 2 Failed",
		},
		{
			"a checker that panics is an error, not the end of the prober",
			[]spec{{Readiness, 0, 10 * sec, sec, 2}},
			map[Kind]string{Readiness: "PPPS"}, 15 * sec,
			"0s Readiness 1:Error 0\n10s Readiness 2:Success 1 Passed",
		},
	} {
		t.Run(c.row, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := begin(t, withDefaults(c.answers))
				var targets []Target
				for _, s := range c.specs {
					targets = append(targets, probe(s.kind, 0, s.delay, s.period, s.timeout, s.failure))
				}
				w.Set(targets)
				w.after(c.until)
				if diff := cmp.Diff(c.want, w.reportText()); diff != "" {
					t.Errorf("reports (-want +got):\n%s", diff)
				}
			})
		})
	}
}
