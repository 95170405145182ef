#!/usr/bin/env bash
# Runs the Flask example from nothing to gone: up, a request, the platform's
# events, a query over the logs, down. Keeps its state in a directory of its
# own and leaves nothing behind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

docker_ready || die "Docker does not answer" "start it or set DOCKER_HOST"
PATH=$PWD/bin:$PATH
work=$(mktemp -d)
ACALOCAL_STATE_DIR=$work/state
ACALOCAL_ENVIRONMENT=demo
export ACALOCAL_STATE_DIR ACALOCAL_ENVIRONMENT

finish() {
	local code=$?
	[ "$code" = 0 ] || tail -n 30 "$ACALOCAL_STATE_DIR/demo/daemon.log" >&2 || true # a daemon that never began has no log
	acalocal down >/dev/null 2>&1 || true # the usual case: it is down already
	rm -rf "$work"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

# run shows a command as one would type it, then does it.
run() {
	local word line=
	for word in "$@"; do
		[[ $word != *[[:space:]]* ]] || word="'$word'"
		line+=" $word"
	done
	printf '\n$%s\n' "$line"
	"$@"
}

run acalocal up -d examples/python-flask
url=$(app_url python-flask)
run curl -sS "$url/"
run curl -sS "$url/health"
run curl -sS -o /dev/null -w '%{http_code}\n' "$url/error"
run acalocal revision list -n python-flask
run acalocal logs show -n python-flask --type system --format text
run acalocal logs query 'ContainerAppConsoleLogs_CL
| where Log_s has "/health"
| summarize Requests = count() by ContainerName_s, Stream_s'
run acalocal exec -n python-flask --command "python3 --version"
run acalocal down
