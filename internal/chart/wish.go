package chart

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// wish is what render asks for beyond the columns.
type wish struct {
	xTitle, yTitle         string
	xLog, yLog             bool
	accumulate, noLegend   bool
	split                  bool     // into panels; a terminal has no room for a second y axis
	xMin, xMax, yMin, yMax *float64 // nil when the data say; times are seconds since 1970
}

func wishOf(render map[string]string) wish {
	is := func(name, value string) bool { return strings.EqualFold(render[name], value) }
	return wish{
		xTitle: render["xtitle"], yTitle: render["ytitle"],
		xLog: is("xaxis", "log"), yLog: is("yaxis", "log"),
		accumulate: is("accumulate", "true"), noLegend: is("legend", "hidden"),
		split: is("ysplit", "panels") || is("ysplit", "axes"),
		xMin:  end(render["xmin"]), xMax: end(render["xmax"]), yMin: end(render["ymin"]), yMax: end(render["ymax"]),
	}
}

// end is the end of an axis, a number or a time.
func end(text string) *float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return nil
		}
		v = seconds(t)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// scale is where values stand along an axis: between low and high, which are
// logarithms to the base of ten when log is set.
type scale struct {
	low, high float64
	log       bool
}

// at brings a value onto the axis. What is not above zero stands at the foot of
// a logarithmic one.
func (s scale) at(v float64) float64 {
	switch {
	case !s.log:
		return v
	case v > 0:
		return math.Log10(v)
	}
	return s.low
}

// part is the value at a part of the axis, from 0 to 1.
func (s scale) part(p float64) float64 {
	v := s.low + (s.high-s.low)*p
	if s.log {
		return math.Pow(10, v)
	}
	return v
}

// fraction is where a value stands, 0 at the low end and 1 at the high one.
func (s scale) fraction(v float64) float64 { return (s.at(v) - s.low) / (s.high - s.low) }

// places is the scale of the x axis.
func (d *data) places() scale {
	low, high := d.extent(func(p point) (float64, bool) { return p.x, true })
	low, high = or(d.wish.xMin, low), or(d.wish.xMax, high)
	if d.logX() {
		if low <= 0 { // an end that has no place
			low, _ = d.extent(func(p point) (float64, bool) { return p.x, true })
		}
		low, high = math.Log10(low), math.Log10(high)
	}
	if !(high > low) {
		around := 1.0
		if d.axis == times {
			around = 60
		}
		low, high = low-around, low+around
	}
	return scale{low, high, d.logX()}
}

// values is the scale of what is in sight; counts are drawn from zero.
func (d *data) values() scale {
	if d.wish.yLog {
		return d.powers()
	}
	low, high := d.extent(func(p point) (float64, bool) { return p.y, d.inSight(p) })
	low, high = or(d.wish.yMin, min(low, 0)), or(d.wish.yMax, high)
	if !(high > low) {
		high = low + 1
	}
	return scale{low, high, false}
}

// powers is the scale of values from a power of ten to another.
func (d *data) powers() scale {
	least, most := d.extent(func(p point) (float64, bool) { return p.y, d.inSight(p) && p.y > 0 })
	low, high := math.Floor(math.Log10(least)), math.Ceil(math.Log10(most))
	if e := d.wish.yMin; e != nil && *e > 0 {
		low = math.Log10(*e)
	}
	if e := d.wish.yMax; e != nil && *e > 0 {
		high = math.Log10(*e)
	}
	if !(high > low) {
		high = low + 1
	}
	return scale{low, high, true}
}

// extent is the least and greatest of what of points counts; 1 and 1 of nothing.
func (d *data) extent(of func(point) (v float64, ok bool)) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, s := range d.series {
		for _, p := range s.points {
			if v, ok := of(p); ok {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low > high {
		return 1, 1
	}
	return low, high
}

// logX says whether the x axis is by powers of ten: only numbers have such.
func (d *data) logX() bool { return d.wish.xLog && d.axis == numbers }

func (d *data) inSight(p point) bool {
	return d.axis == categories || p.x >= or(d.wish.xMin, p.x) && p.x <= or(d.wish.xMax, p.x)
}

func or(end *float64, otherwise float64) float64 {
	if end == nil {
		return otherwise
	}
	return *end
}
