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
	width, height int
	x, y          scale
	cells         [][]string
	dots          [][]rune // bits of U+2800
}

// drawLines draws each series as a line, drawPoints as points.
func drawLines(c *canvas, d data) []string  { return c.plot(d, true) }
func drawPoints(c *canvas, d data) []string { return c.plot(d, false) }

func (c *canvas) plot(d data, joined bool) []string {
	legend, labels, margin := c.legend(d), d.valueLabels(), d.margin()
	p := &plot{canvas: c, width: max(c.Width-margin-3, 10), height: min(max(c.Height-len(legend)-5, 5), 20), x: d.place(), y: d.values()}
	p.cells, p.dots = make([][]string, p.height), make([][]rune, p.height)
	for i := range p.cells {
		p.cells[i], p.dots[i] = make([]string, p.width), make([]rune, p.width)
	}
	braille := len(d.series) == 1 && len(d.series[0].points) > 1 && !c.ASCII // one dot would be lost
	for i, s := range d.series {
		p.add(s, c.paint(i, c.mark(i)), braille, joined)
	}
	lines := make([]string, 0, p.height+6+len(legend))
	if d.wish.yTitle != "" {
		lines = append(lines, d.wish.yTitle)
	}
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
	if d.wish.xTitle != "" {
		lines = append(lines, indent+" "+pad("", (p.width-utf8.RuneCountInString(d.wish.xTitle))/2)+d.wish.xTitle)
	}
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

// place is the scale of the x axis, which panels share.
func (d *data) place() scale {
	if d.x != nil {
		return *d.x
	}
	return d.places()
}

// valueLabels are the ends of the y axis and its middle, from the top.
func (d *data) valueLabels() [3]string {
	y := d.values()
	return [3]string{number(y.part(1)), number(y.part(.5)), number(y.part(0))}
}

// margin is the width of the labels of the y axis.
func (d *data) margin() int {
	width := d.leastMargin
	for _, l := range d.valueLabels() {
		width = max(width, utf8.RuneCountInString(l))
	}
	return width
}

// add draws a series.
func (p *plot) add(s series, mark string, braille, joined bool) {
	w, h := p.width, p.height
	if braille {
		w, h = 2*w, 4*h
	}
	set := func(at dot) {
		x, y := int(math.Round(at.x)), int(math.Round(at.y))
		switch {
		case x < 0 || x >= w || y < 0 || y >= h: // beyond an end that render gave
		case braille:
			p.dots[y/4][x/2] |= brailleBits[y%4][x%2]
		default:
			p.cells[y][x] = mark
		}
	}
	at := func(q point) dot {
		return dot{p.x.fraction(q.x) * float64(w-1), (1 - p.y.fraction(q.y)) * float64(h-1)}
	}
	for i, q := range s.points {
		if i == 0 || !joined {
			set(at(q))
			continue
		}
		from, to, seen := cutLine(at(s.points[i-1]), at(q), float64(w-1), float64(h-1))
		if !seen {
			continue
		}
		steps := int(math.Ceil(max(math.Abs(to.x-from.x), math.Abs(to.y-from.y), 1)))
		if !braille {
			steps = int(math.Ceil(max(math.Abs(to.x-from.x), 1))) // one mark a column reads better
		}
		for n := range steps + 1 {
			set(from.to(to, float64(n)/float64(steps)))
		}
	}
}

// dot is a place in cells or dots, from the left and the top.
type dot struct{ x, y float64 }

// to is a part of the way to another place.
func (d dot) to(e dot, part float64) dot { return dot{d.x + (e.x-d.x)*part, d.y + (e.y-d.y)*part} }

// cutLine returns what of a line is on an area, after Liang and Barsky.
func cutLine(from, to dot, right, bottom float64) (a, b dot, seen bool) {
	first, last := 0.0, 1.0
	for _, edge := range [4][2]float64{
		{from.x - to.x, from.x}, {to.x - from.x, right - from.x}, {from.y - to.y, from.y}, {to.y - from.y, bottom - from.y},
	} {
		switch way, room := edge[0], edge[1]; {
		case way < 0:
			first = max(first, room/way)
		case way > 0:
			last = min(last, room/way)
		case room < 0:
			return a, b, false
		}
	}
	return from.to(to, first), from.to(to, last), first <= last
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
	span := p.x.high - p.x.low
	first, middle, last := d.label(p.x.part(0), span), d.label(p.x.part(.5), span), d.label(p.x.part(1), span)
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
	if d.wish.noLegend {
		return nil
	}
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
