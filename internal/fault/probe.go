package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/acalocal/acalocal/probes"
)

// Checker returns inner as it is with this Set's faults of probes.
func (s *Set) Checker(inner probes.Checker) probes.Checker { return checker{inner, s} }

type checker struct {
	inner probes.Checker
	set   *Set
}

// Check implements probes.Checker.
func (c checker) Check(ctx context.Context, t probes.Target) probes.Result {
	if c.set.idle() {
		return c.inner.Check(ctx, t)
	}
	where := placeOf(t.Replica, t.Container)
	fits := func(f *Fault) bool { return f.Probe == "" || f.Probe == string(t.Kind) }
	if f, ok := c.set.take(where, fits, fmt.Sprintf("failed a %s probe of container '%s'", t.Kind, t.Container), FailProbe); ok {
		return failure(t, f)
	}
	f, ok := c.set.take(where, fits, fmt.Sprintf("delayed a %s probe of container '%s'", t.Kind, t.Container), DelayProbe)
	if !ok {
		return c.inner.Check(ctx, t)
	}
	return c.late(ctx, t, f)
}

// failure is a failed attempt: what a server that is overloaded answers, or a
// port that nobody listens on.
func failure(t probes.Target, f Fault) probes.Result {
	r := probes.Result{Outcome: probes.Failure, Status: "503", Detail: fmt.Sprintf("the fault '%s' fails it", f.Name)}
	if t.Check.TCP != nil {
		r.Status = "1"
	}
	return r
}

// late makes an attempt that takes longer; its timeout counts the delay.
func (c checker) late(ctx context.Context, t probes.Target, f Fault) probes.Result {
	delay := time.Duration(f.Delay)
	if delay >= t.Timeout {
		wait(ctx, t.Timeout)
		return probes.Result{Outcome: probes.Failure, Timeout: true, Duration: t.Timeout, Detail: fmt.Sprintf("the fault '%s' delays it by %s", f.Name, delay)}
	}
	wait(ctx, delay)
	t.Timeout -= delay
	r := c.inner.Check(ctx, t)
	r.Duration += delay
	return r
}

// wait returns after d, or when ctx is done.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
