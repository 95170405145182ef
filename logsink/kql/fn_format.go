package kql

import (
	"math"
	"strconv"
	"strings"
)

var formatFns = []scalarFn{
	{name: "format_datetime", sig: "datetime, string -> string", named: asArg, make: rows(formatDateTime)},
	{name: "format_timespan", sig: "timespan, string -> string", named: asArg, make: rows(formatTimeSpan)},
	{name: "format_bytes", sig: "number, integer?, string? -> string", named: asArg, make: rows(formatBytes)},
}

// formatDateTime writes a datetime by Kusto's format specifiers.
// https://learn.microsoft.com/kusto/query/format-datetime-function
func formatDateTime(a []Value) Value {
	if a[0].Null {
		return stringValue("")
	}
	t := Ticks(a[0].Int)
	u := t.Time()
	_, frac := floorDiv(int64(t), ticksPerSecond)
	hour12 := (u.Hour()+11)%12 + 1
	return formatRuns(a[1].Str, func(c byte, n int) (string, bool) {
		switch c {
		case 'y':
			if n <= 2 {
				return pad(int64(u.Year()%100), n), true
			}
			return pad(int64(u.Year()), n), true
		case 'M':
			return pad(int64(u.Month()), n), n <= 2
		case 'd':
			return pad(int64(u.Day()), n), n <= 2
		case 'H':
			return pad(int64(u.Hour()), n), n <= 2
		case 'h':
			return pad(int64(hour12), n), n <= 2
		case 'm':
			return pad(int64(u.Minute()), n), n <= 2
		case 's':
			return pad(int64(u.Second()), n), n <= 2
		case 'f', 'F':
			return fraction(frac, c, n)
		case 't':
			if u.Hour() < 12 {
				return "AM", n == 2
			}
			return "PM", n == 2
		}
		return "", false
	})
}

func formatTimeSpan(a []Value) Value {
	if a[0].Null {
		return stringValue("")
	}
	t := a[0].Int
	neg := t < 0
	if neg {
		t = -t
	}
	out := formatRuns(a[1].Str, func(c byte, n int) (string, bool) {
		switch c {
		case 'd':
			return pad(t/ticksPerDay, n), n <= 8
		case 'H', 'h':
			return pad(t/int64(spanHour)%24, n), n <= 2
		case 'm':
			return pad(t/int64(spanMinute)%60, n), n <= 2
		case 's':
			return pad(t/ticksPerSecond%60, n), n <= 2
		case 'f', 'F':
			return fraction(t%ticksPerSecond, c, n)
		}
		return "", false
	})
	if neg && out.Str != "" {
		out.Str = "-" + out.Str
	}
	return out
}

// formatRuns replaces each run of one specifier letter and keeps delimiters;
// an unknown letter makes the whole result empty.
func formatRuns(format string, spec func(c byte, n int) (string, bool)) Value {
	var b strings.Builder
	for i := 0; i < len(format); {
		c := format[i]
		if !(c|0x20 >= 'a' && c|0x20 <= 'z') {
			b.WriteByte(c)
			i++
			continue
		}
		j := i
		for j < len(format) && format[j] == c {
			j++
		}
		s, ok := spec(c, j-i)
		if !ok {
			return stringValue("")
		}
		b.WriteString(s)
		i = j
	}
	return stringValue(b.String())
}

func pad(n int64, width int) string { return string(appendPadded(nil, n, width)) }

// fraction writes n digits of a fraction of a second; F leaves out trailing
// zeros.
func fraction(ticks int64, c byte, n int) (string, bool) {
	if n > 7 {
		return "", false
	}
	s := pad(ticks, 7)[:n]
	if c == 'F' {
		s = strings.TrimRight(s, "0")
	}
	return s, true
}

var byteUnits = []string{"Bytes", "KB", "MB", "GB", "TB", "PB", "EB"}

// formatBytes writes a size in the largest unit that keeps it at one or more.
func formatBytes(a []Value) Value {
	if a[0].Null {
		return stringValue("")
	}
	f := a[0].float()
	places := 0
	if len(a) > 1 {
		places = int(max(0, min(a[1].Int, 20)))
	}
	unit := 0
	if len(a) > 2 && a[2].Str != "" {
		for i, u := range byteUnits {
			if strings.EqualFold(u, a[2].Str) {
				unit = i
			}
		}
		f /= math.Pow(1024, float64(unit))
	} else {
		for math.Abs(f) >= 1024 && unit < len(byteUnits)-1 {
			f /= 1024
			unit++
		}
	}
	s := strconv.FormatFloat(roundPlaces(f, places), 'f', places, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return stringValue(s + " " + byteUnits[unit])
}
