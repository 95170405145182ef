package chart_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/chart"
	"github.com/google/go-cmp/cmp"
)

// table makes a table of "name:type" columns and rows of JSON arrays.
func table(t *testing.T, columns string, rows ...string) (out api.QueryTable) {
	t.Helper()
	for c := range strings.FieldsSeq(columns) {
		name, typ, _ := strings.Cut(c, ":")
		out.Columns = append(out.Columns, api.QueryColumn{Name: name, Type: typ})
	}
	for _, r := range rows {
		var row []json.RawMessage
		if err := json.Unmarshal([]byte(r), &row); err != nil {
			t.Fatal(err)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func draw(t *testing.T, in api.QueryTable, render string, o chart.Options) string {
	t.Helper()
	m := map[string]string{}
	for p := range strings.FieldsSeq(render) {
		name, value, _ := strings.Cut(p, "=")
		m[name] = value
	}
	if o.Width == 0 {
		o.Width, o.Height = 40, 12
	}
	lines, ok := chart.Draw(in, m, o)
	if !ok {
		return "no chart"
	}
	return "\n" + strings.Join(lines, "\n") + "\n"
}

func TestBars(t *testing.T) {
	in := table(t, "Status:string n:long", `["2xx",100]`, `["4xx",50]`, `["5xx",1]`)
	want := `
2xx  █████████████████████ 100
4xx  ██████████▌ 50
5xx  ▎ 1
`
	if diff := cmp.Diff(want, draw(t, in, "visualization=barchart", chart.Options{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want = `
Title

2xx  ##################### 100  66.2%
4xx  ########### 50  33.1%
5xx  # 1  0.7%
`
	if diff := cmp.Diff(want, draw(t, in, "visualization=piechart title=Title", chart.Options{ASCII: true})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBarsOfSeveralSeries(t *testing.T) {
	in := table(t, "App:string Level:string n:long", `["web","info",4]`, `["web","error",2]`, `["api","info",1]`)
	want := `
web · info   ################### 4
web · error  ########## 2
api · info   ##### 1
`
	if diff := cmp.Diff(strings.ReplaceAll(want, "#", "█"), strings.NewReplacer("▌", "█", "▊", "█").Replace(draw(t, in, "visualization=columnchart", chart.Options{Width: 46}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLinesHaveMarksOfTheirOwn(t *testing.T) {
	var rows []string
	for i := range 5 {
		rows = append(rows, fmt.Sprintf(`["2026-01-01T08:%02d:00Z","a",%d]`, 10*i, i), fmt.Sprintf(`["2026-01-01T08:%02d:00Z","b",%d]`, 10*i, 4-i))
	}
	in := table(t, "TimeGenerated:datetime Revision:string n:long", rows...)
	want := `
4 |o                                   *
  |     oooo                     ****
  |         oooooooo     ********
2 |                 *****
  |         ********     oooooooo
  |     ****                     oooo
0 |*****                             ooo
  +-------------------------------------
   08:00          08:20            08:40

* a  0 to 4
o b  0 to 4
`
	got := draw(t, in, "visualization=timechart", chart.Options{ASCII: true, Width: 41, Height: 15})
	for _, part := range []string{"* a  0 to 4\no b  0 to 4\n", "08:00", "08:20", "08:40", "\n4 |o", "\n0 |*"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in\n%s\nwhich should look like\n%s", part, got, want)
		}
	}
	if coloured := draw(t, in, "visualization=timechart", chart.Options{Colour: true}); !strings.Contains(coloured, "\x1b[36m●\x1b[0m a") {
		t.Errorf("no colour in %q", coloured)
	}
}

func TestOneLineIsDrawnInBraille(t *testing.T) {
	in := table(t, "x:long y:real", `[0,0]`, `[10,10]`)
	want := `
10 ┤                                 ⢀⡠⠔
   ┤                           ⢀⣀⠤⠒⠊⠁
   ┤                     ⢀⣀⠤⠔⠊⠉
 5 ┤`
	got := draw(t, in, "visualization=linechart", chart.Options{})
	if !strings.Contains(got, "⡠") || !strings.HasPrefix(got, "\n10 ┤") || !strings.Contains(got, "\n 0 ┤") {
		t.Errorf("got\n%s\nwhich should look like\n%s", got, want)
	}
}

func TestPanelsStandOneBelowAnother(t *testing.T) {
	in := table(t, "x:long Small:long Great:long", `[0,0,0]`, `[10,1,1000]`)
	want := `
Small
   1 |                              ****
     |                    **********
 0.5 |          **********
     |     *****
   0 |*****
     +----------------------------------
      0               5               10

Great
1000 |                              ****
     |                    **********
 500 |          **********
     |     *****
   0 |*****
     +----------------------------------
      0               5               10
`
	got := draw(t, in, "visualization=linechart ysplit=panels", chart.Options{ASCII: true, Width: 41, Height: 18})
	if shape(got) != shape(want) {
		t.Errorf("got\n%s\nwhich should look like\n%s", got, want)
	}
	if axes := draw(t, in, "visualization=linechart ysplit=axes", chart.Options{ASCII: true, Width: 41, Height: 18}); axes != got {
		t.Errorf("axes are no panels:\n%s", axes)
	}
	if got := draw(t, in, "visualization=linechart ysplit=none", chart.Options{ASCII: true}); !strings.Contains(got, "* Small  0 to 1\no Great  0 to 1000\n") || strings.Contains(got, "0.5 |") {
		t.Errorf("not split:\n%s", got)
	}
}

// shape is a chart without the marks between its axes.
func shape(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		axis, _, _ := strings.Cut(strings.TrimRight(line, "\n"), "|")
		out = append(out, axis)
	}
	return strings.Join(out, "\n")
}

func TestPanelsOfOneColumnAreItsSeries(t *testing.T) {
	var rows []string
	for i := range 7 {
		rows = append(rows, fmt.Sprintf(`["x","s%d",%d]`, i, i+1))
	}
	got := draw(t, table(t, "App:string Level:string n:long", rows...), "visualization=barchart ysplit=panels", chart.Options{ASCII: true, Width: 30})
	for _, part := range []string{"\ns0\nx  ############# 1\n\ns1\nx  ############# 2\n", "s4\nx  ", "\n\n2 more panels are not drawn\n"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in\n%s", part, got)
		}
	}
	if strings.Contains(got, "s5") {
		t.Errorf("more than five panels:\n%s", got)
	}
}

func TestAxesMayBeLogarithmic(t *testing.T) {
	in := table(t, "x:long y:long", `[0,5]`, `[1,1]`, `[100,10]`, `[10000,100]`)
	got := draw(t, in, "visualization=scatterchart xaxis=log yaxis=log legend=hidden", chart.Options{ASCII: true, Width: 28, Height: 10})
	want := `
100 |                     *
    |
 10 |           *
    |
  1 |*
    +----------------------
     1       100        10k
1 point is not drawn: a logarithmic axis begins above zero
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := draw(t, in, "visualization=scatterchart xaxis=log yaxis=log ymin=10", chart.Options{ASCII: true, Width: 28, Height: 10}); strings.Count(got, "*") != 2 || !strings.Contains(got, "\n  10 |          *\n") {
		t.Errorf("what lies below ymin is not cut off:\n%s", got)
	}
	in = table(t, "a:string n:long", `["x",10]`, `["y",1000]`)
	if diff := cmp.Diff("\nx  #### 10\ny  ########### 1000\n", draw(t, in, "visualization=barchart yaxis=log ymin=1", chart.Options{ASCII: true, Width: 28})); diff != "" {
		t.Errorf("bars (-want +got):\n%s", diff)
	}
}

func TestAxesEndWhereRenderSays(t *testing.T) {
	in := table(t, "x:long y:long", `[0,0]`, `[10,1]`, `[20,1]`, `[1000,1000000000]`)
	got := draw(t, in, "visualization=linechart xmin=0 xmax=20 ymin=-2 ymax=2 xtitle=across ytitle=up", chart.Options{ASCII: true, Width: 28, Height: 12})
	want := `
up
 2 |
   |
 0 |************
   |
-2 |
   +-----------------------
    0        10          20
           across

y
`
	for _, part := range []string{"\nup\n 2 |", "\n 0 |*", "\n-2 |\n", "20\n", "across\n\ny\n"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in\n%s\nwhich should look like\n%s", part, got, want)
		}
	}
	in = table(t, "t:datetime y:long", `["2026-01-01T08:00:00Z",1]`, `["2026-01-01T12:00:00Z",2]`)
	if got := draw(t, in, "visualization=timechart xmin=2026-01-01T09:00:00.0000000Z xmax=2026-01-01T11:00:00Z", chart.Options{}); !strings.Contains(got, "09:00") || !strings.Contains(got, "11:00") {
		t.Errorf("got\n%s", got)
	}
}

func TestValuesAccumulate(t *testing.T) {
	in := table(t, "x:long s:string y:long", `[3,"a",3]`, `[1,"a",1]`, `[2,"a",2]`, `[1,"b",5]`)
	if got := draw(t, in, "visualization=linechart accumulate=true", chart.Options{ASCII: true}); !strings.Contains(got, "* a  1 to 6\no b  5 to 5\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestWhatCannotBeDrawnIsNoChart(t *testing.T) {
	in := table(t, "a:string b:string", `["x","y"]`)
	for _, render := range []string{"visualization=table", "visualization=timechart", "visualization=treemap", ""} {
		if got := draw(t, in, render, chart.Options{}); got != "no chart" {
			t.Errorf("%q: got %s", render, got)
		}
	}
	if got := draw(t, table(t, "n:long"), "visualization=timechart", chart.Options{}); got != "no chart" {
		t.Errorf("of no rows: got %s", got)
	}
}

func TestOddValuesAreLeftOut(t *testing.T) {
	in := table(t, "TimeGenerated:datetime n:real", `["2026-01-01T08:00:00Z","NaN"]`, `[null,1]`, `["2026-01-01T08:00:00Z",null]`, `["2026-01-01T08:00:01Z",7]`)
	if got := draw(t, in, "visualization=timechart", chart.Options{}); !strings.Contains(got, "   7 ┤") {
		t.Errorf("got %s", got)
	}
	in = table(t, "TimeGenerated:datetime n:real", `["2026-01-01T08:00:00Z",3]`)
	if got := draw(t, in, "visualization=timechart", chart.Options{}); !strings.Contains(got, "●") || !strings.Contains(got, "07:59:00") || !strings.Contains(got, "08:01:00") {
		t.Errorf("one point: got %s", got)
	}
	if got := draw(t, table(t, "Count:long", `[12345]`), "visualization=card", chart.Options{}); got != "\nCount  12.3k\n" {
		t.Errorf("got %q", got)
	}
}

// The lists of make-series are drawn as the rows that they stand for.
func TestListsAreDrawnAsRows(t *testing.T) {
	rows := table(t, "t:datetime k:string c:real",
		`["2026-01-01T08:00:00Z","a",1]`, `["2026-01-01T08:05:00Z","a",4]`, `["2026-01-01T08:00:00Z","b",2]`, `["2026-01-01T08:10:00Z","b",3]`)
	const times = `"[\"2026-01-01T08:00:00.0000000Z\",\"2026-01-01T08:05:00.0000000Z\",\"2026-01-01T08:10:00.0000000Z\"]"`
	for name, in := range map[string]api.QueryTable{
		"make-series":        table(t, "k:string c:dynamic t:dynamic", `["a","[1,4]",`+times+`]`, `["b","[2,null,3.0]",`+times+`]`),
		"numbers and others": table(t, "k:string Slope:real c:dynamic t:dynamic Bag:dynamic", `["a",0.5,"[1,4]",`+times+`,"{}"]`, `["b",7,"[2,null,3,\"NaN\"]",`+times+`,null]`),
	} {
		if diff := cmp.Diff(draw(t, rows, "visualization=timechart", chart.Options{}), draw(t, in, "visualization=timechart", chart.Options{})); diff != "" {
			t.Errorf("%s (-rows +lists):\n%s", name, diff)
		}
	}
	for name, in := range map[string]api.QueryTable{
		"an axis and no values": table(t, "t:dynamic", `[`+times+`]`),
		"lists of names":        table(t, "t:dynamic names:dynamic", `[`+times+`,"[\"x\"]"]`),
		"no lists":              table(t, "t:dynamic c:dynamic", `["{}","5"]`, `[null,"[]"]`),
	} {
		if got := draw(t, in, "visualization=timechart", chart.Options{}); got != "no chart" {
			t.Errorf("%s: %s", name, got)
		}
	}
	numbers := table(t, "id:string x:dynamic y:dynamic", `["p","[1,2,3]","[4,5,6]"]`)
	if got := draw(t, numbers, "visualization=linechart xcolumn=x", chart.Options{}); got == "no chart" {
		t.Error("an axis of numbers is not drawn")
	}
}
