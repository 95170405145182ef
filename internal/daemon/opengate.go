package daemon

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

// openGate is a gate that is open.
type openGate struct {
	gate     // as it is now
	listener container.GateListener
	leaves   chan struct{} // closed when it retires
	severed  chan struct{} // closed when its connections have to end
	until    time.Time     // when that is, and then when it is closed
	since    time.Time     // when it has retired
	left     func()        // called when nobody is connected any more

	mu        sync.Mutex
	parts     map[int]*portListener // guarded by mu
	ended     bool                  // guarded by mu
	connected int                   // guarded by mu
	empty     time.Time             // guarded by mu; since when nobody is connected
}

func newOpenGate(g gate, l container.GateListener, left func()) *openGate {
	return &openGate{gate: g, listener: l, leaves: make(chan struct{}), severed: make(chan struct{}), left: left, parts: map[int]*portListener{}}
}

// misleads reports whether the gate has a name that is to lead elsewhere or
// nowhere. A host that is gone may lead here: it is the edge's 404 page.
func (o *openGate) misleads(wanted []gate) bool {
	i := slices.IndexFunc(wanted, func(w gate) bool { return w.app == o.app })
	if i < 0 {
		return true
	}
	return slices.ContainsFunc(o.names, func(name string) bool {
		return !slices.Contains(wanted[i].names, name) && (!strings.Contains(name, ".") ||
			slices.ContainsFunc(wanted, func(w gate) bool { return slices.Contains(w.names, name) }))
	})
}

// retire leaves the gate to those who are connected through it, and tells them
// to go.
func (o *openGate) retire() {
	o.since = time.Now()
	o.until = o.since.Add(drainTime)
	close(o.leaves)
}

// due is how long the gate, which has retired, stays if nobody comes or leaves.
func (o *openGate) due(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	stays := o.until.Sub(now)
	if o.connected > 0 {
		return stays
	}
	empty := o.empty
	if empty.Before(o.since) {
		empty = o.since
	}
	return min(stays, empty.Add(quiet).Sub(now))
}

// sever ends the WebSockets and raw connections as their protocols do, and
// reports whether there is any reason to wait for that: once, and if somebody is
// connected.
func (o *openGate) sever() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case <-o.severed:
		return false
	default:
	}
	close(o.severed)
	o.until = o.until.Add(goodbye)
	return o.connected > 0
}

// accept gives each connection to the part of its port, until the gate is
// closed; the parts end then.
func (o *openGate) accept() {
	defer o.end()
	for {
		c, err := o.listener.Accept()
		if err != nil {
			return
		}
		o.mu.Lock()
		p := o.parts[localPort(c)]
		o.connected++
		o.mu.Unlock()
		c = &gateConn{Conn: c, gate: o}
		if p == nil || !p.give(c) {
			_ = c.Close() // nobody serves that port
		}
	}
}

func (o *openGate) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	for _, p := range o.parts {
		_ = p.Close() // never fails
	}
}

// port returns a listener for the connections to a port, or nil when there is
// one already. It ends with the gate.
func (o *openGate) port(port int) net.Listener {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.parts[port] != nil {
		return nil
	}
	p := &portListener{addr: o.listener.Addr(), conns: make(chan net.Conn), closed: make(chan struct{})}
	o.parts[port] = p
	if o.ended {
		_ = p.Close() // never fails
	}
	return p
}

// gateConn is a connection through a gate, which counts it.
type gateConn struct {
	net.Conn
	gate *openGate
	once sync.Once
}

// Close implements net.Conn.
func (c *gateConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.gate.leave)
	return err
}

// CloseWrite passes the end of one direction on, which tunnels need.
func (c *gateConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (o *openGate) leave() {
	o.mu.Lock()
	o.connected--
	last := o.connected == 0
	if last {
		o.empty = time.Now()
	}
	o.mu.Unlock()
	if last {
		o.left()
	}
}

func localPort(c net.Conn) int {
	if addr, ok := c.LocalAddr().(*net.TCPAddr); ok {
		return addr.Port
	}
	return 0
}

// portListener is the part of a gate that belongs to one port.
type portListener struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *portListener) give(c net.Conn) bool {
	select {
	case p.conns <- c:
		return true
	case <-p.closed:
		return false
	}
}

// Accept waits for the next connection to the port.
func (p *portListener) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close ends this part alone; connections to its port are then closed.
func (p *portListener) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr is the address of the gate.
func (p *portListener) Addr() net.Addr { return p.addr }
