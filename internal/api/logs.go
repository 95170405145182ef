package api

import (
	"context"
	"iter"
	"net/http"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/incident"
	"github.com/acalocal/acalocal/logsink/kql"
)

// Logs is what the API asks of a log store. All methods
// may be called concurrently.
type Logs interface {
	// TailConsole yields the last n matching rows, oldest first, and with
	// follow the new ones as they come, until ctx is done or the reader stops.
	TailConsole(ctx context.Context, f logsink.Filter, n int, follow bool) iter.Seq2[logsink.ConsoleLine, error]
	// TailEvents does the same for the platform's events.
	TailEvents(ctx context.Context, f logsink.Filter, n int, follow bool) iter.Seq2[logsink.EventLine, error]
	// Query runs a KQL query over the rows whose TimeGenerated is between from
	// and to, both included; a zero time is no bound. What limits leave open is
	// the environment's. Faults of the text are kql.Diagnostics.
	Query(ctx context.Context, text string, from, to time.Time, limits kql.Limits) (*kql.Result, error)
	// Ask does the same for acalocal itself: it finds every row and table, also
	// where users are to see them as late as on Azure, and has limits of its own.
	Ask(ctx context.Context, text string, from, to time.Time) (*kql.Result, error)
	// Catalog returns the tables as users see them now.
	Catalog() kql.Catalog
	// Import stores rows that came from elsewhere.
	Import(ctx context.Context, rows *incident.Rows) error
}

// What az allows and assumes for --tail.
const (
	defaultTail = 20
	maxTail     = 300
)

// tailParams are what the two log streams have in common.
type tailParams struct {
	tail   int
	follow bool
	format logsink.Format
}

func readTailParams(r *http.Request) (p tailParams, err error) {
	if p.follow, err = boolParam(r, "follow"); err != nil {
		return p, err
	}
	if p.tail, err = intParam(r, "tailLines", defaultTail, 0, maxTail); err != nil {
		return p, &aca.Error{Code: codeBadContent, Message: "--tail must be between 0 and 300.", Target: "tailLines"}
	}
	switch output := r.URL.Query().Get("output"); output {
	case "", "json":
	case "text":
		p.format = logsink.FormatText
	default:
		return p, badContent("output", "'%s' is neither json nor text.", output)
	}
	return p, nil
}
