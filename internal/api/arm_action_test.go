package api_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestActions(t *testing.T) {
	f := func(method, target, body string, status int, want string, calls ...string) {
		t.Helper()
		s := newServer(nil)
		gotStatus, got := s.do(method, target, body)
		if gotStatus != status || !strings.Contains(got, want) {
			t.Errorf("%s %s: got %d %s\nwant %d …%s…", method, target, gotStatus, got, status, want)
		}
		if diff := cmp.Diff(calls, s.emulator.Calls()); diff != "" {
			t.Errorf("%s %s: calls (-want +got):\n%s", method, target, diff)
		}
	}
	rev := apps + "/web/revisions/web--abc1234"
	f("POST", rev+"/activate", "", 200, `"Activate succeeded"`, "active web web--abc1234 true")
	f("POST", strings.ToUpper(rev+"/deactivate"), "", 200, `"Deactivate succeeded"`, "active web web--abc1234 false")
	f("POST", rev+"/restart", "", 200, `"Restart succeeded"`, `restart web "web--abc1234"`)
	f("POST", apps+"/web/stop?api-version=2025-07-01", "", 200, `"runningStatus":"Stopped"`, "running web false")
	f("POST", apps+"/web/start", "", 200, `"runningStatus":"Running"`, "running web true")

	f("GET", rev+"/activate", "", 405, "does not answer GET, only POST")
	f("POST", apps+"/web/activate", "", 404, "There is nothing at")
	f("POST", rev+"/stop", "", 404, "There is nothing at")
	f("POST", apps+"/none/stop", "", 404, "The Resource 'Microsoft.App/containerApps/none' under resource group 'rg' was not found.")
	f("POST", apps+"/web/revisions/web--none/deactivate", "", 404, "containerApps/web/revisions/web--none' under resource group 'rg' was not found")
}

func TestPatchMerges(t *testing.T) {
	f := func(body string, status int, want string, calls ...string) {
		t.Helper()
		s := newServer(nil)
		gotStatus, got := s.do("PATCH", apps+"/web", body)
		if gotStatus != status || !strings.Contains(got, want) {
			t.Errorf("%s: got %d %s\nwant %d …%s…", body, gotStatus, got, status, want)
		}
		if diff := cmp.Diff(calls, s.emulator.Calls()); diff != "" {
			t.Errorf("%s: calls (-want +got):\n%s", body, diff)
		}
	}
	const update = "update web dryRun=false"
	f(`{"properties":{"configuration":{"activeRevisionsMode":"Multiple"}}}`, 200, `"activeRevisionsMode":"Multiple","maxInactiveRevisions":null,"ingress":{"external":true`, update)
	f(`{"properties":{"configuration":{"ingress":null}}}`, 200, `"activeRevisionsMode":"Single","maxInactiveRevisions":null,"ingress":null,"secrets":null`, update)
	f(`{"properties":{"template":{"containers":[{"name":"web","image":"web:2"}]}}}`, 200, `"latestRevisionName":"web--0000001"`, update)
	f(`{"name":"other"}`, 200, `"name":"web"`, update)
	f(`[]`, 400, "could not be deserialized")
	f(`{"properties":{"template":{"containers":"none"}}}`, 400, "expected a list")
}
