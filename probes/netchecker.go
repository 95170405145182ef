package probes

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"

	"github.com/acalocal/acalocal/probes/check"
)

// NetChecker makes attempts from this process, or through the connections that
// Dial opens: a Dial that opens them inside the replica makes a NetChecker
// probe from there. The zero value dials with package net.
type NetChecker struct {
	// Dial opens a connection to address for t; nil means a plain net.Dialer.
	Dial func(ctx context.Context, t Target, network, address string) (net.Conn, error)
}

var _ Checker = NetChecker{}

// Check implements Checker.
func (n NetChecker) Check(ctx context.Context, t Target) Result {
	c := check.Client{TLS: TLS}
	if n.Dial != nil {
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			return n.Dial(ctx, t, network, address)
		}
	}
	return c.Do(ctx, t.Check, t.Timeout)
}

// TLS is a check.Client's TLS: it takes any certificate, as Azure's and
// Kubernetes' probes do.
func TLS(ctx context.Context, conn net.Conn, serverName string) (net.Conn, error) {
	c := tls.Client(conn, &tls.Config{ServerName: serverName, InsecureSkipVerify: true})
	err := c.HandshakeContext(ctx)
	var record tls.RecordHeaderError
	if errors.As(err, &record) && strings.HasPrefix(string(record.RecordHeader[:]), "HTTP/") {
		// The words of net/http, which are what users of kubelet read.
		return nil, errors.New("http: server gave HTTP response to HTTPS client")
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}
