package chart

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/api"
)

// lists are the cells of a column of lists, nil where there is none.
type lists struct {
	column api.QueryColumn // with the type of the elements
	cells  [][]json.RawMessage
}

// unfold makes rows of the lists that make-series and the functions of series
// give, when the x axis is one of them: a row becomes as many as its longest
// list has elements. The axis comes first; numbers beside lists are not drawn.
func unfold(t api.QueryTable, render map[string]string) api.QueryTable {
	var x *lists
	var drawn, all []*lists
	var beside []int
	for i, c := range t.Columns {
		switch {
		case c.Type == "dynamic":
			if l := listsOf(t, i); l != nil {
				all = append(all, l)
			}
		case c.Type == "datetime" && render["xcolumn"] == "":
			return t // it is the axis
		case !isNumeric(c.Type):
			beside = append(beside, i)
		}
	}
	for _, l := range all {
		named, time := l.column.Name == render["xcolumn"], l.column.Type == "datetime"
		if named || render["xcolumn"] == "" && time && (x == nil || x.column.Type != "datetime") {
			x = l
		}
	}
	if x == nil && render["xcolumn"] == "" && len(all) > 1 {
		x = all[0]
	}
	for _, l := range all {
		if l != x && l.column.Type == "real" {
			drawn = append(drawn, l)
		}
	}
	if x == nil || len(drawn) == 0 {
		return t
	}
	return x.rows(t, beside, drawn)
}

// rows is a table of the elements of x, of the columns beside it, repeated, and
// of the elements of the lists that are drawn.
func (x *lists) rows(t api.QueryTable, beside []int, drawn []*lists) api.QueryTable {
	out := api.QueryTable{Columns: []api.QueryColumn{x.column}}
	for _, i := range beside {
		out.Columns = append(out.Columns, t.Columns[i])
	}
	for _, l := range drawn {
		out.Columns = append(out.Columns, l.column)
	}
	for r, row := range t.Rows {
		length := len(x.cells[r])
		for _, l := range drawn {
			length = max(length, len(l.cells[r]))
		}
		for n := range length {
			cells := []json.RawMessage{x.at(r, n)}
			for _, i := range beside {
				cells = append(cells, row[i])
			}
			for _, l := range drawn {
				cells = append(cells, l.at(r, n))
			}
			out.Rows = append(out.Rows, cells)
		}
	}
	return out
}

// at is an element of the list of a row, null beyond its end.
func (x *lists) at(row, n int) json.RawMessage {
	if n < len(x.cells[row]) {
		return x.cells[row][n]
	}
	return json.RawMessage("null")
}

// listsOf returns column i when its lists are of numbers or of times, else nil.
func listsOf(t api.QueryTable, i int) *lists {
	l := &lists{column: api.QueryColumn{Name: t.Columns[i].Name}, cells: make([][]json.RawMessage, len(t.Rows))}
	types := map[string]bool{}
	for r, row := range t.Rows {
		if json.Unmarshal([]byte(text(row[i])), &l.cells[r]) != nil {
			l.cells[r] = nil // no list
		}
		for _, e := range l.cells[r] {
			types[typeOf(e)] = true
		}
	}
	delete(types, "null")
	for _, known := range []string{"real", "datetime"} {
		if len(types) == 1 && types[known] {
			l.column.Type = known
			return l
		}
	}
	return nil
}

// typeOf is the type of an element: "real", "datetime", "null" or "" for others.
func typeOf(e json.RawMessage) string {
	switch s := text(e); {
	case string(e) == "null":
		return "null"
	case e[0] == '-' || '0' <= e[0] && e[0] <= '9' || slices.Contains([]string{"NaN", "Infinity", "-Infinity"}, s):
		return "real"
	case strings.HasPrefix(string(e), `"`):
		if _, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return "datetime"
		}
	}
	return ""
}
