package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/google/go-cmp/cmp"
)

func TestRowFormats(t *testing.T) {
	one := api.QueryTable{
		Name:    "PrimaryResult",
		Columns: []api.QueryColumn{{Name: "Log_s", Type: "string"}, {Name: "n", Type: "long"}, {Name: "d", Type: "dynamic"}},
		Rows: [][]json.RawMessage{
			{[]byte(`"a|b\tc\nd"`), []byte(`3`), []byte(`"{\"x\":1}"`)},
			{[]byte(`"<é>, \"q\""`), []byte(`null`), []byte(`null`)},
		},
	}
	f := func(format, want string, tables ...api.QueryTable) {
		t.Helper()
		var b strings.Builder
		if err := rowFormats[format](&b, tables); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
	f("table", `Log_s      n  d
a|b\tc\nd  3  {"x":1}
<é>, "q"   -  -
`, one)
	f("csv", "Log_s,n,d\n\"a|b\tc\nd\",3,\"{\"\"x\"\":1}\"\n\"<é>, \"\"q\"\"\",,\n", one)
	f("tsv", "Log_s\tn\td\na|b\\tc\\nd\t3\t{\"x\":1}\n<é>, \"q\"\t\t\n", one)
	f("markdown", "| Log_s | n | d |\n| --- | --- | --- |\n| a\\|b\tc<br>d | 3 | {\"x\":1} |\n| <é>, \"q\" |  |  |\n", one)
	f("json", `[
  {
    "Log_s": "a|b\tc\nd",
    "n": 3,
    "d": "{\"x\":1}"
  },
  {
    "Log_s": "<é>, \"q\"",
    "n": null,
    "d": null
  }
]
`, one)
	f("json", "[]\n")

	two := api.QueryTable{Name: "Second", Columns: []api.QueryColumn{{Name: "x", Type: "int"}}, Rows: [][]json.RawMessage{{[]byte(`1`)}}}
	first := api.QueryTable{Name: "First", Columns: two.Columns}
	f("csv", "First:\nx\n\nSecond:\nx\n1\n", first, two)
	f("json", "[\n  {\n    \"TableName\": \"Second\",\n    \"x\": 1\n  }\n]\n", first, two)
}

func TestARowOfOneEmptyCellIsARowInCSV(t *testing.T) {
	columns := []api.QueryColumn{{Name: "Log_s", Type: "string"}}
	rows := [][]json.RawMessage{{json.RawMessage(`"a"`)}, {json.RawMessage(`""`)}, {json.RawMessage(`null`)}, {json.RawMessage(`"b"`)}}
	var answer, export bytes.Buffer
	if err := writeRowsCSV(&answer, api.QueryTable{Columns: columns, Rows: rows}); err != nil {
		t.Fatal(err)
	}
	each := func(yield func([]json.RawMessage, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
	if err := exportCSV(&export, columns, each); err != nil {
		t.Fatal(err)
	}
	want := "Log_s\na\n\"\"\n\"\"\nb\n"
	if answer.String() != want || export.String() != want {
		t.Errorf("got %q and %q, want %q", answer.String(), export.String(), want)
	}
}
