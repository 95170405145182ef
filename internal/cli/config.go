package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/acalocal/acalocal/internal/config"
	"github.com/spf13/cobra"
)

func newConfigCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Look at the definition of apps as acalocal reads it",
		Args:  noSubcommand,
		RunE:  showHelp,
	}
	cmd.AddCommand(newConfigShowCommand(s))
	return cmd
}

func newConfigShowCommand(s Streams) *cobra.Command {
	var o config.Overrides
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [FILE|DIR]",
		Short: "Print the definition after defaults, and where each value came from",
		Example: "  acalocal config show\n" +
			"  acalocal config show containerapp.yaml --min-replicas 1",
		Args: oneDefinition,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := namedEnvironment(cmd)
			if err != nil {
				return err
			}
			o.Environment, o.SkipCommands = name, true
			def, problems := config.Load(cmd.Context(), firstArg(args), o)
			if err := reportProblems(s, problems); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(s.Out, def.Documents("."))
			}
			return def.Render(s.Out, ".")
		},
	}
	bindOverrides(cmd, &o)
	bindParameters(cmd, &o)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the same as a JSON list, without origins")
	return cmd
}

// bindParameters adds az's flag for the parameters of a template, unless the
// command has it already.
func bindParameters(cmd *cobra.Command, o *config.Overrides) {
	if cmd.Flags().Lookup("parameters") == nil {
		cmd.Flags().StringArrayVar(&o.Parameters, "parameters", nil, "for a template: FILE or NAME=value ...")
	}
}

// oneDefinition accepts the file or directory of a definition that exists, or none.
func oneDefinition(cmd *cobra.Command, args []string) error {
	if err := maximumNArgs(1)(cmd, args); err != nil || len(args) == 0 {
		return err
	}
	if _, err := os.Stat(args[0]); errors.Is(err, fs.ErrNotExist) {
		return misuse(fmt.Errorf("%s does not exist", args[0]), fmt.Sprintf("name a definition or its directory, as in %q", cmd.CommandPath()+" ."))
	}
	return nil // what else is wrong with it is told with its problems
}

func firstArg(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// reportProblems prints the problems of a definition and returns an error when
// it cannot be used.
func reportProblems(s Streams, problems config.Problems) error {
	if len(problems) > 0 {
		fmt.Fprintf(s.Err, "%s\n\n", problems)
	}
	if problems.HasErrors() {
		return failed(errors.New("the definition cannot be used"), "")
	}
	return nil
}
