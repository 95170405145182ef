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
	f("update --tags a=1 b=2 --srm queueName=q x=y --min-replicas 2", "update --tags a=1 --tags b=2 --srm queueName=q --srm x=y --min-replicas 2")
	f("update -n web --set-env-vars A=1 B=2 --image x", "update -n web --set-env-vars A=1 --set-env-vars B=2 --image x")
	f("update --set-env-vars A=1 --remove-env-vars B C", "update --set-env-vars A=1 --remove-env-vars B --remove-env-vars C")
	f("update --set-env-vars=A=1 web", "update --set-env-vars=A=1 web")
	f("ingress traffic set --revision-weight a=50 b=50 -n web", "ingress traffic set --revision-weight a=50 --revision-weight b=50 -n web")
	f("ingress cors enable -r a b -m GET", "ingress cors enable -r a -r b -m GET")
	f("update --args -c echo", "update --args -c --args echo")
	f("--env e2e revision copy", "--env e2e revision copy")
	f("--env e2e update --set-env-vars A=1 B=2", "--env e2e update --set-env-vars A=1 --set-env-vars B=2")
	f("up --env-vars A=1 B=secretref:b front", "up --env-vars A=1 --env-vars B=secretref:b front")
	f("up --secrets a=1 b=2 --env-vars A=1", "up --secrets a=1 --secrets b=2 --env-vars A=1")
	f("up --parameters dev.json tag=1.2 @more.json main.json", "up --parameters dev.json --parameters tag=1.2 --parameters @more.json main.json")
	f("up main.json --parameters dev.json -d", "up main.json --parameters dev.json -d")
	f("up . --command /bin/sh -c --args a b", "up . --command /bin/sh -c --args a --args b")
	f("up --args -c echo", "up --args -c --args echo")
	f("up --env-vars A=1 ./a=b", "up --env-vars A=1 ./a=b")
	f("up --env-vars A=1 -- B=2", "up --env-vars A=1 -- B=2")
	f("check --env-vars A=1 B=2", "check --env-vars A=1 --env-vars B=2")
	f("config show --secrets a=1 b=2", "config show --secrets a=1 --secrets b=2")
	f("exec web -- x --set-env-vars a b", "exec web -- x --set-env-vars a b")
	f("", "")
}
