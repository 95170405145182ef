package emulatortest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/home"
)

// endPatience bounds the removal of an environment; draining has its own grace
// periods.
const endPatience = 2 * time.Minute

// end tells what a failed test needs to know, and removes everything.
func (e *Env) end() {
	if e.t.Failed() && e.daemon != nil {
		e.t.Log(e.report())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), endPatience)
	defer cancel()
	if err := e.remove(ctx); err != nil {
		e.t.Errorf("emulatortest: remove the environment %s: %v", e.files.Name, err)
	}
	for _, f := range e.released {
		f()
	}
}

func (e *Env) remove(ctx context.Context) error {
	var errs []error
	if e.daemon != nil {
		errs = append(errs, e.endDaemon(ctx))
	}
	if e.files.Name == "" {
		return errors.Join(errs...)
	}
	if e.docker != nil || e.daemon != nil {
		errs = append(errs, e.runtime.RemoveEnvironment(ctx, e.files.Name))
	}
	return errors.Join(append(errs, e.files.Remove())...)
}

// endDaemon ends the daemon, with a drain when that was asked for.
func (e *Env) endDaemon(ctx context.Context) error {
	defer e.stop()
	if e.s.drain {
		e.daemon.Shutdown(true)
	} else {
		e.stop()
	}
	select {
	case err := <-e.ended:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the environment does not end: %w", ctx.Err())
	}
}

// sweepOnce lets the first Start of a process clean up.
var sweepOnce sync.Once

// sweep removes what test binaries that were killed have left on this engine.
// An environment whose lock can be had has no process any more.
func sweep(ctx context.Context, engine *docker.Engine, log *tailBuffer) {
	h := home.Tests()
	names, err := h.Environments()
	if err != nil {
		fmt.Fprintf(log, "look for what killed tests left: %v\n", err)
	}
	for _, name := range names {
		if err := sweepOne(ctx, engine, h.Environment(name)); err != nil {
			fmt.Fprintf(log, "remove what a killed test left: %v\n", err)
		}
	}
}

func sweepOne(ctx context.Context, engine *docker.Engine, files home.Environment) error {
	where, err := os.ReadFile(files.EngineFile())
	if err != nil || strings.TrimSpace(string(where)) != engine.Host() {
		return nil // it is just being made, or is another engine's
	}
	lock := files.ExistingLock()
	free, err := lock.TryLock()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nobody has held it yet, or it has just gone
	}
	if err != nil || !free {
		return err
	}
	defer func() { _ = lock.Unlock() }() // its file is gone by then
	if err := engine.RemoveEnvironment(ctx, files.Name); err != nil {
		return err
	}
	return files.Remove()
}
