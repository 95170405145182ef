package kql

type partitionOp struct {
	opHead
	params []param
	key    node
	sub    *subquery
}

func parsePartition(p *parser, h opHead) operator {
	op := &partitionOp{opHead: h}
	op.params = p.params()
	p.expect("by")
	if it := p.columnItem(false); it.name != nil {
		op.key = it.name
	} else {
		op.key = &wildNode{it.span, it.wild}
	}
	op.sub = p.subquery()
	p.done(&op.opHead)
	return op
}

func (o *partitionOp) print(p *printer) {
	p.put("partition")
	printParams(p, o.params)
	p.put(" by ")
	o.key.print(p)
	p.put(" ")
	o.sub.print(p)
}

func (o *partitionOp) bind(b *binder, in *rel) *rel {
	k := b.groupKeys(in, []node{o.key})
	feed := &feedPlan{cols: in.cols()}
	b.inRows++
	sub := o.sub.bind(b, &rel{plan: feed, open: in.open, sorted: in.sorted})
	b.inRows--
	p := &partitionPlan{in: in.plan, key: k.exprs, feed: feed, sub: sub.plan}
	return &rel{plan: p, open: in.open || sub.open}
}

// partitionPlan runs a sub-query over the rows of each key value.
type partitionPlan struct {
	in   plan
	key  []*bound
	feed *feedPlan
	sub  plan
}

func (p *partitionPlan) columns() Schema { return p.sub.columns() }

func (p *partitionPlan) require(need colset) {
	p.sub.require(need)
	p.in.require(allCols(len(p.in.columns())))
}

func (p *partitionPlan) open(x *run) (iter, error) {
	in, err := p.in.open(x)
	if err != nil {
		return nil, err
	}
	var parts []*Block
	var cur iter
	loaded := false
	return func() (*Block, error) {
		if !loaded {
			loaded = true
			var err error
			if parts, err = p.split(x, in); err != nil {
				return nil, err
			}
		}
		for {
			if err := x.check(); err != nil {
				return nil, err
			}
			if cur == nil {
				if len(parts) == 0 {
					return nil, nil
				}
				p.feed.blocks = parts[:1]
				parts = parts[1:]
				var err error
				if cur, err = p.sub.open(x.child()); err != nil {
					return nil, err
				}
			}
			b, err := cur()
			if b != nil || err != nil {
				return b, err
			}
			cur = nil
		}
	}, nil
}

// split gives each key value's rows a block.
func (p *partitionPlan) split(x *run, in iter) ([]*Block, error) {
	blocks, err := x.collect(in)
	if err != nil || len(blocks) == 0 {
		return nil, err
	}
	all := concat(blocks, p.in.columns())
	keys, err := evalAll(x, all, p.key)
	if err != nil {
		return nil, err
	}
	types := make([]Type, len(p.key))
	for i, k := range p.key {
		types[i] = k.typ
	}
	g := newGrouper(types)
	ids := g.add(keys, all.Rows)
	sels := make([][]int32, g.n)
	for i, id := range ids {
		sels[id] = append(sels[id], int32(i))
	}
	out := make([]*Block, g.n)
	for i, sel := range sels {
		out[i] = all.gather(sel)
	}
	return out, nil
}
