package core

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
)

// resiliency is the policy of an app as the edge keeps it, nil without one.
func resiliency(p *aca.ResiliencyPolicy) *ingress.Resiliency {
	if p == nil {
		return nil
	}
	out := &ingress.Resiliency{}
	if t := p.Properties.TimeoutPolicy; t != nil {
		out.ResponseTimeout = times(t.ResponseTimeoutInSeconds, time.Second)
	}
	if r := p.Properties.HTTPRetryPolicy; r != nil {
		out.Retry = retryPolicy(r)
	}
	if c := p.Properties.CircuitBreakerPolicy; c != nil {
		out.CircuitBreaker = &ingress.CircuitBreaker{
			ConsecutiveErrors:  orZero(c.ConsecutiveErrors),
			Interval:           times(c.IntervalInSeconds, time.Second),
			MaxEjectionPercent: orZero(c.MaxEjectionPercent),
		}
	}
	return out
}

func retryPolicy(r *aca.HTTPRetryPolicy) *ingress.RetryPolicy {
	out := &ingress.RetryPolicy{MaxRetries: orZero(r.MaxRetries)}
	if b := r.RetryBackOff; b != nil {
		out.InitialDelay = times(b.InitialDelayInMilliseconds, time.Millisecond)
		out.MaxInterval = times(b.MaxIntervalInMilliseconds, time.Millisecond)
	}
	if m := r.Matches; m != nil {
		out.Errors = m.Errors
		if slices.Contains(m.Errors, aca.RetriableStatusCodes) {
			out.StatusCodes = m.HTTPStatusCodes
		}
	}
	return out
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

func times(n *int, unit time.Duration) time.Duration { return time.Duration(orZero(n)) * unit }

// samePolicy says that two policies mean the same.
func samePolicy(a, b *aca.ResiliencyPolicy) bool { return policyText(a) == policyText(b) }

func policyText(p *aca.ResiliencyPolicy) string {
	if p == nil {
		return ""
	}
	text, err := json.Marshal(p.Properties)
	if err != nil {
		panic("bug: a policy cannot be written: " + err.Error())
	}
	return string(text)
}
