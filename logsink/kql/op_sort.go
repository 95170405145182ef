package kql

import (
	"math"
	"slices"
	"sort"
	"strings"
)

// sortKey is one expression to sort by.
type sortKey struct {
	x     node
	order string // asc, desc, or "" for the default
	nulls string // first, last, or "" for the default
}

func (k *sortKey) print(p *printer) {
	k.x.print(p)
	if k.order != "" {
		p.put(" ", k.order)
	}
	if k.nulls != "" {
		p.put(" nulls ", k.nulls)
	}
}

func (p *parser) sortKey() sortKey {
	k := sortKey{x: p.namedExpr()}
	if p.at("asc", "desc") {
		k.order = p.advance().text
	}
	if p.accept("nulls") {
		if p.at("first", "last") {
			k.nulls = p.advance().text
		} else {
			p.diags.report(p.here(), "KS006", "Missing first or last")
		}
	}
	return k
}

type sortOp struct {
	opHead
	keys []sortKey
}

func parseSort(p *parser, h opHead) operator {
	op := &sortOp{opHead: h}
	p.params()
	p.expect("by")
	op.keys = commaList(p, p.sortKey)
	p.done(&op.opHead)
	return op
}

func (o *sortOp) print(p *printer) {
	p.put("sort by ")
	for i := range o.keys {
		if i > 0 {
			p.put(", ")
		}
		o.keys[i].print(p)
	}
}

func (o *sortOp) bind(b *binder, in *rel) *rel {
	out := in.with(&sortPlan{in: in.plan, keys: b.sortKeys(in, o.keys), limit: -1})
	out.sorted = true
	return out
}

// orderKey is a bound sortKey.
type orderKey struct {
	x          *bound
	desc       bool
	nullsFirst bool
}

func (b *binder) sortKeys(in *rel, keys []sortKey) []orderKey {
	var out []orderKey
	b.in(in.rows(), func() {
		for i := range keys {
			k := &keys[i]
			x := b.expr(k.x)
			if x.typ == Dynamic {
				b.diags.report(k.x.pos(), "KS116", "The value of type 'dynamic' is not allowed in this context.")
			}
			o := orderKey{x: x, desc: k.order != "asc"}
			o.nullsFirst = !o.desc
			if k.nulls != "" {
				o.nullsFirst = k.nulls == "first"
			}
			out = append(out, o)
		}
	})
	return out
}

// sortPlan sorts stably; with a limit it keeps the first rows only.
type sortPlan struct {
	in    plan
	keys  []orderKey
	limit int64 // -1: all
	n     *bound
	needs
	// newest, when not nil, knows when the rest of the input is too old.
	newest *newestHint
}

func (p *sortPlan) columns() Schema { return p.in.columns() }

func (p *sortPlan) require(need colset) {
	if !p.want(need) {
		return
	}
	below := append(colset(nil), p.set...)
	for _, k := range p.keys {
		below.add(k.x.cols)
	}
	p.in.require(below)
}

func (p *sortPlan) open(x *run) (iter, error) {
	limit := p.limit
	if p.n != nil {
		v, err := p.n.value(x)
		if err != nil {
			return nil, err
		}
		limit = max(v.Int, 0)
		if v.Null {
			limit = 0
		}
	}
	in, err := p.in.open(x)
	if err != nil {
		return nil, err
	}
	var out iter
	return func() (*Block, error) {
		if out == nil {
			b, err := p.sorted(x, in, limit)
			if err != nil {
				return nil, err
			}
			if b == nil {
				return nil, nil
			}
			out = chunked(b)
		}
		return out()
	}, nil
}

// topSlack is how many times the limit top holds before it cuts back.
const topSlack = 4

func (p *sortPlan) sorted(x *run, in iter, limit int64) (*Block, error) {
	if limit == 0 {
		return nil, nil
	}
	if limit < 0 {
		blocks, err := x.collect(in)
		if err != nil || len(blocks) == 0 {
			return nil, err
		}
		return p.sortBlock(x, concat(blocks, p.columns()), -1)
	}
	var held []*Block
	rows := 0
	cutAt := int(min(limit, 1<<30))*topSlack + BlockRows
	for {
		b, err := in()
		if err != nil {
			return nil, err
		}
		if b == nil || rows > cutAt {
			if len(held) > 0 {
				kept, err := p.sortBlock(x, concat(held, p.columns()), limit)
				if err != nil {
					return nil, err
				}
				if b == nil {
					return kept, nil
				}
				held, rows = []*Block{kept}, kept.Rows
			}
			if b == nil {
				return nil, nil
			}
		}
		if err := x.check(); err != nil {
			return nil, err
		}
		if int64(b.Rows) > limit*topSlack {
			if b, err = p.sortBlock(x, b, limit); err != nil {
				return nil, err
			}
		}
		held = append(held, b)
		rows += b.Rows
		if p.newest != nil && p.newest.scanner != nil && rows >= int(limit) {
			kept, err := p.sortBlock(x, concat(held, p.columns()), limit)
			if err != nil || p.newest.reached(kept, p.keys[0], limit) {
				return kept, err
			}
			held, rows = []*Block{kept}, kept.Rows
		}
	}
}

// sortBlock returns b's rows in order, at most limit of them.
func (p *sortPlan) sortBlock(x *run, b *Block, limit int64) (*Block, error) {
	vs := make([]*Vector, len(p.keys))
	for i, k := range p.keys {
		v, err := k.x.eval(x, b)
		if err != nil {
			return nil, err
		}
		vs[i] = v
	}
	var sel []int32
	if limit >= 0 && limit*topSlack < int64(b.Rows) {
		sel = firstRows(b.Rows, int(limit), p.keys, vs)
	} else {
		sel = make([]int32, b.Rows)
		for i := range sel {
			sel[i] = int32(i)
		}
	}
	if err := x.grow(4 * int64(len(sel))); err != nil {
		return nil, err
	}
	sortRows(x, sel, p.keys, vs)
	if err := x.check(); err != nil {
		return nil, err
	}
	if limit >= 0 && int64(len(sel)) > limit {
		sel = sel[:limit]
	}
	out := &Block{Rows: len(sel), Columns: make([]*Vector, len(b.Columns))}
	for i, c := range b.Columns {
		if p.set[i] || c != nil {
			out.Columns[i] = c.gather(sel)
		}
	}
	return out, nil
}

// firstRows picks the limit rows that come first, in row order, with a heap
// whose root is the worst row kept: most rows cost one comparison.
func firstRows(n, limit int, keys []orderKey, vs []*Vector) []int32 {
	cmps := make([]func(i, j int32) int, len(keys))
	for k := range keys {
		cmps[k] = rowCompare(vs[k], keys[k])
	}
	after := func(i, j int32) bool { // i comes after j; ties keep row order
		for _, c := range cmps {
			if r := c(i, j); r != 0 {
				return r > 0
			}
		}
		return i > j
	}
	h := make([]int32, 0, limit)
	for r := range n {
		i := int32(r)
		switch {
		case len(h) < limit:
			h = append(h, i)
			for c := len(h) - 1; c > 0 && after(h[c], h[(c-1)/2]); c = (c - 1) / 2 {
				h[c], h[(c-1)/2] = h[(c-1)/2], h[c]
			}
		case after(h[0], i):
			h[0] = i
			siftDown(h, after)
		}
	}
	slices.Sort(h)
	return h
}

func siftDown(h []int32, after func(i, j int32) bool) {
	for c := 0; ; {
		k := 2*c + 1
		if k >= len(h) {
			return
		}
		if k+1 < len(h) && after(h[k+1], h[k]) {
			k++
		}
		if !after(h[k], h[c]) {
			return
		}
		h[c], h[k] = h[k], h[c]
		c = k
	}
}

// sortRows orders row numbers by the keys. It stops early when the query's
// context ends; the caller notices.
func sortRows(x *run, sel []int32, keys []orderKey, vs []*Vector) {
	cmps := make([]func(i, j int32) int, len(keys))
	for k := range keys {
		cmps[k] = rowCompare(vs[k], keys[k])
	}
	calls := 0
	stopped := false
	sort.SliceStable(sel, func(a, b int) bool {
		if calls++; calls&0xffff == 0 && x.ctx.Err() != nil {
			stopped = true
		}
		if stopped {
			return false
		}
		i, j := sel[a], sel[b]
		for _, c := range cmps {
			if r := c(i, j); r != 0 {
				return r < 0
			}
		}
		return false
	})
}

// rowCompare compares two rows of a vector in a key's order. NaN stands next
// to null.
func rowCompare(v *Vector, k orderKey) func(i, j int32) int {
	sign, nulls := 1, 1
	if k.desc {
		sign = -1
	}
	if k.nullsFirst {
		nulls = -1
	}
	if v.one {
		return func(int32, int32) int { return 0 }
	}
	byValue := valueCompare(v)
	if v.Type != Real && v.Nulls == nil && v.Type != Dynamic {
		return func(i, j int32) int { return sign * byValue(i, j) }
	}
	rank := func(i int32) int { // 2 null, 1 NaN, 0 a value
		if v.IsNull(int(i)) {
			return 2
		}
		if v.Type == Real && math.IsNaN(v.Reals[i]) {
			return 1
		}
		return 0
	}
	return func(i, j int32) int {
		a, b := rank(i), rank(j)
		if a != b {
			return nulls * (a - b)
		}
		if a != 0 {
			return 0
		}
		return sign * byValue(i, j)
	}
}

func valueCompare(v *Vector) func(i, j int32) int {
	switch {
	case v.Type.usesInts():
		return func(i, j int32) int {
			switch a, b := v.Ints[i], v.Ints[j]; {
			case a < b:
				return -1
			case a > b:
				return 1
			}
			return 0
		}
	case v.Type == Real:
		return func(i, j int32) int {
			switch a, b := v.Reals[i], v.Reals[j]; {
			case a < b:
				return -1
			case a > b:
				return 1
			}
			return 0
		}
	case v.Type == String:
		return func(i, j int32) int { return strings.Compare(v.Str(int(i)), v.Str(int(j))) }
	}
	return func(i, j int32) int { return compareValues(v.Value(int(i)), v.Value(int(j))) }
}
