package kql

import "strings"

// severalFn is a function of a series with several results: a column each
// where it is projected, named after the function, the series and the part.
type severalFn struct {
	name  string
	sig   string // as that of a scalarFn; the first argument is the series
	parts []Column
	// eval gives a value a part, or nothing when there is no answer.
	eval func(a []Value) []Value
}

// severalFns is every one of them.
func severalFns() []*severalFn {
	var out []*severalFn
	for _, table := range [][]severalFn{seriesStatsFns, seriesFitSeveral, seriesFourierFns, seriesPeriodFns, seriesDecomposeFns} {
		for i := range table {
			out = append(out, &table[i])
		}
	}
	return out
}

// formSignature is the signature of a special form that has one.
func formSignature(name string) string {
	for _, f := range severalFns() {
		if f.name == name {
			return f.signature()
		}
	}
	return ""
}

// bind makes a bound call whose parts compute themselves.
func (f *severalFn) bind(b *binder, n *callNode) *bound {
	sigs := parseSignatures(f.sig + " -> dynamic")
	args := b.args(n)
	if !b.arity(f.name, sigs, n, len(args)) {
		return failed(n)
	}
	s := b.overload(f.name, sigs, n, args)
	if s == nil || args[0].typ == NoType {
		return failed(n)
	}
	base := f.name + "_" + args[0].name + "_"
	args = s.castArgs(args)
	part := func(i int) *bound {
		typ := f.parts[i].Type
		k := rowKernel(typ, func(a []Value) Value {
			if out := f.eval(a); out != nil {
				return out[i]
			}
			return nullValue(typ)
		})
		return fold(derive(typ, n, kernelEval(k, args), args...), args...)
	}
	y := *part(0)
	for _, p := range f.parts {
		y.multi = append(y.multi, Column{base + p.Name, p.Type})
	}
	y.multiOf, y.name = part, y.multi[0].Name
	return &y
}

// signature is how the reference shows the function.
func (f *severalFn) signature() string {
	names := make([]string, len(f.parts))
	for i, p := range f.parts {
		names[i] = p.Name + ": " + p.Type.String()
	}
	return f.sig + " -> (" + strings.Join(names, ", ") + ")"
}
