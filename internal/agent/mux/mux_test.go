package mux

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pipes are the standard streams of a served side as an engine keeps them: they
// stay when a dialer goes, and what is said to nobody is lost.
type pipes struct {
	stdin io.Writer

	mu      sync.Mutex
	current *io.PipeWriter // guarded by mu; of who is attached
}

// serve runs the served side with a handler until the test ends.
func serve(t *testing.T, handle func(*Session) Handler) *pipes {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	p := &pipes{stdin: inW}
	var wg sync.WaitGroup
	wg.Go(func() { _ = Serve(inR, outW, handle) }) // ends with the pipes
	wg.Go(func() { p.pump(outR) })
	t.Cleanup(func() {
		inW.Close()
		outR.Close()
		wg.Wait()
	})
	return p
}

func (p *pipes) pump(out io.Reader) {
	b := make([]byte, 4096)
	for {
		n, err := out.Read(b)
		if err != nil {
			return
		}
		p.mu.Lock()
		w := p.current
		p.mu.Unlock()
		if w != nil {
			_, _ = w.Write(b[:n]) // fails for who has just gone
		}
	}
}

// dial attaches and returns a session, whose end the test awaits with detach.
func dial(t *testing.T, p *pipes, handle Handler) *attached {
	t.Helper()
	r, w := io.Pipe()
	p.mu.Lock()
	p.current = w
	p.mu.Unlock()
	s, run, err := Dial(r, p.stdin, handle)
	if err != nil {
		t.Fatal(err)
	}
	a := &attached{Session: s, r: r, ended: make(chan error, 1)}
	go func() {
		<-s.Done()
		r.Close() // as the owner of a connection must: the engine waits for its readers
	}()
	go func() { a.ended <- run() }()
	return a
}

type attached struct {
	*Session
	r     *io.PipeReader
	ended chan error
}

// detach ends the session on this side alone.
func (a *attached) detach() error {
	a.r.Close()
	return <-a.ended
}

// echo accepts every stream, replies with its request, and sends back what
// comes.
func echo(*Session) Handler {
	return func(st *Stream, request []byte) {
		if string(request) == "no" {
			_ = st.Refuse("refused no thank you") // the test sees what arrives
			return
		}
		if st.Accept(request) == nil {
			_, _ = io.Copy(st, st)
			_ = st.Close()
		}
	}
}

func open(t *testing.T, s *Session, request string) *Stream {
	t.Helper()
	st, reply, err := s.Open(t.Context(), []byte(request))
	if err != nil {
		t.Fatal(err)
	}
	if string(reply) != request {
		t.Fatalf("reply %q, want %q", reply, request)
	}
	return st
}

// roundTrip sends text over a stream and checks that it comes back.
func roundTrip(t *testing.T, st *Stream, text string) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(st, text)
		sent <- errors.Join(err, st.CloseWrite())
	}()
	got, err := io.ReadAll(st)
	if err := errors.Join(err, <-sent); err != nil {
		t.Fatal(err)
	}
	if string(got) != text {
		t.Fatalf("%d bytes came back of %d", len(got), len(text))
	}
}

func TestStreamsCarryBytesBothWays(t *testing.T) {
	a := dial(t, serve(t, echo), nil)
	defer a.detach()
	var wg sync.WaitGroup
	for _, size := range []int{0, 1, maxPayload, maxPayload + 1, 3 * window, 1 << 20} {
		wg.Go(func() { roundTrip(t, open(t, a.Session, "echo"), strings.Repeat("0123456789abcdef", size/16+1)[:size]) })
	}
	wg.Wait()
}

func TestRefusalCarriesItsReason(t *testing.T) {
	a := dial(t, serve(t, echo), nil)
	defer a.detach()
	_, _, err := a.Open(t.Context(), []byte("no"))
	var refusal Refusal
	if !errors.As(err, &refusal) || refusal != "refused no thank you" {
		t.Errorf("open returned %v", err)
	}
}

func TestServedSideOpensStreams(t *testing.T) {
	got := make(chan string, 1)
	p := serve(t, func(s *Session) Handler {
		return func(st *Stream, _ []byte) {
			_ = st.Accept(nil)
			back, _, err := s.Open(context.Background(), []byte("hello"))
			if err != nil {
				got <- err.Error()
				return
			}
			_, _ = io.WriteString(back, "from the replica") // compared below
			_ = back.Close()
		}
	})
	a := dial(t, p, func(st *Stream, request []byte) {
		_ = st.Accept(nil)
		b, err := io.ReadAll(st)
		_ = st.Close()
		got <- string(request) + " " + string(b)
		if err != nil {
			t.Error(err)
		}
	})
	defer a.detach()
	if _, _, err := a.Open(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "hello from the replica" {
		t.Errorf("got %q", s)
	}
}

func TestStalledStreamHoldsUpNoOther(t *testing.T) {
	a := dial(t, serve(t, echo), nil)
	defer a.detach()
	stalled := open(t, a.Session, "stalled")
	filled := make(chan struct{})
	go func() { // nobody reads what comes back
		defer close(filled)
		if err := stalled.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Error(err)
		}
		if _, err := stalled.Write(make([]byte, 4*window)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("writing without a reader: %v", err)
		}
	}()
	roundTrip(t, open(t, a.Session, "other"), strings.Repeat("x", 2*window))
	<-filled
}

func TestNewSessionEndsTheOldAnywhere(t *testing.T) {
	// Each case leaves the served side in the middle of something.
	for name, leftover := range map[string][]byte{
		"nothing":         nil,
		"half a header":   {byte(kindData), 0, 0},
		"half a payload":  append(appendFrame(nil, kindData, 0, 1, make([]byte, maxPayload))[:headerSize], 1, 2, 3),
		"half a hello":    append([]byte{byte(kindHello)}, magic[:5]...),
		"an unknown kind": {0xee, 1, 2},
		"too long":        {byte(kindOpen), 0, 0, 0, 0, 0, 1, 0xff, 0xff},
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, echo)
			first := dial(t, p, nil)
			st := open(t, first.Session, "first")
			if _, err := st.Write([]byte("lost")); err != nil {
				t.Fatal(err)
			}
			if err := first.detach(); !errors.Is(err, io.ErrClosedPipe) {
				t.Fatal(err)
			}
			if _, err := p.stdin.Write(leftover); err != nil {
				t.Fatal(err)
			}
			second := dial(t, p, nil)
			defer second.detach()
			roundTrip(t, open(t, second.Session, "second"), "found")
			if _, err := st.Read(make([]byte, 1)); !errors.Is(err, ErrClosed) && err != nil {
				t.Errorf("a stream of the old session: %v", err)
			}
		})
	}
}

// TestLateBytesOfTheOldSessionDoNoHarm plays an engine that delivers what a dead
// daemon had sent after the greeting of the next.
func TestLateBytesOfTheOldSessionDoNoHarm(t *testing.T) {
	for name, late := range map[string]func(tag uint16) []byte{
		"whole frames":   func(tag uint16) []byte { return appendFrame(nil, kindData, tag^1, 1, []byte("old words")) },
		"half a frame":   func(tag uint16) []byte { return appendFrame(nil, kindData, tag^1, 1, make([]byte, 100))[:50] },
		"bytes of data":  func(uint16) []byte { return []byte("GET / HTTP/1.1\r\n") },
		"an empty frame": func(tag uint16) []byte { return appendFrame(nil, kindReset, tag^1, 1, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, echo)
			first := dial(t, p, nil)
			st := open(t, first.Session, "first")
			if _, err := p.stdin.Write(late(first.tag)); err != nil {
				t.Fatal(err)
			}
			// What follows in this session may be lost, but never garbled, and
			// both sides learn that it is over.
			_, _ = st.Write(bytes.Repeat([]byte("new words"), window/9))
			got, err := io.ReadAll(st)
			if err == nil || !strings.HasPrefix(strings.Repeat("new words", window/9), string(got)) {
				t.Errorf("read %q, %v from a garbled session", got, err)
			}
			_ = first.detach()
			second := dial(t, p, nil)
			defer second.detach()
			roundTrip(t, open(t, second.Session, "second"), "found")
		})
	}
}

// TestLostHelloIsSentAgain plays an engine that delivers the bytes of a dead
// daemon between the padding and the hello of the next, which they swallow.
func TestLostHelloIsSentAgain(t *testing.T) {
	p := serve(t, echo)
	w := p.stdin
	var once atomic.Bool
	p.stdin = writerFunc(func(b []byte) (int, error) {
		if once.Swap(true) {
			return w.Write(b)
		}
		late := appendFrame(nil, kindData, 0, 1, make([]byte, 1000))[:headerSize]
		hello := len(b) - len(appendHello(nil, nonce{}))
		return len(b), errors.Join(writeAll(w, b[:hello]), writeAll(w, late), writeAll(w, b[hello:]))
	})
	a := dial(t, p, nil)
	defer a.detach()
	roundTrip(t, open(t, a.Session, "echo"), "found")
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func writeAll(w io.Writer, b []byte) error {
	_, err := w.Write(b)
	return err
}

func TestDialSkipsWhatOthersWereTold(t *testing.T) {
	r, w := io.Pipe()
	in, out := io.Pipe()
	go func() {
		defer w.Close()
		f := &frameReader{r: in}
		for {
			mine, err := f.hunt()
			if err != nil {
				return
			}
			// The end of a frame, an answer to another, and a false start.
			b := append([]byte("rest of a frame"), magic[:7]...)
			b = appendHello(b, nonce{1, 2, 3})
			b = appendFrame(b, kindData, 7, 3, []byte("for the other"))
			_, _ = w.Write(appendHello(b, mine)) // the dialer reports what it misses
		}
	}()
	_, run, err := Dial(r, out, nil)
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	if err := run(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestCloseTellsThePeer(t *testing.T) {
	served := make(chan *Stream, 1)
	p := serve(t, func(*Session) Handler {
		return func(st *Stream, _ []byte) {
			_ = st.Accept(nil)
			served <- st
		}
	})
	a := dial(t, p, nil)
	defer a.detach()
	closed, _, err := a.Open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	peer := <-served
	if _, err := closed.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(peer); string(got) != "last words" || err != nil {
		t.Errorf("peer read %q, %v", got, err)
	}
	eventually(t, "the peer may not write", func() bool {
		_, err := peer.Write([]byte("x"))
		return errors.Is(err, syscall.EPIPE)
	})
	if _, err := closed.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
}

func TestAbortIsAReset(t *testing.T) {
	served := make(chan *Stream, 1)
	p := serve(t, func(*Session) Handler {
		return func(st *Stream, _ []byte) {
			_ = st.Accept(nil)
			served <- st
		}
	})
	a := dial(t, p, nil)
	defer a.detach()
	st, _, err := a.Open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	st.Abort()
	if _, err := (<-served).Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v, want connection reset", err)
	}
}

// eventually waits for what the peer brings about.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !cond(); {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain until " + what)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestFailedWriteEndsTheSession(t *testing.T) {
	p := serve(t, echo)
	w := &breakable{w: p.stdin}
	p.stdin = w
	a := dial(t, p, nil)
	defer a.detach()
	st := open(t, a.Session, "echo")
	w.broken.Store(true)
	if _, err := st.Write([]byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("write: %v", err)
	}
	select {
	case <-a.Done(): // at once, not when the reader notices
	default:
		t.Error("the session lives on")
	}
}

// breakable fails to write once it is broken.
type breakable struct {
	w      io.Writer
	broken atomic.Bool
}

func (b *breakable) Write(p []byte) (int, error) {
	if b.broken.Load() {
		return 0, io.ErrClosedPipe
	}
	return b.w.Write(p)
}

func TestOpenEndsWithItsContext(t *testing.T) {
	p := serve(t, func(s *Session) Handler {
		return func(*Stream, []byte) { <-s.Done() } // never answers
	})
	a := dial(t, p, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := a.Open(ctx, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_ = a.detach()
	if _, _, err := a.Open(t.Context(), []byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("open in an ended session: %v", err)
	}
}

func TestDeadlinesPassAndMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d deadline
		start := time.Now()
		d.set(start.Add(time.Second))
		d.set(start.Add(time.Minute)) // moved before it passed
		<-d.passed()
		if got := time.Since(start); got != time.Minute {
			t.Errorf("passed after %v", got)
		}
		d.set(time.Time{}) // taken back after it passed
		select {
		case <-d.passed():
			t.Error("no deadline has passed")
		case <-time.After(time.Hour):
		}
		d.set(time.Now()) // at once
		<-d.passed()
	})
}

func TestFramesComeBack(t *testing.T) {
	var b []byte
	b = append(b, 0, 0, 0)
	b = appendFrame(b, kindOpen, 5, 7, []byte("request"))
	b = appendHello(b, nonce{9})
	b = appendFrame(b, kindFin, 0, 1<<31, nil)
	f := &frameReader{r: bytes.NewReader(b)}
	var got []frame
	for {
		fr, err := f.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		fr.payload = bytes.Clone(fr.payload)
		got = append(got, fr)
	}
	want := []frame{
		{kind: kindOpen, session: 5, stream: 7, payload: []byte("request")},
		{kind: kindHello, nonce: nonce{9}},
		{kind: kindFin, stream: 1 << 31, payload: []byte{}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(frame{})); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
}

// FuzzServe feeds the served side anything: it must not panic, and still greet
// the next daemon.
func FuzzServe(f *testing.F) {
	f.Add(appendFrame(appendHello(nil, nonce{}), kindOpen, 0, 1, []byte("echo")))
	f.Add(appendFrame(appendHello(nil, nonce{}), kindData, 0, 1, []byte("for nobody")))
	f.Add([]byte{byte(kindHello), 1, 2})
	f.Fuzz(func(t *testing.T, junk []byte) {
		mine := nonce{0xaa, 0xbb}
		in := append(bytes.Clone(junk), make([]byte, maxPayload+headerSize)...)
		in = appendHello(in, mine)
		var out lockedBuffer
		if err := Serve(bytes.NewReader(in), &out, echo); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		if !bytes.Contains(out.b.Bytes(), appendHello(nil, mine)) {
			t.Error("the new daemon was not greeted")
		}
	})
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func BenchmarkThroughput(b *testing.B) {
	daemon, replica := net.Pipe()
	go Serve(replica, replica, func(*Session) Handler {
		return func(st *Stream, _ []byte) {
			_ = st.Accept(nil)
			_, _ = io.Copy(io.Discard, st)
		}
	})
	s, run, err := Dial(daemon, daemon, nil)
	if err != nil {
		b.Fatal(err)
	}
	go run()
	defer daemon.Close()
	st, _, err := s.Open(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	chunk := make([]byte, 64<<10)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if _, err := st.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
}
