package kql

import (
	"regexp"
	"strings"
)

// parseOp is parse and parse-where.
type parseOp struct {
	opHead
	params []param
	x      node
	pieces []parsePiece
}

// parsePiece is one element of a pattern: a literal, a column, or *.
type parsePiece struct {
	at   span
	lit  *string
	col  *nameNode
	typ  Type
	star bool
}

func parseParse(p *parser, h opHead) operator {
	op := &parseOp{opHead: h}
	op.params = p.params("kind", "flags")
	op.x = p.parsed()
	p.expect("with")
	for {
		piece, ok := p.parsePiece()
		if !ok {
			break
		}
		op.pieces = append(op.pieces, piece)
	}
	if len(op.pieces) == 0 {
		p.missing("expression")
	}
	p.done(&op.opHead)
	return op
}

// parsed parses the text to take apart. A string behind it belongs to the
// pattern even if "with" is missing.
func (p *parser) parsed() node { return p.unary() }

func (p *parser) parsePiece() (parsePiece, bool) {
	t := p.tok()
	switch {
	case t.is("*"):
		p.advance()
		return parsePiece{at: t.at, star: true}, true
	case t.kind == tokString:
		p.advance()
		return parsePiece{at: t.at, lit: &t.str}, true
	case t.kind == tokName && !strings.HasPrefix(t.text, "!") || t.is("["):
		piece := parsePiece{col: p.declName(), typ: String}
		if p.accept(":") {
			piece.typ, _ = p.typeName()
		}
		piece.at = p.from(t.at.start)
		return piece, true
	}
	return parsePiece{}, false
}

func (o *parseOp) print(p *printer) {
	p.put(o.word)
	for _, v := range o.params {
		p.put(" ", v.name, "=")
		v.val.print(p)
	}
	p.put(" ")
	o.x.print(p)
	p.put(" with")
	for _, piece := range o.pieces {
		p.put(" ")
		switch {
		case piece.star:
			p.put("*")
		case piece.lit != nil:
			p.put(quote(*piece.lit))
		default:
			piece.col.print(p)
			p.put(": ", piece.typ.String())
		}
	}
}

func (o *parseOp) bind(b *binder, in *rel) *rel {
	var x *bound
	b.in(in.rows(), func() { x = b.expr(o.x) })
	kind, flags := "simple", ""
	for _, v := range o.params {
		if v.name == "kind" {
			kind = v.text()
			b.oneOf(&v, []string{"simple", "regex", "relaxed"})
		} else {
			flags = v.text()
		}
	}
	m := o.matcher(b, kind, flags)
	out := passThrough(in)
	for _, c := range m.cols {
		out.set(c.Name, derive(c.Type, o, nil, x))
		m.targets = append(m.targets, out.cols.Index(c.Name))
	}
	p := &parsePlan{in: in.plan, x: cast(x, String), base: out.exprs, cols: out.cols, m: m, drop: o.word == "parse-where"}
	return in.with(p)
}

// parseMatcher is a compiled pattern.
type parseMatcher struct {
	re      *regexp.Regexp
	cols    Schema
	targets []int // ordinals in the output
	relaxed bool
	// pieces is the pattern when quickMatch can try it, else nil.
	pieces []parsePiece
	loc    []int // scratch of quickMatch
}

var numberPattern = map[Type]string{
	Int: `([+-]?\d+)`, Long: `([+-]?\d+)`,
	Real: `([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)`, Decimal: `([+-]?(?:\d+(?:\.\d*)?|\.\d+))`,
}

// matcher turns the pattern into one regular expression that must match the
// whole text.
func (o *parseOp) matcher(b *binder, kind, flags string) *parseMatcher {
	m := &parseMatcher{relaxed: kind == "relaxed"}
	if kind == "simple" && flags == "" {
		m.pieces, m.loc = o.pieces, make([]int, 2*len(o.pieces))
	}
	var re strings.Builder
	re.WriteString("(?s")
	for _, f := range flags {
		if strings.ContainsRune("ismU", f) {
			re.WriteRune(f)
		}
	}
	re.WriteString(`)\A`)
	lazy := "?"
	if kind == "regex" {
		lazy = ""
	}
	for i, piece := range o.pieces {
		last := i == len(o.pieces)-1
		switch {
		case piece.star:
			if i > 0 && o.pieces[i-1].col != nil && o.pieces[i-1].typ == String && kind != "regex" {
				b.diags.report(piece.at, "KS217", "Using * after parsing a string column is ambiguous.")
			}
			re.WriteString(".*" + unless(last, lazy))
		case piece.lit != nil && kind == "regex":
			re.WriteString("(?:" + *piece.lit + ")")
		case piece.lit != nil:
			re.WriteString(regexp.QuoteMeta(*piece.lit))
		default:
			m.cols = append(m.cols, Column{piece.col.name, piece.typ})
			pattern, number := numberPattern[piece.typ]
			rest := ".*" + unless(last, lazy)
			switch {
			case !number:
				pattern = "(" + rest + ")"
			case m.relaxed: // a number if there is one, else anything
				pattern = "(" + pattern[1:len(pattern)-1] + "|" + rest + ")"
			}
			re.WriteString(pattern)
		}
	}
	re.WriteString(`\z`)
	var err error
	if m.re, err = regexp.Compile(re.String()); err != nil {
		b.diags.report(o.span, "KQL011", "The regular expression is not valid: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	if m.re != nil && m.re.NumSubexp() > len(m.cols) {
		m.re = regexp.MustCompile(uncapture(o, re.String()))
	}
	return m
}

func unless(cond bool, s string) string {
	if cond {
		return ""
	}
	return s
}

// uncapture makes the groups a regex pattern brings along non-capturing.
func uncapture(o *parseOp, pattern string) string {
	for _, piece := range o.pieces {
		if piece.lit == nil {
			continue
		}
		var b strings.Builder
		for i := 0; i < len(*piece.lit); i++ {
			c := (*piece.lit)[i]
			b.WriteByte(c)
			if c == '\\' && i+1 < len(*piece.lit) {
				i++
				b.WriteByte((*piece.lit)[i])
			} else if c == '(' && (i+1 >= len(*piece.lit) || (*piece.lit)[i+1] != '?') {
				b.WriteString("?:")
			}
		}
		pattern = strings.Replace(pattern, "(?:"+*piece.lit+")", "(?:"+b.String()+")", 1)
	}
	return pattern
}

// match returns the columns' values, or false when the text does not fit.
func (m *parseMatcher) match(s string, out []Value) bool {
	loc := m.loc
	ok, known := m.quickMatch(s, loc)
	switch {
	case known && !ok:
		return false
	case !known:
		if loc = m.re.FindStringSubmatchIndex(s); loc == nil {
			return false
		}
		loc = loc[2:]
	}
	for i, c := range m.cols {
		text := ""
		if loc[2*i] >= 0 {
			text = s[loc[2*i]:loc[2*i+1]]
		}
		out[i] = convert(stringValue(text), c.Type)
		if !out[i].Null {
			continue
		}
		if !m.relaxed {
			return false
		}
		if c.Type.isNumeric() {
			out[i] = convert(stringValue(leadingNumber(text)), c.Type)
		}
	}
	return true
}

func leadingNumber(s string) string {
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || n == 0 && (s[n] == '-' || s[n] == '+')) {
		n++
	}
	return s[:n]
}

// parsePlan adds the columns of a pattern.
type parsePlan struct {
	in   plan
	x    *bound
	base []*bound
	cols Schema
	m    *parseMatcher
	drop bool // rows that do not match
	needs
}

func (p *parsePlan) columns() Schema { return p.cols }

func (p *parsePlan) require(need colset) {
	if !p.want(need) {
		return
	}
	below := make(colset, len(p.in.columns()))
	for i, e := range p.base {
		if p.set[i] && !p.isTarget(i) {
			below.add(e.cols)
		}
	}
	below.add(p.x.cols)
	p.in.require(below)
}

func (p *parsePlan) isTarget(i int) bool {
	for _, t := range p.m.targets {
		if t == i {
			return true
		}
	}
	return false
}

func (p *parsePlan) open(x *run) (iter, error) {
	in, err := p.in.open(x)
	if err != nil {
		return nil, err
	}
	return func() (*Block, error) {
		for {
			if err := x.check(); err != nil {
				return nil, err
			}
			b, err := in()
			if b == nil || err != nil {
				return nil, err
			}
			out, err := p.apply(x, b)
			if err != nil || out.Rows > 0 {
				return out, err
			}
		}
	}, nil
}

func (p *parsePlan) apply(x *run, b *Block) (*Block, error) {
	text, err := p.x.eval(x, b)
	if err != nil {
		return nil, err
	}
	n := b.Rows
	out := &Block{Rows: n, Columns: make([]*Vector, len(p.cols))}
	for i, e := range p.base {
		if !p.set[i] || p.isTarget(i) {
			continue
		}
		v, err := e.eval(x, b)
		if err != nil {
			return nil, err
		}
		out.Columns[i] = v.flat(n)
	}
	for _, t := range p.m.targets {
		out.Columns[t] = newVector(p.cols[t].Type, n)
	}
	vals := make([]Value, len(p.m.cols))
	var sel []int32
	for i := range n {
		if i&0x3ff == 0 {
			if err := x.check(); err != nil {
				return nil, err
			}
		}
		ok := p.m.match(text.Str(i), vals)
		if ok {
			sel = append(sel, int32(i))
		}
		for j, t := range p.m.targets {
			v := nullValue(p.cols[t].Type)
			if ok {
				v = vals[j]
			}
			out.Columns[t].set(i, n, v)
		}
	}
	if p.drop {
		return out.gather(sel), nil
	}
	return out, nil
}
