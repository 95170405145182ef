package ingress

import (
	"errors"
	"io"
	"strconv"
	"sync"
	"time"
)

// h1Sender writes the body of a request while the answer is awaited: an app
// may answer before it has read everything.
type h1Sender struct {
	t    *h1Talk
	done chan struct{}

	goAhead     chan struct{} // closed when the body may be sent
	goAheadOnce sync.Once

	err    error // valid after done: why the body was not sent whole
	client bool  // valid after done: err is the client's
}

// senderGrace is how long the end of an answer waits for a sender that has
// everything from the client: it has written its last byte, or is about to.
const senderGrace = 10 * time.Millisecond

func newH1Sender(t *h1Talk, expects bool) *h1Sender {
	s := &h1Sender{t: t, done: make(chan struct{}), goAhead: make(chan struct{})}
	if !expects {
		s.proceed()
	}
	return s
}

// proceed lets the body go.
func (s *h1Sender) proceed() { s.goAheadOnce.Do(func() { close(s.goAhead) }) }

// run sends the body. When the client fails it closes the connection, after
// having said so, and whoever waits for the answer learns why.
func (s *h1Sender) run() {
	s.err = errBodyClosed
	if s.await() {
		s.err = s.send()
	}
	close(s.done)
	if s.client {
		_ = s.t.c.Close()
	}
}

// await waits for "100 Continue", or long enough.
func (s *h1Sender) await() bool {
	timer := time.NewTimer(expectTimeout)
	defer timer.Stop()
	select {
	case <-s.goAhead:
	case <-timer.C:
	case <-s.t.x.ctx.Done():
		return false
	}
	return true
}

func (s *h1Sender) send() error {
	body := s.t.x.body.attempt()
	buf := getBuffer()
	defer putBuffer(buf)
	if s.t.x.r.ContentLength >= 0 {
		return s.sendPlain(body, *buf)
	}
	return s.sendChunked(body, *buf)
}

func (s *h1Sender) sendPlain(body io.Reader, buf []byte) error {
	for {
		n, err := body.Read(buf)
		if _, werr := s.t.c.Write(buf[:n]); n > 0 && werr != nil {
			return werr
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			s.client = true
			return err
		}
	}
}

// chunkRoom is what a size line of a chunk takes at most: "8000\r\n".
const chunkRoom = 6

// sendChunked leaves room before the data, so that size, data and CR LF are
// one write.
func (s *h1Sender) sendChunked(body io.Reader, buf []byte) error {
	for {
		n, err := body.Read(buf[chunkRoom : len(buf)-2])
		if n > 0 {
			if _, werr := s.t.c.Write(frameChunk(buf, n)); werr != nil {
				return werr
			}
		}
		if err == io.EOF {
			_, werr := s.t.c.Write(s.lastChunk(buf[:0]))
			return werr
		}
		if err != nil {
			s.client = true
			return err
		}
	}
}

// frameChunk puts the size before n bytes of data at chunkRoom and CR LF
// behind, and returns the whole.
func frameChunk(buf []byte, n int) []byte {
	var size [chunkRoom]byte
	line := append(strconv.AppendInt(size[:0], int64(n), 16), "\r\n"...)
	start := chunkRoom - len(line)
	copy(buf[start:], line)
	copy(buf[chunkRoom+n:], "\r\n")
	return buf[start : chunkRoom+n+2]
}

func (s *h1Sender) lastChunk(b []byte) []byte {
	b = append(b, "0\r\n"...)
	for name, values := range s.t.x.r.Trailer {
		if notInTrailers[name] || dropsRequest(name) {
			continue
		}
		for _, v := range values {
			b = appendField(b, name, v)
		}
	}
	return append(b, "\r\n"...)
}

// finished reports whether the whole body is out.
func (s *h1Sender) finished() bool {
	if !s.t.x.body.complete() {
		return false
	}
	timer := time.NewTimer(senderGrace)
	defer timer.Stop()
	select {
	case <-s.done:
		return s.err == nil
	case <-timer.C:
		return false
	}
}

// errClient says that the client's own request broke.
var errClient = errors.New("the client did not send the whole request")

// clientError returns errClient when sending failed because of the client.
func (s *h1Sender) clientError() error {
	select {
	case <-s.done:
		if s.client {
			return errClient
		}
	default:
	}
	return nil
}
