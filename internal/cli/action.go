package cli

import (
	"errors"
	"fmt"

	"github.com/acalocal/acalocal/emulator"
	"github.com/spf13/cobra"
)

// action is a verb that changes what runs and nothing in a definition. It says
// the plan on stderr and az's answer on stdout.
type action struct {
	targetFlags
	output
}

func (a *action) bind(cmd *cobra.Command) {
	a.bindApp(cmd)
	a.output.bind(cmd, "print the answer as JSON")
}

// plan says what is about to be done to an app, a step a line with its cause.
func (a *action) plan(s Streams, app string, steps ...string) {
	fmt.Fprintf(s.Err, "plan for %s:\n", app)
	for _, step := range steps {
		fmt.Fprintf(s.Err, "  %s\n", step)
	}
}

// answer prints az's answer: a text, or with --json the value az gives.
func (a *action) answer(s Streams, text string, value any) error {
	if !a.asText() {
		return a.write(s.Out, value)
	}
	_, err := fmt.Fprintln(s.Out, text)
	return err
}

// replicasOf are "1 replica" of a revision, those on their way out not counted.
func replicasOf(rev *emulator.Revision) string {
	n := 0
	for _, r := range rev.Replicas {
		if !r.Draining {
			n++
		}
	}
	return count(n, "replica")
}

// graceOf is how long containers of a revision may take to end.
func graceOf(rev *emulator.Revision) int {
	if n := rev.Properties.Template.TerminationGracePeriodSeconds; n != nil {
		return *n
	}
	return 30
}

// restartSteps are the steps of a restart: new replicas first.
func restartSteps(rev *emulator.Revision) []string {
	n := replicasOf(rev)
	return []string{
		fmt.Sprintf("start %s of %s beside those that run (restart; images are resolved and secrets read again)", n, rev.Name),
		fmt.Sprintf("drain and stop the %s before, SIGTERM and %d s of grace (when the new ones are ready)", n, graceOf(rev)),
	}
}

// stopSteps are the steps of taking all replicas of a revision away.
func stopSteps(rev *emulator.Revision, cause string) []string {
	return []string{fmt.Sprintf("drain and stop %s of %s, SIGTERM and %d s of grace (%s)", replicasOf(rev), rev.Name, graceOf(rev), cause)}
}

// startSteps are the steps of bringing a revision back.
func startSteps(rev *emulator.Revision, cause string) []string {
	return []string{fmt.Sprintf("start %s of %s (%s)", count(max(rev.Properties.Template.Scale.Min(), 1), "replica"), rev.Name, cause)}
}

func newAppRunningCommand(s Streams, running bool) *cobra.Command {
	var a action
	use, short, long := "start", "Start an app that was stopped", "Start an app that was stopped: its active revisions get replicas again."
	if !running {
		use, short, long = "stop", "Stop an app", "Stop an app: the replicas of all revisions are drained and stopped, and its\nhosts answer the 404 page until it is started. Nothing else changes."
	}
	cmd := &cobra.Command{
		Use:               use + " [APP]",
		Short:             short,
		Long:              long,
		Example:           "  acalocal app " + use + " web",
		Args:              maximumNArgs(1),
		ValidArgsFunction: completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.takeApp(cmd, args); err != nil {
				return err
			}
			return a.setRunning(cmd, s, running)
		},
	}
	a.bind(cmd)
	return cmd
}

func (a *action) setRunning(cmd *cobra.Command, s Streams, running bool) error {
	app, err := findApp(cmd, a.App)
	if err != nil {
		return err
	}
	c, err := connect(cmd)
	if err != nil {
		return err
	}
	do, text, steps, cause := c.StopApp, "Stop succeeded", stopSteps, "the app is stopped"
	if running {
		do, text, steps, cause = c.StartApp, "Start succeeded", startSteps, "the app is started"
	}
	a.plan(s, app.Name, a.runningSteps(app, running, steps, cause)...)
	if err := do(cmd.Context(), app.Name); err != nil {
		return notRunning(err)
	}
	after, err := findApp(cmd, app.Name)
	if err != nil {
		return err
	}
	return a.answer(s, text, after)
}

// runningSteps are the steps of starting or stopping an app.
func (a *action) runningSteps(app *emulator.App, running bool, steps func(*emulator.Revision, string) []string, cause string) []string {
	if (app.Properties.RunningStatus != "Stopped") == running {
		return []string{fmt.Sprintf("keep %s (it is %s already)", app.Name, app.Properties.RunningStatus)}
	}
	var out []string
	for i := range app.Revisions {
		if app.Revisions[i].Properties.Active {
			out = append(out, steps(&app.Revisions[i], cause)...)
		}
	}
	if !running && app.Properties.Configuration.Ingress != nil {
		out = append(out, "answer 404 at the hosts of the app (until it is started)")
	}
	return out
}

func newRestartCommand(s Streams) *cobra.Command {
	var a action
	cmd := &cobra.Command{
		Use:   "restart [APP]",
		Short: "Restart the replicas of a revision",
		Long: `Restart the replicas of a revision, its latest unless --revision says
otherwise. Changed secrets take effect only then, as on Azure.`,
		Example: `  acalocal restart web
  acalocal restart -n web --revision web--0000001`,
		Args:              maximumNArgs(1),
		ValidArgsFunction: completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.takeApp(cmd, args); err != nil {
				return err
			}
			return a.restart(cmd, s)
		},
	}
	a.bind(cmd)
	a.bindRevision(cmd)
	return cmd
}

func (a *action) restart(cmd *cobra.Command, s Streams) error {
	app, err := a.findApp(cmd)
	if err != nil {
		return err
	}
	name := a.Revision
	if name == "" {
		name = app.Properties.LatestRevisionName
	}
	rev, err := needRevision(app, name)
	if err != nil {
		return err
	}
	if err := needActive(app, rev); err != nil {
		return err
	}
	c, err := connect(cmd)
	if err != nil {
		return err
	}
	a.plan(s, app.Name, restartSteps(rev)...)
	if err := c.Restart(cmd.Context(), app.Name, rev.Name); err != nil {
		return notRunning(err)
	}
	return a.answer(s, "Restart succeeded", "Restart succeeded")
}

// needNamed refuses a verb about a revision that names none.
func (a *action) needNamed(cmd *cobra.Command) error {
	if a.Revision == "" {
		return misuse(errors.New("no revision is named"), fmt.Sprintf("write %q", cmd.CommandPath()+" --revision NAME"))
	}
	return nil
}
