package kql

import (
	"regexp"
	"slices"
	"testing"
)

// patterns are of all shapes: walks, nearly walks, and others.
var patterns = []string{
	`took (\d+) ms`, `duration=(\d+)ms`, `(\d+) ms`, `^(\w+) `, `id=([^ ]*)`, `"(.*?)"`, `"(.+?)" x`, `a(.*)b`, `status=(\d{3})\b`,
	`(?i)error: (.*)`, `user:(\d+):`, `\[(.*?)\]`, `(a|b)=(\d+)`, `(\d+)$`, `^$`, `^(\d*)$`, ``, `x*`, `(\d{1,3})\.(\d{1,3})`, `(\d+)\.?(\d*)`,
	`é(.)`, `([^é]+)=`, `.`, `(.)(.)`, `(?s)a(.*?)b`, `a.c`, `\d+?`, `a\d*?`, `\d+?$`, `\d+?x`, `(?m)^a`, `a[^b]*b`, `(\d+)(\d)`, `k=(?P<v>\S+)`,
	`[a-z]+@[a-z]+\.com`, `(?:ab)+c`, `a{2,4}b`, `a{2,4}a`, `(x?)y`, `(x??)y`, `[^\n]*\n`, `.*`, `(.*?)`, `a(.*?)$`, `\x{FFFD}`, `[^a]b`, `(\s*)-(\s*)`,
	`0|`, `a|bc`, `(a|bc)=`, `|a`, `(?:a|b\b)x`, `(?i)(a|bc)x`,
}

var patternTexts = []string{
	"", "a", "took 12 ms", "took  ms, took 7 ms", "GET / duration=843ms id=0000", `x="a" y="b\n" z=""`, "12.34.56.78", "é=é", "a\xe2\x82b", "\xff",
	"aaab", "aaaaab", "ab\nab", "status=200", "Error: no", "ERROR: \u212a", "user:12:profile", "[worker-1] [x]", "k=v w", "me@x.com", "xy", "\ufffd", "abababc", "12", "a12b", " - ",
}

// checkPattern wants the answers of regexp.
func checkPattern(t *testing.T, expr, s string) {
	t.Helper()
	p, err := compilePattern(expr)
	want, wantErr := regexp.Compile(expr)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q: %v, and regexp says %v", expr, err, wantErr)
	}
	if err != nil {
		return
	}
	if got, want := p.FindStringSubmatchIndex(s), want.FindStringSubmatchIndex(s); !slices.Equal(got, want) {
		t.Errorf("%q in %q: got %v, want %v", expr, s, got, want)
	}
	if got, want := p.FindStringIndex(s), want.FindStringIndex(s); !slices.Equal(got, want) || (got == nil) != (want == nil) {
		t.Errorf("%q in %q: got %v, want %v", expr, s, got, want)
	}
	if got, want := p.MatchString(s), want.MatchString(s); got != want {
		t.Errorf("%q in %q: got %v", expr, s, got)
	}
}

func TestPatternsMatchAsRegexpSays(t *testing.T) {
	for _, expr := range patterns {
		for _, s := range patternTexts {
			checkPattern(t, expr, s)
		}
	}
}

func TestCommonPatternsAreWalks(t *testing.T) {
	for _, expr := range []string{`took (\d+) ms`, `duration=(\d+)ms`, `(\d+) ms`, `id=([^ ]*)`, `"(.*?)"`, `\[(.*?)\]`, `^(\w+) `, `(\d+)$`, `k=(?P<v>\S+)`} {
		p, err := compilePattern(expr)
		if err != nil || p.walk == nil {
			t.Errorf("%q is no walk (%v)", expr, err)
		}
	}
}

func TestWalkGivesUpWhereStartsAddUp(t *testing.T) {
	p, err := compilePattern(`a[^b]*b`)
	if err != nil {
		t.Fatal(err)
	}
	s := string(slices.Repeat([]byte("a"), 1<<20))
	if _, known := p.quick(s); known || p.MatchString(s) {
		t.Error("a walk must not take quadratic time")
	}
}

func FuzzPattern(f *testing.F) {
	for _, expr := range patterns {
		for _, s := range patternTexts {
			f.Add(expr, s)
		}
	}
	f.Fuzz(func(t *testing.T, expr, s string) { checkPattern(t, expr, s) })
}
