package cli

import (
	"errors"
	"strings"
)

// errOpenQuote says that a text ends inside a quote or behind a backslash.
var errOpenQuote = errors.New("a quote is left open")

// splitWords splits text as a POSIX shell splits words: at spaces, except
// within quotes or behind a backslash. Nothing is expanded.
func splitWords(text string) ([]string, error) {
	var s wordSplitter
	for _, c := range text {
		s.next(c)
	}
	if s.quote != 0 || s.escaped {
		return nil, errOpenQuote
	}
	s.end()
	return s.words, nil
}

// wordSplitter is the state of splitWords between two characters.
type wordSplitter struct {
	words   []string
	word    strings.Builder
	open    bool // a word has begun, though it may be empty yet
	quote   rune // the quote the text is in, 0 outside
	escaped bool // the last character was a backslash that counts
}

func (s *wordSplitter) next(c rune) {
	switch {
	case s.escaped:
		s.escape(c)
	case c == '\\' && s.quote != '\'':
		s.escaped, s.open = true, true
	case s.quote != 0:
		s.quoted(c)
	case c == '\'' || c == '"':
		s.quote, s.open = c, true
	case c == ' ' || c == '\t' || c == '\n':
		s.end()
	default:
		s.word.WriteRune(c)
		s.open = true
	}
}

// escape takes the character behind a backslash. Within double quotes a
// backslash stands for itself before most characters.
func (s *wordSplitter) escape(c rune) {
	if s.quote == '"' && !strings.ContainsRune("\"\\$`", c) {
		s.word.WriteByte('\\')
	}
	s.word.WriteRune(c)
	s.escaped = false
}

func (s *wordSplitter) quoted(c rune) {
	if c == s.quote {
		s.quote = 0
		return
	}
	s.word.WriteRune(c)
}

// end ends the word that has begun, if any.
func (s *wordSplitter) end() {
	if s.open {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.open = false
}
