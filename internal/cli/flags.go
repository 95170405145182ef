package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/spf13/cobra"
)

// targetFlags are az's flags for saying which container is meant.
type targetFlags struct {
	emulator.ExecTarget
}

// bindApp adds --name and the flag az wants beside it everywhere.
func (t *targetFlags) bindApp(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&t.App, "name", "n", "", "the app (default: the only one there is)")
	cmd.Flags().StringP("resource-group", "g", "", "accepted for az's sake and ignored")
	bindID(cmd)
	complete(cmd, "name", appNames)
}

func (t *targetFlags) bindRevision(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.Revision, "revision", "", "the revision (default: the latest)")
	complete(cmd, "revision", revisionNames)
}

func (t *targetFlags) bindContainer(cmd *cobra.Command) {
	t.bindRevision(cmd)
	cmd.Flags().StringVar(&t.Replica, "replica", "", "the replica (default: the first)")
	cmd.Flags().StringVar(&t.Container, "container", "", "the container (default: the first)")
	complete(cmd, "replica", replicaNames)
	complete(cmd, "container", containerNames)
}

// takeApp accepts the app's name as an argument beside az's flag.
func (t *targetFlags) takeApp(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if t.App != "" && t.App != args[0] {
		return misuse(fmt.Errorf("the app is named twice: %q and %q", args[0], t.App), fmt.Sprintf("write %q", cmd.CommandPath()+" "+args[0]))
	}
	t.App = args[0]
	return nil
}

// findApp returns the app that is named, that of the named revision, or the
// only one.
func (t *targetFlags) findApp(cmd *cobra.Command) (*emulator.App, error) {
	name := t.App
	if i := strings.LastIndex(t.Revision, "--"); name == "" && i > 0 {
		name = t.Revision[:i]
	}
	return findApp(cmd, name)
}

// maximumNArgs is cobra's MaximumNArgs as a misuse.
func maximumNArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return misuse(fmt.Errorf("unexpected argument %q", args[n]), fmt.Sprintf("see %q", cmd.CommandPath()+" --help"))
	}
}

// complete offers names from the running environment for a flag.
func complete(cmd *cobra.Command, flag string, names func(*emulator.Snapshot) []string) {
	// The error is only about a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return fromSnapshot(cmd, names)
	})
}

// completeApps offers app names for a command's first argument.
func completeApps(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return fromSnapshot(cmd, appNames)
}

// fromSnapshot asks the running environment for names. Completion never
// complains: without an environment there is nothing to offer.
func fromSnapshot(cmd *cobra.Command, names func(*emulator.Snapshot) []string) ([]string, cobra.ShellCompDirective) {
	if cmd.Context() == nil {
		cmd.SetContext(context.Background())
	}
	c, err := connect(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), time.Second)
	defer cancel()
	snap, err := c.Snapshot(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names(snap), cobra.ShellCompDirectiveNoFileComp
}

func appNames(s *emulator.Snapshot) (names []string) {
	for _, a := range s.Apps {
		names = append(names, a.Name)
	}
	return names
}

func revisionNames(s *emulator.Snapshot) (names []string) {
	for _, a := range s.Apps {
		for _, r := range a.Revisions {
			names = append(names, r.Name)
		}
	}
	return names
}

func replicaNames(s *emulator.Snapshot) (names []string) {
	for _, a := range s.Apps {
		for _, r := range a.Revisions {
			for _, p := range r.Replicas {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

func containerNames(s *emulator.Snapshot) (names []string) {
	for _, a := range s.Apps {
		for _, c := range a.Properties.Template.Containers {
			names = append(names, c.Name)
		}
	}
	return names
}
