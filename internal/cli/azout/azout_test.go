package azout

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const apps = `[
 {"id":"/a","name":"web","location":"eastus","properties":{"configuration":{"ingress":{"fqdn":"web.dev.localhost","targetPort":8000}},"template":{"containers":[{"name":"web","image":"web:1","resources":{"cpu":0.5}}]},"ready":true}},
 {"id":"/b","name":"api","location":"eastus","properties":{"configuration":{"ingress":null},"template":{"containers":[]},"ready":false}}]`

func TestWrite(t *testing.T) {
	f := func(query, format, want string) {
		t.Helper()
		var q *Query
		if query != "" {
			var err error
			if q, err = Parse(query); err != nil {
				t.Fatal(err)
			}
		}
		var b strings.Builder
		if err := Write(&b, json.RawMessage(apps), q, format, nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("--query %s -o %s (-want +got):\n%s", query, format, diff)
		}
	}
	f("[0].properties.configuration.ingress.fqdn", "tsv", "web.dev.localhost\n")
	f("[0].properties.configuration.ingress.fqdn", "", "\"web.dev.localhost\"\n")
	f("[0].properties.configuration.ingress.targetPort", "tsv", "8000\n")
	f("[0].properties.template.containers[0].resources.cpu", "tsv", "0.5\n")
	f("[0].properties.ready", "tsv", "true\n")
	f("[1].properties.configuration.ingress.fqdn", "tsv", "")
	f("[1].properties.configuration.ingress.fqdn", "json", "")
	f("[].name", "tsv", "web\napi\n")
	f("[?name=='api'].name | [0]", "tsv", "api\n")
	f("[?name==`api`].name", "tsv", "api\n")
	f("[?name==`\"api\"` && location!='`x`'].name", "tsv", "api\n")
	f("[?properties.ready==`true`].name", "tsv", "web\n")
	f("[].{z:name, a:properties.ready, fqdn:properties.configuration.ingress.fqdn, c:properties.template.containers}", "tsv", "web\tTrue\tweb.dev.localhost\t1\napi\tFalse\tNone\t0\n")
	f("[].[name, location]", "tsv", "web\teastus\napi\teastus\n")
	f("[].{z:name, a:location}", "json", "[\n  {\n    \"z\": \"web\",\n    \"a\": \"eastus\"\n  },\n  {\n    \"z\": \"api\",\n    \"a\": \"eastus\"\n  }\n]\n")
	f("[].{Zone:name, host:properties.configuration.ingress.fqdn}", "table", "Zone    Host\n------  -----------------\nweb     web.dev.localhost\napi\n")
	f("[].name", "table", "Result\n--------\nweb\napi\n")
	f("[].[name, location]", "table", "Column1    Column2\n---------  ---------\nweb        eastus\napi        eastus\n")
	f("", "table", "Location    Name\n----------  ------\neastus      web\neastus      api\n")
	f("[0].{b:'true', a:[`1`, 'x']}", "yaml", "b: \"true\"\na:\n  - 1\n  - x\n")
	f("[0].{at:'2026-03-01T08:00:00', day:'2026-03-01', zoned:'2024-04-16T09:42:21+00:00', no:'2026-03-01T8'}", "yaml", "at: '2026-03-01T08:00:00'\nday: '2026-03-01'\nzoned: '2024-04-16T09:42:21+00:00'\nno: 2026-03-01T8\n")
	f("[]", "none", "")
	f("length(@)", "tsv", "2\n")
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	_, err := Parse("properties.[")
	if err == nil || !strings.HasPrefix(err.Error(), "not a JMESPath expression: ") {
		t.Errorf("the error is %v", err)
	}
}
