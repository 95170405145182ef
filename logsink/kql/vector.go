package kql

// BlockRows is how many rows the engine puts in a block it makes itself.
// A Scanner may return blocks of any size; around this many is best.
const BlockRows = 8192

// Bitmap has one bit a row; bit i of a null bitmap is set when row i is null.
// A nil Bitmap has no bit set.
type Bitmap []uint64

// NewBitmap returns a bitmap of n clear bits.
func NewBitmap(n int) Bitmap { return make(Bitmap, (n+63)/64) }

// Get reports bit i.
func (b Bitmap) Get(i int) bool { return b != nil && b[i>>6]>>(uint(i)&63)&1 != 0 }

// Set sets bit i.
func (b Bitmap) Set(i int) { b[i>>6] |= 1 << (uint(i) & 63) }

// Vector is one column of a block: n values of one type, in the slice that
// belongs to the type. A vector is read-only once it is in a block.
//
//	bool                            Bools
//	int, long, datetime, timespan   Ints (datetime and timespan in 100 ns ticks)
//	real                            Reals
//	decimal                         Decimals
//	string                          Strs, or Codes indexing Dict
//	guid                            UUIDs
//	dynamic                         Dynamics: nil, bool, int64, float64, string,
//	                                []any, *Bag, Ticks, Span, UUID or *Dec
//
// A string is never null: a missing one is "". A dynamic is null when its
// value is nil. For every other type Nulls tells; the value under a null is
// unspecified.
type Vector struct {
	Type     Type
	Nulls    Bitmap // nil: no null
	Bools    []bool
	Ints     []int64
	Reals    []float64
	Decimals []*Dec
	Strs     []string
	Codes    []uint32 // non-nil: dictionary form of a string vector
	Dict     []string
	UUIDs    []UUID
	Dynamics []any

	// one says that the vector holds a single value standing for all rows.
	// It is used between expressions only and never set in a block.
	one bool
}

// Block is a batch of rows: Rows values in each column. A nil column was not
// asked for.
type Block struct {
	Rows    int
	Columns []*Vector
	// Counts says how many rows each row stands for; nil means one. Only the
	// blocks of a scan with ScanRequest.Counted have it.
	Counts []int64
}

// IsNull reports whether row i is null.
func (v *Vector) IsNull(i int) bool {
	if v.one {
		i = 0
	}
	if v.Type == Dynamic {
		return v.Dynamics[i] == nil
	}
	return v.Nulls.Get(i)
}

// Str returns row i of a string vector in either form.
func (v *Vector) Str(i int) string {
	if v.one {
		i = 0
	}
	if v.Codes != nil {
		return v.Dict[v.Codes[i]]
	}
	return v.Strs[i]
}

// at maps a row to the index of its value.
func (v *Vector) at(i int) int {
	if v.one {
		return 0
	}
	return i
}

// newVector returns a vector of n zero values.
func newVector(t Type, n int) *Vector {
	v := &Vector{Type: t}
	switch {
	case t == Bool:
		v.Bools = make([]bool, n)
	case t.usesInts():
		v.Ints = make([]int64, n)
	case t == Real:
		v.Reals = make([]float64, n)
	case t == Decimal:
		v.Decimals = make([]*Dec, n)
	case t == String:
		v.Strs = make([]string, n)
	case t == GUID:
		v.UUIDs = make([]UUID, n)
	default:
		v.Dynamics = make([]any, n)
	}
	return v
}

// nullVector returns n nulls ("" for strings).
func nullVector(t Type, n int) *Vector {
	v := newVector(t, n)
	if t != String && t != Dynamic {
		v.Nulls = NewBitmap(n)
		for i := range v.Nulls {
			v.Nulls[i] = ^uint64(0)
		}
	}
	return v
}

// setNull marks row i of an n-row vector null.
func (v *Vector) setNull(i, n int) {
	if v.Type == String || v.Type == Dynamic {
		return
	}
	if v.Nulls == nil {
		v.Nulls = NewBitmap(n)
	}
	v.Nulls.Set(i)
}

// Value returns row i as a Value.
func (v *Vector) Value(i int) Value {
	i = v.at(i)
	x := Value{Type: v.Type}
	switch {
	case v.Type == String:
		x.Str = v.Str(i)
	case v.Type == Dynamic:
		x.Any = v.Dynamics[i]
		x.Null = x.Any == nil
	case v.Nulls.Get(i):
		x.Null = true
	case v.Type == Bool:
		x.Int = b2i(v.Bools[i])
	case v.Type.usesInts():
		x.Int = v.Ints[i]
	case v.Type == Real:
		x.Real = v.Reals[i]
	case v.Type == Decimal:
		x.Any = v.Decimals[i]
	case v.Type == GUID:
		x.Any = v.UUIDs[i]
	}
	return x
}

// set stores x, which has v's type, at row i of an n-row vector.
func (v *Vector) set(i, n int, x Value) {
	switch {
	case v.Type == String:
		v.Strs[i] = x.Str
	case v.Type == Dynamic:
		v.Dynamics[i] = x.Any
	case x.Null:
		v.setNull(i, n)
	case v.Type == Bool:
		v.Bools[i] = x.Int != 0
	case v.Type.usesInts():
		v.Ints[i] = x.Int
	case v.Type == Real:
		v.Reals[i] = x.Real
	case v.Type == Decimal:
		v.Decimals[i] = x.Any.(*Dec)
	case v.Type == GUID:
		v.UUIDs[i] = x.Any.(UUID)
	}
}

// flat returns v with one value for each of n rows.
func (v *Vector) flat(n int) *Vector {
	if !v.one {
		return v
	}
	if v.Type == String {
		return &Vector{Type: String, Codes: make([]uint32, n), Dict: []string{v.Str(0)}}
	}
	if v.IsNull(0) {
		return nullVector(v.Type, n)
	}
	out := newVector(v.Type, n)
	x := v.Value(0)
	for i := range n {
		out.set(i, n, x)
	}
	return out
}

// constVector returns a vector standing for x in every row.
func constVector(x Value) *Vector {
	v := newVector(x.Type, 1)
	v.set(0, 1, x)
	v.one = true
	return v
}

// gather returns the rows of v named by sel, in that order.
func (v *Vector) gather(sel []int32) *Vector {
	if v == nil || v.one {
		return v
	}
	out := &Vector{Type: v.Type, Dict: v.Dict}
	switch {
	case v.Codes != nil:
		out.Codes = gatherSlice(v.Codes, sel)
	case v.Type == String:
		out.Strs = gatherSlice(v.Strs, sel)
	case v.Type == Bool:
		out.Bools = gatherSlice(v.Bools, sel)
	case v.Type.usesInts():
		out.Ints = gatherSlice(v.Ints, sel)
	case v.Type == Real:
		out.Reals = gatherSlice(v.Reals, sel)
	case v.Type == Decimal:
		out.Decimals = gatherSlice(v.Decimals, sel)
	case v.Type == GUID:
		out.UUIDs = gatherSlice(v.UUIDs, sel)
	default:
		out.Dynamics = gatherSlice(v.Dynamics, sel)
	}
	if v.Nulls != nil {
		out.Nulls = NewBitmap(len(sel))
		for i, s := range sel {
			if v.Nulls.Get(int(s)) {
				out.Nulls.Set(i)
			}
		}
	}
	return out
}

func gatherSlice[T any](s []T, sel []int32) []T {
	out := make([]T, len(sel))
	for i, j := range sel {
		out[i] = s[j]
	}
	return out
}

// gather returns the rows of b named by sel.
func (b *Block) gather(sel []int32) *Block {
	out := &Block{Rows: len(sel), Columns: make([]*Vector, len(b.Columns))}
	for i, c := range b.Columns {
		out.Columns[i] = c.gather(sel)
	}
	return out
}

// slice returns rows from up to to.
func (b *Block) slice(from, to int) *Block {
	if from == 0 && to == b.Rows {
		return b
	}
	sel := make([]int32, to-from)
	for i := range sel {
		sel[i] = int32(from + i)
	}
	return b.gather(sel)
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// VectorOf makes a vector of type t from dynamic values (see Vector), each
// converted as to<t>() does; nil is null.
func VectorOf(t Type, items []any) *Vector {
	out := newVector(t, len(items))
	for i, d := range items {
		out.set(i, len(items), convert(dynamicValue(d), t))
	}
	return out
}
