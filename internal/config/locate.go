package config

import (
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Locate gives a problem of the app its position and excerpt.
func (a *App) Locate(p aca.Problem) Problem {
	origin, set := a.origin.set[strings.ToLower(p.Path)]
	if set || a.origin.tree == nil {
		return Problem{Position: origin.Position, App: a.Name, Problem: p}
	}
	return a.origin.source.locate(a.origin.tree, a.Name, []aca.Problem{p})[0]
}

// Extent is where a key and its value stand in the app's file; widths are in
// characters. Value is meaningless for what is not plain text on one line.
type Extent struct {
	Key, Value           Position
	KeyWidth, ValueWidth int
	ValueText            string // as written, quotes included
}

// Extent finds a path in the app's own file; ok is false for what is not
// written there.
func (a *App) Extent(path string) (e Extent, ok bool) {
	if _, set := a.origin.set[strings.ToLower(path)]; set || a.origin.tree == nil {
		return Extent{}, false
	}
	p, ok := a.origin.tree.place(path)
	if !ok {
		return Extent{}, false
	}
	e = Extent{Key: p.key, Value: p.value, KeyWidth: p.keyWidth, ValueWidth: p.valueWidth}
	line := []rune(a.origin.source.line(p.value.Line))
	if from := p.value.Column - 1; from >= 0 && from+p.valueWidth <= len(line) {
		e.ValueText = string(line[from : from+p.valueWidth])
	}
	return e, true
}

// InFile makes a problem of a line of a file that is not a definition.
func InFile(file string, text []byte, line int, app string, p aca.Problem) Problem {
	s := &sourceFile{file: file, text: text}
	excerpt := s.line(line)
	indent := len(excerpt) - len(strings.TrimLeft(excerpt, " \t"))
	located := s.problem(Position{file, line, indent + 1}, len([]rune(excerpt[indent:])), p)
	located.App = app
	return located
}
