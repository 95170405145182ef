package mux

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how many bytes of one direction of a stream may be in flight.
// 256 KiB keep a local pipe full.
const window = 256 << 10

// Stream is one conversation in a session. It is a net.Conn whose directions
// can be closed separately.
type Stream struct {
	session *Session
	id      uint32
	answer  chan answer // buffered; the peer's answer to our open

	mu       sync.Mutex
	changed  chan struct{} // guarded by mu; closed and replaced on each change
	in       []byte        // guarded by mu; received and not yet read
	consumed int           // guarded by mu; read and not yet granted again
	credit   int           // guarded by mu; bytes we may send
	finIn    bool          // guarded by mu; the peer sends no more
	finOut   bool          // guarded by mu; we send no more
	stopped  bool          // guarded by mu; the peer reads no more
	reset    bool          // guarded by mu
	closed   bool          // guarded by mu; by us

	readBy, writeBy deadline
	local, remote   net.Addr
}

type answer struct {
	refused bool
	payload []byte
}

var _ net.Conn = (*Stream)(nil)

func newStream(s *Session, id uint32) *Stream {
	return &Stream{
		session: s,
		id:      id,
		answer:  make(chan answer, 1),
		changed: make(chan struct{}),
		credit:  window,
		local:   addr{}, remote: addr{},
	}
}

// Accept accepts a stream the peer has opened, with a reply of a few bytes.
func (st *Stream) Accept(reply []byte) error {
	return st.session.send(kindAccept, st.id, reply)
}

// Refuse refuses a stream the peer has opened. The stream is of no use after.
func (st *Stream) Refuse(reason string) error {
	defer st.forget()
	if len(reason) > maxPayload {
		reason = reason[:maxPayload]
	}
	return st.session.send(kindRefuse, st.id, []byte(reason))
}

// Lost is closed when the session of the stream has ended.
func (st *Stream) Lost() <-chan struct{} { return st.session.done }

// SetAddrs sets what LocalAddr and RemoteAddr return. Call it before the
// stream is shared.
func (st *Stream) SetAddrs(local, remote net.Addr) { st.local, st.remote = local, remote }

// LocalAddr returns the address set with SetAddrs.
func (st *Stream) LocalAddr() net.Addr { return st.local }

// RemoteAddr returns the address set with SetAddrs.
func (st *Stream) RemoteAddr() net.Addr { return st.remote }

// addr is the address of a stream nobody gave one.
type addr struct{}

func (addr) Network() string { return "mux" }
func (addr) String() string  { return "mux" }

// receive applies a frame of this stream.
func (st *Stream) receive(f frame) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch f.kind {
	case kindAccept, kindRefuse:
		return st.answeredLocked(f)
	case kindData:
		if len(st.in)+st.consumed+len(f.payload) > window {
			return fmt.Errorf("%w: stream %d exceeds its window", errGarbled, st.id)
		}
		st.in = append(st.in, f.payload...)
	case kindWindow:
		if len(f.payload) != 4 {
			return fmt.Errorf("%w: window of %d bytes", errGarbled, len(f.payload))
		}
		st.credit += int(binary.BigEndian.Uint32(f.payload))
	case kindFin:
		st.finIn = true
	case kindStop:
		st.stopped = true
	case kindReset:
		st.reset = true
	}
	st.notifyLocked()
	return nil
}

func (st *Stream) answeredLocked(f frame) error {
	select {
	case st.answer <- answer{f.kind == kindRefuse, append([]byte(nil), f.payload...)}:
		return nil
	default:
		return fmt.Errorf("%w: stream %d answered twice", errGarbled, st.id)
	}
}

func (st *Stream) notifyLocked() {
	close(st.changed)
	st.changed = make(chan struct{})
}

// Read reads what the peer has sent. It returns io.EOF after the peer's last
// byte and an error of kind syscall.ECONNRESET when the stream was broken.
func (st *Stream) Read(p []byte) (int, error) {
	for {
		n, changed, err := st.tryRead(p)
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		if err := st.wait(changed, &st.readBy); err != nil {
			return 0, err
		}
	}
}

func (st *Stream) tryRead(p []byte) (int, <-chan struct{}, error) {
	st.mu.Lock()
	changed := st.changed
	switch {
	case st.closed:
		st.mu.Unlock()
		return 0, nil, net.ErrClosed
	case len(st.in) == 0:
		err := st.endLocked()
		st.mu.Unlock()
		return 0, changed, err
	}
	n := copy(p, st.in)
	st.in = st.in[n:]
	if len(st.in) == 0 {
		st.in = nil
	}
	grant := st.grantLocked(n)
	st.mu.Unlock()
	if grant > 0 {
		// A failure ends the session, which the next Read will tell.
		_ = st.session.send(kindWindow, st.id, binary.BigEndian.AppendUint32(nil, uint32(grant)))
	}
	return n, nil, nil
}

// endLocked says why there is nothing more to read, nil when there may be.
func (st *Stream) endLocked() error {
	switch {
	case st.finIn:
		return io.EOF
	case st.reset:
		return &net.OpError{Op: "read", Net: "mux", Err: syscall.ECONNRESET}
	}
	return nil
}

// grantLocked counts n consumed bytes and returns how many to grant the peer:
// none until a quarter of the window is worth a frame.
func (st *Stream) grantLocked(n int) int {
	st.consumed += n
	if st.consumed < window/4 || st.finIn {
		return 0
	}
	grant := st.consumed
	st.consumed = 0
	return grant
}

// Write sends p. It waits while the peer's window is full.
func (st *Stream) Write(p []byte) (int, error) {
	sent := 0
	for sent < len(p) {
		n, changed, err := st.takeCredit(len(p) - sent)
		if err != nil {
			return sent, err
		}
		if n == 0 {
			if err := st.wait(changed, &st.writeBy); err != nil {
				return sent, err
			}
			continue
		}
		if err := st.session.send(kindData, st.id, p[sent:sent+n]); err != nil {
			return sent, err
		}
		sent += n
	}
	return sent, nil
}

// takeCredit takes up to want bytes of credit for one frame.
func (st *Stream) takeCredit(want int) (int, <-chan struct{}, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case st.closed:
		return 0, nil, net.ErrClosed
	case st.reset:
		return 0, nil, &net.OpError{Op: "write", Net: "mux", Err: syscall.ECONNRESET}
	case st.stopped, st.finOut:
		return 0, nil, &net.OpError{Op: "write", Net: "mux", Err: syscall.EPIPE}
	}
	n := min(want, st.credit, maxPayload)
	st.credit -= n
	return n, st.changed, nil
}

// wait waits for a change of the stream, the end of the session or a deadline.
func (st *Stream) wait(changed <-chan struct{}, by *deadline) error {
	select {
	case <-changed:
		return nil
	case <-st.session.done:
		return st.session.closedErr()
	case <-by.passed():
		return os.ErrDeadlineExceeded
	}
}

// CloseWrite tells the peer that no more data will follow.
func (st *Stream) CloseWrite() error {
	st.mu.Lock()
	if st.finOut || st.closed || st.reset {
		st.mu.Unlock()
		return nil
	}
	st.finOut = true
	st.mu.Unlock()
	return st.session.send(kindFin, st.id, nil)
}

// Close ends the stream: the peer still receives what was written, and learns
// that nothing more will be read.
func (st *Stream) Close() error {
	_ = st.CloseWrite() // the stop below tells of a broken session just as well
	if !st.closeLocally() {
		return nil
	}
	return st.session.send(kindStop, st.id, nil)
}

// Abort ends the stream as a TCP reset would.
func (st *Stream) Abort() { st.abort() }

func (st *Stream) abort() {
	if st.closeLocally() {
		// When the session is broken the peer has nothing left to reset.
		_ = st.session.send(kindReset, st.id, nil)
	}
}

// closeLocally wakes readers and writers and frees the stream. It returns
// false when there is nothing left to tell the peer.
func (st *Stream) closeLocally() bool {
	st.mu.Lock()
	first := !st.closed
	tell := first && !st.reset
	st.closed = true
	st.in = nil
	if first {
		st.notifyLocked()
	}
	st.mu.Unlock()
	st.forget()
	return tell
}

// forget takes the stream out of its session.
func (st *Stream) forget() {
	st.session.mu.Lock()
	defer st.session.mu.Unlock()
	delete(st.session.streams, st.id) // deleting from a nil map is fine
}

// SetDeadline sets the read and the write deadline.
func (st *Stream) SetDeadline(t time.Time) error {
	st.readBy.set(t)
	st.writeBy.set(t)
	return nil
}

// SetReadDeadline sets the time by which Read returns
// os.ErrDeadlineExceeded; zero means never. It also ends a Read under way.
func (st *Stream) SetReadDeadline(t time.Time) error { st.readBy.set(t); return nil }

// SetWriteDeadline does for Write what SetReadDeadline does for Read.
func (st *Stream) SetWriteDeadline(t time.Time) error { st.writeBy.set(t); return nil }
