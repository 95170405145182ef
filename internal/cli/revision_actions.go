package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/spf13/cobra"
)

// revisionAction is a verb about one revision that exists.
type revisionAction struct {
	use, short, answer string
	do                 func(*client.Client, context.Context, string, string) error
	steps              func(*emulator.Revision) []string
	// warn says what is odd about doing it now, or "".
	warn func(*emulator.App, *emulator.Revision) string
	// check says why it cannot be done.
	check func(*emulator.App, *emulator.Revision) error
}

var revisionActions = []revisionAction{
	{"activate", "Start the replicas of an inactive revision", "Activate succeeded", (*client.Client).ActivateRevision, activateSteps, warnSingle, always},
	{"deactivate", "Stop all replicas of a revision", "Deactivate succeeded", (*client.Client).DeactivateRevision, deactivateSteps, warnDeactivate, always},
	{"restart", "Replace the replicas of a revision, new ones first", "Restart succeeded", (*client.Client).RestartRevision, restartSteps,
		func(*emulator.App, *emulator.Revision) string { return "" }, needActive},
}

func always(*emulator.App, *emulator.Revision) error { return nil }

// needActive refuses to restart a revision that has no replicas.
func needActive(app *emulator.App, rev *emulator.Revision) error {
	if rev.Properties.Active && rev.Properties.RunningState != "Deprovisioning" {
		return nil
	}
	return failed(fmt.Errorf("revision %s is not active: there is nothing to restart", rev.Name),
		fmt.Sprintf("start it with %q", "acalocal revision activate -n "+app.Name+" --revision "+rev.Name))
}

func activateSteps(rev *emulator.Revision) []string {
	if rev.Properties.Active {
		return []string{fmt.Sprintf("keep %s (it is active already)", rev.Name)}
	}
	return startSteps(rev, "the revision is activated")
}

func deactivateSteps(rev *emulator.Revision) []string {
	if !rev.Properties.Active {
		return []string{fmt.Sprintf("keep %s (it is inactive already)", rev.Name)}
	}
	return stopSteps(rev, "the revision is deactivated")
}

func (r revisionAction) command(s Streams) *cobra.Command {
	var a action
	cmd := &cobra.Command{
		Use:     r.use,
		Short:   r.short,
		Example: "  acalocal revision " + r.use + " --revision web--0000001",
		Args:    maximumNArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return r.run(cmd, s, &a) },
	}
	a.bind(cmd)
	a.bindRevision(cmd)
	cmd.Flags().Lookup("revision").Usage = "the revision" // az, too, has no default here
	return cmd
}

func (r revisionAction) run(cmd *cobra.Command, s Streams, a *action) error {
	if err := a.needNamed(cmd); err != nil {
		return err
	}
	app, err := a.findApp(cmd)
	if err != nil {
		return err
	}
	rev, err := needRevision(app, a.Revision)
	if err != nil {
		return err
	}
	c, err := connect(cmd)
	if err != nil {
		return err
	}
	if err := r.check(app, rev); err != nil {
		return err
	}
	a.plan(s, app.Name, r.steps(rev)...)
	if text := r.warn(app, rev); text != "" {
		fmt.Fprintf(s.Err, "warning: %s\n", text)
	}
	if err := r.do(c, cmd.Context(), app.Name, rev.Name); err != nil {
		return notRunning(err)
	}
	return a.answer(s, r.answer, r.answer)
}

// warnSingle says that in single mode the mode decides
// (github.com/microsoft/azure-container-apps/issues/679).
func warnSingle(app *emulator.App, _ *emulator.Revision) string {
	if app.Properties.Configuration.ActiveRevisionsMode == aca.Multiple {
		return ""
	}
	return app.Name + " is not in multiple mode: the mode decides which revisions are active, and may undo this"
}

// warnDeactivate names what a deactivation takes from the requests. Azure
// accepts all of it without a word
// (github.com/microsoft/azure-container-apps/issues/410).
func warnDeactivate(app *emulator.App, rev *emulator.Revision) string {
	others := 0
	for _, r := range app.Revisions {
		if r.Properties.Active && r.Name != rev.Name {
			others++
		}
	}
	switch {
	case others == 0:
		return rev.Name + " is the only active revision: the app answers 404 without it"
	case named(app, rev) > 0 && app.Properties.Configuration.ActiveRevisionsMode == aca.Multiple:
		return fmt.Sprintf("%s has %d%% of the traffic by name; nothing fails over to another revision, its share is answered with 404 until the weights change", rev.Name, named(app, rev))
	}
	return warnSingle(app, rev)
}

// named is the share that the traffic gives a revision by its name. What it
// gets as the latest one goes to the latest ready one that is left.
func named(app *emulator.App, rev *emulator.Revision) int {
	if app.Properties.Configuration.Ingress == nil {
		return 0
	}
	share := 0
	for _, w := range app.Properties.Configuration.Ingress.Traffic {
		if w.RevisionName == rev.Name {
			share += w.Weight
		}
	}
	return share
}

func newRevisionCopyCommand(s Streams) *cobra.Command {
	var e edit
	var f templateFlags
	var from string
	var app appFlags
	var file yamlFlag
	cmd := &cobra.Command{
		Use:   "copy",
		Short: "Make a new revision of an earlier one, with changes",
		Example: `  acalocal revision copy --from-revision web--0000001 --set-env-vars COLOUR=blue
  acalocal revision copy --image web:2 --revision-suffix v2`,
		Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			e.Revision = from
			done, err := e.run(cmd, s, func(now *emulator.App, definition *aca.ContainerApp) error {
				if file.file != "" {
					if err := file.apply(cmd, s, now, definition); err != nil {
						return err
					}
				}
				if from != "" {
					rev, err := needRevision(now, from)
					if err != nil {
						return err
					}
					suffix := definition.Properties.Template.RevisionSuffix
					definition.Properties.Template = *rev.Properties.Template.Clone()
					definition.Properties.Template.RevisionSuffix = suffix
				}
				if file.file != "" {
					return nil
				}
				if err := app.apply(definition); err != nil {
					return err
				}
				return f.applyTo(s.Err, definition)
			})
			if err != nil {
				return err
			}
			if !done.applied.NewRevision && !e.dryRun {
				fmt.Fprintln(s.Err, "hint: a copy without a difference makes no revision; change something or give --revision-suffix")
			}
			return answerRevision(s, &e, done)
		},
	}
	e.bind(cmd)
	f.bind(cmd)
	app.bindTags(cmd)
	file.bind(cmd)
	cmd.Flags().StringVar(&from, "from-revision", "", "the revision to copy (default: the latest)")
	complete(cmd, "from-revision", revisionNames)
	return cmd
}

func newRevisionSetModeCommand(s Streams) *cobra.Command {
	var e edit
	var mode, label string
	cmd := &cobra.Command{
		Use:     "set-mode",
		Short:   "Choose how many revisions may be active",
		Example: "  acalocal revision set-mode --mode multiple",
		Args:    maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			want, err := parseMode("mode", mode)
			if err != nil {
				return err
			}
			done, err := e.run(cmd, s, func(_ *emulator.App, app *aca.ContainerApp) error {
				return setMode(app, want, label)
			})
			if err != nil {
				return err
			}
			switch {
			case e.asAz():
				return e.write(s.Out, want)
			case e.asJSON:
				return writeJSON(s.Out, done.definition)
			}
			_, err = fmt.Fprintln(s.Out, want)
			return err
		},
	}
	e.bind(cmd)
	cmd.Flags().StringVar(&mode, "mode", "", "single, multiple or labels")
	cmd.Flags().StringVar(&label, "target-label", "", "with labels: the label that new revisions get")
	completeWords(cmd, "mode", "single", "multiple", "labels")
	return cmd
}

// setMode changes the mode. Weights and labels mean nothing in single mode and
// are refused there, so they go.
func setMode(app *aca.ContainerApp, mode aca.RevisionsMode, label string) error {
	c := &app.Properties.Configuration
	c.ActiveRevisionsMode = mode
	switch {
	case mode == aca.Labels && label == "" && c.TargetLabel == "":
		return misuse(errors.New("the mode labels needs a label for new revisions"), "give --target-label NAME")
	case label != "":
		c.TargetLabel = label
	}
	if mode == aca.Single && c.Ingress != nil {
		in := *c.Ingress
		in.Traffic = []aca.TrafficWeight{{LatestRevision: true, Weight: 100}}
		c.Ingress = &in
	}
	return nil
}
