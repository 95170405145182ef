package kql

import "strconv"

// dynamicLit parses dynamic(…): JSON with single-quoted strings and typed
// literals allowed.
func (p *parser) dynamicLit(start int) node {
	p.advance()
	var v any
	if !p.at(")") {
		v = p.dynamicValue()
	}
	p.expect(")")
	return &litNode{p.from(start), dynamicValue(v)}
}

func (p *parser) dynamicValue() any {
	defer p.nest()()
	t := p.tok()
	switch {
	case p.tooDeep():
		return nil
	case t.kind == tokString:
		p.advance()
		return t.str
	case t.kind == tokName && (t.text == "true" || t.text == "false"):
		p.advance()
		return t.text == "true"
	case t.is("null"):
		p.advance()
		return nil
	case t.is("-") || t.is("+"):
		p.advance()
		return negateDynamic(p.dynamicNumber(), t.text)
	case t.is("["):
		return p.dynamicArray()
	case t.is("{"):
		return p.dynamicBag()
	case t.is("dynamic") && p.peek().is("("):
		p.advance()
		return p.dynamicLit(t.at.start).(*litNode).val.Any
	case t.kind == tokEOF || t.kind == tokPunct || t.kind == tokName:
		p.expected("value")
		return nil
	}
	return p.dynamicNumber()
}

func negateDynamic(v any, sign string) any {
	if sign == "+" {
		return v
	}
	switch v := v.(type) {
	case int64:
		return -v
	case float64:
		return -v
	}
	return v
}

func (p *parser) dynamicNumber() any {
	t := p.advance()
	if t.kind == tokLong {
		if n, err := strconv.ParseInt(t.text, 0, 64); err == nil {
			return n
		}
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			p.diags.report(t.at, "KQL006", "The literal %s is not valid.", t.text)
		}
		return f
	}
	switch t.kind {
	case tokReal, tokSpan, tokTyped:
		return p.literal(t).(*litNode).val.dynamic()
	}
	p.diags.report(t.at, "KS005", "Expected: value")
	return nil
}

func (p *parser) dynamicArray() any {
	p.advance()
	out := []any{}
	for !p.at("]") && p.tok().kind != tokEOF {
		out = append(out, p.dynamicValue())
		if !p.accept(",") {
			break
		}
	}
	p.expect("]")
	return out
}

func (p *parser) dynamicBag() any {
	p.advance()
	out := &Bag{}
	for !p.at("}") && p.tok().kind != tokEOF {
		t := p.tok()
		if t.kind != tokString {
			p.expected("string")
			break
		}
		p.advance()
		p.expect(":")
		out.Set(t.str, p.dynamicValue())
		if !p.accept(",") {
			break
		}
	}
	p.expect("}")
	return out
}
