package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/spf13/cobra"
)

func newServeCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run an environment without apps until it is told to end",
		Long: `Run an environment in the foreground and let programs put apps into it over the
HTTP API. A signal drains and removes everything, a second one ends at once and
leaves it for "acalocal down". It is what acalocal's image does in tests.

Variables say where: ACALOCAL_LISTEN is the address the edge listens on instead of
loopback, ACALOCAL_API_LISTEN the API's, and ACALOCAL_NETWORK names a network of
the Docker Engine that the apps join, so that they reach by name what is there.`,
		Example: `  acalocal serve --env e2e
  ACALOCAL_NETWORK=backend acalocal serve`,
		Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := home.Open()
			if err != nil {
				return err
			}
			name, err := namedEnvironment(cmd)
			if err != nil {
				return err
			}
			if name == "" {
				name = defaultEnvironment
			}
			return serve(cmd.Context(), s, h, name)
		},
	}
}

func serve(ctx context.Context, s Streams, h home.Home, name string) error {
	user := watchInterrupts(ctx)
	defer user.stop()
	running, end := context.WithCancel(ctx)
	defer end()
	d, err := startDaemon(running, h, name, s.Err)
	if err != nil {
		return err
	}
	c := client.New(h.Environment(name))
	access, err := c.Access(ctx)
	if err != nil {
		end()
		_ = d.wait() // the first error says it
		return err
	}
	if _, err := fmt.Fprintf(s.Out, "environment %s is ready; the API is at %s\n", name, access.URL); err != nil {
		end()
		_ = d.wait() // the first error says it
		return err
	}
	select {
	case err := <-d.ended: // asked for over the API
		d.ended <- err // for wait
		return d.wait()
	case <-user.first.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := c.Shutdown(ctx, true); err != nil {
		end()
		_ = d.wait() // the first error says it
		return err
	}
	stop := context.AfterFunc(user.second, end)
	defer stop()
	return d.wait()
}
