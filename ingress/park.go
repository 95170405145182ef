package ingress

import (
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
)

// parkAfter is how long a plain HTTP/1.1 connection waits for its next request
// before it is parked.
const parkAfter = 200 * time.Millisecond

// parking is where idle client connections wait without what net/http keeps
// for each: two buffers and a grown stack, 20 KiB together, against 3 here.
// Browsers and load tests hold hundreds.
//
// A connection that waits for long enough pretends to end. net/http lets it go,
// and closing it parks it instead. When something comes to read it is served
// again as if it were new: parking is the listener that hands it out.
type parking struct {
	addr net.Addr
	back chan net.Conn // with something to read
	done chan struct{} // closed by Close

	mu      sync.Mutex
	closed  bool                     // guarded by mu
	waiting map[*clientConn]struct{} // guarded by mu
	tidy    *time.Timer              // guarded by mu; nil before the first time
	tidied  time.Time                // guarded by mu; when that last ran, or will
	waiters sync.WaitGroup
}

// What connections leave behind when many are parked is garbage that an idle
// process would keep for minutes: it is given back when no more come.
const (
	tidyFrom  = 256 // parked connections
	tidyAfter = time.Second
	tidyEvery = time.Minute // at most; clients that come back make it all anew
)

func newParking(addr net.Addr) *parking {
	return &parking{addr: addr, back: make(chan net.Conn), done: make(chan struct{}), waiting: map[*clientConn]struct{}{}}
}

// canPark reports whether it can be seen that a connection has something to
// read, without reading it.
func canPark(c net.Conn) bool {
	_, ok := c.(syscall.Conn)
	return ok && canPeek
}

// Accept implements net.Listener: it returns parked connections on which
// something has come.
func (p *parking) Accept() (net.Conn, error) {
	select {
	case c := <-p.back:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener: it closes what is parked, and whatever comes
// later.
func (p *parking) Close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.done)
		if p.tidy != nil {
			p.tidy.Stop()
		}
		for c := range p.waiting {
			_ = c.Conn.Close() // nobody waits for an answer on it
		}
	}
	p.mu.Unlock()
	p.waiters.Wait()
	return nil
}

// Addr implements net.Listener.
func (p *parking) Addr() net.Addr { return p.addr }

// park takes a connection that nobody uses.
func (p *parking) park(c *clientConn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return c.Conn.Close()
	}
	p.waiting[c] = struct{}{}
	p.waiters.Go(func() { p.wait(c) })
	p.tidyLocked(time.Now())
	return nil
}

// tidyLocked arranges for memory to be given back a moment after the last
// connection of many was parked.
func (p *parking) tidyLocked(now time.Time) {
	switch pending := now.Before(p.tidied); {
	case pending:
	case len(p.waiting) >= tidyFrom && now.Sub(p.tidied) > tidyEvery:
	default:
		return
	}
	p.tidied = now.Add(tidyAfter)
	if p.tidy == nil {
		p.tidy = time.AfterFunc(tidyAfter, freeMemory)
		return
	}
	p.tidy.Reset(tidyAfter)
}

// wait hands the connection out when something comes, and closes it when its
// client has left or its time is over.
func (p *parking) wait(c *clientConn) {
	err := c.Conn.SetReadDeadline(c.until)
	if err == nil {
		err = awaitReadable(c.Conn.(syscall.Conn))
	}
	p.mu.Lock()
	delete(p.waiting, c)
	p.mu.Unlock()
	if err != nil {
		_ = c.Conn.Close() // it is of no use to anybody
		return
	}
	c.renew()
	select {
	case p.back <- c:
	case <-p.done:
		_ = c.Conn.Close()
	}
}

// freeMemory gives back what is free after two collections: buffers in a
// sync.Pool survive the first.
func freeMemory() {
	runtime.GC()
	debug.FreeOSMemory()
}

func (p *parking) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting)
}
