package api

import (
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/logsink/kql"
)

// Span is a range of a query's text, in UTF-16 units from 0.
type Span struct{ Start, Length int }

// spanTarget writes the span of a finding as an error's target.
func spanTarget(d kql.Diagnostic) string {
	return strconv.Itoa(d.Start) + "+" + strconv.Itoa(d.Length)
}

// ParseSpan reads the target of a finding about a query: "start+length".
func ParseSpan(target string) (Span, bool) {
	start, length, ok := strings.Cut(target, "+")
	if !ok {
		return Span{}, false
	}
	s, err1 := strconv.Atoi(start)
	n, err2 := strconv.Atoi(length)
	return Span{s, n}, err1 == nil && err2 == nil && s >= 0 && n >= 0
}
