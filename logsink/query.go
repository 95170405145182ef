package logsink

import (
	"context"

	"github.com/acalocal/acalocal/logsink/kql"
)

// Query runs a query in the Kusto language over the store's tables as they are
// now: ContainerAppConsoleLogs_CL, ContainerAppSystemLogs_CL, their
// resource-specific forms without suffix, ContainerAppHTTPLogs, and the tables
// of Application Insights. Faults in the text are returned as kql.Diagnostics.
//
// A query never waits for those who write, nor they for it. Rows that turn out
// to be damaged are left out and reported, see Problems.
func (s *Store) Query(ctx context.Context, text string, opts kql.Options) (*kql.Result, error) {
	return kql.Query(ctx, s.Catalog(), text, opts)
}
