package kql

import "context"

// Column names a column and its type.
type Column struct {
	Name string
	Type Type
}

// Schema is the columns of a table in order. Names are unique and case-sensitive.
type Schema []Column

// Index returns the ordinal of the column named name, or -1.
func (s Schema) Index(name string) int {
	for i := range s {
		if s[i].Name == name {
			return i
		}
	}
	return -1
}

// Catalog resolves the tables of a query. Its methods may be called from
// several queries at once.
type Catalog interface {
	// Table returns the table called name, exactly and case-sensitively, and
	// whether there is one. Views count as tables: ContainerAppConsoleLogs_CL
	// and ContainerAppConsoleLogs may be two views of the same rows.
	Table(name string) (Table, bool)
	// Tables returns the names of all tables, sorted. It feeds wildcards
	// ("union Container*"), search without a table, and completion.
	Tables() []string
}

// Table is one table or view as it is when a query starts.
type Table interface {
	// Schema returns the columns. It does not change while a query runs.
	Schema() Schema
	// Scan starts reading the table's current rows. A query may scan a table
	// several times; whether later scans see later rows is the table's choice.
	Scan(ctx context.Context, req ScanRequest) (Scanner, error)
}

// ExactTable is a Table that applies some predicates itself: for those, the
// engine does not filter again, and need not see their columns.
type ExactTable interface {
	// Exact reports whether every scan drops the rows for which p does not
	// hold. It depends on the column, the test and the types only.
	Exact(p Predicate) bool
}

// ViewTable is a Table that may show the rows of another one of the catalog
// under other names. Patterns that match both ("union Container*", search
// without a table) take the rows from the other one only.
type ViewTable interface {
	// ViewOf returns the name of the other table, "" when the rows are the
	// table's own.
	ViewOf() string
}

// ScanRequest says what a scan needs. Everything but Columns is advice that
// may save reading: the engine filters again, so a scanner that ignores it
// is slower, never wrong.
type ScanRequest struct {
	// Columns are the ordinals, ascending, of the columns to fill. The
	// others may be left nil in the blocks. It may be empty: count() needs
	// only the number of rows.
	Columns []int
	// Time limits the values of the column TimeGenerated (or timestamp),
	// whichever the schema has first. The zero range is no limit.
	Time TimeRange
	// Predicates must all hold for a row to matter.
	Predicates []Predicate
	// Limit, when positive, is how many rows that pass Time and Predicates
	// are enough: the first in the scanner's order, or with Newest those
	// with the latest times, and of equal times the first.
	Limit int64
	// Newest says that the newest rows matter most: the query sorts by the
	// time column, descending, and takes a few. A scanner that can may yield
	// its blocks newest first and implement TimeBounder.
	Newest bool
	// Counted says that the query only counts rows by Columns. A scanner may
	// yield one row for several that are equal in all of them, and say in
	// Block.Counts how many each stands for.
	Counted bool
}

// TimeRange is a closed range of datetimes. A zero bound is open.
type TimeRange struct {
	From, To Ticks
}

// PredicateOp is the test a Predicate makes.
type PredicateOp uint8

// The tests that are pushed down. Has means: the needle occurs with a term
// boundary (anything but a letter or digit, Unicode) at both ends.
const (
	OpEqual        PredicateOp = iota // any of Values
	OpHas                             // string has any of Values
	OpHasAll                          // string has all of Values
	OpHasPrefix                       // some term starts with Values[0]
	OpContains                        // string contains Values[0]
	OpStartsWith                      // string starts with Values[0]
	OpEndsWith                        // string ends with Values[0]
	OpGreater                         // > Values[0]
	OpGreaterEqual                    // >= Values[0]
	OpLess                            // < Values[0]
	OpLessEqual                       // <= Values[0]
)

// Predicate is a test of one column against constants. Null never passes.
type Predicate struct {
	Column int // ordinal
	Op     PredicateOp
	// IgnoreCase applies to strings: upper and lower case are equal under
	// Unicode simple folding.
	IgnoreCase bool
	// Values have the column's type, except that numbers may be of any
	// numeric type. They are not null.
	Values []Value
}

// Scanner yields the blocks of one scan. It is used by one goroutine.
type Scanner interface {
	// Next returns the next block, or nil at the end. The block and its
	// vectors belong to the reader and must not be changed afterwards.
	Next(ctx context.Context) (*Block, error)
	// Close releases what the scan holds. It is called exactly once, also
	// after an error; blocks already returned stay valid.
	Close() error
}

// TimeBounder is a Scanner that knows how new its remaining rows can be. A
// query for the newest rows stops when they cannot matter any more.
type TimeBounder interface {
	// RemainingTime returns a time no row still to come is newer than, and
	// whether it knows one.
	RemainingTime() (newest Ticks, ok bool)
}

// timeColumns are the columns a TimeRange can apply to.
var timeColumns = []string{"TimeGenerated", "timestamp"}

// TimeColumn returns the ordinal of the column a ScanRequest's Time applies
// to, or -1.
func (s Schema) TimeColumn() int {
	for _, name := range timeColumns {
		if i := s.Index(name); i >= 0 && s[i].Type == DateTime {
			return i
		}
	}
	return -1
}

// IngestionTimer is a Table that knows when its rows arrived: the function
// ingestion_time() reads the column of that ordinal. For other tables it is null.
type IngestionTimer interface {
	IngestionTimeColumn() int
}
