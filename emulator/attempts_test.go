package emulator

import (
	"fmt"
	"testing"
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
