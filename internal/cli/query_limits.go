package cli

import (
	"fmt"
	"os"
	"strconv"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/spf13/cobra"
)

// How much a daemon that starts now answers to a query that asks for no other
// limit.
const (
	queryMaxRowsVariable = "ACALOCAL_QUERY_MAX_ROWS"
	queryMaxSizeVariable = "ACALOCAL_QUERY_MAX_SIZE"
)

// bindQueryLimits adds --query-max-rows and --query-max-size, which set the
// variables for the daemon this command starts.
func bindQueryLimits(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(variableLimit{queryMaxRowsVariable, "ROWS", config.ParseQueryRows}, "query-max-rows",
		"cut the answers to log queries after this many `ROWS`, or \"none\" (default 500000, as on Azure); of an environment that does not run yet")
	f.Var(variableLimit{queryMaxSizeVariable, "SIZE", config.ParseQuerySize}, "query-max-size",
		"cut the answers to log queries at this `SIZE`, such as 16MB, or \"none\" (default 64MB, as on Azure); of an environment that does not run yet")
}

// variableLimit is a flag that keeps its value in the environment of the
// process, as timeScaleFlag does.
type variableLimit struct {
	name, typ string
	parse     func(string) (int64, error)
}

// Set implements pflag.Value.
func (v variableLimit) Set(s string) error {
	if _, err := v.parse(s); err != nil {
		return err
	}
	return os.Setenv(v.name, s)
}

// String implements pflag.Value.
func (variableLimit) String() string { return "" }

// Type implements pflag.Value.
func (v variableLimit) Type() string { return v.typ }

// useQueryLimits is what acalocal.yaml says; a flag or a variable wins.
func useQueryLimits(l kql.Limits) error {
	for name, n := range map[string]int64{queryMaxRowsVariable: l.MaxRows, queryMaxSizeVariable: l.MaxBytes} {
		if n == 0 || os.Getenv(name) != "" {
			continue
		}
		value := "none"
		if n > 0 {
			value = strconv.FormatInt(n, 10)
		}
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// queryLimits are those of a daemon that starts now; 0 is the default.
func queryLimits() (l kql.Limits, err error) {
	if l.MaxRows, err = limitVariable(queryMaxRowsVariable, config.ParseQueryRows); err != nil {
		return l, err
	}
	l.MaxBytes, err = limitVariable(queryMaxSizeVariable, config.ParseQuerySize)
	return l, err
}

func limitVariable(name string, parse func(string) (int64, error)) (int64, error) {
	s := os.Getenv(name)
	if s == "" {
		return 0, nil
	}
	n, err := parse(s)
	if err != nil {
		return 0, misuse(fmt.Errorf("%s: %w", name, err), "unset it, or set it to a limit")
	}
	return n, nil
}

// lateLimits are the flags of limits that differ from those of a daemon that
// runs, see lateSettings.
func lateLimits(info api.Info) (flags []string) {
	want, err := queryLimits()
	if os.Getenv(queryMaxRowsVariable) != "" && (err != nil || want.MaxRows != info.QueryMaxRows) {
		flags = append(flags, "query-max-rows")
	}
	if os.Getenv(queryMaxSizeVariable) != "" && (err != nil || want.MaxBytes != info.QueryMaxBytes) {
		flags = append(flags, "query-max-size")
	}
	return flags
}

// limitFlag is a limit of one query; 0 until it is set.
type limitFlag struct {
	n     int64
	typ   string
	parse func(string) (int64, error)
}

// Set implements pflag.Value.
func (l *limitFlag) Set(s string) (err error) {
	l.n, err = l.parse(s)
	return err
}

// String implements pflag.Value.
func (l *limitFlag) String() string { return "" }

// Type implements pflag.Value.
func (l *limitFlag) Type() string { return l.typ }
