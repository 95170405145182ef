package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newRestartCommand(s Streams) *cobra.Command {
	var t targetFlags
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
			if err := t.takeApp(cmd, args); err != nil {
				return err
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if err := c.Restart(cmd.Context(), t.App, t.Revision); err != nil {
				return notRunning(err)
			}
			_, err = fmt.Fprintln(s.Out, "Restart succeeded")
			return err
		},
	}
	t.bindApp(cmd)
	t.bindRevision(cmd)
	return cmd
}
