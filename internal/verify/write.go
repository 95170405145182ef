package verify

import (
	"fmt"
	"io"
	"strings"

	"github.com/acalocal/acalocal/internal/junit"
)

// WriteText prints the report for people. The last line is the verdict.
func (r Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-16s %8s %9s %9s %9s\n", "", "requests", "p50", "p99", "max")
	for _, row := range []struct {
		name string
		t    Times
	}{{"at rest", r.Rest}, {"during changes", r.During}} {
		fmt.Fprintf(&b, "%-16s %8d %6.1f ms %6.1f ms %6.1f ms\n", row.name, row.t.Requests, row.t.P50, row.t.P99, row.t.Max)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s\n", f)
	}
	for _, c := range r.Causes {
		fmt.Fprintf(&b, "cause: %s\n", c)
	}
	for _, f := range r.Failed {
		fmt.Fprintf(&b, "not done: %s\n", f)
	}
	fmt.Fprintf(&b, "%s: %d lost and %d slow of %d requests in %d changes\n", r.App, r.Lost, r.Slow, r.Requests, r.Steps)
	_, err := io.WriteString(w, b.String())
	return err
}

// String is a finding in one line.
func (f Finding) String() string {
	what := f.Error
	if what == "" {
		what = fmt.Sprintf("status %d", f.Status)
	}
	connection := "kept connection"
	if f.Fresh {
		connection = "fresh connection"
	}
	line := fmt.Sprintf("%s  %s after %s on a %s", f.Time.UTC().Format("15:04:05.000"), what, f.Took, connection)
	if f.Step != "" {
		line += ", during " + f.Step
	}
	if f.Event != "" {
		line += "; before it: " + f.Event
	}
	return line
}

// WriteJUnit prints the report as JUnit's XML, which CI systems show: one case
// for the requests, one for the changes.
func (r Report) WriteJUnit(w io.Writer) error {
	lost := junit.Case{Name: "no request is lost", Class: r.App}
	if r.Lost > 0 {
		var lines []string
		for _, f := range r.Findings {
			lines = append(lines, f.String())
		}
		for _, c := range r.Causes {
			lines = append(lines, "cause: "+c)
		}
		lost.Failure = &junit.Failure{Message: fmt.Sprintf("%d of %d requests were lost", r.Lost, r.Requests), Text: strings.Join(lines, "\n")}
	}
	done := junit.Case{Name: "every change succeeds", Class: r.App}
	if len(r.Failed) > 0 {
		done.Failure = &junit.Failure{Message: fmt.Sprintf("%d of %d changes did not succeed", len(r.Failed), r.Steps), Text: strings.Join(r.Failed, "\n")}
	}
	return junit.Write(w, junit.Suite{Name: "acalocal verify " + r.App, Cases: []junit.Case{lost, done}})
}
