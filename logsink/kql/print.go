package kql

import (
	"strconv"
	"strings"
)

// printer writes a syntax tree as text that parses back to it.
type printer struct {
	strings.Builder
	depth int // of nested queries, for indentation
}

// Format returns text in a canonical layout: one operator a line. It returns
// Diagnostics when text does not parse. Comments are not kept.
func Format(text string) (string, error) {
	q, diags := parse(text)
	if len(diags.list) > 0 {
		return "", diags.diagnostics(text)
	}
	return q.String(), nil
}

// String returns the query's text.
func (q *query) String() string {
	p := &printer{}
	for i, s := range q.statements {
		if i > 0 {
			p.WriteString(";\n")
		}
		s.print(p)
	}
	return p.Builder.String()
}

func (p *printer) put(parts ...string) {
	for _, s := range parts {
		p.WriteString(s)
	}
}

// list prints nodes separated by commas.
func list[T node](p *printer, items []T) {
	for i, x := range items {
		if i > 0 {
			p.put(", ")
		}
		x.print(p)
	}
}

// newline starts a line at the current depth.
func (p *printer) newline() { p.put("\n", strings.Repeat("    ", p.depth)) }

func (s *statement) print(p *printer) {
	switch {
	case s.let != nil:
		p.put("let ")
		s.let.print(p)
		p.put(" = ")
	case s.set != "":
		p.put("set ", s.set)
		if s.x != nil {
			p.put(" = ")
		}
	}
	if s.x != nil {
		s.x.print(p)
	}
}

func (n *nameNode) print(p *printer) {
	if n.bracketed || !plainName(n.name) {
		p.put("['", strings.ReplaceAll(strings.ReplaceAll(n.name, `\`, `\\`), "'", `\'`), "']")
		return
	}
	p.put(n.name)
}

// plainName reports whether name reads back as one identifier.
func plainName(name string) bool {
	if name == "" {
		return false
	}
	var d diagSink
	toks := lex(name, &d)
	return len(toks) == 2 && toks[0].kind == tokName && toks[0].text == name && toks[1].kind == tokEOF
}

func (n *wildNode) print(p *printer) { p.put(n.pattern) }

func (n *litNode) print(p *printer) { p.put(literalText(n.val)) }

// literalText writes a value as a literal of its type.
func literalText(v Value) string {
	switch {
	case v.Type == Dynamic:
		return "dynamic(" + dynamicLiteral(v.Any) + ")"
	case v.Null:
		return v.Type.String() + "(null)"
	}
	s := v.String()
	switch v.Type {
	case Bool:
		return s
	case Long:
		if v.Int < 0 {
			return "long(" + s + ")"
		}
		return s
	case Real:
		switch s {
		case "NaN":
			return "real(nan)"
		case "Infinity":
			return "real(+inf)"
		case "-Infinity":
			return "real(-inf)"
		}
		return "real(" + s + ")"
	case String:
		return quote(s)
	case TimeSpan:
		return "time(" + s + ")"
	}
	return v.Type.String() + "(" + s + ")"
}

// dynamicLiteral writes a dynamic with typed literals for what JSON lacks.
func dynamicLiteral(x any) string {
	switch x := x.(type) {
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = dynamicLiteral(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *Bag:
		parts := make([]string, x.Len())
		for i, k := range x.keys {
			parts[i] = quote(k) + ": " + dynamicLiteral(x.vals[i])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case string:
		return quote(x)
	case Ticks, Span, UUID, *Dec:
		return literalText(fromDynamic(x))
	}
	return string(AppendJSON(nil, x))
}

// quote writes a string literal with backslash escapes.
func quote(s string) string {
	b := make([]byte, 0, len(s)+2)
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

func (n *parenNode) print(p *printer) { p.put("("); n.x.print(p); p.put(")") }
func (n *starNode) print(p *printer)  { p.put("*") }
func (n *missingNode) print(*printer) {}

func (n *unaryNode) print(p *printer) { p.put(n.op); n.x.print(p) }

func (n *binaryNode) print(p *printer) {
	n.l.print(p)
	p.put(" ", n.op, " ")
	n.r.print(p)
}

func (n *inNode) print(p *printer) {
	n.x.print(p)
	p.put(" ", n.op, " (")
	list(p, n.list)
	p.put(")")
}

func (n *betweenNode) print(p *printer) {
	n.x.print(p)
	p.put(" ", n.op, " (")
	n.lo.print(p)
	p.put(" .. ")
	n.hi.print(p)
	p.put(")")
}

func (n *callNode) print(p *printer) {
	n.fn.print(p)
	p.put("(")
	list(p, n.args)
	p.put(")")
}

func (n *memberNode) print(p *printer) {
	n.x.print(p)
	p.put(".")
	n.name.print(p)
}

func (n *indexNode) print(p *printer) {
	n.x.print(p)
	p.put("[")
	n.index.print(p)
	p.put("]")
}

func (n *namedNode) print(p *printer) {
	if n.tuple {
		p.put("(")
		list(p, n.names)
		p.put(")")
	} else {
		n.names[0].print(p)
	}
	p.put(" = ")
	n.x.print(p)
}

func (n *pipeNode) print(p *printer) {
	if n.src != nil {
		n.src.print(p)
	}
	for i, op := range n.ops {
		if i > 0 || n.src != nil {
			p.newline()
			p.put("| ")
		}
		p.depth++
		op.print(p)
		p.depth--
	}
}

func (n *typeNode) print(p *printer) {
	p.put("typeof(")
	n.printCols(p)
	p.put(")")
}

func (n *typeNode) printCols(p *printer) {
	if n.star {
		p.put("*")
		if len(n.cols) > 0 {
			p.put(", ")
		}
	}
	printDecls(p, n.cols)
}

func printDecls(p *printer, cols []colDecl) {
	for i, c := range cols {
		if i > 0 {
			p.put(", ")
		}
		if c.name != nil {
			c.name.print(p)
		}
		if c.name != nil && c.typ != NoType {
			p.put(": ")
		}
		if c.typ != NoType {
			p.put(c.typ.String())
		}
	}
}

func (n *datatableNode) print(p *printer) {
	p.put("datatable(")
	printDecls(p, n.cols)
	p.put(") [")
	for i, v := range n.vals {
		if i > 0 {
			p.put(",")
		}
		if len(n.cols) > 0 && i%len(n.cols) == 0 {
			p.put("\n", strings.Repeat("    ", p.depth+1))
		} else {
			p.put(" ")
		}
		v.print(p)
	}
	p.put("]")
}

func (n *lambdaNode) print(p *printer) {
	if n.view {
		p.put("view ")
	}
	p.put("(")
	for i, d := range n.params {
		if i > 0 {
			p.put(", ")
		}
		d.name.print(p)
		p.put(": ")
		if d.table != nil {
			p.put("(")
			d.table.printCols(p)
			p.put(")")
		} else {
			p.put(d.typ.String())
		}
		if d.dflt != nil {
			p.put(" = ")
			d.dflt.print(p)
		}
	}
	p.put(") {")
	p.depth++
	for _, s := range n.lets {
		p.newline()
		s.print(p)
		p.put(";")
	}
	p.newline()
	if n.body != nil {
		n.body.print(p)
	}
	p.depth--
	p.newline()
	p.put("}")
}

// param is an operator's parameter, kind=inner or hint.strategy=shuffle.
type param struct {
	at    span
	name  string
	val   node
	valAt span
}

// text returns the value's word or string.
func (v *param) text() string {
	switch x := v.val.(type) {
	case *nameNode:
		return x.name
	case *litNode:
		return x.val.String()
	case *unaryNode: // ymin=-5
		return x.op + (&param{val: x.x}).text()
	}
	return ""
}

func printParams(p *printer, params []param) {
	for _, v := range params {
		p.put(" ", v.name, "=")
		v.val.print(p)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
