package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/logsink/kql"
)

// noLimit is how a setting says that queries are answered in full.
const noLimit = "none"

// ParseQueryRows reads how many rows the answer to a query has at most: 1 or
// more, or "none" for no limit, which is -1.
func ParseQueryRows(s string) (int64, error) {
	if s == noLimit {
		return -1, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a number of rows, 1 or more, or %q", s, noLimit)
	}
	return n, nil
}

// sizeUnits are the units of a size, longest names first.
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1},
}

// ParseQuerySize reads how many bytes the answer to a query has at most: a
// whole number with a unit, such as 16MB or 16MiB, up to 1024GiB, or "none"
// for no limit, which is -1.
func ParseQuerySize(s string) (int64, error) {
	if s == noLimit {
		return -1, nil
	}
	for _, unit := range sizeUnits {
		number, ok := strings.CutSuffix(s, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err == nil && n >= 1 && n <= 1<<40/unit.bytes {
			return n * unit.bytes, nil
		}
		break
	}
	return 0, fmt.Errorf("%q is not a size such as 16MB, or %q", s, noLimit)
}

// applyQueryLimits takes the limits of queries that acalocal.yaml has.
func (l *loader) applyQueryLimits(local *localFile) {
	limit := func(key, value, hint string, parse func(string) (int64, error)) (n int64) {
		if value == "" {
			return 0
		}
		n, err := parse(value)
		if err != nil {
			l.localProblem(local, aca.Path(key), err.Error(), hint)
		}
		return n
	}
	l.def.Environment.QueryLimits = kql.Limits{
		MaxRows:  limit("queryMaxRows", local.QueryMaxRows, "for example 100000", ParseQueryRows),
		MaxBytes: limit("queryMaxSize", local.QueryMaxSize, "for example 16MB", ParseQuerySize),
	}
}
