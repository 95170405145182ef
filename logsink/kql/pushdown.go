package kql

import "strings"

// A condition carries the predicates it implies on single columns, in the
// ordinals of the rows it is bound over. filtered hands them to the scan
// below: they let it skip blocks. The filter itself still runs, unless the
// predicates say all it says and the table applies them exactly.

// pushDown returns in with the predicates handed to its scan. Plans on the
// way are copied: a let table may be read elsewhere without the condition.
func pushDown(in plan, preds []Predicate) plan {
	if len(preds) == 0 {
		return in
	}
	switch p := in.(type) {
	case *scanPlan:
		scan := &scanPlan{table: p.table, schema: p.schema, req: p.req, newest: p.newest}
		scan.req.Predicates = append([]Predicate(nil), p.req.Predicates...)
		for _, pr := range preds {
			scan.add(pr)
		}
		return scan
	case *filterPlan:
		return &filterPlan{in: pushDown(p.in, preds), pred: p.pred}
	case *projectPlan:
		var below []Predicate
		for _, pr := range preds {
			if e := p.exprs[pr.Column]; e.col >= 0 {
				pr.Column = e.col
				below = append(below, pr)
			}
		}
		if len(below) > 0 {
			return &projectPlan{in: pushDown(p.in, below), exprs: p.exprs, cols: p.cols}
		}
	}
	return in
}

var pushOps = map[string]PredicateOp{
	"==": OpEqual, "=~": OpEqual, "has": OpHas, "has_cs": OpHas, "hasprefix": OpHasPrefix, "hasprefix_cs": OpHasPrefix,
	"contains": OpContains, "contains_cs": OpContains, "startswith": OpStartsWith, "startswith_cs": OpStartsWith,
	"endswith": OpEndsWith, "endswith_cs": OpEndsWith,
	">": OpGreater, ">=": OpGreaterEqual, "<": OpLess, "<=": OpLessEqual,
}

var flipped = map[string]string{">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "=="}

// binaryPreds returns what an operation on l and r implies, and whether that
// is all it says.
func binaryPreds(op string, l, r *bound) (preds []Predicate, whole bool) {
	if op == "and" {
		return append(append([]Predicate(nil), l.preds...), r.preds...), l.whole && r.whole
	}
	if l.col < 0 {
		f, ok := flipped[op]
		if !ok {
			return nil, false
		}
		op, l, r = f, r, l
	}
	if l.col < 0 || r.val == nil {
		return nil, false
	}
	if op == "matches regex" {
		re, err := compilePattern(r.val.Str)
		if err != nil || re.needs == "" {
			return nil, false
		}
		return columnPred(l, OpContains, false, stringValue(re.needs)), false
	}
	p, ok := pushOps[op]
	if !ok {
		return nil, false
	}
	text := p >= OpHas && p <= OpEndsWith
	preds = columnPred(l, p, op == "=~" || text && !strings.HasSuffix(op, "_cs"), *r.val)
	return preds, len(preds) > 0
}

// betweenPreds returns what x between (lo .. hi) implies, and whether that is
// all it says.
func betweenPreds(x, lo, hi *bound) (preds []Predicate, whole bool) {
	if x.col < 0 || lo.val == nil || hi.val == nil {
		return nil, false
	}
	from, to := columnPred(x, OpGreaterEqual, false, *lo.val), columnPred(x, OpLessEqual, false, *hi.val)
	return append(from, to...), len(from) > 0 && len(to) > 0
}

// inPreds returns what a membership in constants implies.
func inPreds(op string, x *bound, set *inList) []Predicate {
	p, fold := OpEqual, strings.HasSuffix(op, "~")
	switch op {
	case "in", "in~":
	case "has_any":
		p, fold = OpHas, true
	case "has_all":
		p, fold = OpHasAll, true
	default:
		return nil
	}
	if x.col < 0 || set.rel != nil || !set.constant() {
		return nil
	}
	vals, err := set.values(foldRun, nil)
	if err != nil {
		return nil
	}
	return columnPred(x, p, fold, vals...)
}

// columnPred makes a predicate if the values have the column's type.
func columnPred(x *bound, op PredicateOp, fold bool, vals ...Value) []Predicate {
	if len(vals) == 0 || x.typ == Dynamic {
		return nil
	}
	out := make([]Value, len(vals))
	for i, v := range vals {
		switch {
		case v.Null:
			return nil
		case v.Type == x.typ || v.Type.isNumeric() && x.typ.isNumeric():
		case x.typ == String && op >= OpHas && op <= OpEndsWith:
			v = stringValue(v.String())
		default:
			return nil
		}
		out[i] = v
	}
	return []Predicate{{Column: x.col, Op: op, IgnoreCase: fold, Values: out}}
}

// applies reports whether the scan itself drops every row that fails preds.
func (p *scanPlan) applies(preds []Predicate) bool {
	exact, ok := p.table.(ExactTable)
	for i := 0; ok && i < len(preds); i++ {
		ok = exact.Exact(preds[i])
	}
	return ok
}

// add records a predicate, and a time range when it is one on the time column.
func (p *scanPlan) add(pr Predicate) {
	if pr.Column == p.schema.TimeColumn() && len(pr.Values) == 1 {
		p.limitTime(pr.Op, Ticks(pr.Values[0].Int))
	}
	p.req.Predicates = append(p.req.Predicates, pr)
}

// limitTime narrows the time range.
func (p *scanPlan) limitTime(op PredicateOp, t Ticks) {
	from, to := t, t
	switch op {
	case OpGreater:
		from, to = t+1, 0
	case OpGreaterEqual:
		to = 0
	case OpLess:
		from, to = 0, t-1
	case OpLessEqual:
		from = 0
	case OpEqual:
	default:
		return
	}
	r := &p.req.Time
	r.From = max(r.From, from)
	if op != OpGreater && op != OpGreaterEqual && (r.To == 0 || to < r.To) {
		r.To = max(to, 1)
	}
}
