package kql_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/logsink/kql"
)

// The reference evaluator is slow and obvious: rows are maps from names to
// nil, int64 or string, and each operator is a loop over them. Pipelines are
// generated as text and, side by side, as the loops that do the same.

type refRow map[string]any

// refTable is rows with the order of their columns. ordered tells whether
// the order of rows is defined.
type refTable struct {
	cols    []string
	rows    []refRow
	ordered bool
}

// pipeline is a query's text and what it should give.
type pipeline struct {
	rng  *rand.Rand
	text strings.Builder
	t    refTable
	next int // number for the next fresh name
	// right is the rows of the table R.
	right []refRow
}

func (p *pipeline) fresh(prefix string) string {
	p.next++
	return prefix + itoa(p.next)
}

// randomLong is a small number, or now and then null.
func randomLong(rng *rand.Rand) any {
	if rng.IntN(5) == 0 {
		return nil
	}
	return rng.Int64N(7) - 2
}

var words = []string{"", "a", "b", "Error here", "error", "terror"}

// source makes a datatable with the columns a, b (long) and s (string).
func (p *pipeline) source(name string) (string, refTable) {
	t := refTable{cols: []string{"a", "b", "s"}}
	var b strings.Builder
	fmt.Fprintf(&b, "let %s = datatable(a:long, b:long, s:string)[", name)
	for i := range p.rng.IntN(12) {
		if i > 0 {
			b.WriteString(",")
		}
		r := refRow{"a": randomLong(p.rng), "b": randomLong(p.rng), "s": words[p.rng.IntN(len(words))]}
		fmt.Fprintf(&b, "%s,%s,%q", longText(r["a"]), longText(r["b"]), r["s"])
		t.rows = append(t.rows, r)
	}
	b.WriteString("];\n")
	return b.String(), t
}

func longText(v any) string {
	if v == nil {
		return "long(null)"
	}
	return fmt.Sprintf("long(%d)", v)
}

// condition is a predicate: text, and its value, nil for null.
type condition struct {
	text string
	eval func(refRow) any
}

func (p *pipeline) longCol() string {
	var names []string
	for _, c := range p.t.cols {
		if !isText(c) {
			names = append(names, c)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[p.rng.IntN(len(names))]
}

func isText(name string) bool { return strings.HasPrefix(name, "s") }

func (p *pipeline) textCol() string {
	for _, c := range p.t.cols {
		if isText(c) {
			return c
		}
	}
	return ""
}

func (p *pipeline) condition(depth int) condition {
	if depth > 0 {
		switch p.rng.IntN(4) {
		case 0:
			l, r := p.condition(depth-1), p.condition(depth-1)
			return condition{"(" + l.text + " and " + r.text + ")", func(x refRow) any { return and3(l.eval(x), r.eval(x)) }}
		case 1:
			l, r := p.condition(depth-1), p.condition(depth-1)
			return condition{"(" + l.text + " or " + r.text + ")", func(x refRow) any { return not3(and3(not3(l.eval(x)), not3(r.eval(x)))) }}
		case 2:
			c := p.condition(depth - 1)
			return condition{"not(" + c.text + ")", func(x refRow) any { return not3(c.eval(x)) }}
		}
	}
	if s := p.textCol(); s != "" && p.rng.IntN(2) == 0 {
		return p.textCondition(s)
	}
	col := p.longCol()
	if col == "" {
		return condition{"true", func(refRow) any { return true }}
	}
	k := p.rng.Int64N(5) - 1
	ops := []struct {
		op   string
		hold func(c int64) bool
	}{{"<", func(c int64) bool { return c < 0 }}, {">=", func(c int64) bool { return c >= 0 }}, {">", func(c int64) bool { return c > 0 }}}
	switch p.rng.IntN(4) {
	case 0:
		return condition{fmt.Sprintf("%s == %d", col, k), func(x refRow) any { return x[col] != nil && x[col] == k }}
	case 1:
		return condition{fmt.Sprintf("%s in (%d, %d)", col, k, k+2), func(x refRow) any { return x[col] == k || x[col] == k+2 }}
	case 2:
		return condition{fmt.Sprintf("isnull(%s)", col), func(x refRow) any { return x[col] == nil }}
	}
	o := ops[p.rng.IntN(len(ops))]
	return condition{fmt.Sprintf("%s %s %d", col, o.op, k), func(x refRow) any {
		if x[col] == nil {
			return nil
		}
		return o.hold(x[col].(int64) - k)
	}}
}

func (p *pipeline) textCondition(s string) condition {
	switch p.rng.IntN(3) {
	case 0:
		return condition{s + ` contains "err"`, func(x refRow) any {
			return strings.Contains(strings.ToLower(x[s].(string)), "err")
		}}
	case 1:
		return condition{s + ` has "error"`, func(x refRow) any {
			for _, w := range strings.Fields(strings.ToLower(x[s].(string))) {
				if w == "error" {
					return true
				}
			}
			return false
		}}
	}
	return condition{s + ` != "a"`, func(x refRow) any { return x[s] != "a" }}
}

func and3(a, b any) any {
	switch {
	case a == false || b == false:
		return false
	case a == nil || b == nil:
		return nil
	}
	return true
}

func not3(a any) any {
	if a == nil {
		return nil
	}
	return !a.(bool)
}

// step appends one random operator.
func (p *pipeline) step() {
	steps := []func(){p.where, p.extend, p.project, p.summarize, p.sortAll, p.distinct, p.count, p.join, p.union, p.expand}
	steps[p.rng.IntN(len(steps))]()
}

func (p *pipeline) where() {
	c := p.condition(2)
	p.text.WriteString("| where " + c.text + "\n")
	var out []refRow
	for _, r := range p.t.rows {
		if c.eval(r) == true {
			out = append(out, r)
		}
	}
	p.t.rows = out
}

func (p *pipeline) extend() {
	x, y := p.longCol(), p.longCol()
	if x == "" {
		return
	}
	name := p.fresh("c")
	op := []string{"+", "-", "*", "/", "%"}[p.rng.IntN(5)]
	fmt.Fprintf(&p.text, "| extend %s = %s %s %s\n", name, x, op, y)
	p.t.cols = append(append([]string(nil), p.t.cols...), name)
	for i, r := range p.t.rows {
		n := copyRow(r)
		n[name] = refArith(op, r[x], r[y])
		p.t.rows[i] = n
	}
}

func refArith(op string, x, y any) any {
	if x == nil || y == nil {
		return nil
	}
	a, b := x.(int64), y.(int64)
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	}
	if b == 0 {
		return nil
	}
	if op == "/" {
		return a / b
	}
	m := a % b
	if m < 0 {
		m += max(b, -b)
	}
	return m
}

func copyRow(r refRow) refRow {
	n := refRow{}
	for k, v := range r {
		n[k] = v
	}
	return n
}

func (p *pipeline) project() {
	n := 1 + p.rng.IntN(len(p.t.cols))
	perm := p.rng.Perm(len(p.t.cols))[:n]
	var cols []string
	for _, i := range perm {
		cols = append(cols, p.t.cols[i])
	}
	p.text.WriteString("| project " + strings.Join(cols, ", ") + "\n")
	p.t.cols = cols
	for i, r := range p.t.rows {
		n := refRow{}
		for _, c := range cols {
			n[c] = r[c]
		}
		p.t.rows[i] = n
	}
}

func (p *pipeline) summarize() {
	x, key := p.longCol(), p.t.cols[p.rng.IntN(len(p.t.cols))]
	if x == "" {
		return
	}
	n, s, lo, hi, d := p.fresh("n"), p.fresh("m"), p.fresh("lo"), p.fresh("hi"), p.fresh("d")
	fmt.Fprintf(&p.text, "| summarize %s = count(), %s = sum(%s), %s = min(%s), %s = max(%s), %s = dcount(%s) by %s\n",
		n, s, x, lo, x, hi, x, d, x, key)
	groups := map[any]refRow{}
	seen := map[any]map[any]bool{}
	var order []any
	for _, r := range p.t.rows {
		g := groups[r[key]]
		if g == nil {
			g = refRow{key: r[key], n: int64(0), s: int64(0), lo: nil, hi: nil, d: int64(0)}
			groups[r[key]] = g
			seen[r[key]] = map[any]bool{}
			order = append(order, r[key])
		}
		g[n] = g[n].(int64) + 1
		v := r[x]
		if v == nil {
			continue
		}
		g[s] = g[s].(int64) + v.(int64)
		if g[lo] == nil || v.(int64) < g[lo].(int64) {
			g[lo] = v
		}
		if g[hi] == nil || v.(int64) > g[hi].(int64) {
			g[hi] = v
		}
		if !seen[r[key]][v] {
			seen[r[key]][v] = true
			g[d] = g[d].(int64) + 1
		}
	}
	p.t = refTable{cols: []string{key, n, s, lo, hi, d}}
	for _, k := range order {
		p.t.rows = append(p.t.rows, groups[k])
	}
}

// sortAll sorts by every column, so that the order is fully defined.
func (p *pipeline) sortAll() {
	var keys []string
	desc := map[string]bool{}
	for _, c := range p.t.cols {
		desc[c] = p.rng.IntN(2) == 0
		order := " asc"
		if desc[c] {
			order = " desc"
		}
		keys = append(keys, c+order)
	}
	p.text.WriteString("| sort by " + strings.Join(keys, ", ") + "\n")
	cols := p.t.cols
	sort.SliceStable(p.t.rows, func(i, j int) bool {
		for _, c := range cols {
			if k := refCompare(p.t.rows[i][c], p.t.rows[j][c]); k != 0 {
				return k < 0 != desc[c]
			}
		}
		return false
	})
	p.t.ordered = true
	if p.rng.IntN(2) == 0 {
		n := p.rng.IntN(6)
		fmt.Fprintf(&p.text, "| take %d\n", n)
		p.t.rows = p.t.rows[:min(n, len(p.t.rows))]
	}
}

// refCompare puts null before every value: first ascending, last descending.
func refCompare(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	if s, ok := a.(string); ok {
		return strings.Compare(s, b.(string))
	}
	switch x, y := a.(int64), b.(int64); {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func (p *pipeline) distinct() {
	p.text.WriteString("| distinct *\n")
	seen := map[string]bool{}
	var out []refRow
	for _, r := range p.t.rows {
		if k := rowText(p.t.cols, r); !seen[k] {
			seen[k] = true
			out = append(out, r)
		}
	}
	p.t.rows, p.t.ordered = out, false
}

func (p *pipeline) count() {
	if p.rng.IntN(3) > 0 {
		return // it leaves little to work with
	}
	p.text.WriteString("| count\n")
	p.t = refTable{cols: []string{"Count"}, rows: []refRow{{"Count": int64(len(p.t.rows))}}}
}

// join joins with the second table on a column both have.
func (p *pipeline) join() {
	has := false
	for _, c := range p.t.cols {
		has = has || c == "a"
	}
	if !has || len(p.t.rows) > 200 {
		return
	}
	kind := []string{"inner", "leftouter", "leftsemi", "leftanti", "rightsemi", "rightanti"}[p.rng.IntN(6)]
	k, v := p.fresh("k"), p.fresh("s")
	fmt.Fprintf(&p.text, "| join kind=%s (R | project a, %s = b, %s = s) on a\n", kind, k, v)
	if !strings.HasSuffix(kind, "semi") && !strings.HasSuffix(kind, "anti") {
		p.text.WriteString("| project-away a1\n")
	}
	p.t = refJoin(kind, p.t, p.right, k, v)
}

func refJoin(kind string, l refTable, right []refRow, k, v string) refTable {
	match := func(x, y refRow) bool { return x["a"] != nil && x["a"] == y["a"] }
	out := refTable{}
	switch kind {
	case "leftsemi", "leftanti":
		out.cols = l.cols
		for _, x := range l.rows {
			if anyRow(right, func(y refRow) bool { return match(x, y) }) == (kind == "leftsemi") {
				out.rows = append(out.rows, x)
			}
		}
		return out
	case "rightsemi", "rightanti":
		out.cols = []string{"a", k, v}
		for _, y := range right {
			if anyRow(l.rows, func(x refRow) bool { return match(x, y) }) == (kind == "rightsemi") {
				out.rows = append(out.rows, refRow{"a": y["a"], k: y["b"], v: y["s"]})
			}
		}
		return out
	}
	out.cols = append(append([]string(nil), l.cols...), k, v)
	for _, x := range l.rows {
		found := false
		for _, y := range right {
			if match(x, y) {
				found = true
				n := copyRow(x)
				n[k], n[v] = y["b"], y["s"]
				out.rows = append(out.rows, n)
			}
		}
		if !found && kind == "leftouter" {
			n := copyRow(x)
			n[k], n[v] = nil, ""
			out.rows = append(out.rows, n)
		}
	}
	return out
}

func anyRow(rows []refRow, f func(refRow) bool) bool {
	for _, r := range rows {
		if f(r) {
			return true
		}
	}
	return false
}

// union adds the table R: its columns a, b and s where they are still there.
func (p *pipeline) union() {
	if len(p.t.rows) > 300 {
		return
	}
	p.text.WriteString("| union R\n")
	cols := append([]string(nil), p.t.cols...)
	for _, c := range []string{"a", "b", "s"} {
		found := false
		for _, have := range cols {
			found = found || have == c
		}
		if !found {
			cols = append(cols, c)
		}
	}
	var out []refRow
	for _, r := range append(append([]refRow(nil), p.t.rows...), p.right...) {
		n := refRow{}
		for _, c := range cols {
			n[c] = r[c]
			if n[c] == nil && isText(c) {
				n[c] = ""
			}
		}
		out = append(out, n)
	}
	p.t = refTable{cols: cols, rows: out}
}

// expand makes an array of two columns and gives each element a row.
func (p *pipeline) expand() {
	x, y := p.longCol(), p.longCol()
	if x == "" || len(p.t.rows) > 300 {
		return
	}
	name := p.fresh("e")
	fmt.Fprintf(&p.text, "| mv-expand %s = pack_array(%s, %s) to typeof(long)\n", name, x, y)
	p.t.cols = append(append([]string(nil), p.t.cols...), name)
	var out []refRow
	for _, r := range p.t.rows {
		for _, c := range []string{x, y} {
			n := copyRow(r)
			n[name] = r[c]
			out = append(out, n)
		}
	}
	p.t.rows = out
}

func rowText(cols []string, r refRow) string {
	var b strings.Builder
	for _, c := range cols {
		fmt.Fprintf(&b, "%v|", r[c])
	}
	return b.String()
}

// generate makes a pipeline from a seed.
func generate(seed uint64) *pipeline {
	p := &pipeline{rng: rand.New(rand.NewPCG(seed, 1))}
	right, rt := p.source("R")
	left, lt := p.source("L")
	p.right = rt.rows
	p.t = lt
	p.text.WriteString(right + left + "L\n")
	for range 1 + p.rng.IntN(6) {
		p.step()
	}
	return p
}

func checkAgainstReference(t *testing.T, seed uint64) {
	t.Helper()
	p := generate(seed)
	text := p.text.String()
	res, err := kql.Query(context.Background(), kql.Tables{}, text, kql.Options{})
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, text)
	}
	got, want := resultLines(&res.Tables[0]), []string{}
	for _, r := range p.t.rows {
		want = append(want, rowText(p.t.cols, r))
	}
	if !p.t.ordered {
		sort.Strings(got)
		sort.Strings(want)
	}
	head := strings.Join(p.t.cols, "|")
	if gotHead := headLine(res.Tables[0].Columns); gotHead != head {
		t.Fatalf("seed %d\n%s\ncolumns %s, want %s", seed, text, gotHead, head)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("seed %d\n%s%s\n got %q\nwant %q", seed, text, head, got, want)
	}
}

func headLine(s kql.Schema) string {
	var names []string
	for _, c := range s {
		names = append(names, c.Name)
	}
	return strings.Join(names, "|")
}

func resultLines(t *kql.ResultTable) []string {
	out := []string{}
	for row := range t.Each {
		var b strings.Builder
		for _, v := range row {
			if v.Null {
				b.WriteString("<nil>|")
			} else {
				b.WriteString(v.String() + "|")
			}
		}
		out = append(out, b.String())
	}
	return out
}

func TestEngineAgreesWithTheReferenceEvaluator(t *testing.T) {
	for seed := range uint64(3000) {
		checkAgainstReference(t, seed)
	}
}

func FuzzAgainstReference(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { checkAgainstReference(t, seed) })
}
