package logsink

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// JSONColumns shows the JSON lines in ContainerAppConsoleLogs_CL taken apart, as
// Log Analytics does for an environment with dynamicJsonColumns: {"level":"Error",
// "http":{"status":500}} has an empty Log_s, "Error" in Log_level_s and 500 in
// Log_http_status_d. Suffixes are those of the HTTP Data Collector API: _s text,
// _d number, _b bool, _t date, _g guid; a list is text. The suffix follows from
// the value, so that a field with values of two types has two columns.
//
// A column exists once a line had it; those of the first 500 names are made. Rows
// are stored as they were written, and each is looked at once for new columns, by
// the first query that could find it. It is safe for concurrent use.
type JSONColumns struct {
	store *Store

	mu    sync.Mutex
	next  uint64          // first row not looked at; guarded by mu
	found kql.Schema      // only appended to; guarded by mu
	known map[string]bool // guarded by mu
}

// maxJSONColumns is how many columns a table of Log Analytics may have.
const maxJSONColumns = 500

const consoleCLTable = "ContainerAppConsoleLogs_CL"

// NewJSONColumns returns the columns of a store's JSON lines.
func NewJSONColumns(s *Store) *JSONColumns { return &JSONColumns{store: s, known: map[string]bool{}} }

// Over returns cat, a catalog of the store, with the lines taken apart.
func (j *JSONColumns) Over(cat kql.Catalog) kql.Catalog { return jsonCatalog{cat, j.columns()} }

// columns returns all columns of rows that are durable now.
func (j *JSONColumns) columns() kql.Schema {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.store.tableOf(consoleDef)
	end := t.state.end()
	snap := t.state.snapshot(t.problems)
	defer snap.release()
	var mem columns
	for i := snap.after(j.next); i < snap.count() && len(j.found) < maxJSONColumns; i++ {
		p := snap.part(i)
		if p.bad() || p.first >= end {
			continue
		}
		lines, err := p.texts(0, &mem)
		if err != nil {
			snap.damaged(p.block, err)
			continue
		}
		for row := max(j.next, p.first); row < min(end, p.end()); row++ {
			jsonFields(lines.at(int(row-p.first)), j.add)
		}
	}
	j.next = max(j.next, end)
	return slices.Clip(j.found)
}

func (j *JSONColumns) add(f jsonField) {
	if j.known[f.name] || len(j.found) == maxJSONColumns {
		return
	}
	j.known[f.name] = true
	j.found = append(j.found, kql.Column{Name: f.name, Type: f.typ})
}

// jsonField is a field of a JSON line as a column has it.
type jsonField struct {
	name string
	typ  kql.Type
	val  kql.Value
}

// jsonFields calls each for the fields of a line. It reports whether the line is
// a JSON object with any.
func jsonFields(line string, each func(jsonField)) (found bool) {
	if !strings.HasPrefix(strings.TrimLeft(line, " \t"), "{") {
		return false
	}
	v, ok := kql.ParseDynamic(line)
	bag, isBag := v.(*kql.Bag)
	return ok && isBag && bagFields("Log", bag, each)
}

func bagFields(path string, bag *kql.Bag, each func(jsonField)) (found bool) {
	for _, key := range bag.Keys() {
		v, _ := bag.Get(key)
		name := path + "_" + strings.Map(columnRune, key)
		switch v := v.(type) {
		case nil:
			continue
		case *kql.Bag:
			found = bagFields(name, v, each) || found
			continue
		case bool:
			n := int64(0)
			if v {
				n = 1
			}
			each(jsonField{name + "_b", kql.Bool, kql.Value{Type: kql.Bool, Int: n}})
		case int64:
			each(jsonField{name + "_d", kql.Real, kql.Value{Type: kql.Real, Real: float64(v)}})
		case float64:
			each(jsonField{name + "_d", kql.Real, kql.Value{Type: kql.Real, Real: v}})
		case string:
			each(textField(name, v))
		default:
			each(jsonField{name + "_s", kql.String, kql.Value{Type: kql.String, Str: string(kql.AppendJSON(nil, v))}})
		}
		found = true
	}
	return found
}

// textField tells dates and guids from other texts.
func textField(name, s string) jsonField {
	if len(s) == len("00000000-0000-0000-0000-000000000000") && strings.Count(s, "-") == 4 {
		if _, ok := kql.ParseUUID(s); ok {
			return jsonField{name + "_g", kql.String, kql.Value{Type: kql.String, Str: s}}
		}
	}
	if len(s) >= len("2006-01-02T15:04:05Z") && s[4] == '-' && s[10] == 'T' {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return jsonField{name + "_t", kql.DateTime, kql.Value{Type: kql.DateTime, Int: int64(kql.TicksOf(t))}}
		}
	}
	return jsonField{name + "_s", kql.String, kql.Value{Type: kql.String, Str: s}}
}

// columnRune is what a character of a field's name becomes in a column's.
func columnRune(r rune) rune {
	if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
		return r
	}
	return '_'
}

// jsonCatalog is a catalog whose console table has more columns.
type jsonCatalog struct {
	kql.Catalog
	more kql.Schema
}

// Table implements kql.Catalog.
func (c jsonCatalog) Table(name string) (kql.Table, bool) {
	t, ok := c.Catalog.Table(name)
	if ok && name == consoleCLTable {
		return newJSONTable(t, c.more), true
	}
	return t, ok
}

// jsonTable is the console table with its JSON lines taken apart.
type jsonTable struct {
	below   kql.Table
	columns kql.Schema
	width   int // of the table below
	line    int // ordinal of Log_s
}

func newJSONTable(below kql.Table, more kql.Schema) *jsonTable {
	s := below.Schema()
	return &jsonTable{below, append(slices.Clip(s), more...), len(s), s.Index("Log_s")}
}

// Schema implements kql.Table.
func (t *jsonTable) Schema() kql.Schema { return t.columns }

// IngestionTimeColumn implements kql.IngestionTimer.
func (t *jsonTable) IngestionTimeColumn() int {
	if timer, ok := t.below.(kql.IngestionTimer); ok {
		return timer.IngestionTimeColumn()
	}
	return -1
}

// Exact implements kql.ExactTable, as far as the table below has the column as
// it is here.
func (t *jsonTable) Exact(p kql.Predicate) bool {
	exact, ok := t.below.(kql.ExactTable)
	return ok && t.same(p.Column) && exact.Exact(p)
}

// same reports whether a column is that of the table below.
func (t *jsonTable) same(col int) bool { return col < t.width && col != t.line }

// Scan implements kql.Table.
func (t *jsonTable) Scan(ctx context.Context, req kql.ScanRequest) (kql.Scanner, error) {
	wanted := req.Columns
	below := req
	below.Columns, below.Predicates = nil, nil
	for _, c := range wanted {
		if t.same(c) {
			below.Columns = append(below.Columns, c)
		}
	}
	apart := len(below.Columns) < len(wanted)
	if apart {
		below.Columns = append(below.Columns, t.line)
		slices.Sort(below.Columns)
	}
	for _, p := range req.Predicates {
		if t.same(p.Column) {
			below.Predicates = append(below.Predicates, p)
		}
	}
	if len(below.Predicates) < len(req.Predicates) {
		below.Limit = 0 // it counts rows that pass all
	}
	s, err := t.below.Scan(ctx, below)
	if err != nil {
		return nil, err
	}
	return &jsonScanner{s, t, wanted, apart}, nil
}

// jsonScanner takes the lines of blocks apart.
type jsonScanner struct {
	kql.Scanner
	table  *jsonTable
	wanted []int
	apart  bool // a column is wanted that the lines have
}

// RemainingTime implements kql.TimeBounder.
func (s *jsonScanner) RemainingTime() (newest kql.Ticks, ok bool) {
	if b, ok := s.Scanner.(kql.TimeBounder); ok {
		return b.RemainingTime()
	}
	return 0, false
}

// Next implements kql.Scanner.
func (s *jsonScanner) Next(ctx context.Context) (*kql.Block, error) {
	b, err := s.Scanner.Next(ctx)
	if b == nil || err != nil {
		return nil, err
	}
	t := s.table
	out := &kql.Block{Rows: b.Rows, Counts: b.Counts, Columns: make([]*kql.Vector, len(t.columns))}
	copy(out.Columns, b.Columns)
	if !s.apart {
		return out, nil
	}
	lines := b.Columns[t.line]
	out.Columns[t.line] = nil
	of := map[string]*kql.Vector{} // by name
	for _, c := range s.wanted {
		if !t.same(c) {
			out.Columns[c] = emptyVector(t.columns[c].Type, b.Rows)
			of[t.columns[c].Name] = out.Columns[c]
		}
	}
	texts := out.Columns[t.line]
	for i := range b.Rows {
		line := lines.Str(i)
		isJSON := jsonFields(line, func(f jsonField) {
			if v := of[f.name]; v != nil {
				setValue(v, i, f.val)
			}
		})
		if !isJSON && texts != nil {
			texts.Strs[i] = line
		}
	}
	return out, nil
}

// emptyVector has no value in any row.
func emptyVector(t kql.Type, rows int) *kql.Vector {
	v := &kql.Vector{Type: t}
	switch t {
	case kql.String:
		v.Strs = make([]string, rows)
		return v
	case kql.Bool:
		v.Bools = make([]bool, rows)
	case kql.Real:
		v.Reals = make([]float64, rows)
	default:
		v.Ints = make([]int64, rows)
	}
	v.Nulls = fullBitmap(rows)
	return v
}

func setValue(v *kql.Vector, i int, x kql.Value) {
	switch v.Type {
	case kql.String:
		v.Strs[i] = x.Str
		return
	case kql.Bool:
		v.Bools[i] = x.Int != 0
	case kql.Real:
		v.Reals[i] = x.Real
	default:
		v.Ints[i] = x.Int
	}
	v.Nulls[i>>6] &^= 1 << (i & 63)
}
