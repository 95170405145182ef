package api

import (
	"testing"
	"time"
)

func TestParseTimespan(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	f := func(in, from, to string) {
		t.Helper()
		got, err := parseTimespan(in, now)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			return
		}
		const layout = "2006-01-02T15:04:05.999"
		if g := got.from.UTC().Format(layout); g != from {
			t.Errorf("%q: from %s, want %s", in, g, from)
		}
		if g := got.to.UTC().Format(layout); g != to {
			t.Errorf("%q: to %s, want %s", in, g, to)
		}
	}
	f("P1D", "2026-03-01T12:00:00", "2026-03-02T12:00:00")
	f("PT2H", "2026-03-02T10:00:00", "2026-03-02T12:00:00")
	f("P1DT2H30M", "2026-03-01T09:30:00", "2026-03-02T12:00:00")
	f("P2W", "2026-02-16T12:00:00", "2026-03-02T12:00:00")
	f("PT0.5S", "2026-03-02T11:59:59.5", "2026-03-02T12:00:00")
	f("P1M", "2026-01-31T12:00:00", "2026-03-02T12:00:00")
	f("P1Y", "2025-03-02T12:00:00", "2026-03-02T12:00:00")
	f("P12M", "2025-03-02T12:00:00", "2026-03-02T12:00:00")
	f("P1Y1M1DT1M", "2025-01-30T11:59:00", "2026-03-02T12:00:00")
	f("2026-01-01/P1M", "2026-01-01T00:00:00", "2026-01-31T00:00:00")
	f("2026-01-01/2026-01-02", "2026-01-01T00:00:00", "2026-01-02T00:00:00")
	f("2026-01-01T08:00:00Z/2026-01-01T09:00:00+01:00", "2026-01-01T08:00:00", "2026-01-01T08:00:00")
	f("2026-01-01T08:00/PT1H", "2026-01-01T08:00:00", "2026-01-01T09:00:00")
	f("PT1H/2026-01-01T08:00:00", "2026-01-01T07:00:00", "2026-01-01T08:00:00")
}

func TestParseTimespanRefuses(t *testing.T) {
	for _, in := range []string{"1h", "P", "PT", "P1", "PD", "P1H", "PT1D", "P1D1W", "P1M1Y", "P0.5M", "P1.5Y", "PT1HT1M", "P1YT", "P1DT", "P1D/", "/P1D", "yesterday/today", "P999999999W", "P101Y", "P99999999999999999999M", "PT1.2.3S"} {
		if got, err := parseTimespan(in, time.Unix(0, 0)); err == nil {
			t.Errorf("%q: got %v, want an error", in, got)
		}
	}
}

func FuzzParseTimespan(f *testing.F) {
	f.Add("P1DT2H")
	f.Add("2026-01-01/PT1H")
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, in string) {
		got, err := parseTimespan(in, now)
		if err == nil && in != "" && strictlyDuration(in) && got.from.After(got.to) {
			t.Errorf("%q: %v is after %v", in, got.from, got.to)
		}
	})
}

func strictlyDuration(in string) bool {
	_, err := parseISODuration(in)
	return err == nil
}
