package kql

type mvApplyOp struct {
	opHead
	params []param
	items  []mvItem
	limit  node
	sub    *subquery
}

func parseMvApply(p *parser, h opHead) operator {
	op := &mvApplyOp{opHead: h}
	op.params = p.params("kind", "bagexpansion", "with_itemindex")
	op.items = commaList(p, p.mvItem, "limit", "on")
	if p.accept("limit") {
		op.limit = p.expr()
	}
	p.expect("on")
	op.sub = p.subquery()
	p.done(&op.opHead)
	return op
}

// subquery is operators in parentheses that run over rows handed to them.
type subquery struct {
	span
	ops []operator
	// source, when not nil, starts the query by itself.
	source node
}

func (p *parser) subquery() *subquery {
	start := p.tok().at.start
	s := &subquery{}
	closing := ")"
	if p.at("{") {
		closing = "}"
		p.advance()
	} else {
		p.expect("(")
	}
	defer p.nest()()
	if p.tooDeep() {
		return s
	}
	if closing == "}" && !p.startsOperator() && operatorTable[p.tok().text].parse == nil {
		s.source = p.pipe()
	} else {
		for {
			if op := p.barOperator(); op != nil {
				s.ops = append(s.ops, op)
			}
			if !p.accept("|") {
				break
			}
		}
	}
	p.expect(closing)
	s.span = p.from(start)
	return s
}

func (s *subquery) print(p *printer) {
	if s.source != nil {
		p.put("{ ")
		s.source.print(p)
		p.put(" }")
		return
	}
	p.put("(")
	for i, op := range s.ops {
		if i > 0 {
			p.newline()
			p.put("| ")
		}
		op.print(p)
	}
	p.put(")")
}

// bind runs the operators over in.
func (s *subquery) bind(b *binder, in *rel) *rel {
	row, aggs := b.row, b.aggs
	b.row, b.aggs = nil, nil
	b.push()
	defer func() { b.pop(); b.row, b.aggs = row, aggs }()
	r := in
	for _, op := range s.ops {
		next := op.bind(b, r)
		if next == nil {
			return openRel()
		}
		r = next
	}
	return r
}

func (o *mvApplyOp) print(p *printer) {
	p.put("mv-apply")
	printParams(p, o.params)
	printMvItems(p, o.items)
	if o.limit != nil {
		p.put(" limit ")
		o.limit.print(p)
	}
	p.put(" on ")
	o.sub.print(p)
}

func (o *mvApplyOp) bind(b *binder, in *rel) *rel {
	ex := b.expansion(in, o.params, o.items)
	if o.limit != nil {
		ex.limit = b.integer(o.limit)
	}
	feed := &feedPlan{cols: ex.cols}
	b.inRows++
	sub := o.sub.bind(b, &rel{plan: feed, open: in.open, sorted: true})
	b.inRows--
	p := &applyPlan{ex: ex, feed: feed, sub: sub.plan}
	expanded := map[int]bool{}
	for _, t := range ex.targets {
		expanded[t] = true
	}
	names := map[string]bool{}
	for i, c := range in.cols() {
		if !expanded[i] {
			p.cols = append(p.cols, c)
			p.parent = append(p.parent, i)
			names[c.Name] = true
		}
	}
	for i, c := range sub.cols() {
		if !names[c.Name] {
			p.cols = append(p.cols, c)
			p.result = append(p.result, i)
		}
	}
	return in.with(p)
}

// feedPlan is the input of a sub-query: rows set before it is opened.
type feedPlan struct {
	cols   Schema
	blocks []*Block
}

func (p *feedPlan) columns() Schema         { return p.cols }
func (p *feedPlan) require(colset)          {}
func (p *feedPlan) open(*run) (iter, error) { return fromBlocks(p.blocks), nil }

// applyPlan runs a sub-query over the expansion of each row and puts its
// result beside the row.
type applyPlan struct {
	ex     *expandPlan
	feed   *feedPlan
	sub    plan
	cols   Schema
	parent []int // ordinals of the row's columns kept
	result []int // ordinals of the sub-query's columns added
	onceAsked
}

func (p *applyPlan) columns() Schema { return p.cols }

func (p *applyPlan) require(colset) {
	if !p.first() {
		return
	}
	p.ex.require(allCols(len(p.ex.cols)))
	p.ex.in.require(allCols(len(p.ex.in.columns())))
	p.sub.require(allCols(len(p.sub.columns())))
}

func (p *applyPlan) open(x *run) (iter, error) {
	in, err := p.ex.in.open(x)
	if err != nil {
		return nil, err
	}
	limit := int64(-1)
	if p.ex.limit != nil {
		v, err := p.ex.limit.value(x)
		if err != nil {
			return nil, err
		}
		limit = v.Int
	}
	var cur *Block
	row := 0
	return func() (*Block, error) {
		for {
			if err := x.check(); err != nil {
				return nil, err
			}
			if cur == nil || row >= cur.Rows {
				b, err := in()
				if b == nil || err != nil {
					return nil, err
				}
				cur, row = b, 0
				continue
			}
			one := cur.slice(row, row+1)
			row++
			out, err := p.apply(x, one, limit)
			if err != nil {
				return nil, err
			}
			if out != nil && out.Rows > 0 {
				return out, nil
			}
		}
	}, nil
}

// apply runs the sub-query for one row.
func (p *applyPlan) apply(x *run, one *Block, limit int64) (*Block, error) {
	e := &expander{p: p.ex, x: x, in: fromBlocks([]*Block{one}), limit: limit}
	p.feed.blocks = nil
	for {
		b, err := e.next()
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		p.feed.blocks = append(p.feed.blocks, b)
	}
	sub := x.child()
	in, err := p.sub.open(sub)
	if err != nil {
		return nil, err
	}
	blocks, err := sub.collect(in)
	if err != nil || len(blocks) == 0 {
		return nil, err
	}
	res := concat(blocks, p.sub.columns())
	sel := make([]int32, res.Rows)
	out := &Block{Rows: res.Rows}
	for _, i := range p.parent {
		out.Columns = append(out.Columns, one.Columns[i].gather(sel))
	}
	for _, i := range p.result {
		out.Columns = append(out.Columns, res.Columns[i])
	}
	return out, nil
}
