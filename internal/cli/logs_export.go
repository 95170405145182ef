package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/spf13/cobra"
)

// defaultExport is the table that is exported when nothing else is asked for.
const defaultExport = "ContainerAppConsoleLogs_CL"

func newLogsExportCommand(s Streams) *cobra.Command {
	var file, timespan, format, named, out string
	cmd := &cobra.Command{
		Use:   "export [TABLE | QUERY]",
		Short: "Write all rows of a table or a query as JSON lines, CSV or Parquet",
		Long: `Write all rows of a table, by default ContainerAppConsoleLogs_CL, or of a query:
as JSON, one object a line (jsonl), as CSV, or as a Parquet file with typed
columns, which DuckDB, pandas and Spark read. No limit of rows applies; a table
is never held in memory as a whole. An environment that does not run will do,
as long as its logs are there.`,
		Example: `  acalocal logs export -o logs.parquet
  acalocal logs export ContainerAppHTTPLogs --timespan P1D --format csv > requests.csv
  acalocal logs export 'ContainerAppConsoleLogs_CL | where Log_s has "error"' --format jsonl`,
		Args: maximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text := defaultExport
			if len(args) > 0 || file != "" || named != "" {
				var err error
				if text, err = queryText(s.In, args, file, named); err != nil {
					return err
				}
			}
			write, err := exportFormat(format, out)
			if err != nil {
				return err
			}
			return withLogs(cmd, s.Err, false, func(c *client.Client) error {
				columns, rows, err := c.Export(cmd.Context(), text, timespan)
				if err != nil {
					return notRunning(explainQuery(s.Err, text, err))
				}
				if out == "" || out == "-" {
					return write(s.Out, columns, rows)
				}
				return writeWhole(out, func(w io.Writer) error { return write(w, columns, rows) })
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&file, "file", "f", "", `read the query from a file ("-" is standard input)`)
	f.StringVar(&named, "saved", "", "export the saved query of this name")
	f.StringVar(&timespan, "timespan", "", "only rows of this time, as in logs query")
	f.StringVar(&format, "format", "", "jsonl, csv or parquet (default: by the ending of --output, else jsonl)")
	f.StringVarP(&out, "output", "o", "", `file to write, which appears when it is whole ("-" is standard output, the default)`)
	completeWords(cmd, "format", "jsonl", "csv", "parquet")
	completeWords(cmd, "saved", savedNames()...)
	return cmd
}

// exportFormat returns what writes a format; "" goes by the file's ending.
func exportFormat(format, out string) (exportWriter, error) {
	if format == "" {
		format = strings.TrimPrefix(strings.ToLower(filepath.Ext(out)), ".")
		if _, ok := exportWriters[format]; !ok {
			format = "jsonl"
		}
	}
	write, ok := exportWriters[format]
	if !ok {
		return nil, misuse(fmt.Errorf("--format %s is none of jsonl, csv, parquet", format), "use --format jsonl")
	}
	return write, nil
}

// writeWhole writes a file under another name and puts it in place when it is
// whole.
func writeWhole(path string, write func(io.Writer) error) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	err = errors.Join(write(temp), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name()) // the error says more
	}
	return err
}
