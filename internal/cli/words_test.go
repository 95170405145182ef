package cli

import (
	"testing"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/google/go-cmp/cmp"
)

func TestSplitWords(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		got, err := splitWords(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
	f("")
	f("  ")
	f("ls", "ls")
	f(" ls  -l\t/tmp ", "ls", "-l", "/tmp")
	f(`sh -c 'echo "$HOME"'`, "sh", "-c", `echo "$HOME"`)
	f(`a "b c" d`, "a", "b c", "d")
	f(`a ""`, "a", "")
	f(`a"b"'c'`, "abc")
	f(`a\ b`, "a b")
	f(`"a\"b" "a\b"`, `a"b`, `a\b`)
	f(`'a\b'`, `a\b`)
}

func TestSplitWordsRefusesOpenQuotes(t *testing.T) {
	for _, in := range []string{`"a`, `'a`, `a\`} {
		if got, err := splitWords(in); err == nil {
			t.Errorf("%s: got %q, want an error", in, got)
		}
	}
}

func FuzzSplitWords(f *testing.F) {
	f.Add(`sh -c 'echo "a b"' \x`)
	f.Fuzz(func(t *testing.T, in string) {
		words, err := splitWords(in)
		if err == nil && len(words) > len(in) {
			t.Errorf("%q: %d words from %d bytes", in, len(words), len(in))
		}
	})
}

func TestLocate(t *testing.T) {
	type place struct {
		Line, Col int
		Source    string
		Width     int
	}
	f := func(text string, at api.Span, want place) {
		t.Helper()
		var got place
		got.Line, got.Col, got.Source, got.Width = locate(text, at)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q at %v (-want +got):\n%s", text, at, diff)
		}
	}
	f("abc", api.Span{}, place{1, 1, "abc", 0})
	f("abc", api.Span{Start: 1, Length: 1}, place{1, 2, "abc", 1})
	f("ab\ncde\nf", api.Span{Start: 4, Length: 2}, place{2, 2, "cde", 2})
	f("ab\ncde\nf", api.Span{Start: 4, Length: 9}, place{2, 2, "cde", 2})
	f("abc", api.Span{Start: 3}, place{1, 4, "abc", 0})
	f("abc\n", api.Span{Start: 4}, place{2, 1, "", 0})
	f("abc", api.Span{Start: 99, Length: 9}, place{1, 4, "abc", 0})
	f("𝄞x\ty", api.Span{Start: 2, Length: 1}, place{1, 2, "𝄞x y", 1})
	f("", api.Span{}, place{1, 1, "", 0})
}
