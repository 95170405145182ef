package daemon

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/acalocal/acalocal/ingress"
)

func TestRequestsAreStoredWhole(t *testing.T) {
	got := reflect.ValueOf(request(ingress.Record{
		ID: 1, Time: time.Unix(1, 0), Generation: 2, Listener: ingress.HTTP, Client: netip.MustParseAddrPort("127.0.0.1:5"),
		Protocol: "HTTP/1.1", Scheme: "http", Method: "GET", Host: "web", Path: "/", UserAgent: "curl",
		RequestID: "r", ForwardedFor: "127.0.0.1", TraceID: "t", ConnectionID: 3,
		App: "web", Revision: "web--1", Replica: "web--1-x", RevisionWhy: ingress.WhyWeight, ReplicaWhy: ingress.WhySticky,
		Upstream: "10.0.0.1:80", Status: 200, Flag: "UF", Details: "via_upstream", Reason: "because", Tries: 2, Replays: 1,
		BytesReceived: 1, BytesSent: 2, Hold: 1, Connect: 2, FirstByte: 3, Total: 4,
	}))
	// There is no pod around the edge.
	unknown := map[string]bool{"EnvoyContainerID": true, "EnvoyPodName": true}
	for i := range got.NumField() {
		if name := got.Type().Field(i).Name; got.Field(i).IsZero() != unknown[name] {
			t.Errorf("%s is %v", name, got.Field(i))
		}
	}
}
