// Package kqlcmd is what the kql commands do: load files as tables, run a
// query or a batch of them, and write results and diagnostics for people and
// for programs.
package kqlcmd

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/acalocal/acalocal/logsink/kql/workspace"
)

// maxLine is the longest line of a file in bytes.
const maxLine = 64 << 20

// Catalog returns the tables of a workspace, without rows, and those loaded
// from files, each given as NAME=FILE. The file's ending says how it is read:
// .jsonl and .ndjson one object a line, .csv and .tsv with a header, anything
// else as lines of text in the column "line". The file "-" is stdin, as lines.
func Catalog(specs []string, stdin io.Reader) (kql.Catalog, error) {
	tables := workspace.Tables()
	for _, spec := range specs {
		name, file, ok := strings.Cut(spec, "=")
		if !ok || name == "" || file == "" {
			return nil, fmt.Errorf("--data %s: want NAME=FILE", spec)
		}
		t, err := load(file, stdin)
		if err != nil {
			return nil, fmt.Errorf("--data %s: %w", spec, err)
		}
		tables[name] = t
	}
	return tables, nil
}

func load(file string, stdin io.Reader) (*kql.MemTable, error) {
	if file == "-" {
		return readLines(stdin)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	switch strings.ToLower(filepath.Ext(file)) {
	case ".jsonl", ".ndjson":
		return readJSON(f)
	case ".csv":
		return readCSV(f, ',')
	case ".tsv":
		return readCSV(f, '\t')
	}
	return readLines(f)
}

// tableBuilder collects rows of cells; columns appear as they are met.
type tableBuilder struct {
	names []string
	index map[string]int
	cells [][]any // a column's values; nil where a row has none
	rows  int
}

func newTableBuilder() *tableBuilder { return &tableBuilder{index: map[string]int{}} }

func (b *tableBuilder) set(name string, v any) {
	i, ok := b.index[name]
	if !ok {
		i = len(b.names)
		b.index[name] = i
		b.names = append(b.names, name)
		b.cells = append(b.cells, nil)
	}
	for len(b.cells[i]) < b.rows {
		b.cells[i] = append(b.cells[i], nil)
	}
	b.cells[i] = append(b.cells[i], v)
}

// table finds each column's type and makes blocks.
func (b *tableBuilder) table() *kql.MemTable {
	t := &kql.MemTable{}
	for i, name := range b.names {
		for len(b.cells[i]) < b.rows {
			b.cells[i] = append(b.cells[i], nil)
		}
		t.Cols = append(t.Cols, kql.Column{Name: name, Type: columnType(b.cells[i])})
	}
	for at := 0; at < b.rows; at += kql.BlockRows {
		n := min(kql.BlockRows, b.rows-at)
		blk := &kql.Block{Rows: n}
		for i, c := range t.Cols {
			blk.Columns = append(blk.Columns, kql.VectorOf(c.Type, b.cells[i][at:at+n]))
		}
		t.Blocks = append(t.Blocks, blk)
	}
	return t
}

// columnType is the narrowest type that holds every value: strings that are
// all datetimes are datetimes.
func columnType(cells []any) kql.Type {
	t := kql.NoType
	for _, c := range cells {
		var x kql.Type
		switch c := c.(type) {
		case nil:
			continue
		case bool:
			x = kql.Bool
		case int64:
			x = kql.Long
		case float64:
			x = kql.Real
		case string:
			x = kql.String
			if looksLikeTime(c) {
				x = kql.DateTime
			}
		default:
			return kql.Dynamic
		}
		if t = widen(t, x); t == kql.Dynamic {
			return t
		}
	}
	if t == kql.NoType {
		return kql.String
	}
	return t
}

func widen(t, x kql.Type) kql.Type {
	switch {
	case t == kql.NoType || t == x:
		return x
	case t == kql.Long && x == kql.Real || t == kql.Real && x == kql.Long:
		return kql.Real
	case (t == kql.String || t == kql.DateTime) && (x == kql.String || x == kql.DateTime):
		return kql.String
	}
	return kql.Dynamic
}

// looksLikeTime wants a date and a time of day: 2025-11-24 alone stays text.
func looksLikeTime(s string) bool {
	if len(s) < 19 || s[4] != '-' || s[7] != '-' || s[13] != ':' {
		return false
	}
	_, ok := kql.ParseDateTime(s)
	return ok
}

func readLines(r io.Reader) (*kql.MemTable, error) {
	b := newTableBuilder()
	b.names, b.cells, b.index["line"] = []string{"line"}, make([][]any, 1), 0
	br := bufio.NewReaderSize(r, 1<<16)
	for {
		line, err := br.ReadString('\n')
		if line != "" {
			b.set("line", strings.TrimRight(line, "\r\n"))
			b.rows++
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	t := b.table()
	t.Cols[0].Type = kql.String
	for i, blk := range t.Blocks {
		at := i * kql.BlockRows
		blk.Columns[0] = kql.VectorOf(kql.String, b.cells[0][at:at+blk.Rows])
	}
	return t, nil
}

func readJSON(r io.Reader) (*kql.MemTable, error) {
	b := newTableBuilder()
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxLine)
	for n := 1; sc.Scan(); n++ {
		s := strings.TrimSpace(sc.Text())
		if s == "" {
			continue
		}
		v, ok := kql.ParseDynamic(s)
		bag, isBag := v.(*kql.Bag)
		if !ok || !isBag {
			return nil, fmt.Errorf("line %d is not a JSON object", n)
		}
		for _, k := range bag.Keys() {
			val, _ := bag.Get(k)
			b.set(k, val)
		}
		b.rows++
	}
	return b.table(), sc.Err()
}

func readCSV(r io.Reader, comma rune) (*kql.MemTable, error) {
	cr := csv.NewReader(r)
	cr.Comma = comma
	cr.LazyQuotes = true
	header, err := cr.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty; the first line must name the columns")
	}
	if err != nil {
		return nil, err
	}
	b := newTableBuilder()
	for {
		rec, err := cr.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for i, cell := range rec {
			b.set(header[i], cell)
		}
		b.rows++
	}
	for _, name := range header {
		if _, ok := b.index[name]; !ok {
			b.index[name] = len(b.names)
			b.names, b.cells = append(b.names, name), append(b.cells, nil)
		}
	}
	for i := range b.cells {
		typeCells(b.cells[i])
	}
	return b.table(), nil
}

// typeCells turns a column of texts into numbers or bools when all of them
// are; the empty text is a missing value then.
func typeCells(cells []any) {
	for _, parse := range []func(string) (any, bool){parseBool, parseInt, parseReal} {
		if out, ok := parseAll(cells, parse); ok {
			copy(cells, out)
			return
		}
	}
}

func parseAll(cells []any, parse func(string) (any, bool)) ([]any, bool) {
	out := make([]any, len(cells))
	found := false
	for i, c := range cells {
		s, _ := c.(string)
		if s == "" {
			continue
		}
		v, ok := parse(s)
		if !ok {
			return nil, false
		}
		out[i], found = v, true
	}
	return out, found
}

func parseBool(s string) (any, bool) { return s == "true", s == "true" || s == "false" }

func parseInt(s string) (any, bool) {
	v, ok := kql.ParseDynamic(s)
	_, isInt := v.(int64)
	return v, ok && isInt
}

func parseReal(s string) (any, bool) {
	v, ok := kql.ParseDynamic(s)
	switch n := v.(type) {
	case int64:
		return float64(n), ok
	case float64:
		return n, ok
	}
	return nil, false
}
