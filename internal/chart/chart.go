// Package chart draws the answer to a query on a terminal, as the render
// operator asked for: lines over time, bars, a number.
//
// No meaning rests on colour alone: each series has a mark of its own.
package chart

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/internal/api"
)

// Options say what the terminal can do.
type Options struct {
	Width, Height int  // in characters; 0 is 80 by 24
	Colour        bool // SGR colours
	ASCII         bool // no other characters
}

// splits are the visualizations that ysplit makes panels of.
func splits(visualization string) bool { return visualization != "piechart" && visualization != "card" }

// drawers are the visualizations that can be drawn; the others are tables.
var drawers = map[string]func(*canvas, data) []string{
	"timechart":        drawLines,
	"linechart":        drawLines,
	"areachart":        drawLines,
	"stackedareachart": drawLines,
	"anomalychart":     drawLines,
	"scatterchart":     drawPoints,
	"barchart":         drawBars,
	"columnchart":      drawBars,
	"piechart":         drawShares,
	"card":             drawCard,
}

// Draw returns the lines of a chart of t as render asks for, and false when
// that is no chart, or t has nothing to draw.
func Draw(t api.QueryTable, render map[string]string, o Options) ([]string, bool) {
	visualization := strings.ToLower(render["visualization"])
	draw := drawers[visualization]
	if draw == nil {
		return nil, false
	}
	d, ok := read(t, render)
	if !ok {
		return nil, false
	}
	if o.Width <= 0 {
		o.Width = 80
	}
	if o.Height <= 0 {
		o.Height = 24
	}
	c := &canvas{o}
	var lines []string
	if d.wish.split && splits(visualization) && len(d.series) > 1 {
		lines = c.drawPanels(d, draw)
	} else {
		lines = draw(c, d)
	}
	if d.astray > 0 {
		lines = append(lines, notDrawn(d.astray, "point")+": a logarithmic axis begins above zero")
	}
	if title := render["title"]; title != "" {
		lines = append([]string{title, ""}, lines...)
	}
	return lines, true
}

// canvas is the terminal that charts are made for.
type canvas struct{ Options }

// Marks of series, in order; the ninth looks like the first.
var (
	marks      = []string{"●", "○", "▲", "△", "■", "□", "◆", "◇"}
	asciiMarks = []string{"*", "o", "x", "+", "#", "@", "%", "&"}
	colours    = []string{"36", "33", "35", "32", "34", "91", "96", "93"}
)

func (c *canvas) mark(series int) string {
	if c.ASCII {
		return asciiMarks[series%len(asciiMarks)]
	}
	return marks[series%len(marks)]
}

// paint colours text as a series.
func (c *canvas) paint(series int, text string) string {
	if !c.Colour || text == "" {
		return text
	}
	return "\x1b[" + colours[series%len(colours)] + "m" + text + "\x1b[0m"
}

// number is a value in few characters.
func number(v float64) string {
	switch abs := max(v, -v); {
	case abs >= 1e9:
		return trimZeros(v/1e9) + "G"
	case abs >= 1e6:
		return trimZeros(v/1e6) + "M"
	case abs >= 1e4:
		return trimZeros(v/1e3) + "k"
	}
	return trimZeros(v)
}

// trimZeros prints three significant digits, all of those before the point.
func trimZeros(v float64) string {
	if v == float64(int64(v)) {
		return strconv.FormatInt(int64(v), 10)
	}
	abs := max(v, -v)
	switch {
	case abs >= 100:
		return fmt.Sprintf("%.0f", v)
	case abs >= 10:
		return fmt.Sprintf("%.1f", v)
	case abs >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
