package check

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Client makes attempts. The zero value dials with package net and cannot speak
// TLS. A Client may be used concurrently.
type Client struct {
	// Dial opens a connection; nil means a plain net.Dialer. Someone outside
	// the replica sets it to open the connection from inside.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS shakes hands over conn as a client that takes any certificate and
	// names serverName; it need not close conn when it fails. Nil makes every
	// HTTPS check an Error.
	TLS func(ctx context.Context, conn net.Conn, serverName string) (net.Conn, error)
}

// Do makes one attempt of c within timeout. When ctx ends first, by deadline or
// cancellation, the outcome is Error: nothing is known about the container.
func (cl Client) Do(ctx context.Context, c Check, timeout time.Duration) Result {
	begin := time.Now()
	attempt, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var res Result
	switch {
	case c.HTTP != nil && c.TCP == nil:
		res = cl.doHTTP(attempt, c.HTTP)
	case c.TCP != nil && c.HTTP == nil:
		res = cl.doTCP(attempt, c.TCP)
	default:
		res = unmade("a check is either HTTP or TCP")
	}
	res.Duration = time.Since(begin)
	// ctx may have a deadline of its own, and a connection may notice it before
	// ctx says so; a timeout that came early was not the container's.
	if ctx.Err() != nil || (res.Timeout && res.Duration < timeout) {
		res = Result{Outcome: Error, Detail: "attempt cut short before its timeout", Duration: res.Duration}
	}
	return res
}

// doTCP connects and closes: an app that accepts and never answers passes.
func (cl Client) doTCP(ctx context.Context, t *TCP) Result {
	conn, err := cl.dial(ctx, t.Host, t.Port)
	if err == nil {
		_ = conn.Close() // connected is all that was asked
		return Result{Outcome: Success}
	}
	return failed(err, "1", err.Error())
}

// dial connects to host, or to the loopback addresses of where we are.
func (cl Client) dial(ctx context.Context, host string, port int) (net.Conn, error) {
	dial := cl.Dial
	if dial == nil {
		// A connection that lives for one answer needs no keep-alive, whose
		// socket options cost as much as the connect.
		dial = (&net.Dialer{KeepAlive: -1}).DialContext
	}
	var conn net.Conn
	var err error
	for _, h := range addresses(host) {
		conn, err = dial(ctx, "tcp", net.JoinHostPort(h, strconv.Itoa(port)))
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	return conn, err
}

// addresses spells localhost out in the order curl tries it (the probes of
// running apps come from ::1), so that no resolver or hosts file is needed.
func addresses(host string) []string {
	if host == "" || host == "localhost" {
		return []string{"::1", "127.0.0.1"}
	}
	return []string{host}
}

// failed judges an attempt that ended with err.
func failed(err error, status, detail string) Result {
	switch {
	case ours(err):
		return unmade(detail)
	case isTimeout(err):
		return Result{Outcome: Failure, Timeout: true, Detail: detail}
	}
	return Result{Outcome: Failure, Status: status, Detail: detail}
}

// unmade is the result of an attempt that could not be made.
func unmade(detail string) Result { return Result{Outcome: Error, Detail: detail} }

// errUnable marks an error that is ours and says nothing about the container.
var errUnable = errors.New("the attempt cannot be made")

// ours says whether err tells of a shortage on our side of the connection.
func ours(err error) bool {
	for _, e := range []error{errUnable, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) ||
		(errors.As(err, &ne) && ne.Timeout())
}
