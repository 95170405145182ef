package probes

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// observe feeds outcomes (S, F, E) to a tracker and writes what it said: the
// run, and + or - where a threshold was crossed.
func observe(t *testing.T, kind Kind, success, failure int, outcomes string) string {
	t.Helper()
	tr := NewTracker(kind, success, failure)
	var said []string
	for _, o := range strings.Fields(outcomes) {
		run, edge := tr.Observe(map[string]Outcome{"S": Success, "F": Failure, "E": Error}[o])
		said = append(said, string(rune('0'+run))+map[Edge]string{Passed: "+", Failed: "-"}[edge])
	}
	return strings.Join(said, " ")
}

func TestTracker(t *testing.T) {
	for _, c := range []struct {
		row              string
		kind             Kind
		success, failure int
		outcomes, want   string
	}{
		{"only consecutive equal results count", Readiness, 1, 3, "S F F S F F S", "1+ 1 2 1 1 2 1"},
		{"a different result resets the run to 1", Readiness, 3, 3, "S S F S S S", "1 2 1 1 2 3+"},
		{"state changes when run reaches the threshold", Readiness, 1, 3, "S F F F", "1+ 1 2 3-"},
		{"readiness flips to ready after successThreshold successes", Readiness, 3, 1, "S S S", "1 2 3+"},
		{"readiness flips to not ready after failureThreshold failures", Readiness, 1, 2, "S F F", "1+ 1 2-"},
		{"readiness comes back by itself", Readiness, 2, 2, "S S F F S S", "1 2+ 1 2- 1 2+"},
		{"a crossed threshold is said once", Readiness, 1, 2, "S F F F F S S", "1+ 1 2- 3 4 1+ 2"},
		{"a single failure at the very start changes nothing", Readiness, 1, 3, "F S", "1 1+"},
		{"readiness never up still reports its threshold once", Readiness, 1, 3, "F F F F F F", "1 2 3- 4 5 6"},
		{"liveness starts passed so its first success is no edge", Liveness, 1, 3, "S S F F F", "1 2 1 2 3-"},
		{"liveness tolerates failures below the threshold", Liveness, 1, 3, "F F S F F S", "1 2 1 1 2 1"},
		{"startup is unknown so its first success is an edge", Startup, 1, 3, "F F S", "1 2 1+"},
		{"startup fails at its threshold", Startup, 1, 3, "F F F", "1 2 3-"},
		{"prober error leaves the run alone", Liveness, 1, 3, "F F E E F", "1 2 0 0 3-"},
		{"thresholds below 1 count as 1", Startup, 0, 0, "F", "1-"},
	} {
		t.Run(c.row, func(t *testing.T) {
			got := observe(t, c.kind, c.success, c.failure, c.outcomes)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", c.kind, c.outcomes, diff)
			}
		})
	}
}

func TestTrackerStartValues(t *testing.T) {
	got := map[Kind]Edge{}
	for _, k := range []Kind{Startup, Readiness, Liveness} {
		got[k] = NewTracker(k, 1, 3).State()
	}
	want := map[Kind]Edge{Startup: None, Readiness: Failed, Liveness: Passed}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("start values (-want +got):\n%s", diff)
	}
}

// FuzzTracker compares the tracker with a definition of its rules that looks at
// the whole history each time.
func FuzzTracker(f *testing.F) {
	f.Add(byte(0), byte(1), byte(3), "SFFSFFF")
	f.Add(byte(1), byte(3), byte(2), "FFESSSFF")
	f.Fuzz(func(t *testing.T, kind, success, failure byte, history string) {
		k := []Kind{Startup, Readiness, Liveness}[kind%3]
		tr := NewTracker(k, int(success%5), int(failure%5))
		want := tr.State()
		var seen []Outcome
		for _, c := range history {
			o := []Outcome{Success, Failure, Error}[c%3]
			run, edge := tr.Observe(o)
			if o != Error {
				seen = append(seen, o)
			}
			if o == Error && (run != 0 || edge != None) {
				t.Fatalf("after an error: run %d, edge %q", run, edge)
			}
			if o != Error && run != lastRun(seen) {
				t.Fatalf("history %v: run %d, want %d", seen, run, lastRun(seen))
			}
			if o == Success && run >= max(int(success%5), 1) {
				want = Passed
			}
			if o == Failure && run >= max(int(failure%5), 1) {
				want = Failed
			}
			if tr.State() != want || (edge != None && edge != want) {
				t.Fatalf("history %v: state %q, edge %q, want %q", seen, tr.State(), edge, want)
			}
		}
	})
}

func lastRun(seen []Outcome) int {
	n := 0
	for i := len(seen) - 1; i >= 0 && seen[i] == seen[len(seen)-1]; i-- {
		n++
	}
	return n
}
