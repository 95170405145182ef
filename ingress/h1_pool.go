package ingress

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// h1Pool is the idle HTTP/1.1 connections to one endpoint, newest last. It
// starts no goroutine: one timer closes what has been idle for too long.
type h1Pool struct {
	dial func(context.Context) (net.Conn, error)
	tls  bool

	mu     sync.Mutex
	idle   []*h1Conn   // guarded by mu
	closed bool        // guarded by mu; keeps nothing any more
	timer  *time.Timer // guarded by mu; runs while something is idle
}

// checkAfter is how long a connection may have been idle to be used without
// looking whether the app has closed it meanwhile. Looking costs a system
// call; under load connections are never idle that long.
const checkAfter = 20 * time.Millisecond

// take returns an idle connection, or nil.
func (p *h1Pool) take() *h1Conn {
	for {
		c := p.pop()
		if c == nil {
			return nil
		}
		if time.Since(c.since) < checkAfter || alive(c.Conn) {
			return c
		}
		// The app has closed it already.
		_ = c.Close()
	}
}

func (p *h1Pool) pop() *h1Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return c
}

// connect opens a new connection.
func (p *h1Pool) connect(ctx context.Context) (*h1Conn, error) {
	c, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	if !p.tls {
		return newH1Conn(c), nil
	}
	// As on Azure, the certificate of an app is not verified
	// (azureossd.github.io, end-to-end TLS, 2025-04-01).
	t := tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err := t.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return newH1Conn(t), nil
}

// put keeps a connection for the next exchange.
func (p *h1Pool) put(c *h1Conn) {
	c.since = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || c.keep <= 0 {
		_ = c.Close()
		return
	}
	p.idle = append(p.idle, c)
	if p.timer == nil {
		p.timer = time.AfterFunc(upstreamIdle, p.sweep)
	}
}

// sweep closes what has been idle for too long, and looks again later while
// anything is left.
func (p *h1Pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	kept := p.idle[:0]
	for _, c := range p.idle {
		if time.Since(c.since) >= c.keep {
			_ = c.Close()
			continue
		}
		kept = append(kept, c)
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	if len(kept) > 0 && !p.closed {
		p.timer = time.AfterFunc(upstreamIdle/4, p.sweep)
	}
}

// close closes the idle connections, and those in use when they are put back.
func (p *h1Pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		_ = c.Close()
	}
	p.idle = nil
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}
