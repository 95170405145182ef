package api_test

import (
	"strings"
	"testing"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/logsink/kql"
)

func TestTheEditorIsHelped(t *testing.T) {
	f := func(method, path, body string, status int, want string) {
		t.Helper()
		s := newServer(func(*api.Options) {})
		s.logs.Tables = kql.Tables{"T": &kql.MemTable{Cols: kql.Schema{{Name: "Log_s", Type: kql.String}, {Name: "n", Type: kql.Long}}}}
		got, text := s.do(method, "/acalocal/v1/kql/"+path, body)
		if got != status || !strings.Contains(text, want) {
			t.Errorf("%s %s: got %d %s\nwant %d …%s…", path, body, got, text, status, want)
		}
	}
	f("POST", "check", `{"text":"T | where n == 1"}`, 200, `{"diagnostics":[]}`)
	f("POST", "check", `{"text":"T | where x == 1"}`, 200, `{"diagnostics":[{"code":"KS142","message":"The name 'x' does not refer to any known column, table, variable or function.","start":10,"length":1,"severity":"error"}]}`)
	f("POST", "complete", `{"text":"T | where Lo","offset":12}`, 200, `{"start":10,"length":2,"items":[{"text":"Log_s","kind":"column","detail":"string"}`)
	f("POST", "complete", `{"text":"print \"a","offset":8}`, 200, `"items":[]`)
	f("POST", "format", `{"text":"T|where n==1|take 3"}`, 200, `{"text":"T\n| where n == 1\n| take 3`)
	f("POST", "format", `{"text":"T | where |"}`, 400, `"BadArgumentError"`)
	f("GET", "schema", ``, 200, `{"tables":[{"name":"T","columns":[{"name":"Log_s","type":"string"},{"name":"n","type":"long"}]}]}`)
	f("GET", "saved", ``, 200, `{"name":"stack-traces","description":"Python tracebacks`)
}
