package chart

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/api"
)

// data is what a chart shows: series of points over one axis.
type data struct {
	axis   axis
	labels []string // of a categorical axis, by x
	series []series
	wish   wish
	astray int // points that have no place on a logarithmic x axis

	// Of a panel among others, so that all have the same x axis:
	x           *scale
	leastMargin int // characters left of the y axis
}

// axis is what x means.
type axis uint8

const (
	categories axis = iota // an index into labels
	numbers
	times // seconds since 1970
)

type series struct {
	name   string
	column string  // that y is of
	points []point // sorted by x unless the axis is categorical
}

type point struct{ x, y float64 }

// read takes a table apart, as Azure Monitor does: the x axis is the column
// that xcolumn names, else the first time or else the first column; strings
// beside it split the rows into series; numbers are drawn. Lists are taken apart
// before.
func read(t api.QueryTable, render map[string]string) (d data, ok bool) {
	t = unfold(t, render)
	roles, ok := assign(t.Columns, render)
	if !ok {
		return d, false
	}
	d.wish = wishOf(render)
	index := map[string]int{} // of series
	label := map[string]int{}
	switch {
	case roles.x < 0:
	case t.Columns[roles.x].Type == "datetime":
		d.axis = times
	case isNumeric(t.Columns[roles.x].Type) && !isBars(render):
		d.axis = numbers
	}
	for _, row := range t.Rows {
		x, ok := d.position(row, roles.x, label)
		if !ok {
			continue
		}
		lost := d.logX() && x <= 0
		for _, y := range roles.y {
			v, ok := value(row[y])
			if !ok {
				continue
			}
			if lost {
				d.astray++
				continue
			}
			name := seriesName(t, row, roles, y)
			i, seen := index[name]
			if !seen {
				i = len(d.series)
				index[name] = i
				d.series = append(d.series, series{name: name, column: t.Columns[y].Name})
			}
			d.series[i].points = append(d.series[i].points, point{x, v})
		}
	}
	if d.axis != categories {
		for _, s := range d.series {
			slices.SortStableFunc(s.points, func(a, b point) int { return cmp.Compare(a.x, b.x) })
		}
	}
	if d.wish.accumulate {
		d.accumulate()
	}
	return d, len(d.series) > 0
}

// accumulate adds to each value those before it.
func (d *data) accumulate() {
	for _, s := range d.series {
		for i := 1; i < len(s.points); i++ {
			s.points[i].y += s.points[i-1].y
		}
	}
}

// roles are the columns of a table in a chart.
type roles struct {
	x      int // -1 when there is none
	split  []int
	y      []int
	manyYs bool
}

func isBars(render map[string]string) bool {
	switch strings.ToLower(render["visualization"]) {
	case "barchart", "columnchart", "piechart":
		return true
	}
	return false
}

func isNumeric(t string) bool {
	return t == "int" || t == "long" || t == "real" || t == "decimal"
}

func assign(columns []api.QueryColumn, render map[string]string) (r roles, ok bool) {
	find := func(name string) int {
		return slices.IndexFunc(columns, func(c api.QueryColumn) bool { return c.Name == name })
	}
	named := func(property string) (list []int) {
		for name := range strings.SplitSeq(render[property], ",") {
			if i := find(strings.TrimSpace(name)); i >= 0 {
				list = append(list, i)
			}
		}
		return list
	}
	r.x = find(render["xcolumn"])
	if r.x < 0 && !isBars(render) {
		r.x = slices.IndexFunc(columns, func(c api.QueryColumn) bool { return c.Type == "datetime" })
	}
	r.y, r.split = named("ycolumns"), named("series")
	free := func(i int) bool { return i != r.x && !slices.Contains(r.split, i) && !slices.Contains(r.y, i) }
	if r.x < 0 && len(columns) > 1 {
		if first := slices.IndexFunc(columns, func(c api.QueryColumn) bool { return free(find(c.Name)) }); first >= 0 {
			r.x = first
		}
	}
	for i, c := range columns {
		switch {
		case !free(i):
		case isNumeric(c.Type) && render["ycolumns"] == "":
			r.y = append(r.y, i)
		case (c.Type == "string" || c.Type == "guid" || c.Type == "bool") && render["series"] == "":
			r.split = append(r.split, i)
		}
	}
	r.manyYs = len(r.y) > 1
	return r, len(r.y) > 0
}

// position is where a row stands on the x axis.
func (d *data) position(row []json.RawMessage, x int, label map[string]int) (float64, bool) {
	if x < 0 {
		return 0, true
	}
	if d.axis == categories {
		text := text(row[x])
		i, seen := label[text]
		if !seen {
			i = len(d.labels)
			label[text] = i
			d.labels = append(d.labels, text)
		}
		return float64(i), true
	}
	if d.axis == times {
		t, err := time.Parse(time.RFC3339Nano, text(row[x]))
		return seconds(t), err == nil
	}
	return value(row[x])
}

// seconds are those since 1970.
func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

func seriesName(t api.QueryTable, row []json.RawMessage, r roles, y int) string {
	var parts []string
	for _, i := range r.split {
		parts = append(parts, cmp.Or(text(row[i]), "(empty)"))
	}
	if r.manyYs || len(parts) == 0 {
		parts = append(parts, t.Columns[y].Name)
	}
	return strings.Join(parts, " · ")
}

// text is a cell as people read it.
func text(c json.RawMessage) string {
	var s string
	if json.Unmarshal(c, &s) == nil {
		return s
	}
	return string(c)
}

// value is a cell that is a finite number.
func value(c json.RawMessage) (float64, bool) {
	v, err := strconv.ParseFloat(text(c), 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}
