package kql

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

var contextBackground = context.Background()

// Options bound a query. The zero value has the defaults.
type Options struct {
	// Now is what now() and ago() start from; the zero time is the time the
	// query starts.
	Now time.Time
	Limits
	// MemoryBudget is how many bytes the query may retain, estimated. 0 is
	// 1 GiB.
	MemoryBudget int64
	// Timeout ends the query. 0 is 10 minutes, negative is no limit.
	Timeout time.Duration
}

// Defaults of Options.
const (
	DefaultMemoryBudget = 1 << 30
	DefaultTimeout      = 10 * time.Minute
)

func (o Options) withDefaults() Options {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	o.Limits = o.Limits.Or(defaultLimits)
	if o.MemoryBudget == 0 {
		o.MemoryBudget = DefaultMemoryBudget
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	return o
}

// PanicError is the error of a query that hit a bug of the engine.
type PanicError struct {
	Value any
	Stack []byte
}

// Error returns what went wrong, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("bug: query engine: %v", e.Value) }

// Query runs text over the tables of cat. A fault in the text is returned as
// [Diagnostics]; reaching a limit, as an error that says which, except that
// its [Limits] cut a result short. ctx ends the query within 50 ms. It
// may be called concurrently.
func Query(ctx context.Context, cat Catalog, text string, opts Options) (res *Result, err error) {
	defer recovered(&err)
	opts = opts.withDefaults()
	if opts.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.Timeout)
		defer cancel()
	}
	x := newRun(ctx, opts)
	defer func() {
		if cerr := x.close(); cerr != nil && err == nil {
			res, err = nil, cerr
		}
	}()
	prog, diags, err := bindText(cat, text, opts, x)
	if err != nil {
		return nil, err
	}
	if len(diags) > 0 {
		return nil, diags
	}
	return x.execute(prog)
}

// Check returns what is wrong with text, nil when nothing is. Nothing runs.
func Check(cat Catalog, text string, opts Options) (diags Diagnostics, err error) {
	defer recovered(&err)
	_, diags, err = bindText(cat, text, opts.withDefaults(), nil)
	return diags, err
}

func recovered(err *error) {
	switch v := recover().(type) {
	case nil:
	case failure:
		*err = v.err
	default:
		*err = &PanicError{v, debug.Stack()}
	}
}

// maxQuery is how long a query's text may be, in bytes.
const maxQuery = 2 << 20

// bindText parses and binds a query.
func bindText(cat Catalog, text string, opts Options, x *run) (*program, Diagnostics, error) {
	if len(text) > maxQuery {
		return nil, Diagnostics{{"KQL018", fmt.Sprintf("The query is longer than %d KB.", maxQuery>>10), 0, 0, SeverityError}}, nil
	}
	q, diags := parse(text)
	b := &binder{cat: cat, opts: opts, diags: diags, run: x, set: map[string]*bound{}}
	prog := b.bindQuery(q)
	if b.err != nil {
		return nil, nil, b.err
	}
	return prog, diags.diagnostics(text), nil
}

// execute runs a bound query to its end.
func (x *run) execute(prog *program) (*Result, error) {
	res := &Result{}
	r := prog.result
	if prog.scalar != nil {
		r = scalarTable(prog.scalar)
	}
	if r == nil {
		return res, nil
	}
	res.Render = r.render
	tables := []namedRel{{"PrimaryResult", r}}
	if len(r.extra) > 0 && r.name != "" {
		tables[0].name = r.name
	}
	tables = append(tables, r.extra...)
	for _, t := range tables {
		t.rel.plan.require(allCols(len(t.rel.cols())))
	}
	room := newRoom(prog.limits)
	for _, t := range tables {
		out, err := x.table(t, room)
		if err != nil {
			return nil, err
		}
		res.Tables = append(res.Tables, *out)
	}
	res.Partial = room.cut
	res.Stats = x.stats
	return res, nil
}

// scalarTable is the result of a query that is an expression: one cell.
func scalarTable(s *bound) *rel {
	p := &projection{exprs: []*bound{s}, cols: Schema{{"print_0", s.typ}}}
	if s.typ == NoType {
		p.cols[0].Type = Dynamic
	}
	return &rel{plan: p.over(oneRow)}
}

// table reads one result as far as there is room.
func (x *run) table(t namedRel, room *room) (*ResultTable, error) {
	out := &ResultTable{Name: t.name, Columns: t.rel.cols(), Sorted: t.rel.sorted}
	in, err := t.rel.plan.open(x)
	if err != nil {
		return nil, err
	}
	for {
		if err := x.check(); err != nil {
			return nil, err
		}
		b, err := in()
		if err != nil {
			return nil, err
		}
		if b == nil {
			return out, nil
		}
		if b.Rows == 0 {
			continue
		}
		b = room.take(b)
		if err := x.grow(b.size()); err != nil {
			return nil, err
		}
		x.stats.Rows += int64(b.Rows)
		out.Blocks = append(out.Blocks, b)
		if room.cut != nil {
			return out, nil
		}
	}
}
