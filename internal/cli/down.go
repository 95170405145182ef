package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/gofrs/flock"
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
			err = shutdown(cmd.Context(), s, client.New(e), e, keepLogs)
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
func shutdown(ctx context.Context, s Streams, c *client.Client, e home.Environment, keepLogs bool) error {
	if err := c.Shutdown(ctx, client.ShutdownOptions{Remove: true, KeepLogs: keepLogs}); err != nil {
		return err
	}
	fmt.Fprintf(s.Err, "draining and removing environment %s\n", e.Name)
	if err := c.Gone(ctx); err != nil {
		return err
	}
	return nil
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

// refuseLocked fails when a daemon holds the environment although it does not
// answer: it is starting or hanging, and would put back what is removed.
func refuseLocked(e home.Environment) error {
	if _, err := os.Stat(e.Lock()); err != nil {
		return nil // nobody has ever held it
	}
	lock := flock.New(e.Lock())
	ok, err := lock.TryLock()
	switch {
	case err != nil:
		return fmt.Errorf("look at the lock of environment %s: %w", e.Name, err)
	case !ok:
		return failed(fmt.Errorf("a daemon holds environment %s but does not answer", e.Name),
			fmt.Sprintf("it may be starting: try again; else end the process that has %s open", e.Lock()))
	}
	return lock.Unlock()
}
