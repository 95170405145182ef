package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/home"
)

// pipe is a WriteCloser in memory.
type pipe struct {
	bytes.Buffer
	closed bool
}

func (p *pipe) Close() error {
	p.closed = true
	return nil
}

func TestStartIsReportedInOneLineAndTheEndOfThePipe(t *testing.T) {
	f := func(err error, want string) {
		t.Helper()
		var p pipe
		if err := reportStart(&p, err); err != nil {
			t.Fatal(err)
		}
		if got := p.String(); got != want+"\n" || !p.closed {
			t.Errorf("got %q, closed %t; want %q", got, p.closed, want)
		}
	}
	f(nil, `{"ready":true}`)
	f(errors.New("no engine"), `{"ready":false,"error":"no engine"}`)
	f(explainStart(fmt.Errorf("%w: dev", daemon.ErrRunning), home.At("/state").Environment("dev")),
		`{"ready":false,"error":"environment is already running: dev","hint":"see it with \"acalocal status --env dev\", end it with \"acalocal down --env dev\"","running":true}`)
	f(failed(errors.New("no engine"), "start it"), `{"ready":false,"error":"no engine","hint":"start it"}`)
}

// child starts a copy of this test program that does nothing and ends.
func child(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // else it waits a second for late races
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestStartOfAChildIsUnderstood(t *testing.T) {
	e := home.At("/state").Environment("dev")
	f := func(report, want, hint string) {
		t.Helper()
		err := awaitStart(t.Context(), child(t), strings.NewReader(report), e)
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", report, err)
			}
			return
		}
		if err == nil || err.Error() != want || hintOf(err) != hint {
			t.Errorf("%q: got %v (%s), want %s (%s)", report, err, hintOf(err), want, hint)
		}
	}
	f(`{"ready":true}`+"\n", "", "")
	f(`{"ready":false,"error":"no engine","hint":"start it"}`+"\n", "no engine", "start it")
	f("", "the daemon died while starting", "its last words are in "+e.LogFile())
	f(`{"ready":tr`, "the daemon died while starting", "its last words are in "+e.LogFile())
}

func TestStartThatAnotherHasWonIsKnown(t *testing.T) {
	report := `{"ready":false,"error":"environment is already running: dev","running":true}` + "\n"
	err := awaitStart(t.Context(), child(t), strings.NewReader(report), home.At("/state").Environment("dev"))
	if !errors.Is(err, daemon.ErrRunning) || err.Error() != "environment is already running: dev" {
		t.Errorf("got %v, want ErrRunning", err)
	}
}

func TestStartThatIsGivenUpEndsTheChild(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	report, silent := io.Pipe()
	defer silent.Close()
	cmd := child(t)
	cancel()
	go func() {
		_, _ = cmd.Process.Wait() // the end of a daemon closes its pipe
		silent.Close()
	}()
	err := awaitStart(ctx, cmd, report, home.At("/state").Environment("dev"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
