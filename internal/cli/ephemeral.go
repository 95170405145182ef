package cli

import "github.com/spf13/cobra"

// enforceVariable makes a daemon that starts now evict replicas over their
// ephemeral storage when it is 1. Without it they are only warned of.
const enforceVariable = "ACALOCAL_ENFORCE_EPHEMERAL_STORAGE"

// bindEphemeralStorage adds --enforce-ephemeral-storage, which sets the
// variable for the daemon this command starts.
func bindEphemeralStorage(cmd *cobra.Command) {
	const name = "enforce-ephemeral-storage"
	cmd.Flags().Var(variableSwitch(enforceVariable), name, "evict a replica that writes more than its ephemeral storage, 1 to 8 GiB by its cores, instead of warning")
	cmd.Flags().Lookup(name).NoOptDefVal = "true"
}
