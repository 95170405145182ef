package logsink

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRowsAreCopiedFromAPlaceOn(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	const n = sealRows + 10
	if err := s.Ingest(context.Background(), web, numberedLines(n, nil)); err != nil {
		t.Fatal(err)
	}
	request := Request{
		StartTime: epoch, Duration: time.Second, App: "web", Revision: "web--1", Replica: "web--1-a", Method: "GET", Path: "/x", Authority: "web",
		Protocol: "HTTP/1.1", UserAgent: "curl", XForwardedFor: "10.0.0.1", RequestID: "r1", StatusCode: 200, BytesReceived: 1, BytesSent: 2,
		ResponseFlags: "-", ResponseCodeDetails: "via_upstream", UpstreamHost: "10.0.0.2:80", UpstreamRequestAttemptCount: 1, ConnectionID: "c1",
		EnvoyContainerID: "e1", EnvoyPodName: "p1", Held: 3, Connect: 4, FirstByte: 5, RevisionWhy: "weight", ReplicaWhy: "only one ready", Reason: "why", TraceID: "t1",
	}
	if err := s.AppendRequests([]Request{request}); err != nil {
		t.Fatal(err)
	}
	if err := s.AppendEvent(Event{Time: epoch, App: "web", Reason: "R", Msg: "m"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Position{Console: n, Events: 1, Request: 1}, s.End()); diff != "" {
		t.Error("end (-want +got)\n", diff)
	}
	for from, want := range map[uint64]int{0: 1, 5: 6, sealRows: sealRows + 1, n + 1: 1} {
		for l, err := range s.ConsoleFrom(context.Background(), from) {
			if err != nil || l.Text != fmt.Sprint("line ", want) {
				t.Errorf("from %d: %q, %v, want line %d", from, l.Text, err, want)
			}
			break
		}
	}
	for l, err := range s.RequestsFrom(context.Background(), 0) {
		if diff := cmp.Diff(RequestLine{Request: request}, l); diff != "" || err != nil {
			t.Errorf("error %v (-want +got)\n%s", err, diff)
		}
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	later := make(chan EventLine)
	go func() {
		defer close(later)
		for e, err := range s.EventsFrom(ctx, 1) {
			if err != nil {
				t.Error(err)
			}
			later <- e
		}
	}()
	if err := s.AppendEvent(Event{Time: epoch, App: "web", Reason: "R", Msg: "later"}); err != nil {
		t.Fatal(err)
	}
	if e := <-later; e.Msg != "later" || e.Seq != 1 {
		t.Errorf("event %+v", e)
	}
	cancel()
	if e, more := <-later; more {
		t.Errorf("event %+v after the end", e)
	}
}
