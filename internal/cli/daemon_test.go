package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/home"
)

func TestStartFailuresSayWhatToDo(t *testing.T) {
	e := home.At("/state").Environment("dev")
	f := func(err error, hint string) {
		t.Helper()
		got := explainStart(err, e)
		if got.Error() != err.Error() || hintOf(got) != hint {
			t.Errorf("%v: got %v, hint %q; want hint %q", err, got, hintOf(got), hint)
		}
	}
	f(fmt.Errorf("%w: dev", daemon.ErrRunning), `see it with "acalocal status --env dev", end it with "acalocal down --env dev"`)
	f(fmt.Errorf("open log store: %w", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}),
		"free space on the disk of "+e.Dir()+", or set ACALOCAL_STATE_DIR to a directory on another one")
	f(errors.New("anything else"), "")
}
