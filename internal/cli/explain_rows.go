package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/explain/event"
)

// Bounds of what is read of a revision's log: the newest rows and lines.
const (
	maxRows  = 5000
	maxLines = 1000
)

// systemRows are the newest rows about a revision, oldest first.
func systemRows(ctx context.Context, c *client.Client, app, revision string) ([]event.Row, error) {
	q := fmt.Sprintf(`ContainerAppSystemLogs_CL
| where ContainerAppName_s == %s and RevisionName_s == %s
| top %d by _seq_d desc
| order by _seq_d asc
| project TimeGenerated, Type_s, ReplicaName_s, Reason_s, Log_s, Count_d`, strconv.Quote(app), strconv.Quote(revision), maxRows)
	return ask(ctx, c, q, func(cells []string) (event.Row, error) {
		at, err := time.Parse(time.RFC3339Nano, cells[0])
		if err != nil {
			return event.Row{}, err
		}
		count, err := strconv.ParseFloat(cells[5], 64)
		return event.Row{Time: at, Warning: cells[1] == "Warning", Replica: cells[2], Reason: cells[3], Text: cells[4], Count: int(count)}, err
	})
}

// consoleLines are the last lines of a revision's containers, oldest first.
func consoleLines(ctx context.Context, c *client.Client, app, revision string) ([]explain.Output, error) {
	q := fmt.Sprintf(`ContainerAppConsoleLogs_CL
| where ContainerAppName_s == %s and RevisionName_s == %s
| top %d by _seq_d desc
| order by _seq_d asc
| project TimeGenerated, ContainerGroupName_s, ContainerName_s, Log_s`, strconv.Quote(app), strconv.Quote(revision), maxLines)
	return ask(ctx, c, q, func(cells []string) (explain.Output, error) {
		at, err := time.Parse(time.RFC3339Nano, cells[0])
		return explain.Output{Time: at, Replica: cells[1], Container: cells[2], Text: cells[3]}, err
	})
}

// requestTimes are when the newest requests of a revision came, oldest first.
func requestTimes(ctx context.Context, c *client.Client, app, revision string) ([]time.Time, error) {
	q := fmt.Sprintf(`ContainerAppHTTPLogs
| where ContainerAppName == %s and RevisionName == %s
| top %d by StartTime desc
| order by StartTime asc
| project StartTime`, strconv.Quote(app), strconv.Quote(revision), maxRows)
	return ask(ctx, c, q, func(cells []string) (time.Time, error) { return time.Parse(time.RFC3339Nano, cells[0]) })
}

// ask runs a query of ours and reads each row of its only table.
func ask[T any](ctx context.Context, c *client.Client, query string, read func([]string) (T, error)) ([]T, error) {
	answer, err := c.Query(ctx, query, "")
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", strings.Fields(query)[0], err)
	}
	if len(answer.Tables) != 1 {
		return nil, fmt.Errorf("query %s: the answer has %d tables", strings.Fields(query)[0], len(answer.Tables))
	}
	return readTable(answer.Tables[0], read)
}

func readTable[T any](t api.QueryTable, read func([]string) (T, error)) ([]T, error) {
	out := make([]T, 0, len(t.Rows))
	for _, row := range t.Rows {
		v, err := read(textRow(row, func(s string) string { return s }))
		if err != nil {
			return nil, fmt.Errorf("read a row of %s: %w", t.Name, err)
		}
		out = append(out, v)
	}
	return out, nil
}

// shorten is a path relative to the current directory, when that is shorter.
func shorten(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(dir, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return path
	}
	return rel
}
