package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// ExecProtocol is the protocol an exec request asks to be upgraded to.
const ExecProtocol = "acalocal-exec"

// ExitBody is the Data of an Exit frame.
type ExitBody struct {
	ExitCode int `json:"exitCode"`
}

// exec runs a command in a container:
//
//	POST /acalocal/v1/exec?app=&revision=&replica=&container=
//	     &command=sh&command=-c&command=…[&tty=true&width=80&height=24]
//
// What is wrong with the request is answered before the upgrade, what goes
// wrong later comes as a ProxyError frame.
func (s *server) exec(w http.ResponseWriter, r *http.Request) error {
	spec, err := execSpec(r)
	if err != nil {
		return err
	}
	target, err := s.execTarget(r)
	if err != nil {
		return err
	}
	conn, rw, err := upgrade(w)
	if err != nil {
		return err
	}
	defer conn.Close()
	session := &execSession{s.Emulator, target, NewFrameReader(rw), NewFrameWriter(conn)}
	session.run(r.Context(), conn, spec)
	return nil
}

func execSpec(r *http.Request) (container.ExecSpec, error) {
	spec := container.ExecSpec{Command: r.URL.Query()["command"]}
	if len(spec.Command) == 0 {
		spec.Command = []string{"sh"} // az's default
	}
	tty, err := boolParam(r, "tty")
	if err != nil {
		return spec, err
	}
	spec.TTY = tty
	width, err := intParam(r, "width", 0, 0, 1<<16-1)
	if err != nil {
		return spec, err
	}
	height, err := intParam(r, "height", 0, 0, 1<<16-1)
	spec.Width, spec.Height = uint(width), uint(height)
	return spec, err
}

// execTarget says which container a request means, one that has a replica.
func (s *server) execTarget(r *http.Request) (emulator.ExecTarget, error) {
	t, err := resolve(s.Emulator.Snapshot(), targetOf(r))
	if err == nil && t.Replica == "" {
		err = &aca.Error{
			Code:    codeNotFound,
			Message: fmt.Sprintf("The revision '%s' has no replica to run a command in.", t.Revision),
			Target:  t.Revision,
		}
	}
	return t, err
}

// targetOf reads the parameters that name a container.
func targetOf(r *http.Request) emulator.ExecTarget {
	q := r.URL.Query()
	return emulator.ExecTarget{App: q.Get("app"), Revision: q.Get("revision"), Replica: q.Get("replica"), Container: q.Get("container")}
}

// upgrade takes the connection over and says so to the client.
func upgrade(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("upgrade to %s: %w", ExecProtocol, err)
	}
	_, err = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", ExecProtocol)
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("upgrade to %s: %w", ExecProtocol, err)
	}
	return conn, rw, nil
}

// execSession is one command and the client that watches it.
type execSession struct {
	emulator Emulator
	target   emulator.ExecTarget
	in       *FrameReader
	out      *FrameWriter
}

// run runs the command to its end, or until the client goes.
func (e *execSession) run(ctx context.Context, conn io.Closer, spec container.ExecSpec) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stdin, feed := io.Pipe()
	resize := make(chan container.Size, 1)
	spec.Stdin, spec.Resize = stdin, resize
	spec.Stdout, spec.Stderr = e.out.Stream(Stdout), e.out.Stream(Stderr)

	var reading sync.WaitGroup
	reading.Go(func() {
		e.read(feed, resize)
		cancel() // without its client, a command has nobody to run for
	})
	e.finish(e.start(ctx, spec))
	stdin.Close()
	conn.Close()
	reading.Wait()
}

// start greets as ACA's proxy does and runs the command.
func (e *execSession) start(ctx context.Context, spec container.ExecSpec) (int, error) {
	if err := e.out.Write(Frame{Control: ProxyInfo, Data: fmt.Appendf(nil, "Connecting to the container '%s'...", e.target.Container)}); err != nil {
		return 0, err
	}
	return e.emulator.Exec(ctx, e.target, spec)
}

// finish tells the client how it ended. A client that has gone is not told.
func (e *execSession) finish(code int, err error) {
	if err != nil {
		body, _ := json.Marshal(ErrorBody{execDetail(err)}) // plain strings always encode
		_ = e.out.Write(Frame{Control: ProxyError, Data: body})
		return
	}
	body, _ := json.Marshal(ExitBody{code}) // a number always encodes
	_ = e.out.Write(Frame{Channel: Exit, Data: body})
}

// execDetail is what the API says of a command that did not run, with the exit
// code a shell has for it: 127 for a program that is not there, 126 for one
// that cannot be run.
func execDetail(err error) ErrorDetail {
	d := detailOf(err)
	codes := map[container.Code]int{container.CodeNoProgram: 127, container.CodeCreate: 126}
	if n := codes[container.CodeOf(err)]; n != 0 {
		inner := InnerError{ExitCode: n}
		if d.Inner != nil {
			inner.Hint = d.Inner.Hint
		}
		d.Inner = &inner
	}
	return d
}

// read hands the client's frames on until it goes.
func (e *execSession) read(stdin *io.PipeWriter, resize chan container.Size) {
	defer close(resize)
	for {
		f, err := e.in.Next()
		if err != nil {
			stdin.CloseWithError(io.EOF)
			return
		}
		if f.Control != Forwarded {
			continue
		}
		switch f.Channel {
		case Stdin:
			if _, err := stdin.Write(f.Data); err != nil && !errors.Is(err, io.ErrClosedPipe) {
				return
			}
		case CloseInput:
			stdin.Close()
		case Resize:
			offerSize(resize, f.Data)
		}
	}
}

// offerSize passes a new size on. Only the newest counts, so a full channel is
// emptied first.
func offerSize(resize chan container.Size, data []byte) {
	var s container.Size
	if json.Unmarshal(data, &s) != nil || s.Width == 0 || s.Height == 0 {
		return // nothing a terminal could become
	}
	select {
	case <-resize:
	default:
	}
	resize <- s
}
