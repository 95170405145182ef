package docker

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apicontainer "github.com/moby/moby/api/types/container"
	apievents "github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/system"

	"github.com/acalocal/acalocal/internal/container"
)

func TestStatusSaysWhatTheEngineSaw(t *testing.T) {
	key := container.Key{App: "web", Role: container.RoleApp, Attempt: 1}
	config := &apicontainer.Config{Image: "web:1", Labels: map[string]string{"a": "b"}}
	base := container.Status{Key: key, ID: "id", Image: "web:1", Labels: config.Labels,
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}
	started := time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	const never, first, last = "0001-01-01T00:00:00Z", "2026-01-02T03:04:06Z", "2026-01-02T03:04:07Z"
	for _, c := range []struct {
		name  string
		state apicontainer.State
		want  func(*container.Status)
	}{
		{"created", apicontainer.State{Status: "created", StartedAt: never, FinishedAt: never}, func(s *container.Status) { s.State = container.Created }},
		{"not started", apicontainer.State{Status: "created", ExitCode: 127, Error: "no such file", StartedAt: never, FinishedAt: never},
			func(s *container.Status) { s.State, s.ExitCode, s.Error = container.Created, 127, "no such file" }},
		{"running", apicontainer.State{Status: "running", StartedAt: first, FinishedAt: never}, func(s *container.Status) { s.State, s.StartedAt = container.Running, started }},
		{"paused by hand", apicontainer.State{Status: "paused", StartedAt: first, FinishedAt: never}, func(s *container.Status) { s.State, s.StartedAt = container.Running, started }},
		{"killed for memory", apicontainer.State{Status: "exited", ExitCode: 137, OOMKilled: true, StartedAt: first, FinishedAt: last},
			func(s *container.Status) {
				s.State, s.ExitCode, s.OOMKilled = container.Exited, 137, true
				s.StartedAt, s.FinishedAt = started, started.Add(time.Second)
			}},
		{"dead", apicontainer.State{Status: "dead", StartedAt: never, FinishedAt: never}, func(s *container.Status) { s.State = container.Exited }},
	} {
		want := base
		c.want(&want)
		got := statusOf(key, apicontainer.InspectResponse{ID: "id", Created: "2026-01-02T03:04:05.000000006Z", Config: config, State: &c.state})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestContainersThatDoNotRunAreRemembered(t *testing.T) {
	var c statusCache
	exited := container.Status{ID: "a", State: container.Exited, ExitCode: 3}
	c.put(exited)
	c.put(container.Status{ID: "b", State: container.Running})
	c.put(container.Status{ID: "c", State: container.Created})
	c.put(container.Status{ID: "d", State: container.Created})
	c.forget("d")
	for _, s := range []struct {
		summary apicontainer.Summary
		known   bool
	}{
		{apicontainer.Summary{ID: "a", State: "exited"}, true},
		{apicontainer.Summary{ID: "a", State: "running"}, false}, // started again by hand
		{apicontainer.Summary{ID: "b", State: "running"}, false},
		{apicontainer.Summary{ID: "c", State: "created"}, true},
		{apicontainer.Summary{ID: "c", State: "running"}, false},
		{apicontainer.Summary{ID: "c", State: "exited"}, false}, // it ran meanwhile
		{apicontainer.Summary{ID: "d", State: "created"}, false},
	} {
		if _, ok := c.get(s.summary); ok != s.known {
			t.Errorf("%+v known: %v", s.summary, ok)
		}
	}
	c.keepOnly([]apicontainer.Summary{{ID: "b"}})
	if _, ok := c.get(apicontainer.Summary{ID: "a", State: "exited"}); ok {
		t.Error("a removed container is still known")
	}
}

func TestHintsComeFromOurContainers(t *testing.T) {
	key := container.Key{App: "web", Revision: "r", Replica: "p", Container: "app", Role: container.RoleApp, Attempt: 2}
	labels := container.EncodeLabels("dev", key)
	for _, c := range []struct {
		action apievents.Action
		labels map[string]string
		want   *container.Hint
	}{
		{"die", labels, &container.Hint{Key: key}},
		{"oom", labels, &container.Hint{Key: key, OOM: true}},
		{"exec_start: sh", labels, nil},
		{"die", helperLabels("dev"), nil},
		{"die", map[string]string{container.LabelSchema: "99"}, nil},
	} {
		var got *container.Hint
		if h, ok := hintOf(apievents.Message{Action: c.action, Actor: apievents.Actor{Attributes: c.labels}}); ok {
			got = &h
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %v (-want +got):\n%s", c.action, c.labels, diff)
		}
	}
}

func TestLimitsFitTheEngine(t *testing.T) {
	e := &Engine{facts: system.Info{NCPU: 2}}
	for _, c := range []struct {
		cpu  float64
		want int64
	}{{0, 0}, {0.25, 250e6}, {2, 2e9}, {4, 2e9}} {
		got := e.resources(container.Spec{CPU: c.cpu, Memory: 1 << 30})
		if got.NanoCPUs != c.want || got.Memory != 1<<30 || got.MemorySwap != got.Memory {
			t.Errorf("%v CPUs: %+v", c.cpu, got)
		}
	}
}

func TestGateNamesSayWhatTheyAreFor(t *testing.T) {
	name := func(names []string, ports ...int) string {
		return gateName(container.GateSpec{Env: "dev", Names: names, Ports: ports})
	}
	if name([]string{"a", "b"}, 80, 443) != name([]string{"b", "a"}, 443, 80) {
		t.Error("the order matters")
	}
	if name([]string{"a", "b"}, 80) == name([]string{"a b"}, 80) || name([]string{"a"}, 80) == name([]string{"a"}, 81) ||
		name([]string{"a"}, 80) == gateName(container.GateSpec{Env: "dev", Names: []string{"a"}, Ports: []int{80}, Silent: []int{81}}) {
		t.Error("different gates share a name")
	}
}
