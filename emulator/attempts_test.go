package emulator

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/acalocal/acalocal/probes"
)

func attemptOn(replica string, n int, o probes.Outcome) probes.Report {
	return probes.Report{
		Target: probes.Target{Key: probes.Key{Replica: replica, Container: "app", Kind: probes.Liveness}, Generation: 1, Check: probes.Check{TCP: &probes.TCPCheck{Port: 8000}}},
		At:     time.Unix(int64(n), 0), Result: probes.Result{Outcome: o},
	}
}

func TestNewestAttemptsAreKept(t *testing.T) {
	var a attempts
	for n := range maxAttempts + 10 {
		a.add(attemptOn("web--1-h-aaaaa", n, probes.Success))
	}
	a.add(attemptOn("web--1-h-aaaaa", 999, probes.Error)) // no attempt was made
	got := a.of(func(string) bool { return true })
	if len(got) != maxAttempts || got[0].Time.Unix() != 10 || got[maxAttempts-1].Time.Unix() != maxAttempts+9 {
		t.Errorf("%d attempts, from %v to %v", len(got), got[0].Time.Unix(), got[len(got)-1].Time.Unix())
	}
}

func TestAttemptsOfFewGoneReplicasAreKept(t *testing.T) {
	var a attempts
	for n := range maxGoneReplicas + 5 {
		a.add(attemptOn(fmt.Sprintf("web--1-h-%05d", n), n, probes.Failure))
		a.retain(map[string]bool{}) // it is gone at once
	}
	got := a.of(func(string) bool { return true })
	if len(got) != maxGoneReplicas || got[0].Replica != "web--1-h-00005" {
		t.Errorf("%d attempts, the oldest on %s", len(got), got[0].Replica)
	}
	if len(a.gone) != maxGoneReplicas {
		t.Errorf("%d names are kept", len(a.gone))
	}
}

func TestAttemptsThatPassAreRemembered(t *testing.T) {
	inBubble(t, func(w *world) {
		out := w.apply("web:1")
		w.waitFor("web is ready", ready)
		time.Sleep(time.Minute) // virtual
		seen := map[probes.Kind]int{}
		for _, one := range w.engine.ProbeAttempts(out.Revision) {
			if one.Passed && one.Container == "app" && one.Port == 8000 && one.Start == 1 {
				seen[one.Probe]++
			}
		}
		if seen[probes.Startup] != 1 || seen[probes.Readiness] < 11 || seen[probes.Liveness] < 6 {
			t.Errorf("attempts that passed in a minute: %v", seen)
		}
		if got := w.engine.ProbeAttempts("web--none"); got != nil {
			t.Errorf("another revision has %v", got)
		}
	})
}

func TestScaledTimersAreSaidAndHoldForProbesWhenAsked(t *testing.T) {
	for _, scaled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.stop()
			w.scale, w.scaleProbes = 10, scaled
			w.boot()
			out := w.apply("web:1")
			w.waitFor("web is ready", ready)
			time.Sleep(10 * time.Second) // virtual
			live := 0
			for _, a := range w.engine.ProbeAttempts(out.Revision) {
				if a.Probe == probes.Liveness {
					live++
				}
			}
			if least := map[bool]int{false: 1, true: 9}[scaled]; live < least || live > least+3 { // one in 10 s, or one a second
				t.Errorf("scaled %t: %d attempts of liveness in 10 s", scaled, live)
			}
			w.stop()
			want := map[bool]string{
				false: "The platform's own timers run 10 times faster than on Azure (--time-scale).",
				true:  "The platform's own timers and the periods of probes run 10 times faster than on Azure (--time-scale).",
			}[scaled]
			said := 0
			for _, r := range w.memory.rows {
				if r.Reason == "TimeScale" && r.Msg == want && r.Source == "acalocal" && r.Revision == out.Revision {
					said++
				}
			}
			if said != 1 {
				t.Errorf("scaled %t: %d rows say so", scaled, said)
			}
		})
	}
}
