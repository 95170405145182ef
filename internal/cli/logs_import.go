package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/logsink"
	"github.com/spf13/cobra"
)

func newLogsImportCommand(s Streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Store log rows from Azure, to study an incident here",
		Long: `Store rows of the console, system and HTTP logs that come from elsewhere, with
their own times: the output of "az monitor log-analytics query -o json", an
answer of the query API, or objects one a line, as "logs export" writes them.

Give the incident an environment of its own; it need not run. "logs query" and
"logs export" then work on it, and "acalocal down --env NAME" removes it.`,
		Example: `  az monitor log-analytics query -w $WORKSPACE --analytics-query 'ContainerAppConsoleLogs_CL' -t P1D -o json > incident.json
  acalocal logs import incident.json --env incident
  acalocal logs query --saved stack-traces --env incident`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withLogs(cmd, s.Err, true, func(c *client.Client) error {
				var all api.ImportAnswer
				for _, name := range args {
					if err := importFile(cmd, s, c, name, &all); err != nil {
						return err
					}
				}
				return sayImported(s, all, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print how many rows were stored as JSON")
	return cmd
}

func importFile(cmd *cobra.Command, s Streams, c *client.Client, name string, all *api.ImportAnswer) error {
	in := s.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	counts, err := c.Import(cmd.Context(), io.NopCloser(in))
	if err != nil {
		return fmt.Errorf("import %s: %w", name, notRunning(err))
	}
	all.Console += counts.Console
	all.Events += counts.Events
	all.Requests += counts.Requests
	all.Unknown += counts.Unknown
	if all.Oldest.IsZero() || !counts.Oldest.IsZero() && counts.Oldest.Before(all.Oldest) {
		all.Oldest = counts.Oldest
	}
	return nil
}

// sayImported says what was stored, and what will not stay.
func sayImported(s Streams, all api.ImportAnswer, asJSON bool) error {
	if all.Unknown > 0 {
		fmt.Fprintf(s.Err, "warning: %d rows were left out: they have no time, or none of the columns Log_s, Reason_s, StatusCode\n", all.Unknown)
	}
	if !all.Oldest.IsZero() && time.Since(all.Oldest) > logsink.DefaultMaxAge {
		fmt.Fprintf(s.Err, "warning: the oldest row is of %s; rows of more than %d days are removed in time\n",
			all.Oldest.Format(time.DateOnly), int(logsink.DefaultMaxAge.Hours()/24))
	}
	if asJSON {
		return writeJSON(s.Out, all)
	}
	_, err := fmt.Fprintf(s.Out, "%d console rows, %d events and %d requests are stored\n", all.Console, all.Events, all.Requests)
	return err
}
