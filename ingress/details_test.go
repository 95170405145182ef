package ingress

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func TestRecordHasTheColumnsOfAzuresLog(t *testing.T) {
	ep := answers(t, "web--a-1")
	g := newEdge(t, Options{}, oneApp(ep))
	addr := mustListen(t, g, ListenSpec{Kind: HTTP})
	c := client(t)
	get(t, c, addr, "web.local.localhost", "/", "X-Forwarded-For", "203.0.113.7", "Traceparent", traceparent)
	get(t, c, addr, "web.local.localhost", "/", "Traceparent", "00-zz")
	first, second := recordOf(t, g, 1), recordOf(t, g, 2)
	if first.ForwardedFor != "203.0.113.7,127.0.0.1" || second.ForwardedFor != "127.0.0.1" {
		t.Errorf("x-forwarded-for %q, then %q", first.ForwardedFor, second.ForwardedFor)
	}
	if first.TraceID != "4bf92f3577b34da6a3ce929d0e0e4736" || second.TraceID != "" {
		t.Errorf("trace %q, then %q", first.TraceID, second.TraceID)
	}
	if first.ConnectionID == 0 || first.ConnectionID != second.ConnectionID {
		t.Errorf("connections %d and %d, want the same one", first.ConnectionID, second.ConnectionID)
	}
	if want := ep.address(); first.Upstream != want {
		t.Errorf("upstream host %q, want %q", first.Upstream, want)
	}
	if first.Details != "via_upstream" || first.RevisionWhy != WhyOnlyRevision || first.ReplicaWhy != WhyOnlyReady {
		t.Errorf("details %q, why %q and %q", first.Details, first.RevisionWhy, first.ReplicaWhy)
	}
	if first.Connect <= 0 || second.Connect != 0 {
		t.Errorf("connecting took %v for the first request, %v for the second on the same connection", first.Connect, second.Connect)
	}
}

func TestCallsByNameHaveNoForwardedFor(t *testing.T) {
	g := newEdge(t, Options{}, oneApp(answers(t, "web--a-1")))
	addr := mustListen(t, g, ListenSpec{Kind: HTTP, Inside: true})
	get(t, client(t), addr, "web", "/", "X-Forwarded-For", "203.0.113.7")
	if rec := recordOf(t, g, 1); rec.ForwardedFor != "" {
		t.Errorf("x-forwarded-for %q", rec.ForwardedFor)
	}
}

func TestDetailsAreEnvoys(t *testing.T) {
	never := rawBackend(t, "web--a-1", func(c net.Conn) { readHead(c); io.Copy(io.Discard, c) })
	dies := rawBackend(t, "web--a-1", func(c net.Conn) { readHead(c) })
	junk := rawBackend(t, "web--a-1", func(c net.Conn) { readHead(c); io.WriteString(c, "this is not http\r\n\r\n") })
	cut := rawBackend(t, "web--a-1", func(c net.Conn) {
		readHead(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
	})
	denied := oneApp()
	denied.Apps[0].IPRules = []IPRule{{Range: "10.0.0.0/8", Action: IPAllow}}
	plain := oneApp()
	plain.Apps[0].AllowInsecure = false
	cors := oneApp()
	cors.Apps[0].CORS = &CORSPolicy{AllowedOrigins: []string{"https://a.example"}}
	tests := []struct {
		name   string
		o      Options
		table  Table
		method string
		host   string
		header http.Header
		want   string
	}{
		{name: "unknown host", table: oneApp(), host: "no.local.localhost", want: "route_not_found"},
		{name: "redirect", table: plain, want: "direct_response"},
		{name: "preflight", table: cors, method: "OPTIONS", header: http.Header{"Origin": {"https://a.example"}, "Access-Control-Request-Method": {"PUT"}}, want: "cors_response"},
		{name: "address rule", table: denied, want: "rbac_access_denied_matched_policy[none]"},
		{name: "refused", table: oneApp(refusing(t, "web--a-1")), want: "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}"},
		{name: "dies", table: oneApp(dies), want: "upstream_reset_before_response_started{connection_termination}"},
		{name: "not HTTP", table: oneApp(junk), want: "upstream_reset_before_response_started{protocol_error}"},
		{name: "cut off", table: oneApp(cut), want: "upstream_reset_after_response_started{connection_termination}"},
		{name: "idle", o: Options{Timeouts: Timeouts{Idle: 50 * time.Millisecond}}, table: oneApp(never), want: "stream_idle_timeout"},
		{name: "total", o: Options{Timeouts: Timeouts{Total: 50 * time.Millisecond}}, table: oneApp(never), want: "response_timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newEdge(t, tt.o, tt.table)
			req, err := http.NewRequest(tt.method, "http://"+mustListen(t, g, ListenSpec{Kind: HTTP}), nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = "web.local.localhost"
			if tt.host != "" {
				req.Host = tt.host
			}
			for k, v := range tt.header {
				req.Header[k] = v
			}
			res, err := client(t).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, res.Body) // the one that is cut off does not end well
			res.Body.Close()
			if rec := recordOf(t, g, 1); rec.Details != tt.want {
				t.Errorf("details %q, want %q (flag %s, %s)", rec.Details, tt.want, rec.Flag, rec.Reason)
			}
		})
	}
}
