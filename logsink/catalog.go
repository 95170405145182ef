package logsink

import (
	"context"
	"fmt"

	"github.com/acalocal/acalocal/logsink/kql"
)

// Catalog returns the store's tables as they are now: queries over it do not
// see rows that become durable later, so that several scans agree. It is cheap
// to make, holds nothing, and may be used by several queries at once.
func (s *Store) Catalog() kql.Catalog {
	c := &catalog{tables: map[string]*storeTable{}}
	ends := map[*tableDef]uint64{}
	for _, t := range s.tables() {
		ends[t.def] = t.state.end()
	}
	for _, v := range s.views {
		c.names = append(c.names, v.name)
		c.tables[v.name] = &storeTable{view: v, table: s.tableOf(v.def), end: ends[v.def]}
	}
	return c
}

func (s *Store) tableOf(def *tableDef) *table {
	for _, t := range s.tables() {
		if t.def == def {
			return t
		}
	}
	panic("bug: view of a table the store does not have: " + def.name)
}

// end returns the sequence number after the newest row.
func (s *state) end() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open.first + uint64(s.open.rows)
}

// catalog implements kql.Catalog.
type catalog struct {
	names  []string
	tables map[string]*storeTable
}

var _ kql.Catalog = (*catalog)(nil)

func (c *catalog) Table(name string) (kql.Table, bool) {
	t, ok := c.tables[name]
	return t, ok
}

func (c *catalog) Tables() []string { return append([]string(nil), c.names...) }

// storeTable implements kql.Table.
type storeTable struct {
	view  *view
	table *table
	end   uint64
}

func (t *storeTable) Schema() kql.Schema { return t.view.schema() }

// IngestionTimeColumn implements kql.IngestionTimer.
func (t *storeTable) IngestionTimeColumn() int { return t.view.schema().TimeColumn() }

// ViewOf implements kql.ViewTable.
func (t *storeTable) ViewOf() string { return t.view.of }

// Exact implements kql.ExactTable.
func (t *storeTable) Exact(p kql.Predicate) bool { return (&scanPlan{view: t.view}).add(p) }

func (t *storeTable) Scan(ctx context.Context, req kql.ScanRequest) (kql.Scanner, error) {
	if isClosed(t.table.closing) {
		return nil, fmt.Errorf("scan %s: %w", t.view.name, ErrClosed)
	}
	return newScanner(ctx, t.table, newScanPlan(t.view, req, t.end)), nil
}
