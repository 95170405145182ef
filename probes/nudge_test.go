package probes

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A nudge that comes when a tick is due is that tick.
func TestANudgeAtATickDoesNotSwallowIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, map[Kind]string{Startup: "F"})
		w.Nudge("web--k3x1-0")
		target := probe(Startup, 0, 0, sec, sec, 9)
		w.Set([]Target{target})
		for i := range 3 {
			w.after(time.Duration(i) * sec)
			w.Nudge("web--k3x1-0")
		}
		w.after(2500 * time.Millisecond)
		want := "0s Startup 1:Failure 1\n1s Startup 2:Failure 2\n2s Startup 3:Failure 3"
		if diff := cmp.Diff(want, w.reportText()); diff != "" {
			t.Errorf("reports (-want +got):\n%s", diff)
		}
	})
}

// A nudge makes one attempt before its tick. Each case nudges after 300 ms and
// says what was asked, and reported, within three seconds.
func TestEarlyAttempts(t *testing.T) {
	for _, c := range []struct {
		name    string
		kind    Kind
		delay   time.Duration
		eager   bool
		answers string
		asked   string
		reports string
	}{
		{"a success counts at once", Startup, 0, false, "FS", "0s 300ms", "0s Startup 1:Failure 1\n300ms Startup 2:Success 1 Passed"},
		{"a failure does not count", Startup, 0, false, "FFFS", "0s 300ms 1s 2s", "0s Startup 1:Failure 1\n1s Startup 2:Failure 2\n2s Startup 3:Success 1 Passed"},
		{"not before the initial delay", Readiness, sec, false, "S", "1s 2s", "1s Readiness 1:Success 1 Passed"},
		{"before the delay of a probe nobody configured", Startup, sec, true, "S", "300ms", "300ms Startup 1:Success 1 Passed"},
		{"but its failures keep the delay", Startup, sec, true, "FS", "300ms 1s", "1s Startup 1:Success 1 Passed"},
		{"not for a probe that passes", Readiness, 0, false, "S", "0s 1s 2s", "0s Readiness 1:Success 1 Passed"},
		{"not for liveness", Liveness, 0, false, "FFF", "0s 1s 2s", "0s Liveness 1:Failure 1\n1s Liveness 2:Failure 2\n2s Liveness 3:Failure 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := begin(t, map[Kind]string{c.kind: c.answers})
				target := probe(c.kind, 0, c.delay, sec, sec, 9)
				target.Eager = c.eager
				w.Set([]Target{target})
				w.after(300 * time.Millisecond)
				w.Nudge("web--k3x1-0")
				w.after(2600 * time.Millisecond)
				if diff := cmp.Diff(c.asked, w.askedText(c.kind)); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.reports, w.reportText()); diff != "" {
					t.Errorf("reports (-want +got):\n%s", diff)
				}
			})
		})
	}
}
