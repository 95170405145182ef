package kql

import (
	"cmp"
	"math"
	"math/bits"
	"math/cmplx"
	"slices"
)

// How a period is found and scored is not published; see
// docs/decisions/0103-how-series-are-taken-apart.md for how it is done here.

var seriesPeriodFns = []severalFn{
	{name: "series_periods_detect", sig: "dynamic, number, number, integer",
		parts: []Column{{"periods", Dynamic}, {"scores", Dynamic}}, eval: detectPeriods},
	{name: "series_periods_validate", sig: "dynamic, number" + manyPeriods,
		parts: []Column{{"periods", Dynamic}, {"scores", Dynamic}}, eval: validatePeriods},
}

// manyPeriods are the further periods series_periods_validate takes: 16 in all.
const manyPeriods = ", number?, number?, number?, number?, number?, number?, number?, number?, number?, number?, number?, number?, number?, number?, number?"

const (
	minPeriod = 4 // points a period has at least
	// maxPeriods bounds the answer of series_periods_detect, which has as many
	// elements as the query asks for.
	maxPeriods = 1 << 16
)

// detectPeriods answers with as many periods as asked for, the best first,
// filled up with zeros.
func detectPeriods(a []Value) []Value {
	x, ok := series(a[0])
	if !ok || a[1].Null || a[2].Null || a[3].Null || a[3].Int < 0 || a[3].Int > maxPeriods {
		return nil
	}
	periods, scores := make([]float64, a[3].Int), make([]float64, a[3].Int)
	for i, p := range periodsOf(x, a[1].float(), a[2].float()) {
		if i < len(periods) {
			periods[i], scores[i] = float64(p.length), p.score
		}
	}
	return []Value{seriesValue(periods), seriesValue(scores)}
}

func validatePeriods(a []Value) []Value {
	x, ok := series(a[0])
	if !ok {
		return nil
	}
	periods, scores := make([]float64, len(a)-1), make([]float64, len(a)-1)
	r := autocorrelation(detrended(x))
	for i, v := range a[1:] {
		if periods[i] = math.NaN(); !v.Null {
			periods[i], scores[i] = v.float(), periodScore(r, v.float())
		}
	}
	return []Value{seriesValue(periods), seriesValue(scores)}
}

// period is a length in points at which a series repeats, and how well: 1 is
// exactly.
type period struct {
	length int
	score  float64
}

// bestPeriod is the length of the best period, or 0 when there is none that
// is good enough.
func bestPeriod(x []float64, threshold float64) int {
	if found := periodsOf(x, minPeriod, float64(len(x))); len(found) > 0 && found[0].score >= threshold {
		return found[0].length
	}
	return 0
}

// periodsOf finds the periods of a length from lo to hi, the best first.
//
// A period is a lag at which the autocorrelation is higher than at all lags
// within half of it on both sides, up to half the series, and where it is no
// accident of noise. A multiple of a period is none, unless the series repeats
// better there: weeks beside days.
func periodsOf(x []float64, lo, hi float64) []period {
	r := autocorrelation(detrended(x))
	noise := 2 / math.Sqrt(float64(len(x)))
	var found []period
	for lag := minPeriod; lag+1 < len(r); lag++ {
		if float64(lag) < lo || float64(lag) > hi || !(r[lag] > noise) || !highest(r, lag) {
			continue
		}
		p := period{lag, periodScore(r, float64(lag))}
		if p.score > noise && !slices.ContainsFunc(found, func(q period) bool { return p.length%q.length == 0 && p.score < q.score+0.1 }) {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b period) int { return cmp.Compare(b.score, a.score) })
	return found
}

// highest reports whether no lag within half of this one reaches its
// autocorrelation. It looks at the nearest first: most lags end there.
func highest(r []float64, lag int) bool {
	for d := 1; 2*d < lag; d++ {
		if r[lag-d] > r[lag]-1e-9 || lag+d < len(r) && r[lag+d] > r[lag]-1e-9 {
			return false
		}
	}
	return true
}

// periodScore is the autocorrelation at the worst of a period's multiples, 0
// to 1: a sub-period is as good as its period at some of them only.
func periodScore(r []float64, length float64) float64 {
	if !(length >= minPeriod && length <= float64(len(r)-1)) {
		return 0
	}
	score := 1.0
	for k := 1.0; ; k++ {
		lag := int(math.Round(k * length))
		if lag >= len(r) {
			return max(0, score)
		}
		if r[lag] == r[lag] {
			score = min(score, r[lag])
		}
	}
}

// detrended is a series without the line through it: a trend correlates
// everything with everything.
func detrended(x []float64) []float64 {
	f, ok := lineThrough(x)
	if !ok {
		return nil
	}
	out := make([]float64, len(x))
	for i, v := range x {
		if out[i] = v - f.line[i]; math.Abs(out[i]) <= rounding*(math.Abs(v)+math.Abs(f.line[i])) {
			out[i] = 0
		}
	}
	return out
}

// rounding is how much of two numbers may be left of their difference when
// they are meant to be equal.
const rounding = 1e-12

// autocorrelation is the correlation of a series of mean 0 with itself at the
// lags from 0 to half its length; NaN at a lag at which no two points are
// there. A series that never changes has none.
func autocorrelation(x []float64) []float64 {
	n, total := 0.0, 0.0
	size := 1 << bits.Len(uint(2*len(x)))
	z := make([]complex128, size)
	for i, v := range x {
		if v == v {
			z[i] = complex(v, 1)
			n++
			total += v * v
		}
	}
	if total == 0 {
		return nil
	}
	// The spectra of the values and of what is there come out of one
	// transform, as its Hermitian and anti-Hermitian halves; and so do their
	// autocovariances out of one back.
	z = transform(z)
	power := make([]complex128, size)
	for k, c := range z {
		d := cmplx.Conj(z[(size-k)%size])
		values, there := (c+d)/2, (c-d)/2i
		power[k] = complex(real(values)*real(values)+imag(values)*imag(values), real(there)*real(there)+imag(there)*imag(there))
	}
	power = transform(power) // the way back is the same, but for the size: spectra of powers are even
	r := make([]float64, len(x)/2+1)
	for lag := range r {
		c := power[lag] / complex(float64(size), 0)
		if r[lag] = math.NaN(); imag(c) > 0.5 {
			r[lag] = real(c) / math.Round(imag(c)) / (total / n)
		}
	}
	return r
}

// transform is the fast Fourier transform of a power of two of values, in
// place.
func transform(z []complex128) []complex128 {
	n := len(z)
	shift := 64 - bits.Len(uint(n-1))
	for i := range z {
		if j := int(bits.Reverse64(uint64(i)) >> shift); j > i {
			z[i], z[j] = z[j], z[i]
		}
	}
	roots := make([]complex128, n/2)
	for k := range roots {
		roots[k] = cmplx.Rect(1, -2*math.Pi*float64(k)/float64(n))
	}
	for half := 1; half < n; half *= 2 {
		step := n / (2 * half)
		for at := 0; at < n; at += 2 * half {
			for k := range half {
				u, v := z[at+k], z[at+k+half]*roots[k*step]
				z[at+k], z[at+k+half] = u+v, u-v
			}
		}
	}
	return z
}
