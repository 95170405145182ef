package kql

import "strings"

// member binds x.name: a key of a dynamic, or a column of a join's side.
func (b *binder) member(n *memberNode) *bound {
	if x := b.sideColumn(n); x != nil {
		return x
	}
	x := b.expr(n.x)
	return b.element(x, n, constant(stringValue(n.name.name), n.name))
}

// sideColumn resolves $left.a and $right.a inside of a join, and step.a in scan.
func (b *binder) sideColumn(n *memberNode) *bound {
	side, ok := n.x.(*nameNode)
	if !ok || b.row == nil {
		return nil
	}
	if cols, ok := b.row.states[side.name]; ok {
		i := cols.Index(n.name.name)
		if i < 0 {
			b.diags.report(n.name.span, "KS142", "The name '%s' does not refer to any known column, table, variable or function.", n.name.name)
			return failed(n)
		}
		at := b.row.stateCols[side.name+"."+n.name.name]
		return columnRef(at, b.row.cols[at], n)
	}
	return nil
}

func (b *binder) index(n *indexNode) *bound {
	x := b.expr(n.x)
	var i *bound
	if lit, ok := n.index.(*nameNode); ok && lit.bracketed {
		i = constant(stringValue(lit.name), lit)
	} else {
		i = b.expr(n.index)
	}
	return b.element(x, n, i)
}

// element binds the access to a key or index of a dynamic.
func (b *binder) element(x *bound, n node, key *bound) *bound {
	if x.typ == NoType || key.typ == NoType {
		return failed(n)
	}
	if x.typ != Dynamic {
		at := n.pos()
		if m, ok := n.(*memberNode); ok {
			at = m.name.span
		}
		b.diags.report(at, "KS143", "The expression must be a dynamic value to use path access.")
		return failed(n)
	}
	y := derive(Dynamic, n, elementEval(x, key), x, key)
	y.name = pathName(x, key)
	name := y.name
	y = fold(y, x, key)
	y.name = name
	return y
}

// pathName names d.x d_x, and d[0] d_0.
func pathName(x, key *bound) string {
	base := x.name
	if base == "" || key.val == nil {
		return ""
	}
	k := key.val.String()
	return base + "_" + strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, k)
}

func elementEval(x, key *bound) evalFn {
	if key.val != nil && key.val.Type == String {
		name := key.val.Str
		return mapDynamic(x, func(d any) any {
			if bag, ok := d.(*Bag); ok {
				v, _ := bag.Get(name)
				return v
			}
			return nil
		})
	}
	return func(r *run, blk *Block) (*Vector, error) {
		xs, err := x.eval(r, blk)
		if err != nil {
			return nil, err
		}
		ks, err := key.eval(r, blk)
		if err != nil {
			return nil, err
		}
		out := newVector(Dynamic, blk.Rows)
		for i := range blk.Rows {
			out.Dynamics[i] = dynamicAt(xs.Dynamics[xs.at(i)], ks.Value(i))
		}
		return out, nil
	}
}

// dynamicAt returns element key of d; negative indexes count from the end.
func dynamicAt(d any, key Value) any {
	if key.Type == Dynamic {
		key = fromDynamic(key.Any)
	}
	switch d := d.(type) {
	case *Bag:
		v, _ := d.Get(key.String())
		return v
	case []any:
		if key.Null || !key.Type.isInteger() {
			return nil
		}
		i := key.Int
		if i < 0 {
			i += int64(len(d))
		}
		if i >= 0 && i < int64(len(d)) {
			return d[i]
		}
	}
	return nil
}

func mapDynamic(x *bound, f func(any) any) evalFn {
	return func(r *run, blk *Block) (*Vector, error) {
		xs, err := x.eval(r, blk)
		if err != nil {
			return nil, err
		}
		if xs.one {
			return constVector(dynamicValue(f(xs.Dynamics[0]))), nil
		}
		out := newVector(Dynamic, blk.Rows)
		for i, d := range xs.Dynamics[:blk.Rows] {
			out.Dynamics[i] = f(d)
		}
		return out, nil
	}
}
