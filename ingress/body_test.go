package ingress

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func newReplayBody(src io.Reader) *replayBody {
	return &replayBody{src: src, moved: func() {}, ended: func() {}}
}

func TestAnAttemptReadsFromTheStart(t *testing.T) {
	b := newReplayBody(strings.NewReader("hello, world"))
	first := b.attempt()
	part := make([]byte, 5)
	if _, err := io.ReadFull(first, part); err != nil {
		t.Fatal(err)
	}
	second := b.attempt()
	if _, err := first.Read(part); !errors.Is(err, errBodyClosed) {
		t.Errorf("the earlier attempt goes on reading: %v", err)
	}
	got, err := io.ReadAll(second)
	if err != nil || string(got) != "hello, world" || !b.complete() || b.size() != 12 {
		t.Errorf("got %q, %v; complete %v, size %d", got, err, b.complete(), b.size())
	}
}

func TestAForgottenBodyIsNotSentShort(t *testing.T) {
	b := newReplayBody(bytes.NewReader(make([]byte, replayLimit+1)))
	if n, err := io.Copy(io.Discard, b.attempt()); err != nil || n != replayLimit+1 {
		t.Fatalf("first attempt: %d bytes, %v", n, err)
	}
	if b.replayable() {
		t.Error("replayable past the limit")
	}
	if n, err := io.Copy(io.Discard, b.attempt()); !errors.Is(err, errForgotten) {
		t.Errorf("second attempt: %d bytes, %v", n, err)
	}
}

func TestPrefetchStopsBeforeAnythingIsForgotten(t *testing.T) {
	b := newReplayBody(bytes.NewReader(make([]byte, 2*replayLimit)))
	b.prefetch()
	if !b.replayable() || b.size() == 0 || b.size() > replayLimit {
		t.Errorf("prefetched %d bytes, replayable %v", b.size(), b.replayable())
	}
	if n, err := io.Copy(io.Discard, b.attempt()); err != nil || n != 2*replayLimit {
		t.Errorf("then read %d bytes, %v", n, err)
	}
}

// blocking is a client that sends nothing until it is interrupted.
type blocking chan struct{}

func (b blocking) Read([]byte) (int, error) {
	<-b
	return 0, errors.New("interrupted")
}

func TestCloseInterruptsAReader(t *testing.T) {
	src := make(blocking)
	b := newReplayBody(src)
	ended := make(chan error, 1)
	a := b.attempt()
	go func() { _, err := a.Read(make([]byte, 1)); ended <- err }()
	b.close(func() { close(src) })
	if err := <-ended; err == nil {
		t.Error("the read succeeded")
	}
}
