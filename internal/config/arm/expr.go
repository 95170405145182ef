package arm

import (
	"fmt"
	"strings"
)

// expr is a parsed expression of a template.
type expr any

type (
	literal struct{ value any }
	call    struct {
		name string // in lower case
		args []expr
		at   int // offset in the expression
	}
	property struct {
		of   expr
		name string
		at   int
		safe bool // ".?"
	}
	index struct {
		of, by expr
		at     int
		safe   bool
	}
)

// exprError is an expression that cannot be read or evaluated, with the offset
// of the place in its text.
type exprError struct {
	at      int
	message string
}

func (e *exprError) Error() string { return e.message }

func errorAt(at int, format string, args ...any) error {
	return &exprError{at, fmt.Sprintf(format, args...)}
}

// isExpression says whether the text of a string is evaluated: it begins with
// [ and ends with ]; [[ stands for a single [.
func isExpression(s string) bool {
	return len(s) > 1 && s[0] == '[' && s[1] != '[' && s[len(s)-1] == ']'
}

// maxExpression is ARM's own limit on the length of an expression.
const maxExpression = 24576

// parseExpression reads what stands between the outer brackets; offsets count
// from the first bracket.
func parseExpression(s string) (expr, error) {
	if len(s) > maxExpression {
		return nil, errorAt(0, "the expression is longer than %d characters", maxExpression)
	}
	p := &exprParser{text: s[:len(s)-1], at: 1}
	e, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, errorAt(p.at, "unexpected %q", clip(p.text[p.at:]))
	}
	return e, nil
}

type exprParser struct {
	text string
	at   int
}

func (p *exprParser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

func (p *exprParser) peek() byte {
	if p.at >= len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *exprParser) expression(depth int) (expr, error) {
	if depth > 60 {
		return nil, errorAt(p.at, "the expression is nested too deeply")
	}
	p.space()
	e, err := p.primary(depth)
	for err == nil {
		p.space()
		switch {
		case p.peek() == '.':
			e, err = p.property(e)
		case p.peek() == '[':
			e, err = p.index(e, depth)
		default:
			return e, nil
		}
	}
	return nil, err
}

func (p *exprParser) primary(depth int) (expr, error) {
	switch c := p.peek(); {
	case c == '\'':
		return p.str()
	case c == '-' || '0' <= c && c <= '9':
		begin := p.at
		for p.at++; '0' <= p.peek() && p.peek() <= '9'; p.at++ {
		}
		return literal{number(p.text[begin:p.at])}, nil
	case c == 0:
		return nil, errorAt(p.at, "the expression ends where a value should be")
	}
	begin := p.at
	name := p.identifier()
	for p.peek() == '.' { // a function of a namespace
		save := p.at
		p.at++
		more := p.identifier()
		if p.space(); more == "" || p.peek() != '(' {
			p.at = save
			break
		}
		name += "." + more
	}
	if name == "" {
		return nil, errorAt(begin, "unexpected %q", clip(p.text[begin:]))
	}
	if p.space(); p.peek() != '(' {
		return nil, errorAt(begin, "%q is not a value; text stands in single quotes", clip(name))
	}
	p.at++
	args, err := p.args(depth)
	return call{strings.ToLower(name), args, begin}, err
}

func (p *exprParser) args(depth int) ([]expr, error) {
	var args []expr
	for {
		if p.space(); p.peek() == ')' {
			p.at++
			return args, nil
		}
		arg, err := p.expression(depth + 1)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		p.space()
		switch p.peek() {
		case ',':
			p.at++
		case ')':
		default:
			return nil, errorAt(p.at, "expected a comma or )")
		}
	}
}

func (p *exprParser) property(of expr) (expr, error) {
	begin := p.at
	p.at++
	safe := p.peek() == '?'
	if safe {
		p.at++
	}
	name := p.identifier()
	if name == "" {
		return nil, errorAt(begin, "expected the name of a property after the dot")
	}
	return property{of, name, begin, safe}, nil
}

func (p *exprParser) index(of expr, depth int) (expr, error) {
	begin := p.at
	p.at++
	safe := p.peek() == '?'
	if safe {
		p.at++
	}
	by, err := p.expression(depth + 1)
	if err != nil {
		return nil, err
	}
	if p.space(); p.peek() != ']' {
		return nil, errorAt(p.at, "expected ]")
	}
	p.at++
	return index{of, by, begin, safe}, nil
}

func (p *exprParser) identifier() string {
	begin := p.at
	for c := p.peek(); c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || p.at > begin && '0' <= c && c <= '9'; c = p.peek() {
		p.at++
	}
	return p.text[begin:p.at]
}

// str reads a string in single quotes; two stand for one.
func (p *exprParser) str() (expr, error) {
	begin := p.at
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		if c := p.text[p.at]; c != '\'' {
			b.WriteByte(c)
			continue
		}
		if p.at++; p.peek() != '\'' {
			return literal{b.String()}, nil
		}
		b.WriteByte('\'')
	}
	return nil, errorAt(begin, "the text does not end with a quote")
}
