package kql

import (
	"slices"
	"sync"
)

// aggregateFn is one aggregate: a line in one of the agg_*.go tables. sig is
// as in scalarFn.
type aggregateFn struct {
	name   string
	sig    string
	prefix string // of the result's name: "sum_"
	make   func(c *aggSite) aggregator
	// expand, when set, gives the call's results their names and types; else
	// there is one, named prefix and first argument.
	expand func(b *binder, c *aggSite) []Column

	sigs []signature
}

// aggregator folds rows into groups.
type aggregator interface {
	// add folds n rows in; row i belongs to group gids[i] < groups. Arguments
	// may be marked as one value for all rows.
	add(gids []uint32, groups int, args []*Vector, n int)
	// results returns one vector a result, with a value for each group.
	results(groups int) []*Vector
	// size estimates the bytes held.
	size() int64
}

// rowCounter is an aggregator that can take rows of one group by their number.
type rowCounter interface {
	addRows(gid uint32, groups, n int)
}

// aggSite is one aggregate call being bound.
type aggSite struct {
	fn    *aggregateFn
	node  *callNode
	args  []*bound
	ret   Type
	cols  []Column
	first int  // ordinal of the first result
	star  bool // the last argument was *
}

// aggScope collects the aggregates of a summarize.
type aggScope struct {
	sites   []*aggSite
	offset  int // ordinal of the first aggregate result
	width   int
	keys    map[string]bool // names of bare group columns
	scalars bool            // columns may be named beside aggregates
}

// aggregates is every aggregate by name, made at the first query as functions is.
var aggregates func() map[string]*aggregateFn

func init() { aggregates = sync.OnceValue(makeAggregates) } // here, because the tables refer to it

func makeAggregates() map[string]*aggregateFn {
	m := map[string]*aggregateFn{}
	for _, table := range [][]aggregateFn{basicAggs, listAggs, argAggs, percentileAggs, moreAggs} {
		for i := range table {
			f := &table[i]
			f.sigs = parseSignatures(f.sig)
			m[f.name] = f
		}
	}
	return m
}

// aggregateCall binds an aggregate where one is allowed.
func (b *binder) aggregateCall(f *aggregateFn, n *callNode) *bound {
	scope := b.aggs
	if scope == nil {
		b.diags.report(n.fn.span, "KS144", "The aggregate function '%s' is not allowed in this context.", f.name)
		return failed(n)
	}
	c := &aggSite{fn: f, node: n}
	b.aggs = nil
	ok := b.aggArgs(c)
	b.aggs = scope
	if !ok {
		return failed(n)
	}
	if f.expand != nil {
		c.cols = f.expand(b, c)
	} else {
		c.cols = []Column{{aggName(f.prefix, c.args), c.ret}}
	}
	if len(c.cols) == 0 { // take_any(*) of no column
		if !b.row.open {
			b.wrongCount(f.name, n.fn.span, 1, f.sigs[0].max)
		}
		return failed(n)
	}
	c.first = scope.offset + scope.width
	scope.width += len(c.cols)
	scope.sites = append(scope.sites, c)
	x := columnRef(c.first, c.cols[0], n)
	x.col = c.first
	x.multi = c.cols
	return x
}

// aggName is the name of an aggregate's result: sum_a, count_.
func aggName(prefix string, args []*bound) string {
	if len(args) == 0 {
		return prefix
	}
	return prefix + args[0].name
}

// aggArgs binds and checks the arguments of an aggregate.
func (b *binder) aggArgs(c *aggSite) bool {
	f, n := c.fn, c.node
	nodes := n.args
	if k := len(nodes); k > 0 {
		if _, star := nodes[k-1].(*starNode); star && f.expand != nil {
			c.star, nodes = true, nodes[:k-1]
		}
	}
	for _, a := range nodes {
		if named, ok := a.(*namedNode); ok {
			a = named.x
		}
		c.args = append(c.args, b.expr(a))
	}
	count := len(n.args)
	if count == 0 && f.expand != nil {
		b.wrongCount(f.name, n.fn.span, 1, f.sigs[0].max)
		return false
	}
	if !b.arity(f.name, f.sigs, n, count) {
		return false
	}
	s := b.overload(f.name, f.sigs, n, c.args)
	if s == nil {
		return false
	}
	c.ret = s.result(c.args)
	for i, a := range c.args {
		if s.param(i).konst && a.typ != NoType && !a.static {
			b.diags.report(a.node.pos(), "KS129", "The expression must be a constant.")
			return false
		}
	}
	c.args = s.castArgs(c.args)
	return true
}

// conditional wraps an aggregator whose last argument says which rows count.
func conditional(inner aggregator) aggregator { return &ifAgg{inner: inner} }

type ifAgg struct {
	inner aggregator
	gids  []uint32
	sel   []int32
}

func (a *ifAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	cond := args[len(args)-1]
	a.gids, a.sel = a.gids[:0], a.sel[:0]
	for i := range n {
		if j := cond.at(i); cond.Bools[j] && !cond.Nulls.Get(j) {
			a.gids = append(a.gids, gids[i])
			a.sel = append(a.sel, int32(i))
		}
	}
	kept := make([]*Vector, len(args)-1)
	for i := range kept {
		kept[i] = args[i].gather(a.sel)
	}
	a.inner.add(a.gids, groups, kept, len(a.sel))
}

func (a *ifAgg) results(groups int) []*Vector { return a.inner.results(groups) }
func (a *ifAgg) size() int64                  { return a.inner.size() }

// grown returns s with at least n elements.
func grown[T any](s []T, n int) []T {
	for len(s) < n {
		s = append(s, make([]T, max(n-len(s), 16))...)
	}
	return s
}

// aggPlan groups rows and folds them: the core of summarize, and of what is
// like it. Its columns are the keys, then the aggregates' results.
type aggPlan struct {
	in    plan
	keys  []*bound
	sites []*aggSite
	cols  Schema
	// always makes one row when there are no keys and no rows.
	always bool
	onceAsked
}

func (p *aggPlan) columns() Schema { return p.cols }

func (p *aggPlan) require(colset) {
	if !p.first() {
		return
	}
	need := make(colset, len(p.in.columns()))
	for _, k := range p.keys {
		need.add(k.cols)
	}
	for _, s := range p.sites {
		for _, a := range s.args {
			need.add(a.cols)
		}
	}
	p.in.require(need)
}

// countable reports whether rows that are equal in the columns read are as good
// as one that says how many they are.
func (p *aggPlan) countable() bool {
	return !slices.ContainsFunc(p.keys, func(k *bound) bool { return k.col < 0 }) &&
		!slices.ContainsFunc(p.sites, func(s *aggSite) bool { return s.fn.name != "count" || len(s.args) > 0 })
}

// openInput opens the input, counted where that is enough.
func (p *aggPlan) openInput(x *run) (iter, error) {
	if scan, ok := p.in.(*scanPlan); ok && p.countable() {
		req := scan.req
		req.Counted = true
		return scan.scan(x, req)
	}
	return p.in.open(x)
}

func (p *aggPlan) open(x *run) (iter, error) {
	in, err := p.openInput(x)
	if err != nil {
		return nil, err
	}
	done := false
	return func() (*Block, error) {
		if done {
			return nil, nil
		}
		done = true
		b, err := p.fold(x, in)
		if err != nil {
			return nil, err
		}
		return b, nil
	}, nil
}

func (p *aggPlan) fold(x *run, in iter) (*Block, error) {
	types := make([]Type, len(p.keys))
	for i, k := range p.keys {
		types[i] = k.typ
	}
	g := newGrouper(types)
	aggs := make([]aggregator, len(p.sites))
	for i, s := range p.sites {
		aggs[i] = s.fn.make(s)
	}
	var held int64
	for {
		b, err := in()
		if err != nil {
			return nil, err
		}
		if b == nil {
			return p.finish(g, aggs), nil
		}
		if err := x.check(); err != nil {
			return nil, err
		}
		if err := p.foldBlock(x, b, g, aggs); err != nil {
			return nil, err
		}
		size := g.size()
		for _, a := range aggs {
			size += a.size()
		}
		if size > held {
			if err := x.grow(size - held); err != nil {
				return nil, err
			}
			held = size
		}
	}
}

func (p *aggPlan) foldBlock(x *run, b *Block, g *grouper, aggs []aggregator) error {
	if b.Rows == 0 {
		return nil
	}
	var keyBuf, argBuf [8]*Vector
	keys := keyBuf[:0]
	for _, k := range p.keys {
		v, err := k.eval(x, b)
		if err != nil {
			return err
		}
		keys = append(keys, v)
	}
	if b.Counts != nil {
		gids := g.add(keys, b.Rows)
		for _, a := range aggs {
			a.(*countAgg).addCounts(gids, g.n, b.Counts)
		}
		return nil
	}
	if p.counts(aggs) {
		if id, ok := g.addUniform(keys, b.Rows); ok {
			for _, a := range aggs {
				a.(rowCounter).addRows(id, g.n, b.Rows)
			}
			return nil
		}
	}
	gids := g.add(keys, b.Rows)
	for i, s := range p.sites {
		args := argBuf[:0]
		for _, a := range s.args {
			v, err := a.eval(x, b)
			if err != nil {
				return err
			}
			args = append(args, v)
		}
		aggs[i].add(gids, g.n, args, b.Rows)
	}
	return nil
}

// counts reports whether the aggregates look at the number of rows only.
func (p *aggPlan) counts(aggs []aggregator) bool {
	for i, a := range aggs {
		if _, ok := a.(rowCounter); !ok || len(p.sites[i].args) > 0 {
			return false
		}
	}
	return true
}

func (p *aggPlan) finish(g *grouper, aggs []aggregator) *Block {
	if g.n == 0 && p.always && len(p.keys) == 0 {
		g.n = 1
	}
	out := &Block{Rows: g.n}
	for i := range p.keys {
		out.Columns = append(out.Columns, g.column(i))
	}
	for _, a := range aggs {
		out.Columns = append(out.Columns, a.results(g.n)...)
	}
	return out
}
