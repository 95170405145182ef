package kql

import (
	"fmt"
	"math"
	"strings"
)

// Limits are how much a result holds at most, all its tables together. What is
// more is cut, and Result.Partial says so. A field that is 0 has its default, a
// negative one is no limit. A query may say otherwise for itself: set
// truncationmaxrecords, set truncationmaxsize, set notruncation
// (https://learn.microsoft.com/kusto/concepts/query-limits).
type Limits struct {
	// MaxRows is how many rows.
	MaxRows int64
	// MaxBytes is about how many bytes the cells take as JSON: texts count as
	// long as they are, everything else by its type.
	MaxBytes int64
}

// Defaults of Limits, those of Azure Monitor.
const (
	DefaultMaxRows  = 500_000
	DefaultMaxBytes = 64_000_000
)

var defaultLimits = Limits{DefaultMaxRows, DefaultMaxBytes}

// NoLimits cut nothing.
var NoLimits = Limits{-1, -1}

// Or returns l with what it leaves open taken from other.
func (l Limits) Or(other Limits) Limits {
	if l.MaxRows == 0 {
		l.MaxRows = other.MaxRows
	}
	if l.MaxBytes == 0 {
		l.MaxBytes = other.MaxBytes
	}
	return l
}

// TruncationError says which limit cut a result.
type TruncationError struct {
	Limit int64
	Unit  string // "records" or "bytes"
}

// TruncationCode is the number the service gives to a result that was cut.
const TruncationCode = "-2133196797" // 0x80DA0003

// Error returns the service's words.
func (e *TruncationError) Error() string {
	return fmt.Sprintf("The results of this query exceed the set limit of %d %s, so not all records were returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003). "+
		"See https://aka.ms/kustoquerylimits for more information and possible solutions.", e.Limit, e.Unit)
}

// setLimit takes a set statement that is about limits.
func (b *binder) setLimit(s *statement, l *Limits) {
	switch strings.ToLower(s.set) {
	case "notruncation":
		*l = NoLimits
	case "truncationmaxrecords":
		b.limitOf(s, &l.MaxRows)
	case "truncationmaxsize":
		b.limitOf(s, &l.MaxBytes)
	}
}

func (b *binder) limitOf(s *statement, n *int64) {
	x := b.set[s.set]
	if x == nil || x.val == nil || !x.val.Type.usesInts() || x.val.Null || x.val.Int < 1 {
		b.diags.report(s.span, "KQL021", "'set %s' needs a whole number, 1 or more.", s.set)
		return
	}
	*n = x.val.Int
}

// room is what a result may still take.
type room struct {
	limits      Limits
	rows, bytes int64
	cut         *TruncationError // it is full, and there was more
}

func newRoom(l Limits) *room {
	r := &room{limits: l, rows: l.MaxRows, bytes: l.MaxBytes}
	if r.rows < 0 {
		r.rows = math.MaxInt64
	}
	if r.bytes < 0 {
		r.bytes = math.MaxInt64
	}
	return r
}

// take returns the rows of b that there is room for. They hold on to nothing
// but themselves.
func (r *room) take(b *Block) *Block {
	if int64(b.Rows) > r.rows {
		b = b.slice(0, int(r.rows))
		r.cut = &TruncationError{r.limits.MaxRows, "records"}
	}
	size := b.textSize()
	if size > r.bytes {
		n, left := 0, r.bytes
		for n < b.Rows {
			if left -= b.rowTextSize(n); left < 0 {
				break
			}
			n++
		}
		b, size = b.slice(0, n), r.bytes
		r.cut = &TruncationError{r.limits.MaxBytes, "bytes"}
	}
	r.rows -= int64(b.Rows)
	r.bytes -= size
	return b.owned()
}

// textWidth is about how many bytes a cell of a type takes as JSON, without
// the text of a string or dynamic.
func textWidth(t Type) int64 {
	switch t {
	case DateTime:
		return 31 // "2026-01-02T03:04:05.1234567Z",
	case GUID:
		return 39
	case TimeSpan, Decimal:
		return 19
	case String, Dynamic:
		return 3
	case Bool:
		return 6
	}
	return 10
}

// textSize is about how many bytes the rows take as JSON.
func (b *Block) textSize() (n int64) {
	for _, c := range b.Columns {
		n += int64(b.Rows) * textWidth(c.Type)
		switch {
		case c.Codes != nil:
			for _, code := range c.Codes {
				n += int64(len(c.Dict[code]))
			}
		case c.Type == String:
			for _, s := range c.Strs {
				n += int64(len(s))
			}
		case c.Type == Dynamic:
			for _, d := range c.Dynamics {
				n += dynamicTextSize(d)
			}
		}
	}
	return n
}

func (b *Block) rowTextSize(i int) (n int64) {
	for _, c := range b.Columns {
		n += textWidth(c.Type)
		switch c.Type {
		case String:
			n += int64(len(c.Str(i)))
		case Dynamic:
			n += dynamicTextSize(c.Dynamics[i])
		}
	}
	return n
}

func dynamicTextSize(d any) int64 {
	switch d := d.(type) {
	case string:
		return 3 + int64(len(d))
	case []any:
		n := int64(3)
		for _, e := range d {
			n += dynamicTextSize(e)
		}
		return n
	case *Bag:
		n := int64(3)
		for i, k := range d.keys {
			n += 4 + int64(len(k)) + dynamicTextSize(d.vals[i])
		}
		return n
	}
	return 6
}

// owned returns b with copies of its texts: those of a few rows hold on to the
// text of all the rows they were chosen from.
func (b *Block) owned() *Block {
	if b.Rows >= BlockRows/2 {
		return b
	}
	out := &Block{Rows: b.Rows, Columns: make([]*Vector, len(b.Columns)), Counts: b.Counts}
	for i, c := range b.Columns {
		out.Columns[i] = c.owned()
	}
	return out
}

func (v *Vector) owned() *Vector {
	if v == nil || v.Type != String && v.Type != Dynamic || v.Codes != nil {
		return v
	}
	out := &Vector{Type: v.Type}
	if v.Type == Dynamic {
		out.Dynamics = make([]any, len(v.Dynamics))
		for i, d := range v.Dynamics {
			out.Dynamics[i] = ownedDynamic(d)
		}
		return out
	}
	size := 0
	for _, s := range v.Strs {
		size += len(s)
	}
	var all strings.Builder
	all.Grow(size)
	for _, s := range v.Strs {
		all.WriteString(s)
	}
	text, at := all.String(), 0
	out.Strs = make([]string, len(v.Strs))
	for i, s := range v.Strs {
		out.Strs[i] = text[at : at+len(s)]
		at += len(s)
	}
	return out
}

func ownedDynamic(d any) any {
	switch d := d.(type) {
	case string:
		return strings.Clone(d)
	case []any:
		out := make([]any, len(d))
		for i, e := range d {
			out[i] = ownedDynamic(e)
		}
		return out
	case *Bag:
		out := &Bag{}
		for i, k := range d.keys {
			out.Set(strings.Clone(k), ownedDynamic(d.vals[i]))
		}
		return out
	}
	return d
}
