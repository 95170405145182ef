package ingress

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReplayShowsWhatAnotherRevisionAnswers(t *testing.T) {
	app := func(replica, version string, status int) Endpoint {
		return backend(t, replica, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("X-Version", version)
			w.WriteHeader(status)
			io.WriteString(w, r.Method+" "+r.RequestURI+" "+r.Host+" "+r.Header.Get("X-Token")+" "+string(body)+" by "+version)
		})
	}
	table := oneApp(app("web--a-1", "1", 200))
	table.Apps[0].Revisions = append(table.Apps[0].Revisions, Revision{Name: "web--b", Endpoints: []Endpoint{app("web--b-1", "2", 500)}})
	g := newEdge(t, Options{Capture: 2}, table)
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	r := ask(t, client(t), "POST", addr, "web.local.localhost", "/a%2Fb?c=d", strings.NewReader("hello"), "X-Token", "t")
	waitFor(t, "the request to be kept", func() bool { _, ok := g.Captured(1); return ok })
	captured, ok := g.Captured(1)
	if !ok || string(captured.Body) != "hello" || string(captured.Answer.Body) != r.Body || captured.Answer.Status != 200 {
		t.Fatalf("captured %v: %+v", ok, captured)
	}
	same, err := g.Replay(t.Context(), 1, "web--a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := captured.Answer.Diff(same); len(diff) != 0 {
		t.Errorf("the same revision differs: %q", diff)
	}
	other, err := g.Replay(t.Context(), 1, "web--b")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"status: 200, 500", `x-version: "1", "2"`,
		`body: 48 bytes, 48 bytes, from byte 47 on: "ocalhost t hello by 1", "ocalhost t hello by 2"`,
	}
	if diff := cmp.Diff(want, captured.Answer.Diff(other)); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	for _, bad := range []struct {
		id       uint64
		revision string
		want     string
	}{
		{1, "web--a", "replay request 1: it is not kept any more, or was never captured"},
		{99, "web--a", "replay request 99: it is not kept any more, or was never captured"},
		{3, "web--z", "replay request 3: app web has no active revision web--z"},
	} {
		if _, err := g.Replay(t.Context(), bad.id, bad.revision); err == nil || err.Error() != bad.want {
			t.Errorf("replay %d to %s: %v", bad.id, bad.revision, err)
		}
	}
}

func TestReplayRefusesABodyItHasNotKept(t *testing.T) {
	g := newEdge(t, Options{Capture: 2}, oneApp(answers(t, "web--a-1")))
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	ask(t, client(t), "POST", addr, "web.local.localhost", "/", strings.NewReader(strings.Repeat("x", captureBody+1)))
	waitFor(t, "the request to be kept", func() bool { _, ok := g.Captured(1); return ok })
	if _, err := g.Replay(t.Context(), 1, "web--a"); err == nil || err.Error() != "replay request 1: its body was not kept whole" {
		t.Error(err)
	}
}
