package kql

import (
	"math"
	"strconv"
	"strings"
)

// convert returns v as type t the way to<t>() does: null when it cannot be.
func convert(v Value, t Type) Value {
	if v.Type == t {
		return v
	}
	if v.Type == Dynamic {
		return convertDynamic(v, t)
	}
	if t == Dynamic {
		return dynamicValue(v.dynamic())
	}
	if t == String {
		return stringValue(v.String())
	}
	if v.Null {
		return nullValue(t)
	}
	switch t {
	case Bool:
		return toBool(v)
	case Int:
		return toInt(v)
	case Long:
		return toLong(v)
	case Real:
		return toReal(v)
	case Decimal:
		return toDecimal(v)
	case DateTime:
		return toDateTime(v)
	case TimeSpan:
		return toTimeSpan(v)
	case GUID:
		if v.Type == String {
			if u, ok := ParseUUID(v.Str); ok {
				return uuidValue(u)
			}
		}
	}
	return nullValue(t)
}

// convertDynamic converts the primitive in a dynamic; arrays and bags have
// only a text.
func convertDynamic(v Value, t Type) Value {
	if t == String {
		return stringValue(dynamicText(v.Any))
	}
	x := fromDynamic(v.Any)
	if x.Type == Dynamic {
		return nullValue(t)
	}
	return convert(x, t)
}

func toBool(v Value) Value {
	switch v.Type {
	case Int, Long:
		return boolValue(v.Int != 0)
	case Real:
		return boolValue(v.Real != 0)
	case Decimal:
		return boolValue(v.dec().coef.Sign() != 0)
	case String:
		s := strings.ToLower(strings.TrimSpace(v.Str))
		if s == "true" || s == "false" {
			return boolValue(s == "true")
		}
		if n, ok := parseLong(s); ok {
			return boolValue(n != 0)
		}
	}
	return nullValue(Bool)
}

func toInt(v Value) Value {
	l := toLong(v)
	if l.Null || l.Int < math.MinInt32 || l.Int > math.MaxInt32 {
		return nullValue(Int)
	}
	return intValue(l.Int)
}

func toLong(v Value) Value {
	switch v.Type {
	case Bool, Int, Long, DateTime, TimeSpan:
		return longValue(v.Int)
	case Real:
		if n, ok := truncate(v.Real); ok {
			return longValue(n)
		}
	case Decimal:
		if n, ok := v.dec().Int(); ok {
			return longValue(n)
		}
	case String:
		if n, ok := parseLong(v.Str); ok {
			return longValue(n)
		}
		if strings.ContainsAny(v.Str, ".eE") {
			if f, err := strconv.ParseFloat(strings.TrimSpace(v.Str), 64); err == nil {
				if n, ok := truncate(f); ok {
					return longValue(n)
				}
			}
		}
	}
	return nullValue(Long)
}

// truncate cuts the fraction of f, unless the rest does not fit.
func truncate(f float64) (int64, bool) {
	if math.IsNaN(f) || f >= math.MaxInt64 || f < math.MinInt64 {
		return 0, false
	}
	return int64(f), true
}

// parseLong reads a decimal or hexadecimal integer.
func parseLong(s string) (int64, bool) {
	if n, ok := parseDigits(s); ok {
		return n, true
	}
	if s = strings.TrimSpace(s); s == "" {
		return 0, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") {
		n, err := strconv.ParseUint(s[2:], 16, 64)
		return int64(n), err == nil
	}
	return 0, false
}

// parseDigits reads a text of up to 18 digits, which every other way to read a
// number would read so, too.
func parseDigits(s string) (n int64, ok bool) {
	if len(s) == 0 || len(s) > 18 {
		return 0, false
	}
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	return n, true
}

func toReal(v Value) Value {
	switch v.Type {
	case Bool, Int, Long, DateTime, TimeSpan:
		return realValue(float64(v.Int))
	case Decimal:
		return realValue(v.dec().Float())
	case String:
		s := strings.TrimSpace(v.Str)
		switch strings.ToLower(s) {
		case "nan":
			return realValue(math.NaN())
		case "+inf", "inf", "infinity", "+infinity":
			return realValue(math.Inf(1))
		case "-inf", "-infinity":
			return realValue(math.Inf(-1))
		}
		if strings.ContainsAny(s, "xXpP_nNiI") {
			if n, ok := parseLong(s); ok {
				return realValue(float64(n))
			}
			return nullValue(Real)
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return realValue(f)
		}
	}
	return nullValue(Real)
}

func toDecimal(v Value) Value {
	switch v.Type {
	case Bool, Int, Long, DateTime, TimeSpan:
		return decValue(decFromInt(v.Int))
	case Real:
		if d := decFromFloat(v.Real); d != nil {
			return decValue(d)
		}
	case String:
		if d, ok := ParseDec(v.Str); ok {
			return decValue(d)
		}
	}
	return nullValue(Decimal)
}

func toDateTime(v Value) Value {
	switch v.Type {
	case Int, Long:
		if t := Ticks(v.Int); t.valid() {
			return dateTimeValue(t)
		}
	case String:
		if t, ok := parseDateTime(v.Str); ok {
			return dateTimeValue(t)
		}
	}
	return nullValue(DateTime)
}

func toTimeSpan(v Value) Value {
	switch v.Type {
	case Int, Long:
		return timeSpanValue(Span(v.Int))
	case Real:
		if n, ok := truncate(v.Real); ok {
			return timeSpanValue(Span(n))
		}
	case String:
		if s, ok := parseSpan(v.Str); ok {
			return timeSpanValue(s)
		}
	}
	return nullValue(TimeSpan)
}

// convertVector converts n rows of v to type t.
func convertVector(v *Vector, t Type, n int) *Vector {
	switch {
	case v.Type == t:
		return v
	case v.one:
		return constVector(convert(v.Value(0), t))
	case v.Type == Int && t == Long:
		w := *v
		w.Type = Long
		return &w
	case v.Type.isInteger() && t == Real:
		out := &Vector{Type: Real, Reals: make([]float64, n), Nulls: v.Nulls}
		for i, x := range v.Ints[:n] {
			out.Reals[i] = float64(x)
		}
		return out
	case v.Codes != nil && len(v.Dict) <= n && t != Dynamic:
		return convertDict(v, t, n)
	}
	out := newVector(t, n)
	for i := range n {
		if t == Long && v.Type == String { // most often digits
			if d, ok := parseDigits(v.Str(i)); ok {
				out.Ints[i] = d
				continue
			}
		}
		out.set(i, n, convert(v.Value(i), t))
	}
	return out
}

// convertDict converts each dictionary entry once.
func convertDict(v *Vector, t Type, n int) *Vector {
	vals := make([]Value, len(v.Dict))
	for i, s := range v.Dict {
		vals[i] = convert(stringValue(s), t)
	}
	out := newVector(t, n)
	for i, c := range v.Codes[:n] {
		out.set(i, n, vals[c])
	}
	return out
}
