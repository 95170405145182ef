// Package arm evaluates ARM JSON templates without Azure: parameters,
// variables, functions, copy loops, conditions, nested deployments and
// outputs. It gives the resources that would be deployed, each value with the
// place in the file it came from.
//
// What only Azure knows (the keys of an account, the properties of a resource
// that is not in the template) becomes an Unknown, which prints as a
// placeholder, and a warning says so.
package arm

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Position is a place in the text; lines and columns count from 1, columns in
// characters.
type Position struct{ Line, Column int }

// Kind is what a Node is.
type Kind int

// The kinds.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// Node is one value of a JSON text with its place.
type Node struct {
	Kind   Kind
	Pos    Position
	Width  int    // of plain values, in characters
	Text   string // of strings and numbers; "true" or "false" of booleans
	Items  []*Node
	Fields []Field // in order
}

// Field is one member of an object.
type Field struct {
	Name  string
	Pos   Position
	Width int
	Value *Node
}

// Get finds a member without regard to case; nil when there is none, or when n
// is no object.
func (n *Node) Get(name string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Fields {
		if strings.EqualFold(n.Fields[i].Name, name) {
			return n.Fields[i].Value
		}
	}
	return nil
}

// LastLine is a line not above the end of n.
func (n *Node) LastLine() int {
	last := n.Pos.Line
	if n.Kind == String {
		last += strings.Count(n.Text, "\n")
	}
	for _, f := range n.Fields {
		last = max(last, f.Value.LastLine())
	}
	for _, item := range n.Items {
		last = max(last, item.LastLine())
	}
	return last
}

// str is the text of a string, "" for anything else.
func (n *Node) str() string {
	if n == nil || n.Kind != String {
		return ""
	}
	return n.Text
}

// SyntaxError is text that is not JSON.
type SyntaxError struct {
	Pos     Position
	Message string
}

// Error is the message with its place.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%d:%d: %s", e.Pos.Line, e.Pos.Column, e.Message)
}

const (
	maxDepth = 200
	maxNodes = 500_000
)

// Parse reads JSON as ARM's clients send it: comments, trailing commas, strings
// over several lines and unquoted keys are fine.
func Parse(text []byte) (*Node, error) {
	p := &parser{text: string(text), line: 1, column: 1}
	p.text = strings.TrimPrefix(p.text, "\ufeff")
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if err := p.space(); err != nil {
		return nil, err
	}
	if p.at < len(p.text) {
		return nil, p.errorf("text after the end of the JSON value")
	}
	return n, nil
}

type parser struct {
	text         string
	at           int
	line, column int
	nodes        int
}

func (p *parser) pos() Position { return Position{p.line, p.column} }

func (p *parser) errorf(format string, args ...any) error {
	return &SyntaxError{p.pos(), fmt.Sprintf(format, args...)}
}

// next takes one character.
func (p *parser) next() rune {
	r, size := utf8.DecodeRuneInString(p.text[p.at:])
	p.at += size
	if r == '\n' {
		p.line, p.column = p.line+1, 1
	} else {
		p.column++
	}
	return r
}

func (p *parser) peek() byte {
	if p.at >= len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// space skips blanks and comments.
func (p *parser) space() error {
	for p.at < len(p.text) {
		rest := p.text[p.at:]
		switch {
		case strings.HasPrefix(rest, "//"):
			for p.at < len(p.text) && p.peek() != '\n' {
				p.next()
			}
		case strings.HasPrefix(rest, "/*"):
			begin := p.pos()
			for !strings.HasPrefix(p.text[p.at:], "*/") {
				if p.at >= len(p.text) {
					return &SyntaxError{begin, "the comment does not end"}
				}
				p.next()
			}
			p.next()
			p.next()
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			p.next()
		default:
			return nil
		}
	}
	return nil
}

func (p *parser) value(depth int) (*Node, error) {
	if err := p.space(); err != nil {
		return nil, err
	}
	if p.nodes++; depth > maxDepth || p.nodes > maxNodes {
		return nil, p.errorf("the template is nested deeper than %d levels or holds more than %d values", maxDepth, maxNodes)
	}
	n := &Node{Pos: p.pos()}
	begin := p.at
	var err error
	switch c := p.peek(); {
	case c == '{':
		err = p.object(n, depth)
	case c == '[':
		err = p.array(n, depth)
	case c == '"':
		n.Kind = String
		n.Text, err = p.str()
	case p.at >= len(p.text):
		err = p.errorf("the text ends where a value should be")
	default:
		err = p.word(n)
	}
	n.Width = max(1, utf8.RuneCountInString(p.text[begin:p.at]))
	if n.Kind == Object || n.Kind == Array || n.Pos.Line != p.line {
		n.Width = 1
	}
	return n, err
}

func (p *parser) object(n *Node, depth int) error {
	n.Kind = Object
	p.next()
	for {
		if err := p.space(); err != nil {
			return err
		}
		if p.peek() == '}' {
			p.next()
			return nil
		}
		f, err := p.field(depth)
		if err != nil {
			return err
		}
		n.Fields = append(n.Fields, f)
		if done, err := p.separator('}'); done || err != nil {
			return err
		}
	}
}

func (p *parser) field(depth int) (f Field, err error) {
	f.Pos = p.pos()
	begin := p.at
	if p.peek() == '"' {
		f.Name, err = p.str()
	} else if f.Name = p.identifier(); f.Name == "" {
		err = p.errorf("expected a key in double quotes")
	}
	if err != nil {
		return f, err
	}
	f.Width = max(1, utf8.RuneCountInString(p.text[begin:p.at]))
	if err := p.space(); err != nil {
		return f, err
	}
	if p.peek() != ':' {
		return f, p.errorf("expected : after the key %q", clip(f.Name))
	}
	p.next()
	f.Value, err = p.value(depth + 1)
	return f, err
}

func (p *parser) array(n *Node, depth int) error {
	n.Kind = Array
	p.next()
	for {
		if err := p.space(); err != nil {
			return err
		}
		if p.peek() == ']' {
			p.next()
			return nil
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, item)
		if done, err := p.separator(']'); done || err != nil {
			return err
		}
	}
}

// separator takes a comma or the end.
func (p *parser) separator(end byte) (done bool, err error) {
	if err := p.space(); err != nil {
		return false, err
	}
	switch p.peek() {
	case ',':
		p.next()
		return false, nil
	case end:
		p.next()
		return true, nil
	}
	return false, p.errorf("expected a comma or %q", string(end))
}

func (p *parser) identifier() string {
	begin := p.at
	for c := p.peek(); c == '_' || c == '$' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'; c = p.peek() {
		p.next()
	}
	return p.text[begin:p.at]
}

// word reads true, false, null or a number.
func (p *parser) word(n *Node) error {
	begin, pos := p.at, p.pos()
	for c := p.peek(); c != 0 && strings.IndexByte(" \t\r\n,]}/:\"{[", c) < 0; c = p.peek() {
		p.next()
	}
	n.Text = p.text[begin:p.at]
	switch n.Text {
	case "true", "false":
		n.Kind = Bool
	case "null":
		n.Kind = Null
	default:
		n.Kind = Number
		if !json.Valid([]byte(n.Text)) {
			return &SyntaxError{pos, fmt.Sprintf("%q is not a value", clip(n.Text))}
		}
	}
	return nil
}

// str reads a string; a line break inside is taken as it is.
func (p *parser) str() (string, error) {
	begin := p.pos()
	p.next()
	var b strings.Builder
	for p.at < len(p.text) {
		switch r := p.next(); r {
		case '"':
			return b.String(), nil
		case '\\':
			if err := p.escape(&b); err != nil {
				return "", err
			}
		default:
			b.WriteRune(r)
		}
	}
	return "", &SyntaxError{begin, "the string does not end"}
}

func (p *parser) escape(b *strings.Builder) error {
	begin := p.at - 1
	if p.at >= len(p.text) {
		return p.errorf("the string does not end")
	}
	if p.next() == 'u' {
		for range 4 {
			if p.at < len(p.text) {
				p.next()
			}
		}
		// The second half of a character outside the basic plane.
		if rest := p.text[p.at:]; strings.HasPrefix(rest, `\u`) && len(rest) >= 6 {
			var pair string
			if json.Unmarshal([]byte(`"`+p.text[begin:p.at]+rest[:6]+`"`), &pair) == nil && utf8.RuneCountInString(pair) == 1 {
				for range 6 {
					p.next()
				}
				b.WriteString(pair)
				return nil
			}
		}
	}
	var s string
	if err := json.Unmarshal([]byte(`"`+p.text[begin:p.at]+`"`), &s); err != nil {
		return p.errorf("%q is not an escape", clip(p.text[begin:p.at]))
	}
	b.WriteString(s)
	return nil
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// Plain is a null, boolean, number or string as a plain value; expressions are
// not evaluated.
func Plain(n *Node) any {
	switch n.Kind {
	case Bool:
		return n.Text == "true"
	case Number:
		return number(n.Text)
	case String:
		return n.Text
	}
	return nil
}
