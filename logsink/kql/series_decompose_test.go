package kql_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// wave repeats a random pattern of a length, with noise, a trend, and missing
// points for some.
func wave(rng *rand.Rand, n, length int, noise, slope, missing float64) []float64 {
	pattern := make([]float64, length)
	for i := range pattern {
		pattern[i] = 10 * rng.NormFloat64()
	}
	y := make([]float64, n)
	for i := range y {
		y[i] = math.Round((20+pattern[i%length]+noise*rng.NormFloat64()+slope*float64(i))*100) / 100
		if rng.Float64() < missing {
			y[i] = math.NaN()
		}
	}
	return y
}

func TestThePartsOfASeriesAddUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, args := range []string{"", ", 0", ", 7", ", 24, 'linefit'", ", -1, 'linefit'", ", -1, 'none'", ", 0, 'none'", ", -1, 'avg', 20", ", -1, 'linefit', 20, 0.9", ", 1000", ", -1, 'avg', 1000"} {
		y := wave(rng, 120, 12, 1, 0.1, 0.05)
		c := cells(t, "print y="+literal(y)+" | project (base, season, trend, rest)=series_decompose(y"+args+")")
		base, season, trend, rest := reals(t, c["base"]), reals(t, c["season"]), reals(t, c["trend"]), reals(t, c["rest"])
		for i, v := range y {
			if !near(season[i]+trend[i], base[i], 1e-9) {
				t.Errorf("series_decompose(y%s): %g and %g make %g at %d", args, season[i], trend[i], base[i], i)
			}
			if v == v && !near(base[i]+rest[i], v, 1e-9) || v != v && rest[i] == rest[i] {
				t.Errorf("series_decompose(y%s): %g and %g make %g at %d", args, base[i], rest[i], v, i)
			}
		}
		if args == ", 0, 'none'" && base[7] != 0 {
			t.Errorf("without any component the baseline is %g", base[7])
		}
	}
}

func TestPeriodsInTheDataAreFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, length := range []int{4, 5, 7, 12, 24, 60} {
		for _, slope := range []float64{0, 0.2} {
			y := literal(wave(rng, 5*length+rng.IntN(length)+20, length, 1.5, slope, 0.02))
			c := cells(t, "print y="+y+" | project (p, s)=series_periods_detect(y, 3, 200, 3), (vp, vs)=series_periods_validate(y, "+itoa(length)+", 3, "+itoa(10*length)+")")
			p, s, vs := reals(t, c["p"]), reals(t, c["s"]), reals(t, c["vs"])
			if p[0] != float64(length) || s[0] < 0.8 || s[0] > 1 || len(p) != 3 || vs[0] != s[0] || vs[1] != 0 || vs[2] != 0 {
				t.Errorf("period %d with the slope %g: found %v with %v, validated %v", length, slope, p, s, vs)
			}
		}
	}
}

// A week of seven different days, and days that resemble each other: both
// periods are there, and the week is the better one.
func TestADayAndAWeekAreBothPeriods(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	week := wave(rng, 168, 24, 0, 0, 0)
	y := make([]float64, 6*168)
	for i := range y {
		y[i] = week[i%168]*(1-0.4*float64(i%168/24/5)) + rng.NormFloat64()
	}
	c := cells(t, "print y="+literal(y)+" | project (p, s)=series_periods_detect(y, 4, 500, 3)")
	if p := fmt.Sprint(c["p"]); p != "[168 24 0]" {
		t.Errorf("found %v with %v", p, c["s"])
	}
	c = cells(t, "print y="+literal(y)+" | project (p, s)=series_periods_detect(y, 20, 30, 1)")
	if p := fmt.Sprint(c["p"]); p != "[24]" {
		t.Errorf("found %v between 20 and 30", p)
	}
}

func TestNoiseAndFlatLinesHaveNoPeriod(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	noise := make([]float64, 300)
	for i := range noise {
		noise[i] = rng.NormFloat64()
	}
	line := make([]float64, 100)
	for i := range line {
		line[i] = 0.1 * float64(i)
	}
	for name, y := range map[string][]float64{"noise": noise, "a line": line, "a flat line": make([]float64, 50), "nothing": {}, "one point": {1}, "three points": {1, 2, 1}} {
		c := cells(t, "print y="+literal(y)+" | project (p, s)=series_periods_detect(y, 0, 1000, 1), season=series_seasonal(y), (vp, vs)=series_periods_validate(y, 4)")
		if s := reals(t, c["s"]); s[0] > 0.4 {
			t.Errorf("%s has the period %v with the score %v", name, c["p"], c["s"])
		}
		for _, v := range reals(t, c["season"]) {
			if v != 0 {
				t.Errorf("%s has the season %v", name, c["season"])
				break
			}
		}
	}
}

func TestASpikeAndADipAreAnomalies(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, noise := range []float64{0, 0.5} {
		for _, method := range []string{"ctukey", "tukey"} {
			y := wave(rng, 168, 12, noise, 0, 0)
			y[50] += 40
			y[101] -= 40
			y[77] = math.NaN()
			c := cells(t, "print y="+literal(y)+" | project (flag, score, base)=series_decompose_anomalies(y, 4, -1, 'avg', 0, '"+method+"')")
			flag, score, base := reals(t, c["flag"]), reals(t, c["score"]), reals(t, c["base"])
			for i, f := range flag {
				want := map[int]float64{50: 1, 101: -1}[i]
				if f != want || f*score[i] < 0 || (f == 0) != (math.Abs(score[i]) <= 4) {
					t.Errorf("noise %g, %s: %g at %d with the score %g, want %g", noise, method, f, i, score[i], want)
				}
			}
			if math.IsNaN(base[77]) || score[77] != 0 {
				t.Errorf("a missing point has the baseline %g and the score %g", base[77], score[77])
			}
		}
	}
}

// Points that are not learned from do not move the baseline.
func TestForecastsLeaveOutTheLastPoints(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	y := wave(rng, 240, 24, 0, 0.25, 0)
	known := literal(append(append([]float64{}, y[:192]...), make([]float64, 48)...))
	c := cells(t, "print y="+known+" | extend f=series_decompose_forecast(y, 48), none=series_decompose_forecast(y, 48, 0, 'none'), flat=series_decompose_forecast(y, 48, 24, 'avg')")
	f := reals(t, c["f"])
	// The medians hold the trend within a period too, and so does the line
	// through what is left: they are off by less than it makes of a period.
	for i := 192; i < 240; i++ {
		if math.Abs(f[i]-y[i]) > 0.25*24 {
			t.Errorf("%g at %d, it was %g", f[i], i, y[i])
		}
	}
	if none := reals(t, c["none"]); none[3] != 0 || none[200] != 0 {
		t.Errorf("without any component: %v", none)
	}
	if flat := reals(t, c["flat"]); !near(flat[200], flat[200-24], 1e-9) {
		t.Errorf("without a trend: %v", flat)
	}
}

func TestWhatDecompositionsCannotDoIsNull(t *testing.T) {
	for _, x := range []string{
		"series_decompose(dynamic({'a':1}))", "series_decompose(dynamic([1,2,3]), -2)", "series_decompose(dynamic([1,2,3]), 0, 'up')",
		"series_decompose_anomalies(dynamic('x'))", "series_decompose_anomalies(dynamic([1,2]), 1.5, -1, 'avg', 0, 'mad')",
		"series_decompose_forecast(dynamic(null), 1)", "series_seasonal(dynamic(7))", "series_periods_detect(dynamic(7), 1, 2, 3)",
		"series_periods_detect(dynamic([1,2]), 1, 2, -3)", "series_periods_validate(dynamic(null), 7)", "series_outliers(dynamic([1,2]), 'mad')",
		"series_outliers(dynamic([1,2]), 'ctukey', 0, 1, 99)",
	} {
		if got := cells(t, "print x="+x)["x"]; got != nil {
			t.Errorf("%s is %v", x, got)
		}
	}
	for text, want := range map[string]string{
		"series_decompose(dynamic([]))":                                                  "[]",
		"series_decompose(dynamic([null,null]))":                                         "[0 0]",
		"series_decompose_anomalies(dynamic([1,1,1,1,1,1,1,9]))":                         "[0 0 0 0 0 0 0 1]",
		"series_decompose_anomalies(dynamic([1,1,1,1,1,1,1,1.001]),1.5,-1,'avg',1)":      "[0 0 0 0 0 0 0 1]",
		"series_decompose_anomalies(dynamic([5,5,5,5,5]))":                               "[0 0 0 0 0]",
		"series_outliers(dynamic([1,2,3,null,4,99]), 'ctukey', 99)":                      "[-0.5 0 0 0 1.5 0]",
		"series_seasonal(dynamic([1,2,3,4]), 2, 1)":                                      "[2 2 2 2]",
		"series_seasonal(dynamic([1,2,3,4]), 0)":                                         "[0 0 0 0]",
		"series_seasonal(dynamic([null,2,null,4]), 2)":                                   "[3 3 3 3]",
		"series_periods_detect(dynamic([1,2]), 1, 2, 0)":                                 "[]",
		"series_decompose_forecast(dynamic([1,2,3,4,null,null]), 2, 0)":                  "[1 2 3 4 5 6]",
		"series_decompose_forecast(dynamic([1,2,3,4,null,null]), toint(null), 0, 'avg')": "<nil>",
	} {
		if got := fmt.Sprint(cells(t, "print x="+text)["x"]); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

// A long series takes a moment, not a lifetime, and many of them end with
// their query.
func TestLongSeriesAreTakenApart(t *testing.T) {
	c := cells(t, "range x from 1 to 100000 step 1 | extend y = x % 1440 + rand() | summarize y=make_list(y) | project (p, s)=series_periods_detect(y, 4, 50000, 1)")
	if p := fmt.Sprint(c["p"]); p != "[1440]" {
		t.Errorf("found %s", p)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := kql.Query(ctx, kql.Tables{}, "range k from 1 to 1000000 step 1 | extend y = range(0, 2000, 1) | extend (f, s)=series_decompose_anomalies(y) | summarize max(array_length(f))", kql.Options{})
	if err == nil || !strings.Contains(err.Error(), "deadline") && !strings.Contains(err.Error(), "cancelled") {
		t.Errorf("got %v", err)
	}
}
