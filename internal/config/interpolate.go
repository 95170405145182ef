package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// interpolate replaces $NAME and ${NAME…} in every text of a compose file, as
// compose does: from this process's environment, else from .env beside the
// file (https://docs.docker.com/reference/compose-file/interpolation/).
func (l *loader) interpolate(source *sourceFile, t *tree) {
	env := map[string]string{}
	file := filepath.Join(filepath.Dir(source.file), ".env")
	if isFile(file) {
		if dotenv := l.open(file); dotenv != nil {
			vars, _ := parseEnvFile(dotenv.text) // compose passes over other lines, too
			for _, v := range vars {
				env[v.name] = v.value
			}
		}
	}
	lookup := func(name string) (string, bool) {
		if value, ok := os.LookupEnv(name); ok {
			return value, true
		}
		value, ok := env[name]
		return value, ok
	}
	var problems []aca.Problem
	t.root = mapTexts(t.root, "", func(s string, path aca.Path) string {
		out, err := interpolateText(s, lookup)
		if err != nil {
			problems = append(problems, aca.Problem{Path: string(path), Message: err.Error()})
		}
		return out
	})
	l.problems = append(l.problems, source.locate(t, "", problems)...)
}

// mapTexts replaces every string of a tree.
func mapTexts(tree any, path aca.Path, change func(string, aca.Path) string) any {
	switch tree := tree.(type) {
	case string:
		return change(tree, path)
	case []any:
		for i := range tree {
			tree[i] = mapTexts(tree[i], path.Index(i), change)
		}
	case map[string]any:
		for key := range tree {
			tree[key] = mapTexts(tree[key], path.Field(key), change)
		}
	}
	return tree
}

func interpolateText(s string, lookup func(string) (string, bool)) (string, error) {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "$")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		switch {
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			s = rest[1:]
		case strings.HasPrefix(rest, "{"):
			expression, after, closed := strings.Cut(rest[1:], "}")
			if !closed {
				return b.String(), fmt.Errorf("${%s is not closed", clipText(expression))
			}
			value, err := braced(expression, lookup)
			if err != nil {
				return b.String(), err
			}
			b.WriteString(value)
			s = after
		default:
			n := nameLength(rest)
			if n == 0 {
				b.WriteByte('$')
			} else {
				value, _ := lookup(rest[:n])
				b.WriteString(value)
			}
			s = rest[n:]
		}
	}
}

// braced reads what stands in ${…}: a name and perhaps :-, -, :?, ?, :+ or +.
func braced(expression string, lookup func(string) (string, bool)) (string, error) {
	n := nameLength(expression)
	name, operator := expression[:n], expression[n:]
	value, set := lookup(name)
	if n == 0 {
		return "", fmt.Errorf("${%s} names no variable", clipText(expression))
	}
	strict := strings.HasPrefix(operator, ":")
	operator = strings.TrimPrefix(operator, ":")
	missing := !set || strict && value == ""
	switch {
	case operator == "" && !strict:
		return value, nil
	case strings.HasPrefix(operator, "-"):
		if missing {
			return operator[1:], nil
		}
		return value, nil
	case strings.HasPrefix(operator, "+"):
		if missing {
			return "", nil
		}
		return operator[1:], nil
	case strings.HasPrefix(operator, "?"):
		if missing {
			return "", fmt.Errorf("the variable %s is not set: %s", name, operator[1:])
		}
		return value, nil
	}
	return "", fmt.Errorf("${%s} is not understood", clipText(expression))
}

func nameLength(s string) int {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}

func clipText(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
