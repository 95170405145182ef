package kql

type projectByNamesOp struct{ exprListOp }

func parseProjectByNames(p *parser, h opHead) operator {
	return &projectByNamesOp{parseExprList(p, h)}
}

// bind keeps the columns that constant names, arrays of names and patterns
// mention, in that order; names of no column are passed over.
// https://learn.microsoft.com/kusto/query/project-by-names-operator
func (o *projectByNamesOp) bind(b *binder, in *rel) *rel {
	var out []int
	used := map[int]bool{}
	for _, n := range o.items {
		x := b.rowFree(n)
		if x.val == nil {
			if x.typ != NoType && !x.static {
				b.diags.report(n.pos(), "KS129", "The expression must be a constant.")
			}
			if x.static && x.typ != NoType {
				in = openLike(in)
			}
			continue
		}
		for _, v := range flatten(nil, *x.val) {
			for i, c := range in.cols() {
				if matchWild(v.String(), c.Name) && !used[i] {
					used[i] = true
					out = append(out, i)
				}
			}
		}
	}
	return pick(in, out)
}

// openLike is r with columns that are not known: a parameter names them.
func openLike(r *rel) *rel {
	out := r.with(r.plan)
	out.open = true
	return out
}
