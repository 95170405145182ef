package kql

import "strings"

type reduceOp struct {
	opHead
	params []param
	x      node
	with   bool
	opts   []param
}

func parseReduce(p *parser, h opHead) operator {
	op := &reduceOp{opHead: h}
	op.params = p.params("kind")
	p.expect("by")
	op.x = p.namedExpr()
	if op.with = p.accept("with"); op.with {
		op.opts = p.reduceOptions()
	}
	p.done(&op.opHead)
	return op
}

var reduceOptions = []string{"threshold", "characters"}

// reduceOptions parses threshold = 0.1, characters = "…".
func (p *parser) reduceOptions() []param {
	var out []param
	for {
		if p.tok().kind != tokName || !contains(reduceOptions, p.tok().text) {
			p.expectedOneOf(reduceOptions)
		}
		if p.tok().kind != tokName || !p.peek().is("=") {
			return out
		}
		start := p.tok().at.start
		v := param{name: p.advance().text}
		p.advance()
		v.valAt = p.here()
		v.val = p.unary()
		v.at = p.from(start)
		out = append(out, v)
		if !p.accept(",") {
			return out
		}
	}
}

func (o *reduceOp) print(p *printer) {
	p.put("reduce")
	printParams(p, o.params)
	p.put(" by ")
	o.x.print(p)
	if !o.with {
		return
	}
	p.put(" with")
	for i, v := range o.opts {
		if i > 0 {
			p.put(",")
		}
		p.put(" ", v.name, " = ")
		v.val.print(p)
	}
}

func (o *reduceOp) bind(b *binder, in *rel) *rel {
	plan := &reducePlan{in: in.plan, threshold: 0.1, separates: separatesTerms}
	var x *bound
	b.in(in.rows(), func() { x = b.expr(keyExpr(o.x)) })
	plan.x = cast(x, String)
	for _, v := range o.params {
		if v.name == "kind" {
			b.oneOf(&v, []string{"source"})
			plan.source = true
		}
	}
	for _, v := range o.opts {
		val := b.rowFree(v.val)
		switch {
		case val.val == nil:
			b.diags.report(v.valAt, "KS129", "The expression must be a constant.")
		case v.name == "characters" && val.typ == String:
			plan.separates = oneOfRunes(val.val.Str)
		case v.name == "threshold" && val.typ.isNumeric() && val.val.float() >= 0 && val.val.float() <= 1:
			plan.threshold = val.val.float()
		case v.name == "threshold":
			b.diags.report(v.valAt, "KQL022", "The threshold must be a number from 0 to 1.")
		case v.name == "characters":
			b.diags.report(v.valAt, "KS107", "A value of type string expected.")
		}
	}
	if !plan.source {
		plan.cols = Schema{{"Pattern", String}, {"Count", Long}, {"Representative", String}}
		return &rel{plan: plan, open: in.open}
	}
	out := passThrough(in)
	plan.cols = append(append(plan.cols, in.cols()...), Column{out.free("Pattern"), String})
	return in.with(plan)
}

// oneOfRunes tells the characters of a text from others.
func oneOfRunes(chars string) func(rune) bool {
	return func(r rune) bool { return strings.ContainsRune(chars, r) }
}

// separatesTerms tells what separates terms when no characters are given.
func separatesTerms(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
}

// reducePlan groups its input by the pattern of a text: a row a pattern, or
// with source, the rows with their pattern.
type reducePlan struct {
	in        plan
	x         *bound
	cols      Schema
	source    bool
	threshold float64
	separates func(rune) bool
	needs
}

func (p *reducePlan) columns() Schema { return p.cols }

func (p *reducePlan) require(need colset) {
	if !p.want(need) {
		return
	}
	mine := make(colset, len(p.in.columns()))
	if p.source {
		copy(mine, need)
	}
	mine.add(p.x.cols)
	p.in.require(mine)
}

func (p *reducePlan) open(x *run) (iter, error) {
	in, err := p.in.open(x)
	if err != nil {
		return nil, err
	}
	var out iter
	return func() (*Block, error) {
		if out == nil {
			if out, err = p.reduce(x, in); err != nil {
				return nil, err
			}
		}
		return out()
	}, nil
}

func (p *reducePlan) reduce(x *run, in iter) (iter, error) {
	if !p.source {
		in = p.textsOnly(x, in)
	}
	blocks, err := x.collect(in)
	if err != nil {
		return nil, err
	}
	r := &reducer{run: x, separates: p.separates}
	for _, b := range blocks {
		text := b
		if p.source {
			if text, err = p.textOf(x, b); err != nil {
				return nil, err
			}
		}
		r.texts = append(r.texts, text)
		r.rows += b.Rows
	}
	if err := r.cluster(p.threshold); err != nil {
		return nil, err
	}
	if p.source {
		return p.withPatterns(r, blocks), nil
	}
	rows := &rowBuilder{schema: p.cols}
	for _, c := range r.result() {
		rows.add(stringValue(c.pattern), longValue(c.count), stringValue(c.representative))
	}
	return chunked(rows.block()), nil
}

// textsOnly evaluates the text of every block, so that nothing else is kept.
func (p *reducePlan) textsOnly(x *run, in iter) iter {
	return func() (*Block, error) {
		b, err := in()
		if b == nil || err != nil {
			return nil, err
		}
		return p.textOf(x, b)
	}
}

// textOf is a block of the texts of another one.
func (p *reducePlan) textOf(x *run, b *Block) (*Block, error) {
	v, err := p.x.eval(x, b)
	if err != nil {
		return nil, err
	}
	return &Block{Rows: b.Rows, Columns: []*Vector{v.flat(b.Rows)}}, nil
}

// withPatterns adds to each row its pattern.
func (p *reducePlan) withPatterns(r *reducer, blocks []*Block) iter {
	pattern, row := r.patterns(), 0
	return func() (*Block, error) {
		if len(blocks) == 0 {
			return nil, nil
		}
		b := blocks[0]
		blocks = blocks[1:]
		v := newVector(String, b.Rows)
		for i := range v.Strs {
			v.Strs[i] = pattern[r.rowClusters[row]]
			row++
		}
		return &Block{Rows: b.Rows, Columns: append(b.Columns[:len(b.Columns):len(b.Columns)], v)}, nil
	}
}
