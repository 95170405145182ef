package kql

import "strings"

// Hover is what an editor shows about a place in a query.
type Hover struct {
	// Text describes the innermost expression there: "Log_s: string", or a
	// function with its overloads.
	Text   string `json:"text"`
	Start  int    `json:"start"`  // in UTF-16 code units
	Length int    `json:"length"` // in UTF-16 code units
}

// HoverAt describes the expression at offset, in UTF-16 code units, and
// reports whether there is one.
func HoverAt(cat Catalog, text string, offset int) (h Hover, ok bool, err error) {
	defer recovered(&err)
	q, diags := parse(text)
	sink := &hoverSink{offset: byteAt(text, offset)}
	b := &binder{cat: cat, opts: Options{}.withDefaults(), diags: diags, set: map[string]*bound{}, hover: sink}
	b.bindQuery(q)
	if sink.best == nil {
		return h, false, nil
	}
	return Hover{describe(sink.node, sink.best), utf16Len(text[:sink.at.start]),
		utf16Len(text[sink.at.start:sink.at.end])}, true, nil
}

// hoverSink finds the innermost expression around an offset.
type hoverSink struct {
	offset int
	best   *bound
	node   node
	at     span
}

func (h *hoverSink) see(n node, x *bound) {
	at := n.pos()
	if c, ok := n.(*callNode); ok && h.offset <= c.fn.end {
		at = c.fn.span // the name says the function, the rest its arguments
	}
	if at.start <= h.offset && h.offset <= at.end && (h.best == nil || at.end-at.start <= h.at.end-h.at.start) {
		h.best, h.node, h.at = x, n, at
	}
}

func describe(n node, x *bound) string {
	switch n := n.(type) {
	case *callNode:
		return describeCall(n.fn.name, x)
	case *nameNode:
		return n.name + ": " + x.typ.String()
	}
	if x.val != nil {
		return literalText(*x.val) + ": " + x.typ.String()
	}
	return x.typ.String()
}

func describeCall(name string, x *bound) string {
	sig := ""
	if f, ok := functions()[name]; ok {
		sig = f.sig
	} else if a, ok := aggregates()[name]; ok {
		sig = a.sig
	} else {
		sig = formSignature(name)
	}
	var lines []string
	for _, s := range strings.Split(sig, ";") {
		params, ret, ok := strings.Cut(s, "->")
		if ok {
			lines = append(lines, name+"("+strings.TrimSpace(params)+"): "+strings.TrimSpace(ret))
		}
	}
	if len(lines) == 0 {
		return name + "(…): " + x.typ.String()
	}
	return strings.Join(lines, "\n")
}
