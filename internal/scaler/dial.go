package scaler

import (
	"context"
	"crypto/tls"
	"net"
)

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// tlsDialer is a dialer whose connections speak TLS.
func tlsDialer(dial dialer, config *tls.Config) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		c := config.Clone()
		if c.ServerName == "" {
			c.ServerName, _, _ = net.SplitHostPort(addr)
		}
		secure := tls.Client(conn, c)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close() // nothing was said on it
			return nil, err
		}
		return secure, nil
	}
}
