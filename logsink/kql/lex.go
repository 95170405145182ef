package kql

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind sorts tokens by how they may be used.
type tokenKind uint8

const (
	tokEOF    tokenKind = iota
	tokName             // identifier or keyword: keywords are contextual
	tokString           // value in str
	tokLong
	tokReal
	tokSpan  // 5m
	tokTyped // datetime(…), int(…): text between the parentheses in str
	tokPunct
	tokBad
)

// token is one lexical element of a query.
type token struct {
	kind tokenKind
	at   span
	text string // as written
	str  string // decoded value of strings and typed literals
}

// is reports whether t is the keyword or punctuation s.
func (t *token) is(s string) bool {
	return (t.kind == tokName || t.kind == tokPunct) && t.text == s
}

// dashedKeywords are the keywords with dashes, which would otherwise read as
// subtractions.
var dashedKeywords = []string{
	"project-away", "project-keep", "project-rename", "project-reorder", "project-smart", "project-by-names",
	"mv-expand", "mv-apply", "make-series", "parse-where", "parse-kv", "top-nested", "top-hitters",
	"sample-distinct", "macro-expand", "partition-by", "graph-match", "graph-to-table",
	"graph-shortest-paths", "make-graph", "graph-mark-components", "granny-asc", "granny-desc",
}

// typedLiterals are the words that start a literal such as datetime(2025-01-01).
var typedLiterals = map[string]Type{
	"datetime": DateTime, "date": DateTime, "time": TimeSpan, "timespan": TimeSpan, "guid": GUID,
	"int": Int, "long": Long, "real": Real, "double": Real, "decimal": Decimal, "bool": Bool, "boolean": Bool,
}

// bangWords are the operators that start with an exclamation mark.
var bangWords = map[string]bool{
	"!in": true, "!in~": true, "!between": true, "!has": true, "!has_cs": true, "!has_any": true, "!has_all": true,
	"!hasprefix": true, "!hasprefix_cs": true, "!hassuffix": true, "!hassuffix_cs": true,
	"!contains": true, "!contains_cs": true, "!startswith": true, "!startswith_cs": true,
	"!endswith": true, "!endswith_cs": true,
}

// punctLen is the length of the punctuation s begins with, 0 for none.
func punctLen(s string) int {
	if len(s) > 1 {
		switch s[:2] {
		case "!=", "!~", "==", "=~", "=>", "<>", "<=", ">=", "..":
			return 2
		}
	}
	if strings.IndexByte("=<>+-*/%()[]{},;:.|?", s[0]) >= 0 {
		return 1
	}
	return 0
}

// lexer cuts a text into tokens.
type lexer struct {
	text  string
	i     int
	diags *diagSink
	out   []token
}

// lex returns the tokens of text, the last of which is tokEOF.
func lex(text string, diags *diagSink) []token {
	l := &lexer{text: text, diags: diags, out: make([]token, 0, len(text)/4+8)}
	for l.next() {
	}
	return l.out
}

func (l *lexer) emit(kind tokenKind, start int, str string) {
	l.out = append(l.out, token{kind, span{start, l.i}, l.text[start:l.i], str})
}

// next lexes one token; it reports false after the last.
func (l *lexer) next() bool {
	l.skipSpace()
	start := l.i
	if start >= len(l.text) {
		l.emit(tokEOF, start, "")
		return false
	}
	c := l.text[start]
	switch {
	case c == '"' || c == '\'':
		l.str(start, false)
	case c == '@' && l.peekAt(1, "\"'"):
		l.i++
		l.str(start, true)
	case (c == 'h' || c == 'H') && (l.peekAt(1, "\"'") || l.peekAt(1, "@") && l.peekAt(2, "\"'")):
		l.i++
		verbatim := l.text[l.i] == '@'
		if verbatim {
			l.i++
		}
		l.str(start, verbatim)
	case strings.HasPrefix(l.text[start:], "```") || strings.HasPrefix(l.text[start:], "~~~"):
		l.fenced(start, l.text[start:start+3])
	case c >= '0' && c <= '9':
		l.number(start)
	case isNameStart(c) || c >= utf8.RuneSelf && l.letterAt(start):
		l.name(start)
	case c == '!' && l.bang(start):
	case c == '#':
		l.directive(start)
	default:
		l.punct(start)
	}
	return true
}

func (l *lexer) peekAt(n int, chars string) bool {
	return l.i+n < len(l.text) && strings.IndexByte(chars, l.text[l.i+n]) >= 0
}

func (l *lexer) letterAt(i int) bool {
	r, _ := utf8.DecodeRuneInString(l.text[i:])
	return unicode.IsLetter(r)
}

func isNameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$'
}

func isNameByte(c byte) bool { return isNameStart(c) || c >= '0' && c <= '9' }

func (l *lexer) skipSpace() {
	for l.i < len(l.text) {
		c := l.text[l.i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			l.i++
		case c == '/' && l.peekAt(1, "/"):
			l.toLineEnd()
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(l.text[l.i:])
			if !unicode.IsSpace(r) && r != '\uFEFF' && r != '\u200B' {
				return
			}
			l.i += n
		default:
			return
		}
	}
}

func (l *lexer) toLineEnd() {
	if n := strings.IndexByte(l.text[l.i:], '\n'); n >= 0 {
		l.i += n
		return
	}
	l.i = len(l.text)
}

// directive skips a line that starts with #; none is known.
func (l *lexer) directive(start int) {
	l.diags.report(span{start + 1, start + 1}, "KS250", "Unknown directive ''.")
	l.toLineEnd()
}

// str lexes a string whose opening quote is at l.i.
func (l *lexer) str(start int, verbatim bool) {
	quote := l.text[l.i]
	l.i++
	var b strings.Builder
	for l.i < len(l.text) {
		c := l.text[l.i]
		switch {
		case c == quote && verbatim && l.peekAt(1, string(quote)):
			b.WriteByte(quote)
			l.i += 2
		case c == quote:
			l.i++
			l.emit(tokString, start, b.String())
			return
		case c == '\n' || c == '\r':
			l.unterminated(start, quote, b.String())
			return
		case c == '\\' && !verbatim:
			l.escape(&b)
		default:
			b.WriteByte(c)
			l.i++
		}
	}
	l.unterminated(start, quote, b.String())
}

func (l *lexer) unterminated(start int, quote byte, val string) {
	l.diags.report(span{l.i, l.i}, "KS001", "Missing: %c", quote)
	l.emit(tokString, start, val)
}

var simpleEscapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', '\\': '\\', '"': '"', '\'': '\'',
	'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v', '0': 0}

// escape decodes the escape sequence at l.i.
func (l *lexer) escape(b *strings.Builder) {
	start := l.i
	l.i++
	if l.i >= len(l.text) {
		return
	}
	c := l.text[l.i]
	if c == 'u' || c == 'U' || c == 'x' {
		width := map[byte]int{'u': 4, 'U': 8, 'x': 2}[c]
		if r, ok := hexRune(l.text[l.i+1:], width); ok {
			b.WriteRune(r)
			l.i += 1 + width
			return
		}
	}
	if d, ok := simpleEscapes[c]; ok {
		b.WriteByte(d)
		l.i++
		return
	}
	l.diags.report(span{start, l.i + 1}, "KS008", "Invalid escape sequence: %s", l.text[start:l.i+1])
	b.WriteByte(c)
	l.i++
}

func hexRune(s string, width int) (rune, bool) {
	if len(s) < width {
		return 0, false
	}
	var r rune
	for i := range width {
		d := strings.IndexByte("0123456789abcdef", s[i]|0x20)
		if d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// fenced lexes a multi-line string.
func (l *lexer) fenced(start int, fence string) {
	l.i = start + 3
	n := strings.Index(l.text[l.i:], fence)
	if n < 0 {
		val := l.text[l.i:]
		l.i = len(l.text)
		l.diags.report(span{l.i, l.i}, "KS001", "Missing: %s", fence)
		l.emit(tokString, start, val)
		return
	}
	val := l.text[l.i : l.i+n]
	l.i += n + 3
	l.emit(tokString, start, val)
}

func (l *lexer) digits() {
	for l.i < len(l.text) && l.text[l.i] >= '0' && l.text[l.i] <= '9' {
		l.i++
	}
}

// number lexes 1, 0x1F, 1.5, 1e3, 5m, and names that start with a digit.
func (l *lexer) number(start int) {
	if l.text[start] == '0' && l.peekAt(1, "xX") && l.i+2 < len(l.text) && isHex(l.text[l.i+2]) {
		l.i += 2
		for l.i < len(l.text) && isHex(l.text[l.i]) {
			l.i++
		}
		l.emit(tokLong, start, "")
		return
	}
	kind := tokLong
	l.digits()
	if l.peekAt(0, ".") && l.peekAt(1, "0123456789") {
		kind = tokReal
		l.i++
		l.digits()
	}
	mark := l.i
	if l.peekAt(0, "eE") {
		l.i++
		if l.peekAt(0, "+-") {
			l.i++
		}
		if l.peekAt(0, "0123456789") {
			l.digits()
			if l.i >= len(l.text) || !isNameByte(l.text[l.i]) {
				l.emit(tokReal, start, "")
				return
			}
		}
		l.i = mark
	}
	for l.i < len(l.text) && isNameByte(l.text[l.i]) {
		l.i++
	}
	unit := l.text[mark:l.i]
	if _, ok := parseUnitSpan("1" + unit); ok && unit != "" {
		l.emit(tokSpan, start, "")
		return
	}
	if unit != "" && kind == tokLong {
		l.emit(tokName, start, "")
		return
	}
	l.i = mark
	l.emit(kind, start, "")
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func (l *lexer) name(start int) {
	for l.i < len(l.text) {
		c := l.text[l.i]
		if isNameByte(c) {
			l.i++
			continue
		}
		if c < utf8.RuneSelf {
			break
		}
		r, n := utf8.DecodeRuneInString(l.text[l.i:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		l.i += n
	}
	word := l.text[start:l.i]
	switch {
	case l.peekAt(0, "-") && l.dashed(start):
	case word == "in" && l.peekAt(0, "~"):
		l.i++
		l.emit(tokName, start, "")
	case l.typed(start, word):
	default:
		l.emit(tokName, start, "")
	}
}

// dashed lexes a keyword with dashes starting at start.
func (l *lexer) dashed(start int) bool {
	for _, kw := range dashedKeywords {
		end := start + len(kw)
		if strings.HasPrefix(l.text[start:], kw) && (end >= len(l.text) || !isNameByte(l.text[end])) {
			l.i = end
			l.emit(tokName, start, "")
			return true
		}
	}
	return false
}

// typed lexes a typed literal whose word has just been read.
func (l *lexer) typed(start int, word string) bool {
	if _, ok := typedLiterals[word]; !ok {
		return false
	}
	open := l.i
	for open < len(l.text) && l.text[open] == ' ' {
		open++
	}
	if open >= len(l.text) || l.text[open] != '(' {
		return false
	}
	n := strings.IndexAny(l.text[open:], ")")
	if n < 0 {
		l.i = len(l.text)
		l.diags.report(span{l.i, l.i}, "KS001", "Missing: )")
		l.emit(tokTyped, start, l.text[open+1:])
		return true
	}
	l.i = open + n + 1
	l.emit(tokTyped, start, l.text[open+1:open+n])
	return true
}

// bang lexes an operator such as !has or !in~.
func (l *lexer) bang(start int) bool {
	end := start + 1
	for end < len(l.text) && isNameByte(l.text[end]) {
		end++
	}
	if end < len(l.text) && l.text[end] == '~' && l.text[start:end] == "!in" {
		end++
	}
	if !bangWords[l.text[start:end]] {
		return false
	}
	l.i = end
	l.emit(tokName, start, "")
	return true
}

func (l *lexer) punct(start int) {
	if n := punctLen(l.text[start:]); n > 0 {
		l.i += n
		l.emit(tokPunct, start, "")
		return
	}
	if l.text[start] == '!' { // lexes, but no expression takes it
		l.i++
		l.emit(tokPunct, start, "")
		return
	}
	_, n := utf8.DecodeRuneInString(l.text[start:])
	l.i += n
	l.diags.report(span{start, l.i}, "KS002", "Unexpected: %s", l.text[start:l.i])
	l.emit(tokBad, start, "")
}
