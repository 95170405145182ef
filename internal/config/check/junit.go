package check

import (
	"encoding/xml"
	"fmt"
	"io"

	"github.com/acalocal/acalocal/emulator/aca"
)

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes findings as JUnit's XML, which CI systems show: a case for
// each, failed when it fails the check, and one that passes when there are
// none. With strict, warnings fail the check, too.
func WriteJUnit(w io.Writer, findings []Finding, strict bool) error {
	suite := junitSuite{Name: "acalocal check"}
	for _, f := range findings {
		c := junitCase{Name: f.Message, Class: junitClass(f), Out: f.Problem.String()}
		if f.Severity == aca.SeverityError || strict && f.Severity == aca.SeverityWarning {
			c.Failure, c.Out = &junitFailure{Message: f.Message, Type: f.Severity.String(), Text: f.Problem.String()}, ""
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, c)
	}
	if len(findings) == 0 {
		suite.Cases = []junitCase{{Name: "the definition has no findings", Class: "acalocal check"}}
	}
	suite.Tests = len(suite.Cases)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(suite); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

// junitClass groups the findings of a report by rule.
func junitClass(f Finding) string {
	if f.App == "" {
		return f.Rule
	}
	return f.App + "." + f.Rule
}
