package cli

import (
	"os"
	"testing"

	"github.com/spf13/cobra"
)

func TestEnforcedStorageReachesTheDaemon(t *testing.T) {
	for _, c := range []struct {
		before string
		args   []string
		want   bool
	}{
		{"", nil, false},
		{"", []string{"--enforce-ephemeral-storage"}, true},
		{"1", nil, true},
		{"1", []string{"--enforce-ephemeral-storage=false"}, false},
	} {
		t.Setenv(enforceVariable, c.before)
		cmd := &cobra.Command{}
		bindEphemeralStorage(cmd)
		if err := cmd.ParseFlags(c.args); err != nil {
			t.Fatal(err)
		}
		if on := variableSwitch(enforceVariable).on(); on != c.want {
			t.Errorf("%q and %v: on is %t, want %t; the variable is %q", c.before, c.args, on, c.want, os.Getenv(enforceVariable))
		}
	}
}
