// Package check gives advice about a definition that Azure would accept: each
// rule comes from a published failure on Azure Container Apps. It looks at
// files only, starts nothing and needs no Docker.
//
// A rule is one entry of a table in a rules_*.go file: an id that never
// changes, a severity, the text of its page in docs/rules, and a function that
// looks at one app.
package check

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
)

// Rule is one piece of advice.
type Rule struct {
	ID       string // stable, in lower case with dashes
	Severity aca.Severity
	Title    string // one clause, lower case: what is wrong
	Why      string // what happens on Azure
	Do       string // what to do about it
	Source   string // where the failure was published
	Fixable  bool   // Apply can mend what it finds

	look func(*subject)
}

// DefinitionRule is the id of what Azure itself would refuse or ignore.
const DefinitionRule = "definition"

// Finding is one thing a rule found.
type Finding struct {
	Rule string // id
	config.Problem
	Edits []Edit // the mechanical fix, nil when there is none
}

// Edit replaces a part of one line of a file, or adds a line.
type Edit struct {
	File    string
	Line    int // from 1
	Column  int // in characters from 1; 0 puts New on a line of its own below Line
	Width   int // characters replaced
	New     string
	Replace string // what must stand there for the edit to be made; "" for added lines
}

// Rules lists every rule, sorted by id. The caller must not change it.
func Rules() []Rule { return allRules }

var allRules = func() []Rule {
	rules := slices.Concat(probeRules, ingressRules, imageRules, resourceRules, configRules, scaleRules, triggerRules, runningRules)
	slices.SortFunc(rules, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	return rules
}()

// Run looks at every app of a definition with every rule. Problems are those
// Load found; they come back as findings of DefinitionRule. Running is what is
// seen of apps that run, by name; nil when none does. Findings are sorted by
// position.
func Run(def *config.Definition, problems config.Problems, running map[string]*Running) []Finding {
	var findings []Finding
	for _, p := range problems {
		if p.Code == config.NotEmulated {
			continue // says nothing about Azure
		}
		f := Finding{Rule: DefinitionRule, Problem: p}
		if app, ok := def.App(p.App); ok {
			f.Edits = replaceEdit(app, p.Problem)
		}
		findings = append(findings, f)
	}
	for i := range def.Apps {
		s := newSubject(&def.Apps[i])
		s.running = running[s.app.Name]
		for j := range allRules {
			s.rule = &allRules[j]
			s.rule.look(s)
		}
		findings = append(findings, s.findings...)
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Position.File, b.Position.File), cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column), cmp.Compare(a.Rule, b.Rule))
	})
	return compact(findings)
}

// compact leaves out what is found already: apps that are copies of each other
// have the same mistake in the same place.
func compact(findings []Finding) []Finding {
	type key struct {
		rule, message string
		at            config.Position
	}
	seen := map[key]bool{}
	return slices.DeleteFunc(findings, func(f Finding) bool {
		k := key{f.Rule, f.Message, f.Position}
		again := seen[k] && f.Position.Line != 0
		seen[k] = true
		return again
	})
}

// Worst is the highest severity among findings; ok is false when there are none.
func Worst(findings []Finding) (worst aca.Severity, ok bool) {
	worst = aca.SeverityNote
	for _, f := range findings {
		worst = min(worst, f.Severity)
	}
	return worst, len(findings) > 0
}

// at reports a value of the definition.
func (s *subject) at(path aca.Path, format string, args ...any) *Finding {
	return s.add(s.app.Locate(s.problem(string(path), fmt.Sprintf(format, args...))))
}

// onKey reports a key of the definition.
func (s *subject) onKey(path aca.Path, format string, args ...any) *Finding {
	p := s.problem(string(path), fmt.Sprintf(format, args...))
	p.OnKey = true
	return s.add(s.app.Locate(p))
}

// inFile reports a line of the Dockerfile or of a file beside it.
func (s *subject) inFile(f *textFile, line int, format string, args ...any) *Finding {
	return s.add(config.InFile(f.name, f.text, line, s.app.Name, s.problem("", fmt.Sprintf(format, args...))))
}

// atCommand reports the command the main container starts with, wherever that
// is written.
func (s *subject) atCommand(format string, args ...any) *Finding {
	c := s.command
	if c.file != nil {
		return s.inFile(c.file, c.line, format, args...)
	}
	return s.at(c.path, format, args...)
}

func (s *subject) problem(path, message string) aca.Problem {
	return aca.Problem{Path: path, Severity: s.rule.Severity, Code: s.rule.ID, Message: message, Hint: s.rule.Do}
}

func (s *subject) add(p config.Problem) *Finding {
	s.findings = append(s.findings, Finding{Rule: s.rule.ID, Problem: p})
	return &s.findings[len(s.findings)-1]
}
