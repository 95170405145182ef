package ingress

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryPolicyAsksAgain(t *testing.T) {
	tests := []struct {
		name   string
		policy RetryPolicy
		fails  int64 // answers of 503 before a 200
		status int
		calls  int64
	}{
		{"codes", RetryPolicy{MaxRetries: 3, StatusCodes: []int{503}}, 2, 200, 3},
		{"5xx", RetryPolicy{MaxRetries: 3, Errors: []string{"5xx"}}, 9, 503, 4}, // total calls are 1 + maxRetries
		{"gateway errors", RetryPolicy{MaxRetries: 1, Errors: []string{"gateway-error"}}, 1, 200, 2},
		{"other words", RetryPolicy{MaxRetries: 3, Errors: []string{"retriable-4xx", "connect-failure"}}, 1, 503, 1},
		{"none", RetryPolicy{}, 1, 503, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var calls atomic.Int64
			table := oneApp(backend(t, "web--a-1", func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) <= tt.fails {
					w.WriteHeader(503)
				}
			}))
			tt.policy.InitialDelay = time.Millisecond
			table.Apps[0].Resiliency = &Resiliency{Retry: &tt.policy}
			g := newEdge(t, Options{}, table)
			got := get(t, client(t), mustListen(t, g, ListenSpec{Kind: HTTP}), "web.local.localhost", "/")
			if got.Status != tt.status || calls.Load() != tt.calls {
				t.Errorf("got %d after %d calls, want %d after %d", got.Status, calls.Load(), tt.status, tt.calls)
			}
		})
	}
}

// answering is an app that answers every request of a connection with what
// status says.
func answering(status func() int) func(net.Conn) {
	return func(c net.Conn) {
		for readHead(c) != "" {
			if _, err := fmt.Fprintf(c, "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", status()); err != nil {
				return
			}
		}
	}
}

func TestCircuitBreakerAnswersForAMinute(t *testing.T) {
	var status, calls atomic.Int64
	status.Store(500)
	app := answering(func() int { calls.Add(1); return int(status.Load()) })
	policy := &Resiliency{CircuitBreaker: &CircuitBreaker{ConsecutiveErrors: 4, Interval: time.Minute}}
	inBubbleWith(t, Options{}, policy, app, func(t *testing.T, b *bubble) {
		for i := range 4 {
			if got, _, _ := b.request(t, plainGet); got != 500 {
				t.Fatalf("request %d: got %d", i, got)
			}
		}
		got, body, _ := b.request(t, plainGet)
		if got != 503 || body != "no healthy upstream" || calls.Load() != 4 {
			t.Errorf("got %d %q after %d calls", got, body, calls.Load())
		}
		status.Store(200)
		time.Sleep(time.Minute)
		if got, _, _ := b.request(t, plainGet); got != 200 {
			t.Errorf("after a minute: got %d", got)
		}
		synctest.Wait()
	})
}

func TestResponseTimeout(t *testing.T) {
	silent := func(c net.Conn) { readHead(c); io.Copy(io.Discard, c) }
	inBubbleWith(t, Options{}, &Resiliency{ResponseTimeout: 5 * time.Second}, silent, func(t *testing.T, b *bubble) {
		got, body, took := b.request(t, plainGet)
		if got != 504 || body != "upstream request timeout" || took != 5*time.Second {
			t.Errorf("got %d %q after %v", got, body, took)
		}
	})
}

func TestBreakerSparesReplicas(t *testing.T) {
	now := time.Now()
	var list []*endpoint
	for i := range 4 {
		list = append(list, &endpoint{replica: &replica{name: fmt.Sprint(i)}})
	}
	s := newEndpointSet(list)
	c := &CircuitBreaker{ConsecutiveErrors: 1, Interval: time.Minute, MaxEjectionPercent: 50}
	for _, e := range list {
		e.breaker.report(true, c, now, func() bool { return s.mayEject(c, now) })
	}
	if n := len(s.healthy(now).list); n != 2 {
		t.Errorf("%d of 4 left, want 2", n)
	}
	if n := len(s.healthy(now.Add(time.Minute)).list); n != 4 {
		t.Errorf("%d of 4 after the interval, want 4", n)
	}
}
