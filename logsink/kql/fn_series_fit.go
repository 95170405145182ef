package kql

import (
	"math"
	"math/cmplx"
)

var seriesFitFns = []scalarFn{
	{name: "series_fit_line_dynamic", sig: "dynamic -> dynamic", make: rows(func(a []Value) Value {
		f, ok := fitLine(a[0])
		if !ok {
			return nullValue(Dynamic)
		}
		out := &Bag{}
		for _, p := range lineParts {
			out.Set(p.name, p.get(f).dynamic())
		}
		return dynamicValue(out)
	})},
}

// lineFit is a straight line through a series.
type lineFit struct {
	rsquare, slope, variance, rvariance, interception float64
	line                                              []any
}

// lineParts are the results of series_fit_line in order.
var lineParts = []struct {
	name string
	typ  Type
	get  func(lineFit) Value
}{
	{"rsquare", Real, func(f lineFit) Value { return realValue(f.rsquare) }},
	{"slope", Real, func(f lineFit) Value { return realValue(f.slope) }},
	{"variance", Real, func(f lineFit) Value { return realValue(f.variance) }},
	{"rvariance", Real, func(f lineFit) Value { return realValue(f.rvariance) }},
	{"interception", Real, func(f lineFit) Value { return realValue(f.interception) }},
	{"line_fit", Dynamic, func(f lineFit) Value { return dynamicValue(f.line) }},
}

// fitLine fits by least squares over the positions 0, 1, 2, …
func fitLine(v Value) (lineFit, bool) {
	y, ok := series(v)
	if !ok || len(y) < 2 {
		return lineFit{}, false
	}
	n := float64(len(y))
	var sx, sy, sxx, sxy float64
	for i, v := range y {
		x := float64(i)
		sx, sy, sxx, sxy = sx+x, sy+v, sxx+x*x, sxy+x*v
	}
	f := lineFit{slope: (n*sxy - sx*sy) / (n*sxx - sx*sx)}
	f.interception = (sy - f.slope*sx) / n
	var total, rest float64
	for i, v := range y {
		p := f.interception + f.slope*float64(i)
		f.line = append(f.line, p)
		total += (v - sy/n) * (v - sy/n)
		rest += (v - p) * (v - p)
	}
	f.variance, f.rvariance = total/(n-1), rest/(n-1)
	f.rsquare = 1 - rest/total
	if total == 0 {
		f.rsquare = 1
	}
	return f, true
}

// seriesFitLineForm binds series_fit_line(y): six results.
func seriesFitLineForm(b *binder, n *callNode) *bound {
	return b.severalResults(n, 1, func(x *bound) ([]Column, func(i int) *bound) {
		var cols []Column
		for _, p := range lineParts {
			cols = append(cols, Column{"series_fit_line_" + x.name + "_" + p.name, p.typ})
		}
		return cols, func(i int) *bound {
			p := lineParts[i]
			k := rowKernel(p.typ, func(a []Value) Value {
				f, ok := fitLine(a[0])
				if !ok {
					return nullValue(p.typ)
				}
				return p.get(f)
			})
			return fold(derive(p.typ, n, kernelEval(k, []*bound{x}), x), x)
		}
	})
}

// severalResults binds a call with several results: at least min arguments,
// the first of them a dynamic.
func (b *binder) severalResults(n *callNode, want int, f func(x *bound) ([]Column, func(i int) *bound)) *bound {
	args := b.args(n)
	if len(args) < want {
		b.wrongCount(n.fn.name, n.fn.span, want, want)
		return failed(n)
	}
	if args[0].typ == NoType {
		return failed(n)
	}
	if args[0].typ != Dynamic {
		b.diags.report(args[0].node.pos(), "KS107", "A value of type dynamic expected.")
		return failed(n)
	}
	cols, part := f(args[0])
	y := *part(0)
	y.multi, y.multiOf, y.name = cols, part, cols[0].Name
	return &y
}

// fourierForm binds series_fft(real [, imaginary]) and series_ifft: two
// results, the real and the imaginary parts.
func fourierForm(b *binder, n *callNode) *bound {
	inverse := n.fn.name == "series_ifft"
	var imag *bound
	if len(n.args) > 1 {
		imag = cast(b.expr(n.args[1]), Dynamic)
	}
	return b.severalResults(n, 1, func(x *bound) ([]Column, func(i int) *bound) {
		base := n.fn.name + "_" + x.name + "_"
		from := []*bound{x}
		if imag != nil {
			from = append(from, imag)
		}
		return []Column{{base + "real", Dynamic}, {base + "imag", Dynamic}}, func(i int) *bound {
			k := rowKernel(Dynamic, func(a []Value) Value { return fourierPart(a, inverse, i) })
			return fold(derive(Dynamic, n, kernelEval(k, from), from...), from...)
		}
	})
}

func fourierPart(a []Value, inverse bool, part int) Value {
	re, ok := series(a[0])
	if !ok {
		return nullValue(Dynamic)
	}
	z := make([]complex128, len(re))
	for i, v := range re {
		z[i] = complex(v, 0)
	}
	if len(a) > 1 {
		im, ok := series(a[1])
		if !ok || len(im) != len(re) {
			return nullValue(Dynamic)
		}
		for i, v := range im {
			z[i] += complex(0, v)
		}
	}
	z = fourier(z, inverse)
	out := make([]any, len(z))
	for i, c := range z {
		if inverse {
			c /= complex(float64(len(z)), 0)
		}
		if out[i] = real(c); part == 1 {
			out[i] = imag(c)
		}
	}
	return dynamicValue(out)
}

// fourier splits while the length is even and sums directly what is left.
func fourier(z []complex128, inverse bool) []complex128 {
	n := len(z)
	sign := -2 * math.Pi
	if inverse {
		sign = -sign
	}
	out := make([]complex128, n)
	if n%2 == 1 || n == 0 {
		for k := range out {
			for j, v := range z {
				out[k] += v * cmplx.Rect(1, sign*float64(j*k%n)/float64(n))
			}
		}
		return out
	}
	even, odd := make([]complex128, n/2), make([]complex128, n/2)
	for i := range even {
		even[i], odd[i] = z[2*i], z[2*i+1]
	}
	even, odd = fourier(even, inverse), fourier(odd, inverse)
	for k := range even {
		w := odd[k] * cmplx.Rect(1, sign*float64(k)/float64(n))
		out[k], out[k+n/2] = even[k]+w, even[k]-w
	}
	return out
}
