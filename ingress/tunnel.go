package ingress

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// tunnel is two connections joined for raw bytes: an upgraded request or a raw
// TCP connection. It lives until one side ends both directions, nothing moves
// for the idle time, or it is severed.
type tunnel struct {
	client   net.Conn
	app      io.ReadWriteCloser
	ws       bool // the bytes are those of a WebSocket
	moved    func()
	received atomic.Int64 // from the client
	sent     atomic.Int64 // to the client

	once    sync.Once
	cause   atomic.Pointer[error]
	parting atomic.Pointer[error] // why both sides are told goodbye
	limit   atomic.Pointer[time.Timer]
}

// partFor is how long both sides of a WebSocket have to answer a Close frame.
const partFor = 500 * time.Millisecond

// lane is one direction of a tunnel.
type lane struct {
	t      *tunnel
	dst    io.Writer
	count  *atomic.Int64
	masked bool // frames towards dst are masked
	frames wsFrames
	parted bool // dst was told goodbye: what comes for it is dropped
}

// run copies both ways and returns why the tunnel ended; nil means that both
// sides were done. fromClient is what has been read from the client already.
func (t *tunnel) run(fromClient io.Reader) error {
	done := make(chan error, 2)
	up := &lane{t: t, dst: t.app, count: &t.received, masked: true}
	down := &lane{t: t, dst: t.client, count: &t.sent}
	go func() { done <- up.copy(fromClient, t.client) }()
	go func() { done <- down.copy(t.app, t.app) }()
	err := <-done
	if err != nil {
		t.close(err)
	}
	if second := <-done; err == nil {
		err = second
	}
	if parting := t.parting.Load(); parting != nil && err == nil {
		err = *parting
	}
	t.close(err)
	if timer := t.limit.Load(); timer != nil {
		timer.Stop()
	}
	if cause := t.cause.Load(); cause != nil {
		return *cause
	}
	return err
}

// copy copies one direction; its end is passed on as a half-close. conn is the
// connection that src reads from.
func (l *lane) copy(src io.Reader, conn any) error {
	buf := getBuffer()
	defer putBuffer(buf)
	for {
		n, err := src.Read(*buf)
		if n > 0 {
			l.t.moved()
			l.count.Add(int64(n))
			if werr := l.write((*buf)[:n]); werr != nil {
				return werr
			}
		}
		if l.t.parting.Load() != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				// part has woken this reader; reading goes on, for the answer.
				err = conn.(deadliner).SetReadDeadline(time.Time{})
			}
			// Also at the end of src: it may hang up when it hears goodbye,
			// before this reader wakes, and dst is to hear it, too.
			if werr := l.write(nil); err == nil {
				err = werr
			}
		}
		switch {
		case err == io.EOF && l.parted, l.parted && l.frames.closed:
			return nil
		case err == io.EOF:
			return l.t.closeWrite(l.dst)
		case err != nil:
			return err
		}
	}
}

// write passes bytes on, up to the end of a frame when the tunnel is parting.
func (l *lane) write(p []byte) error {
	if !l.t.ws {
		_, err := l.dst.Write(p)
		return err
	}
	if l.parted {
		l.frames.follow(p)
		return nil
	}
	if l.t.parting.Load() == nil {
		l.frames.follow(p)
		_, err := l.dst.Write(p)
		return err
	}
	rest := p
	if !l.frames.between() {
		rest = p[l.frames.next(p):]
		if _, err := l.dst.Write(p[:len(p)-len(rest)]); err != nil || !l.frames.between() {
			return err
		}
	}
	l.parted = true
	var err error
	if !l.frames.closed { // else that side says goodbye itself
		_, err = l.dst.Write(closeFrame(l.masked))
	}
	l.frames.follow(rest)
	return err
}

// deadliner is what a tunnel needs of a connection to wake its reader.
type deadliner interface{ SetReadDeadline(time.Time) error }

// part ends the tunnel as its protocol does: both sides of a WebSocket get a
// Close frame and have a moment to answer it; a raw connection is just closed.
// It does not wait.
func (t *tunnel) part(cause error) {
	app, ok := t.app.(deadliner)
	if !t.ws || !ok {
		t.close(cause)
		return
	}
	if !t.parting.CompareAndSwap(nil, &cause) {
		return
	}
	t.limit.Store(time.AfterFunc(partFor, func() { t.close(cause) }))
	// A side that takes no deadline any more has hung up, which its reader sees.
	past := time.Unix(1, 0)
	_ = t.client.SetReadDeadline(past)
	_ = app.SetReadDeadline(past)
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

// awaitTunnels waits until no tunnel is left, ending them when ctx is done.
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
		t.part(ErrClosed)
	}
	<-quiet
	return ctx.Err()
}

// sever ends the tunnels to the replica.
func (r *replica) sever() {
	r.mu.Lock()
	open := make([]*tunnel, 0, len(r.tunnels))
	for t := range r.tunnels {
		open = append(open, t)
	}
	r.mu.Unlock()
	for _, t := range open {
		t.part(errSevered)
	}
}
