package mux

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"sync"
)

// readBuffer lets small frames share a read.
const readBuffer = 64 << 10

// Dial starts a session over a pair of pipes to a peer in Serve, ending the
// session the peer had before. handle gets the streams the peer opens. The
// session lives until run, which the caller must call, returns; reading from r
// must fail once the caller closes the pipes.
//
// run reads until r fails or the peer has begun a session with someone else,
// closes all streams and waits for the handlers.
func Dial(r io.Reader, w io.Writer, handle Handler) (s *Session, run func() error, err error) {
	var mine nonce
	if _, err := rand.Read(mine[:]); err != nil {
		return nil, nil, err
	}
	out := &output{w: w}
	s = newSession(out, 1, handle)
	if err := out.begin(s, appendHello(make([]byte, maxPayload+headerSize), mine)); err != nil {
		return nil, nil, fmt.Errorf("greet: %w", err)
	}
	frames := &frameReader{r: bufio.NewReaderSize(r, readBuffer)}
	for {
		theirs, err := frames.hunt()
		if err != nil {
			return nil, nil, fmt.Errorf("await greeting: %w", err)
		}
		if theirs == mine {
			return s, func() error { return s.run(frames) }, nil
		}
	}
}

// run applies frames until the session ends.
func (s *Session) run(frames *frameReader) error {
	err := s.read(frames)
	s.close(err)
	s.wg.Wait()
	return err
}

func (s *Session) read(frames *frameReader) error {
	for {
		f, err := frames.next()
		if err != nil {
			return err
		}
		if f.kind == kindHello {
			return fmt.Errorf("another daemon has attached")
		}
		if err := s.receive(f); err != nil {
			return err
		}
	}
}

// Serve answers sessions over a pair of pipes, one after the other, until r
// fails. begin is called for each new session, before its first frame is
// applied, and returns the handler of the streams the peer opens in it.
func Serve(r io.Reader, w io.Writer, begin func(*Session) Handler) error {
	var handlers sync.WaitGroup
	defer handlers.Wait()
	out := &output{w: w}
	frames := &frameReader{r: bufio.NewReaderSize(r, readBuffer)}
	hello, err := frames.hunt()
	for err == nil {
		s := newSession(out, 2, nil)
		s.wg = &handlers // those of an ended session need not end before the next begins
		s.handle = begin(s)
		if err = out.begin(s, appendHello(nil, hello)); err == nil {
			hello, err = s.serve(frames)
		}
		s.close(err)
	}
	return err
}

// serve applies frames until the next hello, and returns its nonce.
func (s *Session) serve(frames *frameReader) (nonce, error) {
	for {
		f, err := frames.next()
		if err == nil && f.kind == kindHello {
			return f.nonce, nil
		}
		if err == nil {
			err = s.receive(f)
		}
		if err == nil {
			continue
		}
		if !isGarbled(err) {
			return nonce{}, err
		}
		s.close(err)
		return frames.hunt()
	}
}
