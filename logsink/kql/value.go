package kql

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// Value is one cell. The zero Value has no type; use the constructors.
type Value struct {
	Type Type
	Null bool
	Int  int64   // int, long, datetime, timespan; bool as 0 and 1
	Real float64 // real
	Str  string  // string
	Any  any     // decimal (*Dec), guid (UUID), dynamic (see Vector)
}

// Constructors of non-null values.
func boolValue(b bool) Value      { return Value{Type: Bool, Int: b2i(b)} }
func intValue(i int64) Value      { return Value{Type: Int, Int: int64(int32(i))} }
func longValue(i int64) Value     { return Value{Type: Long, Int: i} }
func realValue(f float64) Value   { return Value{Type: Real, Real: f} }
func stringValue(s string) Value  { return Value{Type: String, Str: s} }
func dateTimeValue(t Ticks) Value { return Value{Type: DateTime, Int: int64(t)} }
func timeSpanValue(t Span) Value  { return Value{Type: TimeSpan, Int: int64(t)} }
func uuidValue(u UUID) Value      { return Value{Type: GUID, Any: u} }
func decValue(d *Dec) Value       { return Value{Type: Decimal, Any: d} }
func dynamicValue(x any) Value    { return Value{Type: Dynamic, Any: x, Null: x == nil} }

// nullValue returns the null of type t, which is "" for a string.
func nullValue(t Type) Value { return Value{Type: t, Null: t != String} }

func (v Value) bool() bool { return v.Int != 0 }
func (v Value) dec() *Dec  { return v.Any.(*Dec) }
func (v Value) uuid() UUID { return v.Any.(UUID) }

// isTrue reports whether v is a bool that is true, not null.
func (v Value) isTrue() bool { return !v.Null && v.Int != 0 }

// float returns a non-null number, datetime or timespan as a float64.
func (v Value) float() float64 {
	switch v.Type {
	case Real:
		return v.Real
	case Decimal:
		return v.dec().Float()
	}
	return float64(v.Int)
}

// String returns what tostring gives: "" for null.
func (v Value) String() string {
	if v.Null {
		return ""
	}
	switch v.Type {
	case Bool:
		return strconv.FormatBool(v.bool())
	case Int, Long:
		return strconv.FormatInt(v.Int, 10)
	case Real:
		return formatReal(v.Real)
	case Decimal:
		return v.dec().String()
	case String:
		return v.Str
	case DateTime:
		return Ticks(v.Int).String()
	case TimeSpan:
		return Span(v.Int).String()
	case GUID:
		return v.uuid().String()
	}
	return dynamicText(v.Any)
}

// formatReal writes the shortest text that reads back as f, in the manner of
// .NET's round-trip format.
func formatReal(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	a := math.Abs(f)
	if a != 0 && (a < 1e-5 || a >= 1e15) {
		s := strconv.FormatFloat(f, 'E', -1, 64)
		mant, exp, _ := strings.Cut(s, "E")
		if len(exp) == 2 {
			exp = exp[:1] + "0" + exp[1:]
		}
		return mant + "E" + exp
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// dynamic returns v as the value a dynamic would hold.
func (v Value) dynamic() any {
	if v.Null {
		return nil
	}
	switch v.Type {
	case Bool:
		return v.bool()
	case Int, Long:
		return v.Int
	case Real:
		return v.Real
	case String:
		return v.Str
	case DateTime:
		return Ticks(v.Int)
	case TimeSpan:
		return Span(v.Int)
	}
	return v.Any
}

// fromDynamic wraps a dynamic's primitive in the Value of its own type, and
// arrays and bags in a dynamic Value.
func fromDynamic(x any) Value {
	switch x := x.(type) {
	case bool:
		return boolValue(x)
	case int64:
		return longValue(x)
	case float64:
		return realValue(x)
	case string:
		return stringValue(x)
	case Ticks:
		return dateTimeValue(x)
	case Span:
		return timeSpanValue(x)
	case UUID:
		return uuidValue(x)
	case *Dec:
		return decValue(x)
	}
	return dynamicValue(x)
}

// compareValues orders two non-null values of one type, numbers of different
// types by magnitude. NaN comes before every other number.
func compareValues(a, b Value) int {
	if a.Type != b.Type {
		if a.Type == Decimal || b.Type == Decimal {
			return toDec(a).Cmp(toDec(b))
		}
		if a.Type == Real || b.Type == Real {
			return cmp.Compare(a.float(), b.float())
		}
	}
	switch a.Type {
	case Real:
		return cmp.Compare(a.Real, b.Real)
	case Decimal:
		return a.dec().Cmp(b.dec())
	case String:
		return strings.Compare(a.Str, b.Str)
	case GUID:
		return strings.Compare(a.uuid().String(), b.uuid().String())
	case Dynamic:
		return strings.Compare(dynamicText(a.Any), dynamicText(b.Any))
	}
	return cmp.Compare(a.Int, b.Int)
}

// toDec returns a non-null number as a decimal.
func toDec(v Value) *Dec {
	switch v.Type {
	case Decimal:
		return v.dec()
	case Real:
		if d := decFromFloat(v.Real); d != nil {
			return d
		}
		return &Dec{}
	}
	return decFromInt(v.Int)
}
