package api

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// timespan is the range of TimeGenerated a query sees, both ends included. A
// zero end is open.
type timespan struct{ from, to time.Time }

// parseTimespan reads the forms Log Analytics takes: a duration back from now
// ("P1D", "PT2H30M"), a start and an end ("2026-01-01/2026-01-02"), a start
// and a duration, or a duration and an end. "" is everything.
func parseTimespan(text string, now time.Time) (timespan, error) {
	if text == "" {
		return timespan{}, nil
	}
	first, second, both := strings.Cut(text, "/")
	if !both {
		d, err := parseISODuration(first)
		return timespan{from: now.Add(-d), to: now}, err
	}
	switch {
	case strings.HasPrefix(first, "P"):
		d, err := parseISODuration(first)
		if err != nil {
			return timespan{}, err
		}
		to, err := parseISOTime(second)
		return timespan{to.Add(-d), to}, err
	case strings.HasPrefix(second, "P"):
		from, err := parseISOTime(first)
		if err != nil {
			return timespan{}, err
		}
		d, err := parseISODuration(second)
		return timespan{from, from.Add(d)}, err
	}
	from, err := parseISOTime(first)
	if err != nil {
		return timespan{}, err
	}
	to, err := parseISOTime(second)
	return timespan{from, to}, err
}

// parseISOTime reads a date, or a date and a time, in UTC unless it says
// otherwise.
func parseISOTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("'%s' is no time in the form of ISO 8601, such as 2026-01-31T08:00:00Z", text)
}

// isoUnits are the units of an ISO 8601 duration in their order. Years and
// months are as .NET, in which Azure is written, counts them: a year has 365
// days, twelve months are a year and others have 30 days
// (https://learn.microsoft.com/dotnet/api/system.xml.xmlconvert.totimespan).
var isoUnits = []struct {
	letter byte
	inTime bool
	length time.Duration
	whole  bool // has no fractions
}{
	{'Y', false, 365 * day, true},
	{'M', false, 30 * day, true},
	{'W', false, 7 * day, false},
	{'D', false, day, false},
	{'H', true, time.Hour, false},
	{'M', true, time.Minute, false},
	{'S', true, time.Second, false},
}

const day = 24 * time.Hour

// maxTimespan keeps durations far from overflowing.
const maxTimespan = 36500 * day

// parseISODuration reads "P1D", "PT90M", "P1DT12H", "PT0.5S", "P1Y6M".
func parseISODuration(text string) (time.Duration, error) {
	bad := fmt.Errorf("'%s' is no duration in the form of ISO 8601, such as PT2H or P1D", text)
	rest, ok := strings.CutPrefix(text, "P")
	if !ok {
		return 0, bad
	}
	total, inTime, next, seen := time.Duration(0), false, 0, false
	for rest != "" {
		if rest[0] == 'T' && !inTime {
			inTime, seen, rest = true, false, rest[1:]
			continue
		}
		n := strings.IndexFunc(rest, func(c rune) bool { return c != '.' && (c < '0' || c > '9') })
		if n <= 0 {
			return 0, bad
		}
		amount, err := strconv.ParseFloat(rest[:n], 64)
		if err != nil {
			return 0, bad
		}
		for next < len(isoUnits) && (isoUnits[next].letter != rest[n] || isoUnits[next].inTime != inTime) {
			next++
		}
		if next == len(isoUnits) || amount > float64(maxTimespan/isoUnits[next].length) {
			return 0, bad
		}
		unit := isoUnits[next]
		if unit.whole && amount != math.Trunc(amount) {
			return 0, bad
		}
		total += time.Duration(amount * float64(unit.length))
		if unit.letter == 'M' && unit.whole {
			total += time.Duration(amount/12) * (365 - 12*30) * day
		}
		next, seen, rest = next+1, true, rest[n+1:]
	}
	if !seen || total > maxTimespan {
		return 0, bad
	}
	return total, nil
}
