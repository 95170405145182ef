package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/cli/azout"
	"github.com/spf13/cobra"
)

// output is how a command gives its answer: as text for people, unless --json
// or one of az's flags asks for the resource.
type output struct {
	asJSON bool
	format string
	query  *azout.Query
	table  azout.Table // rows of -o table; nil for the simple fields of each object
}

// bind adds az's flags, and --json with what it prints. A command that always
// prints JSON says so by asJSON, and does not show the flag.
func (o *output) bind(cmd *cobra.Command, jsonUsage string) {
	cmd.Flags().BoolVar(&o.asJSON, "json", o.asJSON, jsonUsage)
	cmd.Flags().Lookup("json").Hidden = o.asJSON
	o.bindAz(cmd)
}

// bindAz adds az's flags alone.
func (o *output) bindAz(cmd *cobra.Command) {
	f := cmd.Flags()
	f.VarP(formatFlag{&o.format}, "output", "o", "print as az does: json, yaml, table, tsv or none")
	f.Var(queryFlag{&o.query}, "query", "print what this JMESPath expression finds, as az does")
	completeWords(cmd, "output", azout.Formats...)
}

// asAz says that the answer is to be what az's is.
func (o *output) asAz() bool { return o.format != "" || o.query != nil }

// asText says that the answer is for people.
func (o *output) asText() bool { return !o.asJSON && !o.asAz() }

// write prints a resource.
func (o *output) write(w io.Writer, v any) error {
	if !o.asAz() {
		return writeJSON(w, aca.Answer(v))
	}
	return azout.Write(w, aca.Answer(v), o.query, o.format, o.table)
}

// formatFlag is the value of -o.
type formatFlag struct{ format *string }

// Set implements pflag.Value.
func (f formatFlag) Set(s string) error {
	if !slices.Contains(azout.Formats, strings.ToLower(s)) {
		return fmt.Errorf("it is one of %s", strings.Join(azout.Formats, ", "))
	}
	*f.format = strings.ToLower(s)
	return nil
}

// String implements pflag.Value.
func (f formatFlag) String() string {
	if f.format == nil {
		return ""
	}
	return *f.format
}

// Type implements pflag.Value.
func (f formatFlag) Type() string { return "format" }

// queryFlag is the value of --query.
type queryFlag struct{ query **azout.Query }

// Set implements pflag.Value.
func (f queryFlag) Set(s string) (err error) {
	*f.query, err = azout.Parse(s)
	return err
}

// String implements pflag.Value.
func (f queryFlag) String() string {
	if f.query == nil || *f.query == nil {
		return ""
	}
	return (*f.query).String()
}

// Type implements pflag.Value.
func (f queryFlag) Type() string { return "expression" }
