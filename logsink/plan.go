package logsink

import (
	"math"

	"github.com/acalocal/acalocal/logsink/kql"
)

// scanPlan is a scan request in terms of stored columns.
type scanPlan struct {
	view     *view
	columns  []int // of the view, to fill
	min, max int64 // of the row's time
	names    []nameTest
	numbers  []numberTest
	texts    []textTest
	none     bool   // no row can pass
	end      uint64 // sequence number before which rows are looked at
	limit    int64  // enough rows, of the newest if newest; 0: all
	newest   bool   // parts with the latest times first
	counted  bool   // rows may be counted
	// recent is set when a few of the latest rows are enough.
	recent *recentRows
}

// nameTest is a predicate on a field of a column of tuples.
type nameTest struct {
	col, field int
	pred       kql.Predicate
}

// numberTest is a range a number must be in.
type numberTest struct {
	col      int
	min, max int64
}

// newScanPlan turns a request on a view into a plan. What it cannot use of the
// request's advice it leaves to the engine.
func newScanPlan(v *view, req kql.ScanRequest, end uint64) *scanPlan {
	p := &scanPlan{view: v, columns: req.Columns, min: math.MinInt64, max: math.MaxInt64, end: end, newest: req.Newest, counted: req.Counted}
	if req.Time.From != 0 {
		p.min = int64(req.Time.From)
	}
	if req.Time.To != 0 {
		p.max = int64(req.Time.To)
	}
	if v.only != nil {
		p.names = append(p.names, *v.only)
	}
	exact := true
	for _, pred := range req.Predicates {
		exact = p.add(pred) && exact
	}
	if exact {
		p.limit = req.Limit
		if p.newest && p.limit > 0 {
			p.recent = newRecentRows(p.limit)
		}
	}
	return p
}

// add makes use of a predicate, and reports whether it does so exactly.
func (p *scanPlan) add(pred kql.Predicate) (exact bool) {
	c := p.view.columns[pred.Column]
	switch c.origin {
	case fromConstant:
		if c.Type == kql.String {
			p.none = p.none || !passesName(c.text, pred)
			return isName(pred)
		}
	case fromTime:
		return p.addTime(pred)
	case fromTuple:
		p.names = append(p.names, nameTest{c.col, c.field, pred})
		return isName(pred)
	case fromText:
		if t, ok := newTextTest(c.col, pred); ok {
			p.texts = append(p.texts, t)
		}
	case fromInt:
		if lo, hi, ok := bounds(pred); ok && c.scale == 1 {
			p.numbers = append(p.numbers, numberTest{c.col, lo, hi})
			return true
		}
	}
	return false
}

// isName reports whether pred is met by some texts and no others, so that it
// can be decided once for each entry of a dictionary.
func isName(pred kql.Predicate) bool { return pred.Op == kql.OpEqual && !pred.IgnoreCase }

func (p *scanPlan) addTime(pred kql.Predicate) (exact bool) {
	lo, hi, ok := bounds(pred)
	if ok {
		p.min, p.max = max(p.min, lo), min(p.max, hi)
	}
	return ok
}

// bounds returns the closed range that a predicate with one value of a whole
// type asks for.
func bounds(pred kql.Predicate) (lo, hi int64, ok bool) {
	lo, hi = math.MinInt64, math.MaxInt64
	if len(pred.Values) != 1 {
		return lo, hi, false
	}
	v := pred.Values[0]
	switch v.Type {
	case kql.Int, kql.Long, kql.DateTime, kql.TimeSpan:
	default:
		return lo, hi, false
	}
	switch pred.Op {
	case kql.OpEqual:
		return v.Int, v.Int, true
	case kql.OpGreaterEqual:
		return v.Int, hi, true
	case kql.OpLessEqual:
		return lo, v.Int, true
	case kql.OpGreater:
		return v.Int + 1, hi, v.Int < math.MaxInt64
	case kql.OpLess:
		return lo, v.Int - 1, v.Int > math.MinInt64
	}
	return lo, hi, false
}

// skips reports whether no row of the part can pass, as far as its description
// and term filters tell.
func (p *scanPlan) skips(q part) (bool, error) {
	if p.none || q.max < p.min || q.min > p.max || q.first >= p.end || q.bad() {
		return true, nil
	}
	if p.recent != nil && p.latest(q) < p.recent.least.Load() {
		return true, nil
	}
	for i := range p.names {
		if allowed, _ := p.names[i].allowed(q); allowed == nil {
			return true, nil
		}
	}
	if q.block == nil {
		return false, nil
	}
	for _, t := range p.numbers {
		if m := q.block.ints[t.col]; m.max < t.min || m.min > t.max {
			return true, nil
		}
	}
	for i := range p.texts {
		if yes, err := p.texts[i].mayMatch(q.block); !yes || err != nil {
			return true, err
		}
	}
	return false, nil
}

// allowed tells which codes of the part's tuples may pass: nil when none may,
// and all when every one may.
func (t *nameTest) allowed(q part) (codes []bool, all bool) {
	values, width := q.names(t.col)
	codes = make([]bool, len(values)/width)
	n := 0
	for i := range codes {
		if codes[i] = passesName(values[i*width+t.field], t.pred); codes[i] {
			n++
		}
	}
	if n == 0 {
		return nil, false
	}
	return codes, n == len(codes)
}
