package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/spf13/cobra"

	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/acalocal/acalocal/logsink/kql/kqlcmd"
)

// newKQLCommand is "acalocal kql": the query language without a daemon.
func newKQLCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kql",
		Short: "Run, check and format KQL queries over files, without a daemon",
	}
	cmd.AddCommand(newKQLEvalCommand(s), newKQLCheckCommand(s), newKQLFmtCommand(s))
	return cmd
}

// kqlText returns the query: the file's, the argument's, or stdin's for "-".
func kqlText(s Streams, file string, args []string) (string, error) {
	switch {
	case file == "-", file == "" && len(args) == 1 && args[0] == "-":
		b, err := io.ReadAll(s.In)
		return string(b), err
	case file != "":
		b, err := os.ReadFile(file)
		return string(b), err
	case len(args) == 1:
		return args[0], nil
	}
	return "", misuse(errors.New("no query given"), `give one as an argument, or a file with "-f FILE"`)
}

// completeKQL offers what may be written at the end of the query.
func completeKQL(s Streams, data *[]string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(_ *cobra.Command, args []string, query string) ([]string, cobra.ShellCompDirective) {
		const plain = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		if len(args) > 0 {
			return nil, plain
		}
		cat, err := kqlcmd.Catalog(withoutStdin(*data), s.In)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		units := len(utf16.Encode([]rune(query)))
		c, err := kql.Complete(cat, query, units)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		head := string(utf16.Decode(utf16.Encode([]rune(query))[:c.Start]))
		out := make([]string, len(c.Items))
		for i, it := range c.Items {
			out[i] = head + it.Text
		}
		return out, plain
	}
}

// withoutStdin leaves out what would wait for input.
func withoutStdin(specs []string) []string {
	var out []string
	for _, spec := range specs {
		if !strings.HasSuffix(spec, "=-") {
			out = append(out, spec)
		}
	}
	return out
}

func newKQLEvalCommand(s Streams) *cobra.Command {
	var file, format, batch, out string
	var data []string
	cmd := &cobra.Command{
		Use:   "eval [QUERY]",
		Short: "Run a query over files",
		Example: `  docker logs app 2>&1 | acalocal kql eval --data L=- 'L | where line has "error" | count'
  acalocal kql eval --data R=requests.csv --format markdown 'R | summarize count() by status'
  acalocal kql eval -f query.kql --data Logs=logs.jsonl --format json`,
		Args: maximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(kqlcmd.Formats, format) {
				return misuse(fmt.Errorf("--format %s is none of %s", format, strings.Join(kqlcmd.Formats, ", ")), "use --format table")
			}
			cat, err := kqlcmd.Catalog(data, s.In)
			if err != nil {
				return failed(err, "files ending in .jsonl, .csv and .tsv are read as such, others as lines of text")
			}
			if batch != "" {
				return kqlBatch(cmd, s, cat, batch, out)
			}
			text, err := kqlText(s, file, args)
			if err != nil {
				return err
			}
			res, err := kql.Query(cmd.Context(), cat, text, kql.Options{})
			if err != nil {
				return kqlFailure(s, cat, text, err)
			}
			if res.Partial != nil {
				fmt.Fprintf(s.Err, "warning: %v\n", res.Partial)
			}
			return kqlcmd.Write(s.Out, res, format)
		},
	}
	cmd.ValidArgsFunction = completeKQL(s, &data)
	f := cmd.Flags()
	f.StringVarP(&file, "file", "f", "", "read the query from `FILE`, - for stdin")
	f.StringArrayVar(&data, "data", nil, "load a file as a table: `NAME=FILE` (.jsonl, .csv, .tsv, else lines; - is stdin)")
	f.StringVar(&format, "format", "table", "output `FORMAT`: "+strings.Join(kqlcmd.Formats, ", "))
	f.StringVar(&batch, "batch", "", "run the queries of `FILE.jsonl`, lines of {\"name\",\"query\"}")
	completeWords(cmd, "format", kqlcmd.Formats...)
	f.StringVar(&out, "out", "", "with --batch, write the answers to `FILE.jsonl` instead of stdout")
	return cmd
}

func kqlBatch(cmd *cobra.Command, s Streams, cat kql.Catalog, batch, out string) (err error) {
	in := s.In
	if batch != "-" {
		f, err := os.Open(batch)
		if err != nil {
			return err
		}
		defer f.Close() // only read
		in = f
	}
	w := s.Out
	if out != "" {
		f, err := os.Create(out)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		w = f
	}
	return kqlcmd.Batch(cmd.Context(), cat, in, w, kql.Options{})
}

// kqlFailure shows what is wrong with a query where it is wrong, and hints when
// there are tables to know names from.
func kqlFailure(s Streams, cat kql.Catalog, text string, err error) error {
	var ds kql.Diagnostics
	if !errors.As(err, &ds) {
		return err
	}
	kqlcmd.WriteDiagnostics(s.Err, text, ds)
	if cat != nil {
		writeKQLHints(s.Err, cat, text, ds)
	}
	return errSilent
}

func newKQLCheckCommand(s Streams) *cobra.Command {
	var file string
	var asJSON bool
	var data []string
	cmd := &cobra.Command{
		Use:   "check [QUERY]",
		Short: "Say what is wrong with a query, without running it",
		Args:  maximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cat, err := kqlcmd.Catalog(data, s.In)
			if err != nil {
				return err
			}
			text, err := kqlText(s, file, args)
			if err != nil {
				return err
			}
			ds, err := kql.Check(cat, text, kql.Options{})
			if err != nil {
				return err
			}
			if asJSON {
				if ds == nil {
					ds = kql.Diagnostics{}
				}
				if err := json.NewEncoder(s.Out).Encode(ds); err != nil {
					return err
				}
			} else {
				kqlcmd.WriteDiagnostics(s.Out, text, ds)
				writeKQLHints(s.Err, cat, text, ds)
			}
			if len(ds) > 0 {
				return errSilent
			}
			return nil
		},
	}
	cmd.ValidArgsFunction = completeKQL(s, &data)
	cmd.Flags().StringVarP(&file, "file", "f", "", "read the query from `FILE`, - for stdin")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write diagnostics as JSON: code, message, start, length, severity")
	cmd.Flags().StringArrayVar(&data, "data", nil, "tables the query may name: `NAME=FILE`")
	return cmd
}

func newKQLFmtCommand(s Streams) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "fmt [QUERY]",
		Short: "Print a query in its canonical layout",
		Args:  maximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := kqlText(s, file, args)
			if err != nil {
				return err
			}
			out, err := kql.Format(text)
			if err != nil {
				return kqlFailure(s, nil, text, err)
			}
			_, err = fmt.Fprintln(s.Out, out)
			return err
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "read the query from `FILE`, - for stdin")
	return cmd
}
