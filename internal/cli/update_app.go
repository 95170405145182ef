package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/cli/change"
	"github.com/spf13/cobra"
)

// appFlags are az's flags of "update" that make no revision.
type appFlags struct {
	tags        []string
	maxInactive *int
	mode, label string
}

func (f *appFlags) bind(cmd *cobra.Command) {
	f.bindTags(cmd)
	fs := cmd.Flags()
	fs.Var(optional[int]{&f.maxInactive, strconv.Atoi, "n"}, "max-inactive-revisions", "how many inactive revisions are kept, 0 to 100")
	fs.StringVar(&f.mode, "revisions-mode", "", "single, multiple or labels")
	fs.StringVar(&f.label, "target-label", "", "with labels: the label that new revisions get")
	completeWords(cmd, "revisions-mode", "single", "multiple", "labels")
}

func (f *appFlags) bindTags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.tags, "tags", nil, "KEY=value ...; others stay")
}

// given reports whether a flag asks for a change.
func (f *appFlags) given() bool {
	return f.tags != nil || f.maxInactive != nil || f.mode != "" || f.label != ""
}

func (f *appFlags) apply(app *aca.ContainerApp) (err error) {
	if app.Tags, err = change.Tags(app.Tags, f.tags); err != nil {
		return misuse(err, "see the tags with \"acalocal app show --json\"")
	}
	if f.maxInactive != nil {
		app.Properties.Configuration.MaxInactiveRevisions = f.maxInactive
	}
	switch {
	case f.mode != "":
		mode, err := parseMode("revisions-mode", f.mode)
		if err != nil {
			return err
		}
		return setMode(app, mode, f.label)
	case f.label != "":
		app.Properties.Configuration.TargetLabel = f.label
	}
	return nil
}

// parseMode reads a revision mode that a flag gives.
func parseMode(flag, word string) (aca.RevisionsMode, error) {
	for _, m := range []aca.RevisionsMode{aca.Single, aca.Multiple, aca.Labels} {
		if strings.EqualFold(word, string(m)) {
			return m, nil
		}
	}
	return "", misuse(fmt.Errorf("%q is no revision mode", word), fmt.Sprintf("write --%s single, multiple or labels", flag))
}
