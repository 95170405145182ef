package forecast

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Curve is a load over time.
type Curve struct {
	points []point  // by time
	names  []string // of metrics
	ramps  bool     // straight lines between points; else a value holds until the next
	length time.Duration
}

type point struct {
	at      time.Duration
	rps     float64
	metrics []float64 // in the order of names
}

// maxLength bounds a curve: a month of seconds.
const maxLength = 31 * 24 * time.Hour

// Length is how long the curve is.
func (c Curve) Length() time.Duration { return c.length }

// Knows says that the curve has the metric of a rule.
func (c Curve) Knows(rule string) bool { return slices.Contains(c.names, rule) }

// At is the load at a time, in requests per second.
func (c Curve) At(at time.Duration) float64 {
	return c.value(at, func(p point) float64 { return p.rps })
}

// Metric is the metric of a rule at a time; ok is false when the curve does not
// know it.
func (c Curve) Metric(rule string, at time.Duration) (v float64, ok bool) {
	i := slices.Index(c.names, rule)
	if i < 0 {
		return 0, false
	}
	return c.value(at, func(p point) float64 { return p.metrics[i] }), true
}

func (c Curve) value(at time.Duration, of func(point) float64) float64 {
	// The last point at or before at; of several at one time the last one.
	i, found := slices.BinarySearchFunc(c.points, at, func(p point, at time.Duration) int { return int(min(max(p.at-at, -1), 1)) })
	for found && i+1 < len(c.points) && c.points[i+1].at == at {
		i++
	}
	if !found {
		i--
	}
	switch {
	case i < 0:
		return 0
	case !c.ramps || i+1 >= len(c.points) || c.points[i+1].at == c.points[i].at:
		return of(c.points[i])
	}
	from, to := c.points[i], c.points[i+1]
	share := float64(at-from.at) / float64(to.at-from.at)
	return of(from) + share*(of(to)-of(from))
}

// ParseCurve reads parts separated by commas: RATE:DURATION holds a rate,
// FROM-TO:DURATION goes from one to another in a straight line. A rate alone
// holds for half an hour.
func ParseCurve(text string) (Curve, error) {
	c := Curve{ramps: true}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		rates, span, timed := strings.Cut(part, ":")
		length := 30 * time.Minute
		if timed {
			d, err := time.ParseDuration(span)
			if err != nil || d <= 0 {
				return Curve{}, fmt.Errorf("%q: %q is not a duration such as 90s or 10m", part, span)
			}
			length = d
		}
		low, high, ramp := strings.Cut(rates, "-")
		from, err := rate(low)
		to := from
		if err == nil && ramp {
			to, err = rate(high)
		}
		if err != nil {
			return Curve{}, fmt.Errorf("%q: %w", part, err)
		}
		c.points = append(c.points, point{at: c.length, rps: from}, point{at: c.length + length, rps: to})
		c.length += length
	}
	return c, c.check()
}

func rate(text string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(n >= 0) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("%q is not a rate such as 20", text)
	}
	return n, nil
}

func (c Curve) check() error {
	if c.length > maxLength {
		return fmt.Errorf("the curve is %v long; at most 31 days can be played", c.length)
	}
	return nil
}

// ReadTrace reads a curve from CSV. The first line names the columns: time, in
// seconds, as a duration or as RFC 3339, must be there; rps is the load, and
// every other column the metric of the rule it is named after. A value holds
// until the next line.
func ReadTrace(r io.Reader) (Curve, error) {
	rows := csv.NewReader(r)
	rows.TrimLeadingSpace = true
	head, err := rows.Read()
	if err != nil {
		return Curve{}, fmt.Errorf("read the head of the trace: %w", err)
	}
	t := &trace{clock: slices.Index(head, "time"), rps: slices.Index(head, "rps"), head: head}
	if t.clock < 0 {
		return Curve{}, fmt.Errorf("the trace has no column time, only %s", strings.Join(head, ", "))
	}
	for i, name := range head {
		if i != t.clock && i != t.rps {
			t.metrics, t.curve.names = append(t.metrics, i), append(t.curve.names, name)
		}
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Curve{}, fmt.Errorf("read the trace: %w", err)
		}
		line, _ := rows.FieldPos(0)
		if err := t.add(row); err != nil {
			return Curve{}, fmt.Errorf("line %d of the trace: %w", line, err)
		}
	}
	if len(t.curve.points) == 0 {
		return Curve{}, errors.New("the trace has no lines but its head")
	}
	t.curve.length = t.curve.points[len(t.curve.points)-1].at
	return t.curve, t.curve.check()
}

// trace is one being read.
type trace struct {
	curve      Curve
	head       []string
	clock, rps int // columns
	metrics    []int
	began      time.Time // of traces with RFC 3339 times
}

func (t *trace) add(row []string) error {
	at, err := t.time(row[t.clock])
	if err != nil {
		return err
	}
	if n := len(t.curve.points); n > 0 && at < t.curve.points[n-1].at {
		return fmt.Errorf("time %s is before that of the line above", row[t.clock])
	}
	p := point{at: at}
	if t.rps >= 0 {
		if p.rps, err = rate(row[t.rps]); err != nil {
			return fmt.Errorf("column rps: %w", err)
		}
	}
	for _, i := range t.metrics {
		n, err := strconv.ParseFloat(strings.TrimSpace(row[i]), 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return fmt.Errorf("column %s: %q is not a number", t.head[i], row[i])
		}
		p.metrics = append(p.metrics, n)
	}
	t.curve.points = append(t.curve.points, p)
	return nil
}

func (t *trace) time(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 && n < maxLength.Seconds()*2 {
		return time.Duration(n * float64(time.Second)), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fmt.Errorf("%q is no time: seconds, a duration such as 90s, or RFC 3339", text)
	}
	if t.began.IsZero() {
		t.began = at
	}
	return at.Sub(t.began), nil
}
