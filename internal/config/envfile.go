package config

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// envLine is one NAME=value of an env file.
type envLine struct {
	name, value string
	line        int
}

// parseEnvFile reads lines of NAME=value. Empty lines and those that begin
// with # are skipped, "export " in front is allowed, and one pair of quotes
// around the value is taken off; nothing is expanded. bad lists the lines that
// are none of this.
func parseEnvFile(text []byte) (vars []envLine, bad []int) {
	for i, raw := range bytes.Split(text, []byte("\n")) {
		line := strings.TrimSpace(string(raw))
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.ContainsAny(name, " \t\"'") {
			bad = append(bad, i+1)
			continue
		}
		vars = append(vars, envLine{name, unquote(strings.TrimSpace(value)), i + 1})
	}
	return vars, bad
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// readEnvFile reads an env file named by acalocal.yaml at path. It also
// returns the file's name as positions have it.
func (l *loader) readEnvFile(local *localFile, file string, path aca.Path) ([]envLine, string) {
	name := filepath.Join(local.dir, file)
	if filepath.IsAbs(file) {
		name = file
	}
	source, err := readSource(name)
	if err != nil {
		l.localProblem(local, path, err.Error(), "")
		return nil, name
	}
	l.def.Files = append(l.def.Files, name)
	vars, bad := parseEnvFile(source.text)
	for _, line := range bad {
		// The line itself is not shown: it may hold a secret.
		l.problems = append(l.problems, Problem{Position: Position{name, line, 1}, Problem: aca.Problem{
			Message: fmt.Sprintf("line %d is not NAME=value", line)}})
	}
	return vars, name
}
