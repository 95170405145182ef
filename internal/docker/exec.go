package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// Exec implements container.Runtime. A read of the spec's Stdin that is under
// way when the command ends goes on until Stdin yields or is closed.
func (e *Engine) Exec(ctx context.Context, id container.ID, s container.ExecSpec) (int, error) {
	code, err := e.exec(ctx, id, s)
	if err != nil {
		return 0, e.wrap(err, "run command in container %s", short(id))
	}
	return code, nil
}

func (e *Engine) exec(ctx context.Context, id container.ID, s container.ExecSpec) (int, error) {
	size := consoleSize(s)
	created, err := e.client.ExecCreate(ctx, string(id), client.ExecCreateOptions{
		Cmd: s.Command, TTY: s.TTY, ConsoleSize: size,
		AttachStdin: s.Stdin != nil, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return 0, err
	}
	att, err := e.client.ExecAttach(ctx, created.ID, client.ExecAttachOptions{TTY: s.TTY, ConsoleSize: size})
	if err != nil {
		if refused := refusalOf(plain(err).Error()); refused != nil {
			return 0, refused
		}
		return 0, err
	}
	defer att.Close()
	stop := context.AfterFunc(ctx, att.Close)
	defer stop()
	if s.Stdin != nil {
		go feed(&att.HijackedResponse, s.Stdin)
	}
	resized := e.followSize(ctx, created.ID, s)
	defer resized()
	said := &firstWords{}
	s.Stdout, s.Stderr = said.before(orDiscard(s.Stdout)), said.before(orDiscard(s.Stderr))
	if err := drain(att.Reader, s); err != nil {
		return 0, errors.Join(ctx.Err(), err, said.release())
	}
	r, err := e.client.ExecInspect(ctx, created.ID, client.ExecInspectOptions{})
	if err != nil {
		return 0, errors.Join(err, said.release())
	}
	if err := said.refusal(r.ExitCode); err != nil {
		return 0, err
	}
	return r.ExitCode, errors.Join(ctx.Err(), said.release())
}

func consoleSize(s container.ExecSpec) client.ConsoleSize {
	if !s.TTY {
		return client.ConsoleSize{}
	}
	return client.ConsoleSize{Width: s.Width, Height: s.Height}
}

// feed copies the input and ends it.
func feed(att *client.HijackedResponse, in io.Reader) {
	_, _ = io.Copy(att.Conn, in) // the command may have ended, or the input: both are the end of it
	_ = att.CloseWrite()
}

// drain copies the output until the command ends.
func drain(r io.Reader, s container.ExecSpec) error {
	out, errOut := orDiscard(s.Stdout), orDiscard(s.Stderr)
	if s.TTY {
		_, err := io.Copy(out, r)
		return ignoreClosed(err)
	}
	f := newFrames(r)
	for {
		stream, data, err := f.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		w := out
		if stream == streamStderr {
			w = errOut
		}
		if _, err := w.Write(data); err != nil {
			return fmt.Errorf("write output: %w", err)
		}
	}
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// ignoreClosed takes the end of a connection that was closed for its end.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// followSize passes on the terminal's size until the returned function is
// called.
func (e *Engine) followSize(ctx context.Context, execID string, s container.ExecSpec) (stop func()) {
	if !s.TTY || s.Resize == nil && s.Width == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Engines before API 1.42 take no size when the command starts.
		e.resize(ctx, execID, container.Size{Width: s.Width, Height: s.Height})
		for {
			select {
			case size, ok := <-s.Resize:
				if !ok {
					return
				}
				e.resize(ctx, execID, size)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// resize is best effort: the command may have ended, and a wrong width is no
// reason to end it.
func (e *Engine) resize(ctx context.Context, execID string, size container.Size) {
	if size.Width == 0 || size.Height == 0 {
		return
	}
	_, err := e.client.ExecResize(ctx, execID, client.ExecResizeOptions{Width: size.Width, Height: size.Height})
	if err != nil && ctx.Err() == nil {
		e.log.Debug().Err(err).Msg("terminal not resized")
	}
}
