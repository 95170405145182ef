package cli

import (
	"os"
	"testing"

	"github.com/spf13/cobra"
)

func TestSwitchesOfTheEdgeReachTheDaemon(t *testing.T) {
	tests := []struct {
		name      string
		args      []string
		variable  string // before
		reason    bool   // --no-reason is on afterwards
		wantError bool
	}{
		{name: "off"},
		{name: "flag", args: []string{"--no-reason"}, reason: true},
		{name: "variable", variable: "1", reason: true},
		{name: "flag overrules the variable", args: []string{"--no-reason=false"}, variable: "1"},
		{name: "neither", args: []string{"--no-reason=perhaps"}, wantError: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(noReasonVariable, tt.variable)
			cmd := &cobra.Command{}
			bindEdgeSwitches(cmd)
			if err := cmd.ParseFlags(tt.args); (err != nil) != tt.wantError {
				t.Fatalf("parse: %v", err)
			}
			if on := variableSwitch(noReasonVariable).on(); on != tt.reason {
				t.Errorf("--no-reason is %v, want %v; the variable is %q", on, tt.reason, os.Getenv(noReasonVariable))
			}
		})
	}
}

func TestExposedAddressesAreSaid(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "", "[::1]:8080": "", "127.3.2.1:80": "",
		"0.0.0.0:8080":     "warning: 0.0.0.0:8080 can be reached from other machines\n",
		"[::]:8080":        "warning: [::]:8080 can be reached from other machines\n",
		"192.168.1.5:8080": "warning: 192.168.1.5:8080 can be reached from other machines\n",
	} {
		if got := exposed(addr); got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
}
