package ingress

import (
	"context"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
)

// tunnel is two connections joined for raw bytes: an upgraded request or a raw
// TCP connection. It lives until one side ends both directions, nothing moves
// for the idle time, or it is severed.
type tunnel struct {
	client   net.Conn
	app      io.ReadWriteCloser
	moved    func()
	received atomic.Int64 // from the client
	sent     atomic.Int64 // to the client

	once  sync.Once
	cause atomic.Pointer[error]
}

// run copies both ways and returns why the tunnel ended; nil means that both
// sides were done. fromClient is what has been read from the client already.
func (t *tunnel) run(fromClient io.Reader) error {
	done := make(chan error, 2)
	go func() { done <- t.copy(t.app, fromClient, &t.received) }()
	go func() { done <- t.copy(t.client, t.app, &t.sent) }()
	err := <-done
	if err != nil {
		t.close(err)
	}
	if second := <-done; err == nil {
		err = second
	}
	t.close(err)
	if cause := t.cause.Load(); cause != nil {
		return *cause
	}
	return err
}

// copy copies one direction; its end is passed on as a half-close.
func (t *tunnel) copy(dst io.Writer, src io.Reader, count *atomic.Int64) error {
	buf := getBuffer()
	defer putBuffer(buf)
	for {
		n, err := src.Read(*buf)
		if n > 0 {
			t.moved()
			count.Add(int64(n))
			if _, werr := dst.Write((*buf)[:n]); werr != nil {
				return werr
			}
		}
		if err == io.EOF {
			return t.closeWrite(dst)
		}
		if err != nil {
			return err
		}
	}
}

// closeWrite ends one direction. A connection that cannot be half closed ends
// altogether.
func (t *tunnel) closeWrite(dst io.Writer) error {
	if c, ok := dst.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return io.EOF
}

// close ends the tunnel; the first cause counts.
func (t *tunnel) close(cause error) {
	t.once.Do(func() {
		if cause != nil {
			t.cause.Store(&cause)
		}
		// Both are being thrown away: nothing is lost by a failing close.
		_ = t.client.Close()
		_ = t.app.Close()
	})
}

// enterTunnel registers a tunnel with the replica it leads to. It returns false when
// the ingress is shut down already.
func (g *Ingress) enterTunnel(r *replica, t *tunnel) bool {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return false
	}
	g.tunnels[t] = struct{}{}
	g.mu.Unlock()
	r.mu.Lock()
	r.tunnels[t] = struct{}{}
	r.mu.Unlock()
	return true
}

func (g *Ingress) leaveTunnel(r *replica, t *tunnel) {
	r.mu.Lock()
	delete(r.tunnels, t)
	r.mu.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.tunnels, t)
	if g.quiet != nil && len(g.tunnels) == 0 {
		close(g.quiet)
		g.quiet = nil
	}
}

// awaitTunnels waits until no tunnel is left, closing them when ctx is done.
func (g *Ingress) awaitTunnels(ctx context.Context) error {
	g.mu.Lock()
	if len(g.tunnels) == 0 {
		g.mu.Unlock()
		return nil
	}
	quiet := make(chan struct{})
	g.quiet = quiet
	open := slices.Collect(maps.Keys(g.tunnels))
	g.mu.Unlock()
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
	}
	for _, t := range open {
		t.close(ErrClosed)
	}
	<-quiet
	return ctx.Err()
}

// sever closes the tunnels to the replica.
func (r *replica) sever() {
	r.mu.Lock()
	open := make([]*tunnel, 0, len(r.tunnels))
	for t := range r.tunnels {
		open = append(open, t)
	}
	r.mu.Unlock()
	for _, t := range open {
		t.close(errSevered)
	}
}
