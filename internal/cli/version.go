package cli

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

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

// String is the line that people read. A build without a commit has none.
func (b buildInfo) String() string {
	words := []string{"acalocal", b.Version, b.Commit, b.Platform}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
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
			_, err := fmt.Fprintln(s.Out, b)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
