package aca

import (
	"fmt"
	"slices"
)

// ResiliencyPolicy says how calls to an app are repeated and how long they may
// take: Microsoft.App/containerApps/resiliencyPolicies, a preview
// (https://learn.microsoft.com/azure/container-apps/service-discovery-resiliency).
type ResiliencyPolicy struct {
	ID            string                     `json:"id,omitempty" aca:"readonly"`
	Name          string                     `json:"name,omitempty"`
	Type          string                     `json:"type,omitempty"`
	SystemData    *SystemData                `json:"systemData,omitempty" aca:"readonly"`
	ResourceGroup string                     `json:"resourceGroup,omitempty"`
	Properties    ResiliencyPolicyProperties `json:"properties"`
}

// ResiliencyPolicyProperties are the parts of a policy; what is not given
// stays as without a policy.
type ResiliencyPolicyProperties struct {
	TimeoutPolicy        *TimeoutPolicy        `json:"timeoutPolicy,omitempty"`
	HTTPRetryPolicy      *HTTPRetryPolicy      `json:"httpRetryPolicy,omitempty"`
	TCPRetryPolicy       *TCPRetryPolicy       `json:"tcpRetryPolicy,omitempty"`
	CircuitBreakerPolicy *CircuitBreakerPolicy `json:"circuitBreakerPolicy,omitempty"`
	HTTPConnectionPool   *HTTPConnectionPool   `json:"httpConnectionPool,omitempty"`
	TCPConnectionPool    *TCPConnectionPool    `json:"tcpConnectionPool,omitempty"`
}

// TimeoutPolicy bounds calls.
type TimeoutPolicy struct {
	ResponseTimeoutInSeconds   *int `json:"responseTimeoutInSeconds,omitempty"`
	ConnectionTimeoutInSeconds *int `json:"connectionTimeoutInSeconds,omitempty"`
}

// HTTPRetryPolicy says which answers are asked for again.
type HTTPRetryPolicy struct {
	MaxRetries   *int          `json:"maxRetries,omitempty"`
	RetryBackOff *RetryBackOff `json:"retryBackOff,omitempty"`
	Matches      *RetryMatches `json:"matches,omitempty"`
}

// RetryBackOff bounds the pauses between tries.
type RetryBackOff struct {
	InitialDelayInMilliseconds *int `json:"initialDelayInMilliseconds,omitempty"`
	MaxIntervalInMilliseconds  *int `json:"maxIntervalInMilliseconds,omitempty"`
}

// RetriableStatusCodes is the word of RetryMatches.Errors that makes
// HTTPStatusCodes count, as in Envoy.
const RetriableStatusCodes = "retriable-status-codes"

// RetryMatches are the conditions of a further try. Errors are Envoy's words.
type RetryMatches struct {
	Headers         []any    `json:"headers,omitempty"`
	HTTPStatusCodes []int    `json:"httpStatusCodes,omitempty"`
	Errors          []string `json:"errors,omitempty"`
}

// TCPRetryPolicy is how often a raw connection is tried.
type TCPRetryPolicy struct {
	MaxConnectAttempts *int `json:"maxConnectAttempts,omitempty"`
}

// CircuitBreakerPolicy takes replicas that fail out for a while.
type CircuitBreakerPolicy struct {
	ConsecutiveErrors  *int `json:"consecutiveErrors,omitempty"`
	IntervalInSeconds  *int `json:"intervalInSeconds,omitempty"`
	MaxEjectionPercent *int `json:"maxEjectionPercent,omitempty"`
}

// HTTPConnectionPool bounds requests to an app.
type HTTPConnectionPool struct {
	HTTP1MaxPendingRequests *int `json:"http1MaxPendingRequests,omitempty"`
	HTTP2MaxRequests        *int `json:"http2MaxRequests,omitempty"`
}

// TCPConnectionPool bounds raw connections to an app.
type TCPConnectionPool struct {
	MaxConnections *int `json:"maxConnections,omitempty"`
}

// Validate reports values that cannot be.
func (p *ResiliencyPolicy) Validate() []Problem {
	v := &validator{app: &ContainerApp{}}
	at := Path("properties")
	if t := p.Properties.TimeoutPolicy; t != nil {
		v.positive(at.Field("timeoutPolicy").Field("responseTimeoutInSeconds"), t.ResponseTimeoutInSeconds)
		v.positive(at.Field("timeoutPolicy").Field("connectionTimeoutInSeconds"), t.ConnectionTimeoutInSeconds)
	}
	if r := p.Properties.HTTPRetryPolicy; r != nil {
		v.httpRetry(r, at.Field("httpRetryPolicy"))
	}
	if r := p.Properties.TCPRetryPolicy; r != nil {
		v.positive(at.Field("tcpRetryPolicy").Field("maxConnectAttempts"), r.MaxConnectAttempts)
	}
	if c := p.Properties.CircuitBreakerPolicy; c != nil {
		v.circuitBreaker(c, at.Field("circuitBreakerPolicy"))
	}
	if c := p.Properties.HTTPConnectionPool; c != nil {
		v.positive(at.Field("httpConnectionPool").Field("http1MaxPendingRequests"), c.HTTP1MaxPendingRequests)
		v.positive(at.Field("httpConnectionPool").Field("http2MaxRequests"), c.HTTP2MaxRequests)
	}
	if c := p.Properties.TCPConnectionPool; c != nil {
		v.positive(at.Field("tcpConnectionPool").Field("maxConnections"), c.MaxConnections)
	}
	return v.problems
}

// mostSeconds keeps the numbers of a policy within what a duration holds.
const mostSeconds = 1<<31 - 1

func (v *validator) positive(at Path, n *int) { v.rangeOf(at, n, 1, mostSeconds) }

func (v *validator) httpRetry(r *HTTPRetryPolicy, at Path) {
	if r.MaxRetries == nil {
		v.errorf(at, codeInvalidValue, "the retry policy has no maxRetries")
	}
	v.positive(at.Field("maxRetries"), r.MaxRetries)
	if b := r.RetryBackOff; b != nil {
		v.positive(at.Field("retryBackOff").Field("initialDelayInMilliseconds"), b.InitialDelayInMilliseconds)
		v.positive(at.Field("retryBackOff").Field("maxIntervalInMilliseconds"), b.MaxIntervalInMilliseconds)
	}
	if r.Matches == nil {
		return
	}
	if len(r.Matches.HTTPStatusCodes) > 0 && !slices.Contains(r.Matches.Errors, RetriableStatusCodes) {
		v.warnf(at.Field("matches").Field("httpStatusCodes"), "status codes are retried only with the error %q", RetriableStatusCodes).
			Hint = fmt.Sprintf("errors: [%s]", RetriableStatusCodes)
	}
	for i := range r.Matches.HTTPStatusCodes {
		v.rangeOf(at.Field("matches").Field("httpStatusCodes").Index(i), &r.Matches.HTTPStatusCodes[i], 100, 599)
	}
	for i, word := range r.Matches.Errors {
		if !retryWords[word] {
			v.errorf(at.Field("matches").Field("errors").Index(i), codeInvalidValue, "%q is no condition of a retry", clip(word)).
				Hint = "5xx, connect-failure, gateway-error, reset, retriable-headers, retriable-status-codes, or retriable-4xx"
		}
	}
}

// retryWords are the conditions Azure's page on resiliency lists.
var retryWords = map[string]bool{
	"5xx": true, "connect-failure": true, "gateway-error": true, "reset": true, "retriable-headers": true,
	"retriable-status-codes": true, "retriable-4xx": true,
}

func (v *validator) circuitBreaker(c *CircuitBreakerPolicy, at Path) {
	if c.ConsecutiveErrors == nil || c.IntervalInSeconds == nil {
		v.errorf(at, codeInvalidValue, "the circuit breaker needs consecutiveErrors and intervalInSeconds")
	}
	v.positive(at.Field("consecutiveErrors"), c.ConsecutiveErrors)
	v.positive(at.Field("intervalInSeconds"), c.IntervalInSeconds)
	v.rangeOf(at.Field("maxEjectionPercent"), c.MaxEjectionPercent, 1, 100)
}
