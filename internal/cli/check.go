package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/config/check"
	"github.com/acalocal/acalocal/internal/version"
	"github.com/spf13/cobra"
)

// checkFlags are the flags of "acalocal check".
type checkFlags struct {
	overrides   config.Overrides
	format      string
	fix, strict bool
	explain     string
}

func newCheckCommand(s Streams) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check [FILE|DIR]",
		Short: "Find what Azure would refuse, and what fails there though it deploys",
		Long: "Check a definition without running it: first what Azure would refuse, with its\n" +
			"messages, then advice that comes from published failures. Docker is not needed.\n" +
			"Apps that run in the definition's environment are looked at, too: the ports they\n" +
			"listen on, their health path, log files that grow.\n\n" +
			"Exit code 1 means that something is wrong: an error, or with --strict a warning.",
		Example: "  acalocal check\n" +
			"  acalocal check --fix\n" +
			"  acalocal check --format sarif > acalocal.sarif\n" +
			"  acalocal check --explain image-latest-tag",
		Args: maximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.explain != "" {
				return explainRule(s, f.explain)
			}
			name, err := namedEnvironment(cmd)
			if err != nil {
				return err
			}
			f.overrides.Environment = name
			return runCheck(cmd.Context(), s, &f, firstArg(args))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "text", "text, json, sarif or junit")
	flags.BoolVar(&f.fix, "fix", false, "make the changes that are mechanical")
	flags.BoolVar(&f.strict, "strict", false, "warnings fail the check, too")
	flags.StringVar(&f.explain, "explain", "", "print the page of a rule")
	bindOverrides(cmd, &f.overrides)
	bindParameters(cmd, &f.overrides)
	completeWords(cmd, "format", "text", "json", "sarif", "junit")
	return cmd
}

func runCheck(ctx context.Context, s Streams, f *checkFlags, path string) error {
	if !slices.Contains([]string{"text", "json", "sarif", "junit"}, f.format) {
		return misuse(fmt.Errorf("--format %s is not a format", f.format), "text, json, sarif or junit")
	}
	f.overrides.SkipCommands = true
	findings := lookAt(ctx, f, path)
	if f.fix {
		changed, err := check.Apply(findings)
		for _, file := range changed {
			fmt.Fprintf(s.Err, "changed %s\n", file)
		}
		if err != nil {
			return failed(err, "run acalocal check again")
		}
		if len(changed) > 0 {
			findings = lookAt(ctx, f, path)
		}
	}
	if err := writeFindings(s, f, findings); err != nil {
		return err
	}
	return verdictOf(findings, f.strict)
}

func lookAt(ctx context.Context, f *checkFlags, path string) []check.Finding {
	def, problems := config.Load(ctx, path, f.overrides)
	return check.Run(def, problems, lookAtRunning(ctx, def))
}

func writeFindings(s Streams, f *checkFlags, findings []check.Finding) error {
	switch f.format {
	case "json":
		return writeJSON(s.Out, check.JSON(findings))
	case "sarif":
		return writeJSON(s.Out, check.SARIF(findings, version.Version))
	case "junit":
		return check.WriteJUnit(s.Out, findings, f.strict)
	}
	fixable := 0
	for i := range findings {
		if len(findings[i].Edits) > 0 {
			fixable++
		}
		fmt.Fprintf(s.Out, "%s\n\n", findings[i].Problem)
	}
	fmt.Fprintln(s.Out, countFindings(findings))
	if fixable > 0 && !f.fix {
		fmt.Fprintf(s.Err, "hint: acalocal check --fix mends %d of them\n", fixable)
	}
	return nil
}

func countFindings(findings []check.Finding) string {
	if len(findings) == 0 {
		return "nothing to say"
	}
	var n [aca.SeverityNote + 1]int
	for _, f := range findings {
		n[f.Severity]++
	}
	return fmt.Sprintf("%s, %s, %s", count(n[aca.SeverityError], "error"), count(n[aca.SeverityWarning], "warning"), count(n[aca.SeverityNote], "note"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// verdictOf is silent: the findings have said everything.
func verdictOf(findings []check.Finding, strict bool) error {
	worst, ok := check.Worst(findings)
	if ok && (worst == aca.SeverityError || strict && worst == aca.SeverityWarning) {
		return errSilent
	}
	return nil
}

func explainRule(s Streams, id string) error {
	var ids []string
	for _, r := range check.Rules() {
		if r.ID == id {
			_, err := fmt.Fprint(s.Out, r.Page())
			return err
		}
		ids = append(ids, r.ID)
	}
	hint := "the rules are listed in docs/rules"
	if near, ok := aca.Nearest(id, ids); ok {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return misuse(errors.New("no rule is called "+id), hint)
}
