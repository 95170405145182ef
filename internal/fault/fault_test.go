package fault

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/probes"
	"github.com/google/go-cmp/cmp"
)

func TestFaultsThatCannotBe(t *testing.T) {
	f := func(fault Fault, want string) {
		t.Helper()
		if err := fault.Check(); err == nil || err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", fault, err, want)
		}
	}
	f(Fault{Kind: "fire"}, `(InvalidRequestContent) fault: there is no fault "fire"; there are kill-replica, fail-probe, delay-probe, slow-link, cut-link, exhaust-memory, refuse-pull, lose-engine.`)
	f(Fault{Kind: KillReplica, App: "["}, `(InvalidRequestContent) fault: "[" is not a pattern: syntax error in pattern.`)
	f(Fault{Kind: KillReplica, After: -1}, `(InvalidRequestContent) fault: -1ns is negative.`)
	f(Fault{Kind: KillReplica, Percent: 101}, `(InvalidRequestContent) fault: 101 is not between 0 and 100.`)
	f(Fault{Kind: KillReplica, Every: 1}, `(InvalidRequestContent) fault: 1ns is shorter than 100ms.`)
	f(Fault{Kind: KillReplica, Probe: "Liveness"}, `(InvalidRequestContent) fault: a kill-replica is not about probes.`)
	f(Fault{Kind: FailProbe, Probe: "liveness"}, `(InvalidRequestContent) fault: "liveness" is not Liveness, Readiness or Startup.`)
	f(Fault{Kind: SlowLink}, `(InvalidRequestContent) fault: a slow-link needs a delay.`)
	f(Fault{Kind: CutLink, Delay: 1}, `(InvalidRequestContent) fault: a cut-link has no delay.`)
	f(Fault{Kind: FailProbe, Request: Request{Path: "/"}}, `(InvalidRequestContent) fault: a fail-probe is not about requests.`)
	f(Fault{Kind: RefusePull, App: "web"}, `(InvalidRequestContent) fault: a registry is asked for an image, whichever app wants it: name the image.`)
	f(Fault{Kind: LoseEngine}, `(InvalidRequestContent) fault: an engine is lost for a while: say for how long.`)
	f(Fault{Kind: CutLink, Container: "app"}, `(InvalidRequestContent) fault: a link leads to a replica, not to one of its containers.`)
}

func TestFaultIsTheSameAfterJSON(t *testing.T) {
	want := Fault{Kind: SlowLink, App: "web", Request: Request{Path: "/a/**"}, After: Duration(1500 * time.Millisecond), Delay: Duration(time.Second), Percent: 12.5, Seed: 7}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	const wire = `{"kind":"slow-link","app":"web","request":{"path":"/a/**"},"after":"1.5s","percent":12.5,"seed":7,"delay":"1s"}`
	if string(text) != wire {
		t.Errorf("got  %s\nwant %s", text, wire)
	}
	var got Fault
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := want.String(), "slow-link app=web path=/a/** after=1.5s delay=1s percent=12.5 seed=7"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRequestsThatMatch(t *testing.T) {
	f := func(want bool, m Request, method, path string, header ...string) {
		t.Helper()
		r := httptest.NewRequest(method, path, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
		if got := m.matches(r); got != want {
			t.Errorf("%+v and %s %s %v: got %v", m, method, path, header, got)
		}
	}
	f(true, Request{}, "GET", "/")
	f(true, Request{Method: "post"}, "POST", "/")
	f(false, Request{Method: "POST"}, "GET", "/")
	f(true, Request{Path: "/a/*"}, "GET", "/a/b?c=1")
	f(false, Request{Path: "/a/*"}, "GET", "/a/b/c")
	f(true, Request{Path: "/a/**"}, "GET", "/a/b/c")
	f(true, Request{Path: "/a/**"}, "GET", "/a")
	f(false, Request{Path: "/a/**"}, "GET", "/ab")
	f(true, Request{Header: "X-Test"}, "GET", "/", "x-test", "")
	f(true, Request{Header: "X-Test: 1"}, "GET", "/", "X-Test", "0", "X-Test", "1")
	f(false, Request{Header: "X-Test: 1"}, "GET", "/", "X-Test", "0")
	if (Request{Path: "/"}).matches(nil) {
		t.Error("a raw TCP connection is no request")
	}
}

// requests are which of n requests to a replica of web pass.
func requests(s *Set, n int) (passed []bool) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for range n {
		passed = append(passed, s.Request(r.Context(), ingress.Endpoint{Replica: "web--1-abc-x"}, r) == nil)
	}
	return passed
}

func newSet(t *testing.T) (*Set, *[]Event) {
	var events []Event
	s := NewSet("dev", func(e Event) { events = append(events, e) })
	s.Runtime(containertest.NewRuntime(nil))
	return s, &events
}

func mustAdd(t *testing.T, s *Set, f Fault) State {
	t.Helper()
	st, err := s.Add(f)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestTheSameSeedTakesTheSameRequests(t *testing.T) {
	draw := func(seed uint64) []bool {
		s, _ := newSet(t)
		mustAdd(t, s, Fault{Kind: CutLink, Percent: 50, Seed: seed})
		return requests(s, 64)
	}
	if diff := cmp.Diff(draw(7), draw(7)); diff != "" {
		t.Errorf("the same seed, another draw:\n%s", diff)
	}
	if cmp.Equal(draw(7), draw(8)) {
		t.Error("another seed, the same draw")
	}
}

func TestFaultConcernsWhatItChooses(t *testing.T) {
	f := func(fault Fault, replica string, want bool) {
		t.Helper()
		s, _ := newSet(t)
		fault.Kind = CutLink
		mustAdd(t, s, fault)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if got := s.Request(r.Context(), ingress.Endpoint{Replica: replica}, r) != nil; got != want {
			t.Errorf("%s for %s: got %v", fault, replica, got)
		}
	}
	f(Fault{App: "web"}, "web--v1-7d9f-abcde", true)
	f(Fault{App: "we"}, "web--v1-7d9f-abcde", false)
	f(Fault{Revision: "web--v1"}, "web--v1-7d9f-abcde", true)
	f(Fault{Revision: "web--v2"}, "web--v1-7d9f-abcde", false)
	f(Fault{Replica: "*-abcde"}, "web--v1-7d9f-abcde", true)
	f(Fault{Revision: "web--v-1"}, "web--v-1-7d9f-abcde", true)
}

func TestFaultHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, events := newSet(t)
		go s.Run(t.Context())
		mustAdd(t, s, Fault{Name: "cut", Kind: CutLink, After: Duration(10 * time.Second), For: Duration(5 * time.Second)})
		at := func(d time.Duration, want bool) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := requests(s, 1)[0]; got != want {
				t.Errorf("%s later a request passes: %v", d, got)
			}
		}
		at(9*time.Second, true)
		at(2*time.Second, false)
		at(3*time.Second, false)
		at(2*time.Second, true)
		var got []string
		for _, e := range *events {
			got = append(got, e.Reason+": "+e.Text)
		}
		want := []string{
			"FaultAdded: Added fault 'cut': cut-link after=10s for=5s",
			"FaultBegan: Fault 'cut' begins",
			"FaultInjected: Fault 'cut' cut the link under GET /",
			"FaultInjected: Fault 'cut' cut the link under GET /",
			"FaultEnded: Fault 'cut' is over; it happened 2 times",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// okChecker remembers the timeout it was given.
type okChecker struct{ timeout time.Duration }

func (c *okChecker) Check(t probes.Target) { c.timeout = t.Timeout }

func TestDelayCountsAgainstTheTimeoutOfAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newSet(t)
		inner := &okChecker{}
		c := s.Checker(checkerFunc(func(target probes.Target) probes.Result {
			inner.Check(target)
			return probes.Result{Outcome: probes.Success, Duration: time.Millisecond}
		}))
		target := probes.Target{Key: probes.Key{Replica: "web--1-a-b", Container: "app", Kind: "Liveness"}, Timeout: 3 * time.Second}
		mustAdd(t, s, Fault{Name: "late", Kind: DelayProbe, Probe: "Liveness", Delay: Duration(2 * time.Second), Times: 1})
		got := c.Check(t.Context(), target)
		if got.Outcome != probes.Success || got.Duration != 2001*time.Millisecond || inner.timeout != time.Second {
			t.Errorf("got %+v with %s left", got, inner.timeout)
		}
		mustAdd(t, s, Fault{Name: "later", Kind: DelayProbe, Delay: Duration(4 * time.Second), Times: 1})
		begin := time.Now()
		got = c.Check(t.Context(), target)
		if got.Outcome != probes.Failure || !got.Timeout || time.Since(begin) != 3*time.Second {
			t.Errorf("got %+v after %s", got, time.Since(begin))
		}
	})
}

type checkerFunc func(probes.Target) probes.Result

func (f checkerFunc) Check(_ context.Context, t probes.Target) probes.Result { return f(t) }

func TestNamesAreUnique(t *testing.T) {
	s, _ := newSet(t)
	if st := mustAdd(t, s, Fault{Kind: CutLink}); st.Name != "cut-link-1" {
		t.Errorf("it is called %s", st.Name)
	}
	if _, err := s.Add(Fault{Kind: CutLink, Name: "cut-link-1"}); err == nil || err.Error() != "(Conflict) There is a fault 'cut-link-1' already." {
		t.Errorf("got %v", err)
	}
	if _, err := s.Remove("none"); err == nil || err.Error() != "(ResourceNotFound) There is no fault 'none'." {
		t.Errorf("got %v", err)
	}
	if n, err := s.Remove(""); n != 1 || err != nil || len(s.List()) != 0 {
		t.Errorf("removed %d, %v", n, err)
	}
}
