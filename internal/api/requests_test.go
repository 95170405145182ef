package api_test

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/logsink"
)

// edge is an edge that served three requests and will serve one more.
type edge struct{ replayed []string }

func record(id uint64, app string) ingress.Record {
	return ingress.Record{ID: id, App: app, Revision: app + "--r1", RevisionWhy: ingress.WhyWeight, Status: 200, Total: 1500 * time.Microsecond}
}

func (e *edge) Records(uint64) iter.Seq[ingress.Record] {
	return func(yield func(ingress.Record) bool) {
		_ = yield(record(1, "web")) && yield(record(2, "back")) && yield(record(3, "web"))
	}
}

func (e *edge) Follow(_ context.Context, after uint64) iter.Seq2[uint64, ingress.Record] {
	return func(yield func(uint64, ingress.Record) bool) { yield(2, record(after+3, "web")) }
}

func (e *edge) Captured(id uint64) (ingress.Captured, bool) {
	return ingress.Captured{Record: record(id, "web"), Answer: ingress.Answer{Revision: "web--r1", Status: 200, Body: []byte("old")}}, id == 3
}

func (e *edge) Replay(_ context.Context, _ uint64, revision string) (ingress.Answer, error) {
	e.replayed = append(e.replayed, revision)
	return ingress.Answer{Revision: revision, Status: 500, Body: []byte("new")}, nil
}

func TestRequestsAreShownByAppAndFollowed(t *testing.T) {
	s := newServer(func(o *api.Options) { o.Requests = &edge{} })
	for _, c := range []struct{ query, ids string }{
		{"", "1 2 3"},
		{"?app=web", "1 3"},
		{"?tail=1", "3"},
		{"?tail=0&follow=true", "6"},
		{"?app=back&follow=true", "2"},
	} {
		status, body := s.do("GET", "/acalocal/v1/requests"+c.query, "")
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", c.query, status, body)
		}
		var ids []string
		for _, line := range strings.Split(strings.TrimSpace(body), "\n") {
			var r struct {
				ID    json.Number
				Total float64 `json:"totalMs"`
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil || r.Total != 1.5 {
				t.Fatalf("%s: line %q: %v", c.query, line, err)
			}
			ids = append(ids, r.ID.String())
		}
		if got := strings.Join(ids, " "); got != c.ids {
			t.Errorf("%s: requests %s, want %s", c.query, got, c.ids)
		}
	}
}

// coldEdge served one request that waited for a cold start, and one that
// waited while its replica was restarted.
type coldEdge struct{ edge }

func (*coldEdge) Records(uint64) iter.Seq[ingress.Record] {
	return func(yield func(ingress.Record) bool) {
		for id, replica := range []string{"web--r1-1-cold", "web--r1-1-warm"} {
			r := record(uint64(id), "web")
			r.Replica, r.ReplicaWhy, r.Hold = replica, ingress.WhyHeld, time.Second
			if !yield(r) {
				return
			}
		}
	}
}

func TestRequestsNameTheColdStartTheyWaitedFor(t *testing.T) {
	s := newServer(func(o *api.Options) { o.Requests = &coldEdge{} })
	for replica, reason := range map[string]string{"web--r1-1-cold": "ColdStart", "web--r1-1-warm": "Other"} {
		s.logs.Say(logsink.Event{App: "web", Revision: "web--r1", Replica: replica, Reason: reason,
			Msg: "Replica '" + replica + "' was ready 1.68s after the app was asked for at zero: schedule 1ms, create 1.5s, boot 164ms, probes 15ms."})
	}
	status, body := s.do("GET", "/acalocal/v1/requests", "")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	var got []*api.ColdStart
	for line := range strings.Lines(body) {
		var r api.Request
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		got = append(got, r.ColdStart)
	}
	want := []*api.ColdStart{{Schedule: 1, Create: 1500, Boot: 164, Probes: 15}, nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReplayComparesAnswers(t *testing.T) {
	e := &edge{}
	s := newServer(func(o *api.Options) { o.Requests = e })
	status, body := s.do("POST", "/acalocal/v1/requests/replay", `{"id":3,"revisions":["web--r2"]}`)
	var out api.ReplayAnswer
	if err := json.Unmarshal([]byte(body), &out); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if len(out.Answers) != 1 || out.Answers[0].Status != 500 || len(out.Answers[0].Differences) != 2 {
		t.Errorf("answers are %+v", out.Answers)
	}
	for _, c := range []struct {
		body string
		want int
	}{
		{`{"id":9,"revisions":["web--r2"]}`, http.StatusNotFound},
		{`{"id":3}`, http.StatusBadRequest},
		{`{`, http.StatusBadRequest},
	} {
		if status, body := s.do("POST", "/acalocal/v1/requests/replay", c.body); status != c.want {
			t.Errorf("%s: %d %s, want %d", c.body, status, body, c.want)
		}
	}
	if len(e.replayed) != 1 {
		t.Errorf("sent %v", e.replayed)
	}
}
