package kql

import (
	"strings"
)

type parseKVOp struct {
	opHead
	x    node
	keys *typeNode
	opts []param
}

func parseParseKV(p *parser, h opHead) operator {
	op := &parseKVOp{opHead: h}
	op.x = p.unary()
	p.expect("as")
	op.keys = p.columnDecls()
	if p.accept("with") {
		op.opts = p.options("pair_delimiter", "kv_delimiter", "quote", "escape", "greedy", "regex")
	}
	p.done(&op.opHead)
	return op
}

// options parses (name = value, …).
func (p *parser) options(known ...string) []param {
	var out []param
	p.expect("(")
	for p.tok().kind == tokName && p.peek().is("=") && contains(known, p.tok().text) {
		start := p.tok().at.start
		v := param{name: p.advance().text}
		p.advance()
		v.valAt = p.here()
		v.val = p.optionValue()
		v.at = p.from(start)
		out = append(out, v)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

// optionValue parses a word, a literal, or a list of names.
func (p *parser) optionValue() node {
	if p.tok().kind != tokName {
		return p.unary()
	}
	return p.declName()
}

func printOptions(p *printer, opts []param) {
	p.put("(")
	for i, v := range opts {
		if i > 0 {
			p.put(", ")
		}
		p.put(v.name, "=")
		v.val.print(p)
	}
	p.put(")")
}

func (o *parseKVOp) print(p *printer) {
	p.put("parse-kv ")
	o.x.print(p)
	p.put(" as (")
	o.keys.printCols(p)
	p.put(")")
	if len(o.opts) > 0 {
		p.put(" with ")
		printOptions(p, o.opts)
	}
}

func (o *parseKVOp) bind(b *binder, in *rel) *rel {
	var x *bound
	b.in(in.rows(), func() { x = b.expr(o.x) })
	if x.typ != NoType && x.typ != String && x.typ != Dynamic {
		b.diags.report(o.x.pos(), "KS141", "The expression must have the type string.")
		x = failed(o.x)
	}
	kv := kvParser{}
	for _, v := range o.opts {
		kv.set(v.name, v.text())
	}
	if kv.pattern != "" {
		if kv.re = b.compileRegex(kv.pattern, o.x); kv.re == nil {
			return openRel()
		}
	}
	out := passThrough(in)
	x = cast(x, String)
	want := map[string]bool{}
	for _, c := range o.keys.cols {
		want[c.name.name] = true
	}
	for _, c := range o.keys.cols {
		name, typ := c.name.name, c.typ
		k := rowKernel(typ, func(a []Value) Value {
			v, ok := kv.parse(a[0].Str, want)[name]
			if !ok {
				return nullValue(typ)
			}
			return convert(stringValue(v), typ)
		})
		out.set(name, derive(typ, o, kernelEval(k, []*bound{x}), x))
	}
	return in.with(out.over(in.plan))
}

// kvParser finds keys and their values in a text.
type kvParser struct {
	pair, kv       string
	quote, unquote byte
	escape         byte
	greedy         bool
	pattern        string
	re             *pattern
}

func (k *kvParser) set(name, val string) {
	switch name {
	case "pair_delimiter":
		k.pair = val
	case "kv_delimiter":
		k.kv = val
	case "quote":
		if val != "" {
			k.quote, k.unquote = val[0], val[len(val)-1]
		}
	case "escape":
		if val != "" {
			k.escape = val[0]
		}
	case "greedy":
		k.greedy = val == "true"
	case "regex":
		k.pattern = val
	}
}

// parse returns the first value of each key wanted.
func (k *kvParser) parse(s string, want map[string]bool) map[string]string {
	out := map[string]string{}
	put := func(key, val string) {
		key = strings.TrimSpace(key)
		if _, has := out[key]; !has && want[key] {
			out[key] = val
		}
	}
	switch {
	case k.re != nil:
		for _, m := range k.re.FindAllStringSubmatch(s, -1) {
			if len(m) > 2 {
				put(m[1], m[2])
			}
		}
	case k.kv == "":
		k.anyDelimiters(s, put)
	case k.greedy:
		k.greedyPairs(s, put)
	default:
		k.delimited(s, put)
	}
	return out
}

// quoted reads a quoted text at s[i] and returns it with the index behind.
func (k *kvParser) quoted(s string, i int) (string, int, bool) {
	if k.quote == 0 || i >= len(s) || s[i] != k.quote {
		return "", i, false
	}
	var b strings.Builder
	for j := i + 1; j < len(s); j++ {
		switch {
		case k.escape != 0 && s[j] == k.escape && j+1 < len(s):
			j++
			b.WriteByte(s[j])
		case s[j] == k.unquote:
			return b.String(), j + 1, true
		default:
			b.WriteByte(s[j])
		}
	}
	return "", i, false
}

// delimited splits at the delimiters, not inside of quotes.
func (k *kvParser) delimited(s string, put func(key, val string)) {
	pair := k.pair
	if pair == "" {
		pair = " "
	}
	for i := 0; i < len(s); {
		for i < len(s) && (s[i] == ' ' && !strings.HasPrefix(s[i:], k.kv)) {
			i++
		}
		key, j, quoted := k.quoted(s, i)
		if !quoted {
			n := strings.Index(s[i:], k.kv)
			if n < 0 {
				return
			}
			if d := strings.Index(s[i:], pair); d >= 0 && d < n {
				i += d + len(pair)
				continue
			}
			key, j = s[i:i+n], i+n
		}
		if !strings.HasPrefix(s[j:], k.kv) {
			i = j + 1
			continue
		}
		j += len(k.kv)
		start := j
		for start < len(s) && s[start] == ' ' && pair != " " {
			start++
		}
		val, end, ok := k.quoted(s, start)
		if !ok {
			end = len(s)
			if d := strings.Index(s[j:], pair); d >= 0 {
				end = j + d
			}
			val = strings.TrimSpace(s[j:end])
		}
		put(key, val)
		i = end
		if strings.HasPrefix(s[i:], pair) {
			i += len(pair)
		}
	}
}

// greedyPairs lets a value run up to the next key.
func (k *kvParser) greedyPairs(s string, put func(key, val string)) {
	pair := k.pair
	if pair == "" {
		pair = " "
	}
	type mark struct{ keyStart, valStart int }
	var marks []mark
	for i := 0; ; {
		n := strings.Index(s[i:], k.kv)
		if n < 0 {
			break
		}
		at := i + n
		start := strings.LastIndex(s[:at], pair)
		if start < 0 {
			start = 0
		} else {
			start += len(pair)
		}
		marks = append(marks, mark{start, at + len(k.kv)})
		i = at + len(k.kv)
	}
	for j, m := range marks {
		end := len(s)
		if j+1 < len(marks) {
			end = max(m.valStart, marks[j+1].keyStart)
		}
		val := strings.TrimSpace(strings.TrimSuffix(s[m.valStart:end], pair))
		if q, _, ok := k.quoted(val, 0); ok {
			val = q
		}
		put(s[m.keyStart:m.valStart-len(k.kv)], val)
	}
}

// anyDelimiters takes words as keys and values, whatever stands between.
func (k *kvParser) anyDelimiters(s string, put func(key, val string)) {
	type word struct {
		text       string
		start, end int
	}
	var words []word
	for i := 0; i < len(s); {
		if q, end, ok := k.quoted(s, i); ok {
			words = append(words, word{q, i, end})
			i = end
			continue
		}
		j := i
		for j < len(s) && (isTermRune(rune(s[j])) || s[j] == '_' || s[j] >= 0x80) {
			j++
		}
		if j == i {
			i++
			continue
		}
		words = append(words, word{s[i:j], i, j})
		i = j
	}
	for i := 0; i+1 < len(words); i++ {
		put(words[i].text, words[i+1].text)
	}
}
