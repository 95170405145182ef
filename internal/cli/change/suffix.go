package change

import (
	"fmt"
	"strings"
)

// Suffix refuses a revision suffix as az does, before anything is asked for. It
// may begin with a digit, although the documentation says a letter, and its
// length is for the service to judge.
func Suffix(suffix string) error {
	if suffix == "" || isSuffix(suffix) {
		return nil
	}
	//lint:ignore ST1005 az's own words
	return fmt.Errorf("Invalid Container App revision suffix '%s'. A revision suffix must consist of lower case alphanumeric characters or '-', "+
		"start with a letter or number, end with an alphanumeric character and cannot have '--'.", suffix)
}

func isSuffix(s string) bool {
	const alphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789"
	return strings.Trim(s, alphanumeric+"-") == "" && !strings.Contains(s, "--") &&
		!strings.HasPrefix(s, "-") && !strings.HasSuffix(s, "-")
}
