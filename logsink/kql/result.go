package kql

import (
	"strconv"
)

// Result is the answer to a query: one table a tabular statement yields,
// several from fork and facet.
type Result struct {
	Tables []ResultTable
	// Render is what the last render operator asked for, nil without one.
	Render *Visualization
	// Partial says that the answer was cut, and by which limit; nil: it is
	// whole.
	Partial *TruncationError
	// Stats tells what the query read.
	Stats Stats
}

// ResultTable is one table of a Result, row-wise access to its blocks.
type ResultTable struct {
	Name    string // "PrimaryResult", or fork's and facet's names
	Columns Schema
	Blocks  []*Block
	Sorted  bool // the order of rows is what the query asked for
}

// Stats counts what a query read and made.
type Stats struct {
	RowsScanned, BlocksScanned, Rows int64
}

// Visualization is what render asked for. Properties it left out are zero.
type Visualization struct {
	Kind       string            // barchart, timechart, …
	Properties map[string]string // title, kind, xcolumn, … as written
	IsSorted   bool
}

// Rows returns the number of rows.
func (t *ResultTable) Rows() int {
	n := 0
	for _, b := range t.Blocks {
		n += b.Rows
	}
	return n
}

// Each calls yield with every row until it returns false. The slice is used
// again for the next row.
func (t *ResultTable) Each(yield func(row []Value) bool) {
	row := make([]Value, len(t.Columns))
	for _, b := range t.Blocks {
		for i := range b.Rows {
			for c, v := range b.Columns {
				row[c] = v.Value(i)
			}
			if !yield(row) {
				return
			}
		}
	}
}

// AppendCell appends the JSON form of a cell: integers as numbers, reals as
// numbers or "NaN", "Infinity", "-Infinity", decimals, datetimes, timespans
// and guids as strings, dynamics as the JSON they hold, null as null.
func AppendCell(b []byte, v Value) []byte {
	if v.Null {
		return append(b, "null"...)
	}
	switch v.Type {
	case Bool:
		return strconv.AppendBool(b, v.bool())
	case Int, Long:
		return strconv.AppendInt(b, v.Int, 10)
	case Real:
		return appendJSONReal(b, v.Real)
	case Dynamic:
		return AppendJSON(b, v.Any)
	}
	return appendJSONString(b, v.String())
}
