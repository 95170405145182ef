package probes

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bubble runs f beside a Prober in a synctest bubble.
func bubble(t *testing.T, answers map[Kind]string, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, begin(t, withDefaults(answers))) })
}

func (w *world) wantAsked(t *testing.T, k Kind, want string) {
	t.Helper()
	if diff := cmp.Diff(want, w.askedText(k)); diff != "" {
		t.Errorf("attempts of %s (-want +got):\n%s", k, diff)
	}
}

func (w *world) wantReports(t *testing.T, want string) {
	t.Helper()
	if diff := cmp.Diff(want, w.reportText()); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}

func TestSameListAgainDisturbsNothing(t *testing.T) {
	bubble(t, map[Kind]string{Liveness: "F"}, func(t *testing.T, w *world) {
		live := probe(Liveness, 0, 0, 10*sec, sec, 3)
		for i := range 25 {
			w.after(time.Duration(i) * sec)
			w.Set([]Target{live})
		}
		w.after(60 * sec)
		w.wantReports(t, "0s Liveness 1:Failure 1\n10s Liveness 2:Failure 2\n20s Liveness 3:Failure 3 Failed")
	})
}

func TestNewGenerationStartsNewRhythmAndCounters(t *testing.T) {
	bubble(t, map[Kind]string{Liveness: "FFS"}, func(t *testing.T, w *world) {
		live := probe(Liveness, 0, 0, 10*sec, sec, 3)
		w.Set([]Target{live})
		w.after(13 * sec)
		live.Generation, live.StartedAt = 2, time.Now()
		w.Set([]Target{live})
		w.after(35 * sec)
		w.wantAsked(t, Liveness, "0s 10s 13s 23s 33s")
		w.wantReports(t, "0s Liveness 1:Failure 1\n10s Liveness 2:Failure 2")
	})
}

func TestNewGenerationIsProbedAfterAKill(t *testing.T) {
	bubble(t, map[Kind]string{Startup: "FFFS"}, func(t *testing.T, w *world) {
		startup, live := probe(Startup, 0, 0, 5*sec, sec, 3), probe(Liveness, 0, 0, 10*sec, sec, 3)
		w.Set([]Target{startup, live})
		w.after(20 * sec)
		for _, p := range []*Target{&startup, &live} {
			p.Generation, p.StartedAt = 2, time.Now()
		}
		w.Set([]Target{startup, live})
		w.after(25 * sec)
		w.wantAsked(t, Startup, "0s 5s 10s 20s")
		w.wantAsked(t, Liveness, "20s")
	})
}

func TestRestartShutsTheStartupGateAgain(t *testing.T) {
	bubble(t, map[Kind]string{Startup: "SF"}, func(t *testing.T, w *world) {
		startup, ready := probe(Startup, 0, 0, sec, sec, 240), probe(Readiness, 0, 0, 5*sec, sec, 3)
		w.Set([]Target{startup, ready})
		w.after(7 * sec)
		for _, p := range []*Target{&startup, &ready} {
			p.Generation, p.StartedAt = 2, time.Now()
		}
		w.Set([]Target{startup, ready})
		w.after(60 * sec)
		w.wantAsked(t, Readiness, "0s 5s")
	})
}

func TestReplicaBeingDeletedKeepsOnlyReadiness(t *testing.T) {
	bubble(t, map[Kind]string{Readiness: "SF"}, func(t *testing.T, w *world) {
		targets := []Target{
			probe(Startup, 0, 0, sec, sec, 240),
			probe(Liveness, 0, 0, 5*sec, sec, 3),
			probe(Readiness, 0, 0, 5*sec, sec, 2),
		}
		w.Set(targets)
		w.after(2 * sec)
		for i := range targets {
			targets[i].Deleting = true
		}
		w.Set(targets)
		w.after(17 * sec)
		w.wantAsked(t, Liveness, "0s")
		w.wantAsked(t, Readiness, "0s 5s 10s 15s")
	})
}

func TestReplicaDeletedWhileStartingIsNotAskedAnyMore(t *testing.T) {
	bubble(t, map[Kind]string{Startup: "F"}, func(t *testing.T, w *world) {
		targets := []Target{probe(Startup, 0, 0, sec, sec, 240), probe(Readiness, 0, 0, 5*sec, sec, 2)}
		w.Set(targets)
		w.after(2500 * time.Millisecond)
		for i := range targets {
			targets[i].Deleting = true
		}
		w.Set(targets)
		w.after(60 * sec)
		w.wantAsked(t, Startup, "0s 1s 2s")
		w.wantAsked(t, Readiness, "")
	})
}

func TestTargetThatLeavesTheSetIsNotAskedAgain(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.Set([]Target{probe(Liveness, 0, 0, 5*sec, sec, 3)})
		w.after(7 * sec)
		w.Set(nil)
		w.after(60 * sec)
		w.wantAsked(t, Liveness, "0s 5s")
	})
}

func TestStartupProbeThatLeavesTheListOpensTheGate(t *testing.T) {
	bubble(t, map[Kind]string{Startup: "F"}, func(t *testing.T, w *world) {
		startup, ready := probe(Startup, 0, 0, sec, sec, 240), probe(Readiness, 0, 0, 5*sec, sec, 3)
		w.Set([]Target{startup, ready})
		w.after(7 * sec)
		w.Set([]Target{ready})
		w.after(11 * sec)
		w.wantAsked(t, Readiness, "7s 10s")
	})
}

func TestContainersOfAReplicaAreGatedEachByItsOwnStartup(t *testing.T) {
	bubble(t, map[Kind]string{Startup: "F"}, func(t *testing.T, w *world) {
		startup, ready := probe(Startup, 0, 0, sec, sec, 240), probe(Readiness, 0, 0, 10*sec, sec, 3)
		sidecar := ready
		sidecar.Container = "sidecar"
		w.Set([]Target{startup, ready, sidecar})
		w.after(5 * sec)
		w.wantAsked(t, Readiness, "0s") // the sidecar's
	})
}

func TestAnswerThatComesTooLateIsDropped(t *testing.T) {
	bubble(t, map[Kind]string{Readiness: "L"}, func(t *testing.T, w *world) {
		ready := probe(Readiness, 0, 0, 10*sec, 9*sec, 3)
		w.Set([]Target{ready})
		w.after(3 * sec)
		w.Set(nil)
		w.after(20 * sec)
		w.wantReports(t, "")
	})
}

// TestSetNeverWaitsForTheReceiver sets from within a report, while another
// report is stuck, and sees the new list at work.
func TestSetNeverWaitsForTheReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(withDefaults(nil))
		stuck := make(chan struct{})
		var p *Prober
		p = New(s, func(r Report) {
			if r.Target.Kind == Readiness {
				p.Set([]Target{probe(Liveness, 0, 0, 5*sec, sec, 3)})
				<-stuck
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		p.Set([]Target{probe(Readiness, 0, 0, 5*sec, sec, 3)})
		time.Sleep(11 * sec)
		synctest.Wait()
		if diff := cmp.Diff([]string{"0s", "5s", "10s"}, s.asked[Liveness]); diff != "" {
			t.Errorf("attempts of Liveness while a report is stuck (-want +got):\n%s", diff)
		}
		cancel()
		synctest.Wait()
		select {
		case <-done:
			t.Error("Run returned while a report was under way")
		default:
		}
		close(stuck)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestSlowReceiverDelaysOnlyItsOwnProbe also shows that ticks missed meanwhile
// are dropped.
func TestSlowReceiverDelaysOnlyItsOwnProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(map[Kind]string{Readiness: "F", Liveness: "S"})
		p := New(s, func(Report) { time.Sleep(12 * sec) })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		p.Set([]Target{probe(Readiness, 0, 0, 5*sec, sec, 9), probe(Liveness, 0, 0, 5*sec, sec, 3)})
		time.Sleep(31 * sec)
		synctest.Wait()
		want := map[Kind][]string{
			Readiness: {"0s", "15s", "30s"},
			Liveness:  {"0s", "5s", "10s", "15s", "20s", "25s", "30s"},
		}
		if diff := cmp.Diff(want, s.asked); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		cancel()
		<-done
	})
}

// TestAttemptsOfAKeyNeverOverlap changes the list at random under slow answers;
// the script notes an attempt that begins before the last one has ended.
func TestAttemptsOfAKeyNeverOverlap(t *testing.T) {
	for seed := range uint64(50) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			bubble(t, map[Kind]string{Startup: "TLS", Readiness: "L", Liveness: "SLT"}, func(t *testing.T, w *world) {
				rnd := rand.New(rand.NewPCG(seed, 1))
				for range 40 {
					w.Set(randomTargets(rnd, w.start))
					time.Sleep(time.Duration(rnd.IntN(4000)) * time.Millisecond)
				}
				synctest.Wait()
			})
		})
	}
}

func randomTargets(rnd *rand.Rand, start time.Time) []Target {
	var targets []Target
	generation := rnd.IntN(2)
	for _, k := range []Kind{Startup, Readiness, Liveness} {
		if rnd.IntN(3) == 0 {
			continue
		}
		t := probe(k, 0, 0, sec, 3*sec, 3)
		t.Generation, t.StartedAt = generation, start
		t.Deleting = rnd.IntN(4) == 0
		targets = append(targets, t)
	}
	return targets
}

func TestListSetBeforeRunIsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(withDefaults(nil))
		p := New(s, func(Report) {})
		p.Set([]Target{probe(Liveness, 0, 0, 5*sec, sec, 3)})
		ctx, cancel := context.WithTimeout(t.Context(), 3*sec)
		defer cancel()
		if err := p.Run(ctx); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"0s"}, s.asked[Liveness]); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
	})
}

func TestSetForgetsWorkersThatHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := newWorkerSet(newScript(withDefaults(nil)), func(Report) {})
		for generation := range 10 {
			p := probe(Readiness, 0, 0, 5*sec, sec, 3)
			p.Replica = fmt.Sprint("replica ", generation)
			ws.reconcile(t.Context(), []Target{p})
			synctest.Wait()
		}
		ws.reconcile(t.Context(), nil)
		synctest.Wait()
		ws.reconcile(t.Context(), nil)
		if len(ws.workers) != 0 || len(ws.gates) != 0 {
			t.Errorf("%d workers and %d gates are left, want none", len(ws.workers), len(ws.gates))
		}
		ws.wait()
	})
}

func TestSameProbe(t *testing.T) {
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	base := Target{
		Key:        Key{"r", "c", Readiness},
		Generation: 1, StartedAt: at,
		Check: Check{HTTP: &HTTPCheck{Port: 80, Headers: []Header{{Name: "A", Value: "1"}}}},
		Delay: sec, Period: sec, Timeout: sec, Success: 1, Failure: 3,
	}
	for _, c := range []struct {
		change string
		edit   func(*Target)
		want   bool
	}{
		{"nothing", func(*Target) {}, true},
		{"deletion", func(t *Target) { t.Deleting = true }, true},
		{"the same instant in another zone", func(t *Target) { t.StartedAt = at.In(time.FixedZone("x", 3600)) }, true},
		{"an equal check elsewhere in memory", func(t *Target) {
			t.Check = Check{HTTP: &HTTPCheck{Port: 80, Headers: []Header{{Name: "A", Value: "1"}}}}
		}, true},
		{"generation", func(t *Target) { t.Generation++ }, false},
		{"start", func(t *Target) { t.StartedAt = at.Add(1) }, false},
		{"key", func(t *Target) { t.Container = "d" }, false},
		{"delay", func(t *Target) { t.Delay++ }, false},
		{"period", func(t *Target) { t.Period++ }, false},
		{"timeout", func(t *Target) { t.Timeout++ }, false},
		{"success threshold", func(t *Target) { t.Success++ }, false},
		{"failure threshold", func(t *Target) { t.Failure++ }, false},
		{"a header", func(t *Target) { t.Check.HTTP = &HTTPCheck{Port: 80, Headers: []Header{{Name: "A", Value: "2"}}} }, false},
		{"a port", func(t *Target) { t.Check.HTTP = &HTTPCheck{Port: 81, Headers: []Header{{Name: "A", Value: "1"}}} }, false},
		{"HTTP to TCP", func(t *Target) { t.Check = Check{TCP: &TCPCheck{Port: 80}} }, false},
	} {
		t.Run(c.change, func(t *testing.T) {
			other := base
			c.edit(&other)
			if got := sameProbe(base, other); got != c.want {
				t.Errorf("sameProbe = %v, want %v", got, c.want)
			}
		})
	}
}
