package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/acalocal/acalocal/emulator"
)

// maxLine bounds one line of a stream: a snapshot of hundreds of apps.
const maxLine = 64 << 20

// Watch yields the present Snapshot and every later one, until ctx is done or
// the daemon ends; the latter ends the sequence without an error.
func (c *Client) Watch(ctx context.Context) iter.Seq2[*emulator.Snapshot, error] {
	return untilDeath(stream[*emulator.Snapshot](ctx, c, "watch", nil, func() {}))
}

// Gone returns when the daemon has ended, or with the error of ctx.
func (c *Client) Gone(ctx context.Context) error {
	for range c.Watch(ctx) {
		// The stream lasts as long as the daemon does; its end is what counts.
	}
	return c.refused(ctx)
}

// refused waits for the moment between the end of the last stream and the
// closing of the socket, which nothing announces.
func (c *Client) refused(ctx context.Context) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		conn, err := c.dial(ctx)
		if errors.Is(err, ErrNotRunning) {
			return nil
		}
		if err == nil {
			conn.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// stream yields the values of an answer that has one on each line. opened is
// called when the answer has begun.
func stream[T any](ctx context.Context, c *Client, name string, q url.Values, opened func()) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		body, err := c.open(ctx, http.MethodGet, own(name, q), nil)
		if err != nil {
			yield(zero, err)
			return
		}
		defer body.Close()
		opened()
		in := bufio.NewScanner(body)
		in.Buffer(nil, maxLine)
		for in.Scan() {
			var v T
			if err := json.Unmarshal(in.Bytes(), &v); err != nil {
				yield(zero, err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
		if err := in.Err(); err != nil {
			yield(zero, err)
		}
	}
}

// untilDeath ends a sequence where the daemon died, as if it had ended in order.
func untilDeath[T any](s iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range s {
			if errors.Is(err, ErrDied) || !yield(v, err) {
				return
			}
		}
	}
}

// answer is the body of an answer; its end before its time is ErrDied.
type answer struct{ io.ReadCloser }

// Read implements io.Reader.
func (a answer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
		err = ErrDied
	}
	return n, err
}
