// Package kqltest runs the conformance data of package kql: queries with the
// results Kusto gives, texts with the diagnostics its language service gives,
// and queries found in the wild.
package kqltest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/acalocal/acalocal/logsink/kql/workspace"
)

// Case is one query with its result. See testdata/README.md for the fields.
type Case struct {
	Name         string              `json:"name"`
	Category     string              `json:"category"`
	Priority     int                 `json:"priority"`
	Query        string              `json:"query"`
	Columns      []ColumnSpec        `json:"columns"`
	Rows         [][]json.RawMessage `json:"rows"`
	Ordered      bool                `json:"ordered"`
	ArraysAsSets bool                `json:"arrays_as_sets"`
	Approx       float64             `json:"approx"`
}

// ColumnSpec is a column of a Case.
type ColumnSpec struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Reject is one text that is not a query, with what is wrong with it.
type Reject struct {
	Name        string           `json:"name"`
	Category    string           `json:"category"`
	Query       string           `json:"query"`
	Diagnostics []kql.Diagnostic `json:"diagnostics"`
}

// Wild is one query of the corpus. Expect is empty when it must bind.
type Wild struct {
	Source, Expect, Query string
	Line                  int
}

// Cases reads cases.jsonl from dir.
func Cases(dir string) ([]Case, error) { return readLines[Case](filepath.Join(dir, "cases.jsonl")) }

// Rejects reads rejects.jsonl from dir.
func Rejects(dir string) ([]Reject, error) {
	return readLines[Reject](filepath.Join(dir, "rejects.jsonl"))
}

func readLines[T any](path string) ([]T, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []T
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, 1<<24)
	for line := 1; sc.Scan(); line++ {
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		var x T
		if err := json.Unmarshal(sc.Bytes(), &x); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, line, err)
		}
		out = append(out, x)
	}
	return out, sc.Err()
}

// Corpus reads corpus.txt from dir: queries separated by lines of three
// dashes, each with comments that name its source and what is expected.
func Corpus(dir string) ([]Wild, error) {
	data, err := os.ReadFile(filepath.Join(dir, "corpus.txt"))
	if err != nil {
		return nil, err
	}
	var out []Wild
	line := 1
	for _, part := range strings.Split(string(data), "\n---\n") {
		w := Wild{Line: line}
		line += strings.Count(part, "\n") + 2
		for _, l := range strings.Split(part, "\n") {
			if s, ok := strings.CutPrefix(l, "// source: "); ok {
				w.Source = s
			}
			if s, ok := strings.CutPrefix(l, "// expect: "); ok {
				w.Expect = s
			}
		}
		w.Query = strings.TrimSuffix(strings.TrimSpace(part), "---")
		if strings.TrimSpace(w.Query) != "" {
			out = append(out, w)
		}
	}
	return out, nil
}

// Run executes the case and returns how its result differs, nil if it does not.
func (c *Case) Run() error {
	res, err := kql.Query(context.Background(), kql.Tables{}, c.Query, kql.Options{})
	if err != nil {
		return err
	}
	if len(res.Tables) == 0 {
		return fmt.Errorf("no result")
	}
	t := &res.Tables[0]
	if got, want := schemaText(t.Columns), specText(c.Columns); got != want {
		return fmt.Errorf("columns:\n got %s\nwant %s", got, want)
	}
	return c.compare(t)
}

func schemaText(s kql.Schema) string {
	var parts []string
	for _, c := range s {
		parts = append(parts, c.Name+":"+c.Type.String())
	}
	return strings.Join(parts, ", ")
}

func specText(cols []ColumnSpec) string {
	var parts []string
	for _, c := range cols {
		parts = append(parts, c.Name+":"+c.Type)
	}
	return strings.Join(parts, ", ")
}

// compare matches rows: in order, or each expected row with one unused.
func (c *Case) compare(t *kql.ResultTable) error {
	var got [][]any
	for row := range t.Each {
		cells := make([]any, len(row))
		for i, v := range row {
			cells[i] = decode(kql.AppendCell(nil, v))
		}
		got = append(got, cells)
	}
	want := make([][]any, len(c.Rows))
	for i, row := range c.Rows {
		for _, cell := range row {
			want[i] = append(want[i], decode(cell))
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d rows, want %d\n got %s\nwant %s", len(got), len(want), show(got), show(want))
	}
	used := make([]bool, len(got))
	for i, w := range want {
		found := -1
		for j, g := range got {
			if c.Ordered && j != i || used[j] {
				continue
			}
			if c.sameRow(g, w) {
				found = j
				break
			}
		}
		if found < 0 {
			return fmt.Errorf("row %d not found\n got %s\nwant %s", i, show(got), show(want))
		}
		used[found] = true
	}
	return nil
}

func (c *Case) sameRow(got, want []any) bool {
	for i := range want {
		if !c.same(got[i], want[i]) {
			return false
		}
	}
	return true
}

func (c *Case) same(got, want any) bool {
	switch w := want.(type) {
	case json.Number:
		g, ok := got.(json.Number)
		if !ok {
			return false
		}
		return c.sameNumber(g, w)
	case []any:
		g, ok := got.([]any)
		return ok && len(g) == len(w) && c.sameArray(g, w)
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for k := range w {
			gv, ok := g[k]
			if !ok || !c.same(gv, w[k]) {
				return false
			}
		}
		return true
	}
	return got == want
}

func (c *Case) sameArray(got, want []any) bool {
	if !c.ArraysAsSets {
		for i := range want {
			if !c.same(got[i], want[i]) {
				return false
			}
		}
		return true
	}
	used := make([]bool, len(got))
next:
	for _, w := range want {
		for j, g := range got {
			if !used[j] && c.same(g, w) {
				used[j] = true
				continue next
			}
		}
		return false
	}
	return true
}

func (c *Case) sameNumber(got, want json.Number) bool {
	if got == want {
		return true
	}
	g, err1 := got.Float64()
	w, err2 := want.Float64()
	tolerance := 1e-6
	if c.Approx > 0 {
		tolerance = c.Approx
	}
	if !strings.ContainsAny(string(want)+string(got), ".eE") && c.Approx == 0 {
		return false // integers compare exactly
	}
	// Documented numbers inside of arrays are rounded to few digits.
	return err1 == nil && err2 == nil && (math.Abs(g-w) <= tolerance*math.Max(math.Abs(g), math.Abs(w)) || math.Abs(g-w) < 5e-4)
}

func decode(b []byte) any {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "undecodable: " + string(b)
	}
	return v
}

func show(rows [][]any) string {
	b, err := json.Marshal(rows)
	if err != nil {
		return err.Error()
	}
	if len(b) > 1500 {
		b = append(b[:1500], "…"...)
	}
	return string(b)
}

// Verdict says how close diagnostics come to those expected, each level
// including the ones before.
type Verdict int

// The verdicts.
const (
	Accepted Verdict = iota // the text was taken for a query
	Rejected                // some diagnostic
	Overlaps                // the first one's span overlaps
	SameCode
	SameText
)

// Run checks the text.
func (r *Reject) Run() (Verdict, kql.Diagnostics, error) {
	diags, err := kql.Check(workspace.Tables(), r.Query, kql.Options{})
	if err != nil || len(diags) == 0 {
		return Accepted, diags, err
	}
	got, want := diags[0], r.Diagnostics[0]
	switch {
	case !overlap(got, want):
		return Rejected, diags, nil
	case got.Code != want.Code:
		return Overlaps, diags, nil
	case got.Message != want.Message:
		return SameCode, diags, nil
	}
	return SameText, diags, nil
}

func overlap(a, b kql.Diagnostic) bool {
	return a.Start <= b.Start+b.Length && b.Start <= a.Start+a.Length
}

// Run checks the query: it must bind, or fail as its comment says.
func (w *Wild) Run() error {
	diags, err := kql.Check(workspace.Tables(), w.Query, kql.Options{})
	if err != nil {
		return err
	}
	if w.Expect == "" {
		if len(diags) > 0 {
			return diags
		}
		return nil
	}
	want := expectedMessages(w.Expect)
	var got []string
	for _, d := range diags {
		got = append(got, d.Message)
	}
	for _, m := range want {
		if !anyContains(got, m) {
			return fmt.Errorf("no diagnostic %q, got %q", m, got)
		}
	}
	for _, g := range got {
		if !anyContainedIn(g, want) {
			return fmt.Errorf("unexpected diagnostic %q", g)
		}
	}
	return nil
}

// expectedMessages turns an expect comment into parts of messages.
func expectedMessages(s string) []string {
	if rest, ok := strings.CutPrefix(s, "semantic error, unknown name(s) "); ok {
		names, _, _ := strings.Cut(rest, " on the plain")
		var out []string
		for _, n := range strings.Split(names, ", ") {
			out = append(out, "The name '"+n+"' does not refer")
		}
		return out
	}
	return []string{strings.TrimPrefix(s, "semantic error: ")}
}

func anyContains(list []string, part string) bool {
	for _, s := range list {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

func anyContainedIn(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// Tally counts passes per category.
type Tally struct {
	Passed, Total map[string]int
}

// NewTally returns an empty tally.
func NewTally() *Tally { return &Tally{map[string]int{}, map[string]int{}} }

// Add counts one outcome.
func (t *Tally) Add(category string, ok bool) {
	t.Total[category]++
	if ok {
		t.Passed[category]++
	}
}

// Sum returns passes and total over all categories.
func (t *Tally) Sum() (passed, total int) {
	for c, n := range t.Total {
		passed, total = passed+t.Passed[c], total+n
	}
	return passed, total
}

// String lists the categories by name.
func (t *Tally) String() string {
	var names []string
	for c := range t.Total {
		names = append(names, c)
	}
	sort.Strings(names)
	var b strings.Builder
	for _, c := range names {
		fmt.Fprintf(&b, "  %-20s %4d/%d\n", c, t.Passed[c], t.Total[c])
	}
	return b.String()
}
