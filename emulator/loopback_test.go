package emulator

import "testing"

// An app on 127.0.0.1 passes its probes, so only the problem says why no
// request arrives.
func TestReadyAppOnLoopbackHasAProblem(t *testing.T) {
	inBubble(t, func(w *world) {
		w.apply("loopback")
		s := w.waitFor("the problem is seen", func(s *Snapshot) bool { return ready(s) && s.App("web").Local.Problem != "" })
		const want = "The TargetPort 8000 is listened on by 127.0.0.1 only; the edge cannot reach it."
		if got := s.App("web").Local.Problem; got != want {
			w.Errorf("got %q, want %q", got, want)
		}
		w.apply("web:1")
		w.waitFor("the problem is gone", func(s *Snapshot) bool { return ready(s) && s.App("web").Local.Problem == "" })
	})
}
