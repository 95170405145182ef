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
		want   string
	}{
		{"", nil, ""},
		{"", []string{"--enforce-ephemeral-storage"}, "1"},
		{"1", nil, "1"},
		{"1", []string{"--enforce-ephemeral-storage=false"}, ""},
	} {
		t.Setenv(enforceVariable, c.before)
		cmd := &cobra.Command{}
		bindEphemeralStorage(cmd)
		if err := cmd.ParseFlags(c.args); err != nil {
			t.Fatal(err)
		}
		if got := os.Getenv(enforceVariable); got != c.want {
			t.Errorf("%q and %v: the variable is %q, want %q", c.before, c.args, got, c.want)
		}
	}
}
