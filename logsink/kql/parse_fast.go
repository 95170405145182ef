package kql

import "strings"

// quickMatch tries the first choice at every place of a pattern, as the
// regular expression would: a text up to the next literal's first occurrence,
// all digits of a number. It says yes with the ranges of the columns, no when
// the literals are not there in order, and otherwise that it does not know.
func (m *parseMatcher) quickMatch(s string, loc []int) (matched, known bool) {
	if m.pieces == nil {
		return false, false
	}
	if !m.literalsInOrder(s) {
		return false, true
	}
	at, col := 0, 0
	for i := 0; i < len(m.pieces); i++ {
		p := &m.pieces[i]
		switch {
		case p.lit != nil:
			if !strings.HasPrefix(s[at:], *p.lit) {
				return false, false
			}
			at += len(*p.lit)
			continue
		case p.col != nil && numberPattern[p.typ] != "":
			end := at + integerLength(s[at:])
			if end == at || p.typ != Int && p.typ != Long {
				return false, false
			}
			loc[2*col], loc[2*col+1] = at, end
			col++
			at = end
			continue
		}
		end := len(s) // * and text run to the next literal, or to the end
		if i+1 < len(m.pieces) {
			next := m.pieces[i+1].lit
			if next == nil {
				return false, false
			}
			n := strings.Index(s[at:], *next)
			if n < 0 {
				return false, false
			}
			end = at + n
		}
		if p.col != nil {
			loc[2*col], loc[2*col+1] = at, end
			col++
		}
		at = end
	}
	return at == len(s), at == len(s)
}

// literalsInOrder reports whether s has the literals one behind the other.
func (m *parseMatcher) literalsInOrder(s string) bool {
	for i := range m.pieces {
		if lit := m.pieces[i].lit; lit != nil {
			n := strings.Index(s, *lit)
			if n < 0 {
				return false
			}
			s = s[n+len(*lit):]
		}
	}
	return true
}

// integerLength is the length of the integer s begins with, 0 for none.
func integerLength(s string) int {
	n := 0
	if n < len(s) && (s[n] == '-' || s[n] == '+') {
		n++
	}
	digits := n
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n == digits {
		return 0
	}
	return n
}
