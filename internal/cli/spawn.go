package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/home"
)

// A detached daemon tells how its start went by one line on its stdout, which
// is a pipe to the process that started it, and then closes it. Should it die
// without a word, the pipe closes all the same: there is nothing to poll.

// startReport is that line.
type startReport struct {
	Ready bool   `json:"ready"`
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
	// Running says that the error is that another daemon was first.
	Running bool `json:"running,omitempty"`
}

// err is the error of a start that was reported to have failed.
func (r startReport) err(e home.Environment) error {
	if r.Running {
		return failed(fmt.Errorf("%w: %s", daemon.ErrRunning, e.Name), r.Hint)
	}
	return failed(errors.New(r.Error), r.Hint)
}

// spawnDaemon starts a daemon for the environment in the background and
// returns when it serves its control socket. When ctx ends first, it ends the
// daemon.
func spawnDaemon(ctx context.Context, e home.Environment) error {
	if err := e.Create(); err != nil {
		return err
	}
	log, err := os.OpenFile(e.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the daemon's log: %w", err)
	}
	defer log.Close()
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program to start as daemon: %w", err)
	}
	cmd := exec.Command(program, "daemon", "--env", e.Name)
	cmd.Stderr = log
	cmd.Dir = e.Dir() // so that no directory of the user is held busy
	detach(cmd)
	report, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	return awaitStart(ctx, cmd, report, e)
}

// awaitStart reads the daemon's report. A daemon that is ready is released:
// it outlives this process. One that is not is waited for.
func awaitStart(ctx context.Context, cmd *exec.Cmd, report io.Reader, e home.Environment) error {
	giveUp := context.AfterFunc(ctx, func() { terminate(cmd.Process) })
	line, readErr := bufio.NewReader(report).ReadBytes('\n')
	var r startReport
	if giveUp() && readErr == nil && json.Unmarshal(line, &r) == nil && r.Ready {
		return cmd.Process.Release()
	}
	_ = cmd.Wait() // the report, or its absence, says more than the exit status
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r.Error != "" {
		return r.err(e)
	}
	return failed(errors.New("the daemon died while starting"), fmt.Sprintf("its last words are in %s", e.LogFile()))
}

// reportStart writes the line a daemon owes to the process that started it.
func reportStart(w io.WriteCloser, err error) error {
	r := startReport{Ready: err == nil}
	if err != nil {
		r.Error, r.Hint, r.Running = err.Error(), hintOf(err), errors.Is(err, daemon.ErrRunning)
	}
	if err := json.NewEncoder(w).Encode(r); err != nil {
		return fmt.Errorf("report the start: %w", err)
	}
	return w.Close()
}
