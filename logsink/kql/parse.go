package kql

import (
	"strconv"
	"strings"
)

// maxNesting bounds how deep expressions and queries may nest: a hostile text
// ends with a diagnostic, not with the stack.
const maxNesting = 300

// parser turns tokens into a tree. It never fails: what is missing becomes a
// missingNode and a finding, and parsing goes on behind it.
type parser struct {
	toks  []token
	i     int
	diags *diagSink
	depth int
}

// parse returns the tree of text and what is wrong with it.
func parse(text string) (*query, *diagSink) {
	d := &diagSink{}
	p := &parser{toks: lex(text, d), diags: d}
	return p.query(), d
}

func (p *parser) tok() *token { return &p.toks[p.i] }

func (p *parser) peek() *token { return p.peekN(1) }

func (p *parser) peekN(n int) *token { return &p.toks[min(p.i+n, len(p.toks)-1)] }

func (p *parser) advance() *token {
	t := p.tok()
	if t.kind != tokEOF {
		p.i++
	}
	return t
}

// at reports whether the next token is one of words.
func (p *parser) at(words ...string) bool {
	t := p.tok()
	for _, w := range words {
		if t.is(w) {
			return true
		}
	}
	return false
}

// accept consumes word if it is next.
func (p *parser) accept(word string) bool {
	if p.tok().is(word) {
		p.i++
		return true
	}
	return false
}

// end is where the last consumed token ends.
func (p *parser) end() int {
	if p.i == 0 {
		return 0
	}
	return p.toks[p.i-1].at.end
}

// expect consumes word or reports that it is missing.
func (p *parser) expect(word string) bool {
	if p.accept(word) {
		return true
	}
	p.expected(word)
	return false
}

func (p *parser) expected(what string) {
	p.diags.report(p.here(), "KS005", "Expected: %s", what)
}

func (p *parser) expectedOneOf(words []string) {
	p.diags.report(p.here(), "KS005", "Expected one of: %s", strings.Join(words, ", "))
}

// here is the next token's span, or the end of the text's last token.
func (p *parser) here() span {
	if p.tok().kind == tokEOF {
		return span{p.end(), p.end()}
	}
	return p.tok().at
}

// missing reports a missing element behind the last token.
func (p *parser) missing(what string) node {
	at := span{p.end(), p.end()}
	p.diags.report(at, "KS006", "Missing %s", what)
	return &missingNode{at}
}

// from returns the span from start to the last consumed token.
func (p *parser) from(start int) span { return span{start, max(start, p.end())} }

func (p *parser) query() *query {
	q := &query{}
	for p.tok().kind != tokEOF {
		if !p.startsStatement() {
			p.incomplete()
			return q
		}
		q.statements = append(q.statements, p.statement())
		switch {
		case p.accept(";"), p.tok().kind == tokEOF:
		case p.startsExpr():
			p.expected(";")
		default:
			p.incomplete()
			return q
		}
	}
	return q
}

// incomplete reports the rest of the text as no part of any statement.
func (p *parser) incomplete() {
	p.diags.report(p.tok().at, "KS198", "The incomplete fragment is unexpected.")
}

func (p *parser) startsStatement() bool {
	return p.startsExpr() || p.at(".")
}

// startsExpr reports whether the next token can begin an expression.
func (p *parser) startsExpr() bool {
	t := p.tok()
	switch t.kind {
	case tokName:
		return !stopWords[t.text] && !strings.HasPrefix(t.text, "!")
	case tokString, tokLong, tokReal, tokSpan, tokTyped:
		return true
	case tokPunct:
		return t.text == "(" || t.text == "[" || t.text == "-" || t.text == "+" || t.text == "*"
	}
	return false
}

// stopWords cannot begin an expression: they continue or end one.
var stopWords = func() map[string]bool {
	m := map[string]bool{"by": true, "and": true, "or": true}
	for op := range equalityWords {
		m[op] = true
	}
	for op := range stringOps {
		m[op] = true
	}
	return m
}()

func (p *parser) statement() *statement {
	start := p.tok().at.start
	s := &statement{}
	switch {
	case p.at(".") && p.i == 0:
		p.diags.report(p.tok().at, "KQL001", "Management commands (starting with '.') are not supported; only queries are.")
		p.i = len(p.toks) - 1
		s.x = &missingNode{span{start, start}}
	case p.at("let") && p.peek().kind != tokEOF && !p.peek().is("|") && !p.peek().is("="):
		p.advance()
		p.letStatement(s)
	case p.at("set") && p.peek().kind == tokName:
		p.advance()
		s.set = p.advance().text
		if p.accept("=") {
			s.x = p.expr()
		}
	case p.at("declare", "alias", "restrict") && p.peek().kind == tokName:
		p.diags.report(p.tok().at, "KQL002", "The statement '%s' is not supported yet.", p.tok().text)
		for p.tok().kind != tokEOF && !p.at(";") {
			p.advance()
		}
		s.x = &missingNode{span{start, start}}
	default:
		s.x = p.pipe()
	}
	s.span = p.from(start)
	return s
}

func (p *parser) letStatement(s *statement) {
	s.let = p.declName()
	p.expect("=")
	if p.startsLambda() {
		s.decl = p.lambda()
		s.x = s.decl
		return
	}
	s.x = p.pipe()
}

// startsLambda looks ahead for "(…) {" or "view (".
func (p *parser) startsLambda() bool {
	if p.at("view") && p.peek().is("(") {
		return true
	}
	if !p.at("(") {
		return false
	}
	depth := 0
	for j := p.i; j < len(p.toks); j++ {
		switch t := &p.toks[j]; {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
			if depth == 0 {
				return p.toks[min(j+1, len(p.toks)-1)].is("{")
			}
		case t.is(";") || t.is("|"):
			return false
		}
	}
	return false
}

func (p *parser) lambda() *lambdaNode {
	start := p.tok().at.start
	n := &lambdaNode{view: p.accept("view")}
	p.expect("(")
	for !p.at(")") && p.tok().kind != tokEOF {
		n.params = append(n.params, p.paramDecl())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	p.expect("{")
	defer p.nest()()
	for p.at("let") {
		at := p.tok().at.start
		p.advance()
		s := &statement{}
		p.letStatement(s)
		s.span = p.from(at)
		n.lets = append(n.lets, s)
		if !p.expect(";") {
			break
		}
	}
	if p.tooDeep() {
		n.body = &missingNode{p.here()}
	} else if !p.at("}") {
		n.body = p.pipe()
		p.accept(";")
	}
	p.expect("}")
	n.span = p.from(start)
	return n
}

func (p *parser) paramDecl() paramDecl {
	d := paramDecl{name: p.declName()}
	p.expect(":")
	if p.at("(") {
		d.table = p.columnDecls()
	} else {
		d.typ, d.typeAt = p.typeName()
	}
	if p.accept("=") {
		d.dflt = p.expr()
	}
	return d
}

// columnDecls parses (a:long, b:string) or (*).
func (p *parser) columnDecls() *typeNode {
	start := p.tok().at.start
	n := &typeNode{}
	p.expect("(")
	for !p.at(")") && p.tok().kind != tokEOF {
		if p.accept("*") {
			n.star = true
		} else {
			n.cols = append(n.cols, p.colDecl())
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	n.span = p.from(start)
	return n
}

func (p *parser) colDecl() colDecl {
	d := colDecl{name: p.declName(), at: p.tok().at}
	if p.expect(":") {
		d.typ, d.at = p.typeName()
	}
	return d
}

// typeName parses a type's name.
func (p *parser) typeName() (Type, span) {
	t := p.tok()
	if t.kind != tokName {
		p.missing("type")
		return NoType, p.here()
	}
	p.advance()
	typ, ok := ParseType(t.text)
	if !ok {
		p.diags.report(t.at, "KS160", "The name '%s' is not a valid type name that can be used here.", t.text)
	}
	return typ, t.at
}

// bracketWords are the words Kusto takes for names only in brackets.
var bracketWords = map[string]bool{"kind": true}

// declName parses a name that is being declared.
func (p *parser) declName() *nameNode {
	t := p.tok()
	if t.kind == tokName && !strings.HasPrefix(t.text, "!") {
		if bracketWords[t.text] {
			p.diags.report(t.at, "KS228", "The name '%s' needs to be bracketed as ['%s'] to be used in this context.", t.text, t.text)
		}
		p.advance()
		return &nameNode{t.at, t.text, false}
	}
	if t.is("[") {
		return p.bracketName()
	}
	return &nameNode{p.missing("name").pos(), "", false}
}

// bracketName parses ['name'].
func (p *parser) bracketName() *nameNode {
	start := p.advance().at.start
	t := p.tok()
	name := t.str
	if t.kind == tokString {
		p.advance()
	} else if p.startsExpr() {
		x := p.expr()
		p.diags.report(x.pos(), "KS141", "The expression must have the type string.")
	} else {
		p.missing("expression")
	}
	p.expect("]")
	return &nameNode{p.from(start), name, true}
}

// pipe parses a whole query: a source or generating operator, then operators
// behind bars.
func (p *parser) pipe() node {
	defer p.nest()()
	start := p.tok().at.start
	if p.tooDeep() {
		return &missingNode{p.here()}
	}
	n := &pipeNode{}
	if t := p.tok(); unsupportedOperators[t.text] && t.kind == tokName && !p.peek().is("|") && p.peek().kind != tokEOF {
		p.diags.report(t.at, "KQL003", "The operator '%s' is not supported yet.", t.text)
		p.skipOperator()
		n.src = &missingNode{t.at}
	} else if p.startsOperator() {
		n.ops = append(n.ops, p.operator())
	} else {
		n.src = p.expr()
	}
	if n.src != nil && !p.at("|") {
		return n.src
	}
	for p.accept("|") {
		if op := p.barOperator(); op != nil {
			n.ops = append(n.ops, op)
		}
	}
	n.span = p.from(start)
	return n
}

// startsOperator reports whether an operator stands where a source could:
// a generating one, or one that is going to be told it cannot be first.
func (p *parser) startsOperator() bool {
	t := p.tok()
	def, ok := operatorTable[t.text]
	if t.kind != tokName || !ok {
		return false
	}
	next := p.peek()
	if next.kind == tokEOF && def.generates && t.text != "range" && t.text != "evaluate" {
		return true // it lacks what it should print, search or unite
	}
	if next.is("|") || next.is(";") || next.is(")") || next.is(",") || next.kind == tokEOF || next.is(".") {
		return false
	}
	if t.text == "range" || t.text == "count" || t.text == "print" && next.is("(") && def.generates {
		return t.text == "print" || !next.is("(")
	}
	if def.generates {
		return true
	}
	switch next.kind {
	case tokName:
		return !stopWords[next.text] || next.text == "by"
	case tokString, tokLong, tokReal:
		return true
	}
	return false
}

// barOperator parses the operator behind a bar.
func (p *parser) barOperator() operator {
	t := p.tok()
	if t.kind != tokName {
		at := span{p.end(), p.end()}
		p.diags.report(at, "KS176", "Query operator expected.")
		return nil
	}
	if _, ok := operatorTable[t.text]; !ok {
		if unsupportedOperators[t.text] {
			p.diags.report(t.at, "KQL003", "The operator '%s' is not supported yet.", t.text)
			p.skipOperator()
			return nil
		}
		p.diags.report(t.at, "KS176", "Query operator expected.")
		p.advance()
		return nil
	}
	return p.operator()
}

// skipOperator passes over the rest of an operator nobody parses.
func (p *parser) skipOperator() {
	depth := 0
	for p.tok().kind != tokEOF {
		switch {
		case p.at("(", "[", "{"):
			depth++
		case p.at(")", "]", "}"):
			if depth == 0 {
				return
			}
			depth--
		case p.at("|", ";") && depth == 0:
			return
		}
		p.advance()
	}
}

// operator parses the operator whose keyword is next.
func (p *parser) operator() operator {
	t := p.advance()
	return operatorTable[t.text].parse(p, opHead{keywordAt: t.at, word: t.text})
}

// opHead is what every operator knows of its keyword.
type opHead struct {
	span
	keywordAt span
	word      string
}

// keyword returns the word the operator was written with.
func (h *opHead) keyword() string { return h.word }

// done sets the operator's span when its last token has been consumed.
func (p *parser) done(h *opHead) { h.span = p.from(h.keywordAt.start) }

// nest counts nesting; the returned function ends the level.
func (p *parser) nest() func() {
	p.depth++
	return func() { p.depth-- }
}

func (p *parser) tooDeep() bool {
	if p.depth <= maxNesting {
		return false
	}
	p.diags.report(p.here(), "KQL004", "The query nests too deeply: more than %d levels.", maxNesting)
	p.i = len(p.toks) - 1
	return true
}

// params parses parameters such as kind=inner that are among known; any
// hint.* is among them.
func (p *parser) params(known ...string) []param {
	var out []param
	for p.tok().kind == tokName {
		start := p.tok().at.start
		name, width := p.tok().text, 1
		if name == "hint" && p.peek().is(".") {
			name, width = "hint."+p.peekN(2).text, 3
		} else if !contains(known, name) {
			return out
		}
		if !p.peekN(width).is("=") {
			return out
		}
		p.i += width + 1
		v := param{name: name, valAt: p.here()}
		v.val = p.paramValue()
		v.at = p.from(start)
		out = append(out, v)
	}
	return out
}

// paramValue parses the value of a parameter: a word or a literal.
func (p *parser) paramValue() node {
	t := p.tok()
	if t.kind == tokName {
		p.advance()
		return &nameNode{t.at, t.text, false}
	}
	return p.unary()
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// commaList parses items separated by commas. An item that follows without a
// comma is parsed all the same, once the missing comma is reported.
func commaList[T any](p *parser, item func() T, stops ...string) []T {
	out := []T{item()}
	for {
		switch {
		case p.accept(","):
		case p.at(stops...) || !p.startsExpr():
			return out
		default:
			p.expected(",")
		}
		before := p.i
		out = append(out, item())
		if p.i == before {
			return out
		}
	}
}

// exprList parses one or more expressions with optional names.
func (p *parser) exprList(stops ...string) []node {
	return commaList(p, p.namedExpr, stops...)
}

// namedExpr parses [name =] expression.
func (p *parser) namedExpr() node {
	start := p.tok().at.start
	switch {
	case p.tok().kind == tokName && p.peek().is("="):
		n := &namedNode{names: []*nameNode{p.declName()}}
		p.advance()
		n.x = p.expr()
		n.span = p.from(start)
		return n
	case p.at("[") && p.peek().kind == tokString && p.peekN(2).is("]") && p.peekN(3).is("="):
		n := &namedNode{names: []*nameNode{p.bracketName()}}
		p.advance()
		n.x = p.expr()
		n.span = p.from(start)
		return n
	case p.at("(") && p.startsTuple():
		return p.tupleExpr(start)
	}
	return p.expr()
}

// startsTuple looks ahead for (a, b) =.
func (p *parser) startsTuple() bool {
	j := p.i + 1
	for {
		if p.toks[j].kind != tokName {
			return false
		}
		j++
		if p.toks[j].is(",") {
			j++
			continue
		}
		return p.toks[j].is(")") && p.toks[j+1].is("=")
	}
}

func (p *parser) tupleExpr(start int) node {
	n := &namedNode{tuple: true}
	p.advance()
	for {
		n.names = append(n.names, p.declName())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	p.expect("=")
	n.x = p.expr()
	n.span = p.from(start)
	return n
}

// expr parses an expression; a query in parentheses is one too.
func (p *parser) expr() node {
	defer p.nest()()
	if p.tooDeep() {
		return &missingNode{p.here()}
	}
	return p.binary(precOr)
}

// The precedences of binary operators, loosest first.
const (
	precNone = iota
	precOr
	precAnd
	precEquality
	precRelational
	precAdditive
	precMultiplicative
	precString
)

// precedences holds every binary operator.
var precedences = func() map[string]int {
	m := map[string]int{"or": precOr, "and": precAnd, "<": precRelational, ">": precRelational, "<=": precRelational,
		">=": precRelational, "+": precAdditive, "-": precAdditive, "*": precMultiplicative, "/": precMultiplicative, "%": precMultiplicative}
	for op := range equalityWords {
		m[op] = precEquality
	}
	for op := range stringOps {
		m[op] = precString
	}
	return m
}()

// equalityWords are the operators between and/or and the comparisons.
var equalityWords = map[string]bool{
	"==": true, "!=": true, "<>": true,
	"in": true, "!in": true, "in~": true, "!in~": true, "has_any": true, "has_all": true, "!has_any": true, "!has_all": true,
	"between": true, "!between": true,
}

// binary parses operators that bind at least as tight as prec, by precedence
// climbing.
func (p *parser) binary(prec int) node {
	l := p.unary()
	for {
		t := p.tok()
		if t.kind != tokName && t.kind != tokPunct {
			return l
		}
		op := precedences[t.text]
		if op == precNone || op < prec || t.text == ":" && !p.searching() {
			return l
		}
		p.i++
		switch {
		case op == precString:
			l = p.stringOp(l, t)
		case t.text == "between" || t.text == "!between":
			l = p.between(l, t)
		case op == precEquality && t.kind == tokName:
			l = p.in(l, t)
		default:
			r := p.binary(op + 1)
			l = &binaryNode{l.pos().until(r.pos()), t.text, t.at, l, r}
		}
	}
}

func (p *parser) between(x node, op *token) node {
	n := &betweenNode{op: op.text, opAt: op.at, x: x}
	p.expect("(")
	n.lo = p.binary(precRelational)
	p.expect("..")
	n.hi = p.binary(precRelational)
	p.expect(")")
	n.span = x.pos().until(p.from(op.at.start))
	return n
}

func (p *parser) in(x node, op *token) node {
	n := &inNode{op: op.text, opAt: op.at, x: x}
	if p.at("(") {
		p.advance()
		n.list = commaList(p, p.argument)
		p.accept(",")
		p.expect(")")
	} else {
		p.expected("(")
		n.list = []node{p.unary()}
	}
	n.span = x.pos().until(p.from(op.at.start))
	return n
}

// stringOps are the operators on text.
var stringOps = map[string]bool{
	"has": true, "!has": true, "has_cs": true, "!has_cs": true,
	"hasprefix": true, "!hasprefix": true, "hasprefix_cs": true, "!hasprefix_cs": true,
	"hassuffix": true, "!hassuffix": true, "hassuffix_cs": true, "!hassuffix_cs": true,
	"contains": true, "!contains": true, "contains_cs": true, "!contains_cs": true,
	"startswith": true, "!startswith": true, "startswith_cs": true, "!startswith_cs": true,
	"endswith": true, "!endswith": true, "endswith_cs": true, "!endswith_cs": true,
	"matches": true, "=~": true, "!~": true, ":": true, "like": true,
}

// stringOp parses the right side of an operator on text.
func (p *parser) stringOp(l node, t *token) node {
	op, at := t.text, t.at
	if op == "matches" {
		op, at = "matches regex", span{t.at.start, p.tok().at.end}
		if !p.expect("regex") {
			at = t.at
		}
	}
	r := p.unary()
	return &binaryNode{l.pos().until(r.pos()), op, at, l, r}
}

// searching reports whether "name : text" is a condition here: only in
// search, where the colon does not declare a type.
func (p *parser) searching() bool {
	prev := p.toks[max(p.i-1, 0)]
	next := p.peek()
	return prev.kind == tokName && (next.kind == tokString || next.kind == tokLong)
}

func (p *parser) unary() node {
	t := p.tok()
	if t.is("-") || t.is("+") {
		defer p.nest()()
		if p.tooDeep() {
			return &missingNode{p.here()}
		}
		p.advance()
		x := p.unary()
		return &unaryNode{t.at.until(x.pos()), t.text, x}
	}
	return p.postfix(p.primary())
}

// postfix parses .name, ["name"] and [index] behind x.
func (p *parser) postfix(x node) node {
	for {
		switch {
		case p.at(".") && p.peek().is("["):
			p.advance()
			x = p.index(x)
		case p.at(".") && p.peek().kind == tokName:
			p.advance()
			t := p.advance()
			x = &memberNode{x.pos().until(t.at), x, &nameNode{t.at, t.text, false}}
			if p.at("(") {
				x = p.methodCall(x.(*memberNode))
			}
		case p.at("["):
			x = p.index(x)
		default:
			return x
		}
	}
}

// methodCall parses the arguments of x.f(…), which only cluster and database take.
func (p *parser) methodCall(m *memberNode) node {
	c := p.call(m.name)
	p.diags.report(m.span, "KQL005", "Names in other clusters and databases are not supported.")
	return c
}

func (p *parser) index(x node) node {
	p.advance()
	i := p.expr()
	p.expect("]")
	return &indexNode{x.pos().until(p.from(x.pos().start)), x, i}
}

func (p *parser) primary() node {
	t := p.tok()
	switch t.kind {
	case tokName:
		return p.nameOrCall()
	case tokString:
		return p.stringLit()
	case tokLong, tokReal, tokSpan, tokTyped:
		p.advance()
		return p.literal(t)
	}
	switch {
	case t.is("("):
		return p.paren()
	case t.is("["):
		n := p.bracketName()
		if p.at("(") {
			return p.call(n)
		}
		return n
	case t.is("*"):
		p.advance()
		return &starNode{t.at}
	}
	return p.missing("expression")
}

func (p *parser) paren() node {
	start := p.advance().at.start
	x := p.pipe()
	p.expect(")")
	return &parenNode{p.from(start), x}
}

func (p *parser) stringLit() node {
	start := p.tok().at.start
	var b strings.Builder
	for p.tok().kind == tokString {
		b.WriteString(p.advance().str)
	}
	return &litNode{p.from(start), stringValue(b.String())}
}

func (p *parser) nameOrCall() node {
	t := p.tok()
	if stopWords[t.text] || strings.HasPrefix(t.text, "!") {
		return p.missing("expression")
	}
	p.advance()
	name := &nameNode{t.at, t.text, false}
	switch {
	case t.text == "true" || t.text == "false":
		return &litNode{t.at, boolValue(t.text == "true")}
	case !p.at("("):
		return name
	case t.text == "dynamic":
		return p.dynamicLit(t.at.start)
	case t.text == "datatable":
		return p.datatable(t.at.start)
	case t.text == "typeof":
		return p.typeof(t.at.start)
	}
	return p.call(name)
}

func (p *parser) call(name *nameNode) node {
	c := &callNode{fn: name}
	p.advance()
	if p.startsExpr() {
		c.args = commaList(p, p.argument)
	}
	p.expect(")")
	c.span = name.span.until(p.from(name.start))
	return c
}

// argument parses a call's argument: perhaps named, perhaps a query.
func (p *parser) argument() node {
	if p.tok().kind == tokName && p.peek().is("=") {
		return p.namedExpr()
	}
	return p.pipe()
}

func (p *parser) typeof(start int) node {
	p.expect("(")
	n := &typeNode{}
	for !p.at(")") && p.tok().kind != tokEOF {
		if p.accept("*") {
			n.star = true
		} else if p.peek().is(":") {
			n.cols = append(n.cols, p.colDecl())
		} else {
			t, at := p.typeName()
			n.cols = append(n.cols, colDecl{typ: t, at: at})
			if at == p.here() {
				break
			}
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	n.span = p.from(start)
	return n
}

func (p *parser) datatable(start int) node {
	n := &datatableNode{cols: p.columnDecls().cols}
	p.expect("[")
	for p.startsExpr() {
		n.vals = append(n.vals, p.expr())
		if !p.accept(",") {
			break
		}
	}
	p.expect("]")
	n.span = p.from(start)
	return n
}

// literal decodes a number or typed literal.
func (p *parser) literal(t *token) node {
	v, ok := literalValue(t)
	if !ok {
		p.diags.report(t.at, "KQL006", "The literal %s is not valid.", t.text)
	}
	return &litNode{t.at, v}
}

func literalValue(t *token) (Value, bool) {
	switch t.kind {
	case tokLong:
		n, err := strconv.ParseInt(t.text, 0, 64)
		if err != nil && len(t.text) > 1 && t.text[0] == '0' && t.text[1]|0x20 != 'x' {
			n, err = strconv.ParseInt(t.text, 10, 64)
		} else if err == nil && len(t.text) > 1 && t.text[0] == '0' && t.text[1]|0x20 != 'x' {
			n, err = strconv.ParseInt(t.text, 10, 64) // leading zeros are not octal
		}
		return longValue(n), err == nil
	case tokReal:
		f, err := strconv.ParseFloat(t.text, 64)
		return realValue(f), err == nil
	case tokSpan:
		s, ok := parseUnitSpan(t.text)
		return timeSpanValue(s), ok
	}
	word := strings.TrimSpace(t.text[:strings.IndexByte(t.text, '(')])
	return typedLiteral(typedLiterals[word], strings.TrimSpace(t.str))
}

// typedLiteral reads what stands between the parentheses of T(…).
func typedLiteral(typ Type, s string) (Value, bool) {
	if s == "null" {
		return nullValue(typ), true
	}
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		s = s[1 : len(s)-1]
	}
	switch typ {
	case DateTime:
		if s == "now" {
			return nullValue(typ), false
		}
	case Real:
		switch strings.ToLower(s) {
		case "nan":
			s = "NaN"
		case "+inf", "inf":
			s = "+Inf"
		case "-inf":
			s = "-Inf"
		}
	case Int, Long:
		if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") || strings.HasPrefix(s, "-0x") {
			n, err := strconv.ParseInt(s, 0, 64)
			if typ == Int {
				return intValue(n), err == nil
			}
			return longValue(n), err == nil
		}
	}
	v := convert(stringValue(s), typ)
	return v, !v.Null
}
