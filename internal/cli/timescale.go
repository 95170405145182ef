package cli

import (
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"
)

// timeScaleVariable divides the platform's own timers: restart back-off,
// deadlines, the edge's time limits, scale-in windows. What the definition
// configures, such as probe periods and the grace of a stop, stays as it is.
const timeScaleVariable = "ACALOCAL_TIME_SCALE"

// scaleStepsVariable limits scale-up to the documented steps when it is 1. Apps
// on Azure were seen without them.
const scaleStepsVariable = "ACALOCAL_SCALE_STEPS"

// scaleProbesVariable lets the scale hold for delays and periods of probes, too,
// when it is 1.
const scaleProbesVariable = "ACALOCAL_TIME_SCALE_PROBES"

// maxTimeScale keeps the shortest timer above a millisecond or so.
const maxTimeScale = 1000

// bindTimeScale adds --time-scale, which sets the variable for the daemon this
// command starts.
func bindTimeScale(cmd *cobra.Command) {
	cmd.Flags().Var(timeScaleFlag{}, "time-scale", "run the platform's own timers N times as fast, 1 to 1000; for tests and demos")
	cmd.Flags().Var(scaleProbesFlag{}, "time-scale-probes", "with --time-scale, delays and periods of probes, too")
	cmd.Flags().Lookup("time-scale-probes").NoOptDefVal = "true"
}

// scaleProbesFlag keeps its value as timeScaleFlag does.
type scaleProbesFlag struct{}

// Set implements pflag.Value.
func (scaleProbesFlag) Set(s string) error {
	on, err := strconv.ParseBool(s)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", s)
	}
	if !on {
		return os.Unsetenv(scaleProbesVariable)
	}
	return os.Setenv(scaleProbesVariable, "1")
}

// String implements pflag.Value.
func (scaleProbesFlag) String() string {
	return strconv.FormatBool(os.Getenv(scaleProbesVariable) == "1")
}

// Type implements pflag.Value.
func (scaleProbesFlag) Type() string { return "bool" }

// timeScaleFlag keeps its value in the environment of the process, from where
// a daemon takes it, in this process or in the background.
type timeScaleFlag struct{}

// Set implements pflag.Value.
func (timeScaleFlag) Set(s string) error {
	if _, err := parseTimeScale(s); err != nil {
		return err
	}
	return os.Setenv(timeScaleVariable, s)
}

// String implements pflag.Value.
func (timeScaleFlag) String() string { return os.Getenv(timeScaleVariable) }

// Type implements pflag.Value.
func (timeScaleFlag) Type() string { return "N" }

// timeScale is the scale of a daemon that starts now; 0 stands for none.
func timeScale() (float64, error) {
	s := os.Getenv(timeScaleVariable)
	if s == "" {
		return 0, nil
	}
	n, err := parseTimeScale(s)
	if err != nil {
		return 0, misuse(fmt.Errorf("%s: %w", timeScaleVariable, err), "unset it, or set it to a number such as 60")
	}
	return n, nil
}

func parseTimeScale(s string) (float64, error) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 1 && n <= maxTimeScale) {
		return 0, fmt.Errorf("%q is not a number from 1 to %d", s, maxTimeScale)
	}
	return n, nil
}
