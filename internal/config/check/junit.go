package check

import (
	"io"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/junit"
)

// WriteJUnit writes findings as JUnit's XML, which CI systems show: a case for
// each, failed when it fails the check, and one that passes when there are
// none. With strict, warnings fail the check, too.
func WriteJUnit(w io.Writer, findings []Finding, strict bool) error {
	suite := junit.Suite{Name: "acalocal check"}
	for _, f := range findings {
		c := junit.Case{Name: f.Message, Class: junitClass(f), Out: f.Problem.String()}
		if f.Severity == aca.SeverityError || strict && f.Severity == aca.SeverityWarning {
			c.Failure, c.Out = &junit.Failure{Message: f.Message, Type: f.Severity.String(), Text: f.Problem.String()}, ""
		}
		suite.Cases = append(suite.Cases, c)
	}
	if len(findings) == 0 {
		suite.Cases = []junit.Case{{Name: "the definition has no findings", Class: "acalocal check"}}
	}
	return junit.Write(w, suite)
}

// junitClass groups the findings of a report by rule.
func junitClass(f Finding) string {
	if f.App == "" {
		return f.Rule
	}
	return f.App + "." + f.Rule
}
