package kql

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// pattern is a regular expression with quicker ways to its first match, where
// it has them. All others are regexp's, as are all answers. It is used by one
// goroutine.
//
// Most patterns in queries on logs leave no choice: `took (\d+) ms` is a text,
// digits, a text, and no digit begins " ms". Such a pattern is a walk over the
// text, without states or memory. And most patterns have a text that every
// match has: where it is missing nothing needs to be tried.
type pattern struct {
	*regexp.Regexp
	needs string
	walk  *walk // nil if the pattern has choices
	loc   []int // scratch
}

func compilePattern(expr string) (*pattern, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	p := &pattern{Regexp: re, loc: make([]int, 2*re.NumSubexp()+2)}
	if tree, err := syntax.Parse(expr, syntax.Perl); err == nil {
		p.needs, p.walk = neededText(tree), newWalk(tree)
	}
	return p, nil
}

// MatchString is regexp.Regexp.MatchString.
func (re *pattern) MatchString(s string) bool {
	if loc, known := re.quick(s); known {
		return loc != nil
	}
	return re.Regexp.MatchString(s)
}

// FindStringIndex is regexp.Regexp.FindStringIndex; the answer is valid until
// the next call.
func (re *pattern) FindStringIndex(s string) []int {
	if loc, known := re.quick(s); known {
		return loc[:min(len(loc), 2)]
	}
	return re.Regexp.FindStringIndex(s)
}

// FindStringSubmatchIndex is regexp.Regexp.FindStringSubmatchIndex; the answer
// is valid until the next call.
func (re *pattern) FindStringSubmatchIndex(s string) []int {
	if loc, known := re.quick(s); known {
		return loc
	}
	return re.Regexp.FindStringSubmatchIndex(s)
}

// quick finds the first match, nil for none, if it can.
func (re *pattern) quick(s string) (loc []int, known bool) {
	if re.walk == nil || re.walk.steps[0].text == "" {
		if !strings.Contains(s, re.needs) {
			return nil, true
		}
		if re.walk == nil {
			return nil, false
		}
	}
	found, known := re.walk.find(s, re.loc)
	if !found {
		return nil, known
	}
	return re.loc, true
}

// neededText returns a text that every match of the expression has, "" if there
// is none to be seen.
func neededText(re *syntax.Regexp) (text string) {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 && !slices.Contains(re.Rune, utf8.RuneError) { // which stands for any damage
			return string(re.Rune)
		}
	case syntax.OpCapture, syntax.OpPlus:
		return neededText(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return neededText(re.Sub[0])
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if t := neededText(sub); len(t) > len(text) {
				text = t
			}
		}
	}
	return text
}

// walk is an expression that never has to go back: wherever a match begins,
// there is one way on or none.
type walk struct {
	steps    []walkStep
	anchored bool // at the beginning of the text
}

// walkStep is one of: a text; a run of characters, as long as can be; a run up
// to the first place where a text is; an end of a group; the end of all.
type walkStep struct {
	text     string
	set      *charSet
	min, max int  // how many characters of the set; max < 0 for any number
	lazy     bool // as few as can be
	until    string
	mark     int // index in the list of locations
	end      bool
}

// charSet is a set of characters: some of ASCII, and all others or none.
type charSet struct {
	ascii [utf8.RuneSelf]bool
	rest  bool
}

// newWalk returns the walk an expression is, or nil.
func newWalk(re *syntax.Regexp) *walk {
	w := &walk{}
	w.steps = append(w.steps, walkStep{mark: 0})
	if !w.add(re) {
		return nil
	}
	w.steps = append(w.steps, walkStep{mark: 1})
	w.joinTexts()
	w.foldTail()
	for i := range w.steps {
		if !w.decided(i) {
			return nil
		}
	}
	w.steps = w.steps[1:] // where a match begins is known
	return w
}

func (w *walk) add(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return true
	case syntax.OpBeginText:
		w.anchored = len(w.steps) == 1
		return w.anchored
	case syntax.OpEndText:
		w.steps = append(w.steps, walkStep{end: true})
		return true
	case syntax.OpCapture:
		w.steps = append(w.steps, walkStep{mark: 2 * re.Cap})
		ok := w.add(re.Sub[0])
		w.steps = append(w.steps, walkStep{mark: 2*re.Cap + 1})
		return ok
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !w.add(sub) {
				return false
			}
		}
		return true
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 && isASCII(string(re.Rune)) {
			w.steps = append(w.steps, walkStep{text: string(re.Rune)})
			return true
		}
	}
	return w.addRun(re)
}

// addRun adds characters of a set.
func (w *walk) addRun(re *syntax.Regexp) bool {
	s := walkStep{min: 1, max: 1}
	switch re.Op {
	case syntax.OpStar:
		s.min, s.max = 0, -1
	case syntax.OpPlus:
		s.max = -1
	case syntax.OpQuest:
		s.min = 0
	case syntax.OpRepeat:
		s.min, s.max = re.Min, re.Max
	default:
		s.set = newCharSet(re)
		w.steps = append(w.steps, s)
		return s.set != nil
	}
	s.lazy, s.set = re.Flags&syntax.NonGreedy != 0, newCharSet(re.Sub[0])
	w.steps = append(w.steps, s)
	return s.set != nil
}

// newCharSet returns the characters an expression of one character matches, nil
// if it is another or they are no charSet.
func newCharSet(re *syntax.Regexp) *charSet {
	ranges := re.Rune // pairs
	switch re.Op {
	case syntax.OpAnyChar:
		ranges = []rune{0, utf8.MaxRune}
	case syntax.OpAnyCharNotNL:
		ranges = []rune{0, '\n' - 1, '\n' + 1, utf8.MaxRune}
	case syntax.OpLiteral:
		if len(re.Rune) != 1 || re.Flags&syntax.FoldCase != 0 {
			return nil
		}
		ranges = []rune{re.Rune[0], re.Rune[0]}
	case syntax.OpCharClass:
	default:
		return nil
	}
	s := &charSet{}
	for i := 0; i < len(ranges); i += 2 {
		lo, hi := ranges[i], ranges[i+1]
		for r := lo; r <= min(hi, utf8.RuneSelf-1); r++ {
			s.ascii[r] = true
		}
		switch {
		case hi < utf8.RuneSelf:
		case lo <= utf8.RuneSelf && hi == utf8.MaxRune:
			s.rest = true
		default:
			return nil
		}
	}
	return s
}

// joinTexts makes neighbouring texts one.
func (w *walk) joinTexts() {
	out := w.steps[:0]
	for _, s := range w.steps {
		if n := len(out); s.text != "" && n > 0 && out[n-1].text != "" {
			out[n-1].text += s.text
			continue
		}
		out = append(out, s)
	}
	w.steps = out
}

// foldTail makes a lazy run that a text and the end of the pattern follow, as in
// `"(.*?)"`, a run up to that text.
func (w *walk) foldTail() {
	text := ""
	for i := len(w.steps) - 1; i >= 0; i-- {
		switch s := &w.steps[i]; {
		case s.text != "" && text == "":
			text = s.text
		case s.text != "" || s.end:
			return
		case s.set != nil:
			if s.lazy && s.max < 0 && s.min <= 1 {
				s.until = text
			}
			return
		}
	}
}

// decided reports whether at step i there is never a choice: a run that may be
// shorter or longer is followed by what cannot be part of it.
func (w *walk) decided(i int) bool {
	s := &w.steps[i]
	if s.set == nil || s.min == s.max || s.until != "" {
		return true
	}
	for _, next := range w.steps[i+1:] {
		switch {
		case next.text != "":
			return !s.set.ascii[next.text[0]]
		case next.end:
			return true
		case next.set != nil:
			if s.set.meets(next.set) {
				return false
			}
			if next.min > 0 {
				return true
			}
		}
	}
	return !s.lazy // nothing follows that would make it go on
}

func (s *charSet) meets(o *charSet) bool {
	for c := range s.ascii {
		if s.ascii[c] && o.ascii[c] {
			return true
		}
	}
	return s.rest && o.rest
}

// find finds the first match and puts its locations and those of its groups in
// loc. Where starts that lead nowhere would add up to much more than reading the
// text, it gives up.
func (w *walk) find(s string, loc []int) (found, known bool) {
	spent := 0
	for start := 0; start <= len(s); {
		if text := w.steps[0].text; text != "" && !w.anchored {
			i := strings.Index(s[start:], text)
			if i < 0 {
				return false, true
			}
			start += i
		}
		end, ok := w.from(s, start, loc)
		if ok || w.anchored {
			return ok, true
		}
		if spent += end - start; spent > 8*len(s) {
			return false, false
		}
		_, n := utf8.DecodeRuneInString(s[start:])
		start += max(n, 1)
	}
	return false, true
}

// from tries a match that begins at start and returns how far it went.
func (w *walk) from(s string, start int, loc []int) (at int, ok bool) {
	loc[0], at = start, start
	for i := range w.steps {
		switch p := &w.steps[i]; {
		case p.text != "":
			if !strings.HasPrefix(s[at:], p.text) {
				return at, false
			}
			at += len(p.text)
		case p.until != "":
			if at, ok = p.runUntil(s, at); !ok {
				return at, false
			}
		case p.set != nil:
			if at, ok = p.run(s, at, p.max); !ok {
				return at, false
			}
		case p.end:
			if at < len(s) {
				return at, false
			}
		default:
			loc[p.mark] = at
		}
	}
	return at, true
}

// run takes up to most characters of the set, all there are if most is negative.
func (p *walkStep) run(s string, at, most int) (end int, ok bool) {
	n := 0
	for ; at < len(s) && n != most; n++ {
		c := s[at]
		if c < utf8.RuneSelf {
			if !p.set.ascii[c] {
				break
			}
			at++
			continue
		}
		if !p.set.rest {
			break
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at, n >= p.min
}

// runUntil takes characters of the set up to the first place with the text.
func (p *walkStep) runUntil(s string, at int) (end int, ok bool) {
	from, ok := p.run(s, at, p.min)
	if !ok {
		return from, false
	}
	i := strings.Index(s[from:], p.until)
	if i < 0 {
		return len(s), false
	}
	end, _ = p.run(s[:from+i], from, -1)
	return from + i, end == from+i // it was looked at as far as there
}
