package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// runKQL runs "acalocal kql …" and returns its output, errors and exit code.
func runKQL(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(context.Background(), append([]string{"kql"}, args...), Streams{In: strings.NewReader(stdin), Out: &out, Err: &errs})
	return out.String(), errs.String(), code
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestKQLEvalReadsStdinAsLines(t *testing.T) {
	out, _, code := runKQL(t, "GET / 200\nError: boom\nno terror\n", "eval", "--data", "L=-", `L | where line has "error" | count`)
	if code != 0 || out != "Count\n    1\n" {
		t.Errorf("code %d, got %q", code, out)
	}
}

func TestKQLEvalWritesEveryFormat(t *testing.T) {
	csv := writeFile(t, "r.csv", "status,path,ms\n200,/a,1.5\n500,\"/b|c\",\n")
	for format, want := range map[string]string{
		"table":    "status  path   ms\n   200  /a    1.5\n   500  /b|c\n",
		"json":     `{"status":200,"path":"/a","ms":1.5}` + "\n" + `{"status":500,"path":"/b|c","ms":null}` + "\n",
		"csv":      "status,path,ms\n200,/a,1.5\n500,/b|c,\n",
		"tsv":      "status\tpath\tms\n200\t/a\t1.5\n500\t/b|c\t\n",
		"markdown": "| status | path | ms |\n| ---: | --- | ---: |\n| 200 | /a | 1.5 |\n| 500 | /b\\|c |  |\n",
	} {
		out, errs, code := runKQL(t, "", "eval", "--data", "R="+csv, "--format", format, "R")
		if diff := cmp.Diff(want, out); diff != "" || code != 0 {
			t.Errorf("%s: code %d %s (-want +got)\n%s", format, code, errs, diff)
		}
	}
}

func TestKQLEvalKeepsRowsOfOneEmptyCell(t *testing.T) {
	for _, format := range []string{"csv", "tsv"} {
		out, _, _ := runKQL(t, "a\n\nb\n", "eval", "--data", "L=-", "--format", format, "L")
		if want := "line\na\n\"\"\nb\n"; out != want {
			t.Errorf("%s: got %q, want %q", format, out, want)
		}
	}
}

func TestKQLRefusesWhatIsNoCommandLine(t *testing.T) {
	for _, args := range [][]string{{"eval", "a", "b"}, {"check", "a", "b"}, {"fmt", "a", "b"}, {"eval", "--format", "xml", "--data", "L=-", "L"}} {
		if out, errs, code := runKQL(t, "a\n", args...); code != 2 || out != "" || !strings.Contains(errs, "hint: ") {
			t.Errorf("%q: code %d, got %q and %q", args, code, out, errs)
		}
	}
}

func TestKQLEvalTypesTheColumnsOfJSONLines(t *testing.T) {
	data := writeFile(t, "l.jsonl", `{"t":"2025-11-24T10:00:00Z","n":1,"d":{"a":[1]}}`+"\n"+`{"t":"2025-11-24T10:00:01Z","n":2.5,"ok":true}`+"\n")
	out, errs, code := runKQL(t, "", "eval", "--data", "L="+data, "--format", "csv", "L | getschema | project ColumnName, ColumnType")
	want := "ColumnName,ColumnType\nt,datetime\nn,real\nd,dynamic\nok,bool\n"
	if out != want || code != 0 {
		t.Errorf("code %d %s got %q, want %q", code, errs, out, want)
	}
}

func TestKQLCheckShowsWhereTheFaultIs(t *testing.T) {
	out, _, code := runKQL(t, "", "check", "ContainerAppConsoleLogs_CL\n| where log_s has \"x\"")
	want := `2:9: error KS142: The name 'log_s' does not refer to any known column, table, variable or function.
    | where log_s has "x"
            ^^^^^
`
	if diff := cmp.Diff(want, out); diff != "" || code != exitFailed {
		t.Errorf("code %d (-want +got)\n%s", code, diff)
	}
}

func TestKQLHintsAtWhatWasMeant(t *testing.T) {
	csv := writeFile(t, "r.csv", "status\n200\n")
	f := func(query, want string) {
		t.Helper()
		if _, errs, _ := runKQL(t, "", "check", "--data", "R="+csv, query); errs != want {
			t.Errorf("%s: got %q, want %q", query, errs, want)
		}
	}
	f("R | wher status == 1", "hint: did you mean where?\n")
	f("ContainerAppConsoleLogs_CL | where log has 'x'", "hint: did you mean Log_s?\n")
	f("ContainerAppConsoleLogs | where Log_s has 'x'", "hint: did you mean Log?\n")
	f("ContainerAppSystemLogs_CL | where ContainerAppName == 'x' | project Foo", "hint: did you mean ContainerAppName_s?\n")
	f("ContainerAppSystemLogs_CL | summarize count by Reason_s", "hint: did you mean count()?\n")
	f("ContainerAppSystemLogs_CL | where not Log_s has 'x'", "hint: did you mean not()?\n")
	f("ContainerAppConsolLogs_CL | take 1", "hint: did you mean ContainerAppConsoleLogs_CL?\n")
	f("R | take 1", "")
	if _, errs, _ := runKQL(t, "", "eval", "Zebra | take 1"); !strings.Contains(errs, "\nhint: the tables are AppDependencies, ") {
		t.Errorf("unknown table: got %q", errs)
	}
}

func TestKQLCheckWritesJSON(t *testing.T) {
	out, _, code := runKQL(t, "", "check", "--json", "print x")
	want := `[{"code":"KS142","message":"The name 'x' does not refer to any known column, table, variable or function.","start":6,"length":1,"severity":"error"}]` + "\n"
	if diff := cmp.Diff(want, out); diff != "" || code != exitFailed {
		t.Errorf("code %d (-want +got)\n%s", code, diff)
	}
	if out, _, code := runKQL(t, "", "check", "--json", "print 1"); out != "[]\n" || code != 0 {
		t.Errorf("a good query: code %d, %q", code, out)
	}
}

func TestKQLFmtPrintsOneOperatorALine(t *testing.T) {
	file := writeFile(t, "q.kql", "T|where a==1 and b has 'x' // why\n|summarize  n=count()by c|order by n")
	out, errs, code := runKQL(t, "", "fmt", "-f", file)
	want := "T\n| where a == 1 and b has \"x\"\n| summarize n = count() by c\n| sort by n\n"
	if diff := cmp.Diff(want, out); diff != "" || code != 0 {
		t.Errorf("code %d %s (-want +got)\n%s", code, errs, diff)
	}
}

func TestKQLBatchAnswersInOrder(t *testing.T) {
	batch := writeFile(t, "b.jsonl", `{"name":"one","query":"print a=1, b=real(nan), c=1d, d=dynamic({\"x\":[1]}), e=int(null), f=\"\""}
{"name":"two","query":"print nosuch"}
{"name":"three","query":"range x from 1 to 2 step 1"}
`)
	out := filepath.Join(t.TempDir(), "o.jsonl")
	if _, errs, code := runKQL(t, "", "eval", "--batch", batch, "--out", out); code != 0 {
		t.Fatalf("code %d %s", code, errs)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"one","columns":[{"name":"a","type":"long"},{"name":"b","type":"real"},{"name":"c","type":"timespan"},{"name":"d","type":"dynamic"},{"name":"e","type":"int"},{"name":"f","type":"string"}],"rows":[[1,"NaN","1.00:00:00",{"x":[1]},null,""]]}
{"name":"two","diagnostics":[{"code":"KS142","message":"The name 'nosuch' does not refer to any known column, table, variable or function.","start":6,"length":6}]}
{"name":"three","columns":[{"name":"x","type":"long"}],"rows":[[1],[2]]}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestKQLIsCompletedByTheShell(t *testing.T) {
	var out, errs bytes.Buffer
	code := Main(context.Background(), []string{"__complete", "kql", "eval", "ContainerAppConsoleLogs_CL | where Strea"},
		Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	if code != 0 || !strings.Contains(out.String(), "ContainerAppConsoleLogs_CL | where Stream_s\n") {
		t.Errorf("code %d: %s%s", code, out.String(), errs.String())
	}
}

func TestKQLMisuseIsSaidWithAHint(t *testing.T) {
	_, errs, code := runKQL(t, "", "eval")
	if code != exitMisuse || !strings.Contains(errs, "no query given") || !strings.Contains(errs, "hint:") {
		t.Errorf("code %d, %q", code, errs)
	}
	_, errs, code = runKQL(t, "", "eval", "--data", "L", "print 1")
	if code != exitFailed || !strings.Contains(errs, "want NAME=FILE") {
		t.Errorf("code %d, %q", code, errs)
	}
}

// The commands of the page run as they stand, given the files they name.
func TestKQLExamplesOfTheDocumentationRun(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "kql.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```sh\n")
	block, _, _ := strings.Cut(rest, "```")
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"requests.csv": "status,path\n200,/\n500,/x\n", "query.kql": "print 1"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for _, line := range strings.Split(strings.TrimSpace(block), "\n") {
		_, command, ok := strings.Cut(line, "acalocal kql ")
		if !ok {
			t.Fatalf("not a kql command: %s", line)
		}
		args := shellWords(command)
		_, errs, code := runKQL(t, "an error\n", args...)
		if args[0] != "check" && code != 0 {
			t.Errorf("%s: code %d: %s", line, code, errs)
		}
		ran++
	}
	if ran < 5 {
		t.Errorf("only %d examples", ran)
	}
}

// shellWords splits at spaces outside of single quotes.
func shellWords(s string) []string {
	var out []string
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}
