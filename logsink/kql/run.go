package kql

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
)

// run is the state of one execution. Everything it starts ends with it; it
// is used by one goroutine.
type run struct {
	ctx     context.Context
	opts    Options
	used    int64 // bytes retained by blocking operators
	scalars map[any]Value
	tables  map[any][]*Block
	closers *[]func() error // shared with child runs
	rand    *rand.Rand
	stats   Stats
}

func newRun(ctx context.Context, opts Options) *run {
	r := &run{
		ctx: ctx, opts: opts, closers: new([]func() error), scalars: map[any]Value{}, tables: map[any][]*Block{},
		rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
	return r
}

// iter returns the next block of an operator's output, nil at the end.
type iter func() (*Block, error)

// ErrMemory is in the chain of the error of a query that needed more memory
// than Options.MemoryBudget.
var ErrMemory = errors.New("query memory budget exceeded")

// check ends the query when its context has ended. Every loop that is not
// bounded by a block calls it.
func (x *run) check() error {
	if err := x.ctx.Err(); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("query ran longer than its time limit of %v: %w", x.opts.Timeout, err)
		}
		return fmt.Errorf("query cancelled: %w", err)
	}
	return nil
}

// failure is the panic by which a kernel, which has no error to return, ends
// its query; Query turns it back into the error.
type failure struct{ err error }

// poll is check for kernels: cheap, and called with the row number. It ends
// the query when the context has ended.
func (x *run) poll(row int) {
	if row&0xff == 0xff {
		if err := x.check(); err != nil {
			panic(failure{err})
		}
	}
}

// maxText is how long a text a function may make, in bytes. Kusto cuts
// strings at 1 MB; here the query ends instead of going on with half a text.
const maxText = 4 << 20

// weigh adds what a kernel has made for one row to held and ends the query
// when one block's values outgrow what the whole query may keep: range() over
// a million elements in every row.
func (x *run) weigh(held int64, v Value) int64 {
	switch {
	case v.Type == String:
		held += int64(len(v.Str))
		if len(v.Str) > maxText {
			panic(failure{fmt.Errorf("%w: a text of %d MB is longer than the limit of %d MB", ErrMemory, len(v.Str)>>20, maxText>>20)})
		}
	case v.Type == Dynamic:
		switch d := v.Any.(type) {
		case []any:
			held += 16 * int64(len(d))
		case *Bag:
			held += 64 * int64(d.Len())
		case string:
			held += int64(len(d))
		}
	}
	if held > x.opts.MemoryBudget/2 {
		panic(failure{fmt.Errorf("%w: the limit is %d MB; one block's values outgrow it", ErrMemory, x.opts.MemoryBudget>>20)})
	}
	return held
}

// grow accounts for n more bytes kept until the query ends.
func (x *run) grow(n int64) error {
	x.used += n
	if x.used > x.opts.MemoryBudget {
		return fmt.Errorf("%w: the limit is %d MB; filter earlier or keep fewer columns", ErrMemory, x.opts.MemoryBudget>>20)
	}
	return nil
}

// close closes every scanner still open.
func (x *run) close() error {
	var errs []error
	for _, c := range *x.closers {
		errs = append(errs, c())
	}
	*x.closers = nil
	return errors.Join(errs...)
}

// size estimates the bytes a vector holds on to.
func (v *Vector) size() int64 {
	if v == nil {
		return 0
	}
	n := int64(len(v.Bools)) + 8*int64(len(v.Ints)+len(v.Reals)+len(v.Nulls)) + 4*int64(len(v.Codes)) +
		16*int64(len(v.UUIDs)+len(v.Strs)) + 64*int64(len(v.Decimals))
	for _, s := range v.Strs {
		n += int64(len(s))
	}
	for _, d := range v.Dynamics {
		n += dynamicSize(d)
	}
	return n
}

func dynamicSize(d any) int64 {
	switch d := d.(type) {
	case string:
		return 32 + int64(len(d))
	case []any:
		n := int64(24)
		for _, e := range d {
			n += dynamicSize(e)
		}
		return n
	case *Bag:
		n := int64(64)
		for i, k := range d.keys {
			n += 32 + int64(len(k)) + dynamicSize(d.vals[i])
		}
		return n
	}
	return 24
}

func (b *Block) size() int64 {
	var n int64
	for _, c := range b.Columns {
		n += c.size()
	}
	return n
}

// collect reads in to its end and accounts for what it keeps.
func (x *run) collect(in iter) ([]*Block, error) {
	var out []*Block
	for {
		b, err := in()
		if b == nil || err != nil {
			return out, err
		}
		if err := x.check(); err != nil {
			return nil, err
		}
		if b.Rows < BlockRows/8 {
			b = b.owned()
		}
		if err := x.grow(b.size()); err != nil {
			return nil, err
		}
		if b.Rows > 0 {
			out = append(out, b)
		}
	}
}

// concat joins blocks of ncols columns into one.
func concat(blocks []*Block, schema Schema) *Block {
	if len(blocks) == 1 {
		return blocks[0]
	}
	out := &Block{Columns: make([]*Vector, len(schema))}
	for _, b := range blocks {
		out.Rows += b.Rows
	}
	for c := range schema {
		parts := make([]*Vector, len(blocks))
		for i, b := range blocks {
			parts[i] = b.Columns[c]
		}
		out.Columns[c] = concatVectors(parts, blocks, schema[c].Type, out.Rows)
	}
	return out
}

func concatVectors(parts []*Vector, blocks []*Block, t Type, n int) *Vector {
	for _, p := range parts {
		if p == nil {
			return nil
		}
	}
	out := newVector(t, n)
	at := 0
	for i, p := range parts {
		rows := blocks[i].Rows
		switch {
		case p.Codes != nil:
			for j := range rows {
				out.Strs[at+j] = p.Dict[p.Codes[j]]
			}
		case t == String:
			copy(out.Strs[at:], p.Strs[:rows])
		case t == Bool:
			copy(out.Bools[at:], p.Bools[:rows])
		case t.usesInts():
			copy(out.Ints[at:], p.Ints[:rows])
		case t == Real:
			copy(out.Reals[at:], p.Reals[:rows])
		case t == Decimal:
			copy(out.Decimals[at:], p.Decimals[:rows])
		case t == GUID:
			copy(out.UUIDs[at:], p.UUIDs[:rows])
		default:
			copy(out.Dynamics[at:], p.Dynamics[:rows])
		}
		if p.Nulls != nil {
			for j := range rows {
				if p.Nulls.Get(j) {
					out.setNull(at+j, n)
				}
			}
		}
		at += rows
	}
	return out
}

// fromBlocks iterates over blocks that are there.
func fromBlocks(blocks []*Block) iter {
	return func() (*Block, error) {
		if len(blocks) == 0 {
			return nil, nil
		}
		b := blocks[0]
		blocks = blocks[1:]
		return b, nil
	}
}

// chunked cuts one large block into blocks of the usual size.
func chunked(b *Block) iter {
	at := 0
	return func() (*Block, error) {
		if at >= b.Rows {
			return nil, nil
		}
		end := min(at+BlockRows, b.Rows)
		out := b.slice(at, end)
		at = end
		return out, nil
	}
}

// rowBuilder collects rows of values into blocks.
type rowBuilder struct {
	schema Schema
	rows   [][]Value
}

func (r *rowBuilder) add(row ...Value) { r.rows = append(r.rows, row) }

// block returns the rows collected so far and starts anew.
func (r *rowBuilder) block() *Block {
	out := blockOf(r.schema, r.rows)
	r.rows = r.rows[:0]
	return out
}

// blockOf makes a block of rows.
func blockOf(schema Schema, rows [][]Value) *Block {
	n := len(rows)
	out := &Block{Rows: n, Columns: make([]*Vector, len(schema))}
	for c := range schema {
		v := newVector(schema[c].Type, n)
		for i, row := range rows {
			v.set(i, n, row[c])
		}
		out.Columns[c] = v
	}
	return out
}

// child is a run for a sub-query that is executed many times: it shares the
// limits and keeps no results of an earlier execution.
func (x *run) child() *run {
	y := *x
	y.scalars, y.tables = map[any]Value{}, map[any][]*Block{}
	return &y
}
