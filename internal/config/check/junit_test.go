package check

import (
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/google/go-cmp/cmp"
)

func TestJUnitFailsWhatFailsTheCheck(t *testing.T) {
	finding := func(severity aca.Severity, message string) Finding {
		return Finding{Rule: "image-latest-tag", Problem: config.Problem{App: "web", Problem: aca.Problem{Severity: severity, Message: message}}}
	}
	f := func(strict bool, want string, findings ...Finding) {
		t.Helper()
		var b strings.Builder
		if err := WriteJUnit(&b, findings, strict); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	const head = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	f(false, head+`<testsuite name="acalocal check" tests="1" failures="0">
  <testcase name="the definition has no findings" classname="acalocal check"></testcase>
</testsuite>
`)
	warned := `  <testcase name="careful &lt;" classname="web.image-latest-tag">
    <system-out>warning: careful &lt;</system-out>
  </testcase>
`
	broken := `  <testcase name="broken" classname="web.image-latest-tag">
    <failure message="broken" type="error">broken</failure>
  </testcase>
`
	f(false, head+`<testsuite name="acalocal check" tests="2" failures="1">`+"\n"+warned+broken+"</testsuite>\n",
		finding(aca.SeverityWarning, "careful <"), finding(aca.SeverityError, "broken"))
	f(true, head+`<testsuite name="acalocal check" tests="1" failures="1">
  <testcase name="careful" classname="web.image-latest-tag">
    <failure message="careful" type="warning">warning: careful</failure>
  </testcase>
</testsuite>
`, finding(aca.SeverityWarning, "careful"))
}
