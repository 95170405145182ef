package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/cli/azout"
	"github.com/spf13/cobra"
)

func newAppCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "app", Short: "Look at apps, stop and start them", Args: noSubcommand, RunE: showHelp}
	cmd.AddCommand(newAppShowCommand(s), newAppListCommand(s), newAppRunningCommand(s, true), newAppRunningCommand(s, false))
	return cmd
}

func newAppShowCommand(s Streams) *cobra.Command {
	var t targetFlags
	o := output{table: azout.Apps}
	cmd := &cobra.Command{
		Use:   "show [APP]",
		Short: "Show one app",
		Example: `  acalocal app show web
  acalocal app show --json | jq .local.port
  acalocal app show -n web --query properties.configuration.ingress.fqdn -o tsv
  acalocal app show -n web --query '[id, systemData.createdAt]' -o tsv`,
		Args:              maximumNArgs(1),
		ValidArgsFunction: completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.takeApp(cmd, args); err != nil {
				return err
			}
			app, err := findApp(cmd, t.App)
			if err != nil {
				return err
			}
			if o.asText() {
				return writeApp(s.Out, app)
			}
			return o.write(s.Out, app)
		},
	}
	t.bindApp(cmd)
	o.bind(cmd, "print the resource as ARM has it, with what is local under \"local\"")
	return cmd
}

func newAppListCommand(s Streams) *cobra.Command {
	o := output{table: azout.Apps}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the apps of the environment",
		Example: "  acalocal app list",
		Args:    maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			snap, err := snapshot(cmd)
			if err != nil {
				return err
			}
			if !o.asText() {
				return o.write(s.Out, orEmpty(snap.Apps))
			}
			t := newTable("NAME", "RUNNING", "LATEST REVISION", "READY", "URL")
			for _, a := range snap.Apps {
				t.add(a.Name, a.Properties.RunningStatus, a.Properties.LatestRevisionName, yesNo(a.Local.Ready), a.Local.URL)
			}
			return t.write(s.Out)
		},
	}
	cmd.Flags().StringP("resource-group", "g", "", "accepted for az's sake and ignored")
	bindEnvironment(cmd, "environment", "")
	o.bind(cmd, "print the resources as JSON")
	return cmd
}

// writeApp prints what one asks about an app most often.
func writeApp(w io.Writer, app *emulator.App) error {
	p := app.Properties
	lines := []string{
		"name              " + app.Name,
		"provisioning      " + p.ProvisioningState,
		"running           " + p.RunningStatus,
		"latest revision   " + p.LatestRevisionName,
		"ready revision    " + orDash(p.LatestReadyRevisionName),
		"revisions mode    " + string(p.Configuration.ActiveRevisionsMode),
		"ingress           " + describeIngress(app),
		"url               " + orDash(app.Local.URL),
		"answers requests  " + yesNo(app.Local.Ready),
	}
	if app.Local.RestartPending {
		lines = append(lines, "restart pending   yes; a secret has changed")
	}
	if app.Local.Problem != "" {
		lines = append(lines, "problem           "+app.Local.Problem)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

func describeIngress(app *emulator.App) string {
	in := app.Properties.Configuration.Ingress
	if in == nil {
		return "none"
	}
	where := "internal"
	if in.External {
		where = "external"
	}
	if in.TargetPort == 0 {
		return fmt.Sprintf("%s, %s to the port that listens", where, in.Transport)
	}
	return fmt.Sprintf("%s, %s to port %d", where, in.Transport, in.TargetPort)
}

// snapshot returns the state of the environment a command acts on.
func snapshot(cmd *cobra.Command) (*emulator.Snapshot, error) {
	c, err := connect(cmd)
	if err != nil {
		return nil, err
	}
	snap, err := c.Snapshot(cmd.Context())
	return snap, notRunning(err)
}

// findApp returns the named app, or without a name the only one.
func findApp(cmd *cobra.Command, name string) (*emulator.App, error) {
	snap, err := snapshot(cmd)
	if err != nil {
		return nil, err
	}
	names := strings.Join(appNames(snap), ", ")
	switch {
	case name != "":
		if app := snap.App(strings.ToLower(name)); app != nil {
			return app, nil
		}
		return nil, failed(fmt.Errorf("no app is named %q", name), thereIs(appNames(snap)))
	case len(snap.Apps) == 1:
		return &snap.Apps[0], nil
	case len(snap.Apps) == 0:
		return nil, failed(fmt.Errorf("environment %s has no app", snap.Environment), `add one with "acalocal up FILE"`)
	}
	return nil, misuse(errors.New("there are several apps: "+names), fmt.Sprintf("say which, as in %q", cmd.CommandPath()+" --name "+snap.Apps[0].Name))
}

// thereIs lists the names a mistyped one could have meant, the newest of many.
func thereIs(names []string) string {
	const most = 8
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("there is: %s, and %d more", strings.Join(names[more:], ", "), more)
	}
	return "there is: " + orDash(strings.Join(names, ", "))
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// orEmpty makes a list of nothing print as [] rather than null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// showHelp is what a command does that only groups others.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// noSubcommand refuses a word that names no subcommand.
func noSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := fmt.Sprintf("see %q", cmd.CommandPath()+" --help")
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %q?", cmd.CommandPath()+" "+near[0])
	}
	return misuse(fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath()), hint)
}
