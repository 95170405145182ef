package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/spf13/cobra"
)

func newReplicaCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "replica", Short: "Look at the replicas of a revision", Args: noSubcommand, RunE: showHelp}
	cmd.AddCommand(newReplicaListCommand(s))
	return cmd
}

func newReplicaListCommand(s Streams) *cobra.Command {
	var t targetFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [APP]",
		Short: "List the replicas of a revision and their containers",
		Example: `  acalocal replica list
  acalocal replica list -n web --revision web--0000001`,
		Args:              maximumNArgs(1),
		ValidArgsFunction: completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.takeApp(cmd, args); err != nil {
				return err
			}
			rev, err := findRevision(cmd, t)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(s.Out, orEmpty(rev.Replicas))
			}
			return writeReplicas(s.Out, rev.Replicas)
		},
	}
	t.bindApp(cmd)
	t.bindRevision(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the resources as JSON")
	return cmd
}

// findRevision returns the named revision of an app, or its latest.
func findRevision(cmd *cobra.Command, t targetFlags) (*emulator.Revision, error) {
	app, err := findApp(cmd, t.App)
	if err != nil {
		return nil, err
	}
	name := t.Revision
	if name == "" {
		name = app.Properties.LatestRevisionName
	}
	if rev := app.Revision(name); rev != nil {
		return rev, nil
	}
	return nil, failed(fmt.Errorf("app %s has no revision %q", app.Name, name), fmt.Sprintf("see %q", "acalocal revision list --all -n "+app.Name))
}

// writeReplicas prints one row for each container.
func writeReplicas(w io.Writer, replicas []emulator.Replica) error {
	t := newTable("REPLICA", "STATE", "CONTAINER", "STATE", "READY", "RESTARTS", "DETAILS")
	for i := range replicas {
		r := &replicas[i]
		state := r.Properties.RunningState
		if r.Draining {
			state = "Draining"
		}
		add := func(c aca.ReplicaContainer, kind string) {
			t.add(r.Name, state, c.Name+kind, c.RunningState, yesNo(c.Ready), strconv.Itoa(c.RestartCount), c.RunningStateDetails)
		}
		for _, c := range r.Properties.InitContainers {
			add(c, " (init)")
		}
		for _, c := range r.Properties.Containers {
			add(c, "")
		}
	}
	return t.write(w)
}
