package cli

import (
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/config/schema"
	"github.com/spf13/cobra"
)

func newSchemaCommand(s Streams) *cobra.Command {
	var local bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of containerapp.yaml for editors",
		Long: "Print the JSON Schema of containerapp.yaml, or of acalocal.yaml with --local.\n\n" +
			"Editors that speak the YAML language server use it when the file begins with\n" +
			"  # yaml-language-server: $schema=./containerapp.schema.json",
		Example: "  acalocal schema > containerapp.schema.json",
		Args:    maximumNArgs(0),
		RunE: func(*cobra.Command, []string) error {
			if local {
				return writeJSON(s.Out, schema.Of("acalocal.yaml", config.LocalFileType()))
			}
			return writeJSON(s.Out, schema.ContainerApp())
		},
	}
	cmd.Flags().BoolVar(&local, "local", false, "the schema of acalocal.yaml")
	return cmd
}
