package kql

import (
	"math"
	"math/cmplx"
)

var seriesFourierFns = []severalFn{
	{name: "series_fft", sig: "dynamic, dynamic?", parts: []Column{{"real", Dynamic}, {"imag", Dynamic}}, eval: fourierSeries(false)},
	{name: "series_ifft", sig: "dynamic, dynamic?", parts: []Column{{"real", Dynamic}, {"imag", Dynamic}}, eval: fourierSeries(true)},
}

func fourierSeries(inverse bool) func(a []Value) []Value {
	return func(a []Value) []Value {
		re, ok := series(a[0])
		if !ok {
			return nil
		}
		z := make([]complex128, len(re))
		for i, v := range re {
			z[i] = complex(v, 0)
		}
		if len(a) > 1 {
			im, ok := series(a[1])
			if !ok || len(im) != len(re) {
				return nil
			}
			for i, v := range im {
				z[i] += complex(0, v)
			}
		}
		z = fourier(z, inverse)
		outRe, outIm := make([]any, len(z)), make([]any, len(z))
		for i, c := range z {
			if inverse {
				c /= complex(float64(len(z)), 0)
			}
			outRe[i], outIm[i] = real(c), imag(c)
		}
		return []Value{dynamicValue(outRe), dynamicValue(outIm)}
	}
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
