package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/fault"
	"github.com/spf13/cobra"
)

func newFaultCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fault",
		Short: "Break something on purpose",
		Long: `Break something of an environment on purpose and see what the apps make of it.
Faults are listed, can be removed, and are told in the system log with the
source "acalocal"; they go with the daemon.`,
		Args: noSubcommand, RunE: showHelp,
	}
	cmd.AddCommand(newFaultAddCommand(s), newFaultListCommand(s), newFaultRemoveCommand(s))
	return cmd
}

func newFaultAddCommand(s Streams) *cobra.Command {
	var f fault.Fault
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "add KIND",
		Short: "Add a fault",
		Long: `Add a fault of one of these kinds:

  kill-replica    end a replica at once, or with --container one container of it
  fail-probe      fail attempts of probes
  delay-probe     let attempts of probes take --delay longer
  slow-link       let requests wait for --delay on their way to a replica
  cut-link        break the connections of requests to a replica
  exhaust-memory  take memory in a container until the kernel kills it; the
                  image needs sh and tail
  refuse-pull     let the registry refuse --image
  lose-engine     lose the container engine, --for a while

What chooses a victim may be a pattern such as 'web-*'; what is left out means
all, and of several the kinds that kill draw one. Without --after a fault begins
at once, without --for it stands until it is removed.`,
		Example: `  acalocal fault add kill-replica --app web
  acalocal fault add fail-probe --app web --probe Liveness --for 30s
  acalocal fault add slow-link --app api --path '/orders/**' --delay 2s --percent 10 --seed 7
  acalocal fault add kill-replica --every 20s --times 5
  acalocal fault add lose-engine --after 10s --for 5s`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return misuse(errors.New("say one kind of fault"), `see "acalocal fault add --help"`)
		},
		ValidArgsFunction: cobra.FixedCompletions(faultKinds(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Kind = fault.Kind(args[0])
			var wrong *aca.Error
			if errors.As(f.Check(), &wrong) {
				return misuse(errors.New(wrong.Message), `see "acalocal fault add --help"`)
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			st, err := c.AddFault(cmd.Context(), f)
			if err != nil {
				return notRunning(err)
			}
			if asJSON {
				return writeJSON(s.Out, st)
			}
			_, err = fmt.Fprintln(s.Out, st.Name)
			return err
		},
	}
	bindFault(cmd, &f)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the fault as JSON instead of its name")
	return cmd
}

func bindFault(cmd *cobra.Command, f *fault.Fault) {
	fl := cmd.Flags()
	fl.StringVar(&f.Name, "name", "", "what to call it (default: its kind and a number)")
	fl.StringVar(&f.App, "app", "", "the app")
	fl.StringVar(&f.Revision, "revision", "", "the revision")
	fl.StringVar(&f.Replica, "replica", "", "the replica")
	fl.StringVar(&f.Container, "container", "", "the container")
	fl.StringVar(&f.Image, "image", "", "the image, of refuse-pull")
	fl.StringVar(&f.Probe, "probe", "", "Liveness, Readiness or Startup, of probes")
	fl.StringVar(&f.Request.Method, "method", "", "the method of requests, of links")
	fl.StringVar(&f.Request.Path, "path", "", "the path of requests, of links; '/a/**' is all below /a")
	fl.StringVar(&f.Request.Header, "header", "", "a header of requests, of links: 'Name: value', or 'Name' for any value")
	fl.DurationVar((*time.Duration)(&f.After), "after", 0, "begin that much later")
	fl.DurationVar((*time.Duration)(&f.For), "for", 0, "how long it stands")
	fl.DurationVar((*time.Duration)(&f.Every), "every", 0, "strike again and again, of kinds that kill")
	fl.IntVar(&f.Times, "times", 0, "how often it happens at most")
	fl.Float64Var(&f.Percent, "percent", 0, "the share of occasions that are taken")
	fl.Uint64Var(&f.Seed, "seed", 0, "draws those occasions and the victims: the same seed, the same draw")
	fl.DurationVar((*time.Duration)(&f.Delay), "delay", 0, "how much longer something takes")
	complete(cmd, "app", appNames)
	complete(cmd, "revision", revisionNames)
	complete(cmd, "replica", replicaNames)
	complete(cmd, "container", containerNames)
	completeWords(cmd, "probe", "Liveness", "Readiness", "Startup")
}

func faultKinds() (names []string) {
	for _, k := range fault.Kinds {
		names = append(names, string(k))
	}
	return names
}

func newFaultListCommand(s Streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the faults, those that are over included",
		Example: "  acalocal fault list",
		Args:    maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			faults, err := c.Faults(cmd.Context())
			if err != nil {
				return notRunning(err)
			}
			if asJSON {
				return writeJSON(s.Out, orEmpty(faults))
			}
			t := newTable("NAME", "PHASE", "HAPPENED", "FAULT", "LAST")
			for _, f := range faults {
				t.add(f.Name, string(f.Phase), fmt.Sprint(f.Count), f.Fault.String(), orDash(f.Last))
			}
			return t.write(s.Out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the faults as JSON")
	return cmd
}

func newFaultRemoveCommand(s Streams) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "remove NAME ...",
		Short: "End faults and forget them",
		Example: `  acalocal fault remove slow-link-1
  acalocal fault remove --all`,
		Args: func(_ *cobra.Command, args []string) error {
			if (len(args) == 0) == all {
				return nil
			}
			return misuse(errors.New("say which faults, or --all"), `see "acalocal fault list"`)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if all {
				args = []string{""}
			}
			removed := 0
			for _, name := range args {
				n, err := c.RemoveFaults(cmd.Context(), name)
				if err != nil {
					return notRunning(err)
				}
				removed += n
			}
			_, err = fmt.Fprintf(s.Err, "faults removed: %d\n", removed)
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "end all of them")
	return cmd
}
