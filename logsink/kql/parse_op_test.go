package kql

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// The quick matcher must never disagree with the regular expression.
func TestQuickMatchAgreesWithTheExpression(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	decided := 0
	for range 20000 {
		pattern := ""
		last := ""
		for range 1 + rng.IntN(5) {
			piece := pick("*", `"a"`, `"ab"`, `"="`, "x:long", "y:string", "z:timespan")
			if last != "" && !strings.HasPrefix(last, `"`) && !strings.HasPrefix(piece, `"`) {
				continue // two in a row without a literal between
			}
			pattern += " " + piece
			last = piece
		}
		q, diags := parse("T | parse s with" + pattern)
		if len(diags.list) > 0 {
			t.Fatalf("%s: %v", pattern, diags.list)
		}
		op := q.statements[0].x.(*pipeNode).ops[0].(*parseOp)
		b := &binder{diags: &diagSink{}}
		m := op.matcher(b, "simple", "")
		text := ""
		for range rng.IntN(8) {
			text += pick("a", "ab", "=", "1", "-23", "b", " ")
		}
		got, known := m.quickMatch(text, m.loc)
		if !known {
			continue
		}
		decided++
		want := m.re.FindStringSubmatchIndex(text)
		if got != (want != nil) {
			t.Fatalf("pattern%s on %q: quick says %v, the expression %v", pattern, text, got, want != nil)
		}
		for i := range m.cols {
			if got && (m.loc[2*i] != want[2*i+2] || m.loc[2*i+1] != want[2*i+3]) {
				t.Fatalf("pattern%s on %q: column %d is %v, want %v", pattern, text, i, m.loc, want[2:])
			}
		}
	}
	if decided < 5000 {
		t.Errorf("only %d texts were decided", decided)
	}
}
