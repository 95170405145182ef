package kql

import (
	"strings"
	"time"
	_ "time/tzdata" // datetime_utc_to_local must not depend on the machine
)

var dateFns = []scalarFn{
	{name: "startofday", sig: "datetime, integer? -> datetime", named: asArg, make: starter("day", false)},
	{name: "startofweek", sig: "datetime, integer? -> datetime", make: starter("week", false)},
	{name: "startofmonth", sig: "datetime, integer? -> datetime", make: starter("month", false)},
	{name: "startofyear", sig: "datetime, integer? -> datetime", make: starter("year", false)},
	{name: "endofday", sig: "datetime, integer? -> datetime", make: starter("day", true)},
	{name: "endofweek", sig: "datetime, integer? -> datetime", make: starter("week", true)},
	{name: "endofmonth", sig: "datetime, integer? -> datetime", make: starter("month", true)},
	{name: "endofyear", sig: "datetime, integer? -> datetime", make: starter("year", true)},
	{name: "dayofweek", sig: "datetime -> timespan", make: strict(func(a []Value) Value {
		return timeSpanValue(Span(Ticks(a[0].Int).Time().Weekday()) * spanDay)
	})},
	{name: "dayofmonth", sig: "datetime -> int", make: datePart("day")},
	{name: "dayofyear", sig: "datetime -> int", make: datePart("dayofyear")},
	{name: "monthofyear", sig: "datetime -> int", make: datePart("month")},
	{name: "getmonth", sig: "datetime -> int", make: datePart("month")},
	{name: "getyear", sig: "datetime -> int", make: datePart("year")},
	{name: "hourofday", sig: "datetime -> int", make: datePart("hour")},
	{name: "week_of_year", sig: "datetime -> long", make: datePart("weekofyear")},
	{name: "weekofyear", sig: "datetime -> int", make: datePart("weekofyear")},
	{name: "datetime_part", sig: "string, datetime -> int", make: strict(datetimePart)},
	{name: "datetime_add", sig: "string, integer, datetime -> datetime", make: strict(datetimeAdd)},
	{name: "datetime_diff", sig: "string, datetime, datetime -> long", make: strict(datetimeDiff)},
	{name: "make_datetime", sig: "integer, integer, integer -> datetime; integer, integer, integer, integer, integer -> datetime; " +
		"integer, integer, integer, integer, integer, number -> datetime", make: strict(makeDateTime)},
	{name: "make_timespan", sig: "integer, integer, integer?, number? -> timespan", make: strict(makeTimeSpan)},
	{name: "unixtime_seconds_todatetime", sig: "number -> datetime", make: strict(fromUnix(float64(spanSecond)))},
	{name: "unixtime_milliseconds_todatetime", sig: "number -> datetime", make: strict(fromUnix(float64(spanMillisecond)))},
	{name: "unixtime_microseconds_todatetime", sig: "number -> datetime", make: strict(fromUnix(float64(spanMicrosecond)))},
	{name: "unixtime_nanoseconds_todatetime", sig: "number -> datetime", make: strict(fromUnix(0.01))},
	{name: "datetime_utc_to_local", sig: "datetime, string -> datetime", make: strict(utcToLocal)},
	{name: "datetime_local_to_utc", sig: "datetime, string -> datetime", make: strict(localToUTC)},
	{name: "datetime_list_timezones", sig: " -> dynamic", make: rows(func([]Value) Value {
		return dynamicValue([]any{"UTC", "US/Pacific", "US/Eastern", "Europe/London", "Europe/Paris"})
	})},
	{name: "around", sig: "T, T, timespan|number -> bool", make: rows(around)},
}

// startOf returns where the period of unit around t begins, n periods on.
func startOf(unit string, t Ticks, n int64) (Ticks, bool) {
	u := t.Time()
	if n > 1e7 || n < -1e7 {
		return 0, false
	}
	y, m, d := u.Date()
	k := int(n)
	switch unit {
	case "day":
		u = time.Date(y, m, d+k, 0, 0, 0, 0, time.UTC)
	case "week":
		u = time.Date(y, m, d-int(u.Weekday())+7*k, 0, 0, 0, 0, time.UTC)
	case "month":
		u = time.Date(y, m+time.Month(k), 1, 0, 0, 0, 0, time.UTC)
	default:
		u = time.Date(y+k, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if u.Year() < 1 || u.Year() > 10000 {
		return 0, false
	}
	return TicksOf(u), true
}

func starter(unit string, end bool) maker {
	return strict(func(a []Value) Value {
		n := int64(0)
		if len(a) > 1 {
			n = a[1].Int
		}
		if end {
			n++
		}
		t, ok := startOf(unit, Ticks(a[0].Int), n)
		if end {
			t--
		}
		if !ok || !t.valid() {
			return nullValue(DateTime)
		}
		return dateTimeValue(t)
	})
}

func datePart(part string) maker {
	return strict(func(a []Value) Value {
		v, _ := partOf(part, Ticks(a[0].Int))
		return longValue(v)
	})
}

// partOf returns a part of a datetime by its normalised name.
func partOf(part string, t Ticks) (int64, bool) {
	u := t.Time()
	_, frac := floorDiv(int64(t), ticksPerSecond)
	switch part {
	case "year":
		return int64(u.Year()), true
	case "quarter":
		return int64(u.Month()-1)/3 + 1, true
	case "month", "monthofyear":
		return int64(u.Month()), true
	case "week", "weekofyear":
		_, w := u.ISOWeek()
		return int64(w), true
	case "day", "dayofmonth":
		return int64(u.Day()), true
	case "dayofyear":
		return int64(u.YearDay()), true
	case "dayofweek":
		return int64(u.Weekday()), true
	case "hour":
		return int64(u.Hour()), true
	case "minute":
		return int64(u.Minute()), true
	case "second":
		return int64(u.Second()), true
	case "millisecond":
		return frac / 10000, true
	case "microsecond":
		return frac / 10, true
	case "nanosecond":
		return frac * 100, true
	}
	return 0, false
}

func normalPart(s string) string {
	return strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(s, "_", ""), " ", ""))
}

func datetimePart(a []Value) Value {
	v, ok := partOf(normalPart(a[0].Str), Ticks(a[1].Int))
	if !ok {
		return nullValue(Int)
	}
	return longValue(v)
}

// periodTicks are the periods of fixed length.
var periodTicks = map[string]Span{
	"week": 7 * spanDay, "day": spanDay, "hour": spanHour, "minute": spanMinute, "second": spanSecond,
	"millisecond": spanMillisecond, "microsecond": spanMicrosecond,
}

// datetimeAdd adds periods; months end where the target month does.
func datetimeAdd(a []Value) Value {
	n, t := a[1].Int, Ticks(a[2].Int)
	part := normalPart(a[0].Str)
	if p, ok := periodTicks[part]; ok {
		if n > int64(maxTicks)/int64(p) || n < -int64(maxTicks)/int64(p) {
			return nullValue(DateTime)
		}
		return validDate(t + Ticks(n*int64(p)))
	}
	if part == "nanosecond" {
		return validDate(t + Ticks(n/100))
	}
	months, ok := map[string]int64{"year": 12, "quarter": 3, "month": 1}[part]
	if !ok || n > 200000 || n < -200000 {
		return nullValue(DateTime)
	}
	u := t.Time()
	total := int64(u.Year())*12 + int64(u.Month()) - 1 + n*months
	y, m := floorDiv(total, 12)
	if y < 1 || y > 9999 {
		return nullValue(DateTime)
	}
	date, _ := makeDate(y, m+1, min(int64(u.Day()), int64(daysIn(y, m+1))))
	_, clock := floorDiv(int64(t), ticksPerDay)
	return validDate(date + Ticks(clock))
}

func validDate(t Ticks) Value {
	if !t.valid() {
		return nullValue(DateTime)
	}
	return dateTimeValue(t)
}

// datetimeDiff counts the period boundaries between two datetimes.
func datetimeDiff(a []Value) Value {
	x, y := Ticks(a[1].Int), Ticks(a[2].Int)
	part := normalPart(a[0].Str)
	switch part {
	case "year":
		return longValue(int64(x.Time().Year() - y.Time().Year()))
	case "quarter":
		return longValue(monthIndex(x)/3 - monthIndex(y)/3)
	case "month":
		return longValue(monthIndex(x) - monthIndex(y))
	case "week":
		return longValue(weekIndex(x) - weekIndex(y))
	case "nanosecond":
		return longValue(int64(x-y) * 100)
	}
	p, ok := periodTicks[part]
	if !ok {
		return nullValue(Long)
	}
	return longValue(int64(x)/int64(p) - int64(y)/int64(p))
}

func monthIndex(t Ticks) int64 {
	u := t.Time()
	return int64(u.Year())*12 + int64(u.Month()) - 1
}

// weekIndex numbers weeks from Sunday: 0001-01-01 was a Monday.
func weekIndex(t Ticks) int64 { return (int64(t)/ticksPerDay + 1) / 7 }

func makeDateTime(a []Value) Value {
	date, ok := makeDate(a[0].Int, a[1].Int, a[2].Int)
	if !ok {
		return nullValue(DateTime)
	}
	if len(a) < 5 {
		return dateTimeValue(date)
	}
	s := 0.0
	if len(a) > 5 {
		s = a[5].float()
	}
	h, m := a[3].Int, a[4].Int
	if h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s >= 60 {
		return nullValue(DateTime)
	}
	return dateTimeValue(date + Ticks(h*int64(spanHour)+m*int64(spanMinute)) + secondTicks(s))
}

// secondTicks rounds seconds to ticks.
func secondTicks(s float64) Ticks { return Ticks(s*float64(ticksPerSecond) + 0.5) }

func makeTimeSpan(a []Value) Value {
	var d, h, m int64
	s := 0.0
	switch len(a) {
	case 2:
		h, m = a[0].Int, a[1].Int
	case 3:
		h, m, s = a[0].Int, a[1].Int, a[2].float()
	default:
		d, h, m, s = a[0].Int, a[1].Int, a[2].Int, a[3].float()
	}
	if d < 0 || d > 10675199 || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s >= 60 {
		return nullValue(TimeSpan)
	}
	return timeSpanValue(Span(d)*spanDay + Span(h)*spanHour + Span(m)*spanMinute + Span(secondTicks(s)))
}

func fromUnix(ticks float64) func(a []Value) Value {
	return func(a []Value) Value {
		var n int64
		if a[0].Type.isInteger() && ticks >= 1 {
			n = a[0].Int * int64(ticks)
			if n/int64(ticks) != a[0].Int {
				return nullValue(DateTime)
			}
		} else if a[0].Type.isInteger() {
			n = a[0].Int / 100
		} else {
			var ok bool
			if n, ok = truncate(a[0].float() * ticks); !ok {
				return nullValue(DateTime)
			}
		}
		if n > int64(maxTicks) || n < -unixSeconds*ticksPerSecond {
			return nullValue(DateTime)
		}
		return validDate(Ticks(n + unixSeconds*ticksPerSecond))
	}
}

func utcToLocal(a []Value) Value {
	loc, err := time.LoadLocation(a[1].Str)
	if err != nil {
		return nullValue(DateTime)
	}
	_, offset := Ticks(a[0].Int).Time().In(loc).Zone()
	return validDate(Ticks(a[0].Int + int64(offset)*ticksPerSecond))
}

// localToUTC reads a wall clock. A time the clocks skip is read with the
// offset before the change, as documented for Europe/Brussels.
func localToUTC(a []Value) Value {
	loc, err := time.LoadLocation(a[1].Str)
	if err != nil {
		return nullValue(DateTime)
	}
	t := a[0].Int
	_, offset := Ticks(t).Time().In(loc).Zone()
	guess := t - int64(offset)*ticksPerSecond
	_, offset = Ticks(guess).Time().In(loc).Zone()
	u := t - int64(offset)*ticksPerSecond
	if _, back := Ticks(u).Time().In(loc).Zone(); back != offset {
		// In the gap: the larger offset holds after the change.
		u = t - int64(max(back, offset))*ticksPerSecond
	}
	return validDate(Ticks(u))
}

func around(a []Value) Value {
	if a[0].Null || a[1].Null || a[2].Null {
		return nullValue(Bool)
	}
	x, c, d := a[0].float(), a[1].float(), a[2].float()
	return boolValue(x >= c-d && x <= c+d)
}
