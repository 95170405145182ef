package kql

// charts are what render can ask for, in the order the language service
// lists them.
var charts = []string{"table", "list", "barchart", "piechart", "ladderchart", "timechart", "linechart", "anomalychart", "pivotchart",
	"areachart", "stackedareachart", "scatterchart", "timepivot", "columnchart", "timeline", "3Dchart", "card", "treemap",
	"plotly", "graph", "sankey"}

var renderProperties = []string{"title", "kind", "xcolumn", "ycolumns", "series", "xtitle", "ytitle", "legend", "ysplit",
	"accumulate", "ymin", "ymax", "xmin", "xmax", "xaxis", "yaxis", "anomalycolumns", "legendtitle", "panels"}

type renderOp struct {
	opHead
	chart string
	props []renderProp
}

type renderProp struct {
	name  string
	vals  []node
	paren bool
}

func parseRender(p *parser, h opHead) operator {
	op := &renderOp{opHead: h}
	t := p.tok()
	name := t.text
	if t.kind == tokName && name == "3Dchart" || t.kind == tokName && contains(charts, name) {
		op.chart = name
		p.advance()
	} else {
		p.expectedOneOf(charts)
	}
	if p.accept("with") {
		p.expect("(")
		op.parseProps(p)
		p.expect(")")
	} else {
		op.parseProps(p) // render timechart title="x", the old form
	}
	p.done(&op.opHead)
	return op
}

func (o *renderOp) parseProps(p *parser) {
	for p.tok().kind == tokName && p.peek().is("=") && contains(renderProperties, p.tok().text) {
		r := renderProp{name: p.advance().text}
		p.advance()
		if p.at("(") {
			r.paren = true
			p.advance()
			r.vals = append(r.vals, p.optionValue())
			for p.accept(",") {
				r.vals = append(r.vals, p.optionValue())
			}
			p.expect(")")
		} else {
			r.vals = append(r.vals, p.optionValue())
			for p.at(",") && p.peek().kind == tokName && !p.peekN(2).is("=") {
				p.advance()
				r.vals = append(r.vals, p.optionValue())
			}
		}
		o.props = append(o.props, r)
		p.accept(",")
	}
}

func (o *renderOp) print(p *printer) {
	p.put("render ", o.chart)
	if len(o.props) == 0 {
		return
	}
	p.put(" with (")
	for i, r := range o.props {
		if i > 0 {
			p.put(", ")
		}
		p.put(r.name, "=")
		if r.paren {
			p.put("(")
		}
		list(p, r.vals)
		if r.paren {
			p.put(")")
		}
	}
	p.put(")")
}

func (o *renderOp) bind(b *binder, in *rel) *rel {
	out := in.with(in.plan)
	out.sorted = in.sorted
	out.render = &Visualization{Kind: o.chart, Properties: map[string]string{}, IsSorted: in.sorted}
	for _, r := range o.props {
		s := ""
		for i, v := range r.vals {
			if i > 0 {
				s += ","
			}
			s += (&param{val: v}).text()
		}
		out.render.Properties[r.name] = s
	}
	return out
}
