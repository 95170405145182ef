package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Position is a place in a file; lines and columns count from 1, columns in
// characters. Line 0 is the file as a whole.
type Position struct {
	File         string
	Line, Column int
}

// String is "file:line:column", or the file alone.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is one thing wrong with a definition, and where.
type Problem struct {
	Position Position
	App      string // name of the app, "" when it concerns none
	aca.Problem

	excerpt string // the line of the file, "" when there is none
	width   int    // of the text that is meant, in characters
}

// String is the problem as the terminal shows it: position and message, the
// line with a caret under the place, and the hint.
func (p Problem) String() string {
	var b strings.Builder
	if p.Position.File != "" {
		fmt.Fprintf(&b, "%s: ", p.Position)
	}
	if p.Severity != aca.SeverityError {
		b.WriteString(p.Severity.String() + ": ")
	}
	b.WriteString(p.Message)
	if p.Code != "" && !genericCode[p.Code] {
		fmt.Fprintf(&b, " (%s)", p.Code)
	}
	if p.excerpt != "" {
		b.WriteString("\n" + p.caret())
	}
	if p.Hint != "" {
		b.WriteString("\nhint: " + p.Hint)
	}
	return b.String()
}

// genericCode are the codes that say no more than "this is wrong".
var genericCode = map[string]bool{"ContainerAppInvalidSchema": true, "ContainerAppInvalidValue": true, NotEmulated: true}

// caret draws the line with a mark under the place. Long lines are cut around
// it; tabs are kept in the margin so that the mark stays in its column.
func (p Problem) caret() string {
	const widest = 100
	line := []rune(p.excerpt)
	col := max(0, min(p.Position.Column-1, len(line)))
	number := fmt.Sprintf("%5d | ", p.Position.Line)
	if col > widest/2 && len(line) > widest {
		line, col = append([]rune{'…'}, line[col-widest/2:]...), widest/2+1
	}
	if len(line) > widest {
		line = append(line[:widest:widest], '…')
	}
	margin := make([]rune, col)
	for i := range margin {
		if margin[i] = ' '; line[i] == '\t' {
			margin[i] = '\t'
		}
	}
	mark := "^" + strings.Repeat("~", max(0, min(p.width-1, len(line)-col-1)))
	return number + string(line) + "\n      | " + string(margin) + mark
}

// Problems are all the problems of a definition, sorted by position.
type Problems []Problem

// Err is nil when the definition can be used, else an error that prints every
// problem.
func (ps Problems) Err() error {
	if !ps.HasErrors() {
		return nil
	}
	return &ProblemsError{ps}
}

// HasErrors says whether one of the problems makes the definition unusable.
func (ps Problems) HasErrors() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return p.Severity == aca.SeverityError })
}

// String prints the problems one after the other, with a blank line around
// those that take more than one line.
func (ps Problems) String() string {
	var b strings.Builder
	before := ""
	for i, p := range ps {
		text := p.String()
		switch {
		case i == 0:
		case strings.Contains(before, "\n") || strings.Contains(text, "\n"):
			b.WriteString("\n\n")
		default:
			b.WriteString("\n")
		}
		b.WriteString(text)
		before = text
	}
	return b.String()
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Position.File, b.Position.File),
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
			cmp.Compare(a.Severity, b.Severity))
	})
}

// compact leaves out what is said already: apps that are copies of each other
// have the same mistake in the same place.
func (ps Problems) compact() Problems {
	type key struct {
		at                  Position
		message, hint, code string
		severity            aca.Severity
	}
	seen := map[key]bool{}
	return slices.DeleteFunc(ps, func(p Problem) bool {
		k := key{p.Position, p.Message, p.Hint, p.Code, p.Severity}
		again := seen[k] && p.Position.Line != 0
		seen[k] = true
		return again
	})
}

// ProblemsError is a definition that cannot be used.
type ProblemsError struct{ Problems Problems }

// Error prints every problem with its excerpt and hint.
func (e *ProblemsError) Error() string {
	n := 0
	for _, p := range e.Problems {
		if p.Severity == aca.SeverityError {
			n++
		}
	}
	word := "problems"
	if n == 1 {
		word = "problem"
	}
	return fmt.Sprintf("the definition has %d %s\n\n%s", n, word, e.Problems)
}
