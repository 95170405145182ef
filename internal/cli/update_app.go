package cli

import (
	"strconv"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/cli/change"
	"github.com/spf13/cobra"
)

// appFlags are az's flags of "update" that make no revision.
type appFlags struct {
	tags        []string
	maxInactive *int
}

func (f *appFlags) bind(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringArrayVar(&f.tags, "tags", nil, "KEY=value ...; others stay")
	fs.Var(optional[int]{&f.maxInactive, strconv.Atoi, "n"}, "max-inactive-revisions", "how many inactive revisions are kept, 0 to 100")
	fs.Bool("no-wait", false, "accepted for az's sake: the command never waits for the revision")
}

// given reports whether a flag asks for a change.
func (f *appFlags) given() bool { return f.tags != nil || f.maxInactive != nil }

func (f *appFlags) apply(app *aca.ContainerApp) (err error) {
	if app.Tags, err = change.Tags(app.Tags, f.tags); err != nil {
		return misuse(err, "see the tags with \"acalocal app show --json\"")
	}
	if f.maxInactive != nil {
		app.Properties.Configuration.MaxInactiveRevisions = f.maxInactive
	}
	return nil
}
