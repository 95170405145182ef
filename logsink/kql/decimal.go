package kql

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Dec is the value of a decimal: coef × 10^-scale. The zero value is 0. A Dec
// is immutable. Kusto keeps 34 significant digits; so do divisions here.
type Dec struct {
	coef  big.Int
	scale int
}

const decDigits = 34

// ParseDec reads a decimal number, with an exponent if need be.
func ParseDec(s string) (*Dec, bool) {
	s = strings.TrimSpace(s)
	mant, exp := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n > 1000 || n < -1000 {
			return nil, false
		}
		mant, exp = s[:i], n
	}
	whole, frac, _ := strings.Cut(mant, ".")
	digits := whole + frac
	if strings.Trim(digits, "+-") == "" || len(digits) > 4000 {
		return nil, false
	}
	d := &Dec{scale: len(frac) - exp}
	if _, ok := d.coef.SetString(digits, 10); !ok {
		return nil, false
	}
	return d.normal(), true
}

func decFromInt(n int64) *Dec {
	d := &Dec{}
	d.coef.SetInt64(n)
	return d
}

// decFromFloat returns f's shortest decimal text as a decimal, nil for NaN and infinities.
func decFromFloat(f float64) *Dec {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	d, _ := ParseDec(strconv.FormatFloat(f, 'g', -1, 64))
	return d
}

var bigTen = big.NewInt(10)

func pow10(n int) *big.Int { return new(big.Int).Exp(bigTen, big.NewInt(int64(n)), nil) }

// normal removes trailing zeros of the fraction and a negative scale.
func (d *Dec) normal() *Dec {
	out := &Dec{scale: d.scale}
	out.coef.Set(&d.coef)
	if out.scale < 0 {
		out.coef.Mul(&out.coef, pow10(-out.scale))
		out.scale = 0
	}
	var q, r big.Int
	for out.scale > 0 {
		q.QuoRem(&out.coef, bigTen, &r)
		if r.Sign() != 0 {
			break
		}
		out.coef.Set(&q)
		out.scale--
	}
	return out
}

// align returns both coefficients at the larger scale.
func align(a, b *Dec) (x, y *big.Int, scale int) {
	x, y = new(big.Int).Set(&a.coef), new(big.Int).Set(&b.coef)
	switch {
	case a.scale < b.scale:
		x.Mul(x, pow10(b.scale-a.scale))
	case b.scale < a.scale:
		y.Mul(y, pow10(a.scale-b.scale))
	}
	return x, y, max(a.scale, b.scale)
}

// Cmp compares two decimals.
func (d *Dec) Cmp(o *Dec) int {
	x, y, _ := align(d, o)
	return x.Cmp(y)
}

func (d *Dec) add(o *Dec) *Dec {
	x, y, s := align(d, o)
	out := &Dec{scale: s}
	out.coef.Add(x, y)
	return out.round()
}

func (d *Dec) neg() *Dec {
	out := &Dec{scale: d.scale}
	out.coef.Neg(&d.coef)
	return out
}

func (d *Dec) mul(o *Dec) *Dec {
	out := &Dec{scale: d.scale + o.scale}
	out.coef.Mul(&d.coef, &o.coef)
	return out.round()
}

// div returns d/o, nil when o is zero.
func (d *Dec) div(o *Dec) *Dec {
	if o.coef.Sign() == 0 {
		return nil
	}
	shift := max(0, decDigits+len(o.coef.Text(10))-len(d.coef.Text(10)))
	num := new(big.Int).Mul(&d.coef, pow10(shift))
	out := &Dec{scale: d.scale - o.scale + shift}
	out.coef.Quo(num, &o.coef)
	return out.round()
}

// mod returns the non-negative remainder, nil when o is zero.
func (d *Dec) mod(o *Dec) *Dec {
	if o.coef.Sign() == 0 {
		return nil
	}
	x, y, s := align(d, o)
	out := &Dec{scale: s}
	out.coef.Mod(x, y)
	return out.normal()
}

// round cuts d to decDigits significant digits, half away from zero.
func (d *Dec) round() *Dec {
	digits := len(new(big.Int).Abs(&d.coef).Text(10))
	drop := digits - decDigits
	if drop <= 0 || d.scale <= 0 {
		return d.normal()
	}
	return d.roundTo(d.scale - min(drop, d.scale))
}

// roundTo rounds to scale digits after the point, half away from zero.
func (d *Dec) roundTo(scale int) *Dec {
	if d.scale <= scale {
		return d.normal()
	}
	unit := pow10(d.scale - scale)
	half := new(big.Int).Quo(unit, big.NewInt(2))
	out := &Dec{scale: scale}
	if d.coef.Sign() < 0 {
		out.coef.Sub(&d.coef, half)
	} else {
		out.coef.Add(&d.coef, half)
	}
	out.coef.Quo(&out.coef, unit)
	return out.normal()
}

// floor returns the largest integer not above d.
func (d *Dec) floor() *Dec {
	out := &Dec{}
	if d.scale <= 0 {
		return d.normal()
	}
	var m big.Int
	out.coef.DivMod(&d.coef, pow10(d.scale), &m)
	return out
}

// Float returns the nearest float64.
func (d *Dec) Float() float64 {
	f, _ := strconv.ParseFloat(d.String(), 64)
	return f
}

// Int returns d cut to an integer, and whether it fits.
func (d *Dec) Int() (int64, bool) {
	q := new(big.Int).Quo(&d.coef, pow10(max(d.scale, 0)))
	return q.Int64(), q.IsInt64()
}

// String writes the digits without an exponent.
func (d *Dec) String() string {
	s := new(big.Int).Abs(&d.coef).Text(10)
	if d.scale > 0 {
		if len(s) <= d.scale {
			s = strings.Repeat("0", d.scale-len(s)+1) + s
		}
		s = s[:len(s)-d.scale] + "." + s[len(s)-d.scale:]
	}
	if d.coef.Sign() < 0 {
		return "-" + s
	}
	return s
}
