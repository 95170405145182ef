package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/spf13/cobra"
)

func newEnvCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "env", Short: "Look at and change what belongs to the environment", Args: noSubcommand, RunE: showHelp}
	routes := &cobra.Command{
		Use:   "http-route-config",
		Short: "Spread the paths of one host over apps",
		Long: `Spread the paths of one host over apps: rule-based routing of Azure Container
Apps. "acalocal up" applies the route configs of the definition; these commands
look at them and change single ones.`,
		Args: noSubcommand, RunE: showHelp,
	}
	routes.AddCommand(newRouteConfigListCommand(s), newRouteConfigShowCommand(s), newRouteConfigCreateCommand(s), newRouteConfigDeleteCommand(s))
	cmd.AddCommand(newEnvShowCommand(s), newEnvListCommand(s), routes)
	return cmd
}

// bindRouteConfigName adds az's flag for the name of a route config.
func bindRouteConfigName(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVarP(name, "http-route-config-name", "r", "", "name of the route config")
	bindEnvironment(cmd, "name", "n")
}

func newRouteConfigListCommand(s Streams) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use: "list", Short: "List the route configs of the environment", Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			snap, err := snapshot(cmd)
			if err != nil {
				return err
			}
			if o.asText() {
				return writeRouteConfigs(s.Out, snap)
			}
			return o.write(s.Out, orEmpty(snap.RouteConfigs))
		},
	}
	bindEnvironment(cmd, "name", "n")
	o.bind(cmd, "print the resources as JSON")
	return cmd
}

// writeRouteConfigs prints one row for each route of each route config, in the
// order in which they are tried.
func writeRouteConfigs(w io.Writer, snap *emulator.Snapshot) error {
	if len(snap.RouteConfigs) == 0 {
		_, err := fmt.Fprintf(w, "environment %s has no route config\n", snap.Environment)
		return err
	}
	t := newTable("ROUTE CONFIG", "RULE", "MATCH", "REWRITE", "TARGETS", "URL")
	for i := range snap.RouteConfigs {
		c := &snap.RouteConfigs[i]
		for n, rule := range c.Properties.Rules {
			for _, r := range rule.Routes {
				rewrite := ""
				if r.Action != nil {
					rewrite = r.Action.PrefixRewrite
				}
				t.add(c.Name, strconv.Itoa(n+1), matchText(r.Match), rewrite, targetsText(rule.Targets), routeConfigURL(snap, c))
			}
		}
	}
	if err := t.write(w); err != nil {
		return err
	}
	return writeRouteProblems(w, snap)
}

func writeRouteProblems(w io.Writer, snap *emulator.Snapshot) error {
	for _, c := range snap.RouteConfigs {
		if c.Local.Problem == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "\nroute config %s: %s\n", c.Name, c.Local.Problem); err != nil {
			return err
		}
	}
	return nil
}

// routeConfigURL is where a route config answers on this machine.
func routeConfigURL(snap *emulator.Snapshot, c *emulator.RouteConfig) string {
	if snap.SecureEdge == "" {
		return "http://" + c.Properties.Fqdn + portOf(snap.Edge, "80")
	}
	return "https://" + c.Properties.Fqdn + portOf(snap.SecureEdge, "443")
}

func newRouteConfigShowCommand(s Streams) *cobra.Command {
	var name string
	o := output{asJSON: true}
	cmd := &cobra.Command{
		Use: "show", Short: "Show one route config", Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			snap, err := snapshot(cmd)
			if err != nil {
				return err
			}
			c := snap.RouteConfig(name)
			if c == nil {
				return noRouteConfig(snap, name)
			}
			return o.write(s.Out, c)
		},
	}
	bindRouteConfigName(cmd, &name)
	o.bind(cmd, "the output is JSON either way")
	return cmd
}

func noRouteConfig(snap *emulator.Snapshot, name string) error {
	var names []string
	for _, c := range snap.RouteConfigs {
		names = append(names, c.Name)
	}
	return failed(fmt.Errorf("environment %s has no route config %q", snap.Environment, name), thereIs(names))
}

func newRouteConfigCreateCommand(s Streams) *cobra.Command {
	var name, file string
	o := output{asJSON: true}
	cmd := &cobra.Command{
		Use: "create", Aliases: []string{"update"}, Short: "Create or replace a route config", Args: maximumNArgs(0),
		Long: `Create or replace a route config from the YAML that
"az containerapp env http-route-config create" takes, or from an ARM resource.`,
		Example: "  acalocal env http-route-config create -r shop --yaml routes.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return misuse(errors.New("no file is given"), "name it with --yaml")
			}
			definition, problems := config.LoadRouteConfig(file, name)
			if err := reportProblems(s, problems); err != nil {
				return err
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if err := c.ApplyRouteConfig(cmd.Context(), definition); err != nil {
				return notRunning(err)
			}
			snap, err := c.Snapshot(cmd.Context())
			if err != nil {
				return err
			}
			return o.write(s.Out, snap.RouteConfig(definition.Name))
		},
	}
	bindRouteConfigName(cmd, &name)
	cmd.Flags().StringVar(&file, "yaml", "", "`FILE` with the rules")
	o.bind(cmd, "the output is JSON either way")
	return cmd
}

func newRouteConfigDeleteCommand(s Streams) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "delete", Short: "Remove a route config", Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if err := c.DeleteRouteConfig(cmd.Context(), name); err != nil {
				return notRunning(err)
			}
			_, err = fmt.Fprintf(s.Err, "removed the route config %s\n", name)
			return err
		},
	}
	bindRouteConfigName(cmd, &name)
	// az asks unless it is told not to; a definition that can be applied again
	// needs no question.
	cmd.Flags().BoolP("yes", "y", true, "nothing is asked either way")
	return cmd
}

// addStatusRoutes prints where the route configs answer.
func addStatusRoutes(w io.Writer, snap *emulator.Snapshot) error {
	if len(snap.RouteConfigs) == 0 {
		return nil
	}
	t := newTable("ROUTE CONFIG", "APPS", "URL")
	for i := range snap.RouteConfigs {
		c := &snap.RouteConfigs[i]
		t.add(c.Name, strings.Join(routedApps(c), ","), routeConfigURL(snap, c))
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return t.write(w)
}
