package kql_test

import (
	"context"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/logsink/kql"
)

// rowsText is the first table of an answer as the query API writes it: a line for each
// row, cells between bars; or the error.
func rowsText(query string) string {
	res, err := kql.Query(context.Background(), workspaceTables(), query, kql.Options{})
	if err != nil {
		return err.Error()
	}
	var rows []string
	for row := range res.Tables[0].Each {
		var cells []string
		for _, v := range row {
			cells = append(cells, string(kql.AppendCell(nil, v)))
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return strings.Join(rows, "\n")
}

// TestValuesLookAsInKusto compares texts, where the conformance cases compare
// values: 0 and 0.0 are different dynamics for those who read them.
func TestValuesLookAsInKusto(t *testing.T) {
	const days = `datatable(t:datetime, r:real, n:long)[datetime(2020-01-01), 1.5, 1, datetime(2020-01-03), 2, 2] | make-series `
	const on = ` on t step 1d | project x`
	for _, c := range []struct{ query, want string }{
		// https://learn.microsoft.com/kusto/query/make-series-operator
		{days + `x=avg(n)` + on, `[1.0,0.0,2.0]`},
		{days + `x=sum(r) default=7` + on, `[1.5,7.0,2.0]`},
		{days + `x=sum(n)` + on, `[1,0,2]`},
		{days + `x=sum(n) default=0.5` + on, `[1,0.5,2]`},
		{days + `x=max(r) default=int(null)` + on, `[1.5,null,2.0]`},
		{days + `x=make_list(n)` + on, `[[1],0,[2]]`},
	} {
		if got := rowsText(c.query); got != c.want {
			t.Errorf("%s\ngives %s\nwant  %s", c.query, got, c.want)
		}
	}
}

func TestFunctionsThatLeadElsewhereAreExplained(t *testing.T) {
	for query, want := range map[string]string{
		`workspace("contoso").ContainerAppConsoleLogs_CL | count`:           "The function 'workspace' leads to another resource; here is one workspace, and its tables are named without it.",
		`union app("a").requests, app("b").requests | count`:                "The function 'app' leads to another resource;",
		`let app = (x:string) { print y = x }; app("a") | project y`:        `"a"`,
		`datatable(workspace:string)["w"] | where workspace == "w" | count`: "1",
	} {
		if got := rowsText(query); !strings.Contains(got, want) {
			t.Errorf("%s\ngives %s\nwant  %s", query, got, want)
		}
	}
}

// rand has another value in each row, though no argument of it changes.
func TestRandDiffersFromRowToRow(t *testing.T) {
	for _, query := range []string{
		"range n from 1 to 1000 step 1 | extend r = rand() | summarize d = dcount(r) | project d > 900",
		"range n from 1 to 1000 step 1 | project r = 1 + rand(1000000) * 2 | summarize d = dcount(r) | project d > 900",
		"range n from 1 to 1000 step 1 | where rand() < 0.5 | count | project Count between (1 .. 999)",
		"range n from 1 to 1000 step 1 | extend id = new_guid() | summarize d = dcount(id) | project d > 900",
	} {
		if got := rowsText(query); got != "true" {
			t.Errorf("%s: %s", query, got)
		}
	}
}
