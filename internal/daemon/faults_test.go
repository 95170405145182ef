package daemon

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/fault"
	"github.com/acalocal/acalocal/logsink"
)

// broken is a machine whose app web is ready.
func broken(t *testing.T) *machine {
	m := newMachine(t)
	m.scale, m.probe = 50, aca.Probe{PeriodSeconds: new(1), FailureThreshold: new(1)}
	m.boot()
	m.apply("web:1")
	m.waitFor("web is ready", webReady)
	return m
}

func (m *machine) add(f fault.Fault) fault.State {
	m.Helper()
	st, err := m.daemon.Faults.Add(f)
	if err != nil {
		m.Fatal(err)
	}
	return st
}

// replicas are the names of web's replicas that stay.
func replicas(s *emulator.Snapshot) (names []string) {
	for _, rev := range s.App("web").Revisions {
		for _, r := range rev.Replicas {
			if !r.Draining {
				names = append(names, r.Name)
			}
		}
	}
	return names
}

// waitRow waits for a row of the faults.
func (m *machine) waitRow(reason, text string) {
	m.Helper()
	ctx, cancel := contextOf(m.T)
	defer cancel()
	for row, err := range m.daemon.Logs.TailEvents(ctx, logsink.Filter{}, 100, true) {
		if err != nil {
			m.Fatalf("no row %s with %q: %v", reason, text, err)
		}
		if row.Reason == reason && strings.Contains(row.Msg, text) {
			if row.Source != "acalocal" {
				m.Errorf("the row of %s has the source %q", reason, row.Source)
			}
			return
		}
	}
}

func TestKilledReplicaIsReplaced(t *testing.T) {
	m := broken(t)
	old := replicas(m.daemon.Engine.Snapshot())
	m.add(fault.Fault{Kind: fault.KillReplica, App: "web"})
	m.waitRow("FaultInjected", "killed replica "+old[0])
	m.waitFor("another replica serves", func(s *emulator.Snapshot) bool {
		now := replicas(s)
		return webReady(s) && len(now) == 1 && now[0] != old[0]
	})
	m.waitRow("FaultEnded", "happened 1 times")
	if st := m.daemon.Faults.List()[0]; st.Phase != fault.Over || st.Count != 1 {
		t.Errorf("the fault is %+v, want it over after one time", st)
	}
	m.stop()
}

func TestKilledContainerIsRestartedInItsReplica(t *testing.T) {
	m := broken(t)
	old := replicas(m.daemon.Engine.Snapshot())
	m.add(fault.Fault{Kind: fault.KillReplica, Container: "app"})
	s := m.waitFor("the container has been restarted", func(s *emulator.Snapshot) bool {
		rev := s.App("web").Revisions[0]
		return len(rev.Replicas) == 1 && rev.Replicas[0].Properties.Containers[0].RestartCount == 1 && rev.Replicas[0].Ready
	})
	if now := replicas(s); now[0] != old[0] {
		t.Errorf("replica %s became %s", old[0], now[0])
	}
	m.stop()
}

func TestFailedReadinessProbeTakesTheReplicaOutUntilItIsRemoved(t *testing.T) {
	m := broken(t)
	f := m.add(fault.Fault{Kind: fault.FailProbe, Probe: "Readiness"})
	m.waitFor("web is not ready", func(s *emulator.Snapshot) bool { return !webReady(s) })
	m.waitRow("FaultInjected", "failed a Readiness probe of container 'app'")
	if n, err := m.daemon.Faults.Remove(f.Name); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	m.waitFor("web is ready again", webReady)
	m.waitRow("FaultRemoved", f.Name)
	m.stop()
}

func TestCutLinkConcernsTheRequestsItMatches(t *testing.T) {
	m := broken(t)
	url := m.daemon.Engine.Snapshot().App("web").Local.URL
	m.add(fault.Fault{Kind: fault.CutLink, Request: fault.Request{Path: "/orders/**"}})
	if got := m.get(url+"/orders/1", ""); !strings.HasPrefix(got, "503") || !strings.Contains(got, "has cut the link") {
		t.Errorf("a request over the cut link answers %q", got)
	}
	if got := m.get(url+"/", ""); got != "200 OK web:1\n" {
		t.Errorf("another request answers %q", got)
	}
	m.stop()
}

func TestCutLinkOfSomeTriesIsHealedByTheEdge(t *testing.T) {
	m := broken(t)
	m.add(fault.Fault{Kind: fault.CutLink, Times: 2})
	if got := m.get(m.daemon.Engine.Snapshot().App("web").Local.URL, ""); got != "200 OK web:1\n" {
		t.Errorf("two tries failed and the request answers %q", got)
	}
	if st := m.daemon.Faults.List()[0]; st.Count != 2 {
		t.Errorf("the fault happened %d times, want 2", st.Count)
	}
	m.stop()
}

func TestSlowLinkDelaysRequests(t *testing.T) {
	m := broken(t)
	m.add(fault.Fault{Kind: fault.SlowLink, Delay: fault.Duration(200 * time.Millisecond), Request: fault.Request{Method: "GET", Header: "X-Slow"}})
	took := func(header string) time.Duration {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.daemon.Engine.Snapshot().App("web").Local.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(header, "1")
		begin := time.Now()
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return time.Since(begin)
	}
	if d := took("X-Slow"); d < 200*time.Millisecond {
		t.Errorf("a slowed request took %s", d)
	}
	if took("X-Other"); m.daemon.Faults.List()[0].Count != 1 {
		t.Error("a request that does not match was slowed")
	}
	m.stop()
}

func TestRefusedPullIsSeenAsOnAzureAndHeals(t *testing.T) {
	m := newMachine(t)
	m.scale = 50
	m.boot()
	f := m.add(fault.Fault{Kind: fault.RefusePull, Image: "web:*"})
	m.apply("web:1")
	m.waitFor("the pull is refused", func(s *emulator.Snapshot) bool {
		return s.App("web") != nil && strings.Contains(fmt.Sprint(s.App("web").Revisions), "ImagePull")
	})
	if _, err := m.daemon.Faults.Remove(f.Name); err != nil {
		t.Fatal(err)
	}
	m.waitFor("web is ready", webReady)
	m.stop()
}

func TestLostEngineComesBack(t *testing.T) {
	m := broken(t)
	m.add(fault.Fault{Kind: fault.LoseEngine, For: fault.Duration(300 * time.Millisecond)})
	m.waitRow("FaultBegan", "lose-engine")
	if got := m.get(m.daemon.Engine.Snapshot().App("web").Local.URL, ""); !strings.HasPrefix(got, "503") && got != "200 OK web:1\n" {
		t.Errorf("without an engine, a request answers %q", got)
	}
	m.waitRow("FaultEnded", "lose-engine")
	m.apply("web:2")
	m.waitFor("the next revision serves", func(s *emulator.Snapshot) bool {
		return webReady(s) && s.App("web").Properties.LatestReadyRevisionName == s.App("web").Properties.LatestRevisionName && len(s.App("web").Revisions) == 2
	})
	m.stop()
}

func TestEngineIsLostForEveryCaller(t *testing.T) {
	m := broken(t)
	runtime := m.daemon.Faults.Runtime(m.runtime)
	reader, err := runtime.Logs(t.Context(), "c000002", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	hints, err := runtime.Events(t.Context(), "dev")
	if err != nil {
		t.Fatal(err)
	}
	m.add(fault.Fault{Kind: fault.LoseEngine, For: fault.Duration(time.Minute)})
	for range hints { // ends with the engine
	}
	for {
		if _, err = reader.Next(); err != nil {
			break
		}
	}
	if container.CodeOf(err) != container.CodeUnreachable {
		t.Errorf("the log reader ends with %v", err)
	}
	if _, err := runtime.List(t.Context(), "dev"); container.CodeOf(err) != container.CodeUnreachable {
		t.Errorf("List: %v", err)
	}
	if _, err := m.daemon.Faults.Remove(""); err != nil {
		t.Fatal(err)
	}
	if _, err := runtime.List(t.Context(), "dev"); err != nil {
		t.Errorf("the engine is back and List says %v", err)
	}
	m.stop()
}

func TestRemovedEnvironmentLeavesAnEngineThatWasLost(t *testing.T) {
	m := broken(t)
	m.add(fault.Fault{Kind: fault.LoseEngine, For: fault.Duration(time.Hour)})
	m.daemon.Shutdown(true)
	if err := <-m.ended; err != nil {
		t.Fatal(err)
	}
	if left := m.runtime.String(); left != "" {
		t.Errorf("containers left behind:\n%s", left)
	}
}

// contextOf bounds a wait of a test.
func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), patience)
}
