package aca

import (
	"fmt"
	"strconv"
	"strings"
)

// Error is the one error that crosses the API. Code is ARM's
// ("ResourceNotFound", "ContainerAppInvalidName"), Message is for people,
// Target names the field or resource, in ARM's spelling, and may be empty.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Target  string `json:"target,omitempty"`

	Hint  string `json:"-"` // what to do about it, "" when the message says it
	Cause error  `json:"-"` // which may know that, too; nil for none
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// ProvisionError is the refusal of a value in an app's template as Azure's
// operation reports it. Target is the field in ARM's spelling.
func ProvisionError(app, field, value, why, target string) *Error {
	return &Error{
		Code: "ContainerAppOperationError",
		Message: fmt.Sprintf("Failed to provision revision for container app '%s'. Error details: The following field(s) are either invalid or missing. "+
			"Field '%s' is invalid with details: 'Invalid value: %q: %s';..", app, field, value, why),
		Target: target,
	}
}

// Error is the message as az prints it: the code in brackets, then the words.
func (e *Error) Error() string {
	if e.Code == "" {
		return e.Message
	}
	return "(" + e.Code + ") " + e.Message
}

// Severity says what a Problem means for the app.
type Severity int

// The severities. A definition with an Error is refused, as Azure would; a
// Warning is accepted and said aloud; a Note is advice.
const (
	SeverityError Severity = iota
	SeverityWarning
	SeverityNote
)

// String is "error", "warning" or "note".
func (s Severity) String() string {
	switch s {
	case SeverityWarning:
		return "warning"
	case SeverityNote:
		return "note"
	}
	return "error"
}

// Problem is one thing wrong with a definition.
type Problem struct {
	Path     string // of the field, see Path; "" is the whole resource
	OnKey    bool   // the key itself is the problem, not its value
	Severity Severity
	Code     string // ARM's code, "" when Azure has none
	Message  string // ACA's own words where they are known
	Hint     string // what to do about it, "" when the message says it

	// Replace is what the key (OnKey) or value must be replaced by, when there
	// is only one answer; "" when there is none.
	Replace string
}

// Err is the problem as the error the API answers with.
func (p Problem) Err() *Error {
	return &Error{Code: p.Code, Message: p.Message, Target: p.Path, Hint: p.Hint}
}

// Errors returns the problems that make a definition unusable, in order.
func Errors(problems []Problem) []Problem {
	var errs []Problem
	for _, p := range problems {
		if p.Severity == SeverityError {
			errs = append(errs, p)
		}
	}
	return errs
}

// Path names a field below a resource: "properties.template.containers[0].image".
// A key that is not a plain word is quoted: `tags["cost.center"]`.
type Path string

// Field is the path of a key below p.
func (p Path) Field(key string) Path {
	if !plainKey(key) {
		return p + Path("["+strconv.Quote(key)+"]")
	}
	if p == "" {
		return Path(key)
	}
	return p + "." + Path(key)
}

// Index is the path of the i-th item of p, from 0.
func (p Path) Index(i int) Path { return p + Path("["+strconv.Itoa(i)+"]") }

// Parent is the path p is a field or item of; the parent of "" is "".
func (p Path) Parent() Path {
	s := string(p)
	if strings.HasSuffix(s, "\"]") {
		return Path(s[:strings.LastIndex(s, "[\"")])
	}
	return Path(s[:max(strings.LastIndexAny(s, ".["), 0)])
}

func plainKey(key string) bool {
	for i := range len(key) {
		c := key[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$'
		if !letter && (i == 0 || c < '0' || c > '9') && (i == 0 || c != '-') {
			return false
		}
	}
	return key != ""
}

// problems collects what is wrong; its methods return the new entry so that a
// hint can be added in the same line.
type problems []Problem

func (ps *problems) add(p Problem) *Problem {
	*ps = append(*ps, p)
	return &(*ps)[len(*ps)-1]
}

func (ps *problems) errorf(path Path, code, format string, args ...any) *Problem {
	return ps.add(Problem{Path: string(path), Code: code, Message: fmt.Sprintf(format, args...)})
}

func (ps *problems) warnf(path Path, format string, args ...any) *Problem {
	return ps.add(Problem{Path: string(path), Severity: SeverityWarning, Message: fmt.Sprintf(format, args...)})
}
