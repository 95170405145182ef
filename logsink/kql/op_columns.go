package kql

import (
	"cmp"
	"slices"
	"strings"
)

// columnsOp is an operator over a list of column names and patterns.
type columnsOp struct {
	opHead
	items []columnItem
}

// columnItem is a column's name or a pattern, with an order in reorder.
type columnItem struct {
	span
	name  *nameNode
	wild  string // pattern; "" for a plain name
	order string // "", asc, desc, granny-asc, granny-desc
}

func (o *columnsOp) print(p *printer) {
	p.put(o.word, " ")
	for i, it := range o.items {
		if i > 0 {
			p.put(", ")
		}
		if it.wild != "" {
			p.put(it.wild)
		} else {
			it.name.print(p)
		}
		if it.order != "" {
			p.put(" ", it.order)
		}
	}
}

func parseColumns(p *parser, h opHead, ordered bool) columnsOp {
	o := columnsOp{opHead: h}
	o.items = commaList(p, func() columnItem { return p.columnItem(ordered) })
	p.done(&o.opHead)
	return o
}

// columnItem parses a name, or a pattern made of names and stars that touch.
func (p *parser) columnItem(ordered bool) columnItem {
	start := p.tok().at.start
	it := columnItem{}
	if p.at("[") {
		it.name = p.bracketName()
	} else {
		it.wild = p.wildcard()
		if it.wild == "" {
			it.name = &nameNode{span: p.missing("expression").pos()}
		} else if !containsStar(it.wild) {
			it.name = &nameNode{span: p.from(start), name: it.wild}
			it.wild = ""
		}
	}
	it.span = p.from(start)
	if ordered && p.at("asc", "desc", "granny-asc", "granny-desc") {
		it.order = p.advance().text
	}
	return it
}

func containsStar(s string) bool {
	for i := range len(s) {
		if s[i] == '*' {
			return true
		}
	}
	return false
}

// wildcard joins names, numbers and stars that stand without space between.
func (p *parser) wildcard() string {
	s, end := "", -1
	for {
		t := p.tok()
		if end >= 0 && t.at.start != end || t.kind != tokName && t.kind != tokLong && !t.is("*") {
			return s
		}
		if s == "" && t.kind == tokLong {
			return s
		}
		s += t.text
		end = t.at.end
		p.advance()
	}
}

// resolve returns the ordinals an item names, in input order.
func (it *columnItem) resolve(b *binder, in *rel) []int {
	cols := in.cols()
	if it.wild == "" {
		b.in(in.rows(), func() { b.note(it.name.name, false) })
		i := cols.Index(it.name.name)
		if i >= 0 {
			return []int{i}
		}
		if !in.open && it.name.name != "" {
			b.diags.report(it.span, "KS109", "Column name expected.")
			b.diags.report(it.span, "KS142", "The name '%s' does not refer to any known column, table, variable or function.", it.name.name)
		}
		return nil
	}
	var out []int
	for i, c := range cols {
		if matchWild(it.wild, c.Name) {
			out = append(out, i)
		}
	}
	return out
}

// pick returns the plan with the columns at the given ordinals.
func pick(in *rel, ordinals []int) *rel {
	p := &projection{}
	for _, i := range ordinals {
		p.exprs = append(p.exprs, columnRef(i, in.cols()[i], nil))
		p.cols = append(p.cols, in.cols()[i])
	}
	return in.with(p.over(in.plan))
}

func (o *columnsOp) chosen(b *binder, in *rel) map[int]bool {
	out := map[int]bool{}
	for i := range o.items {
		for _, c := range o.items[i].resolve(b, in) {
			out[c] = true
		}
	}
	return out
}

func keepWhere(in *rel, keep func(i int) bool) *rel {
	var out []int
	for i := range in.cols() {
		if keep(i) {
			out = append(out, i)
		}
	}
	return pick(in, out)
}

type projectAwayOp struct{ columnsOp }

func parseProjectAway(p *parser, h opHead) operator { return &projectAwayOp{parseColumns(p, h, false)} }

func (o *projectAwayOp) bind(b *binder, in *rel) *rel {
	drop := o.chosen(b, in)
	return keepWhere(in, func(i int) bool { return !drop[i] })
}

type projectKeepOp struct{ columnsOp }

func parseProjectKeep(p *parser, h opHead) operator { return &projectKeepOp{parseColumns(p, h, false)} }

func (o *projectKeepOp) bind(b *binder, in *rel) *rel {
	keep := o.chosen(b, in)
	return keepWhere(in, func(i int) bool { return keep[i] })
}

type projectReorderOp struct{ columnsOp }

func parseProjectReorder(p *parser, h opHead) operator {
	return &projectReorderOp{parseColumns(p, h, true)}
}

func (o *projectReorderOp) bind(b *binder, in *rel) *rel {
	named := map[int]bool{}
	for i := range o.items {
		if o.items[i].wild == "" {
			for _, c := range o.items[i].resolve(b, in) {
				named[c] = true
			}
		}
	}
	var out []int
	used := map[int]bool{}
	take := func(c int) {
		if !used[c] {
			used[c] = true
			out = append(out, c)
		}
	}
	for i := range o.items {
		it := &o.items[i]
		if it.wild == "" {
			if c := in.cols().Index(it.name.name); c >= 0 {
				take(c)
			}
			continue
		}
		cols := it.resolve(b, in)
		sortNames(in.cols(), cols, it.order)
		for _, c := range cols {
			if !named[c] { // a name of its own wins over a pattern
				take(c)
			}
		}
	}
	for c := range in.cols() {
		take(c)
	}
	return pick(in, out)
}

// sortNames orders columns by name, ignoring case.
func sortNames(schema Schema, cols []int, order string) {
	by := strings.Compare
	switch order {
	case "":
		return
	case "granny-asc", "granny-desc":
		by = compareGranny
	}
	slices.SortStableFunc(cols, func(i, j int) int {
		if strings.HasSuffix(order, "desc") {
			i, j = j, i
		}
		return by(strings.ToUpper(schema[i].Name), strings.ToUpper(schema[j].Name))
	})
}

// compareGranny compares names with the numbers in them as numbers: a20 is
// before a100. (The documentation says so in words; its example has it the
// other way round, as asc does.)
func compareGranny(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x == 0 || y == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		m, n := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
		if c := cmp.Or(cmp.Compare(len(m), len(n)), cmp.Compare(m, n)); c != 0 {
			return c
		}
		a, b = a[x:], b[y:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many digits s begins with.
func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}

type projectRenameOp struct{ exprListOp }

func parseProjectRename(p *parser, h opHead) operator { return &projectRenameOp{parseExprList(p, h)} }

func (o *projectRenameOp) bind(b *binder, in *rel) *rel {
	out := passThrough(in)
	renamed := map[string]bool{}
	for _, n := range o.items {
		named, ok := n.(*namedNode)
		if !ok {
			b.diags.report(n.pos(), "KS005", "Expected: =")
			continue
		}
		o.rename(b, in, out, named, renamed)
	}
	return in.with(out.over(in.plan))
}

func (o *projectRenameOp) rename(b *binder, in *rel, out *projection, n *namedNode, renamed map[string]bool) {
	old, ok := n.x.(*nameNode)
	i := -1
	if ok {
		i = in.cols().Index(old.name)
	}
	if i < 0 {
		if !in.open {
			b.diags.report(n.x.pos(), "KS109", "Column name expected.")
			if ok {
				b.diags.report(n.x.pos(), "KS142", "The name '%s' does not refer to any known column, table, variable or function.", old.name)
			}
		}
		return
	}
	name := n.names[0]
	if renamed[name.name] || in.cols().Index(name.name) >= 0 && in.cols()[i].Name != name.name && !o.moves(name.name) {
		b.diags.report(name.span, "KS171", "A column with the name '%s' is already declared.", name.name)
		return
	}
	renamed[name.name] = true
	out.cols[i].Name = name.name
}

// moves reports whether the column called name is itself renamed.
func (o *projectRenameOp) moves(name string) bool {
	for _, n := range o.items {
		if named, ok := n.(*namedNode); ok {
			if old, ok := named.x.(*nameNode); ok && old.name == name {
				return true
			}
		}
	}
	return false
}
