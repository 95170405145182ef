package kql

import (
	"context"
	"sort"
)

// MemTable is a table whose blocks are in memory. The zero value is an empty
// table without columns. It must not change while queries run.
type MemTable struct {
	Cols   Schema
	Blocks []*Block
}

var _ Table = (*MemTable)(nil)

// Schema returns the columns.
func (t *MemTable) Schema() Schema { return t.Cols }

// Scan returns the blocks one after the other.
func (t *MemTable) Scan(context.Context, ScanRequest) (Scanner, error) {
	return &memScanner{blocks: t.Blocks}, nil
}

type memScanner struct{ blocks []*Block }

func (s *memScanner) Next(context.Context) (*Block, error) {
	if len(s.blocks) == 0 {
		return nil, nil
	}
	b := s.blocks[0]
	s.blocks = s.blocks[1:]
	return b, nil
}

func (s *memScanner) Close() error { return nil }

// Tables is a Catalog of tables by name.
type Tables map[string]Table

var _ Catalog = Tables(nil)

// Table returns the table called name.
func (t Tables) Table(name string) (Table, bool) {
	x, ok := t[name]
	return x, ok
}

// Tables returns the names, sorted.
func (t Tables) Tables() []string {
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
