package cli

import (
	"fmt"
	"runtime"

	"github.com/acalocal/acalocal/internal/version"
	"github.com/spf13/cobra"
)

func newVersionCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of acalocal",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(s.Out, "acalocal %s %s %s/%s\n", version.Version, version.Commit(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
