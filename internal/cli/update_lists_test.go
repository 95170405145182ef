package cli

import (
	"strings"
	"testing"
)

func TestSpreadLists(t *testing.T) {
	f := func(args, want string) {
		t.Helper()
		if got := strings.Join(spreadLists(strings.Fields(args)), " "); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", args, got, want)
		}
	}
	f("update -n web --set-env-vars A=1 B=2 --image x", "update -n web --set-env-vars A=1 --set-env-vars B=2 --image x")
	f("update --set-env-vars A=1 --remove-env-vars B C", "update --set-env-vars A=1 --remove-env-vars B --remove-env-vars C")
	f("update --set-env-vars=A=1 web", "update --set-env-vars=A=1 web")
	f("ingress traffic set --revision-weight a=50 b=50 -n web", "ingress traffic set --revision-weight a=50 --revision-weight b=50 -n web")
	f("update --args -c echo", "update --args -c --args echo")
	f("--env e2e revision copy", "--env e2e revision copy")
	f("exec web -- x --set-env-vars a b", "exec web -- x --set-env-vars a b")
	f("", "")
}
