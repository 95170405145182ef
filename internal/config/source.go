package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/lazyregexp"
	"go.yaml.in/yaml/v3"
)

// sourceFile is the text of one file.
type sourceFile struct {
	file  string // as messages name it
	text  []byte
	lines []string // filled on the first excerpt

	// hidden says from which column on, counted from 1, a line holds a secret.
	hidden map[int]int
}

// hide keeps a line out of excerpts, from a column on when it is the first line
// of the secret.
func (s *sourceFile) hide(line, first, column int) {
	if line != first {
		column = 1
	}
	if from, ok := s.hidden[line]; !ok || column < from {
		setMap(&s.hidden, line, column)
	}
}

// readSource reads a file of at most maxFileSize bytes.
func readSource(file string) (*sourceFile, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, openError(file, err)
	}
	defer f.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(text) > maxFileSize {
		return nil, fmt.Errorf("%s is larger than %d MiB, the size ARM accepts", file, maxFileSize>>20)
	}
	return &sourceFile{file: file, text: text}, nil
}

// readReferenced is readSource for a file that a definition names: a pipe or a
// device could keep a reader waiting for ever. Files that the user or
// acalocal.yaml names may be pipes; password managers hand over secrets so.
func readReferenced(file string) (*sourceFile, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, openError(file, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", file)
	}
	return readSource(file)
}

func openError(file string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s does not exist", file)
	}
	return fmt.Errorf("read %s: %w", file, errors.Unwrap(err))
}

// line is the text of a line, counted from 1; "" when there is none.
func (s *sourceFile) line(n int) string {
	if s.lines == nil {
		s.lines = lineBreak.Split(string(s.text), -1)
	}
	if n < 1 || n > len(s.lines) {
		return ""
	}
	line := s.lines[n-1]
	if from, ok := s.hidden[n]; ok {
		if runes := []rune(line); from <= len(runes) {
			line = string(runes[:from-1]) + redacted
		}
	}
	return line
}

// lineBreak is what YAML counts as the end of a line.
var lineBreak = lazyregexp.New("\r\n|[\r\n\u0085\u2028\u2029]")

func (s *sourceFile) problem(pos Position, width int, p aca.Problem) Problem {
	return Problem{Position: pos, Problem: p, excerpt: s.line(pos.Line), width: width}
}

// documents parses the YAML (or JSON) documents of the file.
func (s *sourceFile) documents(problems *Problems) []*yaml.Node {
	dec := yaml.NewDecoder(strings.NewReader(string(s.text)))
	var docs []*yaml.Node
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return docs
		}
		if err != nil {
			*problems = append(*problems, s.syntaxError(err))
			return docs
		}
		if len(doc.Content) == 1 {
			docs = append(docs, doc.Content[0])
		}
	}
}

var yamlErrorLine = lazyregexp.New(`^yaml: line (\d+): `)

func (s *sourceFile) syntaxError(err error) Problem {
	pos := Position{File: s.file, Line: 1, Column: 1}
	message := err.Error()
	if m := yamlErrorLine.FindStringSubmatch(message); m != nil {
		pos.Line, _ = strconv.Atoi(m[1]) // the pattern holds digits only
		message = message[len(m[0]):]
	}
	// What is not YAML has no structure that says where secrets stand.
	line := s.line(pos.Line)
	if _, value, ok := strings.Cut(line, ":"); ok && strings.Contains(line, "value") {
		s.hide(pos.Line, pos.Line, utf8.RuneCountInString(line)-utf8.RuneCountInString(value)+1)
	}
	pos.Column = len(line) - len(strings.TrimLeft(line, " \t")) + 1
	p := aca.Problem{Message: "this is not YAML: " + strings.TrimPrefix(message, "yaml: ")}
	if strings.Contains(line, "\t") {
		p.Hint = "YAML is indented with spaces, never with tabs"
	}
	return s.problem(pos, 1, p)
}

// tree turns a document into plain values with their places.
func (s *sourceFile) tree(doc *yaml.Node, problems *Problems) *tree {
	c := &converter{file: s.file, places: map[string]place{}, problems: problems, source: s, aliases: map[*yaml.Node]bool{}}
	root := c.convert(doc, "", 0)
	return &tree{root: root, places: c.places, broken: c.full || c.cyclic}
}

// locate gives problems of a document their positions.
func (s *sourceFile) locate(t *tree, app string, found []aca.Problem) Problems {
	located := make(Problems, 0, len(found))
	for _, p := range found {
		at, exact := t.nearest(p.Path)
		pos, width := at.value, at.valueWidth
		if p.OnKey || !exact {
			pos, width = at.key, at.keyWidth
		}
		lp := s.problem(pos, width, p)
		lp.App = app
		if lp.Position.File == "" {
			lp.Position = Position{File: s.file}
		}
		located = append(located, lp)
	}
	return located
}
