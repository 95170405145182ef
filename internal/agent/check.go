package agent

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

// userAgent is what ACA's probes send: they are made with curl, see
// github.com/yeongseon/azure-container-apps-practical-guide
// labs/revision-provisioning-failure (captured June 2026).
const userAgent = "curl/8.11.1"

// Check implements container.Agent: it probes as ACA does, from inside the
// replica, over a fresh connection to localhost unless the check names a host.
// Redirects are not followed and certificates not verified.
func (c *Client) Check(ctx context.Context, check container.Check) (container.CheckResult, error) {
	start := time.Now()
	timed, cancel := context.WithTimeout(ctx, check.Timeout)
	defer cancel()
	result := c.attempt(timed, check)
	result.Duration = time.Since(start)
	select {
	case <-c.session.Done():
		return container.CheckResult{}, fmt.Errorf("probe port %d: %w", check.Port, c.session.Err())
	default:
	}
	if err := ctx.Err(); err != nil {
		return container.CheckResult{}, fmt.Errorf("probe port %d: %w", check.Port, err)
	}
	return result, nil
}

func (c *Client) attempt(ctx context.Context, check container.Check) container.CheckResult {
	host := check.Host
	if host == "" {
		host = "localhost"
	}
	conn, err := c.Dial(ctx, host, check.Port)
	if err != nil {
		return connectFailure(check, err)
	}
	defer conn.Close()
	if check.Scheme == "" {
		return container.CheckResult{OK: true}
	}
	by, _ := ctx.Deadline()
	if err := conn.SetDeadline(by); err != nil {
		return failed(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	status, err := get(conn, check)
	if err != nil {
		return failed(err)
	}
	return container.CheckResult{OK: status >= 200 && status < 400, Status: strconv.Itoa(status), Detail: detail(status)}
}

// connectFailure is the result of a connection that was not made. ACA writes
// "1" behind "status code:" for a refused TCP probe, and nothing for a refused
// HTTP probe.
func connectFailure(check container.Check, err error) container.CheckResult {
	r := failed(err)
	if check.Scheme == "" && errors.Is(err, syscall.ECONNREFUSED) {
		r.Status = "1"
	}
	return r
}

func failed(err error) container.CheckResult {
	timeout := errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
	return container.CheckResult{Timeout: timeout, Detail: err.Error()}
}

func detail(status int) string {
	if status >= 200 && status < 400 {
		return ""
	}
	return "HTTP status " + strings.TrimSpace(strconv.Itoa(status)+" "+http.StatusText(status))
}

// get makes one request over conn and returns the status of the answer.
func get(conn net.Conn, check container.Check) (int, error) {
	if check.Scheme == "HTTPS" {
		secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // as ACA's probes
		if err := secure.Handshake(); err != nil {
			return 0, err
		}
		conn = secure
	}
	req, err := newRequest(check)
	if err != nil {
		return 0, err
	}
	if err := req.Write(conn); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return 0, err
	}
	_ = resp.Body.Close() // of no interest; the connection is closed next
	return resp.StatusCode, nil
}

// newRequest builds the request ACA's probes send. Headers of the check win
// over the probe's own, Host among them.
func newRequest(check container.Check) (*http.Request, error) {
	path := check.Path
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return nil, fmt.Errorf("probe path %q: %w", check.Path, err)
	}
	host := check.Host
	if host == "" {
		host = "localhost"
	}
	u.Scheme, u.Host = strings.ToLower(check.Scheme), host
	req := &http.Request{
		Method: http.MethodGet,
		URL:    u,
		Host:   host,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"User-Agent": {userAgent}, "Accept": {"*/*"}},
	}
	setHeaders(req, check.Headers)
	return req, nil
}

func setHeaders(req *http.Request, headers []container.Header) {
	given := http.Header{}
	for _, h := range headers {
		if strings.EqualFold(h.Name, "Host") {
			req.Host = h.Value
			continue
		}
		given.Add(h.Name, h.Value)
	}
	for name, values := range given {
		req.Header[name] = values
	}
}
