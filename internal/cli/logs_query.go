package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/acalocal/acalocal/logsink/kql/workspace"
	"github.com/spf13/cobra"
)

func newLogsQueryCommand(s Streams) *cobra.Command {
	var file, timespan, format, named, analyticsQuery string
	var asJSON, list bool
	var az output
	maxRows, maxSize := limitFlag{typ: "ROWS", parse: config.ParseQueryRows}, limitFlag{typ: "SIZE", parse: config.ParseQuerySize}
	cmd := &cobra.Command{
		Use:   "query [QUERY]",
		Short: "Ask the log tables a question in KQL",
		Long: `Run a Kusto query over ContainerAppConsoleLogs_CL, ContainerAppSystemLogs_CL and
the tables beside them, as one would in Log Analytics. Rows can be queried as
soon as they are written.

On a terminal, a query that ends in "render" is drawn as a chart; --format chart
does so anywhere, --format table prints the rows. Saved queries answer everyday
questions: --list shows them. With -o and --query the answer is that of "az
monitor log-analytics query", whose flags are known: all values are text.`,
		Example: `  acalocal logs query 'ContainerAppConsoleLogs_CL | where Log_s has "/health" | take 5'
  acalocal logs query 'ContainerAppSystemLogs_CL | summarize count() by Reason_s' --timespan PT1H
  acalocal logs query --file errors.kql --format csv > errors.csv
  acalocal logs query --list
  acalocal logs query --saved errors-by-revision --timespan PT1H`,
		Args: maximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if az.asAz() && (asJSON || format != "") {
				return misuse(errors.New("--format and -o are both given"), "leave one of them out: -o prints as az does")
			}
			if asJSON {
				format = "json"
			}
			if list {
				return listSaved(s.Out, format, asJSON)
			}
			write, err := queryFormat(format)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("analytics-query") {
				args = append(args, analyticsQuery)
			}
			text, err := queryText(s.In, args, file, named)
			if err != nil {
				return err
			}
			return withLogs(cmd, s.Err, false, func(c *client.Client) error {
				answer, err := c.Query(cmd.Context(), api.QueryBody{Query: text, Timespan: timespan, MaxRows: maxRows.n, MaxBytes: maxSize.n})
				if err != nil {
					return notRunning(explainQuery(s.Err, text, err))
				}
				if answer.Error != nil {
					fmt.Fprintf(s.Err, "warning: the answer is not complete: %s\n", answer.Error.Message)
					fmt.Fprintln(s.Err, `hint: let the query summarize or filter more, raise --max-rows and --max-size, or use "acalocal logs export", which has no limit`)
				}
				if az.asAz() {
					return az.write(s.Out, azRows(answer.Tables))
				}
				return write(s.Out, answer)
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&file, "file", "f", "", `read the query from a file ("-" is standard input)`)
	f.StringVar(&analyticsQuery, "analytics-query", "", "the `QUERY`, as az takes it")
	f.StringVarP(&timespan, "timespan", "t", "", "only rows of this time: an ISO 8601 duration back from now (PT1H) or an interval (START/END)")
	f.Var(&maxRows, "max-rows", "cut the answer after this many `ROWS`, or \"none\" (default 500000, as on Azure, unless the environment says otherwise)")
	f.Var(&maxSize, "max-size", "cut the answer at this `SIZE`, such as 16MB, or \"none\" (default 64MB, as on Azure, unless the environment says otherwise)")
	f.StringVar(&named, "saved", "", "run the saved query of this name")
	f.BoolVar(&list, "list", false, "list the saved queries")
	f.StringVar(&format, "format", "", strings.Join(formatNames(), ", ")+" (default table, on a terminal chart when the query asks for one)")
	f.BoolVar(&asJSON, "json", false, "same as --format json")
	az.bindAz(cmd)
	completeWords(cmd, "format", formatNames()...)
	completeWords(cmd, "saved", savedNames()...)
	return cmd
}

func formatNames() []string {
	names := []string{"chart"}
	for name := range rowFormats {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// queryText returns the query: the argument, that of the file, or a saved one.
func queryText(stdin io.Reader, args []string, file, named string) (string, error) {
	switch {
	case named != "" && (file != "" || len(args) > 0):
		return "", misuse(errors.New("both a saved query and another one are given"), "leave one of them out")
	case named != "":
		return savedText(named)
	case len(args) > 1:
		return "", misuse(errors.New("the query is given twice, as argument and by --analytics-query"), "leave one of them out")
	case file == "" && len(args) == 1:
		return args[0], nil
	case file == "":
		return "", misuse(errors.New("no query given"), `write it in quotes, as in "acalocal logs query 'ContainerAppSystemLogs_CL | take 10'"`)
	case file != "" && len(args) > 0:
		return "", misuse(errors.New("the query is given twice, as argument and by --file"), "leave one of them out")
	}
	read := func() ([]byte, error) { return os.ReadFile(file) }
	if file == "-" {
		read = func() ([]byte, error) { return io.ReadAll(stdin) }
	}
	text, err := read()
	if err != nil {
		return "", fmt.Errorf("read the query: %w", err)
	}
	return string(text), nil
}

// explainQuery shows where a query's text is wrong. Other errors pass through.
func explainQuery(w io.Writer, text string, err error) error {
	var e *client.Error
	if !errors.As(err, &e) || len(e.Detail.Details) == 0 {
		return err
	}
	for _, d := range e.Detail.Details {
		writeFinding(w, text, d)
	}
	writeQueryHint(w, text, e.Detail.Details)
	return errSilent
}

// writeQueryHint prints a hint for the findings of the daemon, from the tables
// every environment has.
func writeQueryHint(w io.Writer, text string, details []api.ErrorDetail) {
	known, tables := workspace.Tables(), kql.Tables{}
	for _, name := range logsink.TableNames() {
		if tables[name] = known[name]; tables[name] == nil {
			tables[name] = &kql.MemTable{}
		}
	}
	var ds kql.Diagnostics
	for _, d := range details {
		if at, ok := api.ParseSpan(d.Target); ok {
			ds = append(ds, kql.Diagnostic{Code: d.Code, Start: at.Start, Length: at.Length})
		}
	}
	writeKQLHints(w, tables, text, ds)
}

// writeFinding prints one finding, the line it is about and a mark under it.
func writeFinding(w io.Writer, text string, d api.ErrorDetail) {
	at, ok := api.ParseSpan(d.Target)
	if !ok {
		fmt.Fprintf(w, "acalocal: %s: %s\n", d.Code, d.Message)
		return
	}
	line, col, source, width := locate(text, at)
	fmt.Fprintf(w, "acalocal: query:%d:%d: %s: %s\n", line, col, d.Code, d.Message)
	fmt.Fprintf(w, "    %s\n    %s%s\n", source, strings.Repeat(" ", col-1), strings.Repeat("^", max(width, 1)))
}

// locate finds a span of UTF-16 units in text: its line and column from 1, the
// line itself, tabs as spaces, and how many characters of it are meant.
func locate(text string, at api.Span) (line, col int, source string, width int) {
	line, col = 1, 1
	units, lineStart := 0, 0
	begin := len(text)
	for i, c := range text {
		if units >= at.Start {
			begin = i
			break
		}
		units += utf16Units(c)
		col++
		if c == '\n' {
			line, col, lineStart = line+1, 1, i+1
		}
	}
	lineEnd := len(text)
	if n := strings.IndexByte(text[lineStart:], '\n'); n >= 0 {
		lineEnd = lineStart + n
	}
	for _, c := range text[begin:max(lineEnd, begin)] {
		if units >= at.Start+at.Length {
			break
		}
		units += utf16Units(c)
		width++
	}
	return line, col, strings.ReplaceAll(strings.TrimSuffix(text[lineStart:lineEnd], "\r"), "\t", " "), width
}

func utf16Units(c rune) int {
	if c > 0xffff {
		return 2
	}
	return 1
}
