package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/cli/change"
	"github.com/spf13/cobra"
)

func newRevisionLabelCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "label", Short: "Give revisions names of their own to be reached by", Args: noSubcommand, RunE: showHelp}
	cmd.AddCommand(newLabelAddCommand(s), newLabelRemoveCommand(s), newLabelSwapCommand(s))
	return cmd
}

func newLabelAddCommand(s Streams) *cobra.Command {
	var label, revision string
	var yes bool
	cmd, e := newTrafficEdit(s, "add", "Put a label on a revision", "  acalocal revision label add --label blue --revision web--0000001",
		func(app *emulator.App, traffic []aca.TrafficWeight) ([]aca.TrafficWeight, error) {
			if label == "" || revision == "" {
				return nil, misuse(errors.New("a label needs a name and a revision"), "give --label NAME and --revision REVISION")
			}
			if err := needMultiple(app, labelsInSingle); err != nil {
				return nil, err
			}
			if !strings.EqualFold(revision, "latest") {
				rev, err := needRevision(app, revision)
				if err != nil {
					return nil, err
				}
				revision = rev.Name
			}
			if err := agreeToMove(s, traffic, label, revision, yes); err != nil {
				return nil, err
			}
			return change.AddLabel(traffic, label, revision), nil
		})
	cmd.Flags().StringVar(&label, "label", "", "the label")
	cmd.Flags().StringVar(&revision, "revision", "", "the revision that gets it")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "move the label without asking")
	cmd.Flags().BoolVar(&yes, "no-prompt", false, "the same as --yes, under az's other name")
	complete(cmd, "revision", revisionNames)
	cmd.PreRun = func(*cobra.Command, []string) { e.Revision = revision } // which names the app
	e.bind(cmd)
	return cmd
}

// agreeToMove asks before a label leaves a revision, as az does.
func agreeToMove(s Streams, traffic []aca.TrafficWeight, label, revision string, yes bool) error {
	holder, there := change.LabelHolder(traffic, label)
	if !there || yes || strings.EqualFold(holder, revision) {
		return nil
	}
	if agreed(s, fmt.Sprintf("A weight with the label '%s' already exists. Remove existing label '%s' from '%s' and add to '%s'? (y/n): ", label, label, holder, revision)) {
		return nil
	}
	return failed(fmt.Errorf("the label %s stays on %s", label, holder), "answer y, or give --yes")
}

func newLabelRemoveCommand(s Streams) *cobra.Command {
	var label string
	cmd, e := newTrafficEdit(s, "remove", "Take a label away", "  acalocal revision label remove --label blue",
		func(app *emulator.App, traffic []aca.TrafficWeight) ([]aca.TrafficWeight, error) {
			if label == "" {
				return nil, misuse(errors.New("no label is named"), "give --label NAME")
			}
			if err := needMultiple(app, labelsInSingle); err != nil {
				return nil, err
			}
			out, err := change.RemoveLabel(traffic, label)
			return out, labelHint(err)
		})
	cmd.Flags().StringVar(&label, "label", "", "the label")
	e.bind(cmd)
	return cmd
}

func newLabelSwapCommand(s Streams) *cobra.Command {
	var source, target string
	cmd, e := newTrafficEdit(s, "swap", "Exchange two labels", "  acalocal revision label swap --source blue --target green",
		func(app *emulator.App, traffic []aca.TrafficWeight) ([]aca.TrafficWeight, error) {
			if source == "" || target == "" {
				return nil, misuse(errors.New("a swap needs two labels"), "give --source LABEL and --target LABEL")
			}
			if err := needMultiple(app, labelsInSingle); err != nil {
				return nil, err
			}
			out, err := change.SwapLabels(traffic, source, target)
			return out, labelHint(err)
		})
	cmd.Flags().StringVar(&source, "source", "", "one label")
	cmd.Flags().StringVar(&target, "target", "", "the other")
	e.bind(cmd)
	return cmd
}

func labelHint(err error) error {
	if err == nil {
		return nil
	}
	return failed(err, "see the labels with \"acalocal ingress traffic show\"")
}
