package kql

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

var regexFns = []scalarFn{
	{name: "replace_regex", sig: "string, string, string -> string", make: replaceRegex(0)},
	{name: "replace", sig: "!string, string, string -> string", make: replaceRegex(1)},
	{name: "trim", sig: "string, string -> string", make: trimmer(true, true)},
	{name: "trim_start", sig: "string, string -> string", make: trimmer(true, false)},
	{name: "trim_end", sig: "string, string -> string", make: trimmer(false, true)},
	{name: "indexof_regex", sig: "string, string, integer?, integer?, integer? -> long", make: indexOfRegex},
	{name: "regex_quote", sig: "string -> string", make: textMap(regexp.QuoteMeta)},
	{name: "extract_all", sig: "!string, string -> dynamic; !string, dynamic, string -> dynamic", make: extractAll},
	{name: "extractall", sig: "!string, string -> dynamic; !string, dynamic, string -> dynamic", make: extractAll},
}

// checkRegex reports a constant pattern that is not valid.
func (c *callSite) checkRegex(i int) bool {
	v, ok := c.constant(i)
	return !ok || c.b.compileRegex(v.Str, c.args[i].node) != nil
}

// replaceRegex replaces matches; text is the index of the text argument: the
// old replace() has the pattern first.
func replaceRegex(order int) maker {
	return func(c *callSite) kernel {
		text, pattern, rewrite := 0, 1, 2
		if order == 1 {
			pattern, rewrite, text = 0, 1, 2
		}
		if !c.checkRegex(pattern) {
			return nil
		}
		cache := newRegexCache()
		return rowKernel(String, func(a []Value) Value {
			re := cache.get(a[pattern].Str)
			if re == nil {
				return a[text]
			}
			return stringValue(re.ReplaceAllString(a[text].Str, expandTemplate(a[rewrite].Str)))
		})
	}
}

// expandTemplate turns \1 into ${1} and keeps dollars literal.
func expandTemplate(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '$':
			b.WriteString("$$")
		case c == '\\' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			b.WriteString("${" + s[i+1:i+2] + "}")
			i++
		case c == '\\' && i+1 < len(s) && s[i+1] == '\\':
			b.WriteByte('\\')
			i++
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// trimmer strips one match of a pattern at either end.
func trimmer(start, end bool) maker {
	return func(c *callSite) kernel {
		if !c.checkRegex(0) {
			return nil
		}
		cache := newRegexCache()
		return rowKernel(String, func(a []Value) Value {
			s := a[1].Str
			if re := cache.get(`\A(?:` + a[0].Str + `)`); start && re != nil {
				if loc := re.FindStringIndex(s); loc != nil {
					s = s[loc[1]:]
				}
			}
			if re := cache.get(`(?:` + a[0].Str + `)\z`); end && re != nil {
				if loc := re.FindStringIndex(s); loc != nil {
					s = s[:loc[0]]
				}
			}
			return stringValue(s)
		})
	}
}

func indexOfRegex(c *callSite) kernel {
	if !c.checkRegex(1) {
		return nil
	}
	cache := newRegexCache()
	return rowKernel(Long, func(a []Value) Value {
		s := a[0].Str
		re := cache.get(a[1].Str)
		if len(a) > 2 && a[2].Int < 0 || re == nil {
			return nullValue(Long)
		}
		start, end, occurrence, ok := window(a[2:], len(s))
		if !ok {
			return nullValue(Long)
		}
		at := start
		for at <= end {
			loc := re.FindStringIndex(s[at:end])
			if loc == nil {
				break
			}
			if occurrence--; occurrence == 0 {
				return longValue(int64(utf8.RuneCountInString(s[:at+loc[0]])))
			}
			at += max(loc[1], loc[0]+1)
		}
		return longValue(-1)
	})
}

// extractAll returns every match: its one group, or an array of its groups.
func extractAll(c *callSite) kernel {
	pattern, ok := c.constant(0)
	if !ok || !c.checkRegex(0) {
		if !ok {
			c.b.diags.report(c.args[0].node.pos(), "KS129", "The expression must be a constant.")
		}
		return nil
	}
	re := regexp.MustCompile(pattern.Str) // checkRegex has compiled it
	if n := re.NumSubexp(); n < 1 || n > 16 {
		c.b.diags.report(c.args[0].node.pos(), "KQL011", "The regular expression must have 1 to 16 capturing groups.")
		return nil
	}
	return rowKernel(Dynamic, func(a []Value) Value {
		groups := allGroups(re)
		if len(a) == 3 {
			groups = chosenGroups(re, a[1])
		}
		if len(groups) == 0 {
			return nullValue(Dynamic)
		}
		out := []any{}
		for _, m := range re.FindAllStringSubmatch(a[len(a)-1].String(), -1) {
			if len(groups) == 1 {
				out = append(out, m[groups[0]])
				continue
			}
			row := make([]any, len(groups))
			for i, g := range groups {
				row[i] = m[g]
			}
			out = append(out, row)
		}
		if len(out) == 0 {
			return nullValue(Dynamic)
		}
		return dynamicValue(out)
	})
}

func allGroups(re *regexp.Regexp) []int {
	out := make([]int, re.NumSubexp())
	for i := range out {
		out[i] = i + 1
	}
	return out
}

// chosenGroups reads an array of group numbers and names.
func chosenGroups(re *regexp.Regexp, v Value) []int {
	var out []int
	for _, e := range flatten(nil, v) {
		i := -1
		if e.Type == String {
			i = re.SubexpIndex(e.Str)
		} else if e.Type.isInteger() {
			i = int(e.Int)
		}
		if i >= 0 && i <= re.NumSubexp() {
			out = append(out, i)
		}
	}
	return out
}

// extractForm binds extract(regex, group, text [, typeof(T)]).
func extractForm(b *binder, n *callNode) *bound {
	if len(n.args) < 3 || len(n.args) > 4 {
		if len(n.args) < 3 {
			for _, a := range n.args {
				b.expr(a)
			}
		}
		b.wrongCount("extract", n.fn.span, 3, 4)
		return failed(n)
	}
	ret := String
	if len(n.args) == 4 {
		t, ok := n.args[3].(*typeNode)
		if !ok || len(t.cols) != 1 {
			b.diags.report(n.args[3].pos(), "KS131", "The expression must be a literal.")
			return failed(n)
		}
		ret = t.cols[0].typ
	}
	sub := *n
	sub.args = n.args[:3]
	f := &scalarFn{name: "extract", sigs: parseSignatures("!string, integer|string, string -> string"), make: extractKernel}
	x := b.callFunction(f, &sub, b.args(&sub))
	if x.typ == NoType {
		return x
	}
	y := cast(x, ret)
	if ret != String {
		y = cast(x, ret)
	}
	z := *y
	z.name, z.node = "", n
	return &z
}

func extractKernel(c *callSite) kernel {
	if !c.checkRegex(0) {
		return nil
	}
	cache := newRegexCache()
	return func(x *run, vs []*Vector, n int) *Vector {
		re, text := cache.get(vs[0].Str(0)), vs[2]
		if re == nil {
			return newVector(String, n)
		}
		if vs[1].one && text.Codes != nil && len(text.Dict) <= n && !text.one {
			return &Vector{Type: String, Codes: text.Codes, Dict: extractAllOf(x, re, vs[1].Value(0), text.Dict)}
		}
		if vs[1].one && text.Codes == nil && !text.one {
			return &Vector{Type: String, Strs: extractAllOf(x, re, vs[1].Value(0), text.Strs[:n])}
		}
		out := newVector(String, n)
		for i := range n {
			x.poll(i)
			out.Strs[i] = re.group(groupIndex(re, vs[1].Value(i)), text.Str(i))
		}
		return out
	}
}

// extractAllOf extracts a group of each text.
func extractAllOf(x *run, re *pattern, group Value, texts []string) []string {
	out, g := make([]string, len(texts)), groupIndex(re, group)
	for i, s := range texts {
		x.poll(i)
		out[i] = re.group(g, s)
	}
	return out
}

// groupIndex returns the number of a group given by number or name.
func groupIndex(re *pattern, group Value) int {
	if group.Type == String {
		return re.SubexpIndex(group.Str)
	}
	return int(group.Int)
}

// group returns what group g matches in s, "" for nothing or no such group.
func (re *pattern) group(g int, s string) string {
	if g < 0 || g > re.NumSubexp() {
		return ""
	}
	loc := re.FindStringSubmatchIndex(s)
	if loc == nil || loc[2*g] < 0 {
		return ""
	}
	return s[loc[2*g]:loc[2*g+1]]
}
