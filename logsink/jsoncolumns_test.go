package logsink

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/google/go-cmp/cmp"
)

// jsonAnswer asks a store with its lines taken apart.
func jsonAnswer(t *testing.T, j *JSONColumns, query string) string {
	t.Helper()
	res, err := kql.Query(context.Background(), j.Over(j.store.Catalog()), query, kql.Options{})
	if err != nil {
		return err.Error()
	}
	var rows []string
	for row := range res.Tables[0].Each {
		var cells []string
		for _, v := range row {
			cells = append(cells, v.String())
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return strings.Join(rows, "\n")
}

func TestJSONLinesBecomeColumns(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	j := NewJSONColumns(s)
	if got := jsonAnswer(t, j, "ContainerAppConsoleLogs_CL | project Log_level_s"); !strings.Contains(got, "Log_level_s") {
		t.Errorf("a column nobody has written: %s", got)
	}
	mustIngest(t, s, web,
		line(0, Stdout, `{"level":"Error","http":{"status":500,"path":"/x"},"ok":false,"tags":["a",1]}`+"\n"),
		line(1, Stdout, "plain {text}\n"),
		line(2, Stdout, `{"at":"2026-06-26T08:00:00.5Z","id":"0d2b3c4e-1111-2222-3333-444455556666","level":3,"@x":null}`+"\n"),
		line(3, Stdout, "{}\n"), line(4, Stdout, "[1]\n"), line(5, Stdout, ` {"level":"Info","http.status":7}`+"\n"))
	for _, c := range []struct{ query, want string }{
		{"project Log_s, Log_level_s, Log_level_d", "|Error|\nplain {text}||\n||3\n{}||\n[1]||\n|Info|"},
		{"project Log_http_status_d, Log_http_path_s, Log_ok_b, Log_tags_s", "500|/x|false|[\"a\",1]\n|||\n|||\n|||\n|||\n7|||"},
		{"where isnotnull(Log_at_t) | project Log_at_t, Log_id_g", "2026-06-26T08:00:00.5000000Z|0d2b3c4e-1111-2222-3333-444455556666"},
		{"where Log_s has 'Error' | count", "0"},
		{"where Log_s == '' | count", "3"},
		{"where Log_s has 'text' | take 1 | project Log_s", "plain {text}"},
		{`where Log_level_s == "Error" and Stream_s == "stdout" | summarize count() by Log_level_s`, "Error|1"},
		{"count", "6"},
		{"summarize count() by Stream_s", "stdout|6"},
		{"top 1 by TimeGenerated desc | project Log_level_s", "Info"},
	} {
		if diff := cmp.Diff(c.want, jsonAnswer(t, j, "ContainerAppConsoleLogs_CL | "+c.query)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.query, diff)
		}
	}
	if got := jsonAnswer(t, j, "ContainerAppConsoleLogs | where Log has 'level' | count"); got != "3" {
		t.Errorf("the resource-specific table never splits: %s", got)
	}
	mustIngest(t, s, Container{App: "other", ID: "o"}, line(9, Stdout, `{"late":true}`+"\n"))
	if got := jsonAnswer(t, j, "ContainerAppConsoleLogs_CL | where Log_late_b | project ContainerAppName_s"); got != "other" {
		t.Errorf("a column of a later line: %s", got)
	}
}

func TestJSONColumnsAreBounded(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	var list []Entry
	for i := range maxJSONColumns + 50 {
		list = append(list, line(i, Stdout, fmt.Sprintf(`{"k%d":1}`+"\n", i)))
	}
	mustIngest(t, s, web, list...)
	if got := len(NewJSONColumns(s).columns()); got != maxJSONColumns {
		t.Errorf("%d columns", got)
	}
}
