package kql

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Ticks is a datetime: 100 ns ticks since 0001-01-01T00:00:00Z. Kusto's range
// is 0001-01-01 to 9999-12-31T23:59:59.9999999.
type Ticks int64

// Span is a timespan in 100 ns ticks.
type Span int64

// Spans of common units.
const (
	spanMicrosecond Span = 10
	spanMillisecond      = 1000 * spanMicrosecond
	spanSecond           = 1000 * spanMillisecond
	spanMinute           = 60 * spanSecond
	spanHour             = 60 * spanMinute
	spanDay              = 24 * spanHour
)

const (
	ticksPerSecond = int64(spanSecond)
	ticksPerDay    = int64(spanDay)
	// unixSeconds is how many seconds lie between year 1 and 1970.
	unixSeconds = 62135596800
	// maxTicks is 9999-12-31T23:59:59.9999999.
	maxTicks Ticks = 3155378975999999999
)

// TicksOf returns t, cut to 100 ns.
func TicksOf(t time.Time) Ticks {
	return Ticks((t.Unix()+unixSeconds)*ticksPerSecond + int64(t.Nanosecond())/100)
}

// Time returns t as a time.Time in UTC.
func (t Ticks) Time() time.Time {
	s, f := floorDiv(int64(t), ticksPerSecond)
	return time.Unix(s-unixSeconds, f*100).UTC()
}

func (t Ticks) valid() bool { return t >= 0 && t <= maxTicks }

// String returns yyyy-MM-ddTHH:mm:ss.fffffffZ.
func (t Ticks) String() string {
	s, f := floorDiv(int64(t), ticksPerSecond)
	u := time.Unix(s-unixSeconds, 0).UTC()
	b := make([]byte, 0, 28)
	b = appendPadded(b, int64(u.Year()), 4)
	b = append(b, '-')
	b = appendPadded(b, int64(u.Month()), 2)
	b = append(b, '-')
	b = appendPadded(b, int64(u.Day()), 2)
	b = append(b, 'T')
	b = appendPadded(b, int64(u.Hour()), 2)
	b = append(b, ':')
	b = appendPadded(b, int64(u.Minute()), 2)
	b = append(b, ':')
	b = appendPadded(b, int64(u.Second()), 2)
	b = append(b, '.')
	b = appendPadded(b, f, 7)
	return string(append(b, 'Z'))
}

// String returns [-][d.]hh:mm:ss[.fffffff].
func (s Span) String() string {
	b := make([]byte, 0, 26)
	u := uint64(s)
	if s < 0 {
		b = append(b, '-')
		u = -u
	}
	day := uint64(spanDay)
	if d := u / day; d > 0 {
		b = strconv.AppendUint(b, d, 10)
		b = append(b, '.')
	}
	rest := int64(u % day)
	b = appendPadded(b, rest/int64(spanHour), 2)
	b = append(b, ':')
	b = appendPadded(b, rest/int64(spanMinute)%60, 2)
	b = append(b, ':')
	b = appendPadded(b, rest/ticksPerSecond%60, 2)
	if f := rest % ticksPerSecond; f != 0 {
		b = append(b, '.')
		b = appendPadded(b, f, 7)
	}
	return string(b)
}

func appendPadded(b []byte, n int64, width int) []byte {
	s := strconv.FormatInt(n, 10)
	for range width - len(s) {
		b = append(b, '0')
	}
	return append(b, s...)
}

// floorDiv divides towards minus infinity; the remainder has b's sign.
func floorDiv(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r != 0 && (r < 0) != (b < 0) {
		q--
		r += b
	}
	return q, r
}

// timeUnits are the suffixes of timespan literals.
var timeUnits = map[string]Span{
	"d": spanDay, "day": spanDay, "days": spanDay,
	"h": spanHour, "hr": spanHour, "hrs": spanHour, "hour": spanHour, "hours": spanHour,
	"m": spanMinute, "min": spanMinute, "minute": spanMinute, "minutes": spanMinute,
	"s": spanSecond, "sec": spanSecond, "second": spanSecond, "seconds": spanSecond,
	"ms": spanMillisecond, "milli": spanMillisecond, "millis": spanMillisecond,
	"millisec": spanMillisecond, "millisecond": spanMillisecond, "milliseconds": spanMillisecond,
	"micro": spanMicrosecond, "micros": spanMicrosecond, "microsec": spanMicrosecond,
	"microsecond": spanMicrosecond, "microseconds": spanMicrosecond,
	"tick": 1, "ticks": 1,
}

// parseUnitSpan reads a number with a unit, such as 1.5h.
func parseUnitSpan(s string) (Span, bool) {
	i := strings.IndexFunc(s, func(r rune) bool { return r >= 'a' && r <= 'z' })
	if i <= 0 {
		return 0, false
	}
	num, unit := strings.TrimSpace(s[:i]), s[i:]
	if strings.HasPrefix(unit, "nano") {
		f, err := strconv.ParseFloat(num, 64)
		return Span(f / 100), err == nil
	}
	u, ok := timeUnits[unit]
	if !ok {
		return 0, false
	}
	if n, err := strconv.ParseInt(num, 10, 64); err == nil {
		if n != 0 && (n > math.MaxInt64/int64(u) || n < math.MinInt64/int64(u)) {
			return 0, false
		}
		return Span(n * int64(u)), true
	}
	f, err := strconv.ParseFloat(num, 64)
	f = math.Round(f * float64(u))
	return Span(f), err == nil && math.Abs(f) < 9.2e18
}

// parseSpan reads a timespan: [-][d.]hh:mm[:ss[.fffffff]], a number with a
// unit, or a bare number of days.
func parseSpan(s string) (Span, bool) {
	s = strings.TrimSpace(s)
	neg := false
	switch {
	case strings.HasPrefix(s, "-"):
		neg, s = true, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	v, ok := parsePositiveSpan(s)
	if neg {
		v = -v
	}
	return v, ok
}

func parsePositiveSpan(s string) (Span, bool) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	if !strings.Contains(s, ":") {
		if d, err := strconv.ParseUint(s, 10, 64); err == nil {
			return Span(d) * spanDay, d <= 10675199
		}
		return parseUnitSpan(s)
	}
	parts := strings.Split(s, ":")
	if len(parts) > 4 {
		return 0, false
	}
	var days uint64
	var err error
	if len(parts) == 4 { // d:hh:mm:ss
		if days, err = strconv.ParseUint(parts[0], 10, 32); err != nil {
			return 0, false
		}
		parts = parts[1:]
	} else if d, h, ok := strings.Cut(parts[0], "."); ok {
		if days, err = strconv.ParseUint(d, 10, 32); err != nil {
			return 0, false
		}
		parts[0] = h
	}
	h, err1 := strconv.ParseUint(parts[0], 10, 32)
	m, err2 := strconv.ParseUint(parts[1], 10, 32)
	if err1 != nil || err2 != nil || h > 23 || m > 59 || days > 10675199 {
		return 0, false
	}
	v := Span(days)*spanDay + Span(h)*spanHour + Span(m)*spanMinute
	if len(parts) == 2 {
		return v, true
	}
	sec, frac, hasFrac := strings.Cut(parts[2], ".")
	n, err := strconv.ParseUint(sec, 10, 32)
	if err != nil || n > 59 {
		return 0, false
	}
	v += Span(n) * spanSecond
	if hasFrac {
		f, ok := parseFraction(frac)
		return v + Span(f), ok
	}
	return v, true
}

// parseFraction reads the digits after a decimal point as ticks of a second.
func parseFraction(s string) (int64, bool) {
	if s == "" || len(s) > 15 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	if len(s) > 7 {
		s = s[:7]
	}
	n, err := strconv.ParseInt(s+strings.Repeat("0", 7-len(s)), 10, 64)
	return n, err == nil
}

// parseDateTime reads the datetime forms Kusto documents: ISO 8601, RFC 822
// and 850, and US dates with dashes or slashes.
// https://learn.microsoft.com/kusto/query/scalar-data-types/datetime
func parseDateTime(s string) (Ticks, bool) {
	s = strings.TrimSpace(s)
	if t, ok := parseISO(s); ok {
		return t, true
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			x := TicksOf(t)
			return x, x.valid()
		}
	}
	return 0, false
}

var dateLayouts = []string{
	"1-2-2006", "1-2-2006 15:04", "1-2-2006 15:04:05", "1/2/2006", "1/2/2006 15:04", "1/2/2006 15:04:05",
	"1/2/2006 3:04:05 PM", "1/2/2006 3:04 PM", "2006/1/2", "2006/1/2 15:04:05", "2006/1/2 15:04",
	"Mon, 2 Jan 06 15:04:05 MST", "Mon, 2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 2006 15:04:05 -0700",
	"2 Jan 06 15:04:05", "2 Jan 2006 15:04:05", "Monday, 02-Jan-06 15:04:05 MST",
	"Monday, 02-Jan-06 15:04:05", "2 Jan 06 15:04 MST", "2 Jan 2006", "Jan 2, 2006", "Mon Jan 2 15:04:05 2006",
	"Mon, 2 Jan 2006 15:04:05", "Mon, 2 Jan 06 15:04:05", "January 2, 2006", "2006-1-2", "2006-1-2 15:04:05", "2006-1-2 15:04",
	"Monday, January 2, 2006 3:04:05 PM", "Monday, January 2, 2006",
}

// isoScanner eats a datetime from the left.
type isoScanner struct {
	s  string
	ok bool
}

func (p *isoScanner) digits(n int) int64 {
	if len(p.s) < n {
		p.ok = false
		return 0
	}
	var v int64
	for i := range n {
		c := p.s[i]
		if c < '0' || c > '9' {
			p.ok = false
			return 0
		}
		v = v*10 + int64(c-'0')
	}
	p.s = p.s[n:]
	return v
}

func (p *isoScanner) eat(chars string) bool {
	if p.s != "" && strings.IndexByte(chars, p.s[0]) >= 0 {
		p.s = p.s[1:]
		return true
	}
	return false
}

func parseISO(s string) (Ticks, bool) {
	p := isoScanner{s, true}
	year, month, day := p.digits(4), int64(1), int64(1)
	if !p.ok || year == 0 {
		return 0, false
	}
	if p.s == "" { // a year alone
		return makeDate(year, 1, 1)
	}
	if !p.eat("-") {
		return 0, false
	}
	month = p.digits(2)
	if p.eat("-") {
		day = p.digits(2)
	} else if p.s != "" {
		return 0, false
	}
	t, ok := makeDate(year, month, day)
	if !ok || !p.ok {
		return 0, false
	}
	if p.s == "" || p.s == "Z" {
		return t, true
	}
	if !p.eat("T ") {
		return 0, false
	}
	p.s = strings.TrimLeft(p.s, " ")
	h := p.digits(2)
	var m, sec, frac int64
	if p.eat(":") {
		m = p.digits(2)
		if p.eat(":") {
			sec = p.digits(2)
			if p.eat(".") {
				n := 0
				for n < len(p.s) && p.s[n] >= '0' && p.s[n] <= '9' {
					n++
				}
				var fok bool
				frac, fok = parseFraction(p.s[:n])
				p.ok = p.ok && fok
				p.s = p.s[n:]
			}
		}
	}
	if !p.ok || h > 23 || m > 59 || sec > 59 {
		return 0, false
	}
	t += Ticks(h*int64(spanHour) + m*int64(spanMinute) + sec*ticksPerSecond + frac)
	return p.zone(t)
}

// zone applies the rest of the text, which names the offset from UTC.
func (p *isoScanner) zone(t Ticks) (Ticks, bool) {
	p.s = strings.TrimLeft(p.s, " ")
	switch p.s {
	case "", "Z", "z", "UTC", "GMT":
		return t, true
	}
	sign := int64(1)
	if p.s[0] == '-' {
		sign = -1
	} else if p.s[0] != '+' {
		return 0, false
	}
	p.s = p.s[1:]
	h := p.digits(2)
	p.eat(":")
	var m int64
	if p.s != "" {
		m = p.digits(2)
	}
	t -= Ticks(sign * (h*int64(spanHour) + m*int64(spanMinute)))
	return t, p.ok && p.s == "" && t.valid()
}

// makeDate returns midnight of a date, if there is such a date.
func makeDate(y, m, d int64) (Ticks, bool) {
	if y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > int64(daysIn(y, m)) {
		return 0, false
	}
	return TicksOf(time.Date(int(y), time.Month(m), int(d), 0, 0, 0, 0, time.UTC)), true
}

func daysIn(y, m int64) int {
	return time.Date(int(y), time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// ParseDateTime reads a datetime in any of the forms todatetime() takes.
func ParseDateTime(s string) (Ticks, bool) { return parseDateTime(s) }

// ParseTimeSpan reads a timespan in any of the forms totimespan() takes.
func ParseTimeSpan(s string) (Span, bool) { return parseSpan(s) }
