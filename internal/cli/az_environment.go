package cli

import (
	"path"

	"github.com/spf13/cobra"
)

// environmentFlag is az's flag for an environment. The environment of this
// machine with that name is meant, as with --env; of a resource ID it is the
// last part.
type environmentFlag struct{ cmd *cobra.Command }

// bindEnvironment adds az's flag for an environment under its name there.
func bindEnvironment(cmd *cobra.Command, name, short string) {
	cmd.Flags().VarP(environmentFlag{cmd}, name, short, "the environment, as --env; of a resource ID its last part")
	_ = cmd.RegisterFlagCompletionFunc(name, completeEnvironments) // fails only for a flag that does not exist
}

// Set implements pflag.Value.
func (e environmentFlag) Set(s string) error {
	name := path.Base(s)
	if s == "" {
		name = ""
	}
	return e.cmd.Root().PersistentFlags().Set("env", name)
}

// String implements pflag.Value.
func (e environmentFlag) String() string { return "" }

// Type implements pflag.Value.
func (e environmentFlag) Type() string { return "environment" }
