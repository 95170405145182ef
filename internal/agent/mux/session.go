package mux

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrClosed says that the session a stream belonged to has ended.
var ErrClosed = errors.New("session closed")

// Refusal is the peer's reason not to accept a stream, in the peer's words.
type Refusal string

// Error returns the reason.
func (r Refusal) Error() string { return string(r) }

// Handler decides over a stream the peer opens: it must call Accept or Refuse
// on it once. It runs in a goroutine of its own. The request is the handler's
// to keep.
type Handler func(s *Stream, request []byte)

// Session is one conversation between the two sides. All methods may be
// called concurrently.
type Session struct {
	out    *output
	tag    uint16
	handle Handler
	wg     *sync.WaitGroup // handlers running

	mu      sync.Mutex
	streams map[uint32]*Stream // guarded by mu; nil once closed
	nextID  uint32             // guarded by mu
	err     error              // guarded by mu; why the session closed
	done    chan struct{}
}

func newSession(out *output, n nonce, firstID uint32, handle Handler) *Session {
	return &Session{
		out:     out,
		tag:     n.tag(),
		handle:  handle,
		wg:      new(sync.WaitGroup),
		streams: map[uint32]*Stream{},
		nextID:  firstID,
		done:    make(chan struct{}),
	}
}

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns why the session ended, nil while it lives.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Open opens a stream and waits until the peer has accepted it, and returns
// the peer's reply with it. A refusal is returned as a Refusal.
func (s *Session) Open(ctx context.Context, request []byte) (*Stream, []byte, error) {
	if len(request) > maxPayload {
		return nil, nil, fmt.Errorf("request of %d bytes is longer than %d", len(request), maxPayload)
	}
	st, err := s.register()
	if err != nil {
		return nil, nil, err
	}
	if err := s.send(kindOpen, st.id, request); err != nil {
		st.forget()
		return nil, nil, err
	}
	select {
	case a := <-st.answer:
		if a.refused {
			st.forget()
			return nil, nil, Refusal(a.payload)
		}
		return st, a.payload, nil
	case <-s.done:
		return nil, nil, s.closedErr()
	case <-ctx.Done():
		st.abort()
		return nil, nil, ctx.Err()
	}
}

func (s *Session) register() (*Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams == nil {
		return nil, s.err
	}
	st := newStream(s, s.nextID)
	s.streams[st.id] = st
	s.nextID += 2
	return st, nil
}

// closedErr wraps the reason of the end in ErrClosed.
func (s *Session) closedErr() error {
	if err := s.Err(); err != nil {
		return err
	}
	return ErrClosed
}

// close ends the session and all its streams, and waits for nothing.
func (s *Session) close(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams == nil {
		return
	}
	s.err = ErrClosed
	if cause != nil && !errors.Is(cause, io.EOF) && !errors.Is(cause, ErrClosed) {
		s.err = fmt.Errorf("%w: %w", ErrClosed, cause)
	}
	s.streams = nil
	close(s.done)
}

func (s *Session) stream(id uint32) *Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[id]
}

// send writes a frame. A session that cannot write has ended, even when its
// reader has not noticed yet: whoever sees the failure must find it so.
func (s *Session) send(k kind, id uint32, payload []byte) error {
	if err := s.out.write(s, k, id, payload); err != nil {
		s.close(err)
		return s.closedErr()
	}
	return nil
}

// receive applies one frame from the peer. It never writes and never waits,
// so reading can always go on.
func (s *Session) receive(f frame) error {
	if f.session != s.tag {
		return fmt.Errorf("%w: of another session", errGarbled)
	}
	if f.kind == kindOpen {
		return s.opened(f.stream, append([]byte(nil), f.payload...))
	}
	st := s.stream(f.stream)
	if st == nil { // closed here while the frame was on its way
		return nil
	}
	return st.receive(f)
}

func (s *Session) opened(id uint32, request []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams == nil {
		return nil
	}
	if id%2 == s.nextID%2 || s.streams[id] != nil {
		return fmt.Errorf("%w: stream %d opened twice", errGarbled, id)
	}
	st := newStream(s, id)
	s.streams[id] = st
	s.wg.Go(func() { s.handle(st, request) })
	return nil
}

// output serializes the frames of one side. The session that writes must be
// the current one: what an older session still wants to say is dropped.
type output struct {
	mu      sync.Mutex
	w       io.Writer // guarded by mu
	buf     []byte    // guarded by mu
	current *Session  // guarded by mu
}

func (o *output) write(s *Session, k kind, id uint32, payload []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	// Not even a last word once it has ended: a stream that is closed because
	// its session broke must not look like one that came to its end.
	if o.current != s || isClosed(s.done) {
		return ErrClosed
	}
	o.buf = appendFrame(o.buf[:0], k, s.tag, id, payload)
	_, err := o.w.Write(o.buf)
	return err
}

// use makes s the current session.
func (o *output) use(s *Session) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.current = s
}

// begin makes s the current session, nil for none, and writes b before all of
// its frames.
func (o *output) begin(s *Session, b []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.current = s
	_, err := o.w.Write(b)
	return err
}
