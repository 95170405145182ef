package cli

import (
	"fmt"
	"runtime"

	"github.com/acalocal/acalocal/internal/version"
	"github.com/spf13/cobra"
)

// buildInfo is what "acalocal version --json" prints.
type buildInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersionCommand(s Streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of acalocal",
		Example: "  acalocal version --json",
		Args:    maximumNArgs(0),
		RunE: func(*cobra.Command, []string) error {
			b := buildInfo{version.Version, version.Commit(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			if asJSON {
				return writeJSON(s.Out, b)
			}
			_, err := fmt.Fprintf(s.Out, "acalocal %s %s %s\n", b.Version, orDash(b.Commit), b.Platform)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
