package kql

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

var stringFns = []scalarFn{
	{name: "strlen", sig: "string -> long", named: lenName, make: textLong(func(s string) int64 { return int64(utf8.RuneCountInString(s)) })},
	{name: "string_size", sig: "string -> long", named: prefixed("string_size_"), make: textLong(func(s string) int64 { return int64(len(s)) })},
	{name: "tolower", sig: "string -> string", make: textMap(strings.ToLower)},
	{name: "toupper", sig: "string -> string", make: textMap(strings.ToUpper)},
	{name: "reverse", sig: "any -> string", make: rows(func(a []Value) Value { return stringValue(reverse(a[0].String())) })},
	{name: "strcat", sig: "any... -> string", make: strcat},
	{name: "strcat_delim", sig: "string, any, any... -> string", make: rows(strcatDelim)},
	{name: "strcat_array", sig: "dynamic, string -> string", make: rows(strcatArray)},
	{name: "substring", sig: "string, integer, integer? -> string", make: rows(substring)},
	{name: "indexof", sig: "any, any, integer?, integer?, integer? -> long", make: rows(indexOf)},
	{name: "split", sig: "string, string, integer? -> dynamic", named: asArg, make: rows(split)},
	{name: "strrep", sig: "any, integer, string? -> string", make: rows(repeatText)},
	{name: "strcmp", sig: "string, string -> long", make: rows(func(a []Value) Value {
		return longValue(int64(strings.Compare(a[0].Str, a[1].Str)))
	})},
	{name: "replace_string", sig: "string, string, string -> string", make: rows(replaceString)},
	{name: "replace_strings", sig: "string, dynamic, dynamic -> string", make: rows(replaceStrings)},
	{name: "translate", sig: "string, string, string -> string", make: rows(translate)},
	{name: "countof", sig: "string, string, !string? -> long", make: countOf},
	{name: "isascii", sig: "string -> bool", make: textBool(isASCII)},
	{name: "isutf8", sig: "string -> bool", make: textBool(utf8.ValidString)},
	{name: "unicode_codepoints_from_string", sig: "string -> dynamic", make: rows(codepoints)},
	{name: "to_utf8", sig: "string -> dynamic", make: rows(codepoints)},
	{name: "unicode_codepoints_to_string", sig: "any... -> string", make: rows(fromCodepoints)},
	{name: "make_string", sig: "any... -> string", make: rows(fromCodepoints)},
	{name: "repeat", sig: "any, integer -> dynamic", named: prefixed("repeat_"), make: rows(repeatValue)},
	{name: "punctuation", sig: "string -> string", make: textMap(func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsPunct(r) {
				return r
			}
			return -1
		}, s)
	})},
}

func reverse(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}

func strcat(*callSite) kernel {
	return func(x *run, vs []*Vector, n int) *Vector {
		out := newVector(String, n)
		var b []byte
		var held int64
		for i := range n {
			x.poll(i)
			b = b[:0]
			for _, v := range vs {
				if v.Type == String {
					b = append(b, v.Str(i)...)
				} else {
					b = append(b, v.Value(i).String()...)
				}
			}
			out.Strs[i] = string(b)
			held = x.weigh(held, stringValue(out.Strs[i]))
		}
		return out
	}
}

func strcatDelim(a []Value) Value {
	parts := make([]string, len(a)-1)
	for i, v := range a[1:] {
		parts[i] = v.String()
	}
	return stringValue(strings.Join(parts, a[0].Str))
}

func strcatArray(a []Value) Value {
	list, ok := a[0].Any.([]any)
	if !ok {
		return stringValue("")
	}
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = dynamicText(e)
	}
	return stringValue(strings.Join(parts, a[1].Str))
}

// substring counts characters; a negative start counts from the end.
func substring(a []Value) Value {
	s := a[0].Str
	if a[1].Null {
		return stringValue("")
	}
	start, length := a[1].Int, int64(len(s))
	if len(a) > 2 {
		if a[2].Null || a[2].Int <= 0 {
			return stringValue("")
		}
		length = a[2].Int
	}
	if isASCII(s) {
		return stringValue(cut(s, start, length))
	}
	r := []rune(s)
	n := int64(len(r))
	if start < 0 {
		start = max(start+n, 0)
	}
	if start >= n {
		return stringValue("")
	}
	return stringValue(string(r[start : start+min(length, n-start)]))
}

func cut(s string, start, length int64) string {
	n := int64(len(s))
	if start < 0 {
		start = max(start+n, 0)
	}
	if start >= n {
		return ""
	}
	return s[start : start+min(length, n-start)]
}

// window reads the optional start, length and occurrence arguments of
// indexof and its relatives, for a text of n characters. It reports false
// when they make no sense.
func window(a []Value, n int) (start, end, occurrence int, ok bool) {
	start, end, occurrence = 0, n, 1
	if len(a) > 0 {
		if a[0].Null {
			return 0, 0, 0, false
		}
		start = int(a[0].Int)
		if start < 0 {
			start += n
		}
		if start < 0 || start > n {
			return 0, 0, 0, false
		}
	}
	if len(a) > 1 && a[1].Int >= 0 {
		end = min(n, start+int(min(a[1].Int, int64(n))))
	}
	if len(a) > 2 {
		occurrence = int(a[2].Int)
	}
	return start, end, occurrence, occurrence > 0
}

func indexOf(a []Value) Value {
	s, needle := a[0].String(), a[1].String()
	start, end, occurrence, ok := window(a[2:], len(s))
	if !ok {
		if len(a) > 4 && a[4].Int <= 0 {
			return nullValue(Long)
		}
		return longValue(-1)
	}
	at, length := start, end-start
	for {
		// Each search has the whole length, as the documented example of a
		// second occurrence shows.
		i := strings.Index(s[at:min(at+length, len(s))], needle)
		if i < 0 {
			return longValue(-1)
		}
		at += i
		if occurrence--; occurrence == 0 {
			return longValue(int64(utf8.RuneCountInString(s[:at])))
		}
		if at++; at > len(s) {
			return longValue(-1)
		}
	}
}

func split(a []Value) Value {
	var parts []string
	if a[1].Str == "" {
		parts = []string{a[0].Str}
	} else {
		parts = strings.Split(a[0].Str, a[1].Str)
	}
	if len(a) > 2 {
		i := a[2].Int
		if a[2].Null || i < 0 || i >= int64(len(parts)) {
			return nullValue(Dynamic)
		}
		return dynamicValue([]any{parts[i]})
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return dynamicValue(out)
}

// maxRepeat is how often strrep repeats at most, as documented.
const maxRepeat = 1024

func repeatText(a []Value) Value {
	n := a[1].Int
	if a[1].Null || n <= 0 {
		return stringValue("")
	}
	n = min(n, maxRepeat)
	parts := make([]string, n)
	s := a[0].String()
	for i := range parts {
		parts[i] = s
	}
	sep := ""
	if len(a) > 2 {
		sep = a[2].Str
	}
	return stringValue(strings.Join(parts, sep))
}

// maxArray is how many elements functions put in an array at most.
const maxArray = 1048576

func repeatValue(a []Value) Value {
	n := a[1].Int
	if a[1].Null || n < 0 {
		return nullValue(Dynamic)
	}
	out := make([]any, min(n, maxArray))
	for i := range out {
		out[i] = a[0].dynamic()
	}
	return dynamicValue(out)
}

func replaceString(a []Value) Value {
	if a[1].Str == "" {
		return a[0]
	}
	return stringValue(strings.ReplaceAll(a[0].Str, a[1].Str, a[2].Str))
}

// replaceStrings applies each pair in order to the text no pair has touched.
func replaceStrings(a []Value) Value {
	from, ok := a[1].Any.([]any)
	if !ok {
		return a[0]
	}
	to, _ := a[2].Any.([]any)
	type piece struct {
		s    string
		done bool
	}
	pieces := []piece{{a[0].Str, false}}
	for i, f := range from {
		old, ok := f.(string)
		repl, ok2 := a[2].Any.(string)
		if i < len(to) {
			repl, ok2 = to[i].(string)
		}
		if !ok || !ok2 || old == "" { // only strings replace strings
			continue
		}
		var next []piece
		for _, p := range pieces {
			if p.done {
				next = append(next, p)
				continue
			}
			for j, s := range strings.Split(p.s, old) {
				if j > 0 {
					next = append(next, piece{repl, true})
				}
				next = append(next, piece{s, false})
			}
		}
		pieces = next
	}
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.s)
	}
	return stringValue(b.String())
}

// translate maps the characters of the first text to those of the second;
// the last one stands in when the second is shorter.
func translate(a []Value) Value {
	from, to := []rune(a[0].Str), []rune(a[1].Str)
	return stringValue(strings.Map(func(r rune) rune {
		for i, f := range from {
			if f != r {
				continue
			}
			if len(to) == 0 {
				return -1
			}
			return to[min(i, len(to)-1)]
		}
		return r
	}, a[2].Str))
}

// countOf counts occurrences; plain ones may overlap.
func countOf(c *callSite) kernel {
	kind := "normal"
	if v, ok := c.constant(2); ok {
		kind = v.Str
	}
	cache := newRegexCache()
	return rowKernel(Long, func(a []Value) Value {
		if kind == "regex" {
			re := cache.get(a[1].Str)
			if re == nil {
				return longValue(0)
			}
			return longValue(int64(len(re.FindAllStringIndex(a[0].Str, -1))))
		}
		if a[1].Str == "" {
			return longValue(0)
		}
		n := int64(0)
		for s := a[0].Str; ; n++ {
			i := strings.Index(s, a[1].Str)
			if i < 0 {
				return longValue(n)
			}
			s = s[i+1:]
		}
	})
}

func codepoints(a []Value) Value {
	out := []any{}
	for _, r := range a[0].Str {
		out = append(out, int64(r))
	}
	return dynamicValue(out)
}

func fromCodepoints(a []Value) Value {
	var b strings.Builder
	for _, v := range a {
		for _, e := range flatten(nil, v) {
			if !e.Null && e.Type.isInteger() && e.Int >= 0 && e.Int <= unicode.MaxRune && !utf16.IsSurrogate(rune(e.Int)) {
				b.WriteRune(rune(e.Int))
			}
		}
	}
	return stringValue(b.String())
}
