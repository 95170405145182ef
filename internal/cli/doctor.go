package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/acalocal/acalocal/internal/home"
	"github.com/spf13/cobra"
)

func newDoctorCommand(s Streams) *cobra.Command {
	var asJSON, fix bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what acalocal needs of this machine",
		Long: `Check the Docker Engine, the ports, the clock and the disk, and look for what dead
daemons have left. With --fix, leftovers that are certainly this user's are
removed. The exit code is 1 when something is missing that acalocal needs.`,
		Example: `  acalocal doctor
  acalocal doctor --fix`,
		Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), doctorTimeout)
			defer cancel()
			facts := examine(ctx)
			diagnoses := diagnose(facts)
			if fix {
				diagnoses = repair(ctx, diagnoses)
			}
			if err := writeDiagnoses(s.Out, diagnoses, asJSON); err != nil {
				return err
			}
			for _, f := range diagnoses {
				if f.Level == levelFail {
					return errSilent
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "remove leftovers")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the diagnoses as JSON")
	return cmd
}

// doctorTimeout bounds all checks together: an engine with many images takes
// seconds to count what they use.
const doctorTimeout = time.Minute

// level says how bad a diagnosis is.
type level string

// The levels of diagnoses.
const (
	levelOK   level = "ok"
	levelWarn level = "warn"  // works, but not as well as it could
	levelFail level = "fail"  // acalocal cannot work like this
	levelDone level = "fixed" // --fix has taken care of it
)

// diagnosis is one thing the doctor has looked at.
type diagnosis struct {
	Check string `json:"check"`
	Level level  `json:"level"`
	Text  string `json:"text"`
	Hint  string `json:"hint,omitempty"`
	// leftover is the environment --fix may remove; other diagnoses have none.
	leftover home.Environment
}

func writeDiagnoses(w io.Writer, diagnoses []diagnosis, asJSON bool) error {
	if asJSON {
		return writeJSON(w, diagnoses)
	}
	for _, f := range diagnoses {
		if _, err := fmt.Fprintf(w, "%-5s  %-9s  %s\n", f.Level, f.Check, f.Text); err != nil {
			return err
		}
		if f.Hint == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%18shint: %s\n", "", f.Hint); err != nil {
			return err
		}
	}
	return nil
}
