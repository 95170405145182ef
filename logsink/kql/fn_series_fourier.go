package kql

import (
	"math"
	"math/bits"
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

// mostSummed is the longest odd length that is summed directly: it is exact for
// few points, and takes their square.
const mostSummed = 64

// fourier splits while the length is even; what is left is summed directly, or
// convolved when it is long.
func fourier(z []complex128, inverse bool) []complex128 {
	n := len(z)
	sign := -2 * math.Pi
	if inverse {
		sign = -sign
	}
	if n%2 == 1 && n > mostSummed {
		return chirp(z, sign)
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

// chirp is the transform of any length as a convolution, which transforms of a
// power of two compute (Bluestein 1970).
func chirp(z []complex128, sign float64) []complex128 {
	n := len(z)
	size := 1 << bits.Len(uint(2*n))
	w, a, b := make([]complex128, n), make([]complex128, size), make([]complex128, size)
	for k, v := range z {
		w[k] = cmplx.Rect(1, sign*float64(k*k%(2*n))/float64(2*n))
		a[k] = v * w[k]
		b[k] = cmplx.Conj(w[k])
		b[(size-k)%size] = b[k]
	}
	a, b = transform(a), transform(b)
	for i := range a {
		a[i] = cmplx.Conj(a[i] * b[i])
	}
	a = transform(a) // the way back, but for the size and the conjugate
	for k := range w {
		w[k] *= cmplx.Conj(a[k]) / complex(float64(size), 0)
	}
	return w
}
