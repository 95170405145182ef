// Package evidence gathers what is known of a revision from the log store of its
// environment, for package explain and for timelines.
package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/explain/event"
	"github.com/acalocal/acalocal/internal/telemetry/endpoint"
)

// Bounds of what is read of a revision's log: the newest rows and lines.
const (
	maxRows  = 5000
	maxLines = 1000
)

// Asker runs a query of ours over the log tables and returns the rows of its
// only table, each cell a JSON value as Log Analytics sends it.
type Asker func(ctx context.Context, query string) ([][]json.RawMessage, error)

// Of is what a snapshot and the log store hold about a revision of an app. It
// fails when the app has no such revision. The caller adds the user's file.
func Of(ctx context.Context, ask Asker, app *emulator.App, revision string) (*explain.Evidence, error) {
	e := explain.Of(app, revision, time.Now())
	if e == nil {
		return nil, fmt.Errorf("app %s has no revision %q", app.Name, revision)
	}
	var err error
	if e.Rows, err = SystemRows(ctx, ask, app.Name, revision); err != nil {
		return nil, err
	}
	if e.Console, err = consoleLines(ctx, ask, app.Name, revision); err != nil {
		return nil, err
	}
	e.Telemetry, err = telemetryOf(ctx, ask, app, &e.Revision)
	return e, err
}

// telemetryOf counts what has arrived of an app since a revision was made; nil
// when the revision sends it elsewhere, and has no OpenTelemetry agent either. SDKs name the host as role instance, which
// is the replica: what those of other revisions sent does not count.
func telemetryOf(ctx context.Context, ask Asker, app *emulator.App, revision *emulator.Revision) (*explain.Telemetry, error) {
	ours := func(c aca.Container) bool {
		return slices.ContainsFunc(c.Env, func(v aca.EnvVar) bool { return endpoint.IsOurs(v.Value) })
	}
	if len(app.Local.Telemetry.Env()) == 0 && !slices.ContainsFunc(revision.Properties.Template.Containers, ours) {
		return nil, nil
	}
	q := fmt.Sprintf(`union AppRequests, AppDependencies, AppTraces, AppExceptions, AppEvents
| where IKey == %s and TimeGenerated >= datetime(%s)
| where AppRoleInstance !startswith %s or AppRoleInstance startswith %s
| summarize count(), countif(TimeGenerated >= datetime(%s))`, strconv.Quote(endpoint.Key(app.Name)), revision.Properties.CreatedTime.UTC().Format(time.RFC3339Nano),
		strconv.Quote(app.Name+"--"), strconv.Quote(revision.Name+"-"), oldest(revision).UTC().Format(time.RFC3339Nano))
	counts, err := read(ctx, ask, q, func(cells []string) (explain.Telemetry, error) {
		records, err := strconv.Atoi(cells[0])
		current, err2 := strconv.Atoi(cells[1])
		return explain.Telemetry{Records: records, Current: current}, errors.Join(err, err2)
	})
	if err != nil || len(counts) == 0 {
		return nil, err
	}
	return &counts[0], nil
}

// oldest is when the oldest replica that stays was made, or the revision when
// there is none.
func oldest(revision *emulator.Revision) time.Time {
	t := time.Time{}
	for _, r := range revision.Replicas {
		if !r.Draining && (t.IsZero() || r.Properties.CreatedTime.Before(t)) {
			t = r.Properties.CreatedTime
		}
	}
	if t.IsZero() {
		return revision.Properties.CreatedTime
	}
	return t
}

// SystemRows are the newest rows about a revision, oldest first.
func SystemRows(ctx context.Context, ask Asker, app, revision string) ([]event.Row, error) {
	q := fmt.Sprintf(`ContainerAppSystemLogs_CL
| where ContainerAppName_s == %s and RevisionName_s == %s
| top %d by _seq_d desc
| order by _seq_d asc
| project TimeGenerated, Type_s, ReplicaName_s, Reason_s, Log_s, Count_d`, strconv.Quote(app), strconv.Quote(revision), maxRows)
	return read(ctx, ask, q, func(cells []string) (event.Row, error) {
		at, err := time.Parse(time.RFC3339Nano, cells[0])
		if err != nil {
			return event.Row{}, err
		}
		count, err := strconv.ParseFloat(cells[5], 64)
		return event.Row{Time: at, Warning: cells[1] == "Warning", Replica: cells[2], Reason: cells[3], Text: cells[4], Count: int(count)}, err
	})
}

// consoleLines are the last lines of a revision's containers, oldest first.
func consoleLines(ctx context.Context, ask Asker, app, revision string) ([]explain.Output, error) {
	q := fmt.Sprintf(`ContainerAppConsoleLogs_CL
| where ContainerAppName_s == %s and RevisionName_s == %s
| top %d by _seq_d desc
| order by _seq_d asc
| project TimeGenerated, ContainerGroupName_s, ContainerName_s, Log_s, Stream_s`, strconv.Quote(app), strconv.Quote(revision), maxLines)
	return read(ctx, ask, q, func(cells []string) (explain.Output, error) {
		at, err := time.Parse(time.RFC3339Nano, cells[0])
		return explain.Output{Time: at, Replica: cells[1], Container: cells[2], Text: cells[3], Stderr: cells[4] == "stderr"}, err
	})
}

// RequestTimes are when the newest requests of a revision came, oldest first.
func RequestTimes(ctx context.Context, ask Asker, app, revision string) ([]time.Time, error) {
	q := fmt.Sprintf(`ContainerAppHTTPLogs
| where ContainerAppName == %s and RevisionName == %s
| top %d by StartTime desc
| order by StartTime asc
| project StartTime`, strconv.Quote(app), strconv.Quote(revision), maxRows)
	return read(ctx, ask, q, func(cells []string) (time.Time, error) { return time.Parse(time.RFC3339Nano, cells[0]) })
}

// read runs a query and reads each row.
func read[T any](ctx context.Context, ask Asker, query string, row func([]string) (T, error)) ([]T, error) {
	table, _, _ := strings.Cut(query, "\n")
	rows, err := ask(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", table, err)
	}
	out := make([]T, 0, len(rows))
	for _, cells := range rows {
		v, err := row(text(cells))
		if err != nil {
			return nil, fmt.Errorf("read a row of %s: %w", table, err)
		}
		out = append(out, v)
	}
	return out, nil
}

// text is the cells of a row without quotes, null as nothing.
func text(row []json.RawMessage) []string {
	out := make([]string, len(row))
	for i, cell := range row {
		if json.Unmarshal(cell, &out[i]) != nil { // null leaves it empty
			out[i] = string(cell)
		}
	}
	return out
}
