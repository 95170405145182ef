package chart

import (
	"fmt"
	"slices"
)

// maxPanels is how many panels Kusto draws
// (https://learn.microsoft.com/kusto/query/visualization-timechart, as of 2025).
const maxPanels = 5

// minPanel is the least height of a panel in characters.
const minPanel = 9

// panel is a chart of some of the series, below its name.
type panel struct {
	name string
	data
}

// panels splits data into charts over the same x axis: one for each column or,
// where there is but one, one for each series, as in Kusto's example.
func (d *data) panels() (list []panel) {
	byColumn := slices.ContainsFunc(d.series, func(s series) bool { return s.column != d.series[0].column })
	x, whole := d.places(), *d
	for _, s := range d.series {
		name := s.name
		if byColumn {
			name = s.column
		}
		i := slices.IndexFunc(list, func(p panel) bool { return p.name == name })
		if i < 0 {
			i = len(list)
			list = append(list, panel{name, whole})
			list[i].series = nil
			list[i].x = &x
		}
		list[i].series = append(list[i].series, s)
	}
	margin := 0
	for i := range list {
		margin = max(margin, list[i].margin())
	}
	for i := range list {
		list[i].leastMargin = margin
	}
	return list
}

// drawPanels draws each panel below its name, in its part of the height.
func (c *canvas) drawPanels(d data, draw func(*canvas, data) []string) (lines []string) {
	list := d.panels()
	drawn := list[:min(len(list), maxPanels)]
	part := &canvas{c.Options}
	part.Height = max(c.Height/len(drawn), minPanel)
	for i, p := range drawn {
		if i > 0 {
			lines = append(lines, "")
		}
		p.wish.noLegend = p.wish.noLegend || len(p.series) == 1 // its name is above
		lines = append(append(lines, p.name), draw(part, p.data)...)
	}
	if more := len(list) - len(drawn); more > 0 {
		lines = append(lines, "", notDrawn(more, "more panel"))
	}
	return lines
}

// notDrawn says how many of something are left out.
func notDrawn(n int, what string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s is not drawn", what)
	}
	return fmt.Sprintf("%d %ss are not drawn", n, what)
}
