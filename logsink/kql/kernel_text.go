package kql

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// textTest is a test of a string against a needle.
type textTest struct {
	negate, cs bool
	base       string // has, hasprefix, contains, equal, …
}

// textTests maps an operator to its test.
var textTests = func() map[string]textTest {
	m := map[string]textTest{
		"=~": {false, false, "equal"}, "!~": {true, false, "equal"},
		"matches regex": {false, true, "regex"}, ":": {false, false, "has"},
	}
	for _, base := range []string{"has", "hasprefix", "hassuffix", "contains", "startswith", "endswith"} {
		m[base] = textTest{false, false, base}
		m["!"+base] = textTest{true, false, base}
		m[base+"_cs"] = textTest{false, true, base}
		m["!"+base+"_cs"] = textTest{true, true, base}
	}
	return m
}()

// isTermRune reports whether r belongs to a term: a letter or a digit.
func isTermRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// boundaryBefore reports whether a term may begin at i.
func boundaryBefore(s string, i int) bool {
	if i == 0 {
		return true
	}
	if c := s[i-1]; c < utf8.RuneSelf {
		return !isTermRune(rune(c))
	}
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return !isTermRune(r)
}

func boundaryAfter(s string, i int) bool {
	if i >= len(s) {
		return true
	}
	if c := s[i]; c < utf8.RuneSelf {
		return !isTermRune(rune(c))
	}
	r, _ := utf8.DecodeRuneInString(s[i:])
	return !isTermRune(r)
}

// matcher returns the test of a string for one needle.
func (t textTest) matcher(needle string) func(string) bool {
	f := t.positive(needle)
	if t.negate {
		return func(s string) bool { return !f(s) }
	}
	return f
}

func (t textTest) positive(needle string) func(string) bool {
	switch t.base {
	case "equal":
		return func(s string) bool { return strings.EqualFold(s, needle) }
	case "contains":
		if t.cs {
			return func(s string) bool { return strings.Contains(s, needle) }
		}
		find := foldFinder(needle)
		return func(s string) bool { return find(s, 0) >= 0 }
	case "startswith":
		if t.cs {
			return func(s string) bool { return strings.HasPrefix(s, needle) }
		}
		return func(s string) bool { return hasFoldPrefix(s, needle) }
	case "endswith":
		if t.cs {
			return func(s string) bool { return strings.HasSuffix(s, needle) }
		}
		return func(s string) bool { return hasFoldSuffix(s, needle) }
	}
	return termMatcher(needle, t.cs, t.base != "hassuffix", t.base != "hasprefix")
}

// termMatcher finds needle with a term boundary before and after as asked.
// A boundary counts where the needle itself begins or ends with a separator.
func termMatcher(needle string, cs, before, after bool) func(string) bool {
	if needle == "" {
		return func(string) bool { return true }
	}
	find := foldFinder(needle)
	if cs {
		find = func(s string, from int) int {
			if i := strings.Index(s[from:], needle); i >= 0 {
				return from + i
			}
			return -1
		}
	}
	first, _ := utf8.DecodeRuneInString(needle)
	last, _ := utf8.DecodeLastRuneInString(needle)
	before, after = before && isTermRune(first), after && isTermRune(last)
	return func(s string) bool {
		for from := 0; from <= len(s)-len(needle); {
			i := find(s, from)
			if i < 0 {
				return false
			}
			if (!before || boundaryBefore(s, i)) && (!after || boundaryAfter(s, i+len(needle))) {
				return true
			}
			from = i + 1
		}
		return false
	}
}

// foldFinder returns a function that finds needle ignoring case, as
// strings.Index does from an offset.
func foldFinder(needle string) func(s string, from int) int {
	if !isASCII(needle) {
		return func(s string, from int) int { return indexFoldSlow(s, needle, from) }
	}
	low := strings.ToLower(needle)
	if low == "" {
		return func(_ string, from int) int { return from }
	}
	// The rarest byte of the needle guides the search.
	k := rarest(low)
	a, b := low[k], upperByte(low[k])
	return func(s string, from int) int {
		for i := from + k; i < len(s); {
			j := indexEither(s[i:], a, b)
			if j < 0 {
				return -1
			}
			i += j
			if start := i - k; start+len(low) <= len(s) && equalFoldASCII(s[start:start+len(low)], low) {
				return start
			}
			i++
		}
		return -1
	}
}

// frequent orders letters by how often log lines have them, most first.
const frequent = " etaoinsr0hld1cum2fpgwy3b4v5k6x7j89qz"

func rarest(s string) int {
	best, rank := 0, -1
	for i := range len(s) {
		r := strings.IndexByte(frequent, s[i])
		if r < 0 {
			r = len(frequent)
		}
		if r > rank {
			best, rank = i, r
		}
	}
	return best
}

func upperByte(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c - 'A' + 'a'
	}
	return c
}

// indexEither finds the first a or b.
func indexEither(s string, a, b byte) int {
	i := strings.IndexByte(s, a)
	if a == b {
		return i
	}
	if i >= 0 {
		s = s[:i]
	}
	if j := strings.IndexByte(s, b); j >= 0 {
		return j
	}
	return i
}

func equalFoldASCII(s, low string) bool {
	for i := range len(low) {
		if lowerByte(s[i]) != low[i] {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func indexFoldSlow(s, needle string, from int) int {
	for i := from; i <= len(s); {
		if hasFoldPrefix(s[i:], needle) {
			return i
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		i += max(n, 1)
	}
	return -1
}

func hasFoldPrefix(s, prefix string) bool {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return true
	}
	if isASCII(prefix) {
		return false
	}
	// A rune and its other case may differ in length.
	for _, p := range prefix {
		r, n := utf8.DecodeRuneInString(s)
		if n == 0 || !strings.EqualFold(string(r), string(p)) {
			return false
		}
		s = s[n:]
	}
	return true
}

func hasFoldSuffix(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

// textOp binds an operator on text.
func (b *binder) textOp(n *binaryNode, l, r *bound) *bound {
	t, ok := textTests[n.op]
	if !ok || n.op == "like" {
		b.diags.report(n.opAt, "KS002", "Unexpected: %s", n.op)
		return failed(n)
	}
	if l.typ != String && l.typ != Dynamic || r.typ != String && r.typ != Dynamic {
		if n.op != ":" {
			return nil
		}
		r = cast(r, String)
	}
	l, r = cast(l, String), cast(r, String)
	if t.base == "regex" {
		return b.regexOp(n, l, r)
	}
	return derive(Bool, n, textEval(t, l, r), l, r)
}

func textEval(t textTest, l, r *bound) evalFn {
	if r.val != nil {
		match := t.matcher(r.val.Str)
		return eval1(l, func(_ *run, a *Vector, n int) *Vector {
			out := &Vector{Type: Bool, Bools: make([]bool, n)}
			matchStrings(out.Bools, a, match)
			return out
		})
	}
	return eval2(l, r, func(_ *run, a, b *Vector, n int) *Vector {
		out := &Vector{Type: Bool, Bools: make([]bool, n)}
		if b.one {
			matchStrings(out.Bools, a, t.matcher(b.Str(0)))
			return out
		}
		for i := range n {
			out.Bools[i] = t.matcher(b.Str(i))(a.Str(i))
		}
		return out
	})
}

func (b *binder) regexOp(n *binaryNode, l, r *bound) *bound {
	if r.val == nil && !r.static {
		b.diags.report(r.node.pos(), "KS129", "The expression must be a constant.")
		return failed(n)
	}
	res := newRegexCache()
	if r.val != nil && b.compileRegex(r.val.Str, r.node) == nil {
		return failed(n)
	}
	return derive(Bool, n, eval2(l, r, func(_ *run, a, b *Vector, rows int) *Vector {
		out := &Vector{Type: Bool, Bools: make([]bool, rows)}
		if re := res.get(b.Str(0)); re != nil {
			matchStrings(out.Bools, a, re.MatchString)
		}
		return out
	}), l, r)
}

// compileRegex reports a pattern RE2 does not take.
func (b *binder) compileRegex(expr string, n node) *pattern {
	re, err := compilePattern(expr)
	if err != nil {
		b.diags.report(n.pos(), "KQL011", "The regular expression is not valid: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re
}

// regexCache compiles patterns once.
type regexCache struct{ m map[string]*pattern }

func newRegexCache() *regexCache { return &regexCache{map[string]*pattern{}} }

// get returns the compiled pattern, nil when it is not valid.
func (c *regexCache) get(expr string) *pattern {
	re, ok := c.m[expr]
	if !ok {
		re, _ = compilePattern(expr) // an invalid pattern matches nothing
		if len(c.m) < 1000 {
			c.m[expr] = re
		}
	}
	return re
}
