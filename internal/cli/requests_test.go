package cli

import (
	"testing"
	"time"

	"github.com/acalocal/acalocal/internal/api"
)

func TestRequestLineSaysWhereAndWhy(t *testing.T) {
	at := time.Date(2026, 6, 1, 10, 0, 0, 0, time.Local)
	tests := []struct {
		name string
		r    api.Request
		want string
	}{
		{"weight", api.Request{
			ID: 7, Time: at, Method: "GET", Host: "web.local.localhost", Path: "/a", Status: 200,
			Revision: "web--1", RevisionWhy: "weight", Replica: "web--1-abc", ReplicaWhy: "sticky",
			Tries: 1, Connect: 0.4, FirstByte: 2.5, Total: 3,
		}, "7     10:00:00.000 GET web.local.localhost/a 200 → web--1 (weight) -abc (sticky) 3.0 ms (connect 0.4, first byte 2.5)"},
		{"refused", api.Request{
			ID: 8, Time: at, Method: "GET", Host: "web", Path: "/", Status: 503, Flag: "UF,URX", Reason: "nothing listens",
			Tries: 6, Hold: 100, Total: 400,
		}, "8     10:00:00.000 GET web/ 503 UF,URX (nothing listens) tries 6 400.0 ms (held 100.0)"},
		{"held by a cold start", api.Request{
			ID: 7, Time: at, Method: "GET", Host: "web", Path: "/", Status: 200, Revision: "web--1", RevisionWhy: "only revision",
			Replica: "web--1-abc", ReplicaWhy: "first ready after waiting", Tries: 1, Hold: 1680.2, FirstByte: 1690, Total: 1690.4,
			ColdStart: &api.ColdStart{Create: 1509, Boot: 164, Probes: 6},
		}, "7     10:00:00.000 GET web/ 200 → web--1 (only revision) -abc (first ready after waiting) 1690.4 ms (held 1680.2, first byte 1690.0)" +
			" cold start 1679 ms (schedule 0, create 1509, boot 164, probes 6)"},
		{"client left", api.Request{ID: 9, Time: at, Method: "GET", Host: "web", Path: "/", Lost: 3},
			"… 3 requests are missing here\n9     10:00:00.000 GET web/ 0 0.0 ms"},
		{"raw TCP", api.Request{
			ID: 10, Time: at, Listener: "tcp", Protocol: "TCP", App: "db", Received: 5, Sent: 70,
			Revision: "db--1", RevisionWhy: "only revision", Replica: "db--1-abc", ReplicaWhy: "only one ready", Tries: 1, Connect: 0.5, Total: 20,
		}, "10    10:00:00.000 TCP db, 5 bytes in, 70 out → db--1 (only revision) -abc (only one ready) 20.0 ms (connect 0.5)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := requestLine(tt.r); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
