package ingress

import (
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// Resiliency is the resiliency policy of an app (preview; Microsoft.App
// 2025-10-02-preview, appResiliency). Zero fields leave the default behaviour.
type Resiliency struct {
	// ResponseTimeout is timeoutPolicy.responseTimeoutInSeconds: how long a
	// whole answer may take, retries included.
	ResponseTimeout time.Duration
	// Retry is httpRetryPolicy.
	Retry *RetryPolicy
	// CircuitBreaker is circuitBreakerPolicy.
	CircuitBreaker *CircuitBreaker
}

// RetryPolicy says which answers are asked for again. Refused and broken
// connections are retried as without a policy, up to MaxRetries.
type RetryPolicy struct {
	MaxRetries int
	// StatusCodes are retried; so are those Errors name.
	StatusCodes []int
	// Errors are Envoy's words: "5xx", "gateway-error" (502, 503, 504) and
	// "retriable-4xx" (409). Other words concern connections.
	Errors []string
	// InitialDelay and MaxInterval bound the pauses; zero means 25 ms and ten
	// times the initial delay.
	InitialDelay, MaxInterval time.Duration
}

// CircuitBreaker takes a replica out for Interval after ConsecutiveErrors
// answers of 500 and above, or failed connections, in a row. While all are out,
// the edge answers 503 "no healthy upstream".
type CircuitBreaker struct {
	ConsecutiveErrors int
	Interval          time.Duration
	// MaxEjectionPercent is how many of the replicas may be out at once; zero
	// means all. At least one always may.
	MaxEjectionPercent int
}

var answerUnhealthy = answer{status: http.StatusServiceUnavailable, body: "no healthy upstream", flag: "UH", details: detailsUnhealthy}

// retries reports whether an answer of the status is to be asked for again.
func (p *RetryPolicy) retries(status int) bool {
	if slices.Contains(p.StatusCodes, status) {
		return true
	}
	return slices.ContainsFunc(p.Errors, func(word string) bool {
		switch word {
		case "5xx":
			return status >= 500
		case "gateway-error":
			return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
		case "retriable-4xx":
			return status == http.StatusConflict
		}
		return false
	})
}

// breaker is the state of a replica's circuit breaker.
type breaker struct {
	failures atomic.Int32
	outUntil atomic.Int64 // Unix nanoseconds
}

// out reports whether the replica is taken out.
func (b *breaker) out(now time.Time) bool { return b.outUntil.Load() > now.UnixNano() }

// report counts an outcome; reaching the limit takes the replica out, if ok
// allows it.
func (b *breaker) report(failed bool, c *CircuitBreaker, now time.Time, ok func() bool) {
	if !failed {
		b.failures.Store(0)
		return
	}
	if int(b.failures.Add(1)) >= c.ConsecutiveErrors && !b.out(now) && ok() {
		b.failures.Store(0)
		b.outUntil.Store(now.Add(c.Interval).UnixNano())
	}
}

// mayEject reports whether one more of the set may be taken out.
func (s *endpointSet) mayEject(c *CircuitBreaker, now time.Time) bool {
	out := 0
	for _, e := range s.list {
		if e.breaker.out(now) {
			out++
		}
	}
	percent := c.MaxEjectionPercent
	return out == 0 || percent == 0 || (out+1)*100 <= percent*len(s.list)
}

// healthy returns the set without what a circuit breaker has taken out.
func (s *endpointSet) healthy(now time.Time) *endpointSet {
	var list []*endpoint
	for _, e := range s.list {
		if !e.breaker.out(now) {
			list = append(list, e)
		}
	}
	if len(list) == len(s.list) {
		return s
	}
	return newEndpointSet(list)
}

// reportOutcome tells the circuit breaker how an attempt went.
func (x *exchange) reportOutcome(failed bool) {
	r := x.target.app.resiliency
	if r == nil || r.CircuitBreaker == nil {
		return
	}
	now := time.Now()
	set := x.target.rev.set.Load()
	x.ep.breaker.report(failed, r.CircuitBreaker, now, func() bool { return set.mayEject(r.CircuitBreaker, now) })
}

// broken reports whether there are ready replicas and all of them are taken
// out.
func (x *exchange) broken() bool {
	r := x.target.app.resiliency
	if r == nil || r.CircuitBreaker == nil {
		return false
	}
	set := x.target.rev.set.Load()
	return len(set.list) > 0 && len(set.healthy(time.Now()).list) == 0
}

// wantsRetry reports whether the app's own answer is to be asked for again.
func (x *exchange) wantsRetry(status int) bool {
	r := x.target.app.resiliency
	return r != nil && r.Retry != nil && x.rec.Tries <= r.Retry.MaxRetries && r.Retry.retries(status) && x.replayable()
}

// maxRetries is how often the request may be sent again.
func (x *exchange) maxRetries() int {
	if r := x.target.app.resiliency; r != nil && r.Retry != nil {
		return r.Retry.MaxRetries
	}
	return max(0, x.g.opts.Retries)
}

// pauses returns the base and the limit of the pauses between tries.
func (x *exchange) pauses() (base, limit time.Duration) {
	base, limit = retryBase, retryMax
	if r := x.target.app.resiliency; r != nil && r.Retry != nil && r.Retry.InitialDelay > 0 {
		base, limit = r.Retry.InitialDelay, 10*r.Retry.InitialDelay
		if r.Retry.MaxInterval > 0 {
			limit = r.Retry.MaxInterval
		}
	}
	return base, limit
}
