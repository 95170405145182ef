package cli

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// Switches of the edge of a daemon that starts now, on when they are 1.
const (
	// noReasonVariable leaves out the x-acalocal-reason header, which Azure does
	// not send.
	noReasonVariable = "ACALOCAL_NO_REASON"
	// noRetriesVariable makes the edge send each request once. On Azure a POST
	// whose connection breaks is sent up to six times.
	noRetriesVariable = "ACALOCAL_NO_RETRIES"
)

// bindEdgeSwitches adds --no-reason and --no-retries, which set the variables
// for the daemon this command starts.
func bindEdgeSwitches(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(variableSwitch(noReasonVariable), "no-reason", "leave the x-acalocal-reason header out of the edge's own answers")
	f.Var(variableSwitch(noRetriesVariable), "no-retries", "never send a request to an app a second time")
	f.Lookup("no-reason").NoOptDefVal = "true"
	f.Lookup("no-retries").NoOptDefVal = "true"
}

// variableSwitch is a flag that keeps its value in a variable of the process,
// from where a daemon takes it, in this process or in the background.
type variableSwitch string

// Set implements pflag.Value.
func (v variableSwitch) Set(s string) error {
	on, err := strconv.ParseBool(s)
	if err != nil {
		return fmt.Errorf("%q is not true or false", s)
	}
	if !on {
		return os.Setenv(string(v), "0") // and not unset: a setting of acalocal.yaml must not win
	}
	return os.Setenv(string(v), "1")
}

// String implements pflag.Value.
func (v variableSwitch) String() string { return strconv.FormatBool(v.on()) }

// Type implements pflag.Value.
func (v variableSwitch) Type() string { return "bool" }

func (v variableSwitch) on() bool { return os.Getenv(string(v)) == "1" }

// exposed is a warning when the address can be reached from other machines,
// else "".
func exposed(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil || ip.IsLoopback() {
		return ""
	}
	return fmt.Sprintf("warning: %s can be reached from other machines\n", addr)
}
