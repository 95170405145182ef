package kql

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Severity says how bad a Diagnostic is.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Diagnostic is one finding about a query's text. Codes and texts are those
// of the public Kusto language service (KS142 and so on); ours start with KQL.
type Diagnostic struct {
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Start    int      `json:"start"`  // in UTF-16 code units, from 0
	Length   int      `json:"length"` // in UTF-16 code units
	Severity Severity `json:"severity"`
}

// Error returns the message with its code.
func (d Diagnostic) Error() string { return d.Code + ": " + d.Message }

// Diagnostics is the error a query with faults in its text ends with.
type Diagnostics []Diagnostic

// Error returns the first error and how many more there are.
func (ds Diagnostics) Error() string {
	if len(ds) == 0 {
		return "no diagnostics"
	}
	s := ds[0].Error()
	if n := len(ds) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// span is a range of bytes in the text.
type span struct{ start, end int }

func (s span) until(e span) span { return span{s.start, e.end} }

// diagSink collects findings in byte positions.
type diagSink struct {
	list []rawDiag
	// mute, while positive, drops what is reported: a body bound again for
	// another call would repeat its findings.
	mute int
	// muted is the first finding dropped that way.
	muted *rawDiag
}

type rawDiag struct {
	at        span
	code, msg string
}

func (d *diagSink) report(at span, code, format string, args ...any) {
	msg := format
	if len(args) > 0 {
		msg = fmt.Sprintf(format, args...)
	}
	if d.mute > 0 {
		if d.muted == nil {
			d.muted = &rawDiag{at, code, msg}
		}
		return
	}
	for _, o := range d.list {
		if o.at == at && o.code == code && o.msg == msg {
			return
		}
	}
	d.list = append(d.list, rawDiag{at, code, msg})
}

// within reports whether there is a finding inside of at.
func (d *diagSink) within(at span) bool {
	for _, r := range d.list {
		if r.at.start >= at.start && r.at.end <= at.end {
			return true
		}
	}
	return false
}

// diagnostics returns the findings in text order, positions in UTF-16 units.
func (d *diagSink) diagnostics(text string) Diagnostics {
	sort.SliceStable(d.list, func(i, j int) bool { return d.list[i].at.start < d.list[j].at.start })
	out := make(Diagnostics, len(d.list))
	for i, r := range d.list {
		start := utf16Len(text[:r.at.start])
		out[i] = Diagnostic{r.code, r.msg, start, utf16Len(text[r.at.start:r.at.end]), SeverityError}
	}
	return out
}

func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		if r == utf8.RuneError {
			n++
		} else {
			n += utf16.RuneLen(r)
		}
	}
	return n
}

// typeList joins type names for a message: "long, string and string".
func typeList(types []Type) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.String()
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
