package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/acalocal/acalocal/internal/agent/mux"
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
	if r.Timeout && !c.answers(ctx) {
		return container.CheckResult{}, fmt.Errorf("probe port %d: %w: the agent does not answer either", spec.Port, errNoAttempt)
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

// answerWithin is how long an agent may take to answer at all.
const answerWithin = time.Second

// answers says whether the way to the agent and back is open. Where it is not,
// because the container engine hangs, time that is over says nothing about the
// container. An agent of another version that refuses the word answers, too.
func (c *Client) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	st, _, err := c.session.Open(ctx, []byte("ping"))
	var refusal mux.Refusal
	if errors.As(err, &refusal) {
		return true
	}
	if err != nil {
		return false
	}
	_ = st.Close() // it has said all it can
	return true
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
