package forecast

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/emulator/aca"
)

func num(n int) *int { return &n }

// web is an app with ingress and an HTTP rule.
func web(concurrent string, low, high int) *aca.ContainerApp {
	return &aca.ContainerApp{Name: "web", Properties: aca.AppProperties{
		Configuration: aca.Configuration{Ingress: &aca.Ingress{TargetPort: 80}},
		Template: aca.Template{
			Containers: []aca.Container{{Name: "web", Image: "i"}},
			Scale: &aca.Scale{MinReplicas: num(low), MaxReplicas: num(high), Rules: []aca.ScaleRule{
				{Name: "http", HTTP: &aca.RuleMetadata{Metadata: map[string]string{"concurrentRequests": concurrent}}},
			}},
		},
	}}
}

func curve(t testing.TB, text string) Curve {
	t.Helper()
	c, err := ParseCurve(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func run1(t testing.TB, app *aca.ContainerApp, o Options) Result {
	t.Helper()
	r, err := Run(app, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// changes is "seconds:replicas" of each change.
func changes(r Result) string {
	var out []string
	for _, p := range r.Changes() {
		out = append(out, fmt.Sprintf("%v:%d", p.Seconds, p.Replicas))
	}
	return strings.Join(out, " ")
}

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name, rps string
		app       *aca.ContainerApp
		o         Options
		want      string
	}{
		// 60 requests of a second each, target 10: captured as 1 → 6 in one step.
		{"sixty at a time are six replicas in one step", "60:10m", web("10", 1, 10), Options{Latency: time.Second}, "0:6"},
		{"requests of the last 15 s by 15", "0:1m,40:10m", web("10", 1, 10), Options{}, "0:1 75:4"},
		{"the maximum bounds", "500:10m", web("10", 1, 5), Options{}, "0:5"},
		{"down after the window, not before", "0:30s,60:5m,0:10m", web("10", 1, 10), Options{}, "0:1 45:6 645:1"},
		{"to zero after the cool-down and back", "5:1m,0:10m,5:1m", web("10", 0, 10), Options{}, "0:1 360:0 660:1"},
		{"documented steps", "1000:3m", web("10", 1, 40), Options{Steps: true}, "0:4 15:8 30:16 45:32 60:40"},
		{"nothing at all", "0:10m", web("10", 0, 10), Options{}, "0:1 300:0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Curve = curve(t, c.rps)
			if got := changes(run1(t, c.app, c.o)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestHeldRequestsAndColdStarts(t *testing.T) {
	r := run1(t, web("10", 0, 10), Options{Curve: curve(t, "0:10m,2:5m"), ColdStart: 20 * time.Second})
	s := r.Summary
	if s.ColdStarts != 1 || s.HeldRequests != 40 || s.HeldSeconds != 20 {
		t.Errorf("got %+v, want 1 cold start of 20 s that holds 40 requests", s)
	}
	if s.AtZero < 0.3 || s.AtZero > 0.35 {
		t.Errorf("at zero for %.2f of the time, want the third after the cool-down", s.AtZero)
	}
}

func TestQueueRuleFromATrace(t *testing.T) {
	app := web("10", 0, 10)
	app.Properties.Configuration.Ingress = nil
	app.Properties.Template.Scale.Rules = []aca.ScaleRule{{Name: "orders", AzureQueue: &aca.AzureQueueRule{QueueName: "q", QueueLength: num(5)}}}
	c, err := ReadTrace(strings.NewReader("time,orders\n0,0\n20m,100\n25m,0\n40m,0\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := run1(t, app, Options{Curve: c})
	if got, want := changes(r), "0:1 300:0 1200:10 1785:0"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var missing *NoMetric
	if _, err := Run(app, Options{Curve: curve(t, "1:1m")}); !errors.As(err, &missing) || missing.Rule != "orders" || missing.Type != "azure-queue" {
		t.Errorf("without a metric: %v", err)
	}
	if got := run1(t, app, Options{Curve: curve(t, "0:10m"), Metrics: map[string]float64{"orders": 22}}).Summary.Peak; got != 5 {
		t.Errorf("22 messages by 5 are %d replicas", got)
	}
}

func TestCronRuleGoesByTheStart(t *testing.T) {
	app := web("10", 0, 10)
	app.Properties.Template.Scale.Rules = []aca.ScaleRule{{Name: "day", Custom: &aca.CustomScaleRule{Type: "cron", Metadata: map[string]string{
		"timezone": "Etc/UTC", "start": "0 8 * * *", "end": "0 9 * * *", "desiredReplicas": "4"}}}}
	r := run1(t, app, Options{Curve: curve(t, "0:3h"), Start: time.Date(2026, 1, 5, 7, 0, 0, 0, time.UTC)})
	if got := r.Summary; got.Peak != 4 || got.ColdStarts != 1 {
		t.Errorf("got %+v", got)
	}
	if got := changes(r); got != "0:1 300:0 3600:4 7485:0" {
		t.Errorf("changes %s", got)
	}
}

func TestWhatIf(t *testing.T) {
	variants, err := WhatIf(web("10", 0, 10), Options{Curve: curve(t, "0:10m,100:10m,0:20m")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range variants {
		got = append(got, fmt.Sprintf("%s %s→%s peak %d cold %d", v.Setting, v.From, v.To, v.Summary.Peak, v.Summary.ColdStarts))
	}
	want := []string{
		"minReplicas 0→1 peak 10 cold 0",
		"maxReplicas 10→5 peak 5 cold 1",
		"maxReplicas 10→20 peak 11 cold 1", // the held requests of the cold start count
		"cooldownPeriod 300→150 peak 10 cold 1",
		"cooldownPeriod 300→600 peak 10 cold 0",
		"rules[0].http.metadata.concurrentRequests 10→5 peak 10 cold 1",
		"rules[0].http.metadata.concurrentRequests 10→20 peak 6 cold 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheSameInputGivesTheSameAnswer(t *testing.T) {
	o := Options{Curve: curve(t, "0-300:1h,20:2h,0:1h")}
	a, b := run1(t, web("10", 0, 30), o), run1(t, web("10", 0, 30), o)
	if diff := cmp.Diff(a, b); diff != "" || a.SVG() != b.SVG() || a.Draw(80) != b.Draw(80) {
		t.Errorf("two runs differ:\n%s", diff)
	}
}

// BenchmarkADay is a forecast of 24 hours, which should take less than a second.
func BenchmarkADay(b *testing.B) {
	o := Options{Curve: curve(b, "0-300:12h,300-0:12h")}
	for b.Loop() {
		run1(b, web("10", 0, 30), o)
	}
}

func TestCurves(t *testing.T) {
	c := curve(t, "10:1m, 0-100:100s ,5:1m")
	for at, want := range map[time.Duration]float64{0: 10, 59 * time.Second: 10, 60 * time.Second: 0, 110 * time.Second: 50, 3 * time.Minute: 5} {
		if got := c.At(at); math.Abs(got-want) > 1e-9 {
			t.Errorf("at %v %v, want %v", at, got, want)
		}
	}
	for text, want := range map[string]string{
		"":        `"": "" is not a rate such as 20`,
		"x:1m":    `"x:1m": "x" is not a rate such as 20`,
		"5:soon":  `"5:soon": "soon" is not a duration such as 90s or 10m`,
		"5:0s":    `"5:0s": "0s" is not a duration such as 90s or 10m`,
		"1:2000h": "the curve is 2000h0m0s long; at most 31 days can be played",
	} {
		if _, err := ParseCurve(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestTraces(t *testing.T) {
	c, err := ReadTrace(strings.NewReader("time, rps, q\n2026-01-05T08:00:00Z,1,7\n2026-01-05T08:01:00Z,3,0\n"))
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := c.Metric("q", 30*time.Second); c.At(59*time.Second) != 1 || c.At(time.Minute) != 3 || v != 7 || !ok || c.Length() != time.Minute {
		t.Errorf("read %+v", c)
	}
	for text, want := range map[string]string{
		"":                        "read the head of the trace: EOF",
		"rps\n1\n":                "the trace has no column time, only rps",
		"time,rps\n":              "the trace has no lines but its head",
		"time,rps\n0,x\n":         `line 2 of the trace: column rps: "x" is not a rate such as 20`,
		"time,q\n0,x\n":           `line 2 of the trace: column q: "x" is not a number`,
		"time,rps\n9,1\n5,1\n":    "line 3 of the trace: time 5 is before that of the line above",
		"time,rps\nyesterday,1\n": `line 2 of the trace: "yesterday" is no time: seconds, a duration such as 90s, or RFC 3339`,
	} {
		if _, err := ReadTrace(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzReadTrace(f *testing.F) {
	f.Add("time,rps,q\n0,1,2\n1m,3,4\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ReadTrace(strings.NewReader(text))
		if err == nil && (c.Length() < 0 || c.Length() > maxLength || c.At(c.Length()) < 0) {
			t.Errorf("read %+v", c)
		}
	})
}

func TestChartShowsEveryColumn(t *testing.T) {
	r := run1(t, web("10", 1, 8), Options{Curve: curve(t, "0-80:10m,0:10m")})
	lines := strings.Split(strings.TrimSuffix(r.Draw(60), "\n"), "\n")
	if len(lines) != 13 {
		t.Fatalf("%d lines:\n%s", len(lines), r.Draw(60))
	}
	if !strings.HasPrefix(strings.TrimSpace(lines[4]), "8 ") || !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "20m") }) {
		t.Errorf("chart:\n%s", r.Draw(60))
	}
	for _, l := range lines[:12] {
		if n := len([]rune(l)); n > 60 || strings.HasSuffix(l, " ") {
			t.Errorf("a line of %d columns: %q", n, l)
		}
	}
}
