package cli

import (
	"slices"
	"strings"
)

// listFlags are az's flags that take the words after them up to the next flag:
// --set-env-vars A=1 B=2.
var listFlags = []string{
	"--set-env-vars", "--remove-env-vars", "--replace-env-vars", "--revision-weight", "--label-weight",
	"--allowed-origins", "--allowed-methods", "--allowed-headers", "--expose-headers", "--command", "--args",
}

// spreadLists writes az's list flags as this program's flag library takes
// them: one flag for each word. Other command lines stay as they are: "up" has
// flags of these names that take one value.
func spreadLists(args []string) []string {
	verb := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") })
	if verb < 0 || !slices.Contains([]string{"update", "revision", "ingress"}, args[verb]) {
		return args
	}
	var out []string
	flag, words := "", 0 // the list flag whose words come, and how many did
	for _, a := range args {
		switch {
		case slices.Contains(listFlags, a):
			flag, words = a, 0
			out = append(out, a)
		case flag == "" || strings.HasPrefix(a, "-") && words > 0:
			flag = ""
			out = append(out, a)
		case words == 0:
			out, words = append(out, a), 1
		default:
			out = append(out, flag, a)
		}
	}
	return out
}
