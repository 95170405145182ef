package chart

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// drawBars draws one bar a value, lying down so that labels can be read.
func drawBars(c *canvas, d data) []string { return c.bars(d, false) }

// drawShares draws a pie as bars with their share of the whole.
func drawShares(c *canvas, d data) []string { return c.bars(d, true) }

// bar is one line of a bar chart.
type bar struct {
	label  string
	series int
	value  float64
}

func (c *canvas) bars(d data, shares bool) []string {
	list, total, width := d.bars(), 0.0, 0
	for _, b := range list {
		total += b.value
		width = max(width, utf8.RuneCountInString(b.label))
	}
	width = min(width, c.Width/3)
	room := max(c.Width-width-16, 8)
	long := d.lengths(shares)
	lines := make([]string, 0, len(list)+2)
	if d.wish.xTitle != "" {
		lines = append(lines, d.wish.xTitle)
	}
	for _, b := range list {
		size := 0.0
		if b.value > 0 {
			size = max(min(long.fraction(b.value), 1)*float64(room), 1.0/8)
		}
		after := number(b.value)
		if shares && total > 0 {
			after += fmt.Sprintf("  %.1f%%", b.value/total*100)
		}
		lines = append(lines, fmt.Sprintf("%s  %s %s", pad(cut(b.label, width), width), c.paint(b.series, c.block(size)), after))
	}
	if d.wish.yTitle != "" {
		lines = append(lines, pad("", width+2)+d.wish.yTitle)
	}
	return lines
}

// lengths is the scale of bars, which begin at zero; shares are of a whole.
func (d *data) lengths(shares bool) scale {
	if d.wish.yLog && !shares {
		return d.powers()
	}
	s := scale{low: 0, high: 1}
	if _, most := d.extent(func(p point) (float64, bool) { return p.y, p.y > 0 }); most > 0 {
		s.high = most
	}
	if !shares {
		if low, high := max(or(d.wish.yMin, 0), 0), or(d.wish.yMax, s.high); high > low {
			s.low, s.high = low, high
		}
	}
	return s
}

// bars are the values in the order of the table, grouped by label.
func (d data) bars() (list []bar) {
	if d.axis != categories || len(d.labels) == 0 {
		for i, s := range d.series {
			for _, p := range s.points {
				list = append(list, bar{s.name, i, p.y})
			}
		}
		return list
	}
	for x, label := range d.labels {
		for i, s := range d.series {
			for _, p := range s.points {
				if int(p.x) != x {
					continue
				}
				b := bar{label, i, p.y}
				if len(d.series) > 1 {
					b.label += " · " + s.name
				}
				list = append(list, b)
			}
		}
	}
	return list
}

// block is a bar of a length in eighths of a character; a value above zero is
// always seen.
func (c *canvas) block(size float64) string {
	if c.ASCII {
		return strings.Repeat("#", int(math.Ceil(size)))
	}
	eighths := int(math.Round(size * 8))
	if size > 0 {
		eighths = max(eighths, 1)
	}
	s := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		s += string([]rune(" ▏▎▍▌▋▊▉")[rest])
	}
	return s
}

// drawCard prints the last value of each series.
func drawCard(_ *canvas, d data) []string {
	var lines []string
	for _, s := range d.series {
		lines = append(lines, s.name+"  "+number(s.points[len(s.points)-1].y))
	}
	return lines
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}

// cut shortens text to a width, in the middle: names often differ at both ends.
func cut(s string, width int) string {
	r := []rune(s)
	if len(r) <= width || width < 3 {
		return s
	}
	head := (width - 1) / 2
	return string(r[:head]) + "…" + string(r[len(r)-(width-1-head):])
}
