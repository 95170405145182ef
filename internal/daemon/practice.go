package daemon

import (
	"context"
	"strings"
	"time"

	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/kql"
)

// queries is the log store as the API asks it. The zero delay and lenient
// tables are how it is by default; else users' queries see it as they would see
// a workspace on Azure. What streams rows, and Ask, is never held back.
type queries struct {
	*logsink.Store
	// delay is how old a row gets before users' queries find it.
	delay time.Duration
	// uploads shows when Azure's collector would have sent a row, and hides it
	// until then.
	uploads bool
	// strict hides a _CL table until it has a row to find.
	strict bool
	// limits are what users' queries have that ask for no others.
	limits kql.Limits
	// json takes the JSON lines of ContainerAppConsoleLogs_CL apart; nil: not.
	json *logsink.JSONColumns
}

// Catalog returns the tables as users' queries see them.
func (q queries) Catalog() kql.Catalog {
	cat := q.Store.Catalog()
	if q.uploads {
		cat = logsink.UploadTimes(cat)
	}
	if q.json != nil {
		cat = q.json.Over(cat)
	}
	if q.delay > 0 || q.uploads {
		cat = kql.Within(cat, kql.TimeRange{To: kql.TicksOf(time.Now().Add(-q.delay))})
	}
	if q.strict {
		cat = createdTables{cat}
	}
	return cat
}

// Query runs a user's query over the rows of a time span.
func (q queries) Query(ctx context.Context, text string, from, to time.Time, limits kql.Limits) (*kql.Result, error) {
	return queryWithin(ctx, q.Catalog(), text, from, to, limits.Or(q.limits))
}

// Ask runs a query of acalocal's own: all rows and tables are there at once.
func (q queries) Ask(ctx context.Context, text string, from, to time.Time) (*kql.Result, error) {
	return queryWithin(ctx, q.Store.Catalog(), text, from, to, kql.Limits{})
}

func queryWithin(ctx context.Context, cat kql.Catalog, text string, from, to time.Time, limits kql.Limits) (*kql.Result, error) {
	var span kql.TimeRange
	if !from.IsZero() {
		span.From = kql.TicksOf(from)
	}
	if !to.IsZero() {
		span.To = kql.TicksOf(to)
	}
	return kql.Query(ctx, kql.Within(cat, span), text, kql.Options{Limits: limits})
}

// createdTables is a catalog without the _CL tables that have no row yet. The
// collector of Log Analytics makes such a table with its first record, see
// https://azureossd.github.io/ of 2025-08-12; the others always exist.
type createdTables struct{ kql.Catalog }

// Table implements kql.Catalog.
func (c createdTables) Table(name string) (kql.Table, bool) {
	t, ok := c.Catalog.Table(name)
	if !ok || strings.HasSuffix(name, "_CL") && isEmpty(t) {
		return nil, false
	}
	return t, true
}

// Tables implements kql.Catalog.
func (c createdTables) Tables() []string {
	var names []string
	for _, name := range c.Catalog.Tables() {
		if _, ok := c.Table(name); ok {
			names = append(names, name)
		}
	}
	return names
}

// isEmpty reports whether a table has no row. One that cannot be read is not
// called empty: the query will say what is wrong with it.
func isEmpty(t kql.Table) bool {
	ctx := context.Background() // one block at most is read
	rows, err := t.Scan(ctx, kql.ScanRequest{Limit: 1})
	if err != nil {
		return false
	}
	defer rows.Close() // the rows that were read are whole
	for {
		switch b, err := rows.Next(ctx); {
		case err != nil:
			return false
		case b == nil:
			return true
		case b.Rows > 0:
			return false
		}
	}
}
