package arm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// timeFunctions: https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-date
var timeFunctions = map[string]function{
	"datetimeadd":       {2, 3, false, dateTimeAdd},
	"datetimefromepoch": {1, 1, false, dateTimeFromEpoch},
	"datetimetoepoch":   {1, 1, false, dateTimeToEpoch},
	"utcnow":            {0, 1, false, utcNow},
}

// basicFormat is what utcNow gives without a format, isoFormat what the
// functions of epochs give.
const (
	basicFormat = "20060102T150405Z"
	isoFormat   = "2006-01-02T15:04:05Z"
)

// netFormats turn .NET's formats that templates use into Go's.
var netFormats = strings.NewReplacer("yyyy", "2006", "yy", "06", "MM", "01", "dd", "02", "HH", "15", "mm", "04", "ss", "05", "d", "2006-01-02", "u", time.RFC3339)

// utcNow writes the time of the deployment, in the .NET formats templates use.
func utcNow(s *scope, a []any) (any, error) {
	layout := basicFormat
	if len(a) == 1 {
		layout = netFormats.Replace(textOf(a[0]))
	}
	return s.d.ev.o.Now.UTC().Format(layout), nil
}

// timeLayouts are the forms in which dateTimeAdd and dateTimeToEpoch take a
// time, and give it back.
var timeLayouts = []string{basicFormat, "2006-01-02 15:04:05Z", isoFormat, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"}

func parseTime(v any) (t time.Time, layout string, err error) {
	text, err := asText(v)
	if err != nil {
		return time.Time{}, "", err
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), layout, nil
		}
	}
	return time.Time{}, "", fmt.Errorf("%q is not a time as in 2026-03-04T05:06:07Z", clip(text))
}

// isoDuration is a duration of ISO 8601: P3Y, -P9D, PT1H.
var isoDuration = lazyregexp.New(`^(-?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// mostOf bounds each part of a duration, so that no sum overflows.
const mostOf = 100_000

// dateTimeAdd: dateTimeAdd(base, duration, [format]).
func dateTimeAdd(_ *scope, a []any) (any, error) {
	t, layout, err := parseTime(a[0])
	if err != nil {
		return nil, err
	}
	parts := isoDuration.FindStringSubmatch(textOf(a[1]))
	if parts == nil || strings.HasSuffix(parts[0], "P") || strings.HasSuffix(parts[0], "T") {
		return nil, fmt.Errorf("%q is not a duration as in P3Y, -P9D or PT1H", clip(textOf(a[1])))
	}
	var n [7]int // years, months, weeks, days, hours, minutes, seconds
	for i, text := range parts[2:] {
		if text == "" {
			continue
		}
		if n[i], err = strconv.Atoi(text); err != nil || n[i] > mostOf {
			return nil, fmt.Errorf("the duration %q is too long", clip(textOf(a[1])))
		}
		if parts[1] == "-" {
			n[i] = -n[i]
		}
	}
	t = t.AddDate(n[0], n[1], 7*n[2]+n[3]).Add(time.Duration(n[4])*time.Hour + time.Duration(n[5])*time.Minute + time.Duration(n[6])*time.Second)
	if len(a) == 3 {
		layout = netFormats.Replace(textOf(a[2]))
	}
	return t.Format(layout), nil
}

func dateTimeFromEpoch(_ *scope, a []any) (any, error) {
	seconds, err := strconv.ParseInt(textOf(a[0]), 10, 64)
	if err != nil || seconds < 0 || seconds > 253402300799 { // the end of the year 9999
		return nil, errors.New("expected seconds since 1970")
	}
	return time.Unix(seconds, 0).UTC().Format(isoFormat), nil
}

func dateTimeToEpoch(_ *scope, a []any) (any, error) {
	t, _, err := parseTime(a[0])
	if err != nil {
		return nil, err
	}
	return fromInt(t.Unix()), nil
}
