package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/acalocal/acalocal/internal/daemon"
)

// prepare makes the images present while the environment starts: both take
// Docker's time. What cannot be built or pulled leaves what runs as it is, and
// takes back an environment that was started for it.
func (u *upRun) prepare(start func() error) (built map[string][]string, err error) {
	_, statErr := os.Stat(u.env.Dir())
	started := make(chan error, 1)
	go func() { started <- start() }()
	built, err = u.prepareImages(u.user.first)
	startErr := <-started
	if startErr != nil && errors.Is(statErr, fs.ErrNotExist) {
		u.removeFiles()
	}
	if err != nil {
		u.undo()
		return nil, err
	}
	return built, startErr
}

// startPatience is how long another process may take to start the environment.
const startPatience = 30 * time.Second

// unlessRunning forgets the error of a start that another "up" has won: then
// there is an environment to join, once it answers. Nothing but its answer says
// when that is.
func (u *upRun) unlessRunning(ctx context.Context, err error) error {
	if !errors.Is(err, daemon.ErrRunning) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for pause := 10 * time.Millisecond; !isRunning(ctx, u.env); pause = min(2*pause, 200*time.Millisecond) {
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
	return nil
}

// removeFiles removes the files of an environment that there was not before
// and that could not start. Its log stays when the daemon died with something
// to say in it, and all of it when another daemon has got in between.
func (u *upRun) removeFiles() {
	if info, err := os.Stat(u.env.LogFile()); err == nil && info.Size() > 0 {
		return
	}
	if refuseLocked(u.env) == nil {
		_ = u.env.Remove() // at worst an empty directory is left
	}
}

// undo takes back an environment that this "up" has started, when applying to
// it failed and it runs nothing.
func (u *upRun) undo() {
	if !u.started {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	snap, err := u.client.Snapshot(ctx)
	if err != nil || len(snap.Apps) > 0 {
		return
	}
	if err := u.client.Shutdown(ctx, true); err != nil {
		fmt.Fprintf(u.s.Err, "acalocal: remove the empty environment: %v\nhint: \"acalocal down\" removes it\n", err)
		return
	}
	if err := u.client.Gone(ctx); err != nil {
		fmt.Fprintf(u.s.Err, "acalocal: the empty environment does not end: %v\nhint: \"acalocal down\" removes it\n", err)
	}
}

// daemonLog opens the file a daemon in this process writes its log to.
func (u *upRun) daemonLog() (*os.File, error) {
	if err := u.env.Create(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(u.env.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the daemon's log: %w", err)
	}
	return f, nil
}
