package kql

// Window functions look at other rows. Their operator hands them its whole
// input as one block, in order.

// serialized reports a window function over rows that have no order.
func (b *binder) serialized(n *callNode) bool {
	if b.row == nil || b.row.sorted || b.row.open {
		return true
	}
	b.diags.report(n.fn.span, "KQL017", "The function '%s' needs rows in an order: use 'serialize' or 'sort' before it.", n.fn.name)
	return false
}

func windowed(typ Type, n node, eval evalFn, from ...*bound) *bound {
	x := derive(typ, n, eval, from...)
	x.window, x.static = true, false
	return x
}

// neighbourForm is prev (dir -1) and next (dir 1): x, offset and default.
func neighbourForm(dir int64) func(b *binder, n *callNode) *bound {
	return func(b *binder, n *callNode) *bound {
		args := b.args(n)
		if !b.count(n, 1, 3) || !b.serialized(n) {
			return failed(n)
		}
		x := args[0]
		if x.typ == NoType {
			return failed(n)
		}
		offset := int64(1)
		if len(args) > 1 {
			if args[1].val == nil || !args[1].typ.isInteger() {
				b.diags.report(n.args[1].pos(), "KS134", "The expression value must be an integer.")
				return failed(n)
			}
			offset = args[1].val.Int
		}
		dflt := constant(nullValue(x.typ), n)
		if len(args) > 2 {
			dflt = cast(args[2], x.typ)
		}
		return windowed(x.typ, n, func(r *run, blk *Block) (*Vector, error) {
			vs, err := evalAll(r, blk, []*bound{x, dflt})
			if err != nil {
				return nil, err
			}
			out := newVector(x.typ, blk.Rows)
			for i := range blk.Rows {
				r.poll(i)
				if j := int64(i) + dir*offset; j >= 0 && j < int64(blk.Rows) {
					out.set(i, blk.Rows, vs[0].Value(int(j)))
				} else {
					out.set(i, blk.Rows, vs[1].Value(i))
				}
			}
			return out, nil
		}, x, dflt)
	}
}

// rowNumberForm is row_number([start [, restart]]).
func rowNumberForm(b *binder, n *callNode) *bound {
	args := b.args(n)
	if !b.count(n, 0, 2) || !b.serialized(n) {
		return failed(n)
	}
	start := constant(longValue(1), n)
	if len(args) > 0 {
		start = cast(args[0], Long)
	}
	restart := b.restart(n, args, 1)
	return windowed(Long, n, func(r *run, blk *Block) (*Vector, error) {
		vs, err := evalAll(r, blk, []*bound{start, restart})
		if err != nil {
			return nil, err
		}
		out := newVector(Long, blk.Rows)
		var next int64
		for i := range blk.Rows {
			r.poll(i)
			if i == 0 || vs[1].Value(i).isTrue() {
				next = vs[0].Value(i).Int
			}
			out.Ints[i] = next
			next++
		}
		return out, nil
	}, start, restart)
}

// restart is the condition that starts a window function anew.
func (b *binder) restart(n *callNode, args []*bound, i int) *bound {
	if i >= len(args) {
		return constant(boolValue(false), n)
	}
	if t := args[i].typ; t != Bool && t != Dynamic && t != NoType {
		b.diags.report(n.args[i].pos(), "KS107", "A value of type bool expected.")
		return constant(boolValue(false), n)
	}
	return cast(args[i], Bool)
}

// rowCumsumForm is row_cumsum(x [, restart]).
func rowCumsumForm(b *binder, n *callNode) *bound {
	args := b.args(n)
	if !b.count(n, 1, 2) || !b.serialized(n) {
		return failed(n)
	}
	x := args[0]
	if x.typ == NoType {
		return failed(n)
	}
	if !x.typ.isNumeric() && x.typ != TimeSpan {
		b.diags.report(n.args[0].pos(), "KS138", "The argument value must be summable: a number, timespan or datetime.")
		return failed(n)
	}
	typ := x.typ
	if typ == Int {
		typ = Long
	}
	x = cast(x, typ)
	restart := b.restart(n, args, 1)
	return windowed(typ, n, func(r *run, blk *Block) (*Vector, error) {
		vs, err := evalAll(r, blk, []*bound{x, restart})
		if err != nil {
			return nil, err
		}
		out := newVector(typ, blk.Rows)
		agg := &sumAgg{t: typ}
		group := uint32(0)
		for i := range blk.Rows {
			r.poll(i)
			if i > 0 && vs[1].Value(i).isTrue() {
				group++
			}
			agg.add([]uint32{group}, int(group)+1, []*Vector{constVector(vs[0].Value(i))}, 1)
			out.set(i, blk.Rows, agg.results(int(group) + 1)[0].Value(int(group)))
		}
		return out, nil
	}, x, restart)
}

// rowRankForm is row_rank_dense and row_rank_min.
func rowRankForm(b *binder, n *callNode) *bound {
	args := b.args(n)
	if !b.count(n, 1, 2) || !b.serialized(n) {
		return failed(n)
	}
	x := args[0]
	if x.typ == NoType {
		return failed(n)
	}
	dense := n.fn.name == "row_rank_dense"
	restart := b.restart(n, args, 1)
	return windowed(Long, n, func(r *run, blk *Block) (*Vector, error) {
		vs, err := evalAll(r, blk, []*bound{x, restart})
		if err != nil {
			return nil, err
		}
		out := newVector(Long, blk.Rows)
		var rank, row int64
		for i := range blk.Rows {
			r.poll(i)
			row++
			switch {
			case i == 0 || vs[1].Value(i).isTrue():
				rank, row = 1, 1
			case vs[0].Value(i).String() == vs[0].Value(i-1).String():
			case dense:
				rank++
			default:
				rank = row
			}
			out.Ints[i] = rank
		}
		return out, nil
	}, x, restart)
}

// rowSessionForm is row_window_session(t, maxFromStart, maxBetween [, restart]):
// the start of the session each row belongs to.
func rowSessionForm(b *binder, n *callNode) *bound {
	args := b.args(n)
	if !b.count(n, 3, 4) || !b.serialized(n) {
		return failed(n)
	}
	t, fromStart, between := cast(args[0], DateTime), cast(args[1], TimeSpan), cast(args[2], TimeSpan)
	restart := b.restart(n, args, 3)
	return windowed(DateTime, n, func(r *run, blk *Block) (*Vector, error) {
		vs, err := evalAll(r, blk, []*bound{t, fromStart, between, restart})
		if err != nil {
			return nil, err
		}
		out := newVector(DateTime, blk.Rows)
		var start, last int64
		open := false
		for i := range blk.Rows {
			r.poll(i)
			v := vs[0].Value(i)
			if v.Null {
				out.setNull(i, blk.Rows)
				open = false
				continue
			}
			if !open || vs[3].Value(i).isTrue() || v.Int-start > vs[1].Value(i).Int || v.Int-last > vs[2].Value(i).Int {
				start = v.Int
			}
			open, last = true, v.Int
			out.Ints[i] = start
		}
		return out, nil
	}, t, fromStart, between, restart)
}
