package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/spf13/cobra"
)

func TestLimitsOfQueriesReachTheDaemonByTheEnvironment(t *testing.T) {
	yaml := kql.Limits{MaxRows: 100, MaxBytes: -1}
	for _, c := range []struct {
		name, args string
		yaml, want kql.Limits
		wrong      bool
	}{
		{name: "default"},
		{name: "flags", args: "--query-max-rows=10 --query-max-size=16MB", want: kql.Limits{MaxRows: 10, MaxBytes: 16e6}},
		{name: "none", args: "--query-max-rows=none --query-max-size=none", want: kql.NoLimits},
		{name: "file", yaml: yaml, want: yaml},
		{name: "a flag over the file", args: "--query-max-size=1kB", yaml: yaml, want: kql.Limits{MaxRows: 100, MaxBytes: 1000}},
		{name: "no number", args: "--query-max-rows=many", wrong: true},
		{name: "no size", args: "--query-max-size=0", wrong: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			noSettings(t)
			cmd := &cobra.Command{}
			bindQueryLimits(cmd)
			if err := cmd.ParseFlags(strings.Fields(c.args)); (err != nil) != c.wrong {
				t.Fatalf("parse: %v", err)
			}
			if err := useQueryLimits(c.yaml); err != nil {
				t.Fatal(err)
			}
			if got, err := queryLimits(); err != nil || got != c.want {
				t.Errorf("limits %+v, %v; want %+v", got, err, c.want)
			}
			if got := lateSettings(api.Info{QueryMaxRows: c.want.MaxRows, QueryMaxBytes: c.want.MaxBytes}); len(got) != 0 {
				t.Errorf("%v come too late for a daemon that has them", got)
			}
		})
	}
	noSettings(t)
	t.Setenv(queryMaxRowsVariable, "10")
	t.Setenv(queryMaxSizeVariable, "none")
	if got := lateSettings(api.Info{}); !slices.Equal(got, []string{"query-max-rows", "query-max-size"}) {
		t.Errorf("%v come too late", got)
	}
	t.Setenv(queryMaxRowsVariable, "many")
	if _, err := queryLimits(); err == nil {
		t.Error("a variable that is no number passes")
	}
}
