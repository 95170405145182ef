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
	cmd.AddCommand(newReplicaListCommand(s), newReplicaShowCommand(s))
	return cmd
}

func newReplicaListCommand(s Streams) *cobra.Command {
	var t targetFlags
	var o output
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
			if o.asText() {
				return writeReplicas(s.Out, rev.Replicas)
			}
			return o.write(s.Out, orEmpty(rev.Replicas))
		},
	}
	t.bindApp(cmd)
	t.bindRevision(cmd)
	o.bind(cmd, "print the resources as JSON")
	return cmd
}

func newReplicaShowCommand(s Streams) *cobra.Command {
	var t targetFlags
	var o output
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "Show one replica, the first unless --replica says otherwise",
		Example: "  acalocal replica show -n web --json",
		Args:    maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			rev, err := findRevision(cmd, t)
			if err != nil {
				return err
			}
			r, err := replicaOf(rev, t.Replica)
			if err != nil {
				return err
			}
			if o.asText() {
				return writeReplicas(s.Out, []emulator.Replica{*r})
			}
			return o.write(s.Out, r)
		},
	}
	t.bindApp(cmd)
	t.bindRevision(cmd)
	cmd.Flags().StringVar(&t.Replica, "replica", "", "the replica (default: the first)")
	complete(cmd, "replica", replicaNames)
	o.bind(cmd, "print the resource as JSON")
	return cmd
}

// replicaOf returns the named replica of a revision, or its first.
func replicaOf(rev *emulator.Revision, name string) (*emulator.Replica, error) {
	var names []string
	for i := range rev.Replicas {
		if name == "" || rev.Replicas[i].Name == name {
			return &rev.Replicas[i], nil
		}
		names = append(names, rev.Replicas[i].Name)
	}
	if len(names) == 0 {
		return nil, failed(fmt.Errorf("revision %s has no replica", rev.Name), "a request wakes it when it has scaled to zero")
	}
	return nil, failed(fmt.Errorf("revision %s has no replica %q", rev.Name, name), thereIs(names))
}

// findRevision returns the named revision of an app, or its latest.
func findRevision(cmd *cobra.Command, t targetFlags) (*emulator.Revision, error) {
	app, err := t.findApp(cmd)
	if err != nil {
		return nil, err
	}
	name := t.Revision
	if name == "" {
		name = app.Properties.LatestRevisionName
	}
	return needRevision(app, name)
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
