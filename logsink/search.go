package logsink

import (
	"bytes"
	"encoding/binary"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/acalocal/acalocal/logsink/kql"
)

// textTest is a test of a text column that can rule out rows, and with the
// column's term filter whole blocks, without ever ruling out a row that passes
// the predicate it was made from.
type textTest struct {
	col     int
	needles []needle
	all     bool // all needles must occur, not only one
}

// needle is a text to look for.
type needle struct {
	text   []byte // in lower case if fold is set
	fold   bool   // ignore case
	terms  []uint64
	ascii  bool
	clumsy bool // has letters that equal others beyond ASCII: k and s
}

// newTextTest makes the test of a predicate, if it rules out anything.
func newTextTest(col int, p kql.Predicate) (textTest, bool) {
	t := textTest{col: col, all: p.Op == kql.OpHasAll}
	for _, v := range p.Values {
		if v.Type != kql.String || p.Op >= kql.OpGreater {
			return t, false
		}
		n := newNeedle(v.Str, p.Op, p.IgnoreCase)
		switch {
		case len(n.text) > 0:
			t.needles = append(t.needles, n)
		case !t.all:
			return t, false // one of them is in every text
		}
	}
	return t, len(t.needles) > 0
}

func newNeedle(s string, op kql.PredicateOp, fold bool) needle {
	n := needle{text: []byte(s), fold: fold, terms: wholeTerms(s, op), ascii: isASCII([]byte(s))}
	if fold {
		n.text = lowerASCII(nil, n.text)
		n.clumsy = bytes.ContainsAny(n.text, "ks")
	}
	return n
}

// iotas are the only letters that equal, but for case, a rune that is none (the
// combining U+0345): a term with one of them may match where there is no term.
const iotas = "\u0399\u03b9\u1fbe"

// wholeTerms returns the hashes of the terms that any text which passes must
// have whole. A term at an end of the needle may go on in the text, unless the
// operator looks for whole terms there.
func wholeTerms(s string, op kql.PredicateOp) (hashes []uint64) {
	left := op == kql.OpHas || op == kql.OpHasAll || op == kql.OpEqual || op == kql.OpHasPrefix || op == kql.OpStartsWith
	right := op == kql.OpHas || op == kql.OpHasAll || op == kql.OpEqual || op == kql.OpEndsWith
	eachTerm([]byte(s), func(h uint64, from, to int) {
		whole := (from > 0 || left) && (to < len(s) || right)
		if whole && !strings.ContainsAny(s[from:to], iotas) {
			hashes = append(hashes, h)
		}
	})
	return hashes
}

// mayMatch reports whether a sealed block may have a row that passes.
func (t *textTest) mayMatch(b *sealed) (bool, error) {
	for i := range t.needles {
		yes, err := b.mayHaveTerms(t.col, t.needles[i].terms)
		if err != nil || yes != t.all {
			return yes, err
		}
	}
	return t.all, nil
}

// rows clears the bits of rows that do not pass.
func (t *textTest) rows(s *textScratch, c texts, ascii bool, sel kql.Bitmap) {
	if t.all {
		for i := range t.needles {
			t.needles[i].rows(s, c, ascii, func(found kql.Bitmap) {
				for w := range sel {
					sel[w] &= found[w]
				}
			})
		}
		return
	}
	any := make(kql.Bitmap, len(sel))
	for i := range t.needles {
		sure := t.needles[i].rows(s, c, ascii, func(found kql.Bitmap) {
			for w := range any {
				any[w] |= found[w]
			}
		})
		if !sure {
			return // every row may have it
		}
	}
	for w := range sel {
		sel[w] &= any[w]
	}
}

// textScratch is memory for searching one column of a block.
type textScratch struct {
	lower   []byte
	isLower bool // lower is the column in lower case
}

// rows finds the rows that have the needle. It reports false, and does not
// call use, if bytes alone cannot tell: when letters beyond ASCII may equal
// the needle's but for case.
func (n *needle) rows(s *textScratch, c texts, ascii bool, use func(kql.Bitmap)) (sure bool) {
	data := c.data
	if n.fold {
		if !ascii && (!n.ascii || n.clumsy && hasFoldingRunes(data)) {
			return false
		}
		if ascii && !n.ascii && !mayFoldToASCII(n.text) {
			use(kql.NewBitmap(len(c.ends)))
			return true
		}
		if !n.ascii {
			return false
		}
		data = s.lowered(data)
	}
	use(findRows(data, c.ends, n.text))
	return true
}

func (s *textScratch) lowered(data []byte) []byte {
	if !s.isLower {
		s.lower = lowerASCII(s.lower[:0], data)
		s.isLower = true
	}
	return s.lower
}

// The runes beyond ASCII that equal an ASCII letter but for case.
const (
	longS      = "\u017f"
	kelvinSign = "\u212a"
)

func hasFoldingRunes(b []byte) bool {
	return bytes.Contains(b, []byte(longS)) || bytes.Contains(b, []byte(kelvinSign))
}

// mayFoldToASCII reports whether a text that is not ASCII may equal one that
// is, but for case.
func mayFoldToASCII(b []byte) bool {
	s := strings.NewReplacer(longS, "s", kelvinSign, "k").Replace(string(b))
	return isASCII([]byte(s))
}

// findRows returns the rows that have the needle.
func findRows(data []byte, ends []uint32, needle []byte) kql.Bitmap {
	found := kql.NewBitmap(len(ends))
	row := 0
	for pos := 0; ; {
		i := bytes.Index(data[pos:], needle)
		if i < 0 {
			return found
		}
		pos += i
		row += sort.Search(len(ends)-row, func(k int) bool { return int(ends[row+k]) > pos })
		if pos+len(needle) > int(ends[row]) {
			pos++ // it reaches into the next row
			continue
		}
		found.Set(row)
		pos = int(ends[row])
	}
}

// lowerASCII appends b with ASCII letters in lower case to dst.
func lowerASCII(dst, b []byte) []byte {
	const (
		ones = 0x0101010101010101
		high = 0x8080808080808080
	)
	n := len(dst)
	dst = append(dst, b...)
	out := dst[n:]
	for len(out) >= 8 {
		x := binary.LittleEndian.Uint64(out)
		low := x &^ high
		fromA := low + (0x80-'A')*ones // bit 7 of each byte: at least 'A'
		pastZ := low + (0x7f-'Z')*ones // bit 7 of each byte: beyond 'Z'
		upper := fromA &^ pastZ &^ x & high
		binary.LittleEndian.PutUint64(out, x|upper>>2)
		out = out[8:]
	}
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c | 0x20
		}
	}
	return dst
}

// passesName reports whether a name may pass a predicate on strings. It errs
// on the side of yes, but for OpEqual with case it is exact.
func passesName(name string, p kql.Predicate) bool {
	if p.Op >= kql.OpGreater {
		return true
	}
	for _, v := range p.Values {
		if v.Type != kql.String {
			return true
		}
		yes := hasName(name, v.Str, p)
		if yes != (p.Op == kql.OpHasAll) {
			return yes
		}
	}
	return p.Op == kql.OpHasAll
}

func hasName(name, want string, p kql.Predicate) bool {
	switch {
	case p.Op == kql.OpEqual && p.IgnoreCase:
		return strings.EqualFold(name, want)
	case p.Op == kql.OpEqual:
		return name == want
	case !p.IgnoreCase:
		return strings.Contains(name, want)
	}
	if !utf8.ValidString(name) || !utf8.ValidString(want) {
		return true
	}
	return bytes.Contains(foldTerm([]byte(name)), foldTerm([]byte(want)))
}
