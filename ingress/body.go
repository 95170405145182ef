package ingress

import (
	"errors"
	"io"
	"sync"
)

// replayLimit is how much of a request body is kept so that the request can be
// sent again: Envoy's default. Beyond it a retry is impossible, and Azure
// answers 507 (microsoft/azure-container-apps issue 519).
const replayLimit = 1 << 20

var (
	errBodyClosed = errors.New("the request has ended")
	// errForgotten: an earlier attempt, still reading, went over the limit just
	// when the next one began.
	errForgotten = errors.New("the body is over the limit and was not kept")
)

// replayBody is a request body that can be read several times: what the client
// sent is kept until the answer begins or the limit is passed. Attempts may
// overlap, because a failed one may still be reading when the next one starts;
// what it reads then is kept for the next.
type replayBody struct {
	src   io.Reader
	moved func() // called after each successful read from the client
	ended func() // called once the client has sent everything

	reading sync.Mutex // held across src.Read, and only there

	mu       sync.Mutex
	current  *attemptBody // guarded by mu; nil before the first attempt
	kept     []byte       // guarded by mu
	dropped  bool         // guarded by mu; kept is not everything any more
	settled  bool         // guarded by mu; no further attempt will come
	closed   bool         // guarded by mu
	err      error        // guarded by mu; how src ended
	received int64        // guarded by mu
	capture  *prefix      // guarded by mu; nil unless requests are captured
}

// attempt returns the body for the next attempt. Earlier ones, and prefetch,
// read nothing more from the client.
func (b *replayBody) attempt() *attemptBody {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = &attemptBody{body: b}
	return b.current
}

// replayable reports whether everything received is still there to be sent
// again.
func (b *replayBody) replayable() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.dropped
}

// settle says that the answer has begun: nothing will be sent again.
func (b *replayBody) settle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settled = true
}

// complete reports whether the client has sent everything.
func (b *replayBody) complete() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err == io.EOF
}

// failure returns how reading from the client ended, nil if it has not.
func (b *replayBody) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

func (b *replayBody) size() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.received
}

// close ends all reading. interrupt must make a blocked read from the client
// return; it is called only when the client has not sent everything.
func (b *replayBody) close(interrupt func()) {
	b.mu.Lock()
	b.closed = true
	incomplete := b.err == nil
	b.mu.Unlock()
	if incomplete {
		interrupt()
	}
	b.reading.Lock() // whoever was reading is out
	defer b.reading.Unlock()
}

// read reads what follows off, from what was kept or from the client.
func (b *replayBody) read(a *attemptBody, p []byte, off int64) (int, error) {
	if n, err, ok := b.readKept(a, p, off); ok {
		return n, err
	}
	b.reading.Lock()
	defer b.reading.Unlock()
	// Another attempt may have read it while this one waited.
	if n, err, ok := b.readKept(a, p, off); ok {
		return n, err
	}
	n, err := b.src.Read(p)
	b.keep(p[:n], err)
	if n > 0 {
		b.moved()
	}
	if err == io.EOF {
		b.ended()
	}
	return n, err
}

// readKept serves what has been received already, or says that the client has
// to be asked.
func (b *replayBody) readKept(a *attemptBody, p []byte, off int64) (n int, err error, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed || a != b.current:
		return 0, errBodyClosed, true
	case off < b.received && off < int64(len(b.kept)):
		return copy(p, b.kept[off:]), nil, true
	case off < b.received:
		return 0, errForgotten, true
	case b.err != nil:
		return 0, b.err, true
	}
	return 0, nil, false
}

func (b *replayBody) keep(p []byte, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
	b.received += int64(len(p))
	if b.capture != nil {
		b.capture.add(p)
	}
	switch {
	case b.dropped || len(p) == 0:
	case b.settled || len(b.kept)+len(p) > replayLimit:
		b.kept, b.dropped = nil, true
	default:
		b.kept = append(b.kept, p...)
	}
}

// prefetch reads ahead while the request waits, as far as it can be kept.
// Reading to the end also lets net/http notice that a client has gone.
func (b *replayBody) prefetch() {
	buf := make([]byte, 8<<10)
	for b.size() <= replayLimit-int64(len(buf)) {
		if _, err := b.read(nil, buf, b.size()); err != nil {
			return
		}
	}
}

// attemptBody is the body as one attempt reads it.
type attemptBody struct {
	body *replayBody
	off  int64
}

func (a *attemptBody) Read(p []byte) (int, error) {
	n, err := a.body.read(a, p, a.off)
	a.off += int64(n)
	return n, err
}

// Close leaves the client's body open: another attempt may need it, and the
// server closes it in the end.
func (a *attemptBody) Close() error { return nil }
