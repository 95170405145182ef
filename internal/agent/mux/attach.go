package mux

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// readBuffer lets small frames share a read.
const readBuffer = 64 << 10

// errTaken says that the peer serves someone else, or nobody.
var errTaken = errors.New("the session was ended by the other side")

// Dial starts a session over a pair of pipes to a peer in Serve, ending the
// session the peer had before. handle gets the streams the peer opens. The
// session lives until run, which the caller must call, returns; reading from r
// must fail once the caller closes the pipes.
//
// run reads until r fails or the peer ends the session, closes all streams and
// waits for the handlers.
func Dial(r io.Reader, w io.Writer, handle Handler) (s *Session, run func() error, err error) {
	g := &greeting{out: &output{w: w}}
	frames := &frameReader{r: bufio.NewReaderSize(r, readBuffer)}
	n, err := g.exchange(frames)
	if err != nil {
		return nil, nil, err
	}
	s = newSession(g.out, n, 1, handle)
	g.out.use(s)
	return s, func() error { return s.run(frames) }, nil
}

// greeting is the start of a session on the side that dials: a hello behind
// padding, and when that is answered a bare one. The answer to the bare one
// proves that nothing of a daemon before us is left on the way.
type greeting struct {
	out  *output
	mu   sync.Mutex
	now  nonce // guarded by mu; of the last hello sent
	bare bool  // guarded by mu; it had no padding
	done bool  // guarded by mu; it had none and was answered
}

// greetAgain is when a hello without answer is followed by another, behind
// padding again. It may have been swallowed by a frame of a daemon before us,
// whose last bytes can come after it: an engine delivers them although that
// daemon has gone.
const greetAgain = 250 * time.Millisecond

// exchange greets until a bare hello is answered, and returns its nonce. It
// reads while it writes: the other side may have to say its last words of the
// session before, and cannot hear us until they are read.
func (g *greeting) exchange(frames *frameReader) (nonce, error) {
	bare, answered := make(chan struct{}, 1), make(chan struct{})
	var speaking sync.WaitGroup
	speaking.Go(func() { g.speak(bare, answered) })
	defer speaking.Wait()
	defer close(answered)
	for {
		theirs, err := frames.hunt()
		if err != nil {
			return nonce{}, fmt.Errorf("await greeting: %w", err)
		}
		switch g.hear(theirs) {
		case answeredBare:
			return theirs, nil
		case answeredPadded:
			select {
			case bare <- struct{}{}:
			default: // is about to be sent
			}
		}
	}
}

// heard is what an answer means.
type heard int

const (
	notOurs heard = iota
	answeredPadded
	answeredBare // the greeting is over
)

// hear judges an answer.
func (g *greeting) hear(n nonce) heard {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case n != g.now:
		return notOurs
	case !g.bare:
		return answeredPadded
	}
	g.done = true
	return answeredBare
}

// speak sends hellos until the greeting is over: a bare one when it is told to,
// else padded ones. A failure to write shows where the answer is read, too.
func (g *greeting) speak(bare, answered <-chan struct{}) {
	padding := make([]byte, maxPayload+headerSize)
	tick := time.NewTicker(greetAgain)
	defer tick.Stop()
	for err := g.send(padding); err == nil; {
		select {
		case <-bare:
			err = g.send(nil)
		case <-tick.C:
			err = g.send(padding)
		case <-answered:
			return
		}
	}
}

// send sends a hello with a new nonce behind padding, unless the greeting is
// over.
func (g *greeting) send(padding []byte) error {
	var n nonce
	if _, err := rand.Read(n[:]); err != nil {
		return err
	}
	g.mu.Lock()
	over := g.done
	if !over {
		g.now, g.bare = n, len(padding) == 0
	}
	g.mu.Unlock()
	if over {
		return nil
	}
	return g.out.begin(nil, appendHello(bytes.Clone(padding), n))
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
			return errTaken
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
		s := newSession(out, hello, 2, nil)
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
		// Whoever believes to be in a session must learn that it is over.
		if err := s.out.begin(nil, appendHello(nil, nonce{})); err != nil {
			return nonce{}, err
		}
		return frames.hunt()
	}
}
