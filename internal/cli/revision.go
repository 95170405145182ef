package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/cli/azout"
	"github.com/spf13/cobra"
)

func newRevisionCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "revision", Short: "Look at and change the revisions of an app", Args: noSubcommand, RunE: showHelp}
	cmd.AddCommand(newRevisionListCommand(s), newRevisionShowCommand(s), newRevisionCopyCommand(s),
		newRevisionSetModeCommand(s), newRevisionLabelCommand(s))
	for _, a := range revisionActions {
		cmd.AddCommand(a.command(s))
	}
	return cmd
}

func newRevisionListCommand(s Streams) *cobra.Command {
	var t targetFlags
	var all bool
	o := output{table: azout.Revisions}
	cmd := &cobra.Command{
		Use:   "list [APP]",
		Short: "List the revisions of an app",
		Example: `  acalocal revision list
  acalocal revision list -n web --all`,
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
			revisions := activeOnly(app.Revisions, all)
			if o.asText() {
				return writeRevisions(s.Out, revisions)
			}
			return o.write(s.Out, revisions)
		},
	}
	t.bindApp(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "inactive revisions too")
	o.bind(cmd, "print the resources as JSON")
	return cmd
}

// activeOnly leaves inactive revisions out, as az does, unless all is set.
func activeOnly(revisions []emulator.Revision, all bool) []emulator.Revision {
	out := []emulator.Revision{}
	for _, r := range revisions {
		if all || r.Properties.Active {
			out = append(out, r)
		}
	}
	return out
}

func writeRevisions(w io.Writer, revisions []emulator.Revision) error {
	t := newTable("NAME", "CREATED", "ACTIVE", "PROVISIONING", "HEALTH", "RUNNING", "REPLICAS", "TRAFFIC", "SERVING", "DETAILS")
	for i := range revisions {
		r := &revisions[i]
		p := r.Properties
		t.add(r.Name, stamp(p.CreatedTime), yesNo(p.Active), p.ProvisioningState, p.HealthState, p.RunningState,
			readyOf(r), fmt.Sprintf("%d%%", p.TrafficWeight), fmt.Sprintf("%d%%", r.Serving), p.RunningStateDetails)
	}
	return t.write(w)
}

// stamp is how az prints the times of revisions.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05+00:00")
}
