package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// idFlag is az's --ids: it names what the parts of a resource id name. Here it
// takes one.
type idFlag struct{ cmd *cobra.Command }

// bindID adds the flag to a command about an app.
func bindID(cmd *cobra.Command) {
	cmd.Flags().Var(idFlag{cmd}, "ids", "the resource `ID` of what is meant, instead of its name")
	cmd.Flags().Lookup("ids").Hidden = true
}

// idParts are the flags that are told apart in an id, by the word before a name.
var idParts = map[string]string{"containerapps": "name", "revisions": "revision", "replicas": "replica"}

// Set implements pflag.Value.
func (f idFlag) Set(id string) error {
	words := strings.Split(strings.Trim(id, "/"), "/")
	found := false
	for i := 0; i+1 < len(words); i += 2 {
		flag, ok := idParts[strings.ToLower(words[i])]
		if !ok || f.cmd.Flags().Lookup(flag) == nil {
			continue
		}
		found = found || flag == "name"
		if err := f.cmd.Flags().Set(flag, words[i+1]); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("%q is not the id of an app, such as /subscriptions/S/resourceGroups/G/providers/Microsoft.App/containerApps/web", id)
	}
	return nil
}

// String implements pflag.Value.
func (f idFlag) String() string { return "" }

// Type implements pflag.Value.
func (f idFlag) Type() string { return "id" }
