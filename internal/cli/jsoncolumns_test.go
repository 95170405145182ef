package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/logsink"
	"github.com/google/go-cmp/cmp"
)

// rest asks the query API of Azure Monitor Logs.
func (f *faked) rest(query string) (status int, body string) {
	f.Helper()
	var at api.AccessAnswer
	if err := json.Unmarshal([]byte(f.run("api", "--json")), &at); err != nil {
		f.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		f.Fatal(err)
	}
	req, err := http.NewRequestWithContext(f.Context(), http.MethodPost, fmt.Sprintf("%s/v1/workspaces/%s/query", at.URL, at.Workspace), bytes.NewReader(text))
	if err != nil {
		f.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(f.run("api", "--token")))
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		f.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		f.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func TestFieldsOfJSONLinesAreColumnsWhereTheEnvironmentSaysSo(t *testing.T) {
	lines := []string{
		`{"time":"2026-06-26T08:19:07.032Z","level":"Error","content":{"message":"no stock","attempt":3,"final":false},"tags":["a","b"]}`,
		`plain`,
		`{"level":20,"content":{"message":"sold"}}`,
	}
	f := newFaked(t)
	f.runtime = containertest.NewRuntime(map[string]containertest.Program{"printer:1": {Prints: lines}})
	boot := func(dynamic bool) (stop func()) {
		stop = f.boot(func(o *daemon.Options) { o.APIPort, o.DynamicJSONColumns = f.freePort(), dynamic })
		app := aca.ContainerApp{Name: "web", Properties: aca.AppProperties{
			Template: aca.Template{Containers: []aca.Container{{Name: "app", Image: "printer:1"}}},
		}}
		if _, err := f.daemon.Engine.Apply(t.Context(), emulator.ApplyRequest{App: app}); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range f.daemon.Logs.TailConsole(t.Context(), logsink.Filter{App: "web"}, len(lines), true) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == len(lines) {
				break
			}
		}
		return stop
	}

	stop := boot(true)
	query := "ContainerAppConsoleLogs_CL | order by time_t asc | project Log_content_message_s, Log_content_attempt_d, Log_content_final_b, Log_level_s, Log_level_d, Log_time_t, Log_tags_s, Log_s"
	want := `Log_content_message_s,Log_content_attempt_d,Log_content_final_b,Log_level_s,Log_level_d,Log_time_t,Log_tags_s,Log_s
no stock,3.0,false,Error,,2026-06-26T08:19:07.0320000Z,"[""a"",""b""]",
,,,,,,,plain
sold,,,,20.0,,,
`
	if diff := cmp.Diff(want, f.run("logs", "query", "--format", "csv", query)); diff != "" {
		t.Errorf("logs query (-want +got):\n%s", diff)
	}
	status, body := f.rest(`ContainerAppConsoleLogs_CL | where Log_content_message_s == "no stock" | project Log_content_message_s, Log_content_attempt_d, Log_level_s, Log_s`)
	const rows = `"columns":[{"name":"Log_content_message_s","type":"string"},{"name":"Log_content_attempt_d","type":"real"},{"name":"Log_level_s","type":"string"},{"name":"Log_s","type":"string"}],` +
		`"rows":[["no stock",3.0,"Error",""]]`
	if status != http.StatusOK || !strings.Contains(body, rows) {
		t.Errorf("the query API answers %d %s\nwant …%s…", status, body, rows)
	}
	for table, whole := range map[string]string{
		"ContainerAppConsoleLogs | where Log has 'stock' | project Log":                          lines[0],
		"ContainerAppConsoleLogs_CL | getschema | where ColumnName == 'Log_nothing_s' | count":   "0",
		"ContainerAppConsoleLogs_CL | project column_ifexists('Log_nothing_s', 'none') | take 1": "none",
	} {
		if got := f.run("logs", "query", "--format", "tsv", table); !strings.Contains(got, whole) && !strings.Contains(got, strings.ReplaceAll(whole, `"`, `""`)) {
			t.Errorf("%s gives %s, want %s", table, got, whole)
		}
	}
	if got := f.run("logs", "show", "-n", "web"); !strings.Contains(got, "no stock") || !strings.Contains(got, "level") {
		t.Errorf("logs show has the lines no longer whole: %s", got)
	}
	stop()

	stop = boot(false)
	defer stop()
	if status, body := f.rest("ContainerAppConsoleLogs_CL | project Log_content_message_s"); status != http.StatusBadRequest ||
		!strings.Contains(body, "Failed to resolve column or scalar expression named 'Log_content_message_s'") {
		t.Errorf("without the setting the query API answers %d %s", status, body)
	}
	if out, errs, code := run(t, "logs", "query", "ContainerAppConsoleLogs_CL | project Log_content_message_s"); code != 1 || !strings.Contains(errs, "KS142") {
		t.Errorf("without the setting: %d %s%s", code, out, errs)
	}
	if got := f.run("logs", "query", "--format", "csv", "ContainerAppConsoleLogs_CL | where Log_s has 'stock' | project Log_content = tostring(parse_json(Log_s).content.message)"); got != "Log_content\nno stock\n" {
		t.Errorf("without the setting the line is not whole: %s", got)
	}
}
