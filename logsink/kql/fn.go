package kql

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// scalarFn is one scalar function: a line in one of the fn_*.go tables.
//
// sig lists its overloads, separated by semicolons:
//
//	string, long, long? -> string    an optional third argument
//	T, T... -> T                     one or more of one common type
//	!string, any -> bool             a constant first argument
//
// Parameter types are those of the language, alternatives with a bar, and
// the classes any, number, integer, summable, orderable and T. A result is a
// type, T, or the number of the argument whose type it has.
type scalarFn struct {
	name  string
	sig   string
	named nameRule
	make  maker

	sigs []signature
}

// kernel computes a function for n rows. Arguments may be marked as one
// value for all rows.
type kernel func(x *run, args []*Vector, n int) *Vector

// maker prepares the kernel of one call: it may look at constants.
type maker func(c *callSite) kernel

// callSite is one call being bound.
type callSite struct {
	b    *binder
	node *callNode
	args []*bound
	ret  Type
	// volatile is set by a maker whose result changes from row to row.
	volatile bool
}

// constant returns argument i's value if it is known while binding.
func (c *callSite) constant(i int) (Value, bool) {
	if i < len(c.args) && c.args[i].val != nil {
		return *c.args[i].val, true
	}
	return Value{}, false
}

// nameRule says how an unnamed call's result is named.
type nameRule struct {
	kind   uint8 // 0: not at all, 1: as the first argument, 2: prefix and first argument
	prefix string
}

var (
	asArg   = nameRule{kind: 1}
	lenName = nameRule{2, "strlen_"}
)

func prefixed(p string) nameRule { return nameRule{2, p} }

func (r nameRule) name(first *bound) string {
	if first == nil || first.name == "" || r.kind == 0 {
		return ""
	}
	return r.prefix + first.name
}

// signature is one overload.
type signature struct {
	params []paramSpec
	ret    string
	min    int
	max    int
}

type paramSpec struct {
	words []string
	types []Type
	konst bool
}

// maxVariadic is how many arguments a variadic function takes at most.
const maxVariadic = 64

func parseSignatures(sig string) []signature {
	var out []signature
	for _, alt := range strings.Split(sig, ";") {
		params, ret, _ := strings.Cut(alt, "->")
		s := signature{ret: strings.TrimSpace(ret)}
		for _, p := range strings.Split(params, ",") {
			if p = strings.TrimSpace(p); p != "" {
				s.add(p)
			}
		}
		out = append(out, s)
	}
	return out
}

func (s *signature) add(p string) {
	spec := paramSpec{}
	optional, variadic := false, false
	if strings.HasSuffix(p, "?") {
		optional, p = true, p[:len(p)-1]
	}
	if strings.HasSuffix(p, "...") {
		variadic, p = true, p[:len(p)-3]
	}
	if strings.HasPrefix(p, "!") {
		spec.konst, p = true, p[1:]
	}
	spec.words = strings.Split(p, "|")
	for _, w := range spec.words {
		if t, ok := ParseType(w); ok {
			spec.types = append(spec.types, t)
		}
	}
	s.params = append(s.params, spec)
	s.max++
	if !optional {
		s.min++
	}
	if variadic {
		s.max = maxVariadic
	}
}

func (s *signature) param(i int) *paramSpec {
	return &s.params[min(i, len(s.params)-1)]
}

// Conversion ranks: how far an argument is from a parameter.
const (
	exactMatch = iota
	promotable
	fromAny
	noMatch = 100
)

// rank tells how well a type fits a parameter.
func (p *paramSpec) rank(t Type) int {
	if t == NoType {
		return exactMatch
	}
	best := noMatch
	for _, w := range p.words {
		best = min(best, rankWord(w, t))
	}
	return best
}

func rankWord(w string, t Type) int {
	ok := false
	switch w {
	case "any", "T":
		return promotable - 1
	case "number":
		ok = t.isNumeric()
	case "integer":
		ok = t.isInteger()
	case "summable":
		ok = t.isSummable()
	case "orderable":
		return map[bool]int{true: exactMatch, false: noMatch}[t.isOrderable()]
	case "bag":
		return map[bool]int{true: exactMatch, false: noMatch}[t == Dynamic]
	case "scalar": // anything but a dynamic
		return map[bool]int{true: exactMatch, false: noMatch}[t != Dynamic]
	default:
		want, _ := ParseType(w)
		switch {
		case want == t:
			return exactMatch
		case want == Long && t == Int, want == Int && t == Long, want == Real && t.isInteger(),
			want == Decimal && t.isNumeric():
			return promotable
		}
	}
	switch {
	case ok:
		return exactMatch
	case t == Dynamic:
		return fromAny
	}
	return noMatch
}

// functions is every scalar function by name. Its signatures are parsed at the
// first query: few commands see one.
var functions = sync.OnceValue(func() map[string]*scalarFn {
	m := map[string]*scalarFn{}
	for _, table := range [][]scalarFn{
		convertFns, stringFns, textFns, regexFns, dateFns, mathFns, binFns, dynamicFns, arrayFns, bagFns, setFns,
		hashFns, encodeFns, ipFns, parseFns, seriesFns, seriesFitFns, seriesSeasonalFns, logicFns, formatFns, unitFns, punycodeFns,
	} {
		for i := range table {
			f := &table[i]
			f.sigs = parseSignatures(f.sig)
			if _, dup := m[f.name]; dup {
				panic("bug: function " + f.name + " is declared twice")
			}
			m[f.name] = f
		}
	}
	return m
})

// call binds a call in an expression: a let function, an aggregate, a special
// form, or a function of the table.
func (b *binder) call(n *callNode) *bound {
	name := n.fn.name
	if v := b.scope.lookup(name); v != nil && v.fn != nil {
		return b.callUser(v.fn, n, nil)
	}
	if agg, ok := aggregates()[name]; ok && (b.aggs != nil || functions()[name] == nil && specialForms[name] == nil) {
		return b.aggregateCall(agg, n)
	}
	if x := b.tabularCall(n); x != nil {
		if x.rel != nil {
			return b.scalarOfTable(x.rel, n)
		}
		return x
	}
	if form, ok := specialForms[name]; ok {
		return form(b, n)
	}
	f, ok := functions()[name]
	if !ok {
		return b.unknownFunction(n)
	}
	return b.callFunction(f, n, b.args(n))
}

// unknownFunction reports a function that does not exist, or not yet.
func (b *binder) unknownFunction(n *callNode) *bound {
	for _, a := range n.args {
		if _, ok := a.(*namedNode); !ok {
			b.any(a)
		}
	}
	switch {
	case elsewhereFunctions[n.fn.name]:
		b.diags.report(n.fn.span, "KQL012", "The function '%s' leads to another resource; here is one workspace, and its tables are named without it.", n.fn.name)
	case unsupportedFunctions[n.fn.name], strings.HasPrefix(n.fn.name, "geo_"):
		b.diags.report(n.fn.span, "KQL012", "The function '%s' is not supported yet.", n.fn.name)
	case n.fn.name != "":
		b.diags.report(n.fn.span, "KS211", "The name '%s' does not refer to any known function.", n.fn.name)
	}
	return failed(n)
}

// args binds a call's arguments in order; names are for let functions only
// and are passed over.
func (b *binder) args(n *callNode) []*bound {
	out := make([]*bound, len(n.args))
	for i, a := range n.args {
		if named, ok := a.(*namedNode); ok {
			a = named.x
		}
		if _, star := a.(*starNode); star && n.fn.name == "estimate_data_size" && b.row != nil {
			return b.allColumns(n)
		}
		out[i] = b.expr(a)
	}
	return out
}

// allColumns is what * stands for as an argument.
func (b *binder) allColumns(n node) []*bound {
	var out []*bound
	for i, c := range b.row.cols {
		out = append(out, columnRef(i, c, n))
	}
	return out
}

func (b *binder) callFunction(f *scalarFn, n *callNode, args []*bound) *bound {
	if !b.arity(f.name, f.sigs, n, len(args)) {
		return failed(n)
	}
	s := b.overload(f.name, f.sigs, n, args)
	if s == nil {
		return failed(n)
	}
	for i, a := range args {
		if s.param(i).konst && a.val == nil && a.typ != NoType && !a.static {
			b.diags.report(a.node.pos(), "KS129", "The expression must be a constant.")
			return failed(n)
		}
	}
	c := &callSite{b: b, node: n, ret: s.result(args)}
	c.args = s.castArgs(args)
	k := f.make(c)
	if k == nil {
		return failed(n)
	}
	y := derive(c.ret, n, kernelEval(k, c.args), c.args...)
	if c.volatile {
		y.eval, y.static = eachRow(k, c.args), false
	} else {
		y = fold(y, c.args...)
	}
	if len(args) > 0 {
		y.name = f.named.name(args[0])
	}
	return y
}

// arity checks the number of arguments.
func (b *binder) arity(name string, sigs []signature, n *callNode, got int) bool {
	lo, hi := sigs[0].min, sigs[0].max
	for _, s := range sigs[1:] {
		lo, hi = min(lo, s.min), max(hi, s.max)
	}
	if got >= lo && got <= hi {
		return true
	}
	b.wrongCount(name, n.fn.span, lo, hi)
	return false
}

func (b *binder) wrongCount(name string, at span, lo, hi int) {
	if hi >= maxVariadic {
		b.diags.report(at, "KS120", "The function '%s' expects between %d and %d arguments.", name, lo, hi)
		return
	}
	plural := "s"
	if hi == 1 {
		plural = ""
	}
	b.diags.report(at, "KS119", "The function '%s' expects %d argument%s.", name, hi, plural)
}

// overload picks the overload whose parameters fit best.
func (b *binder) overload(name string, sigs []signature, n *callNode, args []*bound) *signature {
	var best *signature
	bestRank := noMatch
	for i := range sigs {
		s := &sigs[i]
		if len(args) < s.min || len(args) > s.max {
			continue
		}
		rank := 0
		for j, a := range args {
			r := s.param(j).rank(a.typ)
			if r == noMatch {
				rank = noMatch
				break
			}
			rank += r
		}
		if rank < bestRank {
			best, bestRank = s, rank
		}
	}
	if best != nil {
		return best
	}
	if len(sigs) > 1 {
		b.incompatible(name, n, args)
		return nil
	}
	for j, a := range args {
		if p := sigs[0].param(j); p.rank(a.typ) == noMatch {
			code, msg := p.complaint()
			b.diags.report(a.node.pos(), code, "%s", msg)
			return nil
		}
	}
	return nil
}

func (b *binder) incompatible(name string, n *callNode, args []*bound) {
	types := make([]string, len(args))
	for i, a := range args {
		types[i] = a.typ.String()
	}
	b.diags.report(n.fn.span, "KS127", "The function '%s' is not compatible with arguments (%s)", name, strings.Join(types, ", "))
}

// complaint is the code and text for an argument that does not fit.
func (p *paramSpec) complaint() (code, msg string) {
	switch p.words[0] {
	case "integer":
		return "KS134", "The expression value must be an integer."
	case "number":
		return "KS137", "The expression value must be a number."
	case "summable":
		return "KS138", "The argument value must be summable: a number, timespan or datetime."
	case "orderable":
		return "KS206", "The argument value must be orderable: a number, timespan, datetime, string or boolean."
	case "bag":
		return "KS235", "The expression must be a dynamic bag."
	case "scalar":
		return "KS116", "The value of type 'dynamic' is not allowed in this context."
	}
	return "KS107", fmt.Sprintf("A value of type %s expected.", strings.Join(p.words, " or "))
}

// result returns the type of a call with these arguments.
func (s *signature) result(args []*bound) Type {
	if t, ok := ParseType(s.ret); ok {
		return t
	}
	if s.ret == "sum" {
		return sumType(args[0].typ)
	}
	if i, err := strconv.Atoi(s.ret); err == nil {
		if i <= len(args) && args[i-1].typ != NoType {
			return args[i-1].typ
		}
		return Dynamic
	}
	return s.shared(args)
}

// shared is the type the T parameters have in common.
func (s *signature) shared(args []*bound) Type {
	var types []Type
	for i, a := range args {
		if s.param(i).words[0] == "T" {
			types = append(types, a.typ)
		}
	}
	return commonType(types)
}

// sumType is the type values of type t add up to.
func sumType(t Type) Type {
	switch t {
	case Int, Bool:
		return Long
	case Dynamic, NoType:
		return Real
	}
	return t
}

// commonType is the type branches of different types meet in: numbers widen,
// anything else becomes dynamic.
func commonType(types []Type) Type {
	out := NoType
	for _, t := range types {
		switch {
		case t == NoType || t == out:
		case out == NoType:
			out = t
		case out.isNumeric() && t.isNumeric():
			out = promote(out, t)
		default:
			return Dynamic
		}
	}
	if out == NoType {
		return Dynamic
	}
	return out
}

// castArgs converts arguments to the types their parameters want.
func (s *signature) castArgs(args []*bound) []*bound {
	t := s.shared(args)
	out := make([]*bound, len(args))
	for i, a := range args {
		p := s.param(i)
		switch {
		case a.typ == NoType:
			out[i] = cast(failedDynamic(a), p.target(t))
		case p.words[0] == "T":
			out[i] = cast(a, t)
		case p.rank(a.typ) == exactMatch:
			out[i] = a
		case len(p.types) == len(p.words):
			out[i] = cast(a, p.target(t))
		case p.words[0] == "integer" && a.typ == Dynamic:
			out[i] = cast(a, Long)
		case (p.words[0] == "number" || p.words[0] == "summable") && a.typ == Dynamic:
			out[i] = cast(a, Real)
		default:
			out[i] = a
		}
	}
	return out
}

func failedDynamic(a *bound) *bound { y := *a; y.typ = Dynamic; return &y }

func (p *paramSpec) target(shared Type) Type {
	if len(p.types) > 0 {
		return p.types[0]
	}
	switch p.words[0] {
	case "T":
		return shared
	case "integer":
		return Long
	case "number", "summable":
		return Real
	}
	return Dynamic
}

// kernelEval evaluates arguments and applies the kernel: once when no
// argument changes from row to row.
func kernelEval(k kernel, args []*bound) evalFn {
	return func(x *run, blk *Block) (*Vector, error) {
		vs := make([]*Vector, len(args))
		n := 1
		for i, a := range args {
			v, err := a.eval(x, blk)
			if err != nil {
				return nil, err
			}
			vs[i] = v
			if !v.one {
				n = blk.Rows
			}
		}
		if n == blk.Rows {
			return unmark(k(x, vs, n), n), nil
		}
		out := k(x, vs, 1)
		out.one = true
		return out, nil
	}
}

// eachRow is kernelEval of a kernel whose result changes from row to row,
// though its arguments do not.
func eachRow(k kernel, args []*bound) evalFn {
	return func(x *run, blk *Block) (*Vector, error) {
		vs := make([]*Vector, len(args))
		for i, a := range args {
			v, err := a.eval(x, blk)
			if err != nil {
				return nil, err
			}
			vs[i] = v
		}
		return k(x, vs, blk.Rows), nil
	}
}

// unmark makes sure a kernel's output has a value a row.
func unmark(v *Vector, n int) *Vector {
	if v.one {
		return v.flat(n)
	}
	return v
}

// rows makes a kernel of a function of one row. Nulls are passed in; a
// result of another type is converted.
func rows(f func(a []Value) Value) maker {
	return func(c *callSite) kernel { return rowKernel(c.ret, f) }
}

func rowKernel(ret Type, f func(a []Value) Value) kernel {
	return func(x *run, vs []*Vector, n int) *Vector {
		out := newVector(ret, n)
		buf := make([]Value, len(vs))
		var held int64
		for i := range n {
			x.poll(i)
			for j, v := range vs {
				buf[j] = v.Value(i)
			}
			r := f(buf)
			if r.Type != ret {
				r = convert(r, ret)
			}
			if ret == String || ret == Dynamic {
				held = x.weigh(held, r)
			}
			out.set(i, n, r)
		}
		return out
	}
}

// strict is rows for functions that give null when an argument is null.
func strict(f func(a []Value) Value) maker {
	return func(c *callSite) kernel {
		ret := c.ret
		return rowKernel(ret, func(a []Value) Value {
			for _, v := range a {
				if v.Null {
					return nullValue(ret)
				}
			}
			return f(a)
		})
	}
}

// textMap makes a kernel of a function from text to text; a dictionary is
// mapped once an entry.
func textMap(f func(string) string) maker {
	return func(*callSite) kernel {
		return func(_ *run, vs []*Vector, n int) *Vector {
			a := vs[0]
			if a.Codes != nil && len(a.Dict) <= n && !a.one {
				out := &Vector{Type: String, Codes: a.Codes, Dict: make([]string, len(a.Dict))}
				for i, s := range a.Dict {
					out.Dict[i] = f(s)
				}
				return out
			}
			out := newVector(String, n)
			for i := range n {
				out.Strs[i] = f(a.Str(i))
			}
			return out
		}
	}
}

// textLong makes a kernel of a function from text to an integer.
func textLong(f func(string) int64) maker {
	return func(*callSite) kernel {
		return func(_ *run, vs []*Vector, n int) *Vector {
			out := newVector(Long, n)
			for i := range n {
				out.Ints[i] = f(vs[0].Str(i))
			}
			return out
		}
	}
}

// textBool makes a kernel of a test of a text.
func textBool(f func(string) bool) maker {
	return func(*callSite) kernel {
		return func(_ *run, vs []*Vector, n int) *Vector {
			out := newVector(Bool, n)
			if vs[0].one {
				out.Bools[0] = f(vs[0].Str(0))
				return out
			}
			matchStrings(out.Bools, vs[0], f)
			return out
		}
	}
}

// realMap makes a kernel of a function of one real.
func realMap(f func(float64) float64) maker {
	return func(*callSite) kernel {
		return func(_ *run, vs []*Vector, n int) *Vector {
			out := &Vector{Type: Real, Reals: make([]float64, n), Nulls: vs[0].Nulls}
			for i := range n {
				out.Reals[i] = f(vs[0].Reals[i])
			}
			return out
		}
	}
}

// realMapWithin is realMap for functions that are null outside of lo to hi.
func realMapWithin(f func(float64) float64, lo, hi float64) maker {
	return func(*callSite) kernel {
		return func(_ *run, vs []*Vector, n int) *Vector {
			out := &Vector{Type: Real, Reals: make([]float64, n)}
			for i := range n {
				v := vs[0].Reals[i]
				if out.Reals[i] = f(v); vs[0].IsNull(i) || v < lo || v > hi {
					out.setNull(i, n)
				}
			}
			return out
		}
	}
}

func sortedUnique(names []string) []string {
	sort.Strings(names)
	out := names[:0:0]
	for i, n := range names {
		if i == 0 || names[i-1] != n {
			out = append(out, n)
		}
	}
	return out
}
