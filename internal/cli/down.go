package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/spf13/cobra"
)

func newDownCommand(s Streams) *cobra.Command {
	var keepLogs bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Drain the apps and remove everything of the environment",
		Long: `Drain the apps and remove the environment's containers, network, volumes, images
built for it, and files. It works as well when the daemon has died: what belongs
to the environment is found by its labels.`,
		Example: `  acalocal down
  acalocal down --keep-logs`,
		Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := environmentToRemove(cmd)
			if err != nil {
				return err
			}
			if there, err := exists(cmd.Context(), e); err != nil || !there {
				return sayNothingToRemove(s, e, err)
			}
			end := shutdown
			if keepLogs {
				end = shutdownKeepingLogs
			}
			err = end(cmd.Context(), s, client.New(e), e)
			if errors.Is(err, client.ErrNotRunning) {
				err = removeDead(cmd.Context(), e, keepLogs)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(s.Err, "removed environment %s\n", e.Name)
			return nil
		},
	}
	cmd.Flags().BoolVar(&keepLogs, "keep-logs", false, "keep the stored logs for a later environment of the same name")
	return cmd
}

// sayNothingToRemove ends a down that found nothing, which is no failure.
func sayNothingToRemove(s Streams, e home.Environment, err error) error {
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Err, "there is no environment %s\n", e.Name)
	return err
}

// environmentToRemove is the environment a command acts on; when none runs,
// the only one that left files behind.
func environmentToRemove(cmd *cobra.Command) (home.Environment, error) {
	e, err := environment(cmd)
	if err != nil || isRunning(cmd.Context(), e) {
		return e, err
	}
	if name, err := namedEnvironment(cmd); err != nil || name != "" {
		return e, err
	}
	h, err := home.Open()
	if err != nil {
		return e, err
	}
	left, err := h.Environments()
	switch {
	case err != nil:
		return e, fmt.Errorf("list environments: %w", err)
	case len(left) == 1:
		return h.Environment(left[0]), nil
	case len(left) > 1:
		return e, misuse(fmt.Errorf("%d environments have left something: %s", len(left), strings.Join(left, ", ")),
			fmt.Sprintf("say which, as in %q", "acalocal down --env "+left[0]))
	}
	return e, nil
}

// shutdown asks a running daemon to remove everything and waits for it.
func shutdown(ctx context.Context, s Streams, c *client.Client, e home.Environment) error {
	if err := c.Shutdown(ctx, true); err != nil {
		return err
	}
	fmt.Fprintf(s.Err, "draining and removing environment %s\n", e.Name)
	if err := awaitGone(ctx, s, c, e); err != nil {
		return err
	}
	if _, err := os.Stat(e.LogFile()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return removeDead(ctx, e, false) // it ended before all was removed
}

// downPatience is how long a drain may take before down says where to look: it
// is above the usual grace period of 30 s.
const downPatience = 40 * time.Second

// awaitGone waits for the end of a daemon. One that waits itself, for a Docker
// Engine that has gone away, is waited for: it ends when the engine is back.
func awaitGone(ctx context.Context, s Streams, c *client.Client, e home.Environment) error {
	late := time.AfterFunc(downPatience, func() {
		fmt.Fprintf(s.Err, "still waiting for environment %s; what keeps it is in %s, \"acalocal doctor\" looks at Docker\n", e.Name, e.LogFile())
	})
	defer late.Stop()
	if err := c.Gone(ctx); err != nil {
		return err
	}
	return e.Released(ctx) // its files go after its socket
}

// shutdownKeepingLogs has the daemon drain and remove its apps, ends it, and
// removes the rest in its place: a daemon that removes its environment removes
// the logs as well.
func shutdownKeepingLogs(ctx context.Context, s Streams, c *client.Client, e home.Environment) error {
	snap, err := c.Snapshot(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Err, "draining and removing environment %s, keeping its logs\n", e.Name)
	for _, app := range snap.Apps {
		if err := c.Delete(ctx, app.Name); err != nil {
			return fmt.Errorf("remove %s: %w", app.Name, err)
		}
	}
	for snap, err := range c.Watch(ctx) {
		if err != nil {
			return err
		}
		if len(snap.Apps) == 0 {
			break
		}
	}
	if err := c.Shutdown(ctx, false); err != nil {
		return err
	}
	if err := awaitGone(ctx, s, c, e); err != nil {
		return err
	}
	return removeDead(ctx, e, true)
}

// removeDead removes what an environment without a daemon has left.
func removeDead(ctx context.Context, e home.Environment, keepLogs bool) error {
	if err := refuseLocked(e); err != nil {
		return err
	}
	engine, err := docker.New(ctx, docker.Options{})
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := engine.RemoveEnvironment(ctx, e.Name); err != nil {
		return err
	}
	return daemon.RemoveFiles(e, keepLogs)
}

// exists reports whether there is anything of an environment: files here, or
// something in the engine.
func exists(ctx context.Context, e home.Environment) (bool, error) {
	if _, err := os.Stat(e.Dir()); err == nil {
		return true, nil
	}
	engine, err := docker.New(ctx, docker.Options{})
	if err != nil {
		return false, err
	}
	defer engine.Close()
	held, err := engine.Environments(ctx)
	return slices.ContainsFunc(held, func(h docker.Environment) bool { return h.Name == e.Name }), err
}

// lockPatience is how long a daemon that does not answer any more may take to
// let go of its environment.
const lockPatience = 2 * time.Second

// refuseLocked fails when a daemon holds the environment although it does not
// answer: it is starting or hanging, and would put back what is removed. One
// that is just ending is waited for.
func refuseLocked(e home.Environment) error {
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	lock := e.ExistingLock()
	ok, err := lock.TryLockContext(ctx, 20*time.Millisecond)
	switch {
	case ok:
		return lock.Unlock()
	case errors.Is(err, fs.ErrNotExist):
		return nil // nobody has ever held it, or it has just gone
	case errors.Is(err, context.DeadlineExceeded):
		return failed(fmt.Errorf("a daemon holds environment %s but does not answer", e.Name),
			fmt.Sprintf("it may be starting: try again; else end the process that has %s open", e.Lock()))
	}
	return fmt.Errorf("look at the lock of environment %s: %w", e.Name, err)
}
