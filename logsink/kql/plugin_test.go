package kql_test

import (
	"context"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/logsink/kql"
)

func TestColumnsBehindAPlugInAreUnknownUntilItRuns(t *testing.T) {
	const text = `datatable(id:long, d:dynamic)[1, dynamic({"lvl":"info","n":5})]
| evaluate bag_unpack(d) | where lvl == "info" | summarize s = sum(n) by lvl`
	if ds, err := kql.Check(kql.Tables{}, text, kql.Options{}); err != nil || len(ds) > 0 {
		t.Errorf("check: %v, %v", ds, err)
	}
	res, err := kql.Query(context.Background(), kql.Tables{}, text, kql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(resultLines(&res.Tables[0]), " "); got != "info|5|" {
		t.Errorf("got %s", got)
	}
	bad := strings.Replace(text, "sum(n)", "sum(m)", 1)
	if ds, _ := kql.Check(kql.Tables{}, bad, kql.Options{}); len(ds) > 0 {
		t.Errorf("check cannot know: %v", ds)
	}
	if _, err := kql.Query(context.Background(), kql.Tables{}, bad, kql.Options{}); err == nil || !strings.Contains(err.Error(), "The name 'm'") {
		t.Errorf("running knows: %v", err)
	}
}

func TestAPlugInInsideOfARowsSubQueryIsNamedAsUnsupported(t *testing.T) {
	for _, text := range []string{
		`print a = dynamic([{"x":1}]) | mv-apply a on (evaluate bag_unpack(a))`,
		`datatable(k:long, d:dynamic)[1, dynamic({"x":1})] | partition by k (evaluate bag_unpack(d))`,
	} {
		_, err := kql.Query(context.Background(), kql.Tables{}, text, kql.Options{})
		if err == nil || !strings.Contains(err.Error(), "KQL020") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestRenderIsMetadata(t *testing.T) {
	res, err := kql.Query(context.Background(), kql.Tables{},
		`range x from 1 to 2 step 1 | sort by x | render timechart with (title = "Errors", xcolumn = x, ycolumns = a, b, ymin = -2.5, xmin = datetime(2026-01-01 08:00))`, kql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := res.Render
	if v == nil || v.Kind != "timechart" || v.Properties["title"] != "Errors" || v.Properties["ycolumns"] != "a,b" || !v.IsSorted ||
		v.Properties["ymin"] != "-2.5" || v.Properties["xmin"] != "2026-01-01T08:00:00.0000000Z" {
		t.Errorf("got %+v", v)
	}
}

func TestForkAndFacetGiveSeveralTables(t *testing.T) {
	for text, want := range map[string]string{
		`range x from 1 to 4 step 1 | fork small = (where x < 3) (count)`:                      "small:1| 2|; Branch_2:4|",
		`datatable(a:string, b:long)["x",1,"x",2,"y",1] | facet by a, b with (count | take 1)`: "facet_a:x|2| y|1|; facet_b:1|2| 2|1|; facet_with:3|",
	} {
		res, err := kql.Query(context.Background(), kql.Tables{}, text, kql.Options{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var parts []string
		for i := range res.Tables {
			parts = append(parts, res.Tables[i].Name+":"+strings.Join(resultLines(&res.Tables[i]), " "))
		}
		if got := strings.Join(parts, "; "); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestRowsNearKeepsTheRowsAroundAMatch(t *testing.T) {
	for text, want := range map[string]string{
		`range x from 1 to 12 step 1 | evaluate rows_near(x == 7, 2)`:              "5| 6| 7| 8| 9|",
		`range x from 1 to 12 step 1 | evaluate rows_near(x in (1, 3), 1, 0)`:      "1| 2| 3|",
		`range x from 1 to 12 step 1 | evaluate rows_near(x >= 11, 0, 100000)`:     "11| 12|",
		`range x from 1 to 12 step 1 | evaluate rows_near(x > 100, 3) | project x`: "",
	} {
		res, err := kql.Query(context.Background(), kql.Tables{}, text, kql.Options{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := strings.Join(resultLines(&res.Tables[0]), " "); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestSketchesAreReadBack(t *testing.T) {
	for text, want := range map[string]string{
		`range x from 1 to 100 step 1
| summarize a = hll(iff(x % 2 == 0, x, 0)), b = hll(iff(x % 3 == 0, x, 0)), c = hll(iff(x % 5 == 0, x, 0))
| evaluate dcount_intersect(a, b, c) | project s0 - 1, s1 - 1, s2 - 1`: "50|16|3|",
		`range x from 1 to 1000 step 1 | summarize t = tdigest(x) | project rank_tdigest(t, 685), percentile_tdigest(t, 50), percentrank_tdigest(t, 250)`: "685|500|25|",
		`range x from 1 to 10 step 1 | summarize a = hll(x), b = hll(x + 5) | project dcount_hll(hll_merge(a, b))`:                                        "15|",
	} {
		res, err := kql.Query(context.Background(), kql.Tables{}, text, kql.Options{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := strings.Join(resultLines(&res.Tables[0]), " "); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}
