package kql

// newestHint connects a sort by time, newest first and limited, with the scan
// at the bottom of its input: when the scan's remaining rows are all older
// than those kept, the query is done.
type newestHint struct{ scanner TimeBounder }

// newSortPlan sorts and keeps n rows. When the first key is the time column
// of a scan, descending, the scan is asked for its newest rows first.
func newSortPlan(in plan, keys []orderKey, n *bound) *sortPlan {
	p := &sortPlan{in: in, keys: keys, n: n}
	if k := keys[0]; k.desc && !k.nullsFirst && k.x.col >= 0 {
		hint := &newestHint{}
		limit := int64(0)
		if len(keys) == 1 && n.val != nil && !n.val.Null {
			limit = max(n.val.Int, 0)
		}
		if below := askNewest(in, k.x.col, limit, hint); below != nil {
			p.in, p.newest = below, hint
		}
	}
	return p
}

// askNewest returns in with its scan asked for the newest rows first, nil
// when column col is not the scan's time. Operators on the way may drop and
// compute columns, and drop rows; the last leaves open how many rows of the
// scan are enough, which else is limit, 0 for all.
func askNewest(in plan, col int, limit int64, hint *newestHint) plan {
	switch p := in.(type) {
	case *scanPlan:
		if col != p.schema.TimeColumn() || p.req.Limit > 0 {
			return nil
		}
		scan := &scanPlan{table: p.table, schema: p.schema, req: p.req, newest: hint}
		scan.req.Newest, scan.req.Limit = true, limit
		return scan
	case *filterPlan:
		if below := askNewest(p.in, col, 0, hint); below != nil && !p.pred.window {
			return &filterPlan{in: below, pred: p.pred}
		}
	case *projectPlan:
		e := p.exprs[col]
		if e.col < 0 || p.windowed() {
			return nil
		}
		if below := askNewest(p.in, e.col, limit, hint); below != nil {
			return &projectPlan{in: below, exprs: p.exprs, cols: p.cols}
		}
	}
	return nil
}

// reached reports whether kept, sorted, has limit rows that are all newer
// than what is still to come.
func (h *newestHint) reached(kept *Block, key orderKey, limit int64) bool {
	if h.scanner == nil || int64(kept.Rows) < limit {
		return false
	}
	newest, ok := h.scanner.RemainingTime()
	oldest := kept.Columns[key.x.col].Value(kept.Rows - 1)
	return ok && !oldest.Null && Ticks(oldest.Int) > newest
}
