package kql

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bag is a property bag: the object value of a dynamic. Keys keep the order
// they were set in. A Bag in a vector must not be changed.
type Bag struct {
	keys  []string
	vals  []any
	index map[string]int // only for large bags
}

// bagIndexSize is the size from which a Bag keeps an index.
const bagIndexSize = 16

// Len returns the number of keys.
func (b *Bag) Len() int { return len(b.keys) }

// Keys returns the keys in order; the caller must not change them.
func (b *Bag) Keys() []string { return b.keys }

func (b *Bag) find(key string) int {
	if b.index != nil {
		if i, ok := b.index[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range b.keys {
		if k == key {
			return i
		}
	}
	return -1
}

// Get returns the value of key and whether there is one.
func (b *Bag) Get(key string) (any, bool) {
	if i := b.find(key); i >= 0 {
		return b.vals[i], true
	}
	return nil, false
}

// Set sets key, keeping its place when it is already there.
func (b *Bag) Set(key string, val any) {
	if i := b.find(key); i >= 0 {
		b.vals[i] = val
		return
	}
	b.keys = append(b.keys, key)
	b.vals = append(b.vals, val)
	if b.index != nil {
		b.index[key] = len(b.keys) - 1
	} else if len(b.keys) == bagIndexSize {
		b.index = make(map[string]int, 2*bagIndexSize)
		for i, k := range b.keys {
			b.index[k] = i
		}
	}
}

// without returns a copy of b that lacks key.
func (b *Bag) without(key string) *Bag {
	out := &Bag{}
	for i, k := range b.keys {
		if k != key {
			out.Set(k, b.vals[i])
		}
	}
	return out
}

func (b *Bag) clone() *Bag {
	out := &Bag{}
	for i, k := range b.keys {
		out.Set(k, b.vals[i])
	}
	return out
}

// maxJSONDepth bounds the nesting of JSON texts; deeper ones are kept as text.
const maxJSONDepth = 500

// ParseDynamic reads a JSON text into the values a dynamic Vector holds.
// Integers that fit 64 bits stay integers. It reports whether s is JSON.
func ParseDynamic(s string) (any, bool) {
	p := jsonParser{s: s}
	p.space()
	v, ok := p.value(0)
	if !ok {
		return nil, false
	}
	p.space()
	return v, p.i == len(p.s)
}

type jsonParser struct {
	s string
	i int
}

func (p *jsonParser) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

func (p *jsonParser) value(depth int) (any, bool) {
	if p.i >= len(p.s) || depth > maxJSONDepth {
		return nil, false
	}
	switch c := p.s[p.i]; {
	case c == '"':
		return p.str()
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == 't':
		return true, p.word("true")
	case c == 'f':
		return false, p.word("false")
	case c == 'n':
		return nil, p.word("null")
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	return nil, false
}

func (p *jsonParser) word(w string) bool {
	if strings.HasPrefix(p.s[p.i:], w) {
		p.i += len(w)
		return true
	}
	return false
}

func (p *jsonParser) digits() bool {
	start := p.i
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	return p.i > start
}

func (p *jsonParser) peek(chars string) bool {
	return p.i < len(p.s) && strings.IndexByte(chars, p.s[p.i]) >= 0
}

func (p *jsonParser) number() (any, bool) {
	start, isInt := p.i, true
	if p.peek("-") {
		p.i++
	}
	if !p.digits() {
		return nil, false
	}
	if p.peek(".") {
		isInt = false
		p.i++
		if !p.digits() {
			return nil, false
		}
	}
	if p.peek("eE") {
		isInt = false
		p.i++
		if p.peek("+-") {
			p.i++
		}
		if !p.digits() {
			return nil, false
		}
	}
	text := p.s[start:p.i]
	if isInt {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, true
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

func (p *jsonParser) str() (any, bool) {
	start, ascii := p.i+1, true
	for j := start; j < len(p.s); j++ {
		switch c := p.s[j]; {
		case c == '"':
			p.i = j + 1
			if !ascii {
				return strings.ToValidUTF8(p.s[start:j], "\uFFFD"), true
			}
			return p.s[start:j], true
		case c >= utf8.RuneSelf:
			ascii = false
		case c == '\\':
			return p.escaped(start, j)
		case c < ' ':
			return nil, false
		}
	}
	return nil, false
}

// escaped finishes a string whose first backslash is at j.
func (p *jsonParser) escaped(start, j int) (any, bool) {
	for k := j; k < len(p.s); k++ {
		switch p.s[k] {
		case '\\':
			k++
		case '"':
			p.i = k + 1
			var out string
			err := json.Unmarshal([]byte(p.s[start-1:k+1]), &out)
			return out, err == nil
		}
	}
	return nil, false
}

func (p *jsonParser) array(depth int) (any, bool) {
	p.i++
	out := []any{}
	p.space()
	if p.peek("]") {
		p.i++
		return out, true
	}
	for {
		p.space()
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		out = append(out, v)
		p.space()
		switch {
		case p.peek(","):
			p.i++
		case p.peek("]"):
			p.i++
			return out, true
		default:
			return nil, false
		}
	}
}

func (p *jsonParser) object(depth int) (any, bool) {
	p.i++
	out := &Bag{}
	p.space()
	if p.peek("}") {
		p.i++
		return out, true
	}
	for {
		p.space()
		if !p.peek(`"`) {
			return nil, false
		}
		key, ok := p.str()
		p.space()
		if !ok || !p.peek(":") {
			return nil, false
		}
		p.i++
		p.space()
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		out.Set(key.(string), v)
		p.space()
		switch {
		case p.peek(","):
			p.i++
		case p.peek("}"):
			p.i++
			return out, true
		default:
			return nil, false
		}
	}
}

// AppendJSON appends the compact JSON text of a dynamic's value. Datetimes,
// timespans, guids and decimals are written as strings, as are the reals JSON
// has no number for.
func AppendJSON(b []byte, x any) []byte {
	switch x := x.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, x)
	case int64:
		return strconv.AppendInt(b, x, 10)
	case float64:
		return appendJSONReal(b, x)
	case string:
		return appendJSONString(b, x)
	case []any:
		b = append(b, '[')
		for i, e := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendJSON(b, e)
		}
		return append(b, ']')
	case *Bag:
		b = append(b, '{')
		for i, k := range x.keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSONString(b, k), ':')
			b = AppendJSON(b, x.vals[i])
		}
		return append(b, '}')
	}
	return appendJSONString(b, fromDynamic(x).String())
}

// appendJSONReal keeps a fraction on whole reals, so that they stay reals.
func appendJSONReal(b []byte, f float64) []byte {
	s := formatReal(f)
	switch {
	case s == "NaN" || strings.HasSuffix(s, "Infinity"):
		return appendJSONString(b, s)
	case strings.ContainsAny(s, ".E"):
		return append(b, strings.Replace(s, "E", "e", 1)...)
	}
	return append(append(b, s...), ".0"...)
}

func appendJSONString(b []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return append(b, bytes.TrimRight(buf.Bytes(), "\n")...)
}

// dynamicText is tostring of a dynamic: a bare string, or compact JSON.
func dynamicText(x any) string {
	switch x := x.(type) {
	case nil:
		return ""
	case string:
		return x
	case []any, *Bag:
		return string(AppendJSON(nil, x))
	case float64:
		return string(appendJSONReal(nil, x))
	}
	return fromDynamic(x).String()
}

// dynamicEqual compares two dynamics deeply; numbers compare by magnitude.
func dynamicEqual(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !dynamicEqual(x[i], y[i]) {
				return false
			}
		}
		return true
	case *Bag:
		y, ok := b.(*Bag)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for i, k := range x.keys {
			v, ok := y.Get(k)
			if !ok || !dynamicEqual(x.vals[i], v) {
				return false
			}
		}
		return true
	case nil:
		return b == nil
	}
	switch b.(type) {
	case nil, []any, *Bag:
		return false
	}
	u, v := fromDynamic(a), fromDynamic(b)
	if u.Type != v.Type && !(u.Type.isNumeric() && v.Type.isNumeric()) {
		return false
	}
	return compareValues(u, v) == 0
}
