package logsink

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/logsink/kql"
)

// sealTexts makes a sealed console block of the texts.
func sealTexts(t testing.TB, list ...string) *sealed {
	t.Helper()
	m := newMemBlock(consoleDef, 0)
	for i, s := range list {
		m.addTime(int64(i))
		m.addTuple(consoleSource, "app", "", "", "", "", "id", "")
		m.addTuple(consoleStream, "stdout", "F")
		m.addText(0, []byte(s))
	}
	seg, err := createSegment(t.TempDir(), 0, consoleDef, openFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = seg.view.close() })
	blocks, err := new(sealer).write(seg, []*memView{m.view()})
	if err != nil {
		t.Fatal(err)
	}
	return blocks[0]
}

func TestTermFilterRulesOutBlocks(t *testing.T) {
	const yes, no = true, false
	tests := []struct {
		text   string
		op     kql.PredicateOp
		needle string
		want   bool
	}{
		{"connection timeout", kql.OpHas, "timeout", yes},
		{"connection timeout", kql.OpHas, "TimeOut", yes},
		{"connection timeout", kql.OpHas, "time", no},
		{"connection timeout", kql.OpHas, "connection timeout", yes},
		{"connection timeout", kql.OpHas, "timeout reset", no},
		{"connection timeout", kql.OpContains, "time", yes},
		{"connection timeout", kql.OpContains, "ion time", yes},
		{"connection timeout", kql.OpContains, "n reset x", no},
		{"connection timeout", kql.OpHasPrefix, "time", yes},
		{"connection timeout", kql.OpHasPrefix, "reset by", no},
		{"connection timeout", kql.OpStartsWith, "conn", yes},
		{"connection timeout", kql.OpStartsWith, "conn time", no},
		{"connection timeout", kql.OpEndsWith, "out", yes},
		{"connection timeout", kql.OpEndsWith, "n time", no},
		{"connection timeout", kql.OpEqual, "connection timeout", yes},
		{"connection timeout", kql.OpEqual, "connection", yes},
		{"connection timeout", kql.OpEqual, "connect", no},
		{"order=42;ok", kql.OpHas, "42", yes},
		{"order=42;ok", kql.OpHas, "4", no},
		{"order=42;ok", kql.OpHas, ";", yes},
		{"ÉTÉ", kql.OpHas, "été", yes},
		{"\u212aelvin", kql.OpHas, "kelvin", yes},
		{"日本語 log", kql.OpHas, "日本語", yes},
		{"日本語 log", kql.OpHas, "日本", no},
		{"\u1fb3", kql.OpHas, "\u1fb3", yes},
		{"\u03b1\u0345", kql.OpHas, "\u03b1\u03b9", yes},
	}
	for _, tt := range tests {
		b := sealTexts(t, "other words", tt.text)
		pred := kql.Predicate{Op: tt.op, IgnoreCase: true, Values: []kql.Value{{Type: kql.String, Str: tt.needle}}}
		test, ok := newTextTest(0, pred)
		got := yes
		if ok {
			var err error
			if got, err = test.mayMatch(b); err != nil {
				t.Fatal(err)
			}
		}
		if got != tt.want {
			t.Errorf("%q, op %d, %q: %v, want %v", tt.text, tt.op, tt.needle, got, tt.want)
		}
	}
}

func TestFalseHitsOfTermFilterAreRare(t *testing.T) {
	var set termSet
	const n = 50_000
	for i := range n {
		set.add(hashTerm(fmt.Appendf(nil, "term%d", i)))
	}
	f := set.filter()
	for i := range n {
		if !filterHas(f, hashTerm(fmt.Appendf(nil, "TERM%d", i))) {
			t.Fatalf("term%d is not found", i)
		}
	}
	hits := 0
	for i := range n {
		if filterHas(f, hashTerm(fmt.Appendf(nil, "other%d", i))) {
			hits++
		}
	}
	if hits > n/100 {
		t.Errorf("%d of %d terms that are not there are found, want less than 1 in 100", hits, n)
	}
}

func TestFindRows(t *testing.T) {
	tests := []struct {
		texts  []string
		needle string
		want   []int
	}{
		{[]string{"ab", "ba", "ab"}, "ab", []int{0, 2}},
		{[]string{"a", "b"}, "ab", nil}, // across two rows
		{[]string{"xa", "bab"}, "ab", []int{1}},
		{[]string{"aaaa", "", "aa"}, "aa", []int{0, 2}},
		{[]string{"", "", "z"}, "z", []int{2}},
		{[]string{"aab"}, "ab", []int{0}},
	}
	for _, tt := range tests {
		var c texts
		for _, s := range tt.texts {
			c.data = append(c.data, s...)
			c.ends = append(c.ends, uint32(len(c.data)))
		}
		found := findRows(c.data, c.ends, []byte(tt.needle))
		var got []int
		for i := range tt.texts {
			if found.Get(i) {
				got = append(got, i)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q in %q (-want +got)\n%s", tt.needle, tt.texts, diff)
		}
	}
}

func FuzzLowerASCII(f *testing.F) {
	f.Add([]byte("Hello, WORLD @[`{ \xc3\x89\xff 0123"))
	f.Fuzz(func(t *testing.T, b []byte) {
		want := bytes.Map(func(r rune) rune { return r }, nil)
		for _, c := range b {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			want = append(want, c)
		}
		if got := lowerASCII(nil, b); !bytes.Equal(got, want) {
			t.Errorf("%q becomes %q, want %q", b, got, want)
		}
	})
}

// Terms must be found whatever their case: the filter would hide rows else.
func FuzzTerms(f *testing.F) {
	f.Add("GET /Orders/42 \u212aelvin \u017ftraße É\xff日本")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, iotas+"\u0345") {
			t.Skip("not looked for by terms")
		}
		var plain, other []uint64
		eachTerm([]byte(s), func(h uint64, from, to int) {
			if from >= to || to > len(s) {
				t.Fatalf("term from %d to %d of %d bytes", from, to, len(s))
			}
			plain = append(plain, h)
		})
		swapped := strings.Map(func(r rune) rune { return foldRune(r) }, strings.ToValidUTF8(s, "\xff"))
		eachTerm([]byte(swapped), func(h uint64, _, _ int) { other = append(other, h) })
		if diff := cmp.Diff(plain, other); diff != "" {
			t.Errorf("terms of %q and %q (-want +got)\n%s", s, swapped, diff)
		}
	})
}
