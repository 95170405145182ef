package container

import (
	"context"
	"net"
	"time"
)

// Agent is acalocal's small program inside a replica's network namespace.
// All methods may be called concurrently.
type Agent interface {
	// Check makes one probe attempt from inside the replica. The error is
	// about the agent (unreachable, gone), never about the probe.
	Check(ctx context.Context, c Check) (CheckResult, error)
	// Listeners returns the TCP sockets that are listened on in the
	// replica's namespace now, sorted by port, the agent's own left out.
	Listeners(ctx context.Context) ([]Listener, error)
	// Dial opens a stream to a TCP port inside the replica, by way of host
	// ("127.0.0.1", or the replica's own address, as the edge would come).
	Dial(ctx context.Context, host string, port int) (net.Conn, error)
}

// Check is one probe attempt: HTTP when Scheme is set, else a TCP connect.
type Check struct {
	Scheme  string // "", "HTTP" or "HTTPS"
	Host    string // "" = localhost
	Port    int
	Path    string
	Headers []Header
	Timeout time.Duration
}

// Header is one header of an HTTP check; names may repeat.
type Header struct{ Name, Value string }

// CheckResult is the outcome of one attempt. Status is what ACA writes behind
// "status code: ": the HTTP status, "1" for a refused connection, "" when
// nothing that is HTTP came back.
type CheckResult struct {
	OK       bool
	Timeout  bool
	Status   string
	Detail   string // the exact error, for people
	Duration time.Duration
}

// Listener is one listening TCP socket.
type Listener struct {
	Port     int
	Loopback bool // bound to 127.0.0.0/8 or ::1 only
}
