// Package client calls the control surface of an environment (see package
// api) over its socket.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/home"
)

// ErrNotRunning says that no daemon listens on the environment's socket.
var ErrNotRunning = errors.New("no such environment is running")

// ErrDied says that the daemon went away in the middle of an answer. One that
// ends in order finishes its answers first.
var ErrDied = errors.New("the daemon has died")

// NotRunningError is the ErrNotRunning of one environment.
type NotRunningError struct {
	Environment home.Environment
	Died        bool // its socket is still there: the daemon was killed
}

// Error implements error.
func (e *NotRunningError) Error() string { return ErrNotRunning.Error() }

// Is makes the error an ErrNotRunning.
func (e *NotRunningError) Is(target error) bool { return target == ErrNotRunning }

// Client talks to one environment. It may be used concurrently and needs no
// closing: it keeps no idle connection.
type Client struct {
	environment home.Environment
	http        *http.Client
}

// New returns a client of an environment. It connects with the first call.
func New(e home.Environment) *Client {
	c := &Client{environment: e}
	c.http = &http.Client{Transport: &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx) },
		DisableKeepAlives: true,
	}}
	return c
}

// dial connects to the socket.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", c.environment.Socket())
	died := errors.Is(err, syscall.ECONNREFUSED)
	if died || errors.Is(err, fs.ErrNotExist) {
		return nil, &NotRunningError{Environment: c.environment, Died: died}
	}
	return conn, err
}

// Info asks who answers.
func (c *Client) Info(ctx context.Context) (api.Info, error) {
	return get[api.Info](ctx, c, "info", nil)
}

// Snapshot returns the present state.
func (c *Client) Snapshot(ctx context.Context) (*emulator.Snapshot, error) {
	return get[*emulator.Snapshot](ctx, c, "status", nil)
}

// ProbeAttempts are the attempts of a revision's probes that the environment
// remembers, oldest first.
func (c *Client) ProbeAttempts(ctx context.Context, revision string) ([]emulator.ProbeAttempt, error) {
	return get[[]emulator.ProbeAttempt](ctx, c, "probes", params("revision", revision))
}

// Apply makes an app what the request says; it returns before the revision is
// ready.
func (c *Client) Apply(ctx context.Context, req emulator.ApplyRequest) (emulator.Applied, error) {
	var out emulator.Applied
	err := c.call(ctx, http.MethodPost, own("apply", nil), req, &out)
	return out, err
}

// Delete begins to remove an app. Removing what is not there is no error.
func (c *Client) Delete(ctx context.Context, app string) error {
	return c.call(ctx, http.MethodDelete, armApp(app), nil, nil)
}

// ApplyRouteConfig makes a route config of the environment become what c says.
func (c *Client) ApplyRouteConfig(ctx context.Context, config aca.HTTPRouteConfig) error {
	return c.call(ctx, http.MethodPost, own("routeconfigs/apply", nil), config, nil)
}

// DeleteRouteConfig removes a route config.
func (c *Client) DeleteRouteConfig(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodPost, own("routeconfigs/delete", params("name", name)), nil, nil)
}

// Restart replaces the replicas of a revision. Without app it means the only
// one there is, without revision the latest active one.
func (c *Client) Restart(ctx context.Context, app, revision string) error {
	return c.call(ctx, http.MethodPost, own("restart", params("app", app, "revision", revision)), nil, nil)
}

// Shutdown asks the daemon to end; with remove it drains and removes
// everything first, without it leaves what runs for the next daemon. It returns
// at once: Gone tells when it is done.
func (c *Client) Shutdown(ctx context.Context, remove bool) error {
	q := url.Values{}
	if remove {
		q.Set("remove", "true")
	}
	return c.call(ctx, http.MethodPost, own("shutdown", q), nil, nil)
}

// Metrics opens the metrics of the environment as text for Prometheus. The
// caller closes it.
func (c *Client) Metrics(ctx context.Context) (io.ReadCloser, error) {
	return c.open(ctx, http.MethodGet, "/metrics", nil)
}

// armApp is ARM's path of an app: its id.
func armApp(app string) string { return aca.LocalGroup().App(url.PathEscape(app)) }

// own is the path of one of our own resources.
func own(name string, q url.Values) string {
	if len(q) == 0 {
		return "/acalocal/v1/" + name
	}
	return "/acalocal/v1/" + name + "?" + q.Encode()
}

// params makes a query of names and values; empty values are left out.
func params(kv ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(kv); i += 2 {
		if kv[i+1] != "" {
			q.Set(kv[i], kv[i+1])
		}
	}
	return q
}

func get[T any](ctx context.Context, c *Client, name string, q url.Values) (out T, err error) {
	err = c.call(ctx, http.MethodGet, own(name, q), nil, &out)
	return out, err
}

// call sends in as JSON and reads the answer into out; either may be nil.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	body, err := c.open(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return fmt.Errorf("read the answer to %s: %w", path, err)
	}
	return nil
}

// open sends a request and returns the body of its successful answer, which
// the caller closes.
func (c *Client) open(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	req, err := newRequest(ctx, method, path, in)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, plain(err)
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		return nil, readError(resp)
	}
	return answer{resp.Body}, nil
}

func newRequest(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode the request to %s: %w", path, err)
		}
		body = bytes.NewReader(b)
	}
	return http.NewRequestWithContext(ctx, method, "http://acalocal"+path, body)
}

// plain takes off what net/http says around an error: "Get "http://…": ".
func plain(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

// readError turns an error answer into the error it carries.
func readError(resp *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("read the error answer: %w", err)
	}
	var body api.ErrorBody
	if json.Unmarshal(b, &body) != nil || body.Error.Message == "" {
		return fmt.Errorf("the daemon answered %s: %s", resp.Status, strings.TrimSpace(string(b)))
	}
	return &Error{Status: resp.StatusCode, Detail: body.Error}
}

// Error is an error answer of the API.
type Error struct {
	Status int // of HTTP
	Detail api.ErrorDetail
}

// Error returns the message, as az prints it: "(Code) message". Codes that say
// nothing beyond the message are left out.
func (e *Error) Error() string {
	switch e.Detail.Code {
	case "", "InternalServerError", "ServiceUnavailable":
		return e.Detail.Message
	}
	return "(" + e.Detail.Code + ") " + e.Detail.Message
}

// Misuse reports whether the request left something to be said.
func (e *Error) Misuse() bool {
	return e.Detail.Code == "InvalidRequestContent" && e.Detail.Target == "name"
}

// ExitCode is what a shell would end with, of a command that could not be run;
// else 0.
func (e *Error) ExitCode() int {
	if e.Detail.Inner == nil {
		return 0
	}
	return e.Detail.Inner.ExitCode
}

// Hint is what the daemon suggests to do, or "".
func (e *Error) Hint() string {
	if e.Detail.Inner == nil {
		return ""
	}
	return e.Detail.Inner.Hint
}
