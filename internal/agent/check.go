package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/probes"
	"github.com/acalocal/acalocal/probes/check"
)

// errNoAttempt says that a probe was not made, for want of something on our
// side.
var errNoAttempt = errors.New("no attempt made")

// Check implements container.Agent. The exchange is the prober's own, over a
// connection that begins inside the replica.
func (c *Client) Check(ctx context.Context, spec container.Check) (container.CheckResult, error) {
	client := check.Client{Dial: c.dialAddress, TLS: probes.TLS}
	r := client.Do(ctx, attempt(spec), spec.Timeout)
	select {
	case <-c.session.Done(): // whatever came of it may be the session's end
		return container.CheckResult{}, fmt.Errorf("probe port %d: %w", spec.Port, c.session.Err())
	default:
	}
	if err := ctx.Err(); err != nil {
		return container.CheckResult{}, fmt.Errorf("probe port %d: %w", spec.Port, err)
	}
	if r.Outcome == check.Error {
		return container.CheckResult{}, fmt.Errorf("probe port %d: %w: %s", spec.Port, errNoAttempt, r.Detail)
	}
	return container.CheckResult{
		OK:       r.Outcome == check.Success,
		Timeout:  r.Timeout,
		Status:   r.Status,
		Detail:   r.Detail,
		Duration: r.Duration,
	}, nil
}

// attempt translates a check.
func attempt(spec container.Check) check.Check {
	if spec.Scheme == "" {
		return check.Check{TCP: &check.TCP{Host: spec.Host, Port: spec.Port}}
	}
	h := &check.HTTP{Scheme: spec.Scheme, Host: spec.Host, Port: spec.Port, Path: spec.Path}
	for _, header := range spec.Headers {
		h.Headers = append(h.Headers, check.Header(header))
	}
	return check.Check{HTTP: h}
}

// dialAddress is Dial as package net has it.
func (c *Client) dialAddress(ctx context.Context, _, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	return c.Dial(ctx, host, n)
}
