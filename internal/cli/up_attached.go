package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/docker"
)

// runAttached runs the environment in this process, or joins the one that
// runs, and stays until the user ends it.
func (u *upRun) runAttached(ctx context.Context) error {
	// Without this, a closed pipe would kill the program and leave the
	// environment alone; as it is, writing fails and ends it in order.
	signal.Ignore(syscall.SIGPIPE)
	daemonCtx, endDaemon := context.WithCancel(ctx)
	defer endDaemon()
	built, err := u.prepare(func() error { return u.startOwn(daemonCtx) })
	if err == nil {
		err = u.applyAndFollow(ctx, built, endDaemon)
	} else {
		err = u.interrupted(err)
	}
	endDaemon()
	return errors.Join(err, u.waitOwn())
}

// startOwn starts the environment in this process unless it runs already.
func (u *upRun) startOwn(ctx context.Context) error {
	if isRunning(ctx, u.env) {
		return nil
	}
	log, err := u.daemonLog()
	if err != nil {
		return err
	}
	own, err := startDaemon(ctx, u.home, u.env.Name, log)
	if err != nil {
		log.Close()
		return u.unlessRunning(ctx, err)
	}
	u.own, u.ownLog, u.started = own, log, true
	return nil
}

func (u *upRun) applyAndFollow(ctx context.Context, built map[string][]string, endDaemon func()) error {
	f := u.follow(ctx, endDaemon)
	defer f.stop()
	err := u.applyAll(u.user.first, built)
	if err == nil && u.watching() {
		defer u.startWatching(u.user.first, f.calls)()
	}
	if err == nil || u.user.first.Err() != nil {
		return f.run() // which also takes down what an interrupted apply has begun
	}
	u.undo()
	return err
}

// waitOwn waits for the daemon of this process, if there is one.
func (u *upRun) waitOwn() error {
	if u.own == nil {
		return nil
	}
	own := u.own
	u.own = nil
	defer u.ownLog.Close()
	return own.wait()
}

// follower shows an environment: its states, its log, and its end.
type follower struct {
	*upRun
	entries chan api.Entry
	states  chan *emulator.Snapshot
	calls   chan func(*follower) // from the one who follows the files
	printer *streamPrinter
	// stop ends the streams and waits for them.
	stop func()
	// endDaemon ends the daemon of this process and leaves what runs.
	endDaemon func()
	told      verdict
	// reloading says that the roll-out is of saved files: the one who follows
	// them says what to do when it fails.
	reloading bool
	ending    bool
}

// follow opens the streams, so that nothing that happens from now on is missed.
func (u *upRun) follow(ctx context.Context, endDaemon func()) *follower {
	ctx, cancel := context.WithCancel(ctx)
	f := &follower{
		upRun: u, endDaemon: endDaemon, printer: newStreamPrinter(u.s.Out),
		entries: make(chan api.Entry), states: make(chan *emulator.Snapshot), calls: make(chan func(*follower)),
	}
	for _, app := range u.def.Apps {
		if len(app.Properties.Template.Containers)+len(app.Properties.Template.InitContainers) > 1 {
			f.printer.several[app.Name] = struct{}{}
		}
	}
	opened := make(chan struct{})
	open := sync.OnceFunc(func() { close(opened) })
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(f.entries)
		defer open()
		for e, err := range u.client.Stream(ctx, open) {
			if err != nil || !send(ctx, f.entries, e) {
				return
			}
		}
	})
	reading.Go(func() {
		defer close(f.states)
		for s, err := range u.client.Watch(ctx) {
			if err != nil || !send(ctx, f.states, s) {
				return
			}
		}
	})
	f.stop = func() {
		cancel()
		reading.Wait()
	}
	<-opened
	return f
}

func send[T any](ctx context.Context, to chan<- T, v T) bool {
	select {
	case to <- v:
		return true
	case <-ctx.Done():
		return false
	}
}

// run shows what happens until the environment has ended.
func (f *follower) run() error {
	first := f.user.first.Done()
	for f.entries != nil || f.states != nil {
		var err error
		select {
		case e, ok := <-f.entries:
			if !ok {
				f.entries = nil
				continue
			}
			err = f.printer.print(e)
		case s, ok := <-f.states:
			if !ok {
				f.states = nil
				continue
			}
			err = f.see(s)
		case call := <-f.calls:
			call(f)
		case <-first:
			first = nil
			err = f.end()
		case <-f.user.second.Done():
			return f.force()
		}
		if err != nil && f.ending {
			return err
		}
		if err != nil {
			// Nobody can read on: that is an end like any other.
			f.printer.out = io.Discard
			if err := f.end(); err != nil {
				return err
			}
		}
	}
	if !f.ending {
		return daemonDied(f.env)
	}
	return f.awaitGone()
}

// see follows the roll-out and tells its outcome once.
func (f *follower) see(snap *emulator.Snapshot) error {
	v := f.roll.see(snap)
	if f.ending || v == f.told {
		return nil
	}
	f.told = v
	switch v {
	case rolledOut:
		f.reloading = false
		return f.sayReady(snap)
	case failing:
		for _, line := range f.roll.unready(snap) {
			fmt.Fprintf(f.s.Err, "acalocal: %s\n", line)
		}
		f.sayVerdicts(f.user.first, snap)
		if !f.reloading {
			fmt.Fprintln(f.s.Err, "hint: the environment keeps running; "+f.howToMend()+", or end it with Ctrl-C")
		}
	}
	return nil
}

// howToMend says how another attempt begins.
func (f *follower) howToMend() string {
	if f.watching() {
		return "mend it and save"
	}
	return "change the definition and run \"acalocal up\" again"
}

// end asks the environment to drain and remove everything.
func (f *follower) end() error {
	f.ending = true
	fmt.Fprintln(f.s.Err, "\ndraining and removing everything; Ctrl-C again does it at once")
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	return f.client.Shutdown(ctx, true)
}

// awaitGone waits for the end that was asked for, unless the user cannot wait.
func (f *follower) awaitGone() error {
	if f.own == nil {
		if err := f.client.Gone(f.user.second); err != nil {
			return f.force()
		}
		f.sayGone()
		return nil
	}
	select {
	case err := <-f.own.ended:
		f.own.ended <- err // for the one who waits for the daemon
		if err == nil {
			f.sayGone()
		}
		return nil
	case <-f.user.second.Done():
		return f.force()
	}
}

func (f *follower) sayGone() { fmt.Fprintf(f.s.Err, "removed environment %s\n", f.env.Name) }

// force removes everything without draining: containers are killed. The daemon
// of this process ends first, for it would put back what is removed. One more
// Ctrl-C kills the program.
func (f *follower) force() error {
	f.user.stop()
	fmt.Fprintln(f.s.Err, "removing everything at once")
	f.endDaemon()
	waitErr := f.waitOwn()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	engine, err := docker.New(ctx, docker.Options{})
	if err != nil {
		return errors.Join(waitErr, err)
	}
	defer engine.Close()
	if err := engine.RemoveEnvironment(ctx, f.env.Name); err != nil {
		return errors.Join(waitErr, failed(err, `"acalocal down" tries again`))
	}
	return errors.Join(waitErr, f.env.Remove())
}
