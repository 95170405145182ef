package chart

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// plot is the area of a chart between its axes. Cells are characters; a single
// series is drawn in Braille, two by four points a character.
type plot struct {
	*canvas
	width, height          int
	left, right, low, high float64
	cells                  [][]string
	dots                   [][]rune // bits of U+2800
}

// drawLines draws each series as a line, drawPoints as points.
func drawLines(c *canvas, d data) []string  { return c.plot(d, true) }
func drawPoints(c *canvas, d data) []string { return c.plot(d, false) }

func (c *canvas) plot(d data, joined bool) []string {
	left, right, low, high := d.bounds()
	labels := []string{number(high), number((low + high) / 2), number(low)}
	margin := 0
	for _, l := range labels {
		margin = max(margin, utf8.RuneCountInString(l))
	}
	legend := c.legend(d)
	p := &plot{canvas: c, width: max(c.Width-margin-3, 10), height: min(max(c.Height-len(legend)-5, 5), 20), left: left, right: right, low: low, high: high}
	p.cells, p.dots = make([][]string, p.height), make([][]rune, p.height)
	for i := range p.cells {
		p.cells[i], p.dots[i] = make([]string, p.width), make([]rune, p.width)
	}
	braille := len(d.series) == 1 && len(d.series[0].points) > 1 && !c.ASCII // one dot would be lost
	for i, s := range d.series {
		p.add(s, c.paint(i, c.mark(i)), braille, joined)
	}
	lines := make([]string, 0, p.height+4+len(legend))
	for y := range p.height {
		label := ""
		switch y {
		case 0:
			label = labels[0]
		case p.height / 2:
			label = labels[1]
		case p.height - 1:
			label = labels[2]
		}
		lines = append(lines, fmt.Sprintf("%*s %s%s", margin, label, c.side(), p.row(y)))
	}
	indent := strings.Repeat(" ", margin+1)
	lines = append(lines, indent+c.corner()+strings.Repeat(c.floor(), p.width), indent+" "+p.axis(d))
	return append(lines, legend...)
}

func (c *canvas) side() string   { return c.either("┤", "|") }
func (c *canvas) corner() string { return c.either("└", "+") }
func (c *canvas) floor() string  { return c.either("─", "-") }

func (c *canvas) either(fine, plain string) string {
	if c.ASCII {
		return plain
	}
	return fine
}

// bounds are the ends of both axes; counts are drawn from zero.
func (d data) bounds() (left, right, low, high float64) {
	left, right, high = math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, s := range d.series {
		for _, p := range s.points {
			left, right = min(left, p.x), max(right, p.x)
			low, high = min(low, p.y), max(high, p.y)
		}
	}
	if right == left {
		around := 1.0
		if d.axis == times {
			around = 60
		}
		left, right = left-around, right+around
	}
	if high == low {
		high = low + 1
	}
	return left, right, low, high
}

// add draws a series.
func (p *plot) add(s series, mark string, braille, joined bool) {
	w, h := p.width, p.height
	if braille {
		w, h = 2*w, 4*h
	}
	set := func(x, y int) {
		if braille {
			p.dots[y/4][x/2] |= brailleBits[y%4][x%2]
			return
		}
		p.cells[y][x] = mark
	}
	at := func(q point) (float64, float64) {
		return (q.x - p.left) / (p.right - p.left) * float64(w-1), (p.high - q.y) / (p.high - p.low) * float64(h-1)
	}
	for i, q := range s.points {
		x, y := at(q)
		if i == 0 || !joined {
			set(int(math.Round(x)), int(math.Round(y)))
			continue
		}
		fromX, fromY := at(s.points[i-1])
		steps := int(math.Ceil(max(math.Abs(x-fromX), math.Abs(y-fromY), 1)))
		if !braille {
			steps = int(math.Ceil(max(math.Abs(x-fromX), 1))) // one mark a column reads better
		}
		for n := 1; n <= steps; n++ {
			part := float64(n) / float64(steps)
			set(int(math.Round(fromX+(x-fromX)*part)), int(math.Round(fromY+(y-fromY)*part)))
		}
	}
}

// brailleBits are the dots of a character, by row and column
// (https://www.unicode.org/charts/PDF/U2800.pdf).
var brailleBits = [4][2]rune{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

func (p *plot) row(y int) string {
	var b strings.Builder
	for x := range p.width {
		switch {
		case p.dots[y][x] != 0:
			b.WriteString(p.paint(0, string(0x2800+p.dots[y][x])))
		case p.cells[y][x] != "":
			b.WriteString(p.cells[y][x])
		default:
			b.WriteByte(' ')
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// axis labels both ends of the x axis and its middle.
func (p *plot) axis(d data) string {
	first, last := d.label(p.left, p.right-p.left), d.label(p.right, p.right-p.left)
	middle := d.label((p.left+p.right)/2, p.right-p.left)
	gap := p.width - utf8.RuneCountInString(first+middle+last)
	if gap < 4 {
		return first + strings.Repeat(" ", max(p.width-utf8.RuneCountInString(first+last), 1)) + last
	}
	return first + strings.Repeat(" ", gap/2) + middle + strings.Repeat(" ", gap-gap/2) + last
}

// label is a place on the x axis whose length is span.
func (d data) label(x, span float64) string {
	switch d.axis {
	case times:
		t := time.Unix(0, int64(x*1e9)).UTC()
		switch {
		case span > 2*86400:
			return t.Format("2006-01-02")
		case span > 600:
			return t.Format("15:04")
		}
		return t.Format("15:04:05")
	case categories:
		if i := int(math.Round(x)); i >= 0 && i < len(d.labels) {
			return d.labels[i]
		}
		return ""
	}
	return number(x)
}

// maxLegend bounds the series that are named.
const maxLegend = 12

// legend names the series with their last value, when there are several.
func (c *canvas) legend(d data) []string {
	if len(d.series) < 2 {
		return []string{"", d.series[0].name}
	}
	lines := []string{""}
	for i, s := range d.series {
		if i == maxLegend {
			return append(lines, fmt.Sprintf("and %d more", len(d.series)-i))
		}
		low, high := math.Inf(1), math.Inf(-1)
		for _, p := range s.points {
			low, high = min(low, p.y), max(high, p.y)
		}
		lines = append(lines, fmt.Sprintf("%s %s  %s to %s", c.paint(i, c.mark(i)), s.name, number(low), number(high)))
	}
	return lines
}
