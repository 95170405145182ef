package probes

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRhythm(t *testing.T) {
	now := time.Now()
	const ms = time.Millisecond
	for _, c := range []struct {
		row           string
		age           time.Duration
		delay, period time.Duration
		began, ended  time.Duration // of an attempt, after container start
		first, next   time.Duration // after container start
	}{
		{"on the tick", 0, 0, 5 * sec, 0, 10 * ms, 0, 5 * sec},
		{"between ticks", 7 * sec, 0, 5 * sec, 7 * sec, 7 * sec, 7 * sec, 10 * sec},
		{"delay on a tick", 0, 10 * sec, 5 * sec, 10 * sec, 10 * sec, 10 * sec, 15 * sec},
		{"delay between ticks", 0, 3 * sec, 5 * sec, 5 * sec, 5 * sec, 5 * sec, 10 * sec},
		{"delay reached between ticks", 4 * sec, 3 * sec, 5 * sec, 4 * sec, 4 * sec, 4 * sec, 5 * sec},
		{"one tick missed", 0, 0, 5 * sec, 5 * sec, 11 * sec, 0, 15 * sec},
		{"many ticks missed are not caught up", 0, 0, sec, sec, 3601500 * ms, 0, 3602 * sec},
		{"an end on the tick is not too late for it", 0, 0, 5 * sec, 5 * sec, 10 * sec, 0, 10 * sec},
	} {
		t.Run(c.row, func(t *testing.T) {
			start := now.Round(0).Add(-c.age).Truncate(grain)
			r := newRhythm(Target{StartedAt: start, Delay: c.delay, Period: c.period}, now)
			after := func(at time.Time) time.Duration { return at.Sub(r.anchor) }
			got := [2]time.Duration{
				after(r.first(r.anchor.Add(c.age))),
				after(r.next(r.anchor.Add(c.began), r.anchor.Add(c.ended))),
			}
			if diff := cmp.Diff([2]time.Duration{c.first, c.next}, got); diff != "" {
				t.Errorf("first and next attempt (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStartsWithinAGrainShareTheirTicks(t *testing.T) {
	now := time.Now()
	start := now.Round(0).Add(-time.Minute).Truncate(grain)
	anchor := func(after time.Duration) time.Duration {
		return newRhythm(Target{StartedAt: start.Add(after), Period: sec}, now).anchor.Sub(now)
	}
	if a, b := anchor(1), anchor(grain); a != b {
		t.Errorf("anchors %v and %v, want one", a, b)
	}
	if a, b := anchor(grain), anchor(grain+1); a >= b {
		t.Errorf("anchor %v is not before %v, of the next grain", a, b)
	}
}

// FuzzRhythm holds the ticks to what they promise, whatever the times.
func FuzzRhythm(f *testing.F) {
	f.Add(int64(5000), int64(3000), int64(7000), int64(200))
	f.Add(int64(1000), int64(0), int64(0), int64(3601500))
	now := time.Now()
	f.Fuzz(func(t *testing.T, period, delay, age, took int64) {
		const year = 366 * 24 * 3600 * 1000
		if period < 1 || period > 240_000 || delay < 0 || delay > 60_000 || age < 0 || age > year || took < 0 || took > year {
			t.Skip("outside what a probe may have: period 1 ms to 240 s, delay 0 to 60 s, age and duration up to a year")
		}
		ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
		r := newRhythm(Target{StartedAt: now.Round(0).Add(-ms(age)), Delay: ms(delay), Period: ms(period)}, now)
		first := r.first(now)
		if first.Before(now) || first.Sub(r.anchor) < r.delay {
			t.Errorf("first attempt %v after now, at age %v with delay %v", first.Sub(now), first.Sub(r.anchor), r.delay)
		}
		end := first.Add(ms(took))
		next := r.next(first, end)
		if !next.After(first) || next.Before(end) || next.Sub(end) > r.period {
			t.Errorf("next attempt %v after the end of one that took %v, period %v", next.Sub(end), ms(took), r.period)
		}
		if next.Sub(r.anchor)%r.period != 0 {
			t.Errorf("next attempt at age %v is off the ticks of %v", next.Sub(r.anchor), r.period)
		}
	})
}
