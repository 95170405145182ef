package aca

import "strings"

// Expand replaces $(NAME) in s by what lookup knows, as Kubernetes does for
// the values, commands and arguments of a container: an unknown name stays as
// text, $$ becomes $, and $$(NAME) is the text $(NAME). The rule also holds
// for values that come from secrets, which is why passwords with $$ break
// (https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/).
func Expand(s string, lookup func(name string) (value string, ok bool)) string {
	if !strings.Contains(s, "$") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '$' || i+1 == len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		text, n := reference(s[i:], lookup)
		b.WriteString(text)
		i += n
	}
	return b.String()
}

// reference reads one "$…" at the start of s, which has at least two bytes,
// and returns what it stands for and how long it was.
func reference(s string, lookup func(string) (string, bool)) (text string, n int) {
	switch s[1] {
	case '$':
		return "$", 2
	case '(':
		end := strings.IndexByte(s, ')')
		if end < 0 {
			return "$(", 2 // not closed: the text itself
		}
		if value, ok := lookup(s[2:end]); ok {
			return value, end + 1
		}
		return s[:end+1], end + 1
	default:
		return s[:2], 2
	}
}
