package logsink

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// joined returns the lines that a joiner makes of the entries, entry i coming
// at time i+1, as "time tag text".
func joined(limit int, list ...string) (lines []string) {
	j := joiner{limit: limit}
	emit := func(t int64, line []byte, partial bool) {
		tag := tagFull
		if partial {
			tag = tagPartial
		}
		lines = append(lines, fmt.Sprintf("%d %s %s", t, tag, line))
	}
	for i, s := range list {
		j.add(int64(i+1), []byte(s), emit)
	}
	j.end(emit)
	return lines
}

func TestEntriesBecomeLines(t *testing.T) {
	tests := []struct {
		name    string
		entries []string
		want    []string
	}{
		{"one line", []string{"abc\n"}, []string{"1 F abc"}},
		{"empty line", []string{"\n", "a\n"}, []string{"1 F ", "2 F a"}},
		{"carriage return", []string{"abc\r\n", "a\rb\n", "\r\n"}, []string{"1 F abc", "2 F a\rb", "3 F "}},
		{"two in one entry", []string{"a\nb\n"}, []string{"1 F a", "1 F b"}},
		{"joined", []string{"ab", "cd", "e\n", "f\n"}, []string{"1 F abcde", "4 F f"}},
		{"joined across", []string{"a\nb", "c\nd\n"}, []string{"1 F a", "1 F bc", "2 F d"}},
		{"line end alone", []string{"abc", "\n"}, []string{"1 F abc"}},
		{"line end in two", []string{"abc\r", "\n"}, []string{"1 F abc"}},
		{"end of stream", []string{"abc"}, []string{"1 F abc"}},
		{"nothing", []string{"", ""}, nil},
		{"as long as allowed", []string{"12345678\n"}, []string{"1 F 12345678"}},
		{"as long as allowed, two parts", []string{"12345678", "\r\n"}, []string{"1 F 12345678"}},
		{"as long as allowed, line end apart", []string{"12345678\r", "\n"}, []string{"1 F 12345678"}},
		{"too long", []string{"123456789\n"}, []string{"1 P 12345678", "1 F 9"}},
		{"too long, in parts", []string{"12345678", "12345678", "1\n"}, []string{"1 P 12345678", "2 P 12345678", "3 F 1"}},
		{"too long, second piece begins in the middle", []string{"12345", "67812", "3\n"}, []string{"1 P 12345678", "2 F 123"}},
		{"runes are not broken", []string{"1234567é\n"}, []string{"1 P 1234567", "1 F é"}},
		{"long runes neither", []string{"12345\U0001f600\n"}, []string{"1 P 12345", "1 F \U0001f600"}},
		{"bytes may be", []string{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\n"}, []string{"1 P \x80\x80\x80\x80\x80\x80\x80\x80", "1 F \x80"}},
		{"binary", []string{"\x00\xff\xfe\n"}, []string{"1 F \x00\xff\xfe"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, joined(8, tt.entries...)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
	}
}

// However an engine cuts a text into entries, the lines are the same, and
// together they are the text.
func FuzzLines(f *testing.F) {
	f.Add("one\ntwo\r\n\nthree é four five six seven\n", uint8(3), uint8(5))
	f.Fuzz(func(t *testing.T, text string, size, limit uint8) {
		text = strings.ReplaceAll(text, "\r", "")
		if size == 0 || limit == 0 {
			t.Skip("no entries, or no lines")
		}
		var list []string
		for rest := text; rest != ""; {
			n := min(int(size), len(rest))
			list, rest = append(list, rest[:n]), rest[n:]
		}
		strip := func(lines []string) (out []string, all string) {
			for _, l := range lines {
				_, l, _ = strings.Cut(l, " ")
				out = append(out, l)
				all += l[2:]
				if l[0] == tagFull[0] {
					all += "\n"
				}
				if len(l)-2 > int(limit) {
					t.Errorf("line %q is longer than %d", l, limit)
				}
			}
			return out, all
		}
		want, _ := strip(joined(int(limit), text))
		got, all := strip(joined(int(limit), list...))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-whole +in entries of %d)\n%s", text, size, diff)
		}
		if strings.TrimSuffix(all, "\n") != strings.TrimSuffix(text, "\n") {
			t.Errorf("lines %q of %q", all, text)
		}
	})
}
