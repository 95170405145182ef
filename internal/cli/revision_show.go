package cli

import (
	"io"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/cli/azout"
	"github.com/spf13/cobra"
)

func newRevisionShowCommand(s Streams) *cobra.Command {
	var t targetFlags
	o := output{table: azout.Revisions}
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show one revision, the latest unless --revision says otherwise",
		Example: `  acalocal revision show
  acalocal revision show --revision web--0000001 --json`,
		Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			rev, err := findRevision(cmd, t)
			if err != nil {
				return err
			}
			if o.asText() {
				return writeRevision(s.Out, rev)
			}
			return o.write(s.Out, rev)
		},
	}
	t.bindApp(cmd)
	t.bindRevision(cmd)
	o.bind(cmd, "print the resource as JSON")
	return cmd
}

// writeRevision prints what one asks about a revision most often. The weight
// is the wish, what it serves is the fact: on Azure only the former shows.
func writeRevision(w io.Writer, rev *emulator.Revision) error {
	p := rev.Properties
	lines := []string{
		"name              " + rev.Name,
		"created           " + stamp(p.CreatedTime),
		"active            " + yesNo(p.Active),
		"provisioning      " + orDash(p.ProvisioningState),
		"running           " + orDash(p.RunningState),
		"health            " + orDash(p.HealthState),
		"replicas          " + readyOf(rev),
		"traffic weight    " + strconv.Itoa(p.TrafficWeight) + "%",
		"serves            " + strconv.Itoa(rev.Serving) + "% of the requests",
	}
	if p.RunningStateDetails != "" {
		lines = append(lines, "details           "+p.RunningStateDetails)
	}
	for _, c := range p.Template.Containers {
		lines = append(lines, "container         "+c.Name+" of "+c.Image)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}
