package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/container"
)

// Exec runs a command in a container and returns its exit code. What the
// emulator has to say meanwhile goes to info, one call a message.
//
// A read of s.Stdin may still be under way when Exec returns: there is no way
// to take back a read from a terminal. Its result is dropped.
func (c *Client) Exec(ctx context.Context, t emulator.ExecTarget, s container.ExecSpec, info func(string)) (int, error) {
	conn, in, err := c.upgrade(ctx, execPath(t, s))
	if err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	out := api.NewFrameWriter(conn)
	go sendInput(out, s.Stdin)

	var resizing sync.WaitGroup
	done := make(chan struct{})
	resizing.Go(func() { sendSizes(out, s.Resize, done) })
	code, err := receive(api.NewFrameReader(in), s, info)
	close(done)
	conn.Close()
	resizing.Wait()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return code, err
}

func execPath(t emulator.ExecTarget, s container.ExecSpec) string {
	q := params("app", t.App, "revision", t.Revision, "replica", t.Replica, "container", t.Container)
	q["command"] = s.Command
	if s.TTY {
		q.Set("tty", "true")
		q.Set("width", strconv.FormatUint(uint64(s.Width), 10))
		q.Set("height", strconv.FormatUint(uint64(s.Height), 10))
	}
	return own("exec", q)
}

// upgrade opens a connection that speaks frames. The caller closes it.
func (c *Client) upgrade(ctx context.Context, path string) (net.Conn, io.Reader, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	in, err := handshake(ctx, conn, path)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, in, nil
}

// handshake asks for the upgrade. Frames that came right behind the answer are
// in the reader it returns.
func handshake(ctx context.Context, conn net.Conn, path string) (io.Reader, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://acalocal"+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", api.ExecProtocol)
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, req)
	if err != nil {
		return nil, fmt.Errorf("read the answer to exec: %w", err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		defer resp.Body.Close()
		return nil, readError(resp)
	}
	return in, nil
}

// sendInput sends stdin to its end. Errors need no handling: they mean that
// the session is over, which the receiver sees too.
func sendInput(out *api.FrameWriter, stdin io.Reader) {
	if stdin != nil {
		_, _ = io.Copy(out.Stream(api.Stdin), stdin)
	}
	_ = out.Write(api.Frame{Channel: api.CloseInput})
}

// sendSizes passes on the sizes of the terminal until done. Errors as above.
func sendSizes(out *api.FrameWriter, sizes <-chan container.Size, done <-chan struct{}) {
	for {
		select {
		case s, ok := <-sizes:
			if !ok {
				return
			}
			data, _ := json.Marshal(s) // two numbers always encode
			_ = out.Write(api.Frame{Channel: api.Resize, Data: data})
		case <-done:
			return
		}
	}
}

// errLost says that the connection broke before the command ended.
var errLost = errors.New("the connection to the daemon broke before the command ended")

// receive writes the command's output until it ends.
func receive(in *api.FrameReader, s container.ExecSpec, info func(string)) (int, error) {
	for {
		f, err := in.Next()
		if err != nil {
			return 0, errLost
		}
		switch f.Control {
		case api.ProxyInfo:
			info(string(f.Data))
			continue
		case api.ProxyError:
			return 0, decodeFailure(f.Data)
		}
		if f.Channel == api.Exit {
			var exit api.ExitBody
			if err := json.Unmarshal(f.Data, &exit); err != nil {
				return 0, fmt.Errorf("read the exit code: %w", err)
			}
			return exit.ExitCode, nil
		}
		if err := writeOutput(f, s); err != nil {
			return 0, err
		}
	}
}

func writeOutput(f api.Frame, s container.ExecSpec) error {
	w := s.Stdout
	if f.Channel == api.Stderr {
		w = s.Stderr
	}
	if _, err := w.Write(f.Data); err != nil {
		return fmt.Errorf("write the output of the command: %w", err)
	}
	return nil
}

func decodeFailure(data []byte) error {
	var body api.ErrorBody
	if err := json.Unmarshal(data, &body); err != nil {
		return fmt.Errorf("exec: %s", data)
	}
	return &Error{Detail: body.Error}
}
