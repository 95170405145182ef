package cli

import (
	"fmt"
	"maps"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/cli/change"
	"github.com/spf13/cobra"
)

// edit is a command that reads an app, changes its definition and hands it
// back, as az's update commands do.
type edit struct {
	targetFlags
	output
	dryRun bool
}

func (e *edit) bind(cmd *cobra.Command) {
	e.bindApp(cmd)
	e.output.bind(cmd, "print the resource as JSON")
	cmd.Flags().BoolVar(&e.dryRun, "dry-run", false, "say what would be done and do nothing")
}

// run changes the app the flags name and says what is done and why on stderr.
// It returns the app as it was before and its definition as it is now.
func (e *edit) run(cmd *cobra.Command, s Streams, f func(*emulator.App, *aca.ContainerApp) error) (*outcome, error) {
	app, err := e.findApp(cmd)
	if err != nil {
		return nil, err
	}
	definition := *app.Clone()
	if err := f(app, &definition); err != nil {
		return nil, err
	}
	c, err := connect(cmd)
	if err != nil {
		return nil, err
	}
	applied, err := c.Update(cmd.Context(), emulator.ApplyRequest{App: definition, DryRun: e.dryRun})
	if err != nil {
		return nil, notRunning(err)
	}
	out := &outcome{before: app, definition: definition, applied: applied}
	if !e.asText() && !e.dryRun {
		if out.after, err = findApp(cmd, app.Name); err != nil {
			return nil, err
		}
	}
	sayPlan(s, out, e.dryRun)
	return out, nil
}

// outcome is what an edit has done.
type outcome struct {
	before     *emulator.App
	definition aca.ContainerApp
	applied    emulator.Applied
	after      *emulator.App // what az would answer with; nil for text and for what is not done
}

// ingress is the ingress as it is now, nil when there is none.
func (o *outcome) ingress() *aca.Ingress {
	if o.after != nil {
		return o.after.Properties.Configuration.Ingress
	}
	return o.definition.Properties.Configuration.Ingress
}

// sayPlan prints the steps of a change, each with its cause.
func sayPlan(s Streams, e *outcome, dryRun bool) {
	head := "plan"
	if dryRun {
		head = "plan (nothing is done)"
	}
	fmt.Fprintf(s.Err, "%s for %s:\n", head, e.before.Name)
	steps := configurationSteps(e.before.Properties.Configuration, e.definition.Properties.Configuration)
	if !maps.Equal(e.before.Tags, e.definition.Tags) {
		steps = append(steps, "set the tags (nothing that runs depends on them)")
	}
	for _, step := range steps {
		fmt.Fprintf(s.Err, "  %s\n", step)
	}
	for line := range strings.Lines(e.applied.Plan) {
		fmt.Fprintf(s.Err, "  %s\n", strings.TrimRight(line, "\n"))
	}
}

// configurationSteps says what changes for all revisions of an app at once.
func configurationSteps(before, after aca.Configuration) []string {
	var steps []string
	if before.ActiveRevisionsMode != after.ActiveRevisionsMode {
		steps = append(steps, fmt.Sprintf("revision mode %s becomes %s (%s)", before.ActiveRevisionsMode, after.ActiveRevisionsMode, modeMeans(after.ActiveRevisionsMode)))
	}
	if n := after.MaxInactiveRevisions; n != nil && (before.MaxInactiveRevisions == nil || *before.MaxInactiveRevisions != *n) {
		steps = append(steps, keepsInactive(*n))
	}
	switch {
	case before.Ingress == nil && after.Ingress != nil:
		return append(steps, "open the ingress (applies to all revisions at once)")
	case before.Ingress != nil && after.Ingress == nil:
		return append(steps, "close the ingress (applies to all revisions at once)")
	case before.Ingress == nil:
		return steps
	}
	steps = append(steps, change.TrafficSteps(trafficOf(before.Ingress), trafficOf(after.Ingress))...)
	if fields := change.IngressFields(before.Ingress, after.Ingress); len(fields) > 0 {
		steps = append(steps, fmt.Sprintf("set %s of the ingress (applies to all revisions at once)", strings.Join(fields, ", ")))
	}
	return steps
}

func keepsInactive(n int) string {
	switch n {
	case 0:
		return "keep no inactive revision"
	case 1:
		return "keep 1 inactive revision at most, the latest"
	}
	return fmt.Sprintf("keep %d inactive revisions at most, the oldest go first", n)
}

// trafficOf is the traffic of an ingress; without any, all goes to the latest
// revision.
func trafficOf(in *aca.Ingress) []aca.TrafficWeight {
	if len(in.Traffic) > 0 {
		return in.Traffic
	}
	return []aca.TrafficWeight{{LatestRevision: true, Weight: 100}}
}

func modeMeans(m aca.RevisionsMode) string {
	switch m {
	case aca.Multiple:
		return "revisions stay active until you deactivate them, weights decide"
	case aca.Labels:
		return "revisions without a label are shut down"
	}
	return "the latest ready revision stays, the others are deactivated"
}

// ingressOf returns the app's ingress in a copy of its own, or says how to get one.
func ingressOf(app *aca.ContainerApp) (*aca.Ingress, error) {
	if app.Properties.Configuration.Ingress == nil {
		return nil, failed(fmt.Errorf("app %s has no ingress", app.Name), fmt.Sprintf("open it with %q", "acalocal ingress enable -n "+app.Name+" --type external --target-port PORT"))
	}
	in := *app.Properties.Configuration.Ingress
	in.Traffic = trafficOf(&in)
	app.Properties.Configuration.Ingress = &in
	return &in, nil
}

// Refusals of what needs several active revisions; that of weights is az's.
const (
	weightsInSingle = "Containerapp '%s' is configured for single revision. Set revision mode to multiple in order to set ingress traffic."
	labelsInSingle  = "labels need the revision mode multiple; %s is in single mode"
)

// needMultiple refuses what needs several active revisions.
func needMultiple(app *emulator.App, refusal string) error {
	if m := app.Properties.Configuration.ActiveRevisionsMode; m == aca.Multiple || m == aca.Labels {
		return nil
	}
	return failed(fmt.Errorf(refusal, app.Name), fmt.Sprintf("change it with %q", "acalocal revision set-mode -n "+app.Name+" --mode multiple"))
}

// needRevision returns the revision of that name of an app.
func needRevision(app *emulator.App, name string) (*emulator.Revision, error) {
	if rev := app.Revision(strings.ToLower(name)); rev != nil {
		return rev, nil
	}
	var names []string
	for _, rev := range app.Revisions {
		names = append(names, rev.Name)
	}
	return nil, failed(fmt.Errorf("app %s has no revision %q", app.Name, name), thereIs(names))
}
