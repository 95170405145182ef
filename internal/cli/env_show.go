package cli

import (
	"context"
	"errors"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/spf13/cobra"
)

func newEnvShowCommand(s Streams) *cobra.Command {
	o := output{asJSON: true}
	cmd := &cobra.Command{
		Use: "show", Short: "Show the environment as a resource", Args: maximumNArgs(0),
		Example: `  acalocal env show --query properties.defaultDomain -o tsv
  acalocal env show -n dev --query id -o tsv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			env, err := c.ManagedEnvironment(cmd.Context())
			if err != nil {
				return notRunning(err)
			}
			return o.write(s.Out, env)
		},
	}
	bindEnvironment(cmd, "name", "n")
	o.bind(cmd, "the output is JSON either way")
	return cmd
}

func newEnvListCommand(s Streams) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use: "list", Short: "List the environments that run", Args: maximumNArgs(0),
		Example: "  acalocal env list -o table",
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := home.Open()
			if err != nil {
				return err
			}
			envs, err := managedEnvironments(cmd.Context(), h)
			if err != nil {
				return err
			}
			if !o.asText() {
				return o.write(s.Out, envs)
			}
			t := newTable("ENVIRONMENT", "DOMAIN", "CREATED")
			for _, e := range envs {
				t.add(e.Name, e.Properties.DefaultDomain, e.SystemData.CreatedAt)
			}
			return t.write(s.Out)
		},
	}
	o.bind(cmd, "print the resources as JSON")
	return cmd
}

// managedEnvironments are the environments with a daemon, by name.
func managedEnvironments(ctx context.Context, h home.Home) ([]aca.ManagedEnvironment, error) {
	names, err := runningEnvironments(ctx, h)
	if err != nil {
		return nil, err
	}
	out := []aca.ManagedEnvironment{}
	for _, name := range names {
		env, err := client.New(h.Environment(name)).ManagedEnvironment(ctx)
		if errors.Is(err, client.ErrNotRunning) {
			continue // it has ended since
		}
		if err != nil {
			return nil, err
		}
		out = append(out, env)
	}
	return out, nil
}
